package import Plumbing

/// Measures the user's own events, line by line: rates, places, devices, products, prices.
///
/// Fields have the names of the shop's own events; `__time` stands for `timestamp`, as in what Druid gives out.
package struct LikenessReader {
  /// Minimum number of events.
  static let fewestEvents = 100
  private static let mostPlaces = 4096
  /// Bytes of a country's or a city's name as JSON.
  private static let longestName = 34
  private static let hoursOfWeek = 168

  private struct Place: Hashable {
    let country: String
    let city: String?
  }

  private enum ProductKey: Hashable {
    case id(UInt32)
    case name(String)
    /// The events name no products: each price stands for one.
    case price(UInt32)
  }

  private struct ProductCount {
    var events = 0
    /// The most frequent price, by a majority vote, and its lead over the others.
    var cents: UInt32?
    var votes = 0
  }

  private var lines = 0
  private var events = 0
  private var minutes: [Int64: Int] = [:]
  private var types = [0, 0, 0]
  private var devices = [0, 0, 0]
  private var otherTypes: [String: Int] = [:]
  private var otherDevices: [String: Int] = [:]
  private var places: [Place: Int] = [:]
  private var longNames = 0
  private var products: [ProductKey: ProductCount] = [:]
  private var hasProducts = false

  package init() {}

  /// Takes in a line without its end.
  package mutating func take(_ line: [UInt8]) {
    lines += 1
    guard let event = try? JSONValue(parsing: line), event.members != nil,
      let second = Self.second(event["timestamp"] ?? event["__time"])
    else { return }
    events += 1
    minutes[second.floorDivided(by: 60), default: 0] += 1
    if let name = event["event_type"]?.text {
      if let type = EventType.allCases.first(where: { $0.name == name }) {
        types[Int(type.rawValue)] += 1
      } else {
        Self.count(name, in: &otherTypes)
      }
    }
    if let name = event["device"]?.text {
      if let device = Device.allCases.first(where: { $0.name == name }) {
        devices[Int(device.rawValue)] += 1
      } else {
        Self.count(name, in: &otherDevices)
      }
    }
    takePlace(event)
    takeProduct(event)
  }

  private static func count(_ name: String, in counts: inout [String: Int]) {
    if counts.count < 1000 || counts[name] != nil { counts[name, default: 0] += 1 }
  }

  private static func second(_ value: JSONValue?) -> Int64? {
    switch value {
    case .number?:
      guard let number = value?.double, number.magnitude < 253_402_300_800_000 else { return nil }
      return Int64((number.magnitude < 1e11 ? number : number / 1000).rounded(.down))
    case .string(let text)?: return TimePoint(rfc3339: text)?.seconds
    default: return nil
    }
  }

  private mutating func takePlace(_ event: JSONValue) {
    guard let country = event["country"]?.text, !country.isEmpty else { return }
    let city = event["city"]?.text.flatMap { $0.isEmpty ? nil : $0 }
    for name in [country, city ?? ""]
    where JSONValue.string(name).jsonText.utf8.count > Self.longestName {
      longNames += 1
      return
    }
    places[Place(country: country, city: city), default: 0] += 1
  }

  private mutating func takeProduct(_ event: JSONValue) {
    let cents = event["price"]?.double.flatMap { price -> UInt32? in
      let cents = (price * 100).rounded()
      return (0...99_999_999).contains(cents) ? UInt32(cents) : nil
    }
    let key: ProductKey
    switch event["product_id"] {
    case .number(let text)?:
      key = UInt32(text).map { .id($0) } ?? .name(text)
    case .string(let text)? where !text.isEmpty: key = .name(text)
    default:
      guard let cents else { return }
      key = .price(cents)
    }
    if case .price = key {} else { hasProducts = true }
    var product = products[key] ?? ProductCount()
    product.events += 1
    if let cents {
      if product.cents == cents {
        product.votes += 1
      } else if product.votes == 0 {
        (product.cents, product.votes) = (cents, 1)
      } else {
        product.votes -= 1
      }
    }
    products[key] = product
  }

  /// What the events are like.
  ///
  /// - Parameter name: how a message names where they come from.
  /// - Throws: ``UsageFailure`` when they are too few.
  package func likeness(of name: String) throws(UsageFailure) -> Likeness {
    guard events >= Self.fewestEvents else {
      throw UsageFailure(
        "--like: \(name) has \(events) usable events in \(lines) lines, and "
          + "\(Self.fewestEvents) are needed",
        hints: ["an event is a JSON object on a line of its own, with the field 'timestamp'"])
    }
    var notes: [String] = []
    if events < lines {
      notes.append("\(lines - events) of \(lines) lines are not JSON objects with a timestamp")
    }
    func leaveOut(_ counts: [String: Int], _ what: String, _ known: [String]) {
      guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return }
      notes.append(
        "\(counts.values.reduce(0, +)) events have another \(what) than "
          + "\(known.joined(separator: ", ")), most often \(quoted(most.key)): the shares are "
          + "those of the others")
    }
    leaveOut(otherTypes, "type", EventType.allCases.map(\.name))
    leaveOut(otherDevices, "device", Device.allCases.map(\.name))
    if longNames > 0 {
      notes.append("\(longNames) events name a country or city that is too long, and are left out")
    }
    let (rate, hours) = curve()
    return Likeness(
      rate: rate, hours: hours, funnel: funnel, world: world(&notes),
      products: products.isEmpty ? nil : sold(&notes), notes: notes)
  }

  // MARK: - When

  /// Mean events a second, and how busy each hour of the week is.
  private func curve() -> (rate: Double, hours: [UInt64]) {
    let (first, last) = span()
    var counts = [Double](repeating: 0, count: Self.hoursOfWeek)
    var seconds = counts
    var all = 0.0
    for minute in first...last {
      let hour = Self.hourOfWeek(minute)
      let count = Double(minutes[minute] ?? 0)
      counts[hour] += count
      seconds[hour] += 60
      all += count
    }
    let rate = max(
      Model.rates.lowerBound, min(Model.rates.upperBound, all / Double((last - first + 1) * 60)))
    if last - first < Int64(Self.hoursOfWeek) * 60 {
      // Less than a week shows the hours of a day, but not the days of a week.
      for hour in 0..<24 {
        let days = stride(from: hour, to: Self.hoursOfWeek, by: 24)
        let sums = days.reduce((0.0, 0.0)) { ($0.0 + counts[$1], $0.1 + seconds[$1]) }
        for day in days { (counts[day], seconds[day]) = sums }
      }
    }
    let levels = counts.indices.map { hour in
      // Nothing is known of an hour that was not seen.
      seconds[hour] > 0 ? min(1000, counts[hour] / seconds[hour] / rate) : 1
    }
    return (rate, begun(levels).map { UInt64(($0 * 65_536).rounded()) })
  }

  /// How many sessions have to begin in each hour, for the wanted number of events to fall into it: some of its events belong to
  /// sessions that began in the hour before.
  private func begun(_ levels: [Double]) -> [Double] {
    let usual = Funnel(types: Self.usualTypes, devices: Self.usualDevices)
    let late = min(0.3, (funnel ?? usual).meanPosition * Behaviour.meanGap / 3600)
    var begun = levels
    // The week is a circle: the second round knows the hour before the first one.
    for _ in 0..<3 {
      for hour in begun.indices {
        let before = begun[(hour + begun.count - 1) % begun.count]
        begun[hour] = max(0, (levels[hour] - late * before) / (1 - late))
      }
    }
    return begun
  }

  /// The first and the last minute, without the few events whose times are far from all others.
  private func span() -> (first: Int64, last: Int64) {
    let order = minutes.keys.sorted()
    let few = events / 500
    func end(_ order: some Sequence<Int64>) -> Int64 {
      var passed = 0
      var end: Int64?
      var before: Int64?
      for minute in order {
        // A gap of a day behind the first few: they belong to another time.
        if let before, (minute - before).magnitude > 1440 { end = nil }
        end = end ?? minute
        before = minute
        passed += minutes[minute] ?? 0
        if passed > few { break }
      }
      return end ?? 0
    }
    return (end(order), end(order.reversed()))
  }

  private static func hourOfWeek(_ minute: Int64) -> Int {
    DayCurve.index(quarter: minute.floorDivided(by: 15), offset: 0) / 4
  }

  // MARK: - What and where

  private var funnel: Funnel? {
    func shares(_ counts: [Int], usual: [Double]) -> [Double] {
      let all = Double(counts.reduce(0, +))
      return all > 0 ? counts.map { Double($0) / all } : usual
    }
    guard types.contains(where: { $0 > 0 }) || devices.contains(where: { $0 > 0 }) else {
      return nil
    }
    return Funnel(
      types: shares(types, usual: Self.usualTypes),
      devices: shares(devices, usual: Self.usualDevices))
  }

  private static let usualTypes = [0.9069, 0.0791, 0.014]
  private static let usualDevices = Population.shares(nil).map { Double($0) / 65_536 }

  private func world(_ notes: inout [String]) -> World? {
    guard !places.isEmpty else { return nil }
    var counts: [Place: UInt64] = [:]
    for (place, events) in places {
      for (city, share) in Self.cities(of: place) {
        counts[Place(country: place.country, city: city), default: 0] += UInt64(events) * share
      }
    }
    var order = counts.sorted {
      ($1.value, $0.key.country, $0.key.city ?? "") < ($0.value, $1.key.country, $1.key.city ?? "")
    }
    if order.count > Self.mostPlaces {
      notes.append(
        "of \(order.count) cities the \(Self.mostPlaces) with the most events are taken over")
      order.removeLast(order.count - Self.mostPlaces)
    }
    var countries: [String] = []
    var ofCountry: [String: [(city: String, weight: UInt64)]] = [:]
    for (place, weight) in order {
      if ofCountry[place.country] == nil { countries.append(place.country) }
      ofCountry[place.country, default: []].append((place.city ?? place.country, weight))
    }
    return World(
      cities: countries.enumerated().flatMap { index, country in
        (ofCountry[country] ?? []).map {
          City(
            name: $0.city, country: country, offsetQuarters: 0, weight: $0.weight,
            countryIndex: index)
        }
      })
  }

  /// Where events of a place are, in 1,024 parts: a country whose events name no city has the cities of the usual world.
  private static func cities(of place: Place) -> [(city: String, share: UInt64)] {
    if let city = place.city { return [(city, 1024)] }
    let known = World.standard.cities.filter { $0.country == place.country }
    let all = known.reduce(UInt64(0)) { $0 + $1.weight }
    if known.isEmpty { return [(place.country, 1024)] }
    return known.map { ($0.name, max(1, $0.weight * 1024 / all)) }
  }

  private func sold(_ notes: inout [String]) -> [Likeness.Product] {
    var known = products.filter { key, _ in
      if case .price = key { !hasProducts } else { true }
    }.map { (key: $0.key, count: $0.value) }
    func name(_ key: ProductKey) -> (UInt32, String) {
      switch key {
      case .id(let id): (id, "")
      case .name(let text): (0, text)
      case .price(let cents): (cents, "")
      }
    }
    known.sort { one, other in
      let (left, right) = (name(one.key), name(other.key))
      return (other.count.events, left.0, left.1) < (one.count.events, right.0, right.1)
    }
    let most = Model.productCounts.upperBound
    if known.count > most {
      notes.append("of \(known.count) products the \(most) with the most events are taken over")
      known.removeLast(known.count - most)
    }
    let keepsIDs = known.allSatisfy { if case .id = $0.key { true } else { false } }
    if !keepsIDs, hasProducts {
      notes.append("not all product_ids are numbers: the products are numbered, the best seller 1")
    }
    return known.enumerated().map { index, product in
      var id = UInt32(index + 1)
      if keepsIDs, case .id(let own) = product.key { id = own }
      return Likeness.Product(
        id: id, cents: product.count.cents ?? 0, weight: UInt64(product.count.events))
    }
  }
}
