import Plumbing

/// The settings after an anomaly's start, each checked against the kind.
struct SpecSettings {
  let kind: Anomaly.Kind
  let products: Int
  let likeness: Likeness?
  private var world: World { likeness?.world ?? .standard }
  var filter = Anomaly.Filter()
  var strength: Anomaly.Strength
  var users = 3
  var discount: Double
  var ramp: Int64 = 0

  init(kind: Anomaly.Kind, rate: Double, products: Int, likeness: Likeness?) {
    self.likeness = likeness
    self.kind = kind
    self.products = products
    strength = Anomaly.usualStrength(of: kind, rate: rate)
    discount = kind == .promotion ? 0.2 : 0
  }

  /// The keys that a kind accepts.
  private var keys: [String] {
    var keys = ["country", "city", "device", "product"]
    switch kind {
    case .spike, .drop, .shift, .drift, .holiday: keys += ["event", "x"]
    case .price: keys += ["event", "x", "cents"]
    case .bot: keys += ["event", "x"]
    case .outage: keys += ["event"]
    case .lag: keys += ["event", "d"]
    case .checkout, .stockout, .fraud, .campaign: keys += ["x"]
    case .promotion: keys += ["x", "off"]
    case .bulk: keys += ["x", "users"]
    }
    if kind != .drift { keys.append("ramp") }
    return keys
  }

  private var levels: ClosedRange<Double> {
    switch kind {
    case .spike, .stockout, .promotion, .campaign: 1...1000
    case .drop, .checkout: 0...1
    case .shift, .drift, .holiday: 0...1000
    case .price: 0.0001...10_000
    case .bulk, .bot, .fraud: 0.001...10_000
    case .outage, .lag: 0...0
    }
  }

  mutating func take(
    _ setting: SpecReader.Setting, _ reader: inout SpecReader
  ) throws(UsageFailure) {
    guard keys.contains(setting.key) else {
      throw reader.failure(
        setting.key, isNot: "a setting of '\(kind.rawValue)'", of: keys, at: setting.keyPlace)
    }
    switch setting.key {
    case "country": filter.country = try country(setting, reader)
    case "city": filter.city = try city(setting, reader)
    case "device":
      filter.device = try word(setting, reader, Device.allCases, \.name, noun: "a device")
    case "event":
      let types = kind == .bot ? [EventType.view, .click] : EventType.allCases
      filter.type = try word(setting, reader, types, \.name, noun: "a valid type of event")
    case "product":
      filter.product = try product(setting, reader)
    case "users": users = try integer(setting, reader, 1...1000)
    case "cents": strength = .cents(UInt32(try integer(setting, reader, 1...99_999_999)))
    case "d": strength = .seconds(try span(setting, reader, longest: 86_400))
    case "ramp": ramp = try span(setting, reader, longest: 30 * 86_400)
    case "off": discount = try share(setting, reader)
    default: strength = try level(setting, reader)
    }
    if let city = filter.city, let country = filter.country,
      world.cities[city].countryIndex != country
    {
      throw reader.failure(
        "\(world.cities[city].name) lies in \(world.cities[city].country)", at: setting.valuePlace)
    }
  }

  /// The place in the catalogue of the product with an id.
  private func product(
    _ setting: SpecReader.Setting, _ reader: SpecReader
  ) throws(UsageFailure) -> UInt32 {
    guard let known = likeness?.products else {
      return UInt32(try integer(setting, reader, 1...products) - 1)
    }
    guard let id = UInt32(setting.value), let place = known.firstIndex(where: { $0.id == id })
    else {
      throw reader.failure("--like has no product \(quoted(setting.value))", at: setting.valuePlace)
    }
    return UInt32(place)
  }

  private func country(
    _ setting: SpecReader.Setting, _ reader: SpecReader
  ) throws(UsageFailure) -> Int {
    let world = world
    return try word(
      setting, reader, Array(world.countries.indices), { world.countries[$0] },
      noun: "a known country"
    )
  }

  private func city(
    _ setting: SpecReader.Setting, _ reader: SpecReader
  ) throws(UsageFailure) -> Int {
    let world = world
    return try word(
      setting, reader, Array(world.cities.indices), { world.cities[$0].name }, noun: "a known city")
  }

  /// The value with that name, ignoring case.
  private func word<Value>(
    _ setting: SpecReader.Setting, _ reader: SpecReader, _ values: [Value],
    _ name: (Value) -> String, noun: String
  ) throws(UsageFailure) -> Value {
    let wanted = setting.value.lowercased()
    if let value = values.first(where: { name($0).lowercased() == wanted }) { return value }
    throw reader.failure(setting.value, isNot: noun, of: values.map(name), at: setting.valuePlace)
  }

  private func integer(
    _ setting: SpecReader.Setting, _ reader: SpecReader, _ bounds: ClosedRange<Int>
  ) throws(UsageFailure) -> Int {
    if let number = Int(setting.value), bounds.contains(number) { return number }
    throw reader.failure(
      "\(setting.key) must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)",
      at: setting.valuePlace)
  }

  private func level(
    _ setting: SpecReader.Setting, _ reader: SpecReader
  ) throws(UsageFailure) -> Anomaly.Strength {
    guard let number = decimalNumber(setting.value), levels.contains(number) else {
      throw reader.failure(
        "x of '\(kind.rawValue)' must be a number from \(levels.lowerBound) to "
          + "\(levels.upperBound)", at: setting.valuePlace)
    }
    if case .perSecond = strength { return .perSecond(number) }
    return .times(number)
  }

  /// Whole seconds.
  private func span(
    _ setting: SpecReader.Setting, _ reader: SpecReader, longest: Int64
  ) throws(UsageFailure) -> Int64 {
    guard let span = Duration(spelling: setting.value), span >= .seconds(1),
      span <= .seconds(longest)
    else {
      throw reader.failure(
        "\(setting.key) must be a span from 1s to \(longest / 86_400)d", at: setting.valuePlace)
    }
    return Int64(span.inSeconds.rounded())
  }

  private func share(
    _ setting: SpecReader.Setting, _ reader: SpecReader
  ) throws(UsageFailure) -> Double {
    guard let number = decimalNumber(setting.value), (0..<1).contains(number) else {
      throw reader.failure(
        "\(setting.key) must be a share from 0 to less than 1", at: setting.valuePlace)
    }
    return number
  }
}
