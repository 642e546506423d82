import Glibc
import JavaValues

extension Function {
  static let power = Function(
    "POWER", "A number raised to a power, as Java's Math.pow.", .init([.number, .number], .double),
    .wild, kernels: [.doubles("power") { Arithmetic.power($0, $1) }])
  static let floor = Function(
    "FLOOR", "The greatest integer that is not above the number.", .init([.number], .argument(0)),
    kernels: [.double("floor") { Glibc.floor($0) }],
    spelling: { $0.isReal ? $0.kernel("floor") : $0.throughDouble })
  static let ceil = Function(
    "CEIL", aliases: ["CEILING"], "The least integer that is not below the number.",
    .init([.number], .argument(0)), kernels: [.double("ceil") { Glibc.ceil($0) }],
    spelling: { $0.isReal ? $0.kernel("ceil") : $0.throughDouble })

  static let numeric: [Function] =
    [power, floor, ceil] + analysis + rounding + bits
    + [
      Function(
        "ABS", "The number without its sign.", .init([.number], .argument(0)),
        kernels: [
          .double("abs_double") { abs($0) },
          .strict("abs_long", 1) { arguments, _ throws(ValueFailure) in
            let value = try arguments.long(0)
            return .integer(value < 0 ? 0 &- value : value)
          },
        ],
        spelling: { $0.kernel($0.isReal ? "abs_double" : "abs_long") }),
      Function(
        "MOD", "The remainder of a division, with the sign of the dividend.",
        .init([.integer, .integer], .argument(1)),
        binding: .signature { _, arguments, _ throws(SQLFailure) in
          if arguments[0].isConstant, case .long(0)? = arguments[1].constant {
            throw .divisionByZero
          }
        },
        kernels: [
          .longs("remainder_long") { left, right throws(ValueFailure) in
            try Arithmetic.remainder(left, right)
          }
        ],
        spelling: { $0.kernel("remainder_long") }),
      Function(
        "DIV", "The whole part of a quotient.",
        .init(
          [.integer, .integer],
          .custom { SQLType.bigint.nullable($0.contains { $0.type.isNullable }) }),
        spelling: { $0.kernel("divide_long") }),
      Function(
        "SAFE_DIVIDE", "A quotient, or NULL where the divisor is zero.",
        .init(
          [.number, .number],
          .custom { SQLType.arithmetic(.divide, $0[0].type, $0[1].type)?.nullable(true) }),
        binding: .signature { _, arguments, range throws(SQLFailure) in
          guard !arguments.contains(where: \.isWild) else {
            throw .unknown("SAFE_DIVIDE of what may be infinite", at: range)
          }
          try refuseOverflow(arguments[0], arguments[1])
        },
        kernels: [
          .strict("safe_divide_double", 2) { arguments, _ throws(ValueFailure) in
            let (dividend, divisor) = (try arguments.double(0), try arguments.double(1))
            guard divisor == 0 else { return .double(dividend / divisor) }
            guard dividend == 0 else {
              throw .unsupported("SAFE_DIVIDE of a number that is not whole by zero")
            }
            return .real(0)
          },
          .strict("safe_divide_long", 2) { arguments, _ throws(ValueFailure) in
            let divisor = try arguments.long(1)
            guard divisor != 0 else { return .null }
            return .integer(try Arithmetic.divide(try arguments.long(0), divisor))
          },
        ],
        spelling: {
          $0.kernel($0.whole.type.isReal ? "safe_divide_double" : "safe_divide_long")
        }),
      readable("BINARY_BYTE", "A count of bytes in KiB, MiB, ...") {
        value, precision throws(ValueFailure) in
        try Arithmetic.binaryBytes(value, precision: precision)
      },
      readable("DECIMAL_BYTE", "A count of bytes in KB, MB, ...") {
        value, precision throws(ValueFailure) in
        try Arithmetic.decimal(value, precision: precision, suffix: "B")
      },
      readable("DECIMAL", "A count in K, M, ...") { value, precision throws(ValueFailure) in
        try Arithmetic.decimal(value, precision: precision, suffix: "")
      },
    ]

  /// Refuses a quotient of two decimals that does not fit their common type.
  private static func refuseOverflow(
    _ dividend: TypedExpression, _ divisor: TypedExpression
  ) throws(SQLFailure) {
    guard case .decimal(let onePrecision, let oneScale) = dividend.type.kind,
      case .decimal(let otherPrecision, let otherScale) = divisor.type.kind,
      case .double(let one)? = dividend.constant, case .double(let other)? = divisor.constant,
      other != 0
    else { return }
    let scale = max(oneScale, otherScale)
    let whole = max(onePrecision - oneScale, otherPrecision - otherScale)
    let quotient = one / other
    guard quotient.magnitude >= Glibc.pow(10, Double(whole)) else { return }
    throw SQLFailure(
      "Cannot convert \(JavaNumber.text(quotient)) to DECIMAL(\(whole + scale), \(scale)) "
        + "due to overflow", at: nil, category: .uncategorized, errorCode: "general",
      persona: "ADMIN")
  }

  private static func ofDouble(
    _ name: String, _ summary: String, _ traits: Traits = .wild,
    _ operation: @escaping @Sendable (Double) -> Double
  ) -> Function {
    Function(
      name, summary, .init([.number], .double), traits,
      kernels: [.double(name.lowercased(), operation)])
  }

