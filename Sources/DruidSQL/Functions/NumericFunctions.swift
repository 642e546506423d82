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
        .init([.number, .number], .custom { remainderType($0[0], $0[1]) }), .wild,
        binding: .signature { resolver, arguments, _ throws(SQLFailure) in
          if arguments.allSatisfy({ $0.type.isIntegral || $0.type.kind == .null }),
            arguments[0].isConstant, case .long(0)? = arguments[1].constant
          {
            resolver.failInPlanning(.divisionByZero)
          }
        },
        kernels: [
          .longs("remainder_long") { left, right throws(ValueFailure) in
            try Arithmetic.remainder(left, right)
          },
          .doubles("remainder_double") { $0.truncatingRemainder(dividingBy: $1) },
        ],
        spelling: {
          $0.kernel($0.whole.type.isReal ? "remainder_double" : "remainder_long")
        }),
      Function(
        "DIV", "The whole part of a quotient.",
        .init(
          [.strictNumber, .strictNumber],
          .custom { SQLType.bigint.nullable($0.contains { $0.type.isNullable }) }),
        binding: .signature { resolver, arguments, _ throws(SQLFailure) in
          guard arguments.allSatisfy(\.isConstant), arguments.allSatisfy(\.type.isIntegral),
            case .long(0)? = arguments[1].constant
          else { return }
          var failure = SQLFailure.uncategorized("Function[div] encountered unknown exception.")
          failure.category = .defensive
          resolver.failInPlanning(failure)
        },
        kernels: [
          .strict("div_long", 2) { arguments, _ throws(ValueFailure) in
            let divisor = try arguments.long(1)
            guard divisor != 0 else {
              throw .uncategorized("Function[div] encountered unknown exception.")
            }
            return .integer(try Arithmetic.divide(try arguments.long(0), divisor))
          },
          .strict("div_double", 2) { arguments, _ throws(ValueFailure) in
            .integer(JavaNumber.long(try arguments.double(0) / (try arguments.double(1))))
          },
        ],
        spelling: { call in
          call.kernel(call.operands.contains(where: \.type.isReal) ? "div_double" : "div_long")
        }),
      Function(
        "SAFE_DIVIDE", "A quotient, or NULL where the divisor is zero.",
        .init(
          [.strictNumber, .strictNumber],
          .custom { SQLType.arithmetic(.divide, $0[0].type, $0[1].type)?.nullable(true) }),
        binding: .signature { resolver, arguments, _ throws(SQLFailure) in
          if let failure = overflow(arguments[0], arguments[1]) { resolver.failInPlanning(failure) }
        },
        kernels: [
          // Of an infinite quotient there is nothing, and 0 of one that is not a number.
          .strict("safe_divide_double", 2) { arguments, _ throws(ValueFailure) in
            let quotient = try arguments.double(0) / (try arguments.double(1))
            return quotient.isNaN ? .real(0) : quotient.isInfinite ? .null : .real(quotient)
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

  /// The type of MOD: that of the divisor for whole numbers, else a decimal.
  private static func remainderType(
    _ dividend: TypedExpression, _ divisor: TypedExpression
  ) -> SQLType {
    let (one, two) = (dividend.type, divisor.type)
    if one.kind == .null { return two }
    if two.kind == .null { return one.nullable(true) }
    let nullable = one.isNullable || two.isNullable
    if one.isIntegral, two.isIntegral { return two.nullable(nullable) }
    return SQLType(.decimal(precision: 19, scale: 9), isNullable: nullable)
  }

  /// Refuses a quotient of two decimals that does not fit their common type.
  private static func overflow(
    _ dividend: TypedExpression, _ divisor: TypedExpression
  ) -> SQLFailure? {
    guard case .decimal(let onePrecision, let oneScale) = dividend.type.kind,
      case .decimal(let otherPrecision, let otherScale) = divisor.type.kind,
      case .double(let one)? = dividend.constant, case .double(let other)? = divisor.constant,
      other != 0
    else { return nil }
    let scale = max(oneScale, otherScale)
    let whole = max(onePrecision - oneScale, otherPrecision - otherScale)
    let quotient = one / other
    guard quotient.magnitude >= Glibc.pow(10, Double(whole)) else { return nil }
    return .uncategorized(
      "Cannot convert \(JavaNumber.text(quotient)) to DECIMAL(\(whole + scale), \(scale)) "
        + "due to overflow")
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
      .init([.number, .any], .argument(0), defaults: ["0"]), binding: .signature(wholeDigits),
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
      "TRUNCATE", aliases: ["TRUNC"], "Cut to a number of decimal digits.",
      .init([.number, .any], .argument(0), defaults: ["0"]),
      binding: .signature { resolver, arguments, range throws(SQLFailure) in
        guard arguments.count == 2, arguments[1].constant == nil else {
          return try wholeDigits(resolver, arguments, range)
        }
        resolver.failInPlanning(.uncategorized("Function[pow] requires 2 arguments"))
      },
      kernels: [
        .strict("truncate_double", 2) { arguments, _ throws(ValueFailure) in
          .double(Arithmetic.truncate(try arguments.double(0), scale: try arguments.long(1)))
        },
        .strict("truncate_long", 2) { arguments, _ throws(ValueFailure) in
          let (value, scale) = (try arguments.long(0), try arguments.long(1))
          return .integer(JavaNumber.long(Arithmetic.truncate(Double(value), scale: scale)))
        },
      ],
      spelling: { $0.kernel($0.isReal ? "truncate_double" : "truncate_long") }),
  ]

  /// What ROUND and TRUNCATE ask of the number of digits.
  private static let wholeDigits: Check = { resolver, arguments, range throws(SQLFailure) in
    guard arguments.count == 2 else { return }
    let digits = arguments[1]
    if digits.type.isCharacter || digits.type.kind == .null {
      let words = "Function[round] second argument should be a LONG but got STRING instead"
      resolver.failInPlanning(
        arguments[0].isConstant ? .planning(words) : .uncategorized(words))
      return
    }
    guard digits.isConstant, digits.type.isIntegral else {
      throw .cannotApply("ROUND", arguments.map(\.type), at: range)
    }
  }

  private static func ofLongs(
    _ name: String, _ summary: String, _ operation: @escaping @Sendable (Int64, Int64) -> Int64
  ) -> Function {
    Function(
      "BITWISE_" + name, summary, .init([.strictNumber, .strictNumber], .bigint),
      kernels: [.longs("bitwise_" + name.lowercased(), operation)],
      spelling: { call in
        let values = zip(call.values, call.operands).map { value, operand in
          operand.type.isReal ? "druid_double_to_long(\(value))" : value
        }
        let kernel = "druid_bitwise_" + name.lowercased()
        return "\(kernel)(\(values.joined(separator: ", ")))"
      })
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
      "BITWISE_CONVERT_DOUBLE_TO_LONG_BITS", "The bits of a double.",
      .init([.strictNumber], .bigint)
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
      .init([.any, .integer], .varchar, defaults: ["2"]),
      binding: .signature { resolver, arguments, range throws(SQLFailure) in
        guard arguments[0].type.isNumeric else {
          throw .cannotApply(
            "HUMAN_READABLE_\(name)_FORMAT", arguments.map(\.type), at: range)
        }
        guard arguments.count == 2, case .long(let digits)? = arguments[1].constant,
          !(0...3).contains(digits)
        else { return }
        resolver.failInPlanning(
          .planning(
            "Function[\(kernel)] given precision[\(digits)] must be in the range of [0,3]"))
      },
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
