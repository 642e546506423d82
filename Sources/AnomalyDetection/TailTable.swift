import Glibc

/// How often chance causes an excursion of a given size, from the peaks of one measure, scale and
/// sign.
///
/// The tables are learnt from the stream. Beyond the tenth largest peak the tail is extrapolated:
/// exponentially in a measure with many keys, by a power law in a plain row series.
struct TailTable: Sendable {
  static let lowest = 2.0
  static let ratio = 1.08
  static let binCount = 64
  static let lnRatio = log(ratio)
  /// Edges of the bins, one more than there are bins.
  static let edges: [Double] = (0...binCount).map { lowest * pow(ratio, Double($0)) }

  private(set) var peaks: [64 of Double] = .init(repeating: 0)
  /// Buckets of this sign so far, and peaks since the last rebuild.
  private(set) var count = 0.0
  private(set) var added = 0.0
  /// At the last rebuild: the number of peaks in each bin or above, `count`, and the highest bin
  /// with enough peaks (-1: none).
  private(set) var tail: [65 of Double] = .init(repeating: 0)
  private(set) var built = 0.0
  private(set) var top = -1
  private(set) var slope = 1.0
  private(set) var power = 2.0
  /// Logarithms of ``built`` and of the peaks at ``top`` or above.
  private var lnBuilt = 0.0
  private var lnTop = 0.0

  static func bin(_ deviance: Double) -> Int {
    Int((log(deviance / lowest) / lnRatio).rounded(.down).clamped(0, Double(binCount - 1)))
  }

  @inline(__always)
  mutating func countBucket(_ tempo: TallyTempo) {
    let growth = tempo.rules.rebuildGrowth
    let buckets = tempo.rules.rebuildBuckets
    count += 1
    if count > growth * built + buckets || added > tempo.rules.rebuildAdded {
      rebuild(tempo)
    }
  }

  mutating func add(peak: Double) {
    peaks[Self.bin(peak)] += 1
    added += 1
  }

  private mutating func rebuild(_ tempo: TallyTempo) {
    let rules = tempo.rules
    var above = 0.0
    top = -1
    for bin in stride(from: Self.binCount - 1, through: 0, by: -1) {
      above += peaks[bin]
      tail[bin] = above
      if top < 0, above >= rules.topExcursions { top = bin }
    }
    built = count
    added = 0
    slope = 1
    power = rules.power
    takeLogarithms()
    guard top >= 0 else { return }
    let edge = Self.edges[top]
    var excess = 0.0
    var logs = 0.0
    for bin in top..<Self.binCount {
      let middle = 0.5 * (Self.edges[bin] + Self.edges[bin + 1])
      excess += peaks[bin] * (middle - edge)
      logs += peaks[bin] * log(middle / edge)
    }
    slope = (rules.prior + excess) / (rules.prior + tail[top])
    power = (rules.powerWeight + tail[top]) / (rules.powerWeight / rules.power + logs)
  }

  private mutating func takeLogarithms() {
    lnBuilt = log(built)
    lnTop = top >= 0 ? log(tail[top]) : 0
  }

  /// ln of the expected excursions per bucket that reach a deviance of at least ``lowest``.
  ///
  /// - Parameter lnRootScale: half the logarithm of the scale.
  @inline(__always)  // A call copies the table.
  func lnRate(
    _ deviance: Double, lnRootScale: Double, isRows: Bool, tempo: TallyTempo
  ) -> Double {
    if top < 0 || built < tempo.rules.minimumBuckets {
      if isRows { return -2 * log(2 * deviance) - tempo.rules.rowsLaw - lnRootScale }
      let lnRate = -deviance - lnRootScale
      guard let seen = tempo.rules.farTail else { return lnRate }
      let far = min(log(seen / max(1, count)), -Self.lowest - lnRootScale)
      guard lnRate < far else { return lnRate }
      return far - tempo.rules.farPower * log(deviance / (-far - lnRootScale))
    }
    let edge = Self.edges[top]
    if deviance >= edge {
      let fall = isRows ? power * log(deviance / edge) : (deviance - edge) / slope
      let lnRate = lnTop - fall - lnBuilt
      guard let seen = tempo.rules.farTail, !isRows else { return lnRate }
      // Nothing as rare as this can have been seen yet, so the tail may be heavier from here on.
      let far = log(seen / built)
      guard lnRate < far else { return lnRate }
      let farDeviance = edge + slope * (lnTop - log(seen))
      return far - tempo.rules.farPower * log(deviance / max(farDeviance, edge))
    }
    let bin = Self.bin(deviance)
    let share = (deviance - Self.edges[bin]) / (Self.edges[bin + 1] - Self.edges[bin])
    return log(tail.span[bin] + share * (tail.span[bin + 1] - tail.span[bin])) - lnBuilt
  }

