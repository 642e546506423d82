/// The customers: each lives in one city, prefers one device, and visits often or rarely.
struct Population {
  let count: UInt32
  /// The index of each city's first customer; one more entry than there are cities.
  let blocks: [UInt32]
  /// The weights of the cities, 0 for those without customers.
  let weights: [UInt64]
  /// Quarter-hours east of UTC, for each city.
  let offsets: [Int]
  private let ids: Bijection
  private let deviceKey: UInt64

  init(seed: UInt64, count: Int, countries: Set<Int> = []) {
    self.count = UInt32(count)
    ids = Bijection(count: UInt32(count), key: Draw.mix(seed ^ DrawKey.users))
    deviceKey = Draw.mix(seed ^ DrawKey.device)
    let shares = World.cities.map { city in
      countries.isEmpty || countries.contains(city.countryIndex) ? city.weight : 0
    }
    let total = shares.reduce(0, +)
    var blocks: [UInt32] = []
    var before: UInt64 = 0
    for share in shares {
      blocks.append(Population.place(before, of: total, count))
      before += share
    }
    blocks.append(UInt32(count))
    self.blocks = blocks
    offsets = World.cities.map(\.offsetQuarters)
    weights = World.cities.indices.map {
      blocks[$0 + 1] > blocks[$0] ? shares[$0] : 0
    }
  }

  private static func place(_ before: UInt64, of total: UInt64, _ count: Int) -> UInt32 {
    UInt32((before * UInt64(count) + total / 2) / total)
  }

  /// Draws a customer of a city by 32 random bits: few visit often, many rarely. `nil` for a city
  /// without customers.
  @inline(__always)
  func member(of city: Int, _ bits: UInt64) -> UInt32? {
    let size = blocks[city + 1] - blocks[city]
    if size == 0 { return nil }
    let evenly = bits & 0xffff_ffff
    let squared = (evenly &* evenly) >> 32
    return blocks[city] &+ UInt32(truncatingIfNeeded: (squared &* UInt64(size)) >> 32)
  }

  /// The id of a customer in every line.
  @inline(__always)
  func shownID(_ member: UInt32) -> UInt32 { ids[member] }

  /// The preferred device of a customer.
  @inline(__always)
  func device(of member: UInt32) -> Device {
    Population.device(Draw.mix(deviceKey ^ UInt64(member)))
  }

  /// Draws a device: phone, desktop or tablet in 66, 31 and 3 % of cases.
  @inline(__always)
  static func device(_ bits: UInt64) -> Device {
    let chance = bits & 0xffff
    return chance < 43_254 ? .mobile : chance < 63_570 ? .desktop : .tablet
  }

  /// A device's share of visits, of 65,536.
  static func share(of device: Device) -> Int64 {
    switch device {
    case .mobile: 43_254
    case .desktop: 63_570 - 43_254
    case .tablet: 65_536 - 63_570
    }
  }
}