  private static let analysis: [Function] = [
    ofDouble("SQRT", "The number raised to 0.5; 0.0 for -0.0.") { Glibc.pow($0, 0.5) },
    ofDouble("LN", "The natural logarithm.") { log($0) },
    ofDouble("LOG10", "The decimal logarithm.") { Glibc.log10($0) },
    ofDouble("EXP", "e raised to a power.") { Glibc.exp($0) },
    ofDouble("SIN", "The sine.") { Glibc.sin($0) },
    ofDouble("COS", "The cosine.") { Glibc.cos($0) },
    ofDouble("TAN", "The tangent.") { Glibc.tan($0) },
    ofDouble("COT", "The cotangent.") { Glibc.cos($0) / Glibc.sin($0) },
    ofDouble("ASIN", "The arc sine.") { Glibc.asin($0) },
    ofDouble("ACOS", "The arc cosine.") { Glibc.acos($0) },
    ofDouble("ATAN", "The arc tangent.", []) { Glibc.atan($0) },
    Function(
      "ATAN2", "The angle of a point.", .init([.number, .number], .double),
      kernels: [.doubles("atan2") { Glibc.atan2($0, $1) }]),
    ofDouble("DEGREES", "Radians as degrees.", []) { $0 * (180 / Double.pi) },
    ofDouble("RADIANS", "Degrees as radians.", []) { $0 * (Double.pi / 180) },
  ]

  private static let rounding: [Function] = [
    Function(
      "ROUND", "Rounded half up to a number of decimal digits.",
      .init([.number, .constantInteger], .argument(0), defaults: ["0"]),
      kernels: [
        .strict("round_double", 2) { arguments, _ throws(ValueFailure) in
          .double(Arithmetic.round(try arguments.double(0), scale: try arguments.long(1)))
        },
        .strict("round_long", 2) { arguments, _ throws(ValueFailure) in
          .integer(Arithmetic.round(try arguments.long(0), scale: try arguments.long(1)))
        },
      ],
      spelling: { $0.kernel($0.isReal ? "round_double" : "round_long") }),
    Function(
      "TRUNCATE", aliases: ["TRUNC"], "Truncated to a number of decimal digits.",
      .init([.number, .constantInteger], .argument(0), defaults: ["0"]),
      kernels: [
        .strict("truncate_double", 2) { arguments, _ throws(ValueFailure) in
          .double(Arithmetic.truncate(try arguments.double(0), scale: try arguments.long(1)))
        },
        .strict("truncate_long", 2) { arguments, _ throws(ValueFailure) in
          let (value, scale) = (try arguments.long(0), try arguments.long(1))
          guard value.magnitude < 1 << 53, (-15...0).contains(scale) else {
            throw .unsupported("TRUNCATE of so large a number")
          }
          return .integer(JavaNumber.long(Arithmetic.truncate(Double(value), scale: scale)))
        },
      ],
      spelling: { $0.kernel($0.isReal ? "truncate_double" : "truncate_long") }),
  ]

  private static func ofLongs(
    _ name: String, _ summary: String, _ operation: @escaping @Sendable (Int64, Int64) -> Int64
  ) -> Function {
    Function(
      "BITWISE_" + name, summary, .init([.integer, .integer], .bigint),
      kernels: [.longs("bitwise_" + name.lowercased(), operation)])
  }

  private static let bits: [Function] = [
    ofLongs("AND", "The bits that both numbers have.") { $0 & $1 },
    ofLongs("OR", "The bits that either number has.") { $0 | $1 },
    ofLongs("XOR", "The bits that exactly one of two numbers has.") { $0 ^ $1 },
    ofLongs("SHIFT_LEFT", "Bits shifted left, as Java's <<.") { $0 &<< ($1 & 63) },
    ofLongs("SHIFT_RIGHT", "Bits shifted right with the sign, as Java's >>.") { $0 &>> ($1 & 63) },
    Function("BITWISE_COMPLEMENT", "All bits inverted.", .init([.integer], .bigint)) {
      arguments, _ throws(ValueFailure) in .integer(~(try arguments.long(0)))
    },
    Function(
      "BITWISE_CONVERT_LONG_BITS_TO_DOUBLE", "The double of these bits.",
      .init([.integer], .double), .wild
    ) { arguments, _ throws(ValueFailure) in
      .double(Double(bitPattern: UInt64(bitPattern: try arguments.long(0))))
    },
    Function(
      "BITWISE_CONVERT_DOUBLE_TO_LONG_BITS", "The bits of a double.", .init([.number], .bigint)
    ) { arguments, _ throws(ValueFailure) in
      let value = try arguments.double(0)
      return .integer(value.isNaN ? 0x7FF8_0000_0000_0000 : Int64(bitPattern: value.bitPattern))
    },
  ]

  private static func readable(
    _ name: String, _ summary: String,
    _ format: @escaping @Sendable (Int64, Int64) throws(ValueFailure) -> String
  ) -> Function {
    let kernel = "human_readable_\(name.lowercased())_format"
    return Function(
      "HUMAN_READABLE_\(name)_FORMAT", summary,
      .init([.number, .constantInteger], .varchar, defaults: ["2"]),
      kernels: [
        .strict(kernel, 2) { arguments, _ throws(ValueFailure) in
          .text(try format(try arguments.long(0), try arguments.long(1)))
        }
      ],
      spelling: { call in
        let value = call.isReal ? "druid_double_to_long(\(call.values[0]))" : call.values[0]
        return call.kernel(kernel, value, call.values[1])
      })
  }
}

extension Function.Spelt {
  /// The integer after Druid's rounding, which converts it to a double and back.
  fileprivate var throughDouble: String { "CAST(CAST(\(values[0]) AS REAL) AS INTEGER)" }
}
