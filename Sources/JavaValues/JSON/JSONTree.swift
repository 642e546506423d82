/// A JSON value, as arrays, multi-values and nested columns contain it.
package enum JSONTree: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  /// A whole number beyond 64 bits, as it was written.
  case digits(String)
  case real(Double)
  case string(String)
  case array([JSONTree])
  case object([Member])

  package struct Member: Hashable, Sendable {
    package var key: String
    package var value: JSONTree

    package init(key: String, value: JSONTree) {
      self.key = key
      self.value = value
    }

    package static func == (left: Member, right: Member) -> Bool {
      ExactText(left.key) == ExactText(right.key) && left.value == right.value
    }
  }

  package static func == (left: JSONTree, right: JSONTree) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.boolean(let left), .boolean(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.digits(let left), .digits(let right)): left == right
    case (.real(let left), .real(let right)): left == right
    case (.string(let left), .string(let right)): ExactText(left) == ExactText(right)
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left == right
    default: false
    }
  }

  package init(_ value: SQLValue) {
    switch value {
    case .null: self = .null
    case .integer(let value): self = .integer(value)
    case .real(let value): self = .real(value)
    case .text(let text): self = .string(text)
    case .blob(let bytes): self = JSONTree(parsing: String(decoding: bytes, as: UTF8.self)) ?? .null
    }
  }

  /// The SQL value: numbers and strings unchanged, arrays and objects as their text.
  package var value: SQLValue {
    switch self {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .digits(let digits): .integer(Self.lowBits(digits))
    case .real(let value): .double(value)
    case .string(let text): .text(text)
    case .array, .object: .text(text)
    }
  }

  /// Whether both are equal; an integer equals a real of the same value.
  package func equals(_ other: JSONTree) -> Bool {
    switch (self, other) {
    case (.integer(let left), .real(let right)), (.real(let right), .integer(let left)):
      Double(left) == right
    default: self == other
    }
  }

  /// The low 64 bits of a whole number, as Java's BigInteger.longValue.
  private static func lowBits(_ digits: String) -> Int64 {
    let magnitude = digits.utf8.reduce(Int64(0)) { sum, byte in
      (48...57).contains(byte) ? sum &* 10 &+ Int64(byte - 48) : sum
    }
    return digits.utf8.first == UInt8(ascii: "-") ? 0 &- magnitude : magnitude
  }

  // MARK: Printing

  /// JSON text without spaces; reals are in Java's form.
  package var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .digits(let digits): text += digits
    case .real(let value):
      text += value.isFinite ? JavaNumber.text(value) : "\"\(JavaNumber.text(value))\""
    case .string(let string): Self.write(string, to: &text)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        element.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        Self.write(member.key, to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{8}": text += "\\b"
      case "\u{C}": text += "\\f"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16, uppercase: true)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
