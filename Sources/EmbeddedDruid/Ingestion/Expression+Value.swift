import DruidSQL
import Glibc
import JavaValues

/// A row's fields as expressions see them.
struct InputRow: Sendable, Equatable {
  /// The time read by the timestamp spec.
  var time: Int64
  var fields: [FieldValue.Member]

  subscript(name: String) -> FieldValue {
    if name == "__time" { return .long(time) }
    return fields.first { $0.key == name }?.value ?? .null
  }
}

extension Expression {
  /// Evaluates the expression. Missing fields are null, and null makes arithmetic and comparisons
  /// null.
  func value(of row: InputRow) throws(Failure) -> FieldValue {
    try Self.value(root, row)
  }

  static func value(_ node: Node, _ row: InputRow) throws(Failure) -> FieldValue {
    switch node {
    case .null: return .null
    case .long(let value): return .long(value)
    case .double(let value): return .double(value)
    case .text(let text): return .text(text)
    case .field(let name): return row[name].asOperand
    case .minus(let inner):
      switch try scalar(inner, row) {
      case .null: return .null
      case .long(let value): return .long(0 &- value)
      case .double(let value): return .double(-value)
      default: throw .unknown("the minus of a text")
      }
    case .not(let inner):
      let value = try scalar(inner, row)
      return value == .null ? .null : truth(!value.isTrue)
    case .binary(let sign, let left, let right): return try binary(sign, left, right, row)
    case .call(let function, let arguments, let constant):
      return try call(function, arguments, constant, row)
    }
  }

  /// A value that is not a list or object, whose treatment is not known here.
  static func scalar(_ node: Node, _ row: InputRow) throws(Failure) -> FieldValue {
    let value = try value(node, row)
    switch value {
    case .list, .object: throw .unknown("a list or an object in an expression")
    default: return value
    }
  }

  static func truth(_ isTrue: Bool) -> FieldValue { .long(isTrue ? 1 : 0) }

  private static func binary(
    _ sign: String, _ left: Node, _ right: Node, _ row: InputRow
  ) throws(Failure) -> FieldValue {
    let a = try scalar(left, row)
    if sign == "&&" || sign == "||" {
      // An operand that decides alone does so, whatever the other is. Otherwise null makes the
      // result null.
      let decides = sign == "||"
      if a != .null, a.isTrue == decides { return truth(decides) }
      let b = try scalar(right, row)
      if b != .null, b.isTrue == decides { return truth(decides) }
      return a == .null || b == .null ? .null : truth(!decides)
    }
    let b = try scalar(right, row)
    if a == .null || b == .null { return .null }
    switch (a, b) {
    case (.text(let a), .text(let b)):
      if sign == "+" { return .text(a + b) }
      let (one, other) = (ExactText(a), ExactText(b))
      let order = one == other ? 0 : one < other ? -1 : 1
      if let order = compare(sign, order) { return truth(order) }
      throw .bad("operator '\(sign)' in expression is not supported on type STRING.")
    case (.long(let a), .long(let b)):
      if let order = compare(sign, a < b ? -1 : a > b ? 1 : 0) { return truth(order) }
      return try whole(sign, a, b)
    default:
      // A text that is not a number counts as null when compared or combined with a number.
      guard let a = a.asNumber, let b = b.asNumber else { return .null }
      return try real(sign, a, b)
    }
  }

  /// The result of a comparison for an order (less, equal, greater); nil for other operators.
  private static func compare(_ sign: String, _ order: Int) -> Bool? {
    switch sign {
    case "<": order < 0
    case "<=": order <= 0
    case ">": order > 0
    case ">=": order >= 0
    case "==": order == 0
    case "!=": order != 0
    default: nil
    }
  }

  private static func whole(_ sign: String, _ a: Int64, _ b: Int64) throws(Failure) -> FieldValue {
    switch sign {
    case "+": return .long(a &+ b)
    case "-": return .long(a &- b)
    case "*": return .long(a &* b)
    case "/", "%":
      guard b != 0 else { throw .bad("/ by zero") }
      return .long(
        sign == "/"
          ? a.dividedReportingOverflow(by: b).partialValue
          : a.remainderReportingOverflow(dividingBy: b).partialValue)
    default: throw .unknown("a power of whole numbers")
    }
  }

  private static func real(_ sign: String, _ a: Double, _ b: Double) throws(Failure) -> FieldValue {
    if sign == "==" { return truth(a == b) }
    if sign == "!=" { return truth(a != b) }
    guard !a.isNaN, !b.isNaN else { throw .unknown("NaN in an expression") }
    switch sign {
    case "+": return .double(a + b)
    case "-": return .double(a - b)
    case "*": return .double(a * b)
    case "/": return .double(a / b)
    case "%": return .double(a.truncatingRemainder(dividingBy: b))
    case "^": return .double(pow(a, b))
    default:
      // In Java's order, -0.0 precedes 0.0.
      if a == 0, b == 0, a.sign != b.sign { throw .unknown("-0.0 in a comparison") }
      guard let order = compare(sign, a < b ? -1 : a > b ? 1 : 0) else {
        throw .unknown("operator '\(sign)'")
      }
      return truth(order)
    }
  }
}

extension FieldValue {
  /// The field's value as an operand: booleans are numbers.
  fileprivate var asOperand: FieldValue {
    if case .bool(let isTrue) = self { .long(isTrue ? 1 : 0) } else { self }
  }

  /// Whether it is true as a condition.
  var isTrue: Bool {
    switch self {
    case .long(let value): value > 0
    case .double(let value): value > 0
    case .bool(let isTrue): isTrue
    case .text(let text): text.lowercased() == "true"
    case .null, .list, .object: false
    }
  }

  /// The value of a number, or of a text that is one.
  var asNumber: Double? {
    switch self {
    case .long(let value): Double(value)
    case .double(let value): value
    case .text(let text): FieldValue.javaDouble(text)
    default: nil
    }
  }
}
