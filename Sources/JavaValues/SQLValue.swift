/// A value as it crosses the border to SQLite.
///
/// A double that is not a number is the text `NaN`; a multi-value is a blob that holds a JSON array.
package enum SQLValue: Hashable, Sendable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])

  package static func boolean(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }

  /// A double as SQLite can hold it.
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

  /// NULL first, then numbers by their worth and texts in Java's order.
  package func precedes(_ other: SQLValue) -> Bool {
    switch (self, other) {
    case (.null, _): !other.isNull
    case (_, .null): false
    case (.integer(let one), .integer(let other)): one < other
    case (.text(let one), .text(let other)): ExactText(one) < ExactText(other)
    default: (double ?? 0) < (other.double ?? 0)
    }
  }

  /// The number that an integer, a real or the text `NaN` stands for.
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

  /// As Java would print it; a blob's bytes as they are.
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

/// Why a function refused its arguments.
package enum ValueFailure: Error, Equatable, Sendable {
  /// Druid's `/ by zero`.
  case divisionByZero
  /// The arguments are Druid's to refuse: the words are Druid's.
  case invalid(String)
  /// A constant that Druid does not take when it plans: the words are Druid's.
  case invalidConstant(String)
  /// Nothing that is known for certain to be answered as Druid does.
  case unsupported(String)
  /// Druid fails on it while it plans, by a fault of its own: the words are Druid's.
  case uncategorized(String)
  /// The query's time is up, or nobody waits for it any more.
  case interrupted
}
