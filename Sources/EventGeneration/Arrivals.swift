/// Decides how many sessions begin in each second, and by whom: a Poisson process with daily and
/// weekly curves.
struct Arrivals {
  /// The maximum number of sessions that begin in a second.
  private static let limit = 10_000_000 * FixedPoint.one

  private let model: Model
  private let key: UInt64
  /// Sessions per second in Q32 when every multiplier is 1.
  private let base: Int64
  /// The end of the quarter-hour for which the curves are valid; the first turn computes them.
  private var quarterEnd = Int64.max
  /// The multiplier of the curves in Q16, weighted over the cities.
  private var curve: UInt64 = 1 << 16
  private var profileLevel = FixedPoint.one
  /// The expected number of sessions in this second, in Q32.
  private(set) var mean: Int64 = 0
  private var root: Int64 = 0
  private let total: UInt64
  private var chanceOfNone: UInt64 = 0
  /// Draws a city by weight and local time.
  private(set) var cities: AliasTable

  init(_ model: Model) {
    self.model = model
    key = Draw.mix(model.settings.seed ^ DrawKey.arrivals)
    let scaled = model.rate.multipliedFullWidth(by: FixedPoint.one)
    base = model.behaviour.meanEvents.dividingFullWidth(scaled).quotient
    cities = AliasTable(model.population.weights)
    total = model.population.weights.reduce(0, +)
    update(profile: model.settings.profile == nil ? FixedPoint.one : 0)
  }

  /// The key for drawing a second's sessions.
  @inline(__always)
  func key(of second: Int64) -> UInt64 {
    Draw.mix(key &+ UInt64(bitPattern: second) &* Draw.golden)
  }

  /// The initial generator of a second's `index`th session.
  @inline(__always)
  static func state(_ secondKey: UInt64, _ index: UInt64) -> UInt64 {
    Draw.mix(secondKey &+ (index &+ 1) &* Draw.golden)
  }

  /// Updates the curves, the active cities and the profile for a second.
  @inline(__always)
  mutating func turn(to second: Int64) {
    if !model.settings.isFlat {
      if second >= quarterEnd || second < quarterEnd - 900 {
        turn(toQuarter: DayCurve.quarter(of: second))
      }
    }
    if let profile = model.settings.profile {
      let level = profile.level(at: second - model.settings.profileStart)
      if level != profileLevel { update(profile: level) }
    }
  }

  private mutating func turn(toQuarter now: Int64) {
    quarterEnd = (now + 1) * 900
    if let hours = model.settings.likeness?.hours {
      // The observed hours are in UTC, for all cities together.
      curve = hours[DayCurve.index(quarter: now, offset: 0) / 4]
      return update(profile: profileLevel)
    }
    let week = DayCurve.week
    var weights = model.population.weights
    var busy: UInt64 = 0
    for (index, offset) in model.population.offsets.enumerated() where weights[index] > 0 {
      weights[index] *= week[DayCurve.index(quarter: now, offset: offset)]
      busy += weights[index]
    }
    cities.rebuild(weights)
    curve = busy / total
    update(profile: profileLevel)
  }

  private mutating func update(profile: Int64) {
    profileLevel = profile
    let curved = FixedPoint.multiply(base, Int64(curve) << 16)
    mean = min(Arrivals.limit, FixedPoint.multiply(curved, profile))
    root = Int64(Double(mean).squareRoot())  // exact by IEEE 754, unlike what libm computes
    chanceOfNone = mean < 24 * FixedPoint.one ? FixedPoint.expOfMinus(mean) : 0
  }

  /// The number of sessions that begin in the second with this key.
  @inline(__always)
  func count(_ secondKey: UInt64) -> Int {
    let bits = Draw.mix(secondKey)
    if bits < chanceOfNone { return 0 }
    return mean < 24 * FixedPoint.one ? countFew(bits) : countMany(bits)
  }

  /// Draws by inversion: with the same bits, a higher mean gives at least as many sessions.
  private func countFew(_ bits: UInt64) -> Int {
    var term = chanceOfNone
    var below = term
    var count = 0
    while bits >= below, count < 200 {
      count += 1
      // A chance is below 1, so the quotient fits, but the product alone may not.
      let divisor = UInt64(count) << 32
      term = divisor.dividingFullWidth(term.multipliedFullWidth(by: UInt64(mean))).quotient
      let sum = below.addingReportingOverflow(term)
      below = sum.overflow ? .max : sum.partialValue
    }
    return mean == 0 ? 0 : count
  }

  /// Draws from the normal distribution, with 256 coins whose standard deviation is eight.
  private func countMany(_ bits: UInt64) -> Int {
    var heads = bits.nonzeroBitCount
    for index: UInt64 in 1...3 { heads += Draw.bits(bits, index).nonzeroBitCount }
    let between = Int64(Draw.bits(bits, 4) & 0xffff) - 32_768
    let deviations = Int64(heads - 128) << 16 + between  // eighths, in Q16
    // The root is in Q16 as well, so after the division of the eighths this is Q32.
    let spread = FixedPoint.multiply(root << 16, deviations << 16) / 8
    return Int(max(0, mean + spread + FixedPoint.one / 2) >> 32)
  }
}
