import DruidSQL
import Glibc

extension SQLiteFunctions {
  static let numbers: [String: Body] = [
    "add_long": .longs { $0 &+ $1 },
    "subtract_long": .longs { $0 &- $1 },
    "multiply_long": .longs { $0 &* $1 },
    "divide_long": .longs { (one, other) throws(ValueFailure) in
      try Arithmetic.divide(one, other)
    },
    "remainder_long": .longs { (one, other) throws(ValueFailure) in
      try Arithmetic.remainder(one, other)
    },
    "negate_long": long { 0 &- $0 },
    "abs_long": long { $0 < 0 ? 0 &- $0 : $0 },
    "add_double": .doubles { $0 + $1 },
    "subtract_double": .doubles { $0 - $1 },
    "multiply_double": .doubles { $0 * $1 },
    "divide_double": .doubles { $0 / $1 },
    "remainder_double": .doubles { fmod($0, $1) },
    "negate_double": .double { -$0 },
    "abs_double": .double { abs($0) },
    "definite": .strict { (values) throws(ValueFailure) in
      guard values[0] != .text("NaN") else { throw .unsupported("NaN in this place") }
      return values[0]
    },
    "integer": .strict { (values) throws(ValueFailure) in
      guard let value = values[0].integer, Int32(exactly: value) != nil else {
        throw .unsupported("An INTEGER beyond 32 bits")
      }
      return values[0]
    },
    "power": .doubles { Arithmetic.power($0, $1) },
    "sqrt": .double { $0.squareRoot() },
    "ln": .double { log($0) },
    "log10": .double { log10($0) },
    "exp": .double { exp($0) },
    "sin": .double { sin($0) },
    "cos": .double { cos($0) },
    "tan": .double { tan($0) },
    "cot": .double { 1 / tan($0) },
    "asin": .double { asin($0) },
    "acos": .double { acos($0) },
    "atan": .double { atan($0) },
    "atan2": .doubles { atan2($0, $1) },
    "degrees": .double { $0 * (180 / Double.pi) },
    "radians": .double { $0 / 180 * Double.pi },
    "floor": .double { $0.rounded(.down) },
    "ceil": .double { $0.rounded(.up) },
    "round_double": .strict { values in
      guard let value = values[0].double, let scale = values[1].integer else { return .null }
      return .double(Arithmetic.round(value, scale: scale))
    },
    "round_long": .longs { Arithmetic.round($0, scale: $1) },
    "truncate_double": .strict { values in
      guard let value = values[0].double, let scale = values[1].integer else { return .null }
      return .double(Arithmetic.truncate(value, scale: scale))
    },
    "bitwise_and": .longs { $0 & $1 },
    "bitwise_or": .longs { $0 | $1 },
    "bitwise_xor": .longs { $0 ^ $1 },
    "bitwise_complement": long { ~$0 },
    // Java takes the lower six bits of the distance.
    "bitwise_shift_left": .longs { $0 &<< $1 },
    "bitwise_shift_right": .longs { $0 &>> $1 },
    "bitwise_convert_long_bits_to_double": .strict { values in
      guard let bits = values[0].integer else { return .null }
      return .double(Double(bitPattern: UInt64(bitPattern: bits)))
    },
    "bitwise_convert_double_to_long_bits": .strict { values in
      guard let value = values[0].double else { return .null }
      return .integer(Int64(bitPattern: value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern))
    },
    "safe_divide_long": .strict { (values) throws(ValueFailure) in
      guard let one = values[0].integer, let other = values[1].integer, other != 0 else {
        return .null
      }
      return .integer(try Arithmetic.divide(one, other))
    },
    "human_readable_binary_byte_format": readable {
      (value, precision) throws(ValueFailure) in
      try Arithmetic.binaryBytes(value, precision: precision)
    },
    "human_readable_decimal_byte_format": readable {
      (value, precision) throws(ValueFailure) in
      try Arithmetic.decimal(value, precision: precision, suffix: "B")
    },
    "human_readable_decimal_format": readable {
      (value, precision) throws(ValueFailure) in
      try Arithmetic.decimal(value, precision: precision, suffix: "")
    },
  ]

  static func long(_ body: @escaping @Sendable (Int64) -> Int64) -> Body {
    .strict { values in values[0].integer.map { .integer(body($0)) } ?? .null }
  }

  private static func readable(
    _ body: @escaping @Sendable (Int64, Int64) throws(ValueFailure) -> String
  ) -> Body {
    .strict { (values) throws(ValueFailure) in
      guard let value = values[0].integer, let precision = values[1].integer else { return .null }
      return .text(try body(value, precision))
    }
  }

  static let casts: [String: Body] = [
    "double_to_long": .strict { values in
      values[0].double.map { .integer(JavaNumber.long($0)) } ?? .null
    },
    "double_to_float": .double { Double(Float($0)) },
    "double_to_text": .strict { values in
      values[0].double.map { .text(JavaNumber.text($0)) } ?? .null
    },
    "float_to_text": .strict { values in
      values[0].double.map { .text(JavaNumber.text(Float($0))) } ?? .null
    },
    "text_to_long": .strict { values in
      guard let text = values[0].text else { return .null }
      if let whole = JavaNumber.long(text) { return .integer(whole) }
      return JavaNumber.double(text).map { .integer(JavaNumber.long($0)) } ?? .null
    },
    "text_to_double": .strict { values in
      values[0].text.flatMap { JavaNumber.double($0) }.map { .double($0) } ?? .null
    },
    "text_to_boolean": .strict { values in .boolean(values[0].text?.lowercased() == "true") },
    "time_to_text": zoned { .text(TimeText.sql($0, zone: $1)) },
    "date_to_text": zoned { .text(TimeText.date($0, zone: $1)) },
    "text_to_time": .strict { (values) throws(ValueFailure) in
      guard let text = values[0].text else { return .null }
      let zone = try TimeZones.find(values[1].text ?? "")
      return TimeText.parse(text, zone: zone).map { .integer($0) } ?? .null
    },
    "text_to_date": .strict { (values) throws(ValueFailure) in
      guard let text = values[0].text else { return .null }
      let zone = try TimeZones.find(values[1].text ?? "")
      guard let time = TimeText.parse(text, zone: zone) else { return .null }
      return .integer(try TimeFunctions.period("P1D").floor(time, zone: zone))
    },
  ]

  static func zoned(
    _ body: @escaping @Sendable (Int64, TimeZoneTable) throws(ValueFailure) -> SQLValue
  ) -> Body {
    .strict { (values) throws(ValueFailure) in
      guard let time = values[0].integer, let zone = values[1].text else { return .null }
      return try body(time, try TimeZones.find(zone))
    }
  }
}
