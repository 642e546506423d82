import Glibc

/// The distinct values of each key within a bucket, as 64-bit fingerprints. Exact up to a limit for
/// each key; above it, HyperLogLog with 16,384 registers (0.8 % error). The result does not depend
/// on the order of the values.
///
/// A row has several keys. The first 256 keys have a bit each beside the value, so that a row takes
/// one search; the others are in a set of pairs. Unsafe inside: indexes are masked by the table's
/// size, a power of two, and slots are checked by the caller.
@safe
final class DistinctSet {
  static let exactLimit = 65_536
  private static let registerBits: UInt64 = 14
  private static let largestLanes = 256

  /// Values with the bits of the first keys: `stride` words each, starting with the value, which is
  /// 0 in an empty entry.
  private var table: UnsafeMutablePointer<UInt64>
  private var capacity = 1024
  private var shift: UInt64 = 64 - 10
  private var stride = 2
  private var used = 0
  /// Values with their key, for keys that have no bit.
  private var pairs: Set<Pair> = []
  /// HyperLogLog registers of the keys above the limit.
  private var registers: [Int: [UInt8]] = [:]

  private struct Pair: Hashable {
    let value: UInt64
    let slot: Int
  }

  init() {
    unsafe table = Self.empty(1024 * 2)
  }

  deinit { unsafe table.deallocate() }

  private static func empty(_ count: Int) -> UnsafeMutablePointer<UInt64> {
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    unsafe words.initialize(repeating: 0, count: count)
    return unsafe words
  }

  /// Empties the set, and frees memory that the last bucket did not use.
  func removeAll() {
    if capacity > 1024, used * 16 < capacity {
      unsafe table.deallocate()
      capacity = max(1024, capacity / 4)
      shift = 64 - UInt64(capacity.trailingZeroBitCount)
      unsafe table = Self.empty(capacity * stride)
    } else if used > 0 {
      unsafe table.update(repeating: 0, count: capacity * stride)
    }
    used = 0
    pairs.removeAll(keepingCapacity: pairs.count * 16 > pairs.capacity)
    registers = [:]
  }

  /// Reserves bits for this many keys.
  func reserve(_ slots: Int) {
    let words = 1 + (min(slots, Self.largestLanes) + 63) / 64
    if words > stride { rebuild(capacity, stride: words) }
  }

  private func rebuild(_ size: Int, stride words: Int) {
    let (old, oldSize, oldStride) = unsafe (table, capacity, stride)
    unsafe table = Self.empty(size * words)
    capacity = size
    shift = 64 - UInt64(size.trailingZeroBitCount)
    stride = words
    for place in 0..<oldSize where unsafe old[place * oldStride] != 0 {
      let target = unsafe table + freePlace(old[place * oldStride]) * words
      for word in 0..<oldStride { unsafe target[word] = old[place * oldStride + word] }
    }
    unsafe old.deallocate()
  }

  @inline(__always)
  private func place(of value: UInt64) -> Int {
    Int(truncatingIfNeeded: (value &* 0x9e37_79b9_7f4a_7c15) >> shift)
  }

  private func freePlace(_ value: UInt64) -> Int {
    var place = place(of: value)
    while unsafe table[place * stride] != 0 { place = (place + 1) & (capacity - 1) }
    return place
  }

  /// The bits of a value, which is added if necessary.
  @inline(__always)
  private func lanes(of value: UInt64) -> UnsafeMutablePointer<UInt64> {
    var place = place(of: value)
    while true {
      let entry = unsafe table + place * stride
      let found = unsafe entry.pointee
      if found == value { return unsafe entry + 1 }
      if found == 0 { break }
      place = (place + 1) & (capacity - 1)
    }
    used += 1
    if used * 2 > capacity {
      rebuild(capacity * 2, stride: stride)
      place = freePlace(value)
    }
    unsafe table[place * stride] = value
    return unsafe table + place * stride + 1
  }

  /// Adds a value to keys, whose bits are reserved.
  ///
  /// - Parameter add: called with each key for which the value is new; returns the number of distinct
  ///   values of that key.
  @inline(__always)
  func insert(_ fingerprint: UInt64, into slots: Span<Int>, _ add: (Int) -> Int64) {
    let value = fingerprint == 0 ? 1 : fingerprint
    if !registers.isEmpty {
      insertBesideRegisters(value, slots, add)
      return
    }
    var isFull = false
    let bits = unsafe lanes(of: value)
    for index in slots.indices {
      let slot = slots[index]
      if slot < Self.largestLanes {
        let bit: UInt64 = 1 << UInt64(slot & 63)
        guard unsafe bits[slot >> 6] & bit == 0 else { continue }
        unsafe bits[slot >> 6] |= bit
      } else if !pairs.insert(Pair(value: value, slot: slot)).inserted {
        continue
      }
      if add(slot) >= Int64(Self.exactLimit) { isFull = true }
    }
    if isFull { registerFull(slots, add) }
  }

