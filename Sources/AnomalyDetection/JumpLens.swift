import Glibc

/// Compares a bucket with the last dozen buckets, with a power law as its tail. It uses no profile
/// and no table, and does not stop learning in an incident.
struct JumpLens<Real: StoredReal>: Sendable {
  private var sum: Real = 0
  private var exposure: Real = 0
  private var mean: Real = 0
  private var square: Real = 0
  private var count: Int32 = 0
  /// The number of negative values; -1 once they are not rare.
  private var negatives: Int8 = 0

  /// Whether negative values are not rare in the series. Until then they count as 0: returned goods
  /// in a series of sales do not make it one of temperatures.
  var isSigned: Bool { negatives < 0 }

  struct Verdict {
    var score: Double
    /// Half the squared deviation in standard deviations; 0 while the lens is silent.
    var deviance: Double
    var expected: Double
    var dispersion: Double
    var isUp: Bool
  }

  // Not inlined: the caller then runs out of registers, and a point takes 124 ns instead of 109.
  @inline(never)
  mutating func step(
    _ value: Double, exposure n: Double, unit: Double, floor: Double, isRows: Bool,
    mayBeNegative: Bool, learns: Bool, tempo: TallyTempo
  ) -> Verdict {
    var y = value
    if y < 0 {
      if mayBeNegative, !isSigned { countNegative(tempo) }
      if !isSigned { y = 0 }
    }
    let A = sum.double
    let B = exposure.double
    let usual = mean.double
    let Q = square.double
    var m: Double
    var dispersion = 1.0
    var d = 0.0
    let variance: Double
    let clip = tempo.rules.jumpClip
    if isSigned {
      m = (B > 0 ? A / B : y / n) * n
      variance = max(count > 0 ? Q : 1, floor * floor * usual * usual, TallyRules.tiny)
      if count > 0 { d = (y - m) * (y - m) / (2 * variance) }
    } else {
      let half = tempo.rules.halfUnit * unit
      m = max((B > 0 ? max(A, half) / B : max(y, half) / n) * n, TallyRules.tiny)
      let phi = max(
        count > 0 ? Q / usual : 1, floor * floor * usual,
        usual < tempo.rules.rare * unit ? half : 0,
        TallyRules.tiny)
      variance = phi * m
      dispersion = phi
      if count > 0, mayBeExcursion(y, m, dispersion: phi) { d = max(0, deviance(y, m) / phi) }
    }
    d = min(d, TallyRules.largestDeviance)
    var verdict = Verdict(
      score: TallyRules.silentScore, deviance: 0, expected: m, dispersion: dispersion, isUp: y > m)
    if count >= tempo.rules.jumpWarmUp, d >= TailTable.lowest {
      let law = isRows ? tempo.rules.rowsLaw : tempo.rules.keyedLaw
      verdict.score = 2 * log(2 * d) + law - tempo.lnBuckets
      verdict.deviance = d
    }
    guard learns else { return verdict }
    var learnt = y
    var x = (y - m) * (y - m)
    if count >= tempo.rules.fullWeight {
      let cap = isSigned ? clip * clip * variance : clip * clip * dispersion * m
      // Within the cap, nothing is clipped.
      if x > cap {
        let sd = variance.squareRoot() + (isSigned ? 0 : dispersion)
        learnt = y.clamped(m - clip * sd, m + clip * sd)
        x = min((learnt - m) * (learnt - m), cap)
      }
    }
    count = min(count + 1, 1 << 30)
    let rate = tempo.jumpRate[count]
    mean = Real(usual + rate * (abs(m) - usual))
    square = Real(Q + rate * (x - Q))
    sum = Real(A * tempo.jumpDecay + learnt)
    exposure = Real(B * tempo.jumpDecay + n)
    return verdict
  }

