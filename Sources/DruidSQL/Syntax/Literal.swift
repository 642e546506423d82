package import JavaValues

/// A constant as it was written, its kind decided by the grammar alone.
package enum Literal: Hashable, Sendable {
  /// Digits without point or exponent; the text, because it may not fit 64 bits.
  case integer(String)
  /// Digits with a point and without an exponent: DECIMAL; also `DECIMAL '1.5'`.
  case decimal(String)
  /// With an exponent: DOUBLE.
  case approximate(String)
  /// The value without quotes, `''` and `U&` escapes undone.
  case string(String)
  /// `X'0AFF'`, the digits.
  case binary(String)
  /// TRUE, FALSE; UNKNOWN is `.unknown`.
  case boolean(Bool)
  case unknown
  case null
  /// `DATE '...'`: the text, not yet checked: Druid's validator does that, with the literal's position.
  case date(String)
  case time(String)
  /// `TIMESTAMP '...'`: the text, not yet checked.
  case timestamp(String)
  /// `INTERVAL '...' unit`.
  case interval(IntervalLiteral)
  /// A unit where a function takes one as a plain word, such as the `HOUR` of `TIMESTAMPADD(HOUR, ...)`.
  case symbol(String)
}

/// `INTERVAL [-]'text' FROM [TO UNTIL]`.
package struct IntervalLiteral: Hashable, Sendable {
  package var text: String
  package var isNegative: Bool
  package var qualifier: IntervalQualifier

  package init(text: String, isNegative: Bool, qualifier: IntervalQualifier) {
    self.text = text
    self.isNegative = isNegative
    self.qualifier = qualifier
  }
}

/// The units of an interval: `DAY`, `DAY(3) TO SECOND(6)`.
package struct IntervalQualifier: Hashable, Sendable {
  package var from: TimeUnit
  package var until: TimeUnit?
  package var precision: Int?
  package var fraction: Int?

  package init(from: TimeUnit, until: TimeUnit? = nil, precision: Int? = nil, fraction: Int? = nil)
  {
    self.from = from
    self.until = until
    self.precision = precision
    self.fraction = fraction
  }

  /// Whether it counts months rather than milliseconds.
  package var countsMonths: Bool { [.year, .quarter, .month].contains(from) }
}
