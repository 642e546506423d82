import Glibc

/// Finds runs of equal values other than 0, in counts and distinct counts.
struct StuckLens<Real: StoredReal>: Sendable {
  private var last: Real = -1
  private var run: Int32 = 0
  private var count: Real = 0
  private var same: Real = 0

  var runLength: Int { Int(run) }
  /// Whether the series is known to vary. Runs of three or more are not counted, so a constant
  /// series never reaches this.
  var knowsVariation: Bool { count >= 100 }

  mutating func step(_ value: Double, tempo: TallyTempo) -> Double {
    // Counts are never negative, so -1 means no value yet.
    let value = Real(value)
    defer { last = value }
    guard last >= 0 else { return TallyRules.silentScore }
    let isEqual = value == last && value != 0
    run = isEqual ? min(run + 1, 1 << 20) : 0
    var score = TallyRules.silentScore
    if run > 0 {
      var chance = (same.double + 1) / (count.double + 2)
      if tempo.rules.knowsChanceOfEquals {
        // The probability of the most likely count at this level. Small counts at night are equal
        // more often than the learnt chance, which also includes the day.
        let likeliest = 1 / (2 * Double.pi * max(value.double, 0.2)).squareRoot()
        chance = min(0.999, max(chance, likeliest))
      }
      score = -Double(run) * log(chance) - tempo.lnBuckets
    }
    if run < 3, last != 0 {
      count = Real(count.double * (1 - 1 / 2048) + 1)
      same = Real(same.double * (1 - 1 / 2048) + (isEqual ? 1 : 0))
    }
    return score
  }

  func encode(to bytes: inout StateWriter) {
    for number in [last, count, same] { number.encode(to: &bytes) }
    bytes.put(Int(run))
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    last = try Real(from: &bytes)
    count = try Real(from: &bytes)
    same = try Real(from: &bytes)
    run = try Int32.stored(&bytes)
  }
}
