/// Parses the consecutive objects of a message as leniently as Druid's reader. Used for messages
/// that the fast parser refuses (several objects, invalid UTF-8, lone surrogates).
struct MessageText {
  struct Malformed: Error {}

  private let units: [UInt8]
  private var place = 0

  /// Invalid UTF-8 is first replaced by U+FFFD, as in Druid.
  init(_ bytes: UnsafeRawBufferPointer) {
    units = Array(unsafe String(decoding: bytes, as: UTF8.self).utf8)
  }

  /// All objects of the message.
  mutating func objects() throws(Malformed) -> [[FieldValue.Member]] {
    var objects: [[FieldValue.Member]] = []
    skipSpace()
    while place < units.count {
      guard case .object(let members) = try value(depth: 0) else { throw Malformed() }
      objects.append(members)
      skipSpace()
    }
    return objects
  }

  private var next: UInt8? { place < units.count ? units[place] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
      place += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func value(depth: Int) throws(Malformed) -> FieldValue {
    // Jackson's limit is 1000. This one limits the use of a thread's stack.
    guard depth < 500 else { throw Malformed() }
    switch next {
    case UInt8(ascii: "{"):
      place += 1
      var members: [FieldValue.Member] = []
      skipSpace()
      if take("}") { return .object(members) }
      repeat {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw Malformed() }
        let key = try string()
        skipSpace()
        guard take(":") else { throw Malformed() }
        skipSpace()
        let value = try value(depth: depth + 1)
        if let old = members.firstIndex(where: { $0.key == key }) {
          members[old].value = value
        } else {
          members.append(.init(key: key, value: value))
        }
        skipSpace()
      } while take(",")
      guard take("}") else { throw Malformed() }
      return .object(members)
    case UInt8(ascii: "["):
      place += 1
      var elements: [FieldValue] = []
      skipSpace()
      if take("]") { return .list(elements) }
      repeat {
        skipSpace()
        elements.append(try value(depth: depth + 1))
        skipSpace()
      } while take(",")
      guard take("]") else { throw Malformed() }
      return .list(elements)
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(
    _ word: StaticString, _ value: FieldValue
  ) throws(Malformed) -> FieldValue {
    for scalar in word.description.unicodeScalars { guard take(scalar) else { throw Malformed() } }
    if let byte = next, byte | 0x20 >= 0x61, byte | 0x20 <= 0x7a { throw Malformed() }
    return value
  }

  private mutating func number() throws(Malformed) -> FieldValue {
    let start = place
    _ = take("-")
    let whole = digits()
    guard whole == 1 || (whole > 1 && units[place - whole] != UInt8(ascii: "0")) else {
      throw Malformed()
    }
    if take(".") { guard digits() > 0 else { throw Malformed() } }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      guard digits() > 0 else { throw Malformed() }
    }
    if let byte = next, !", ]}\t\r\n".utf8.contains(byte) { throw Malformed() }
    return .number(String(decoding: units[start..<place], as: UTF8.self))
  }

  private mutating func digits() -> Int {
    let start = place
    while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
    return place - start
  }

  private mutating func string() throws(Malformed) -> String {
    place += 1
    let start = place
    while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      place += 1
    }
    // Nearly every text is a single run without escapes.
    if take("\"") { return String(decoding: units[start..<place - 1], as: UTF8.self) }
    place = start
    var text: [UInt16] = []
    var plain: [UInt8] = []
    func flushed() -> [UInt16] { Array(String(decoding: plain, as: UTF8.self).utf16) }
    while let byte = next {
      place += 1
      switch byte {
      case UInt8(ascii: "\""):
        text += flushed()
        return Self.withoutLoneSurrogates(text)
      case UInt8(ascii: "\\"):
        text += flushed()
        plain.removeAll()
        text.append(try escape())
      case 0..<0x20: throw Malformed()
      default: plain.append(byte)
      }
    }
    throw Malformed()
  }

  private mutating func escape() throws(Malformed) -> UInt16 {
    guard let byte = next else { throw Malformed() }
    place += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt16(byte)
    case UInt8(ascii: "b"): return 8
    case UInt8(ascii: "f"): return 12
    case UInt8(ascii: "n"): return 10
    case UInt8(ascii: "r"): return 13
    case UInt8(ascii: "t"): return 9
    case UInt8(ascii: "u"):
      guard place + 4 <= units.count,
        let unit = UInt16(String(decoding: units[place..<place + 4], as: UTF8.self), radix: 16),
        units[place] != UInt8(ascii: "+"), units[place] != UInt8(ascii: "-")
      else { throw Malformed() }
      place += 4
      return unit
    default: throw Malformed()
    }
  }

  /// Java's encoder writes `?` for a lone surrogate.
  private static func withoutLoneSurrogates(_ units: [UInt16]) -> String {
    var fixed = units
    var index = 0
    while index < fixed.count {
      if UTF16.isLeadSurrogate(fixed[index]) {
        if index + 1 < fixed.count, UTF16.isTrailSurrogate(fixed[index + 1]) {
          index += 1
        } else {
          fixed[index] = UInt16(UInt8(ascii: "?"))
        }
      } else if UTF16.isTrailSurrogate(fixed[index]) {
        fixed[index] = UInt16(UInt8(ascii: "?"))
      }
      index += 1
    }
    return String(decoding: fixed, as: UTF16.self)
  }
}
