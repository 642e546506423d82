import Glibc

/// The values that a quantity has had, as at most 32 disjoint ranges. A value is surprising by its
/// distance to them.
struct Footprint: Sendable {
  private static let rangeCount = 32
  private static let slowHalfLife = 2048.0
  private static let memory = 4096.0

  /// The factor by which memories are longer for buckets of less than five minutes.
  private let stretch: Double
  private let slowRate: Double
  private var count = 0.0
  private var mean = 0.0
  private var variance = 0.0
  private var lows: [33 of Double] = .init(repeating: 0)
  private var highs: [33 of Double] = .init(repeating: 0)
  private var visits: [33 of Double] = .init(repeating: 0)
  private var used = 0
  private var gaps: [8 of Double] = .init(repeating: 0)
  private var gapVisits: [8 of Double] = .init(repeating: 0)

  init(stretch: Double) {
    self.stretch = stretch
    slowRate = 1 - exp2(-1 / (Self.slowHalfLife * stretch))
  }

  /// The index of the first range whose end is at or above the value.
  private func place(of value: Double) -> Int {
    var low = 0
    var high = used
    while low < high {
      let middle = (low + high) / 2
      if highs[middle] >= value { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private mutating func remove(_ index: Int) {
    for next in index..<used - 1 { move(next + 1, to: next) }
    used -= 1
  }

  private mutating func move(_ from: Int, to: Int) {
    lows[to] = lows[from]
    highs[to] = highs[from]
    visits[to] = visits[from]
  }

  private func reach(_ end: Double, _ floor: Double) -> Double {
    variance.squareRoot() + abs(end - mean) + floor
  }

  private func gap(_ distance: Double, _ end: Double, _ floor: Double) -> Double {
    let reach = reach(end, floor)
    return reach == 0 ? 1e9 : distance / reach
  }

  /// The distance of the value to all known ranges, 0 when it is inside one. The value is then
  /// learnt.
  mutating func step(_ y: Double, floor: Double) -> Double {
    let before = count
    count += 1
    if before == 0 {
      mean = y
      variance = 0
    } else {
      let a = max(slowRate, 1 / (before + 1))
      let d = y - mean
      mean += a * d
      variance = (1 - a) * (variance + a * d * d)
    }
    var index = place(of: y)
    let oldest = before - Self.memory * stretch
    // Only the two neighbours are checked for age, until neither is too old.
    while true {
      if index < used, visits[index] < oldest {
        remove(index)
      } else if index > 0, visits[index - 1] < oldest {
        remove(index - 1)
      } else {
        break
      }
      index = place(of: y)
    }
    if index < used, lows[index] <= y {
      visits[index] = before
      return 0
    }
    var gap = used == 0 ? 0 : Double.infinity
    if index < used { gap = min(gap, self.gap(lows[index] - y, lows[index], floor)) }
    if index > 0 { gap = min(gap, self.gap(y - highs[index - 1], highs[index - 1], floor)) }
    insert(y, at: index, visit: before, floor: floor)
    guard before >= 32 * stretch, gap > 0 else { return 0 }
    return damped(gap, before)
  }

  private mutating func insert(_ y: Double, at index: Int, visit: Double, floor: Double) {
    for next in stride(from: used, to: index, by: -1) { move(next - 1, to: next) }
    lows[index] = y
    highs[index] = y
    visits[index] = visit
    used += 1
    guard used > Self.rangeCount else { return }
    var nearest = 0
    var smallest = Double.infinity
    for k in 0..<used - 1 {
      let middle = (highs[k + 1] + lows[k]) / 2
      let width = gap(highs[k + 1] - lows[k], middle, floor)
      if width < smallest {
        smallest = width
        nearest = k
      }
    }
    highs[nearest] = highs[nearest + 1]
    visits[nearest] = max(visits[nearest], visits[nearest + 1])
    remove(nearest + 1)
  }

  /// Reduces the surprise of a series that is often surprising.
  private mutating func damped(_ gap: Double, _ now: Double) -> Double {
    var sum = 0.0
    var smallest = Double.infinity
    var weakest = 0
    for k in 0..<8 {
      let decayed =
        gaps[k] == 0 ? 0 : gaps[k] * exp2(-(now - gapVisits[k]) / (Self.slowHalfLife * stretch))
      sum += decayed
      if decayed < smallest {
        smallest = decayed
        weakest = k
      }
    }
    if gap > smallest {
      gaps[weakest] = gap
      gapVisits[weakest] = now
    }
    return gap / (1 + sum / 8)
  }

  func encode(to bytes: inout StateWriter) {
    for number in [count, mean, variance, Double(used)] { bytes.put(number) }
    for k in 0..<33 { for number in [lows[k], highs[k], visits[k]] { bytes.put(number) } }
    for k in 0..<8 { for number in [gaps[k], gapVisits[k]] { bytes.put(number) } }
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    count = try bytes.double()
    mean = try bytes.double()
    variance = try bytes.double()
    used = try bytes.count(upTo: Self.rangeCount)
    for k in 0..<33 {
      lows[k] = try bytes.double()
      highs[k] = try bytes.double()
      visits[k] = try bytes.double()
    }
    for k in 0..<8 {
      gaps[k] = try bytes.double()
      gapVisits[k] = try bytes.double()
    }
  }
}

/// One series of the novelty lens: a footprint of the differences to the level, and one of the
/// differences to the hour's usual value.
struct FootprintSeries: Sendable {
  /// The surprise from which on a value is an anomaly. It is the unit of the score.
  static let threshold = 0.042
  /// The threshold with `--every-time`, which weighs the surprise by the deviation from the last
  /// hours.
  static let everyTimeThreshold = 0.053

  private let stretch: Double
  private let repeats: Bool
  private let levelRate: Double
  private let slowRate: Double
  private let nearRate: Double
  private let spreadRate: Double
  private var count = 0.0
  private var level = 0.0
  private var magnitude = 0.0
  private var slots: [168 of Double] = .init(repeating: 0)
  private var slotCounts: [168 of Double] = .init(repeating: 0)
  private var weekError = 0.0
  private var levelError = 0.0
  private var errors = 0.0
  private var levelLens: Footprint
  private var weekLens: Footprint
  private var peak = 0.0
  private var peakCount = 0.0
  private var nearMean = 0.0
  private var spread = 0.0

  init(stretch: Double, repeats: Bool) {
    self.stretch = stretch
    self.repeats = repeats
    levelRate = 1 - exp2(-1 / (192 * stretch))
    slowRate = 1 - exp2(-1 / (2048 * stretch))
    nearRate = 1 - exp2(-1 / 64)
    spreadRate = 1 - exp2(-1 / 256)
    levelLens = Footprint(stretch: stretch)
    weekLens = Footprint(stretch: stretch)
  }

  /// The surprise, held back after an earlier, larger one; 0 for none.
  mutating func step(_ value: Double, hour k: Int) -> (surprise: Double, expected: Double) {
    let x = value.clamped(-1e150, 1e150)
    if count == 0 { level = x }
    let rest = x - level
    var expected = level
    let ofLevel = levelLens.step(rest, floor: 0.05 * magnitude)
    magnitude += max(slowRate, 1 / (count + 1)) * (abs(x) - magnitude)
    let unit = 0.05 * magnitude
    let usual = slots[k]
    var ofWeek = 0.0
    if slotCounts[k] >= 2, unit > 0 {
      let isTrusted = errors == 0 || weekError <= levelError
      let b = weekLens.step(Self.scaled(x, unit) - Self.scaled(usual, unit), floor: 0.02)
      if isTrusted { ofWeek = b }
      if isTrusted, 0.3 * b > ofLevel { expected = usual }
      errors += 1
      let rate = max(slowRate, 1 / errors)
      weekError += rate * (abs(x - usual) - weekError)
      levelError += rate * (abs(rest) - levelError)
    }
    slotCounts[k] += 1
    slots[k] += max(0.5, 1 / slotCounts[k]) * (x - usual)
    level += max(levelRate, 1 / (count + 1)) * rest
    var surprise = ofLevel + 0.3 * ofWeek
    if repeats { surprise = (surprise + 0.01) * log(1 + deviation(x)) / 2 }
    let hold = (0.05 * count).rounded(.down).clamped(32 * stretch, 256 * stretch)
    if count - peakCount > hold { peak = 0 }
    let out = surprise > 1.5 * peak ? surprise : 0
    if surprise > peak {
      peak = surprise
      peakCount = count
    }
    count += 1
    return (out, expected)
  }

  private static func scaled(_ v: Double, _ unit: Double) -> Double {
    v == 0 ? 0 : (v < 0 ? -1 : 1) * log(1 + abs(v) / unit)
  }

  /// Standard deviations from the mean of the last values, which do not include this one yet.
  private mutating func deviation(_ x: Double) -> Double {
    if count == 0 {
      nearMean = x
      return 0
    }
    let d = x - nearMean
    let z = spread > 0 ? abs(d) / spread.squareRoot() : 0
    spread += max(spreadRate, 1 / count) * (d * d - spread)
    nearMean += max(nearRate, 1 / (count + 1)) * d
    return z
  }

  func encode(to bytes: inout StateWriter) {
    for number in [
      count, level, magnitude, weekError, levelError, errors, peak, peakCount, nearMean, spread,
    ] { bytes.put(number) }
    for k in 0..<168 {
      bytes.put(slots[k])
      bytes.put(slotCounts[k])
    }
    levelLens.encode(to: &bytes)
    weekLens.encode(to: &bytes)
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    count = try bytes.double()
    level = try bytes.double()
    magnitude = try bytes.double()
    weekError = try bytes.double()
    levelError = try bytes.double()
    errors = try bytes.double()
    peak = try bytes.double()
    peakCount = try bytes.double()
    nearMean = try bytes.double()
    spread = try bytes.double()
    for k in 0..<168 {
      slots[k] = try bytes.double()
      slotCounts[k] = try bytes.double()
    }
    try levelLens.decode(from: &bytes)
    try weekLens.decode(from: &bytes)
  }
}

/// The novelty lens, Footprint: raises one alarm for a value never seen before.
package final class FootprintDetector: Detector {
  private let measureCount: Int
  private let threshold: Double
  private let fresh: FootprintSeries
  private var series: [FootprintSeries] = []
  package private(set) var verdicts: [Verdict] = []
  package var slotCount: Int { series.count / max(1, measureCount) }

  /// - Parameters:
  ///   - seconds: the length of a bucket. Memories cover the same time at any length from five
  ///     minutes down.
  ///   - repeats: whether a value that was seen before can raise another alarm.
  package init(measureCount: Int, seconds: Double, repeats: Bool) {
    self.measureCount = measureCount
    threshold = repeats ? FootprintSeries.everyTimeThreshold : FootprintSeries.threshold
    fresh = FootprintSeries(stretch: max(1, 300 / seconds), repeats: repeats)
  }

  /// The hour of the week that a time counts to.
  ///
  /// It is computed from the time's share of the week, as in the published figures. For six hours of
  /// the week that share is rounded down, so their first moment still counts to the hour before.
  ///
  /// - Parameter offset: seconds that local time is ahead of UTC.
  package static func slot(_ time: Double, offset: Double) -> Int {
    let week = 604_800.0
    let rest = (time + offset).truncatingRemainder(dividingBy: week)
    let share = (rest < 0 ? rest + week : rest) / week
    return min(167, Int(share * 168))
  }

  private init(_ other: FootprintDetector) {
    measureCount = other.measureCount
    threshold = other.threshold
    fresh = other.fresh
    series = other.series
    verdicts = other.verdicts
  }

  /// A detector with the same history, for a trial.
  package func copy() -> FootprintDetector { FootprintDetector(self) }

  package func grow(to slots: Int) {
    let count = slots * measureCount
    guard count > series.count else { return }
    series.append(contentsOf: repeatElement(fresh, count: count - series.count))
    verdicts.append(contentsOf: repeatElement(Verdict(), count: count - verdicts.count))
  }

  package func clear(slot: Int) {
    for index in slot * measureCount..<(slot + 1) * measureCount {
      series[index] = fresh
      verdicts[index] = Verdict()
    }
  }

  package func judge(
    time: Double, hour: Int, values: borrowing BucketValues, order: [Int], expected: [Bool]
  ) {
    for slot in order {
      for index in slot * measureCount..<(slot + 1) * measureCount {
        var verdict = Verdict()
        let exposure = values.exposures[index]
        let value = values.amounts[index] / exposure
        if exposure > 0, value.isFinite {
          let (surprise, usual) = series[index].step(value, hour: hour)
          verdict.score = surprise / threshold
          verdict.expected = usual * exposure
          verdict.lens = surprise > 0 ? .novelty : .none
          verdict.isUp = value > usual
          verdict.sum = values.amounts[index]
          verdict.expectedSum = verdict.expected
        }
        verdicts[index] = verdict
      }
    }
  }

  package func evidence(series: Int, lens: Verdict.Lens) -> Evidence? { nil }

  package func memory(of lens: Verdict.Lens) -> Int { 1 }

  package func usualExposure(series: Int) -> Double? { nil }

  package func encode(to bytes: inout StateWriter) {
    bytes.put(series.count)
    for one in series { one.encode(to: &bytes) }
  }

  package func decode(from bytes: inout StateReader) throws(StateDamage) {
    let count = try bytes.listCount(of: 256)
    guard measureCount == 0 || count % measureCount == 0 else { throw StateDamage() }
    series = [FootprintSeries](repeating: fresh, count: count)
    verdicts = [Verdict](repeating: Verdict(), count: count)
    for index in series.indices { try series[index].decode(from: &bytes) }
  }
}