  private mutating func countNegative(_ tempo: TallyTempo) {
    let tolerated = tempo.rules.movesOrigin ? TallyRules.toleratedNegatives(of: Int(count)) : 0
    negatives = Double(negatives) < tolerated ? negatives + 1 : -1
  }

  /// Converts what was learnt from zeros to another unit. Negative values have their own.
  mutating func rescale(by factor: Double) {
    guard !isSigned else { return }
    sum = Real(sum.double * factor)
    mean = Real(mean.double * factor)
    square = Real(square.double * factor * factor)
  }

  /// Converts what was learnt to a scale that begins lower.
  mutating func moveOrigin(by depth: Double) {
    sum = Real(sum.double + depth * exposure.double)
    mean = Real(mean.double + depth)
  }

  func encode(to bytes: inout StateWriter) {
    for number in [sum, exposure, mean, square] { number.encode(to: &bytes) }
    bytes.put(Int(count))
    bytes.put(Int(negatives))
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    sum = try Real(from: &bytes)
    exposure = try Real(from: &bytes)
    mean = try Real(from: &bytes)
    square = try Real(from: &bytes)
    count = try Int32.stored(&bytes)
    let negatives = try bytes.integer()
    guard -1...100 ~= negatives else { throw StateDamage() }
    self.negatives = Int8(negatives)
  }
}

/// A number in the detector's state: `Double` in the reference, `Float` where memory for a million
/// series is limited.
package protocol StoredReal: Sendable, ExpressibleByIntegerLiteral, Comparable {
  /// Separate conversions, because those of `BinaryFloatingPoint` are generic and many times
  /// slower.
  init(_ number: Double)
  var double: Double { get }
  /// Larger amounts are limited to this, so that squares of sums stay finite.
  static var largestAmount: Double { get }
  func encode(to bytes: inout StateWriter)
  init(from bytes: inout StateReader) throws(StateDamage)
}

extension Double: StoredReal {
  package static var largestAmount: Double { 1e60 }
  package var double: Double { self }
  package func encode(to bytes: inout StateWriter) { bytes.put(self) }
  package init(from bytes: inout StateReader) throws(StateDamage) { self = try bytes.double() }
}

extension Float: StoredReal {
  package static var largestAmount: Double { 1e18 }
  package var double: Double { Double(self) }
  package func encode(to bytes: inout StateWriter) { bytes.put(self) }
  package init(from bytes: inout StateReader) throws(StateDamage) { self = try bytes.float() }
}

extension Int32 {
  static func stored(_ bytes: inout StateReader) throws(StateDamage) -> Int32 {
    guard let number = Int32(exactly: try bytes.integer()) else { throw StateDamage() }
    return number
  }
}

/// An entry of an hour profile: the logarithm of a factor.
package protocol StoredShape: Sendable {
  var value: Double { get }
  init(_ value: Double)
  static var zero: Self { get }
  func encode(to bytes: inout StateWriter)
  init(from bytes: inout StateReader) throws(StateDamage)
}

/// An entry in double precision.
package struct ExactShape: StoredShape {
  package let value: Double
  package init(_ value: Double) { self.value = value }
  package static var zero: ExactShape { ExactShape(0) }
  package func encode(to bytes: inout StateWriter) { bytes.put(value) }
  package init(from bytes: inout StateReader) throws(StateDamage) { value = try bytes.double() }
}

/// An entry in two bytes, in steps of 1/2048.
package struct ShortShape: StoredShape {
  private let steps: Int16
  package var value: Double { Double(steps) / 2048 }
  package init(_ value: Double) {
    steps = value.isNaN ? 0 : Int16((value * 2048).rounded().clamped(-32_000, 32_000))
  }
  private init(steps: Int16) { self.steps = steps }
  package static var zero: ShortShape { ShortShape(steps: 0) }
  package func encode(to bytes: inout StateWriter) { bytes.put(steps) }
  package init(from bytes: inout StateReader) throws(StateDamage) { steps = try bytes.short() }
}