  // MARK: HyperLogLog

  /// The same when some keys are above the limit, for which only registers are kept.
  private func insertBesideRegisters(_ value: UInt64, _ slots: Span<Int>, _ add: (Int) -> Int64) {
    for index in slots.indices {
      let slot = slots[index]
      if registers[slot] != nil {
        addRegistered(value, slot)
      } else if slot < Self.largestLanes {
        let bits = unsafe lanes(of: value)
        let bit: UInt64 = 1 << UInt64(slot & 63)
        guard unsafe bits[slot >> 6] & bit == 0 else { continue }
        unsafe bits[slot >> 6] |= bit
        if add(slot) >= Int64(Self.exactLimit) { register(slot) }
      } else if pairs.insert(Pair(value: value, slot: slot)).inserted,
        add(slot) >= Int64(Self.exactLimit)
      {
        register(slot)
      }
    }
  }

  private func registerFull(_ slots: Span<Int>, _ add: (Int) -> Int64) {
    for index in slots.indices where count(of: slots[index]) >= Self.exactLimit {
      register(slots[index])
    }
  }

  /// The number of values that are kept for a key.
  private func count(of slot: Int) -> Int {
    var count = 0
    forEachValue(of: slot) { _ in count += 1 }
    return count
  }

  private func forEachValue(of slot: Int, _ body: (UInt64) -> Void) {
    if slot >= Self.largestLanes {
      for pair in pairs where pair.slot == slot { body(pair.value) }
    } else if slot >> 6 < stride - 1 {
      for place in 0..<capacity {
        let entry = unsafe table + place * stride
        if unsafe entry.pointee != 0 && entry[1 + slot >> 6] >> UInt64(slot & 63) & 1 == 1 {
          unsafe body(entry.pointee)
        }
      }
    }
  }

  private func register(_ slot: Int) {
    guard registers[slot] == nil else { return }
    registers[slot] = [UInt8](repeating: 0, count: 1 << Int(Self.registerBits))
    forEachValue(of: slot) { addRegistered($0, slot) }
  }

  private func addRegistered(_ value: UInt64, _ slot: Int) {
    let hash = KeyTable.mix(value ^ UInt64(truncatingIfNeeded: slot) &* 0x9e37_79b9_7f4a_7c15)
    let index = Int(hash >> (64 - Self.registerBits))
    let rest = hash << Self.registerBits
    let rank = UInt8(min(64 - Int(Self.registerBits), rest.leadingZeroBitCount) + 1)
    if let old = registers[slot]?[index], old < rank { registers[slot]?[index] = rank }
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

  /// The contents for the state file: values with their keys, and registers.
  var content: (entries: [(word: UInt64, owner: Int32)], registers: [(slot: Int, ranks: [UInt8])]) {
    var entries: [(word: UInt64, owner: Int32)] = []
    for place in 0..<capacity {
      let entry = unsafe table + place * stride
      guard unsafe entry.pointee != 0 else { continue }
      for slot in 0..<(stride - 1) * 64
      where unsafe entry[1 + slot >> 6] >> UInt64(slot & 63) & 1 == 1 {
        unsafe entries.append((entry.pointee, Int32(slot)))
      }
    }
    for pair in pairs { entries.append((pair.value, Int32(truncatingIfNeeded: pair.slot))) }
    entries.sort { $0.word != $1.word ? $0.word < $1.word : $0.owner < $1.owner }
    return (
      entries, registers.sorted { $0.key < $1.key }.map { (slot: $0.key, ranks: $0.value) }
    )
  }

  func restore(_ entries: [(word: UInt64, owner: Int32)], _ kept: [(slot: Int, ranks: [UInt8])]) {
    for entry in entries where entry.word != 0 && entry.owner >= 0 {
      let slot = Int(entry.owner)
      if slot < Self.largestLanes {
        reserve(slot + 1)
        let bits = unsafe lanes(of: entry.word)
        unsafe bits[slot >> 6] |= 1 << UInt64(slot & 63)
      } else {
        pairs.insert(Pair(value: entry.word, slot: slot))
      }
    }
    for one in kept where one.ranks.count == 1 << Int(Self.registerBits) {
      registers[one.slot] = one.ranks
    }
  }
}
