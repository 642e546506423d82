import Glibc
import JavaValues

extension ScalarFunction {
  static let numbers: [ScalarFunction] =
    longs + doubles + rounding + extremes + [
      strict("definite") { arguments, _ throws(ValueFailure) in
        guard arguments[0] != .text("NaN") else {
          throw .unsupported("A value that is not a number cannot be compared here")
        }
        return arguments[0]
      },
      strict("refuse") { arguments, _ throws(ValueFailure) in
        throw .unsupported(try arguments.text(0))
      },
      strict("integer") { arguments, _ throws(ValueFailure) in
        guard let value = arguments[0].integer, Int32(exactly: value) != nil else {
          throw .unsupported("A whole number beyond 32 bits is not supported here")
        }
        return arguments[0]
      },
      strict("constant") { arguments, _ throws(ValueFailure) in
        guard let value = arguments[0].double, !value.isFinite else { return arguments[0] }
        throw .invalid(
          "Expression evaluates to an unsupported value [\(JavaNumber.text(value))], expected "
            + "something that can be a Double.  Consider casting with 'CAST(<col> AS BIGINT)'")
      },
      strict("int") { arguments, _ throws(ValueFailure) in
        .integer(Int64(Int32(truncatingIfNeeded: try arguments.long(0))))
      },
    ]

  private static let extremes: [ScalarFunction] = [
    lenient("greatest") { arguments, _ throws(ValueFailure) in
      arguments.reduce(.null) { $1.isNull || $1.precedes($0) ? $0 : $1 }
    },
    lenient("least") { arguments, _ throws(ValueFailure) in
      arguments.reduce(.null) { $1.isNull || !$0.isNull && !$1.precedes($0) ? $0 : $1 }
    },
  ]

  private static func long(
    _ name: String,
    _ operation: @escaping @Sendable (Int64, Int64) throws(ValueFailure) -> Int64
  ) -> ScalarFunction {
    strict(name) { arguments, _ throws(ValueFailure) in
      var result = try arguments.long(0)
      for index in arguments.indices.dropFirst() {
        result = try operation(result, try arguments.long(index))
      }
      return .integer(result)
    }
  }

  private static func double(
    _ name: String, _ operation: @escaping @Sendable (Double) -> Double
  ) -> ScalarFunction {
    strict(name) { arguments, _ throws(ValueFailure) in
      .double(operation(try arguments.double(0)))
    }
  }

  private static func doublePair(
    _ name: String, _ operation: @escaping @Sendable (Double, Double) -> Double
  ) -> ScalarFunction {
    strict(name) { arguments, _ throws(ValueFailure) in
      .double(operation(try arguments.double(0), try arguments.double(1)))
    }
  }

  private static let longs: [ScalarFunction] = [
    long("add_long") { $0 &+ $1 },
    long("subtract_long") { $0 &- $1 },
    long("multiply_long") { $0 &* $1 },
    long("divide_long") { left, right throws(ValueFailure) in try Arithmetic.divide(left, right) },
    long("remainder_long") { left, right throws(ValueFailure) in
      try Arithmetic.remainder(left, right)
    },
    strict("negate_long") { arguments, _ throws(ValueFailure) in
      .integer(0 &- (try arguments.long(0)))
    },
    strict("abs_long") { arguments, _ throws(ValueFailure) in
      let value = try arguments.long(0)
      return .integer(value < 0 ? 0 &- value : value)
    },
    long("bitwise_and") { $0 & $1 },
    long("bitwise_or") { $0 | $1 },
    long("bitwise_xor") { $0 ^ $1 },
    long("bitwise_shift_left") { $0 &<< ($1 & 63) },
    long("bitwise_shift_right") { $0 &>> ($1 & 63) },
    strict("bitwise_complement") { arguments, _ throws(ValueFailure) in
      .integer(~(try arguments.long(0)))
    },
    strict("bitwise_convert_long_bits_to_double") { arguments, _ throws(ValueFailure) in
      .double(Double(bitPattern: UInt64(bitPattern: try arguments.long(0))))
    },
    strict("bitwise_convert_double_to_long_bits") { arguments, _ throws(ValueFailure) in
      let value = try arguments.double(0)
      return .integer(
        value.isNaN ? 0x7FF8_0000_0000_0000 : Int64(bitPattern: value.bitPattern))
    },
    strict("safe_divide_double") { arguments, _ throws(ValueFailure) in
      let (dividend, divisor) = (try arguments.double(0), try arguments.double(1))
      guard divisor == 0 else { return .double(dividend / divisor) }
      // What nothing makes of something is not known for certain.
      guard dividend == 0 else {
        throw .unsupported("SAFE_DIVIDE of a number that is not whole by zero")
      }
      return .real(0)
    },
    strict("safe_divide_long") { arguments, _ throws(ValueFailure) in
      let divisor = try arguments.long(1)
      guard divisor != 0 else { return .null }
      return .integer(try Arithmetic.divide(try arguments.long(0), divisor))
    },
  ]

