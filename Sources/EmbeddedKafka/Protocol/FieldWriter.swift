/// Writes the fields of a response in the protocol's encoding.
///
/// Callers can pass a field's name in the protocol to document a value. The name is not written.
struct FieldWriter {
  private(set) var bytes: [UInt8] = []
  /// Whether lengths are varints of the length plus one, and structures end with tagged fields.
  var isFlexible = false

  /// Writes an empty list of tagged fields at the end of a structure.
  mutating func tags() {
    if isFlexible { bytes.append(0) }
  }

  private mutating func varint(_ value: Int) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Writes the number of elements of an array.
  mutating func arrayCount(_ value: Int) {
    if isFlexible { varint(value + 1) } else { count(value) }
  }

  mutating func int8(_ value: Int8, _ name: StaticString = "") {
    bytes.append(UInt8(bitPattern: value))
  }

  mutating func int16(_ value: Int16, _ name: StaticString = "") { integer(value) }

  mutating func int32(_ value: Int32, _ name: StaticString = "") { integer(value) }

  mutating func int64(_ value: Int64, _ name: StaticString = "") { integer(value) }

  mutating func bool(_ value: Bool, _ name: StaticString = "") { int8(value ? 1 : 0) }

  /// Writes `throttle_time_ms`: how long the broker throttles the client.
  mutating func throttleTime(_ time: Duration = .zero) {
    let (seconds, attoseconds) = time.components
    int32(Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }

  mutating func error(_ code: ErrorCode) { int16(code.rawValue) }

  /// Writes a count, a length or another 32-bit number.
  mutating func count(_ value: Int, _ name: StaticString = "") { int32(Int32(clamping: value)) }

  private mutating func integer(_ value: some FixedWidthInteger) {
    for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// Writes a string of at most 32,767 bytes. Other limits keep every string below that.
  mutating func string(_ text: String, _ name: StaticString = "") {
    let encoded = text.utf8.prefix(Int(Int16.max))
    if isFlexible { varint(encoded.count + 1) } else { int16(Int16(encoded.count)) }
    bytes.append(contentsOf: encoded)
  }

  mutating func nullableString(_ text: String?, _ name: StaticString = "") {
    if let text { string(text) } else if isFlexible { varint(0) } else { int16(-1) }
  }

  /// Writes bytes without a length.
  mutating func raw(_ content: some Sequence<UInt8>) { bytes.append(contentsOf: content) }

  mutating func byteArray(_ content: [UInt8]) {
    arrayCount(content.count)
    bytes.append(contentsOf: content)
  }

  mutating func array<Element>(
    _ elements: some Collection<Element>, _ write: (inout FieldWriter, Element) -> Void
  ) {
    arrayCount(elements.count)
    for element in elements { write(&self, element) }
  }

  /// Overwrites the four bytes at `offset`, for a length that is only known later.
  mutating func patch(_ value: Int32, at offset: Int) {
    for index in 0..<4 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * index))
    }
  }
}
