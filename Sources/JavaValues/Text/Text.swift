/// Druid's string functions. Lengths and positions count UTF-16 units, as in Java.
package enum Text {
  package static func length(_ text: String) -> Int64 { Int64(text.utf16.count) }

  /// Up to `count` units from `start` (counted from 0), or all remaining ones when `count` is
  /// negative.
  private static func units(_ text: String, from start: Int, count: Int) -> String {
    guard
      let first = text.utf16.index(
        text.utf16.startIndex, offsetBy: start, limitedBy: text.utf16.endIndex)
    else { return "" }
    let rest = text.utf16[first...]
    let part = count < 0 ? rest : rest.prefix(count)
    return String(part) ?? String(decoding: Array(part), as: UTF16.self)
  }

  /// SUBSTRING with a start from 1; a negative length means to the end. nil behind the end.
  package static func substring(
    _ text: String, from start: Int64, length: Int64
  ) throws(ValueFailure) -> String? {
    guard start >= 1 else {
      throw .uncategorized("Function[substring] encountered unknown exception.")
    }
    let limit = Int64(text.utf16.count)
    guard start <= limit else { return nil }
    return units(text, from: Int(start - 1), count: Int(min(length, limit)))
  }

  package static func left(_ text: String, _ count: Int64) throws(ValueFailure) -> String {
    guard count >= 0 else {
      throw .uncategorized("Function[left] needs a positive integer as the second argument")
    }
    return units(text, from: 0, count: Int(clamping: count))
  }

  package static func right(_ text: String, _ count: Int64) throws(ValueFailure) -> String {
    guard count >= 0 else {
      throw .uncategorized("Function[right] needs a positive integer as the second argument")
    }
    return units(text, from: max(0, text.utf16.count - Int(clamping: count)), count: -1)
  }

  package static func reversed(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.reversed()))
  }

  /// REPEAT; NULL for a count below 1.
  package static func repeated(_ text: String, _ count: Int64) throws(ValueFailure) -> String? {
    guard count > 0 else { return nil }
    if text.isEmpty { return "" }
    guard Int64(text.utf8.count).multipliedReportingOverflow(by: count).partialValue <= sizeLimit,
      count <= sizeLimit
    else { throw .unsupported("The text of REPEAT is too long") }
    return String(repeating: text, count: Int(count))
  }

  /// Maximum length of a text that a function makes, in bytes.
  package static let sizeLimit: Int64 = 16_777_216

  /// - Throws: `unsupported` for a text that would be longer than ``sizeLimit``.
  package static func checkSize(_ count: Int) throws(ValueFailure) {
    guard count <= sizeLimit else {
      throw .unsupported("A text of more than \(sizeLimit >> 20) MiB")
    }
  }

  /// LPAD and RPAD: cut to the length when longer; NULL for the length 0, nothing for a negative one.
  package static func padded(
    _ text: String, to length: Int64, with pad: String, atStart: Bool
  ) throws(ValueFailure) -> String? {
    guard length > 0 else { return length < 0 ? "" : nil }
    guard length <= sizeLimit else { throw .unsupported("The text of a padding is too long") }
    let missing = Int(length) - text.utf16.count
    guard missing > 0 else { return units(text, from: 0, count: Int(length)) }
    guard !pad.isEmpty else { return text }
    let source = Array(pad.utf16)
    let filler = (0..<missing).map { source[$0 % source.count] }
    let padding = String(decoding: filler, as: UTF16.self)
    return atStart ? padding + text : text + padding
  }

  package enum Side: Sendable {
    case both
    case start
    case end
  }

  package static func trimmed(_ text: String, of characters: String, _ side: Side) -> String {
    let set = Set(characters.unicodeScalars)
    var rest = text.unicodeScalars[...]
    if side != .end { rest = rest.drop { set.contains($0) } }
    if side != .start {
      while let last = rest.last, set.contains(last) { rest = rest.dropLast() }
    }
    return String(rest)
  }

  /// STRPOS and POSITION: the position from 1, or 0 when absent. `start` also counts from 1.
  package static func position(of needle: String, in text: String, from start: Int64) -> Int64 {
    let units = text.utf16
    let first = start > 1 ? Int(clamping: start) - 1 : 0
    guard first <= units.count - needle.utf16.count else { return 0 }
    let from = String.Index(utf16Offset: first, in: text)
    let offset = text.utf8.distance(from: text.startIndex, to: from)
    guard let found = ByteSearch(Array(needle.utf8)).first(in: Array(text.utf8), from: offset)
    else { return 0 }
    let place = text.utf8.index(text.startIndex, offsetBy: found)
    return Int64(units.distance(from: units.startIndex, to: place) + 1)
  }

  package static func contains(_ text: String, _ needle: String) -> Bool {
    ByteSearch(Array(needle.utf8)).first(in: Array(text.utf8), from: 0) != nil
  }

  package static func replacing(
    _ pattern: String, with replacement: String, in text: String
  ) throws(ValueFailure) -> String {
    let source = Array(text.utf8)
    let search = ByteSearch(Array(pattern.utf8))
    let put = Array(replacement.utf8)
    var result: [UInt8] = []
    guard !search.wanted.isEmpty else {
      result += put
      for character in text {
        result += character.utf8
        result += put
        try checkSize(result.count)
      }
      return String(decoding: result, as: UTF8.self)
    }
    var index = 0
    while let found = search.first(in: source, from: index) {
      result += source[index..<found]
      result += put
      try checkSize(result.count)
      index = found + search.wanted.count
    }
    return String(decoding: result + source[index...], as: UTF8.self)
  }

  /// PARSE_LONG
  package static func long(_ text: String, radix: Int64) -> Int64? {
    guard (2...36).contains(radix) else { return nil }
    var digits = text
    if radix == 16, digits.hasPrefix("0x") || digits.hasPrefix("0X") { digits.removeFirst(2) }
    return JavaNumber.digits(digits, radix: Int(radix))
  }

  /// DECODE_BASE64_UTF8
  package static func decodedBase64(_ text: String) throws(ValueFailure) -> String {
    var bytes: [UInt8] = []
    var buffer: UInt32 = 0
    var bits: UInt32 = 0
    let padding = text.utf8.reversed().prefix { $0 == 61 }.count
    guard (text.utf8.count - padding) % 4 != 1 else {
      throw .invalid("Last unit does not have enough valid bits")
    }
    guard padding == 0 || text.utf8.count % 4 == 0, padding < 3 else {
      throw .invalid("Input byte array has incorrect ending byte at \(text.utf8.count - padding)")
    }
    for byte in text.utf8.reversed().drop(while: { $0 == 61 }).reversed() {
      let value: UInt8
      switch byte {
      case 65...90: value = byte - 65
      case 97...122: value = byte - 71
      case 48...57: value = byte + 4
      case 43: value = 62
      case 47: value = 63
      default: throw .invalid("Illegal base64 character \(String(byte, radix: 16))")
      }
      buffer = buffer << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
