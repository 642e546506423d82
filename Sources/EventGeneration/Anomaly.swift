internal import Plumbing

/// An unusual event with a beginning and in most cases an end, which a detector should find.
///
/// It changes only the lines that its label describes: its random choices are drawn from its own
/// key.
package struct Anomaly: Equatable, Sendable {
  /// The kind of change.
  package enum Kind: String, CaseIterable, Sendable {
    /// More of the same traffic, by other visitors.
    case spike
    /// Less of the same traffic.
    case drop
    /// No traffic at all.
    case outage
    /// Visitors click and can't pay.
    case checkout
    /// A product can't be bought, and more people look.
    case stockout
    /// Wrong prices.
    case price
    /// A few customers buy in bulk.
    case bulk
    /// One visitor views one product after another at even intervals.
    case bot
    /// Purchases without a session, far from the customer's home.
    case fraud
    /// A new level that stays.
    case shift
    /// Events that arrive late.
    case lag
    /// A gradual change from the usual level to another, over the whole span.
    case drift
    /// More visitors and lower prices: expected, because the shop planned it.
    case promotion
    /// A different level because people are at home or away: expected, because it is in the
    /// calendar.
    case holiday
    /// More views without more purchases: expected, because the shop paid for them.
    case campaign

    /// The kinds that a detector should find.
    static let anomalies = allCases.filter { !$0.isExpected }
    /// The kinds that a detector should know beforehand and not report.
    static let decoys = allCases.filter { $0.isExpected }
    /// The kinds that ``RandomAnomalies`` draws from. A longer list would change every drawn schedule.
    static let random = allCases.prefix { $0 != .drift }

    package var isExpected: Bool { self == .promotion || self == .holiday || self == .campaign }
  }

  /// The events that an anomaly applies to; a property that is `nil` matches all.
  package struct Filter: Equatable, Sendable {
    var country: Int?
    /// The places of the country's cities, once the anomaly is settled in a model.
    var cities: Range<Int>?
    var city: Int?
    var device: Device?
    /// The index of the product in the catalogue.
    var product: UInt32?
    var type: EventType?

    init() {}

    func matches(_ event: Event) -> Bool {
      if let city, event.city != city { return false }
      if let cities, !cities.contains(event.city) { return false }
      if let device, event.device != device { return false }
      if let product, event.product != product { return false }
      if let type, event.type != type { return false }
      return true
    }
  }

  /// The strength of an anomaly, with its unit.
  package enum Strength: Equatable, Sendable {
    case times(Double)
    case cents(UInt32)
    /// Moves prices part of the way from the usual price to one in cents.
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

    /// The strength of an anomaly that is still rising or already fading.
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
  /// The first second, and the end, which is excluded; `nil`: the anomaly stays.
  package let start: Int64
  package let end: Int64?
  var filter: Filter
  var strength: Strength
  /// The number of customers in ``Kind/bulk``.
  var users = 3
  /// The discount of ``Kind/promotion``, as a share of the price.
  var discount = 0.0
  /// The seconds in which it rises to its full strength, and in which it fades before its end.
  var ramp: Int64 = 0
  /// The key for its random choices.
  var key: UInt64 = 0
  /// How its label names what it is confined to.
  var conditions = ""

  func isActive(at second: Int64) -> Bool { second >= start && second < end ?? .max }

  /// The share of its strength that applies in a second, from 0 to 1.
  func share(at second: Int64) -> Double {
    guard ramp > 0 else { return 1 }
    let rising = Double(second - start + 1) / Double(ramp)
    guard kind != .drift, let end else { return min(1, rising) }
    return min(1, rising, Double(end - second) / Double(ramp))
  }

  /// Derives its key from the seed and from its own settings, so that other anomalies do not change
  /// it.
  ///
  /// - Parameter twin: the number of equal anomalies before it.
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
      filter.city = city(model, Draw.bits(key, 1))
    }
    filter.cities = filter.country.map { model.world.citiesOfCountry[$0] }
    conditions = conditions(in: model)
  }

  private func conditions(in model: Model) -> String {
    var conditions: [String] = []
    func text(_ name: String) -> String { JSONValue.string(name).jsonText }
    if let country = filter.country {
      conditions.append("\"country\":\(text(model.world.countries[country]))")
    }
    if let city = filter.city {
      conditions.append("\"city\":\(text(model.world.cities[city].name))")
    }
    if let device = filter.device { conditions.append("\"device\":\"\(device.name)\"") }
    if let product = filter.product {
      conditions.append("\"product_id\":\(model.catalogue.products[Int(product)].id)")
    }
    if let type = filter.type { conditions.append("\"event_type\":\"\(type.name)\"") }
    return conditions.joined(separator: ",")
  }

  /// Draws one of the best sellers.
  private func popularProduct(of catalogue: Catalogue) -> UInt32 {
    let rank = 1 + Draw.below(UInt32(min(20, catalogue.products.count)), Draw.bits(key, 2))
    return UInt32(catalogue.products.firstIndex { $0.rank == rank } ?? 0)
  }

  /// Draws a city that the filter allows, if possible one with customers.
  func city(_ model: Model, _ bits: UInt64) -> Int {
    if let city = filter.city { return city }
    let world = model.world
    let allowed = filter.country.map { world.citiesOfCountry[$0] } ?? 0..<world.cities.count
    let first = allowed.lowerBound + Int(Draw.below(UInt32(allowed.count), bits))
    for step in 0..<allowed.count {
      let city = allowed.lowerBound + (first - allowed.lowerBound + step) % allowed.count
      if model.population.weights[city] > 0 { return city }
    }
    return first
  }
}
