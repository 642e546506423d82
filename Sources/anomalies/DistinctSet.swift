import Glibc

/// The distinct values of each key within a bucket, as 64-bit fingerprints. Exact up to a limit for
/// each key; above it, HyperLogLog with 16,384 registers (0.8 % error). The result does not depend
/// on the order of the values.
///
/// Unsafe inside: indexes into the two arrays are masked by their size, a power of two.
@safe
final class DistinctSet {
  static let exactLimit = 65_536
  private static let registerBits: UInt64 = 14

  private var capacity: Int
  private var shift: UInt64
  private var used = 0
  private var words: UnsafeMutablePointer<UInt64>
  private var owners: UnsafeMutablePointer<Int32>
  /// HyperLogLog registers of the keys above the limit.
  private var registers: [Int: [UInt8]] = [:]

  init() {
    capacity = 1024
    shift = 64 - 10
    unsafe words = .allocate(capacity: capacity)
    unsafe owners = .allocate(capacity: capacity)
    unsafe words.initialize(repeating: 0, count: capacity)
    unsafe owners.initialize(repeating: 0, count: capacity)
  }

  deinit {
    unsafe words.deallocate()
    unsafe owners.deallocate()
  }

  /// Empties the set, and frees memory that the last bucket did not use.
  func removeAll() {
    if capacity > 1024, used * 16 < capacity {
      resize(to: capacity / 4)
    } else {
      unsafe words.update(repeating: 0, count: capacity)
    }
    used = 0
    registers = [:]
  }

  private func resize(to size: Int) {
    unsafe words.deallocate()
    unsafe owners.deallocate()
    capacity = max(1024, size)
    shift = 64 - UInt64(capacity.trailingZeroBitCount)
    unsafe words = .allocate(capacity: capacity)
    unsafe owners = .allocate(capacity: capacity)
    unsafe words.initialize(repeating: 0, count: capacity)
    unsafe owners.initialize(repeating: 0, count: capacity)
  }

  @inline(__always)
  private static func word(_ slot: Int, _ fingerprint: UInt64) -> UInt64 {
    let word =
      (fingerprint ^ UInt64(truncatingIfNeeded: slot) &* 0x9e37_79b9_7f4a_7c15)
      &* 0xbf58_476d_1ce4_e5b9
    let mixed = word ^ (word >> 29)
    return mixed == 0 ? 1 : mixed
  }

  /// Adds a value to a key, and returns whether it is new.
  ///
  /// - Parameter count: the number of distinct values of the key so far.
  @inline(__always)
  func insert(_ fingerprint: UInt64, into slot: Int, count: Int64) -> Bool {
    let word = Self.word(slot, fingerprint)
    if !registers.isEmpty, addRegistered(word, slot) { return false }
    var place = Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> shift)
    while true {
      let found = unsafe words[place]
      if found == word { return false }
      if found == 0 { break }
      place = (place + 1) & (capacity - 1)
    }
    unsafe words[place] = word
    unsafe owners[place] = Int32(truncatingIfNeeded: slot)
    used += 1
    if used * 2 > capacity { grow() }
    if count + 1 >= Int64(Self.exactLimit) { register(slot) }
    return true
  }

  private func grow() {
    let (oldWords, oldOwners, size) = unsafe (words, owners, capacity)
    capacity = size * 2
    shift -= 1
    unsafe words = .allocate(capacity: capacity)
    unsafe owners = .allocate(capacity: capacity)
    unsafe words.initialize(repeating: 0, count: capacity)
    unsafe owners.initialize(repeating: 0, count: capacity)
    for old in 0..<size where unsafe oldWords[old] != 0 {
      let word = unsafe oldWords[old]
      var place = Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> shift)
      while unsafe words[place] != 0 { place = (place + 1) & (capacity - 1) }
      unsafe words[place] = word
      unsafe owners[place] = oldOwners[old]
    }
    unsafe oldWords.deallocate()
    unsafe oldOwners.deallocate()
  }

  // MARK: HyperLogLog

  private func register(_ slot: Int) {
    guard registers[slot] == nil else { return }
    registers[slot] = [UInt8](repeating: 0, count: 1 << Int(Self.registerBits))
    for place in 0..<capacity
    where unsafe words[place] != 0 && owners[place] == Int32(truncatingIfNeeded: slot) {
      _ = unsafe addRegistered(words[place], slot)
    }
  }

  private func addRegistered(_ word: UInt64, _ slot: Int) -> Bool {
    guard registers[slot] != nil else { return false }
    let hash = KeyTable.mix(word)
    let index = Int(hash >> (64 - Self.registerBits))
    let rest = hash << Self.registerBits
    let rank = UInt8(min(64 - Int(Self.registerBits), rest.leadingZeroBitCount) + 1)
    if let old = registers[slot]?[index], old < rank { registers[slot]?[index] = rank }
    return true
  }

  /// The number of distinct values of a key.
  func estimate(_ slot: Int, counted: Int64) -> Double {
    guard let ranks = registers[slot] else { return Double(counted) }
    let m = Double(ranks.count)
    var sum = 0.0
    var zeros = 0.0
    for rank in ranks {
      sum += exp2(-Double(rank))
      if rank == 0 { zeros += 1 }
    }
    let raw = 0.7213 / (1 + 1.079 / m) * m * m / sum
    return (raw <= 2.5 * m && zeros > 0 ? m * log(m / zeros) : raw).rounded()
  }

  // MARK: State

  /// The contents for the state file: words, owners, and registers.
  var content: (entries: [(word: UInt64, owner: Int32)], registers: [(slot: Int, ranks: [UInt8])]) {
    var entries: [(word: UInt64, owner: Int32)] = []
    for place in 0..<capacity where unsafe words[place] != 0 {
      unsafe entries.append((words[place], owners[place]))
    }
    entries.sort { $0.word < $1.word }
    return (
      entries, registers.sorted { $0.key < $1.key }.map { (slot: $0.key, ranks: $0.value) }
    )
  }

  func restore(_ entries: [(word: UInt64, owner: Int32)], _ kept: [(slot: Int, ranks: [UInt8])]) {
    for entry in entries where entry.word != 0 {
      if (used + 1) * 2 > capacity { grow() }
      var place = Int(truncatingIfNeeded: (entry.word &* 0x9e37_79b9_7f4a_7c15) >> shift)
      while unsafe words[place] != 0 { place = (place + 1) & (capacity - 1) }
      unsafe words[place] = entry.word
      unsafe owners[place] = entry.owner
      used += 1
    }
    for one in kept where one.ranks.count == 1 << Int(Self.registerBits) {
      registers[one.slot] = one.ranks
    }
  }
}