  private static let doubles: [ScalarFunction] = [
    doublePair("add_double") { $0 + $1 },
    doublePair("subtract_double") { $0 - $1 },
    doublePair("multiply_double") { $0 * $1 },
    doublePair("divide_double") { $0 / $1 },
    doublePair("remainder_double") { fmod($0, $1) },
    doublePair("power") { Arithmetic.power($0, $1) },
    doublePair("atan2") { atan2($0, $1) },
    double("negate_double") { -$0 },
    double("abs_double") { abs($0) },
    double("sqrt") { sqrt($0) },
    double("ln") { log($0) },
    double("log10") { log10($0) },
    double("exp") { exp($0) },
    double("sin") { sin($0) },
    double("cos") { cos($0) },
    double("tan") { tan($0) },
    double("cot") { cos($0) / sin($0) },
    double("asin") { asin($0) },
    double("acos") { acos($0) },
    double("atan") { atan($0) },
    double("degrees") { $0 * (180 / Double.pi) },
    double("radians") { $0 * (Double.pi / 180) },
    double("floor") { floor($0) },
    double("ceil") { ceil($0) },
  ]

  private static let rounding: [ScalarFunction] = [
    strict("round_double") { arguments, _ throws(ValueFailure) in
      .double(Arithmetic.round(try arguments.double(0), scale: try arguments.long(1)))
    },
    strict("round_long") { arguments, _ throws(ValueFailure) in
      .integer(Arithmetic.round(try arguments.long(0), scale: try arguments.long(1)))
    },
    strict("truncate_double") { arguments, _ throws(ValueFailure) in
      .double(Arithmetic.truncate(try arguments.double(0), scale: try arguments.long(1)))
    },
    strict("truncate_long") { arguments, _ throws(ValueFailure) in
      let (value, scale) = (try arguments.long(0), try arguments.long(1))
      guard value.magnitude < 1 << 53, (-15...0).contains(scale) else {
        throw .unsupported("TRUNCATE of so large a number")
      }
      return .integer(JavaNumber.long(Arithmetic.truncate(Double(value), scale: scale)))
    },
    strict("human_readable_binary_byte_format") { arguments, _ throws(ValueFailure) in
      .text(
        try Arithmetic.binaryBytes(try arguments.long(0), precision: try arguments.long(1)))
    },
    strict("human_readable_decimal_byte_format") { arguments, _ throws(ValueFailure) in
      .text(
        try Arithmetic.decimal(
          try arguments.long(0), precision: try arguments.long(1), suffix: "B"))
    },
    strict("human_readable_decimal_format") { arguments, _ throws(ValueFailure) in
      .text(
        try Arithmetic.decimal(try arguments.long(0), precision: try arguments.long(1), suffix: ""))
    },
  ]
}
