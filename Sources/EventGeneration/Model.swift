/// The settings that determine the events, and the tables derived from them.
///
/// Two models with equal settings give equal bytes, whatever the span, the pace or the machine.
package struct Model: Sendable {
  package struct Settings: Equatable, Sendable {
    package var seed: UInt64 = 1
    /// Mean events per second of event time.
    package var rate = 10.0
    /// The number of customers; `nil`: derived from the rate.
    package var users: Int?
    package var products = 10_000
    /// The countries in which customers live, as indices into ``World/countries``; empty: all of
    /// them.
    package var countries: Set<Int> = []
    /// Whether the daily and weekly curves are off, for a constant rate and mix of cities.
    package var isFlat = false
    /// What the events are to be like; `nil`: the usual shop.
    package var likeness: Likeness?
    package var profile: Profile?
    /// The second at which the profile begins.
    var profileStart: Int64 = 0
    /// This process's part of the sessions, from 0, and the number of parts.
    package var shard: (index: Int, count: Int) {
      get { (shardIndex, shardCount) }
      set { (shardIndex, shardCount) = newValue }
    }
    private var shardIndex = 0
    private var shardCount = 1

    package init() {}
  }

  package static let rates = 1e-6...1e7
  package static let userCounts = 1...1_000_000_000
  package static let productCounts = 1...1_000_000

  package let settings: Settings
  let world: World
  package let catalogue: Catalogue
  let population: Population
  let behaviour: Behaviour
  /// Mean events per second in Q32.
  let rate: Int64

  private let quantiles: [Int64]

  init(_ settings: Settings) {
    self.settings = settings
    quantiles = FixedPoint.normalQuantiles(1024)
    rate = Model.fixed(settings.rate)
    let likeness = settings.likeness
    world = likeness?.world ?? .standard
    behaviour = Behaviour(rate: rate, quantiles: quantiles, funnel: likeness?.funnel)
    catalogue =
      likeness?.products.map { Catalogue($0) }
      ?? Catalogue(seed: settings.seed, count: settings.products, quantiles: quantiles)
    population = Population(
      seed: settings.seed,
      count: settings.users ?? Model.users(rate: settings.rate),
      countries: settings.countries, world: world, devices: likeness?.funnel?.devices)
  }

  /// The same shop and customers at another rate.
  func paced(_ rate: Double) -> Model { Model(self, rate) }

  private init(_ other: Model, _ newRate: Double) {
    var settings = other.settings
    settings.rate = newRate
    self.settings = settings
    quantiles = other.quantiles
    rate = Model.fixed(newRate)
    behaviour = Behaviour(
      rate: rate, quantiles: quantiles, funnel: settings.likeness?.funnel)
    world = other.world
    catalogue = other.catalogue
    population = other.population
  }

  private static func fixed(_ rate: Double) -> Int64 {
    Int64((rate * Double(FixedPoint.one)).rounded())
  }

  /// The number of customers for a rate: 20,000 per event a second, within limits.
  static func users(rate: Double) -> Int {
    Int(max(10_000, min(50_000_000, rate * 20_000)))
  }
}