  /// ln of the expected excursions per bucket that reach a deviance, by a power; nil before enough
  /// are known.
  func lnPower(_ deviance: Double, tempo: TallyTempo) -> Double? {
    guard top >= 0, built >= tempo.rules.minimumBuckets else { return nil }
    return lnRate(deviance, lnRootScale: 0, isRows: true, tempo: tempo)
  }

  func encode(to bytes: inout StateWriter) {
    for bin in 0..<Self.binCount { bytes.put(peaks[bin]) }
    for bin in 0...Self.binCount { bytes.put(tail[bin]) }
    for number in [count, added, built, Double(top), slope, power] { bytes.put(number) }
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    for bin in 0..<Self.binCount { peaks[bin] = try bytes.double() }
    for bin in 0...Self.binCount { tail[bin] = try bytes.double() }
    count = try bytes.double()
    added = try bytes.double()
    built = try bytes.double()
    let bin = try bytes.double()
    guard bin >= -1, bin < Double(Self.binCount) else { throw StateDamage() }
    top = Int(bin)
    slope = try bytes.double()
    power = try bytes.double()
    takeLogarithms()
  }
}

/// All tail tables of one measure, shared by all its keys.
struct TailTables: Sendable {
  /// Whether the measure has a single series: uses power tails and the stricter jump law.
  var isRows: Bool
  /// Index: twice the scale's index, plus 1 for excursions above.
  var tables: [8 of TailTable] = .init(repeating: TailTable())

  /// Excursions of the jump lens, of both signs; used for keyed measures.
  var jump = TailTable()

  /// Whether the first amount only tells the unit.
  let isSum: Bool
  let mayBeNegative: Bool
  /// The standard deviation is at least this share of the expected value.
  let relativeFloor: Double

  init(isRows: Bool, isSum: Bool, mayBeNegative: Bool, relativeFloor: Double) {
    self.isRows = isRows
    self.isSum = isSum
    self.mayBeNegative = mayBeNegative
    self.relativeFloor = relativeFloor
  }

  func encode(to bytes: inout StateWriter) {
    bytes.put(isRows)
    for index in 0..<8 { tables[index].encode(to: &bytes) }
    jump.encode(to: &bytes)
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    isRows = try bytes.bool()
    for index in 0..<8 { try tables[index].decode(from: &bytes) }
    try jump.decode(from: &bytes)
  }
}

/// The number of series of the whole program in an incident, in this bucket so far and in the
/// previous one.
struct Crowd: Sendable {
  private var time = -Double.infinity
  private var now = 0
  private var before = 0

  @inline(__always)
  mutating func enter(_ time: Double, seconds: Double) {
    guard time != self.time else { return }
    before = time - self.time <= 1.01 * seconds ? now : 0
    now = 0
    self.time = time
  }

  mutating func join() { now += 1 }

  func isPresent(_ size: Int) -> Bool { before >= size || now >= size }

  func encode(to bytes: inout StateWriter) {
    bytes.put(time)
    bytes.put(Double(now))
    bytes.put(Double(before))
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    time = try bytes.double()
    now = try bytes.count(upTo: 1 << 40)
    before = try bytes.count(upTo: 1 << 40)
  }
}
