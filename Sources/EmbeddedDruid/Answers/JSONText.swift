/// Strings as Jackson writes them: control characters are escaped, and characters beyond the basic
/// plane are escaped surrogate pairs.
enum JSONText {
  static func append(_ text: String, to out: inout [UInt8]) {
    var text = text
    text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0), to: &out) }
  }

  static func append(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    unsafe escape(bytes, to: &out) { byte in
      byte < 0x20 || byte >= 0xf0 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
    out.append(UInt8(ascii: "\""))
  }

  /// Appends JSON as it is, but for the characters beyond the basic plane.
  static func append(json bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    unsafe escape(bytes, to: &out) { $0 >= 0xf0 }
  }

  @inline(__always)
  private static func escape(
    _ bytes: UnsafeRawBufferPointer, to out: inout [UInt8], where isEscaped: (UInt8) -> Bool
  ) {
    var start = 0
    var index = 0
    while index < bytes.count {
      let byte = unsafe bytes[index]
      guard isEscaped(byte) else {
        index += 1
        continue
      }
      unsafe out.append(contentsOf: bytes[start..<index])
      if byte >= 0xf0, index + 3 < bytes.count {
        let scalar = (0..<4).reduce(UInt32(0)) { number, place in
          let byte = unsafe UInt32(bytes[index + place])
          return number << 6 | (place == 0 ? byte & 0x07 : byte & 0x3f)
        }
        let offset = scalar &- 0x10000
        appendUnit(0xd800 + (offset >> 10 & 0x3ff), to: &out)
        appendUnit(0xdc00 + (offset & 0x3ff), to: &out)
        index += 4
      } else {
        appendEscape(byte, to: &out)
        index += 1
      }
      start = index
    }
    unsafe out.append(contentsOf: bytes[start..<bytes.count])
  }

  private static func appendEscape(_ byte: UInt8, to out: inout [UInt8]) {
    let short: Character? =
      switch byte {
      case UInt8(ascii: "\""): "\""
      case UInt8(ascii: "\\"): "\\"
      case 0x08: "b"
      case 0x09: "t"
      case 0x0a: "n"
      case 0x0c: "f"
      case 0x0d: "r"
      default: nil
      }
    if let short {
      out.append(contentsOf: "\\\(short)".utf8)
    } else {
      appendUnit(UInt32(byte), to: &out)
    }
  }

  private static func appendUnit(_ unit: UInt32, to out: inout [UInt8]) {
    let digits = Array("0123456789ABCDEF".utf8)
    out.append(contentsOf: "\\u".utf8)
    for shift in [12, 8, 4, 0] { out.append(digits[Int(unit >> UInt32(shift) & 0xf)]) }
  }
}
