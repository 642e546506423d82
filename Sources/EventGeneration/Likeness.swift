/// What the user's own events are like: how many come when, of which kinds, from where, and of which products.
package struct Likeness: Equatable, Sendable {
  package struct Product: Equatable, Sendable {
    let id: UInt32
    let cents: UInt32
    /// Its events.
    let weight: UInt64
  }

  /// Mean events per second.
  package let rate: Double
  /// How busy each hour of the week is, Monday 00:00 UTC first, in Q16; the mean rate is 1.
  let hours: [UInt64]
  /// `nil` where the events name no types and no devices.
  let funnel: Funnel?
  /// `nil` where the events name no countries.
  package let world: World?
  /// `nil` where the events name neither products nor prices.
  package let products: [Product]?
  /// What could not be taken over, for the user.
  package let notes: [String]
}

/// How sessions go from type to type, fitted to shares of types and devices.
struct Funnel: Equatable, Sendable {
  /// Each type's share of the first events of sessions.
  private(set) var firsts: [Double]
  /// Each device's share of the sessions.
  private(set) var devices: [Double]
  /// How much likelier than usual each type is.
  private var factors = [1.0, 1.0, 1.0]

  /// A step that no usual visitor takes, for events whose shares can't be had without it, of 10,000.
  private static let rareStep = 1.0

  /// - Parameters:
  ///   - types: shares of views, clicks and purchases in all events.
  ///   - devices: shares of phones, desktops and tablets in all events.
  init(types: [Double], devices: [Double]) {
    self.init(types: types, devices: devices, firsts: [1, 0, 0])
    // Where views are few, not every session can begin with one.
    if error(types) > 0.003 { self.init(types: types, devices: devices, firsts: types) }
  }

  private init(types: [Double], devices: [Double], firsts: [Double]) {
    self.firsts = firsts
    self.devices = devices
    // Each round makes what is too rare likelier. The number of rounds is fixed, so equal shares give equal chains.
    for _ in 0..<400 {
      let events = Device.allCases.map { eventsOfSession($0) }
      let found = shares(events)
      for type in found.indices where found[type] > 0 {
        factors[type] = min(1e9, factors[type] * types[type] / found[type])
      }
      // Devices on which sessions are longer have more events.
      let sessions = devices.indices.map { devices[$0] / events[$0].reduce(0, +) }
      let sum = sessions.reduce(0, +)
      self.devices = sessions.map { $0 / sum }
    }
  }

  /// The share of each type in all events.
  private func shares(_ events: [[Double]]) -> [Double] {
    let sums = factors.indices.map { type in
      devices.indices.reduce(0.0) { $0 + devices[$1] * events[$1][type] }
    }
    let all = sums.reduce(0, +)
    return sums.map { $0 / all }
  }

  private func error(_ types: [Double]) -> Double {
    let found = shares(Device.allCases.map { eventsOfSession($0) })
    return zip(found, types).reduce(0.0) { max($0, ($1.0 - $1.1).magnitude) }
  }

  /// What follows an event: the chances of a view, a click and a purchase; the rest is the end.
  func shares(after type: EventType, _ device: Device) -> [Double] {
    let usual = Behaviour.usualShares(after: type, device).map { Double($0) }
    let goesOn = usual.reduce(0, +) / 10_000
    let weights = usual.indices.map { max(usual[$0], Self.rareStep) * factors[$0] }
    let sum = weights.reduce(0, +)
    return weights.map { sum > 0 ? goesOn * $0 / sum : 0 }
  }

  /// How many views, clicks and purchases a session has on average: those that are first, and those that follow.
  private func eventsOfSession(_ device: Device) -> [Double] {
    events(from: firsts, EventType.allCases.map { shares(after: $0, device) })
  }

  /// How many events of its session come before an event, on average.
  var meanPosition: Double {
    var (before, all) = (0.0, 0.0)
    for device in Device.allCases {
      let rows = EventType.allCases.map { shares(after: $0, device) }
      let events = events(from: firsts, rows)
      let next = firsts.indices.map { type in
        firsts.indices.reduce(0.0) { $0 + events[$1] * rows[$1][type] }
      }
      // Each event counts once for every event before it.
      before += devices[Int(device.rawValue)] * self.events(from: next, rows).reduce(0, +)
      all += devices[Int(device.rawValue)] * events.reduce(0, +)
    }
    return before / all
  }

  private func events(from firsts: [Double], _ rows: [[Double]]) -> [Double] {
    // n = firsts + n * rows, solved by elimination: no row sums up to 1, so no pivot vanishes.
    var matrix = firsts.indices.map { type in
      firsts.indices.map { (type == $0 ? 1.0 : 0.0) - rows[$0][type] } + [firsts[type]]
    }
    for pivot in matrix.indices {
      for row in matrix.indices where row != pivot {
        let factor = matrix[row][pivot] / matrix[pivot][pivot]
        for column in matrix[row].indices { matrix[row][column] -= factor * matrix[pivot][column] }
      }
    }
    return matrix.indices.map { matrix[$0][3] / matrix[$0][$0] }
  }
}
