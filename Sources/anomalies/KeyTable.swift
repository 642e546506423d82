/// Distinct texts, each with an id. Looking up a text copies nothing.
struct KeyTable {
  private struct Entry {
    let hash: UInt64
    let start: Int
    let count: Int
  }

  private var buckets: [Int32] = [Int32](repeating: -1, count: 64)
  private var entries: [Entry] = []
  private var arena: [UInt8] = []

  var count: Int { entries.count }

  /// Hashes bytes to 64 bits. Texts of up to seven bytes never collide.
  @inline(__always)
  static func fingerprint(_ bytes: RawSpan) -> UInt64 {
    let count = bytes.byteCount
    var hash: UInt64 = UInt64(truncatingIfNeeded: count) &* 0x9e37_79b9_7f4a_7c15
    var index = 0
    while index + 8 <= count {
      // The eight bytes are in bounds, and any bit pattern is a valid number.
      let word = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index, as: UInt64.self)
      hash = mix(hash ^ UInt64(littleEndian: word))
      index += 8
    }
    var rest: UInt64 = 0
    while index < count {
      rest = rest << 8 | UInt64(bytes.byte(index))
      index += 1
    }
    return mix(hash ^ rest)
  }

  @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ (word >> 32)) &* 0xd6e8_feb8_6659_fd93
    word = (word ^ (word >> 32)) &* 0xd6e8_feb8_6659_fd93
    return word ^ (word >> 32)
  }

  /// The id of a text; -1 if there is none.
  @inline(__always)
  func find(_ bytes: RawSpan, _ hash: UInt64) -> Int {
    let buckets = buckets.span
    let mask = buckets.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while true {
      // Masked by the size, a power of two; and ids in the table are those of entries.
      let id = unsafe Int(buckets[unchecked: place])
      guard id >= 0 else { return -1 }
      let entry = unsafe entries.span[unchecked: id]
      if entry.hash == hash, entry.count == bytes.byteCount, matches(entry, bytes) { return id }
      place = (place + 1) & mask
    }
  }

  /// The id of a text, which is added if necessary.
  mutating func id(of bytes: RawSpan) -> Int {
    let hash = Self.fingerprint(bytes)
    let id = find(bytes, hash)
    return id >= 0 ? id : insert(bytes, hash)
  }

  @inline(__always)
  private func matches(_ entry: Entry, _ bytes: RawSpan) -> Bool {
    // Texts of up to seven bytes with equal fingerprints are equal.
    if entry.count < 8 { return true }
    let arena = unsafe arena.span.bytes
    // Compares words of eight bytes; the last one overlaps the one before. All are inside both texts.
    var index = 0
    while true {
      let left = unsafe arena.unsafeLoadUnaligned(
        fromUncheckedByteOffset: entry.start + index, as: UInt64.self)
      let right = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index, as: UInt64.self)
      if left != right { return false }
      if index == entry.count - 8 { return true }
      index = min(index + 8, entry.count - 8)
    }
  }

  /// Adds a text that was not found.
  mutating func insert(_ bytes: RawSpan, _ hash: UInt64) -> Int {
    let id = entries.count
    entries.append(Entry(hash: hash, start: arena.count, count: bytes.byteCount))
    for index in 0..<bytes.byteCount { arena.append(bytes.byte(index)) }
    if entries.count * 2 > buckets.count {
      rebuild(buckets.count * 2)
    } else {
      let mask = buckets.count - 1
      var place = Int(truncatingIfNeeded: hash) & mask
      while buckets[place] >= 0 { place = (place + 1) & mask }
      buckets[place] = Int32(id)
    }
    return id
  }

  private mutating func rebuild(_ size: Int) {
    buckets = [Int32](repeating: -1, count: size)
    for (id, entry) in entries.enumerated() {
      var place = Int(truncatingIfNeeded: entry.hash) & (size - 1)
      while buckets[place] >= 0 { place = (place + 1) & (size - 1) }
      buckets[place] = Int32(id)
    }
  }

  func bytes(of id: Int) -> ArraySlice<UInt8> {
    let entry = entries[id]
    return arena[entry.start..<entry.start + entry.count]
  }

  func text(of id: Int) -> String { String(decoding: bytes(of: id), as: UTF8.self) }

  /// Whether one text precedes another in byte order.
  func precedes(_ a: Int, _ b: Int) -> Bool { bytes(of: a).lexicographicallyPrecedes(bytes(of: b)) }

  /// Removes all other texts. The kept ones get ids from 0 on, in this order.
  mutating func keep(_ ids: [Int]) {
    var other = KeyTable()
    for id in ids {
      let old = entries[id]
      other.entries.append(Entry(hash: old.hash, start: other.arena.count, count: old.count))
      other.arena += bytes(of: id)
    }
    var size = 64
    while size < ids.count * 2 + 2 { size *= 2 }
    other.rebuild(size)
    self = other
  }

  /// All texts in the order of their ids.
  var texts: [[UInt8]] { (0..<count).map { Array(bytes(of: $0)) } }

  init() {}

  /// A table of these texts, with ids in their order.
  init(_ texts: [[UInt8]]) {
    for text in texts { _ = unsafe id(of: text.span.bytes) }
  }
}
