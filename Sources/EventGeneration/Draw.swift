/// Random numbers that are functions of their purpose: the same key always gives the same bits.
///
/// There is no shared position in a sequence. So a run can start anywhere, be split into shards, or
/// have anomalies switched on, without changing any other line.
enum Draw {
  /// The step between two states of a session's generator.
  static let golden: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// Mixes the bits of `value` (the finalizer of splitmix64, a bijection).
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }

  /// The bits at `index` of the stream with this key.
  @inline(__always)
  static func bits(_ key: UInt64, _ index: UInt64) -> UInt64 {
    mix(key ^ mix(index &+ golden))
  }

  /// A number in `0..<count`, evenly distributed, from the upper half of `bits`.
  @inline(__always)
  static func below(_ count: UInt32, _ bits: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: ((bits >> 32) &* UInt64(count)) >> 32)
  }

  /// Whether an event with the given probability (of 2^32) happens.
  @inline(__always)
  static func happens(_ share: UInt64, _ bits: UInt64) -> Bool {
    (bits >> 32) < share
  }
}

/// The streams drawn from a seed, with one key each, so that they are independent.
enum DrawKey {
  static let arrivals: UInt64 = 0x6172_7269_7661_6c73
  static let first: UInt64 = 0x6669_7273_7400_0000
  static let device: UInt64 = 0x6465_7669_6365_0000
  static let users: UInt64 = 0x7573_6572_7300_0000
  static let products: UInt64 = 0x7072_6f64_7563_7473
  static let prices: UInt64 = 0x7072_6963_6573_0000
  static let home: UInt64 = 0x686f_6d65_0000_0000
  static let visit: UInt64 = 0x7669_7369_7400_0000
  static let shard: UInt64 = 0x7368_6172_6400_0000
  static let dirt: UInt64 = 0x6469_7274_0000_0000
  static let anomaly: UInt64 = 0x616e_6f6d_616c_7900
  static let schedule: UInt64 = 0x7363_6865_6475_6c65
}
