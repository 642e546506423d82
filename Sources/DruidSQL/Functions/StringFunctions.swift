import JavaValues

extension Function {
  static let concat = Function(
    "CONCAT", "Texts one after another.",
    .init([.printable], required: 0, variadic: true, .varchar), .mapsValues,
    binding: .signature { resolver, arguments, _ throws(SQLFailure) in
      if arguments.isEmpty {
        resolver.failInPlanning(.planning(SQLFailure.nullForNotNull))
      }
    },
    spelling: {
      $0.values.isEmpty ? "NULL" : "(" + $0.values.joined(separator: " || ") + ")"
    })
  static let leftTrim = trim("LTRIM", "Without these characters at the start.", .start)
  static let rightTrim = trim("RTRIM", "Without these characters at the end.", .end)
  static let trim = trim("BTRIM", "Without these characters at both ends.", .both)
  static let substring = Function(
    "SUBSTRING", aliases: ["SUBSTR"], "A part of a text, counted from 1 in UTF-16 units.",
    .init(
      [.string, .integer, .integer], required: 2, .argument(0), nullable: true, defaults: ["-1"]),
    .mapsValues,
    binding: .custom { resolver, call throws(SQLFailure) in
      if call.arguments.count == 3, call.arguments[2].isNullConstant {
        var call = call
        call.arguments.removeLast()
        _ = try resolver.checked(call)
        resolver.failInPlanning(
          .uncategorized("Cannot invoke \"java.lang.Number.intValue()\" because \"value\" is null"))
        return TypedExpression(.constant(.null), .varchar, call.range)
      }
      return try resolver.scalar(call) { resolver, arguments, _ throws(SQLFailure) in
        if arguments.count == 3, !arguments[0].isConstant,
          case .long(let length)? = arguments[2].constant, length < 1
        {
          if case .long(let start)? = arguments[1].constant, start < 1 { return }
          resolver.failInPlanning(.uncategorized("length must be strictly positive"))
        }
      }
    },
    kernels: [
      .strict("substring", 3) { arguments, _ throws(ValueFailure) in
        let part = try Text.substring(
          try arguments.text(0), from: try arguments.long(1), length: try arguments.long(2))
        return part.map { .text($0) } ?? .null
      }
    ])
  private static let textConcat = Function(
    "TEXTCAT", "Two texts one after another.", .init([.string, .string], .varchar), .mapsValues,
    spelling: { "(" + $0.values.joined(separator: " || ") + ")" })

