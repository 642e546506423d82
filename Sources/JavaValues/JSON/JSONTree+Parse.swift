extension JSONTree {
  /// Nil when the text is not valid JSON or is nested too deeply.
  package init?(parsing text: String) {
    var reader = JSONReader(text, .value)
    guard let value = reader.value(), reader.isAtEnd() else { return nil }
    self = value
  }

  /// The first value of a text, whatever stands behind it; nil when it does not begin with one.
  package init?(firstOf text: String) {
    var reader = JSONReader(text, .value)
    guard let value = reader.value(), reader.isBetweenValues(behind: value) else { return nil }
    self = value
  }

  /// The only value of a message or of a field in one; nil for anything else.
  package init?(parsingMessage text: String) {
    var reader = JSONReader(text, .message)
    guard let value = reader.value(), reader.isAtEnd() else { return nil }
    self = value
  }

  /// The objects of a message, one after the other, as Druid's ingestion reads them; nil when
  /// anything else stands in it.
  package static func objects(ofMessage text: String) -> [[Member]]? {
    var reader = JSONReader(text, .message)
    var objects: [[Member]] = []
    while !reader.isAtEnd() {
      guard case .object(let members)? = reader.value() else { return nil }
      objects.append(members)
    }
    return objects
  }
}

/// Reads JSON as Jackson does: of equal keys the last one's value counts, at the place of the first.
private struct JSONReader {
  enum Rules {
    /// A value of SQL: strings may hold control characters, and a lone surrogate becomes U+FFFD.
    case value
    /// A message: Java's encoder writes `?` for a lone surrogate.
    case message
  }

  private let bytes: [UInt8]
  private let rules: Rules
  private var place = 0

  init(_ text: String, _ rules: Rules) {
    bytes = Array(text.utf8)
    self.rules = rules
  }

  /// Jackson's limit is 1000 levels. These limit the use of a thread's stack.
  private var deepest: Int { rules == .message ? 500 : 200 }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }

  private mutating func skipBlanks() {
    while let byte = next, Self.isBlank(byte) { place += 1 }
  }

  mutating func isAtEnd() -> Bool {
    skipBlanks()
    return place == bytes.count
  }

  /// Whether a plain value ends where it was read to.
  func isBetweenValues(behind value: JSONTree) -> Bool {
    guard let byte = next else { return true }
    switch value {
    case .integer, .digits, .real: return Self.isBlank(byte)
    case .boolean, .null:
      return byte < 128 && !(48...57).contains(byte) && !(97...122).contains(byte | 32)
        && byte != UInt8(ascii: "_")
    case .string, .array, .object: return true
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func takeMark(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    return take(character)
  }

  mutating func value(depth: Int = 0) -> JSONTree? {
    skipBlanks()
    guard depth < deepest, let first = next else { return nil }
    switch first {
    case UInt8(ascii: "{"): return object(depth: depth)
    case UInt8(ascii: "["): return array(depth: depth)
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "t"): return word("true", .boolean(true))
    case UInt8(ascii: "f"): return word("false", .boolean(false))
    case UInt8(ascii: "n"): return word("null", .null)
    default: return number()
    }
  }

  private mutating func word(_ word: String, _ value: JSONTree) -> JSONTree? {
    for byte in word.utf8 {
      guard next == byte else { return nil }
      place += 1
    }
    return value
  }

  private mutating func object(depth: Int) -> JSONTree? {
    place += 1
    var members: [JSONTree.Member] = []
    // Of many members, where each key stands; few are searched.
    var places: [ExactText: Int] = [:]
    if takeMark("}") { return .object([]) }
    repeat {
      skipBlanks()
      guard let key = string(), takeMark(":"), let value = value(depth: depth + 1) else {
        return nil
      }
      let name = ExactText(key)
      let isLarge = members.count >= 16
      if isLarge, places.isEmpty {
        for (place, member) in members.enumerated() { places[ExactText(member.key)] = place }
      }
      let known =
        isLarge ? places[name] : members.firstIndex { ExactText($0.key) == name }
      if let known {
        members[known].value = value
      } else {
        if isLarge { places[name] = members.count }
        members.append(JSONTree.Member(key: key, value: value))
      }
    } while takeMark(",")
    return takeMark("}") ? .object(members) : nil
  }

  private mutating func array(depth: Int) -> JSONTree? {
    place += 1
    var elements: [JSONTree] = []
    if takeMark("]") { return .array([]) }
    repeat {
      guard let value = value(depth: depth + 1) else { return nil }
      elements.append(value)
    } while takeMark(",")
    return takeMark("]") ? .array(elements) : nil
  }

  private mutating func number() -> JSONTree? {
    let start = place
    _ = take("-")
    let first = next
    let whole = digits()
    guard whole == 1 || whole > 1 && first != UInt8(ascii: "0") else { return nil }
    var isWhole = true
    if take(".") {
      isWhole = false
      guard digits() > 0 else { return nil }
    }
    if take("e") || take("E") {
      isWhole = false
      _ = take("+") || take("-")
      guard digits() > 0 else { return nil }
    }
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    if isWhole { return Int64(text).map { .integer($0) } ?? .digits(text) }
    return Double(text).map { .real($0) }
  }

  private mutating func digits() -> Int {
    let start = place
    while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
    return place - start
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var start = place
    var units: [UInt16] = []
    while let byte = next {
      place += 1
      switch byte {
      case UInt8(ascii: "\""):
        let run = String(decoding: bytes[start..<place - 1], as: UTF8.self)
        // Nearly every text is a single run without escapes.
        if units.isEmpty { return run }
        units += run.utf16
        if rules == .message { Self.replaceLoneSurrogates(&units) }
        return String(decoding: units, as: UTF16.self)
      case UInt8(ascii: "\\"):
        units += String(decoding: bytes[start..<place - 1], as: UTF8.self).utf16
        guard let unit = escape() else { return nil }
        units.append(unit)
        start = place
      case 0..<0x20 where rules == .message: return nil
      default: break
      }
    }
    return nil
  }

  private mutating func escape() -> UInt16? {
    guard let byte = next else { return nil }
    place += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt16(byte)
    case UInt8(ascii: "b"): return 8
    case UInt8(ascii: "f"): return 12
    case UInt8(ascii: "n"): return 10
    case UInt8(ascii: "r"): return 13
    case UInt8(ascii: "t"): return 9
    case UInt8(ascii: "u"):
      guard place + 4 <= bytes.count else { return nil }
      let digits = String(decoding: bytes[place..<place + 4], as: UTF8.self)
      place += 4
      return digits.utf8.first.map { $0 > 0x2f } == true ? UInt16(digits, radix: 16) : nil
    default: return nil
    }
  }

  private static func replaceLoneSurrogates(_ units: inout [UInt16]) {
    var index = 0
    while index < units.count {
      let isPair =
        UTF16.isLeadSurrogate(units[index]) && index + 1 < units.count
        && UTF16.isTrailSurrogate(units[index + 1])
      if !isPair, UTF16.isSurrogate(units[index]) { units[index] = UInt16(UInt8(ascii: "?")) }
      index += isPair ? 2 : 1
    }
  }
}
