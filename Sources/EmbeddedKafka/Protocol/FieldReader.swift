/// A frame that violates the protocol. Its connection is closed.
struct MalformedFrame: Error, Equatable {
  let reason: String
}

/// Reads the fields of a request: big-endian integers, and strings and arrays with a length before
/// them. Every length is checked against the remaining bytes before it is used.
struct FieldReader: ~Escapable {
  private let bytes: RawSpan
  private var offset = 0
  /// Whether lengths are varints of the length plus one, and structures end with tagged fields.
  var isFlexible = false

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) {
    self.bytes = bytes
  }

  /// The number of bytes that have not been read yet.
  var remaining: Int { bytes.byteCount - offset }

  @_lifetime(self: copy self)
  mutating func int8() throws(MalformedFrame) -> Int8 {
    Int8(truncatingIfNeeded: try integer(1))
  }

  @_lifetime(self: copy self)
  mutating func int16() throws(MalformedFrame) -> Int16 {
    Int16(truncatingIfNeeded: try integer(2))
  }

  @_lifetime(self: copy self)
  mutating func int32() throws(MalformedFrame) -> Int32 {
    Int32(truncatingIfNeeded: try integer(4))
  }

  @_lifetime(self: copy self)
  mutating func int64() throws(MalformedFrame) -> Int64 {
    Int64(truncatingIfNeeded: try integer(8))
  }

  @_lifetime(self: copy self)
  mutating func bool() throws(MalformedFrame) -> Bool {
    try int8() != 0
  }

  @_lifetime(self: copy self)
  private mutating func integer(_ width: Int) throws(MalformedFrame) -> UInt64 {
    let start = try skip(width)
    var value: UInt64 = 0
    for index in start..<start + width {
      value = value << 8 | UInt64(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
    }
    return value
  }

  /// Skips `count` bytes and returns their start.
  @discardableResult
  @_lifetime(self: copy self)
  private mutating func skip(_ count: Int) throws(MalformedFrame) -> Int {
    guard count >= 0, count <= remaining else {
      throw MalformedFrame(reason: "a field is longer than its frame")
    }
    defer { offset += count }
    return offset
  }

  /// Reads an unsigned varint of at most 32 bits, with seven bits a byte.
  @_lifetime(self: copy self)
  private mutating func varint() throws(MalformedFrame) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 35, by: 7) {
      let byte = Int(UInt8(bitPattern: try int8()))
      value |= (byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw MalformedFrame(reason: "a number is longer than it can be")
  }

  /// Skips the tagged fields at the end of a structure. None are supported.
  @_lifetime(self: copy self)
  mutating func tags() throws(MalformedFrame) {
    guard isFlexible else { return }
    for _ in 0..<(try varint()) {
      _ = try varint()
      try skip(try varint())
    }
  }

  /// Reads a nullable string; length -1 is null.
  @_lifetime(self: copy self)
  mutating func nullableString() throws(MalformedFrame) -> String? {
    let length = isFlexible ? try varint() - 1 : Int(try int16())
    if length == -1 { return nil }
    let start = try skip(length)
    let text = bytes.extracting(start..<start + length)
    return unsafe text.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  @_lifetime(self: copy self)
  mutating func string() throws(MalformedFrame) -> String {
    guard let text = try nullableString() else {
      throw MalformedFrame(reason: "a string that must be there is null")
    }
    return text
  }

  /// Lends the bytes after a 32-bit length; `nil` for length -1.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func nullableSpan() throws(MalformedFrame) -> RawSpan? {
    let length = Int(try int32())
    if length == -1 { return nil }
    let start = try skip(length)
    return bytes.extracting(start..<start + length)
  }

  /// Copies the bytes after a 32-bit length, for fields that are kept, such as a group's
  /// assignments.
  @_lifetime(self: copy self)
  mutating func byteArray() throws(MalformedFrame) -> [UInt8] {
    guard let span = try nullableSpan() else { return [] }
    return unsafe span.withUnsafeBytes { unsafe Array($0) }
  }

  /// Reads the number of elements of an array; `nil` for a null array. Each element has at least
  /// one byte, so a count larger than the rest of the frame is refused before memory is allocated.
  @_lifetime(self: copy self)
  mutating func nullableCount() throws(MalformedFrame) -> Int? {
    let count = isFlexible ? try varint() - 1 : Int(try int32())
    if count == -1 { return nil }
    guard count >= 0, count <= remaining else {
      throw MalformedFrame(reason: "an array is longer than its frame")
    }
    return count
  }

  @_lifetime(self: copy self)
  mutating func count() throws(MalformedFrame) -> Int {
    try nullableCount() ?? 0
  }

  // Fields that this broker does not use. The callers name them as the protocol does.

  @_lifetime(self: copy self)
  mutating func skipInt8(_ name: StaticString) throws(MalformedFrame) { try skip(1) }

  @_lifetime(self: copy self)
  mutating func skipInt32(_ name: StaticString) throws(MalformedFrame) { try skip(4) }

  @_lifetime(self: copy self)
  mutating func skipInt64(_ name: StaticString) throws(MalformedFrame) { try skip(8) }

  @_lifetime(self: copy self)
  mutating func skipString(_ name: StaticString) throws(MalformedFrame) { _ = try string() }

  @_lifetime(self: copy self)
  mutating func skipNullableString(_ name: StaticString) throws(MalformedFrame) {
    _ = try nullableString()
  }

  @_lifetime(self: copy self)
  mutating func skipBytes(_ name: StaticString) throws(MalformedFrame) { _ = try nullableSpan() }

  /// An array of strings, `nil` for a null array.
  @_lifetime(self: copy self)
  mutating func nullableStrings() throws(MalformedFrame) -> [String]? {
    guard let count = try nullableCount() else { return nil }
    var strings: [String] = []
    for _ in 0..<count { strings.append(try string()) }
    return strings
  }

  @_lifetime(self: copy self)
  mutating func strings() throws(MalformedFrame) -> [String] {
    try nullableStrings() ?? []
  }

  /// Reads topics with partition numbers; `nil` for a null array.
  @_lifetime(self: copy self)
  mutating func nullableTopics() throws(MalformedFrame) -> [(topic: String, partitions: [Int32])]? {
    guard let count = try nullableCount() else { return nil }
    var topics: [(topic: String, partitions: [Int32])] = []
    for _ in 0..<count {
      let topic = try string()
      var partitions: [Int32] = []
      for _ in 0..<(try self.count()) { partitions.append(try int32()) }
      topics.append((topic, partitions))
    }
    return topics
  }
}