  static let strings: [Function] =
    [concat, substring, textConcat] + lengths + trimming + searching + patterns + [
      Function("UPPER", "In capitals.", .init([.printable], .argument(0)), .mapsValues) {
        arguments, _ throws(ValueFailure) in .text(try arguments.text(0).uppercased())
      },
      Function("LOWER", "In small letters.", .init([.printable], .argument(0)), .mapsValues) {
        arguments, _ throws(ValueFailure) in .text(try arguments.text(0).lowercased())
      },
      Function(
        "REPLACE", "Every occurrence of a text replaced.",
        .init([.printable, .printable, .printable], .varchar), .mapsValues,
        check: { resolver, arguments, range throws(SQLFailure) in
          guard arguments.dropFirst().contains(where: \.isNullConstant) else { return }
          guard arguments[0].isConstant else { throw .unknown("REPLACE with NULL", at: range) }
          if arguments[0].isNullConstant { return }
          var failure = SQLFailure.uncategorized("Function[replace] encountered unknown exception.")
          failure.category = .defensive
          resolver.failInPlanning(failure)
        }
      ) { arguments, _ throws(ValueFailure) in
        .text(
          try Text.replacing(
            try arguments.text(1), with: try arguments.text(2), in: try arguments.text(0)))
      },
      Function("REVERSE", "A text reversed.", .init([.string], .varchar), .mapsValues) {
        arguments, _ throws(ValueFailure) in .text(Text.reversed(try arguments.text(0)))
      },
      Function(
        "REPEAT", "Over and over.", .init([.string, .integer], .varchar), .mapsValues
      ) { arguments, _ throws(ValueFailure) in
        let repeated = try Text.repeated(try arguments.text(0), try arguments.long(1))
        return repeated.map { .text($0) } ?? .null
      },
      Function(
        "STRING_FORMAT", "Java's String.format.",
        .init([.string, .any], required: 1, variadic: true, .varchar), .writesNumbers,
        check: { _, arguments, range throws(SQLFailure) in
          guard
            arguments.dropFirst().allSatisfy({
              $0.type.isCharacter || $0.type.isNumeric || $0.type.isTime || $0.type.kind == .boolean
                || $0.type.kind == .null
            })
          else { throw .operands(of: "STRING_FORMAT", at: range) }
        },
        spelling: { call in
          // A NaN is told from the text by a real beside it.
          let values = zip(call.values, call.operands).map { value, operand in
            operand.isWild ? "druid_format_real(\(value))" : value
          }
          return "druid_string_format(\(values.joined(separator: ", ")))"
        }, isStrict: false
      ) { arguments, _ throws(ValueFailure) in
        guard let format = arguments.first?.text else { return .null }
        guard arguments.count > 1 else { return .text(format) }
        return .text(JavaFormat.text(format, Array(arguments.dropFirst())))
      },
      Function(
        "PARSE_LONG", "A text parsed as an integer, in a radix.",
        .init([.string, .constantInteger], .bigint, nullable: true, defaults: ["10"])
      ) { arguments, _ throws(ValueFailure) in
        let value = Text.long(try arguments.text(0), radix: try arguments.long(1))
        return value.map { .integer($0) } ?? .null
      },
      Function(
        "DECODE_BASE64_UTF8", "The text decoded from Base64.", .init([.string], .varchar)
      ) { arguments, _ throws(ValueFailure) in
        .text(try Text.decodedBase64(try arguments.text(0)))
      },
      Function(
        "IPV4_MATCH", "Whether an address is in a subnet.",
        .init([.address, .constantText], .boolean),
        check: { resolver, arguments, _ throws(SQLFailure) in
          guard let subnet = arguments[1].text else { return }
          do throws(ValueFailure) {
            _ = try IPv4.isIn(.null, subnet)
          } catch {
            if case .uncategorized(let words) = error {
              resolver.failInPlanning(.uncategorized(words))
            }
          }
        }, isStrict: false
      ) { arguments, _ throws(ValueFailure) in
        .boolean(try IPv4.isIn(arguments[0], try arguments.text(1)))
      },
      Function(
        "IPV4_PARSE", "An address as a number.", .init([.address], .bigint, nullable: true)
      ) { arguments, _ throws(ValueFailure) in IPv4.parse(arguments[0]) },
      Function(
        "IPV4_STRINGIFY", "An address as text.", .init([.address], .char, nullable: true)
      ) { arguments, _ throws(ValueFailure) in IPv4.stringify(arguments[0]) },
    ]

  private static let lengths: [Function] = [
    Function(
      "CHAR_LENGTH", aliases: ["CHARACTER_LENGTH", "LENGTH", "STRLEN"],
      "How many UTF-16 units a text has.", .init([.printable], .integer), .mapsValues
    ) { arguments, _ throws(ValueFailure) in .integer(Text.length(try arguments.text(0))) },
    Function(
      "LEFT", "The first characters.", .init([.string, .integer], .varchar), .mapsValues,
      check: notNegative
    ) { arguments, _ throws(ValueFailure) in
      .text(try Text.left(try arguments.text(0), try arguments.long(1)))
    },
    Function(
      "RIGHT", "The last characters.", .init([.string, .integer], .varchar), .mapsValues,
      check: notNegative
    ) { arguments, _ throws(ValueFailure) in
      .text(try Text.right(try arguments.text(0), try arguments.long(1)))
    },
    pad("LPAD", "Padded at the start, or truncated, to a length.", atStart: true),
    pad("RPAD", "Padded at the end, or truncated, to a length.", atStart: false),
  ]

  private static let trimming: [Function] = [leftTrim, rightTrim, trim]

  private static func trim(_ name: String, _ summary: String, _ side: Text.Side) -> Function {
    Function(
      name, summary, .init([.string, .string], .varchar, defaults: ["' '"]), .mapsValues
    ) { arguments, _ throws(ValueFailure) in
      .text(Text.trimmed(try arguments.text(0), of: try arguments.text(1), side))
    }
  }

