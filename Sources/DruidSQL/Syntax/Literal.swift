import JavaValues

/// A constant as written. The grammar alone decides its kind.
enum Literal: Hashable, Sendable {
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
struct IntervalLiteral: Hashable, Sendable {
  var text: String
  var isNegative: Bool
  var qualifier: IntervalQualifier
}

/// The units of an interval: `DAY`, `DAY(3) TO SECOND(6)`.
struct IntervalQualifier: Hashable, Sendable {
  var from: TimeUnit
  var until: TimeUnit?
  var precision: Int?
  var fraction: Int?

  /// Whether it counts months rather than milliseconds.
  var countsMonths: Bool { [.year, .quarter, .month].contains(from) }
}
