/// Writes the fields of a response in the protocol's encoding.
///
/// A value that says nothing by itself is given the name that the protocol has for its field; the name does not travel.
struct FieldWriter {
  private(set) var bytes: [UInt8] = []
  /// Whether lengths are varints, one higher than they are, and structures end in tagged fields.
  var isFlexible = false

  /// The tagged fields at the end of a structure: none.
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

  /// The count of an array's elements.
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

  /// `throttle_time_ms`: how long the client is made to wait.
  mutating func throttleTime(_ time: Duration = .zero) {
    let (seconds, attoseconds) = time.components
    int32(Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }

  mutating func error(_ code: ErrorCode) { int16(code.rawValue) }

  /// A count, a length or a number that the protocol keeps in 32 bits.
  mutating func count(_ value: Int, _ name: StaticString = "") { int32(Int32(clamping: value)) }

  private mutating func integer(_ value: some FixedWidthInteger) {
    for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// At most 32,767 bytes travel; every string here is shorter by its own limits.
  mutating func string(_ text: String, _ name: StaticString = "") {
    let encoded = text.utf8.prefix(Int(Int16.max))
    if isFlexible { varint(encoded.count + 1) } else { int16(Int16(encoded.count)) }
    bytes.append(contentsOf: encoded)
  }

  mutating func nullableString(_ text: String?, _ name: StaticString = "") {
    if let text { string(text) } else if isFlexible { varint(0) } else { int16(-1) }
  }

  /// Bytes as they are, without a length.
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

  /// Puts `value` over the four bytes at `offset`: for a length that is known afterwards.
  mutating func patch(_ value: Int32, at offset: Int) {
    for index in 0..<4 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * index))
    }
  }
}
