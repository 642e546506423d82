/// Strict parsing of RFC 8259 text, at most 512 levels deep.
extension JSONValue {
  /// Text that is not valid JSON.
  package struct Malformed: Error, Equatable, Sendable {
    package let reason: String
    /// Bytes from the start of the text.
    package let offset: Int
  }

  package init(parsing text: String) throws(Malformed) {
    try self.init(parsing: Array(text.utf8))
  }

  /// Parses one value with only white space around it.
  package init(parsing bytes: [UInt8]) throws(Malformed) {
    var parser = JSONParser(bytes: bytes)
    parser.skipSpace()
    self = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.isAtEnd else { throw parser.failure("unexpected text after the value") }
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { place == bytes.count }
  var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  func failure(_ reason: String) -> JSONValue.Malformed {
    JSONValue.Malformed(reason: isAtEnd ? "unexpected end of text" : reason, offset: place)
  }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0a).contains(byte) || byte == 0x0d {
      place += 1
    }
  }

  mutating func value(depth: Int) throws(JSONValue.Malformed) -> JSONValue {
    guard depth < 512 else { throw failure("nested more than 512 levels deep") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(
    _ word: String, _ value: JSONValue
  ) throws(JSONValue.Malformed) -> JSONValue {
    for byte in word.utf8 {
      guard next == byte else { throw failure("expected '\(word)'") }
      place += 1
    }
    return value
  }

  private mutating func number() throws(JSONValue.Malformed) -> String {
    let start = place
    _ = take("-")
    let whole = digits()
    let hasLeadingZero = whole > 1 && bytes[place - whole] == UInt8(ascii: "0")
    guard whole > 0, !hasLeadingZero else { throw failure("expected a value") }
    if take(".") { guard digits() > 0 else { throw failure("expected a digit") } }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      guard digits() > 0 else { throw failure("expected a digit") }
    }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func digits() -> Int {
    let start = place
    while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
    return place - start
  }

  private mutating func object(depth: Int) throws(JSONValue.Malformed) -> JSONValue {
    place += 1
    var members: [JSONValue.Member] = []
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw failure("expected ':'") }
      skipSpace()
      members.append(.init(key: key, value: try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("expected ',' or '}'") }
    }
  }

  private mutating func array(depth: Int) throws(JSONValue.Malformed) -> JSONValue {
    place += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      skipSpace()
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(elements) }
      guard take(",") else { throw failure("expected ',' or ']'") }
    }
  }

  private mutating func string() throws(JSONValue.Malformed) -> String {
    place += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        place += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("a string is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"):
        place += 1
        try escape(into: &text)
      case 0..<0x20:
        throw failure("a control character in a string")
      default:
        text.append(byte)
        place += 1
      }
    }
    throw failure("unexpected end of text")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONValue.Malformed) {
    guard let byte = next else { throw failure("unexpected end of text") }
    place += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"): text += try scalar().utf8Bytes
    default: throw failure("an unknown escape")
    }
  }

  private mutating func scalar() throws(JSONValue.Malformed) -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    // A high surrogate must be followed by a low one; a lone surrogate encodes no character.
    guard first < 0xdc00, take("\\"), take("u") else { throw failure("a lone surrogate") }
    let second = try hexadecimal()
    guard (0xdc00..<0xe000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw failure("a lone surrogate") }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONValue.Malformed) -> UInt32 {
    var number: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue,
        byte < 0x80
      else { throw failure("expected four hexadecimal digits") }
      number = number * 16 + UInt32(digit)
      place += 1
    }
    return number
  }
}

extension Unicode.Scalar {
  fileprivate var utf8Bytes: [UInt8] { Array(String(Character(self)).utf8) }
}
