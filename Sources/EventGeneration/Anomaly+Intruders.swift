/// Adds visitors who exist only because of the anomaly.
extension Anomaly {
  /// The number of occurrences in a second, given the expected number.
  private func count(_ rate: Double, _ bits: UInt64) -> Int {
    let whole = Int(rate)
    return whole + (Draw.happens(UInt64((rate - Double(whole)) * 4_294_967_296), bits) ? 1 : 0)
  }

  private func isOwn(_ session: UInt64, _ model: Model) -> Bool {
    let shard = model.settings.shard
    return shard.count == 1
      || Draw.below(UInt32(shard.count), Draw.mix(session ^ DrawKey.shard)) == shard.index
  }

  private func line(
    _ state: UInt64, user: UInt32, city: Int, device: Device, product: UInt32, type: EventType,
    at second: Int64, position: UInt64
  ) -> Line {
    let event = Event(
      state: state, user: user, product: product,
      origin: Event.origin(city: city, device: device), step: 0, secondsLeft: 0,
      typeCode: type.rawValue, quantity: 1)
    return Line(event, time: second, position: UInt32(truncatingIfNeeded: position))
  }

  private func customer(of city: Int, _ bits: UInt64, _ population: Population) -> UInt32 {
    population.shownID(population.member(of: city, bits) ?? Draw.below(population.count, bits))
  }

  /// Random bits for each intrusion of a second that this shard writes.
  private func intrusions(_ rate: Double, _ second: Int64, _ model: Model) -> [UInt64] {
    let seed = Draw.bits(key, UInt64(bitPattern: second))
    return (0..<count(rate, seed)).map { Draw.bits(seed, UInt64($0) + 1) }
      .filter { isOwn($0, model) }
  }

  /// Adds a view, a click and a purchase of 50 to 500 pieces by one of a few bulk buyers.
  func addBulk(_ lines: inout [Line], _ rate: Double, _ second: Int64, _ model: Model) -> Int {
    let buys = intrusions(rate, second, model)
    for buy in buys {
      let hoarder = Draw.bits(key, 100 + UInt64(Draw.below(UInt32(users), buy)))
      let city = city(model, hoarder)
      let user = customer(of: city, hoarder >> 8, model.population)
      let device = filter.device ?? model.population.device(bits: hoarder >> 16)
      let begin = (buy & 0xffff_ffff) * 15 / 16
      for (step, type) in EventType.allCases.enumerated() {
        var line = line(
          buy &+ UInt64(step), user: user, city: city, device: device,
          product: filter.product ?? 0, type: type, at: second,
          position: begin + UInt64(step) << 24)
        if type == .purchase { line.quantity = 50 + Draw.below(451, Draw.mix(buy)) }
        lines.append(line)
      }
    }
    return 3 * buys.count
  }

  /// Adds a visitor of one city who never buys and views one product after another at even
  /// intervals.
  func addBot(_ lines: inout [Line], _ rate: Double, _ second: Int64, _ model: Model) -> Int {
    guard isOwn(key, model) else { return 0 }
    let perSecond = Int64((rate * 65_536).rounded())
    let passed = (second - start) * perSecond
    let city = city(model, Draw.bits(key, 1))
    let user = customer(of: city, Draw.bits(key, 3), model.population)
    var added = 0
    var index = (passed + 65_535) >> 16
    while index << 16 < passed + perSecond {
      let position = (UInt64((index << 16) - passed) << 32) / UInt64(perSecond)
      let product = (key >> 32 &+ UInt64(index)) % UInt64(model.catalogue.products.count)
      lines.append(
        line(
          Draw.bits(key, 1 << 40 + UInt64(index)), user: user, city: city,
          device: filter.device ?? .desktop, product: filter.product ?? UInt32(product),
          type: filter.type ?? .view, at: second, position: position))
      added += 1
      index += 1
    }
    return added
  }

  /// Adds purchases without a view or a click before them, from cities far from the customers'
  /// homes.
  func addFraud(_ lines: inout [Line], _ rate: Double, _ second: Int64, _ model: Model) -> Int {
    let thefts = intrusions(rate, second, model)
    for theft in thefts {
      let city = city(model, theft)
      var home = model.cityOf(Draw.mix(theft))
      let country = model.world.cities[city].countryIndex
      if model.world.cities[home].countryIndex == country, model.world.countries.count > 1 {
        // The first city of another country, if customers live there.
        home = model.world.citiesOfCountry[country == 0 ? 1 : 0].lowerBound
      }
      let bits = Draw.bits(theft, 1)
      lines.append(
        line(
          theft, user: customer(of: home, bits, model.population), city: city,
          device: filter.device ?? model.population.device(bits: bits >> 32),
          product: filter.product ?? UInt32(model.catalogue.popularity.pick(bits >> 16)),
          type: .purchase, at: second, position: theft))
    }
    return thefts.count
  }
}

extension Model {
  /// Draws a city, weighted by its number of customers.
  fileprivate func cityOf(_ bits: UInt64) -> Int {
    let member = Draw.below(population.count, bits)
    var city = 0
    while population.blocks[city + 1] <= member { city += 1 }
    return city
  }
}
