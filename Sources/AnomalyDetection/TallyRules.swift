import Glibc

/// The constants of the detector: the reference rules, and the shipped rules.
///
/// Times are in seconds, memories are in buckets where the name says so, deviations are standard
/// deviations.
package struct TallyRules: Sendable {
  static let silentScore = -9.0
  static let day = 86_400.0
  /// Limits that affect no ordinary value and keep every intermediate result finite.
  static let largestExposure = 1e30
  static let largestDeviance = 1e300
  static let tiny = 1e-300
  static let largestProfile = 30.0

  // Level, profiles and dispersion.
  package var levelHalfLife = TallyRules.day
  package var dispersionHalfLife = 4 * TallyRules.day
  var dayRate = 0.1
  var weekRate = 0.15
  var dayShrink = 20.0
  var weekShrink = 100.0
  var weekStart = 7.0
  /// Memories of the running sums, in buckets.
  package var scales: [4 of Double] = [1, 3, 12, 48]
  /// The longest memory in seconds, with ``memoryShares`` in the place of ``scales``; nil for
  /// ``scales`` at any bucket length.
  package var longestMemory: Double?
  /// The logarithm of each memory in buckets as a share of that of the longest.
  static let memoryShares = [0, 0.28, 0.6, 1]
  /// From this bucket length on, only the first ``longScaleCount`` scales apply.
  var longBucket = 3600.0
  var longScaleCount = 2
  /// The standard deviation is at least this share of the expected value: `relativeFloor` for counts,
  /// sums, means and ratios, `valueFloor` for the values of rows. A product has one event per user
  /// for hours and then two, but a success rate that varies by a thousandth should not fall by a
  /// hundredth.
  package var relativeFloor = 0.01
  var valueFloor = 0.01
  var rare = 0.25
  var halfUnit = 0.5
  package var clip = 3.0
  var fullWeight: Int32 = 50
  var unitRate = 1.0 / 64

  // Tail tables.
  package var topExcursions = 10.0
  package var prior = 5.0
  var power = 2.0
  var powerWeight = 5.0
  var minimumBuckets = 500.0
  var rebuildGrowth = 1.1
  var rebuildBuckets = 50.0
  var rebuildAdded = 200.0

  // Incidents and crowd.
  package var warmUp = 2 * TallyRules.day
  package var open = 4.0
  var calm: UInt8 = 3
  var sharp = 4.0
  var quiet = 2.0
  package var freeze = 7200.0
  var accept = TallyRules.day
  var crowd = 3

  // Jump lens.
  package var jumpLevel = 12.0
  var jumpDispersion = 4096.0
  var jumpClip = 6.0
  var jumpWarmUp: Int32 = 120
  var rowsLaw = 1.53
  package var keyedLaw = 0.83

  /// The correction for learnt tails of keyed measures, which predict too few false alarms: their
  /// excess per unit of score above 3, at bucket lengths of one minute, five minutes and one hour.
  /// Nil for no correction.
  package var excess: [3 of Double]?

  /// The number of excursions expected so far below which the exponential tail of a keyed measure
  /// becomes a power, and its exponent; nil for an exponential tail throughout.
  package var farTail: Double?
  package var farPower = 3.0

  /// Whether the jump lens of keyed measures also learns how often chance causes its excursions.
  package var learnsJumps = false

  /// Whether a series of a keyed measure that often has incidents alone is given lower scores.
  package var learnsHabits = false
  static let habitHalfLife = 7 * TallyRules.day
  /// Height from which on an incident always stays an alarm.
  static let habitLimit = 30.0

  /// Whether excursions that come back every hour, day or week, or are frequent in a series of
  /// rows, are no longer alarms.
  var learnsRoutines = false

  /// Whether the stuck lens knows how often small counts are equal by chance.
  var knowsChanceOfEquals = false

  /// Whether a series with only zeros so far is never called too low.
  var knowsNothingIsZero = false

  /// Whether the first value is the unit from the start, and after zeros the first other value if it
  /// is below 1. The first amount of a sum is then no jump either. Otherwise the unit is 1 until
  /// then, and the error of that guess makes series of small numbers, such as shares, look noisy for
  /// weeks.
  package var startsWithUnit = false

  /// Whether a few negative values of a series count as 0, and values that are often negative are
  /// judged as their distance from an origin below them. Otherwise the first negative value leaves a
  /// series to the jump lens.
  var movesOrigin = false

  /// How many of the values of a series may be negative and still count as 0.
  static func toleratedNegatives(of count: Int) -> Double { min(3 + 0.01 * Double(count), 100) }

  /// Whether buckets longer than an hour also have profiles.
  var profilesLongBuckets = false

  /// The rules of the specification, for which its example values and the golden files hold.
  package static let reference = TallyRules()

  /// The rules in use by default.
  package static let shipped: TallyRules = {
    var rules = TallyRules()
    rules.profilesLongBuckets = true
    rules.knowsNothingIsZero = true
    rules.startsWithUnit = true
    rules.valueFloor = 0.001
    rules.movesOrigin = true
    rules.knowsChanceOfEquals = true
    rules.learnsHabits = true
    rules.learnsRoutines = true
    rules.farTail = 0.06
    rules.learnsJumps = true
    rules.excess = [0.05, 0, 0.1]
    rules.longestMemory = 10_800
    return rules
  }()
}

/// The weight of the latest value in an average that first counts all values alike and later
/// forgets the old ones.
struct LearningRate: Sendable {
  private let lasting: Double
  /// The first count from which on the lasting weight applies, so that no later value needs a division.
  private let lastsFrom: Double

  /// - Parameter lasting: the weight once many values have been counted, above 0.
  init(_ lasting: Double) {
    self.lasting = lasting
    var count = max(1, (1 / lasting).rounded(.down))
    while 1 / count > lasting { count += 1 }
    lastsFrom = count
  }

