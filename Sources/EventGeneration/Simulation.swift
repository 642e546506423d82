/// Simulates the shop's traffic second by second: sessions begin, act, and end.
///
/// Call ``turn()`` once per second, then ``produce(_:)`` until the second's ``remaining`` events
/// are produced.
struct Simulation: ~Copyable {
  let model: Model
  /// The second whose events are being produced.
  private(set) var second: Int64
  /// The number of this second's events still to produce.
  var remaining: Int { waiting + births }
  /// The total number of this second's events.
  private(set) var total = 0

  var arrivals: Arrivals
  var ring = SessionRing()
  /// The number of sessions that continue in this second, and the offset of the next one (0: not
  /// begun).
  var waiting = 0
  var reading = 0
  /// The number of sessions that begin in this second, how many were examined, and the key for
  /// drawing them.
  var births = 0
  var birthIndex: UInt64 = 0
  var birthKey: UInt64 = 0

  /// Starts just before `start`, with all sessions in flight that began in the half hour before.
  init(_ model: Model, from start: Int64) {
    self.model = model
    arrivals = Arrivals(model)
    let limit = Int64(model.behaviour.sessionLimit)
    second = start - limit - 1
    var scratch = EventBatch()
    for _ in 0..<limit {
      open(second + 1)
      while waiting > 0 { continueSessions(&scratch) }
      beginSessions(thatReach: start)
    }
  }

  /// Advances to the next second.
  mutating func turn() {
    precondition(remaining == 0, "a second is left only when all of its events are out")
    open(second + 1)
  }

  private mutating func open(_ next: Int64) {
    second = next
    arrivals.turn(to: next)
    let bucket = Simulation.bucket(next)
    waiting = ring.count(bucket)
    reading = 0
    birthKey = arrivals.key(of: next)
    birthIndex = 0
    births = arrivals.count(birthKey)
    if births > 0, model.settings.shard.count > 1 { births = ownBirths(births) }
    total = waiting + births
  }

  /// How many of the sessions that begin now belong to this shard.
  private func ownBirths(_ all: Int) -> Int {
    var own = 0
    for index in 0..<UInt64(all) where isOwn(Arrivals.state(birthKey, index)) { own += 1 }
    return own
  }

  @inline(__always)
  func isOwn(_ session: UInt64) -> Bool {
    let shard = model.settings.shard
    return Draw.below(UInt32(shard.count), Draw.mix(session ^ DrawKey.shard)) == shard.index
  }

  @inline(__always)
  static func bucket(_ second: Int64) -> Int {
    Int(truncatingIfNeeded: second) & (SessionRing.seconds - 1)
  }

  /// The session that begins with this generator: customer, city, device, and first product.
  @inline(__always)
  func begin(_ state: UInt64) -> Event {
    Simulation.begin(state, model, arrivals.cities)
  }

  /// Draws customer, city and device.
  @inline(__always)
  static func visitor(
    _ state: UInt64, _ model: Model, _ cities: AliasTable
  ) -> (member: UInt32, city: Int, device: Device, visit: UInt64) {
    let home = Draw.mix(state ^ DrawKey.home)
    let visit = Draw.mix(state ^ DrawKey.visit)
    let city = cities.pick(home)
    // The table never picks a city without customers.
    let member = model.population.member(of: city, home >> 32) ?? 0
    let isElsewhere = (visit >> 32) & 15 == 0
    let device =
      isElsewhere ? model.population.device(bits: visit >> 48) : model.population.device(of: member)
    return (member, city, device, visit)
  }

  static func begin(_ state: UInt64, _ model: Model, _ cities: AliasTable) -> Event {
    var (member, city, device, visit) = visitor(state, model, cities)
    if (visit >> 36) & 31 == 0 {
      let country = model.world.citiesOfCountry[model.world.cities[city].countryIndex]
      city = country.lowerBound + Int(((visit >> 48) * UInt64(country.count)) >> 16)
    }
    let type = model.behaviour.first(Draw.bits(state, DrawKey.first))
    return Event(
      state: state, user: model.population.shownID(member),
      product: UInt32(truncatingIfNeeded: model.catalogue.popularity.pick(visit)),
      origin: Event.origin(city: city, device: device), step: 0,
      secondsLeft: model.behaviour.sessionLimit, typeCode: type, quantity: 1)
  }
}
