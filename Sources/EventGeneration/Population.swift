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
  /// Of 65,536 visits: those below the first are of phones, those below the second of desktops.
  private let deviceThresholds: (desktop: UInt64, tablet: UInt64)

  /// - Parameter devices: the shares of phones, desktops and tablets; `nil`: 66, 31 and 3 of a hundred.
  init(
    seed: UInt64, count: Int, countries: Set<Int> = [], world: World = .standard,
    devices: [Double]? = nil
  ) {
    let shares = Population.shares(devices)
    deviceThresholds = (UInt64(shares[0]), UInt64(shares[0] + shares[1]))
    self.count = UInt32(count)
    ids = Bijection(count: UInt32(count), key: Draw.mix(seed ^ DrawKey.users))
    deviceKey = Draw.mix(seed ^ DrawKey.device)
    let places = world.cities.map { city in
      countries.isEmpty || countries.contains(city.countryIndex) ? city.weight : 0
    }
    let total = places.reduce(0, +)
    var blocks: [UInt32] = []
    var before: UInt64 = 0
    for share in places {
      blocks.append(Population.place(before, of: total, count))
      before += share
    }
    blocks.append(UInt32(count))
    self.blocks = blocks
    offsets = world.cities.map(\.offsetQuarters)
    weights = world.cities.indices.map {
      blocks[$0 + 1] > blocks[$0] ? places[$0] : 0
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
    device(bits: Draw.mix(deviceKey ^ UInt64(member)))
  }

  @inline(__always)
  func device(bits: UInt64) -> Device {
    let chance = bits & 0xffff
    return chance < deviceThresholds.desktop
      ? .mobile : chance < deviceThresholds.tablet ? .desktop : .tablet
  }

  /// Each device's share of 65,536 visits.
  static func shares(_ devices: [Double]?) -> [Int64] {
    guard let devices else { return [43_254, 63_570 - 43_254, 65_536 - 63_570] }
    let mobile = Int64((devices[0] * 65_536).rounded())
    let desktop = min(65_536 - mobile, Int64((devices[1] * 65_536).rounded()))
    return [mobile, desktop, 65_536 - mobile - desktop]
  }
}
