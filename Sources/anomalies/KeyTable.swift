import Glibc

/// Distinct texts, each with an id. Looking up a text copies nothing.
struct KeyTable {
  private var buckets: [Int32] = [Int32](repeating: -1, count: 64)
  private var hashes: [UInt64] = []
  private var ends: [Int] = [0]
  private var arena: [UInt8] = []

  var count: Int { hashes.count }

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

  /// The id of a text, which is added if necessary.
  @inline(__always)
  mutating func id(of bytes: RawSpan) -> Int {
    let hash = Self.fingerprint(bytes)
    let mask = buckets.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while true {
      let id = Int(buckets[place])
      guard id >= 0 else { break }
      if hashes[id] == hash, matches(id, bytes) { return id }
      place = (place + 1) & mask
    }
    return insert(bytes, hash, at: place)
  }

  @inline(__always)
  private func matches(_ id: Int, _ bytes: RawSpan) -> Bool {
    let start = ends[id]
    let count = bytes.byteCount
    guard ends[id + 1] - start == count else { return false }
    // The text of an id is inside the arena.
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe arena.withUnsafeBytes { arena in
        guard let left = arena.baseAddress, let right = bytes.baseAddress else { return count == 0 }
        return unsafe memcmp(left + start, right, count) == 0
      }
    }
  }

  private mutating func insert(_ bytes: RawSpan, _ hash: UInt64, at place: Int) -> Int {
    let id = hashes.count
    hashes.append(hash)
    for index in 0..<bytes.byteCount { arena.append(bytes.byte(index)) }
    ends.append(arena.count)
    buckets[place] = Int32(id)
    if hashes.count * 2 > buckets.count { rebuild(buckets.count * 2) }
    return id
  }

  private mutating func rebuild(_ size: Int) {
    buckets = [Int32](repeating: -1, count: size)
    for (id, hash) in hashes.enumerated() {
      var place = Int(truncatingIfNeeded: hash) & (size - 1)
      while buckets[place] >= 0 { place = (place + 1) & (size - 1) }
      buckets[place] = Int32(id)
    }
  }

  func bytes(of id: Int) -> ArraySlice<UInt8> { arena[ends[id]..<ends[id + 1]] }

  func text(of id: Int) -> String { String(decoding: bytes(of: id), as: UTF8.self) }

  /// Whether one text precedes another in byte order.
  func precedes(_ a: Int, _ b: Int) -> Bool { bytes(of: a).lexicographicallyPrecedes(bytes(of: b)) }

  /// Removes all other texts. The kept ones get ids from 0 on, in this order.
  mutating func keep(_ ids: [Int]) {
    var other = KeyTable()
    for id in ids {
      let start = other.arena.count
      other.arena += bytes(of: id)
      other.hashes.append(hashes[id])
      other.ends.append(start + (ends[id + 1] - ends[id]))
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
