import Glibc

/// Druid's arithmetic functions.
package enum Arithmetic {
  package static func divide(_ left: Int64, _ right: Int64) throws(ValueFailure) -> Int64 {
    guard right != 0 else { throw .divisionByZero }
    return left.dividedReportingOverflow(by: right).partialValue
  }

  package static func remainder(_ left: Int64, _ right: Int64) throws(ValueFailure) -> Int64 {
    guard right != 0 else { throw .divisionByZero }
    return left.remainderReportingOverflow(dividingBy: right).partialValue
  }

  /// ROUND of a double: half up by its decimal digits. NaN becomes 0, and infinities become the
  /// largest finite numbers.
  package static func round(_ value: Double, scale: Int64) -> Double {
    if value.isNaN { return 0 }
    guard value.isFinite else {
      return value < 0 ? -Double.greatestFiniteMagnitude : .greatestFiniteMagnitude
    }
    guard scale < 400 else { return value }
    var digits = DecimalDigits(value)
    digits.round(toScale: Int(max(scale, -400)))
    if digits.digits.isEmpty { return 0 }
    return digits.double
  }

  /// ROUND of an integer, which only changes it when the scale is negative.
  package static func round(_ value: Int64, scale: Int64) -> Int64 {
    guard scale < 0 else { return value }
    guard scale > -19 else { return 0 }
    var unit: Int64 = 1
    for _ in 0..<(-scale) { unit *= 10 }
    let cut = value / unit * unit
    let rest = (value - cut).magnitude
    guard rest >= UInt64(unit) - rest else { return cut }
    return value < 0 ? cut &- unit : cut &+ unit
  }

  /// TRUNCATE: multiplies and then truncates, as Druid's expression does.
  package static func truncate(_ value: Double, scale: Int64) -> Double {
    let factor = pow(10, Double(scale))
    return Double(JavaNumber.long(value * factor)) / factor
  }

  /// Java's Math.pow.
  package static func power(_ base: Double, _ exponent: Double) -> Double {
    if exponent.isNaN { return .nan }
    if abs(base) == 1, exponent.isInfinite { return .nan }
    return pow(base, exponent)
  }

  // MARK: Human-readable sizes

  /// HUMAN_READABLE_BINARY_BYTE_FORMAT
  package static func binaryBytes(_ value: Int64, precision: Int64) throws(ValueFailure) -> String {
    let precision = try checked(precision)
    if value > -1024, value < 1024 { return "\(value) B" }
    let unit = (63 - value.magnitude.leadingZeroBitCount) / 10
    let scaled = Double(value) / Double(UInt64(1) << UInt64(unit * 10))
    return fixed(scaled, precision) + " " + ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][unit] + "B"
  }

  /// HUMAN_READABLE_DECIMAL_BYTE_FORMAT; without a suffix, HUMAN_READABLE_DECIMAL_FORMAT
  package static func decimal(
    _ value: Int64, precision: Int64, suffix: String
  ) throws(ValueFailure) -> String {
    let precision = try checked(precision)
    if value > -1000, value < 1000 { return suffix.isEmpty ? "\(value)" : "\(value) \(suffix)" }
    var rest = value
    var unit = 0
    while rest <= -1_000_000 || rest >= 1_000_000 {
      rest /= 1000
      unit += 1
    }
    return fixed(Double(rest) / 1000, precision) + " " + ["K", "M", "G", "T", "P", "E"][unit]
      + suffix
  }

  private static func checked(_ precision: Int64) throws(ValueFailure) -> Int {
    guard (0...3).contains(precision) else {
      throw .invalid("Given precision[\(precision)] must be in the range of [0,3]")
    }
    return Int(precision)
  }

  /// Java's `%.nf`: rounds the shortest decimal digits half up.
  static func fixed(_ value: Double, _ scale: Int) -> String {
    guard value.isFinite else { return JavaNumber.text(value) }
    var digits = DecimalDigits(value)
    digits.isNegative = value.sign == .minus
    digits.round(toScale: scale)
    return digits.plain(scale: scale)
  }
}