  /// The weight of a value, the larger of 1 / `count` and the lasting weight.
  @inline(__always)
  subscript(count: Int32) -> Double {
    let count = Double(count)
    return count < lastsFrom ? 1 / count : lasting
  }
}

/// Values derived from the rules for one bucket length, computed once.
package final class TallyTempo: Sendable {
  let rules: TallyRules
  /// The bucket's length in seconds.
  let seconds: Double
  let scaleCount: Int
  /// For each scale: its memory in buckets, the weight of a new bucket, and the variance factor of
  /// the running sum.
  private let memories: [4 of Double]
  let weight: [4 of Double]
  let spread: [4 of Double]
  let lnRootScale: [4 of Double]
  /// ln of the number of tests a day: buckets times scales.
  let lnTests: Double
  /// ln of the number of buckets a day.
  let lnBuckets: Double
  let levelDecay: Double
  let dispersionRate: LearningRate
  let jumpDecay: Double
  let jumpRate: LearningRate
  let unitRate: LearningRate
  let freeze: Double
  let accept: Double
  /// The number of hours of the week between neighbouring buckets.
  let hourStep: Int
  private let excess: Double?

  package init(_ rules: TallyRules, seconds: Double) {
    self.rules = rules
    self.seconds = seconds
    scaleCount = seconds >= rules.longBucket ? rules.longScaleCount : 4
    var memories = rules.scales
    if let longest = rules.longestMemory {
      memories[0] = 1
      for index in 1..<4 {
        let memory = pow(max(1, longest / seconds), TallyRules.memoryShares[index]).rounded()
        memories[index] = max(memories[index - 1] + 1, memory)
      }
    }
    var weight: [4 of Double] = [1, 1, 1, 1]
    var spread: [4 of Double] = [1, 1, 1, 1]
    var roots: [4 of Double] = [0, 0, 0, 0]
    for index in 0..<4 {
      weight[index] = 1 / memories[index]
      spread[index] = 1 / (2 - weight[index])
      roots[index] = 0.5 * log(memories[index])
    }
    self.memories = memories
    self.weight = weight
    self.spread = spread
    lnRootScale = roots
    lnTests = log(TallyRules.day / seconds * Double(scaleCount))
    lnBuckets = log(TallyRules.day / seconds)
    levelDecay = exp2(-seconds / rules.levelHalfLife)
    dispersionRate = LearningRate(1 - exp2(-seconds / rules.dispersionHalfLife))
    jumpDecay = exp2(-1 / rules.jumpLevel)
    jumpRate = LearningRate(1 - exp2(-1 / rules.jumpDispersion))
    unitRate = LearningRate(rules.unitRate)
    freeze = max(rules.freeze, 2 * seconds)
    accept = max(rules.accept, 24 * seconds)
    let hours = rules.profilesLongBuckets ? (seconds / 3600).rounded() : 1
    hourStep = Int(min(168, max(1, hours)))
    excess = rules.excess.map { Self.excess($0, seconds) }
  }

  /// The score up to which the predictions of learnt tables are correct.
  static let promisedFrom = 3.0

  /// The excess of a keyed measure at this bucket length.
  func excess(isRows: Bool) -> Double? { isRows ? nil : excess }

  private static func excess(_ known: [3 of Double], _ seconds: Double) -> Double {
    if seconds <= 60 { return known[0] }
    if seconds >= 3600 { return known[2] }
    if seconds < 300 { return known[0] + (known[1] - known[0]) * log(seconds / 60) / log(5) }
    return known[1] + (known[2] - known[1]) * log(seconds / 300) / log(12)
  }

  /// The index of a lens's scale; that of the first for lenses without a memory of their own.
  func scale(of lens: Verdict.Lens) -> Int {
    let j = min(max(0, Int(lens.rawValue) - 1), 3)
    return lens.rawValue > Verdict.Lens.scale4.rawValue || j >= scaleCount ? 0 : j
  }

  /// The buckets that a lens sums over.
  package func memory(of lens: Verdict.Lens) -> Int { Int(memories[scale(of: lens)]) }

  /// The hour of the week that contains the middle of a bucket.
  ///
  /// - Parameter offset: seconds that local time is ahead of UTC.
  package func hourOfWeek(_ time: Double, offset: Double = 0) -> Int {
    // Clamped, so that no time traps; 2^52 hours are more than there have been.
    let hours = ((time + offset + seconds / 2) / 3600).rounded(.down).clamped(-0x1p52, 0x1p52)
    let hour = Int(hours) % 168
    return hour < 0 ? hour + 168 : hour
  }
}

/// Half the Poisson deviance of `sum` against `mean`, for dispersion 1. A decayed sum close to 0
/// counts as 0.
func deviance(_ sum: Double, _ mean: Double) -> Double {
  sum > TallyRules.tiny * mean ? sum * log(sum / mean) - (sum - mean) : mean
}

/// Whether the deviance may be as large as an excursion's. It is at most the squared difference over
/// twice the smaller of the two and, below the mean, over the mean, so that most buckets do not need
/// a logarithm.
@inline(__always)
func mayBeExcursion(_ sum: Double, _ mean: Double, dispersion: Double) -> Bool {
  let bound = TailTable.lowest * dispersion * max(2 * min(sum, mean), mean)
  return (sum - mean) * (sum - mean) >= bound
}

extension Double {
  /// The number limited to the bounds. Unlike a `Range`, it does not trap when the bounds are in
  /// the wrong order.
  @inline(__always)
  func clamped(_ low: Double, _ high: Double) -> Double {
    self < low ? low : self > high ? high : self
  }
}
