package import JavaValues

/// A constant as written. The grammar alone decides its kind.
package enum Literal: Hashable, Sendable {
  /// Digits without point or exponent. It is text because it may not fit 64 bits.
  case integer(String)
  /// Digits with a point and without an exponent: DECIMAL; also `DECIMAL '1.5'`.
  case decimal(String)
  /// With an exponent: DOUBLE.
  case approximate(String)
  /// The value without quotes, with `''` and `U&` escapes decoded.
  case string(String)
  /// `X'0AFF'`, the digits.
  case binary(String)
  /// TRUE or FALSE; UNKNOWN is `.unknown`.
  case boolean(Bool)
  case unknown
  case null
  /// `DATE '...'`: the text, which Druid's validator checks later, with the literal's position.
  case date(String)
  case time(String)
  /// `TIMESTAMP '...'`: the text, checked later.
  case timestamp(String)
  /// `INTERVAL '...' unit`.
  case interval(IntervalLiteral)
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
