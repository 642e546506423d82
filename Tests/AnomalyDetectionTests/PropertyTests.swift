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
}
