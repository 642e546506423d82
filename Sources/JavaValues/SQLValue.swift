/// A value as SQLite represents it.
///
/// NaN is the text `NaN`. A multi-value is a blob with a JSON array.
package enum SQLValue: Hashable, Sendable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])

  package static func boolean(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }

  /// A double as SQLite can represent it.
  package static func double(_ value: Double) -> SQLValue {
    value.isNaN ? .text("NaN") : .real(value)
  }

  package var isNull: Bool { if case .null = self { true } else { false } }

  package static func == (left: SQLValue, right: SQLValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.integer(let left), .integer(let right)): left == right
    case (.real(let left), .real(let right)): left == right
    case (.text(let left), .text(let right)): ExactText(left) == ExactText(right)
    case (.blob(let left), .blob(let right)): left == right
    default: false
    }
  }

  /// Sort order: NULL, then numbers by value, then texts in Java's order.
  package func precedes(_ other: SQLValue) -> Bool {
    switch (self, other) {
    case (.null, _): !other.isNull
    case (_, .null): false
    case (.integer(let one), .integer(let other)): one < other
    case (.text(let one), .text(let other)): ExactText(one) < ExactText(other)
    default: (double ?? 0) < (other.double ?? 0)
    }
  }

  /// The value as a double, from an integer, a real or the text `NaN`.
  package var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    case .text(let text): text == "NaN" ? .nan : JavaNumber.double(text)
    case .null, .blob: nil
    }
  }

  package var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .real(let value): JavaNumber.long(value)
    case .text(let text): JavaNumber.long(text)
    case .null, .blob: nil
    }
  }

  /// The value as Java prints it; a blob is its bytes.
  package var text: String? {
    switch self {
    case .null: nil
    case .integer(let value): String(value)
    case .real(let value): JavaNumber.text(value)
    case .text(let text): text
    case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
    }
  }
}

/// Why a function could not compute a result.
package enum ValueFailure: Error, Equatable, Sendable {
  /// Druid's `/ by zero`.
  case divisionByZero
  /// Druid refuses the arguments, with this message.
  case invalid(String)
  /// Druid's planner refuses a constant, with this message.
  case invalidConstant(String)
  /// It is not certain that Druid would give the same result.
  case unsupported(String)
  /// Druid's planner fails because of a bug, with this message.
  case uncategorized(String)
  /// Druid's planner overflows its stack, and its container answers with a page of its own.
  case overflow
  /// The query's time is up, or the client is gone.
  case interrupted
}