  private static func pad(_ name: String, _ summary: String, atStart: Bool) -> Function {
    Function(
      name, summary, .init([.string, .integer, .optionalString], .varchar, defaults: ["' '"]),
      .mapsValues
    ) { arguments, _ throws(ValueFailure) in
      let text = try Text.padded(
        try arguments.text(0), to: try arguments.long(1), with: try arguments.text(2),
        atStart: atStart)
      return text.map { .text($0) } ?? .null
    }
  }

  /// A constant length of LEFT and RIGHT that is negative is found in planning.
  private static let notNegative: Check = { resolver, arguments, _ throws(SQLFailure) in
    guard arguments[0].isConstant, case .long(let length)? = arguments[1].constant, length < 0
    else { return }
    resolver.failInPlanning(
      .planning("Function[left] needs a positive integer as the second argument"))
  }

  private static let searching: [Function] = [
    Function(
      "POSITION", "Where a text begins in another, from 1; 0 when it is not there.",
      .init([.printable, .printable, .integer], .integer, defaults: ["1"])
    ) { arguments, _ throws(ValueFailure) in
      .integer(
        Text.position(
          of: try arguments.text(0), in: try arguments.text(1), from: try arguments.long(2)))
    },
    Function(
      "STRPOS", "The position of a text in the first one, from 1; 0 when absent.",
      .init([.string, .string], .integer),
      spelling: { $0.kernel("position", $0.values[1], $0.values[0], "1") }),
    Function(
      "CONTAINS_STRING", "Whether a text stands in another.",
      .init([.string, .pattern], .boolean), .mapsValues
    ) { arguments, _ throws(ValueFailure) in
      .boolean(Text.contains(try arguments.text(0), try arguments.text(1)))
    },
    Function(
      "ICONTAINS_STRING", "Whether a text stands in another, in capitals or not.",
      .init([.string, .pattern], .boolean), .mapsValues
    ) { arguments, _ throws(ValueFailure) in
      .boolean(
        Text.contains(try arguments.text(0).lowercased(), try arguments.text(1).lowercased()))
    },
  ]

  private static let patterns: [Function] = [
    Function(
      "REGEXP_LIKE", "Whether a regular expression is found in a text.",
      .init([.string, .pattern], .boolean), .mapsValues, check: regularExpression("REGEXP_LIKE")
    ) { arguments, context throws(ValueFailure) in
      let expression = try context.expression(try arguments.text(1))
      return .boolean(try expression.isFound(in: try arguments.text(0), context.limits))
    },
    Function(
      "REGEXP_EXTRACT", "The first match of a regular expression in a text, or a group of it.",
      .init(
        [.string, .pattern, .constantInteger], .varchar, nullable: true, defaults: ["0"]),
      .mapsValues, check: regularExpression("REGEXP_EXTRACT")
    ) { arguments, context throws(ValueFailure) in
      let expression = try context.expression(try arguments.text(1))
      let group = Int(clamping: try arguments.long(2))
      let found = try expression.extract(group, of: try arguments.text(0), context.limits)
      return found.map { .text($0) } ?? .null
    },
    Function(
      "REGEXP_REPLACE", "All matches of a regular expression replaced.",
      .init([.string, .constantText, .string], .varchar), .mapsValues
    ) { arguments, context throws(ValueFailure) in
      let expression = try context.expression(try arguments.text(1))
      return .text(
        try expression.replacing(
          in: try arguments.text(0), with: try arguments.text(2), context.limits))
    },
  ]

  /// Refuses, at planning, a pattern that Java cannot compile.
  private static func regularExpression(_ name: String) -> Check {
    { resolver, arguments, _ throws(SQLFailure) in
      guard let text = arguments[1].text else { return }
      do throws(ValueFailure) {
        _ = try RegularExpression(text)
      } catch {
        guard case .invalid(let words) = error else { return }
        if name == "REGEXP_EXTRACT", !arguments[0].isConstant {
          resolver.failInPlanning(
            .planning(
              "An invalid pattern [\(text)] was provided for the \(name) function, "
                + "error: [\(words)]"))
        } else {
          resolver.failInPlanning(.uncategorized(words))
        }
      }
    }
  }
}

extension SQLFailure {
  /// What Druid's planner says where the value of a constant that can't be NULL is.
  static let nullForNotNull =
    "Calcite assertion violated: [Cannot add expression of different type to set]"
}
