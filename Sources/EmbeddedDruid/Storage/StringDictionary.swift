import Glibc

/// A distinct value of a string column. Its bytes never move or change.
@safe
struct DictionaryEntry {
  let bytes: UnsafePointer<UInt8>
  let length: UInt32
  /// Whether the bytes are the JSON text of an array rather than a single value.
  let isMultiValue: Bool
}

/// A reader's view of the distinct values of a string column: the entries up to `count`. Id 0 is
/// null.
///
/// Sendable: entries below `count` were written before the snapshot was published, and never
/// change.
@safe
struct DictionarySnapshot: @unchecked Sendable {
  static let pageEntries = 1 << 12

  fileprivate(set) var pages: [StorageBlock] = []
  fileprivate(set) var texts: [StorageBlock] = []
  fileprivate(set) var count = 1

  func entry(_ id: UInt32) -> DictionaryEntry {
    precondition(id > 0 && id < count)
    let page = pages[Int(id) / Self.pageEntries]
    return unsafe page.address.assumingMemoryBound(to: DictionaryEntry.self)[
      Int(id) % Self.pageEntries]
  }

  /// The id of a text, if a row has it.
  ///
  /// - Complexity: O(number of distinct values).
  func id(of text: UnsafeRawBufferPointer) -> UInt32? {
    for id in 1..<UInt32(max(1, count)) {
      let entry = entry(id)
      if unsafe !entry.isMultiValue && entry.equals(text) { return id }
    }
    return nil
  }

  /// For each id, its rank among all values in byte order: null is first, and multi-values follow
  /// texts.
  func ranks() -> [UInt32] {
    let order = (1..<UInt32(max(1, count))).sorted { one, other in
      entry(one).precedes(entry(other))
    }
    var ranks = [UInt32](repeating: 0, count: count)
    for (rank, id) in order.enumerated() { ranks[Int(id)] = UInt32(rank) + 1 }
    return ranks
  }
}

extension DictionaryEntry {
  var text: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: bytes, count: Int(length))
  }

  var string: String { unsafe String(decoding: text, as: UTF8.self) }

  func equals(_ other: UnsafeRawBufferPointer) -> Bool {
    guard Int(length) == other.count else { return false }
    guard let start = other.baseAddress, length > 0 else { return length == 0 }
    return unsafe memcmp(bytes, start, Int(length)) == 0
  }

  func precedes(_ other: DictionaryEntry) -> Bool {
    if isMultiValue != other.isMultiValue { return !isMultiValue }
    let order = unsafe memcmp(bytes, other.bytes, Int(min(length, other.length)))
    return order == 0 ? length < other.length : order < 0
  }
}

/// The writer of a column's dictionary. It finds the id of a value, or assigns the next one.
@safe
struct DictionaryWriter {
  private(set) var snapshot = DictionarySnapshot()
  private let storage: TemporaryStorage
  /// A hash table with open addressing: ids, with 0 for free slots. Its size is a power of two.
  private var slots = [UInt32](repeating: 0, count: 64)
  private var hashes = [UInt32](repeating: 0, count: 64)
  private var text: UnsafeMutablePointer<UInt8>?
  private var textRoom = 0

  init(storage: TemporaryStorage) { self.storage = storage }

  /// - Complexity: O(length of the value), amortized.
  mutating func id(
    of value: UnsafeRawBufferPointer, isMultiValue: Bool = false
  ) throws(StorageFull) -> UInt32 {
    let hash = unsafe isMultiValue ? ~Self.hash(value) : Self.hash(value)
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    while true {
      let id = slots[slot]
      if id == 0 { break }
      if hashes[slot] == hash {
        let entry = snapshot.entry(id)
        if unsafe entry.isMultiValue == isMultiValue && entry.equals(value) { return id }
      }
      slot = (slot + 1) & mask
    }
    let id = unsafe try add(value, isMultiValue: isMultiValue)
    slots[slot] = id
    hashes[slot] = hash
    if snapshot.count * 2 > slots.count { grow() }
    return id
  }

  private mutating func add(
    _ value: UnsafeRawBufferPointer, isMultiValue: Bool
  ) throws(StorageFull) -> UInt32 {
    let place = snapshot.count % DictionarySnapshot.pageEntries
    if snapshot.count / DictionarySnapshot.pageEntries == snapshot.pages.count {
      let size = DictionarySnapshot.pageEntries * MemoryLayout<DictionaryEntry>.stride
      snapshot.pages.append(try storage.block(of: size))
    }
    if unsafe value.count > textRoom || text == nil {
      let size = max(min(1 << 22, 1 << (16 + snapshot.texts.count)), value.count)
      let block = try storage.block(of: size)
      snapshot.texts.append(block)
      unsafe text = block.address.assumingMemoryBound(to: UInt8.self)
      textRoom = block.size
    }
    guard let start = unsafe text, let page = snapshot.pages.last else {
      throw StorageFull(code: 0)
    }
    if let from = value.baseAddress { unsafe memcpy(start, from, value.count) }
    unsafe page.address.assumingMemoryBound(to: DictionaryEntry.self)[place] = DictionaryEntry(
      bytes: start, length: UInt32(value.count), isMultiValue: isMultiValue)
    unsafe text = start + value.count
    textRoom -= value.count
    snapshot.count += 1
    return UInt32(snapshot.count - 1)
  }

  private mutating func grow() {
    let old = slots
    let oldHashes = hashes
    let mask = old.count * 2 - 1
    slots = [UInt32](repeating: 0, count: old.count * 2)
    hashes = slots
    for (id, hash) in zip(old, oldHashes) where id != 0 {
      var slot = Int(hash) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = id
      hashes[slot] = hash
    }
  }

  /// Hashes eight bytes at a time. It is good for ordinary values; probing limits the cost of
  /// hostile ones.
  private static func hash(_ value: UnsafeRawBufferPointer) -> UInt32 {
    var state = UInt64(truncatingIfNeeded: value.count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while offset + 8 <= value.count {
      let word = unsafe value.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      state = mix(state ^ word)
      offset += 8
    }
    var tail: UInt64 = 0
    var shift: UInt64 = 0
    while offset < value.count {
      tail |= unsafe UInt64(value[offset]) << shift
      shift += 8
      offset += 1
    }
    return UInt32(truncatingIfNeeded: mix(state ^ tail))
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    let mixed = (value ^ (value >> 32)) &* 0xd6e8_feb8_6659_fd93
    return mixed ^ (mixed >> 32)
  }
}
