import Foundation
import TestSupport
import Testing

@testable import AnomalyDetection

@Suite struct PropertyTests {
  private static let start = 1_767_571_200.0

  @Test(arguments: [0.0, 1, 10, 1e-9, 1e12])
  func aConstantNeverAlarms(_ value: Double) {
    for isRows in [false, true] {
      for seconds in [60.0, 300, 3600, 86_400] {
        var series = LonelySeries<CompactPrecision>(
          seconds: seconds, isRows: isRows, rules: .shipped)
        for i in 0..<4000 {
          let verdict = series.step(Self.start + Double(i) * seconds, value)
          #expect(verdict.score < 1, "\(value), \(seconds) s, bucket \(i): \(verdict)")
        }
      }
    }
    var series = FootprintSeries(stretch: 1, repeats: false)
    for i in 0..<4000 { #expect(series.step(value, hour: i / 12 % 168).surprise == 0) }
  }

  /// Scores don't depend on the unit of the values. After zeros they may for large values, because
  /// the first of them can be an anomaly.
  @Test(arguments: [1e-9, 0.001, 7, 1e12])
  func unitsDontMatter(_ unit: Double) {
    for isRows in [false, true] {
      for zeros in [0, 30] where zeros == 0 || unit <= 0.001 {
        var plain = LonelySeries<ExactPrecision>(seconds: 60, isRows: isRows, rules: .shipped)
        var scaled = LonelySeries<ExactPrecision>(seconds: 60, isRows: isRows, rules: .shipped)
        var largest = 0.0
        for i in 0..<9000 {
          let time = Self.start + Double(i) * 60
          let value =
            i < zeros ? 0 : i >= 8000 && i < 8010 ? 0.13 : 0.09 + 0.001 * Double(7919 * i % 21)
          let one = plain.step(time, value)
          let other = scaled.step(time, value * unit)
          #expect(abs(one.score - other.score) <= 1e-6 * max(1, abs(one.score)), "bucket \(i)")
          largest = max(largest, other.score)
        }
        if zeros == 0 { #expect(largest > 10) }
      }
    }
  }

  /// The first amount of a sum after half a day of zeros tells its unit and raises no alarm.
  @Test func theFirstAmountIsNoAlarm() {
    for (isSum, alarms) in [(true, false), (false, true)] {
      var series = LonelySeries<CompactPrecision>(
        seconds: 300, isRows: false, isSum: isSum, rules: .shipped)
      for i in 0..<150 { _ = series.step(Self.start + Double(i) * 300, 0) }
      let verdict = series.step(Self.start + 150 * 300, 49.99)
      #expect((verdict.score > 3) == alarms, "\(verdict)")
    }
  }

  /// A share of almost all that falls by little is seen.
  @Test func aFallingSuccessRateIsSeen() {
    for isRows in [false, true] {
      var series = LonelySeries<CompactPrecision>(seconds: 60, isRows: isRows, rules: .shipped)
      var largest = -9.0
      for i in 0..<8010 {
        let value = i < 8000 ? 99.8 + 0.01 * Double(7919 * i % 21) : 98.5
        largest = max(largest, series.step(Self.start + Double(i) * 60, value).score)
        #expect(i >= 8000 || largest < 2, "bucket \(i)")
      }
      #expect(largest > 4)
    }
  }

  /// For any input, no step traps and no score is NaN.
  @Test func noInputCrashes() {
    let odd: [Double] = [
      0, -0.0, 1, -1, 1e308, -1e308, .leastNonzeroMagnitude, .infinity, -.infinity, .nan, 1e-30,
      1e18, 1e60, 0.5,
    ]
    Fuzzing.run("AnomalyDetection steps") { generator in
      let isRows = generator.below(2) == 0
      let seconds = [1.0, 60, 3600, 86_400, 1e7][generator.below(5)]
      var compact = LonelySeries<CompactPrecision>(
        seconds: seconds, isRows: isRows, rules: .shipped)
      var exact = LonelySeries<ExactPrecision>(seconds: seconds, isRows: isRows)
      var novelty = FootprintSeries(stretch: 5, repeats: true)
      var time = Self.start
      var usual = generator.pick(odd)
      for _ in 0..<600 {
        time += seconds * (generator.below(50) == 0 ? 1000 : 1)
        if generator.below(40) == 0 { usual = generator.pick(odd) }
        let value = generator.below(9) == 0 ? generator.pick(odd) : usual
        let exposure = generator.below(9) == 0 ? generator.pick(odd) : 1
        for verdict in [
          compact.step(time, value, exposure: exposure),
          exact.step(time, value, exposure: exposure),
        ] { #expect(!verdict.score.isNaN && verdict.score >= -9) }
        if value.isFinite {
          #expect(!novelty.step(value, hour: Int(time / 3600) % 168).surprise.isNaN)
        }
      }
    }
  }

  /// The logarithm is left out only where the deviance is too small to matter.
  @Test func noExcursionIsMissedByTheBoundOfTheDeviance() {
    var excursions = 0
    var skipped = 0
    Fuzzing.run("bound of the deviance") { generator in
      let mean = exp2(Double(generator.below(80)) - 40)
      let dispersion = max(exp2(Double(generator.below(60)) - 40), 1e-4 * mean)
      for step in -400...400 {
        // Sums on both sides of the border between an excursion and none.
        let distance = Double(step) / 100 * (dispersion * mean).squareRoot()
        let sum = max(0, mean + distance)
        let isExcursion = deviance(sum, mean) / dispersion >= TailTable.lowest
        if isExcursion { excursions += 1 }
        if mayBeExcursion(sum, mean, dispersion: dispersion) { continue }
        skipped += 1
        #expect(!isExcursion, "\(sum), \(mean), dispersion \(dispersion)")
      }
    }
    #expect(excursions > 1000 && skipped > excursions / 2, "\(excursions), \(skipped)")
  }

  @Test(arguments: [1.0, 0.5, 1.0 / 64, 1 - exp2(-1.0 / 4096), 1e-3])
  func aLearningRateIsTheLargerWeight(_ lasting: Double) {
    let rate = LearningRate(lasting)
    for count in 1...10_000 { #expect(rate[Int32(count)] == max(lasting, 1 / Double(count))) }
  }

  @Test func whatACalendarAnnouncesIsNotLearnt() {
    func scores(announced: Bool) -> [Double] {
      var series = LonelySeries<CompactPrecision>(seconds: 300, isRows: false)
      return (0..<4000).map { i in
        let isCampaign = (2000..<2288).contains(i)
        let value = Double(100 + i * 7919 % 31) * (isCampaign ? 3 : 1)
        return series.step(
          Self.start + Double(i) * 300, value, isExpected: announced && isCampaign
        ).score
      }
    }
    let told = scores(announced: true)
    #expect(told[2010] > 5, "the score says what was seen")
    #expect(told[2288..<4000].allSatisfy { $0 < 3 }, "nothing of it remains")
    #expect(scores(announced: false)[2300..<2400].contains { $0 > 3 })
  }

  /// A key that has the same rare values again and again, alone, is given lower scores; a larger one is not.
  @Test func aHabitIsNoAnomaly() {
    func scores(_ rules: TallyRules) -> (habit: Double, new: Double) {
      var detector = LonelySeries<CompactPrecision>(seconds: 60, isRows: false, rules: rules)
      var habit = -9.0
      var new = -9.0
      for i in 0..<(12 * 1440) {
        let isOdd = i > 4 * 1440 && i % 517 == 0
        let value = i == 12 * 1440 - 30 ? 400_000.0 : isOdd ? 200 : 100 + Double(i * 7919 % 5)
        let score = detector.step(Self.start + Double(i) * 60, value).score
        if isOdd, i > 9 * 1440 { habit = max(habit, score) }
        if value == 400_000 { new = score }
      }
      return (habit, new)
    }
    let learnt = scores(.shipped)
    let plain = scores(.reference)
    #expect(learnt.habit < 5 && learnt.habit < plain.habit, "\(learnt), \(plain)")
    #expect(learnt.new > 7, "\(learnt), \(plain)")
  }

  /// Ones that follow each other at night are not stuck; tens that do are.
  @Test func equalSmallCountsAreFrequent() {
    let tempo = TallyTempo(.shipped, seconds: 60)
    func score(_ value: Double) -> Double {
      var lens = StuckLens<Float>()
      for i in 0..<5000 { _ = lens.step(Double(50 + i * 7919 % 41), tempo: tempo) }
      var score = -9.0
      for _ in 0..<9 { score = lens.step(value, tempo: tempo) }
      return score
    }
    #expect(score(1) < 3)
    #expect(score(40) > 6)
  }
}
