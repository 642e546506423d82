import DruidSQL
import JavaValues

/// A value of a message, as in Druid's reader: 64-bit integers, and doubles for all other numbers.
enum FieldValue: Sendable, Equatable {
  case null
  case long(Int64)
  case double(Double)
  case bool(Bool)
  case text(String)
  case list([FieldValue])
  case object([Member])

  struct Member: Sendable, Equatable {
    var key: String
    var value: FieldValue
  }

  /// A number from its JSON token.
  static func number(_ token: String) -> FieldValue {
    let isWhole = token.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
    if isWhole, let whole = Int64(token) { return .long(whole) }
    return .double(Double(token) ?? .nan)
  }

  /// The objects of a message, one after the other; nil when anything else stands in it.
  static func objects(of message: String) -> [[Member]]? {
    JSONTree.objects(ofMessage: message)?.map { object in
      object.map { Member(key: $0.key, value: FieldValue($0.value)) }
    }
  }

  init(_ tree: JSONTree) {
    switch tree {
    case .null: self = .null
    case .boolean(let isTrue): self = .bool(isTrue)
    case .integer(let value): self = .long(value)
    case .digits(let digits): self = Double(digits).map { .double($0) } ?? .null
    case .real(let value): self = .double(value)
    case .string(let text): self = .text(text)
    case .array(let elements): self = .list(elements.map { FieldValue($0) })
    case .object(let members):
      self = .object(members.map { Member(key: $0.key, value: FieldValue($0.value)) })
    }
  }

  var tree: JSONTree {
    switch self {
    case .null: .null
    case .long(let value): .integer(value)
    case .double(let value): .real(value)
    case .bool(let isTrue): .boolean(isTrue)
    case .text(let text): .string(text)
    case .list(let elements): .array(elements.map(\.tree))
    case .object(let members):
      .object(members.map { JSONTree.Member(key: $0.key, value: $0.value.tree) })
    }
  }

  /// The text from Java's `String.valueOf`, which a string column stores; nil for null.
  var javaText: String? {
    switch self {
    case .null: return nil
    case .long(let value): return String(value)
    case .double(let value): return JavaNumber.text(value)
    case .bool(let truth): return truth ? "true" : "false"
    case .text(let text): return text
    case .list(let elements):
      return "[" + elements.map { $0.javaText ?? "null" }.joined(separator: ", ") + "]"
    case .object(let members):
      let pairs = members.map { "\($0.key)=\($0.value.javaText ?? "null")" }
      return "{" + pairs.joined(separator: ", ") + "}"
    }
  }

  /// Whether Druid's schemaless discovery makes a column of it: a plain value, or a list of plain
  /// values.
  var isFlat: Bool {
    switch self {
    case .null, .object: false
    case .list(let elements):
      elements.allSatisfy { element in
        switch element {
        case .list, .object: false
        default: true
        }
      }
    default: true
    }
  }

  /// The value for a long column. A text must be an integer, possibly with a fraction of zeros; nil
  /// for null.
  ///
  /// - Throws: ``NoNumber`` for lists and objects. The row is kept with null, and counted as
  ///   processed with error.
  func asLong() throws(NoNumber) -> Int64? {
    switch self {
    case .null: return nil
    case .long(let value): return value
    case .double(let value): return JavaNumber.long(value)
    case .bool(let truth): return truth ? 1 : 0
    case .text(let text): return Self.exactLong(text)
    case .list, .object: throw NoNumber()
    }
  }

  /// The value for a double column.
  func asDouble() throws(NoNumber) -> Double? {
    switch self {
    case .null: return nil
    case .long(let value): return Double(value)
    case .double(let value): return value
    case .bool(let truth): return truth ? 1 : 0
    case .text(let text): return Self.javaDouble(text)
    case .list, .object: throw NoNumber()
    }
  }

  /// `GuavaUtils.tryParseLong`, and decimals with a zero fraction.
  static func exactLong(_ text: String) -> Int64? {
    if let whole = Int64(text) { return whole }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count == 2, !parts[1].isEmpty, parts[1].allSatisfy({ $0 == "0" }) {
      return Int64(parts[0])
    }
    return nil
  }

  /// Guava's `Doubles.tryParse`, without hexadecimal.
  static func javaDouble(_ text: String) -> Double? {
    switch text {
    case "NaN", "+NaN", "-NaN": return .nan
    case "Infinity", "+Infinity": return .infinity
    case "-Infinity": return -.infinity
    default:
      var number = text
      if let last = number.last, "fFdD".contains(last) { number.removeLast() }
      let isDecimal = number.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte)
      }
      guard isDecimal, number.utf8.contains(where: { (0x30...0x39).contains($0) }) else {
        return nil
      }
      if number.hasPrefix(".") || number.hasPrefix("-.") || number.hasPrefix("+.") {
        number = number.replacingFirst(".", with: "0.")
      }
      return Double(number)
    }
  }
}

/// A list or object where a number is required.
struct NoNumber: Error {}

extension String {
  fileprivate func replacingFirst(_ character: Character, with text: String) -> String {
    guard let index = firstIndex(of: character) else { return self }
    return self[..<index] + text + self[self.index(after: index)...]
  }
}
