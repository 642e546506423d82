import JavaValues

extension Function {
  static let concat = Function(
    "CONCAT", aliases: ["TEXTCAT"], "Texts concatenated.",
    .init([.printable], variadic: true, .varchar), .mapsValues,
    spelling: { "(" + $0.values.joined(separator: " || ") + ")" })
  static let leftTrim = trim("LTRIM", "Without these characters at the start.", .start)
  static let rightTrim = trim("RTRIM", "Without these characters at the end.", .end)
  static let trim = trim("BTRIM", "Without these characters at both ends.", .both)
  static let substring = Function(
    "SUBSTRING", aliases: ["SUBSTR"], "A part of a text, counted from 1 in UTF-16 units.",
    .init(
      [.string, .integer, .integer], required: 2, .argument(0), nullable: true, defaults: ["-1"]),
    .mapsValues, check: checkSubstring,
    spelling: { call in
      let part = call.kernel("substring")
      if case .char(let length) = call.whole.type.kind { return "druid_pad(\(part), \(length))" }
      // A part that starts after the end is NULL, not an empty text.
      return "NULLIF(\(part), '')"
    },
    kernel: { arguments, _ throws(ValueFailure) in
      .text(
        try Text.substring(
          try arguments.text(0), from: try arguments.long(1), length: try arguments.long(2)))
    })

  static let strings: [Function] =
    [concat, substring] + lengths + trimming + searching + patterns + [
      Function("UPPER", "In capitals.", .init([.string], .argument(0)), .mapsValues) {
        arguments, _ throws(ValueFailure) in .text(try arguments.text(0).uppercased())
      },
      Function("LOWER", "In small letters.", .init([.string], .argument(0)), .mapsValues) {
        arguments, _ throws(ValueFailure) in .text(try arguments.text(0).lowercased())
      },
      Function(
        "REPLACE", "Every occurrence of a text replaced.",
        .init([.string, .string, .string], .varchar), .mapsValues
      ) { arguments, _ throws(ValueFailure) in
        .text(
          try Text.replacing(
            try arguments.text(1), with: try arguments.text(2), in: try arguments.text(0)))
      },
      Function("REVERSE", "A text reversed.", .init([.string], .varchar), .mapsValues) {
        arguments, _ throws(ValueFailure) in .text(Text.reversed(try arguments.text(0)))
      },
      Function(
        "REPEAT", "A text repeated a number of times.", .init([.string, .integer], .varchar),
        .mapsValues,
        check: positiveLength("REPEAT", from: .min)
      ) { arguments, _ throws(ValueFailure) in
        let repeated = try Text.repeated(try arguments.text(0), try arguments.long(1))
        return repeated.map { .text($0) } ?? .null
      },
      Function(
        "STRING_FORMAT", "Java's String.format.",
        .init([.string, .any], required: 1, variadic: true, .varchar),
        check: { _, arguments, range throws(SQLFailure) in
          guard
            arguments.dropFirst().allSatisfy({
              $0.type.isCharacter || $0.type.isIntegral || $0.type.isReal && !$0.isWild
            })
          else { throw .unknown("STRING_FORMAT of these types", at: range) }
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
        .init([.address, .constantText], .boolean), isStrict: false
      ) { arguments, _ throws(ValueFailure) in
        .boolean(try IPv4.isIn(arguments[0], try arguments.text(1)))
      },
      Function(
        "IPV4_PARSE", "An address as a number.", .init([.address], .integer, nullable: true)
      ) { arguments, _ throws(ValueFailure) in IPv4.parse(arguments[0]) },
      Function(
        "IPV4_STRINGIFY", "An address as text.", .init([.address], .varchar, nullable: true)
      ) { arguments, _ throws(ValueFailure) in IPv4.stringify(arguments[0]) },
    ]

  private static let lengths: [Function] = [
    Function(
      "CHAR_LENGTH", aliases: ["CHARACTER_LENGTH", "LENGTH", "STRLEN"],
      "The length of a text in UTF-16 units.", .init([.string], .integer)
    ) { arguments, _ throws(ValueFailure) in .integer(Text.length(try arguments.text(0))) },
    Function(
      "LEFT", "The first characters.", .init([.string, .integer], .varchar), .mapsValues,
      check: positiveLength("LEFT", from: 0)
    ) { arguments, _ throws(ValueFailure) in
      .text(try Text.left(try arguments.text(0), try arguments.long(1)))
    },
    Function(
      "RIGHT", "The last characters.", .init([.string, .integer], .varchar), .mapsValues,
      check: positiveLength("RIGHT", from: 0)
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
      name, summary, .init([.string, .integer, .string], .varchar, defaults: ["' '"]),
      .mapsValues, check: positiveLength(name, from: 1)
    ) { arguments, _ throws(ValueFailure) in
      let text = try Text.padded(
        try arguments.text(0), to: try arguments.long(1), with: try arguments.text(2),
        atStart: atStart)
      return text.map { .text($0) } ?? .null
    }
  }

  private static func positiveLength(_ name: String, from least: Int64) -> Check {
    { _, arguments, range throws(SQLFailure) in
      guard case .long(let value)? = arguments[1].constant, value >= least else {
        throw .unknown("\(name) with such a length", at: range)
      }
    }
  }

  private static let checkSubstring: Check = { _, arguments, range throws(SQLFailure) in
    guard
      arguments.dropFirst().allSatisfy({
        if case .long(let value)? = $0.constant { value > 0 } else { false }
      })
    else { throw .unknown("SUBSTRING with such bounds", at: range) }
    if arguments[0].type.kind != .varchar {
      // Druid's planner evaluates a constant; the result of NULL is not known.
      guard case .long(let start)? = arguments[1].constant, let text = arguments[0].text,
        start <= text.utf16.count
      else { throw .unknown("SUBSTRING of this CHAR", at: range) }
    }
  }

  private static let searching: [Function] = [
    Function(
      "POSITION", "The position of a text in another, from 1; 0 when absent.",
      .init([.string, .string, .integer], .integer, defaults: ["1"])
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
      "CONTAINS_STRING", "Whether a text contains another.",
      .init([.string, .pattern], .boolean)
    ) { arguments, _ throws(ValueFailure) in
      .boolean(Text.contains(try arguments.text(0), try arguments.text(1)))
    },
    Function(
      "ICONTAINS_STRING", "Whether a text contains another, ignoring case.",
      .init([.string, .pattern], .boolean)
    ) { arguments, _ throws(ValueFailure) in
      .boolean(
        Text.contains(try arguments.text(0).lowercased(), try arguments.text(1).lowercased()))
    },
  ]

  private static let patterns: [Function] = [
    Function(
      "REGEXP_LIKE", "Whether a text contains a match of a regular expression.",
      .init([.string, .pattern], .boolean), check: regularExpression("REGEXP_LIKE")
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
    { _, arguments, _ throws(SQLFailure) in
      guard let text = arguments[1].text else { return }
      do throws(ValueFailure) {
        _ = try RegularExpression(text)
      } catch {
        if case .invalid(let words) = error {
          throw SQLFailure(
            "An invalid pattern [\(text)] was provided for the \(name) function, error: [\(words)]",
            at: nil, category: .invalidInput)
        }
      }
    }
  }
}
