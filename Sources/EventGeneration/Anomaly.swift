/// Something out of the ordinary, with a beginning and mostly an end, that a detector should find.
///
/// It changes what its label says and no other line: its random choices are drawn from its own key.
package struct Anomaly: Equatable, Sendable {
  /// What happens.
  package enum Kind: String, CaseIterable, Sendable {
    /// More of the same, by others.
    case spike
    /// Less of the same.
    case drop
    /// Nothing at all.
    case outage
    /// Visitors click and can't pay.
    case checkout
    /// A product can't be bought, and more people look.
    case stockout
    /// Wrong prices.
    case price
    /// A few customers buy by the hundred.
    case bulk
    /// One visitor that looks at product after product at even gaps.
    case bot
    /// Purchases out of nothing, far from the customer's home.
    case fraud
    /// Another level that stays.
    case shift
    /// Events that arrive late.
    case lag
    /// From the usual level to another, evenly over all of its span.
    case drift
    /// More visitors, and lower prices: expected, because the shop ordered it.
    case promotion
    /// Another level because people are at home or away: expected, because a calendar says so.
    case holiday
    /// More people look, and not more of them buy: expected, because the shop paid for it.
    case campaign

    /// What a detector should find.
    package static let anomalies = allCases.filter { !$0.isExpected }
    /// What it should know beforehand and not report.
    package static let decoys = allCases.filter { $0.isExpected }
    /// The kinds that ``RandomAnomalies`` draws from. A longer list would change every drawn schedule.
    static let random = allCases.prefix { $0 != .drift }

    package var isExpected: Bool { self == .promotion || self == .holiday || self == .campaign }
  }

  /// Which events are meant; what is `nil` does not matter.
  package struct Filter: Equatable, Sendable {
    package var country: Int?
    package var city: Int?
    package var device: Device?
    /// The product's place in the catalogue, from 0.
    package var product: UInt32?
    package var type: EventType?

    package init() {}

    func matches(_ event: Event) -> Bool {
      if let city, event.city != city { return false }
      if let country, World.cities[event.city].countryIndex != country { return false }
      if let device, event.device != device { return false }
      if let product, event.product != product { return false }
      if let type, event.type != type { return false }
      return true
    }
  }

  /// How strong it is, and in what unit.
  package enum Strength: Equatable, Sendable {
    case times(Double)
    case cents(UInt32)
    /// Part of the way from the usual price to one in cents.
    case centsAndShare(UInt32, Double)
    case perSecond(Double)
    case seconds(Int64)

    var value: Double {
      switch self {
      case .times(let value), .perSecond(let value): value
      case .cents(let cents), .centsAndShare(let cents, _): Double(cents)
      case .seconds(let seconds): Double(seconds)
      }
    }

    /// The strength of an anomaly that has begun and not yet reached it, or that is about to end.
    func scaled(by share: Double) -> Strength {
      switch self {
      case .times(let level): .times(1 + (level - 1) * share)
      case .cents(let cents): .centsAndShare(cents, share)
      case .centsAndShare(let cents, let before): .centsAndShare(cents, before * share)
      case .perSecond(let rate): .perSecond(rate * share)
      case .seconds(let seconds): .seconds(Int64((Double(seconds) * share).rounded()))
      }
    }

    var unit: String {
      switch self {
      case .times: "times"
      case .cents, .centsAndShare: "cents"
      case .perSecond: "per second"
      case .seconds: "seconds"
      }
    }
  }

  package var id: String
  package let kind: Kind
  /// The first second, and the second it ends before; `nil`: it stays.
  package let start: Int64
  package let end: Int64?
  package var filter: Filter
  package var strength: Strength
  /// How many customers take part in ``Kind/bulk``.
  package var users = 3
  /// The share that ``Kind/promotion`` takes off the prices.
  package var discount = 0.0
  /// Seconds until it has its full strength, and from the beginning of its end to its end.
  package var ramp: Int64 = 0
  /// What its random choices are drawn from.
  var key: UInt64 = 0

  package init(
    id: String, kind: Kind, start: Int64, end: Int64?, filter: Filter, strength: Strength
  ) {
    self.id = id
    self.kind = kind
    self.start = start
    self.end = end
    self.filter = filter
    self.strength = strength
  }

  func isActive(at second: Int64) -> Bool { second >= start && second < end ?? .max }

  /// How much of its strength it has in a second, from 0 to 1.
  func share(at second: Int64) -> Double {
    guard ramp > 0 else { return 1 }
    let rising = Double(second - start + 1) / Double(ramp)
    guard kind != .drift, let end else { return min(1, rising) }
    return min(1, rising, Double(end - second) / Double(ramp))
  }

  /// Draws its key from the seed and from what it is, so that another anomaly beside it changes nothing here.
  ///
  /// - Parameter twin: how many equal anomalies come before it.
  mutating func settle(in model: Model, twin: Int) {
    var hash = Draw.mix(model.settings.seed ^ DrawKey.anomaly)
    let parts: [UInt64] = [
      UInt64(Kind.allCases.firstIndex(of: kind) ?? 0), UInt64(bitPattern: start),
      UInt64(filter.country ?? 0xffff), UInt64(filter.city ?? 0xffff),
      UInt64(filter.device?.rawValue ?? 9), UInt64(filter.product ?? .max),
      UInt64(filter.type?.rawValue ?? 9), UInt64(twin),
    ]
    for part in parts { hash = Draw.bits(hash, part) }
    key = hash
    if filter.product == nil, kind == .stockout || kind == .bulk {
      filter.product = popularProduct(of: model.catalogue)
    }
    if filter.city == nil, kind == .bot {
      filter.city = city(model.population, Draw.bits(key, 1))
    }
  }

  /// One of the best sellers.
  private func popularProduct(of catalogue: Catalogue) -> UInt32 {
    let rank = 1 + Draw.below(UInt32(min(20, catalogue.products.count)), Draw.bits(key, 2))
    return (catalogue.products.first { $0.rank == rank }?.id ?? 1) - 1
  }

  /// A city that the filter allows, where somebody lives if there is one.
  func city(_ population: Population, _ bits: UInt64) -> Int {
    if let city = filter.city { return city }
    let allowed = filter.country.map { World.citiesOfCountry[$0] } ?? 0..<World.cities.count
    let first = allowed.lowerBound + Int(Draw.below(UInt32(allowed.count), bits))
    for step in 0..<allowed.count {
      let city = allowed.lowerBound + (first - allowed.lowerBound + step) % allowed.count
      if population.weights[city] > 0 { return city }
    }
    return first
  }
}
