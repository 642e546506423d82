import JavaValues

extension ScalarFunction {
  static let strings: [ScalarFunction] =
    trimming + positions + [
      strict("upper") { arguments, _ throws(ValueFailure) in
        .text(try arguments.text(0).uppercased())
      },
      strict("lower") { arguments, _ throws(ValueFailure) in
        .text(try arguments.text(0).lowercased())
      },
      strict("char_length") { arguments, _ throws(ValueFailure) in
        .integer(Text.length(try arguments.text(0)))
      },
      strict("replace") { arguments, _ throws(ValueFailure) in
        .text(
          Text.replacing(
            try arguments.text(1), with: try arguments.text(2), in: try arguments.text(0)))
      },
      strict("reverse") { arguments, _ throws(ValueFailure) in
        .text(Text.reversed(try arguments.text(0)))
      },
      strict("repeat") { arguments, _ throws(ValueFailure) in
        let repeated = try Text.repeated(try arguments.text(0), try arguments.long(1))
        return repeated.map { .text($0) } ?? .null
      },
      strict("parse_long") { arguments, _ throws(ValueFailure) in
        let value = Text.long(try arguments.text(0), radix: try arguments.long(1))
        return value.map { .integer($0) } ?? .null
      },
      strict("decode_base64_utf8") { arguments, _ throws(ValueFailure) in
        .text(try Text.decodedBase64(try arguments.text(0)))
      },
      lenient("string_format") { arguments, _ throws(ValueFailure) in
        guard let format = arguments.first?.text else { return .null }
        return .text(JavaFormat.text(format, Array(arguments.dropFirst())))
      },
      lenient("ipv4_match") { arguments, _ throws(ValueFailure) in
        .boolean(try IPv4.isIn(arguments[0], try arguments.text(1)))
      },
      strict("ipv4_parse") { arguments, _ throws(ValueFailure) in IPv4.parse(arguments[0]) },
      strict("ipv4_stringify") { arguments, _ throws(ValueFailure) in IPv4.stringify(arguments[0])
      },
    ]

  private static let trimming: [ScalarFunction] = [
    trim("trim", .both), trim("ltrim", .start), trim("rtrim", .end),
    pad("lpad", atStart: true), pad("rpad", atStart: false),
    strict("pad") { arguments, _ throws(ValueFailure) in
      let text = try arguments.text(0)
      let missing = try arguments.long(1).subtractingReportingOverflow(Text.length(text))
        .partialValue
      guard missing > 0 else { return .text(text) }
      return .text(text + (try Text.repeated(" ", missing) ?? ""))
    },
  ]

  private static let positions: [ScalarFunction] = [
    strict("substring") { arguments, _ throws(ValueFailure) in
      .text(
        try Text.substring(
          try arguments.text(0), from: try arguments.long(1), length: try arguments.long(2)))
    },
    strict("left") { arguments, _ throws(ValueFailure) in
      .text(try Text.left(try arguments.text(0), try arguments.long(1)))
    },
    strict("right") { arguments, _ throws(ValueFailure) in
      .text(try Text.right(try arguments.text(0), try arguments.long(1)))
    },
    strict("position") { arguments, _ throws(ValueFailure) in
      .integer(
        Text.position(
          of: try arguments.text(0), in: try arguments.text(1), from: try arguments.long(2)))
    },
    strict("contains_string") { arguments, _ throws(ValueFailure) in
      .boolean(Text.contains(try arguments.text(0), try arguments.text(1)))
    },
    strict("icontains_string") { arguments, _ throws(ValueFailure) in
      .boolean(
        Text.contains(try arguments.text(0).lowercased(), try arguments.text(1).lowercased()))
    },
  ]

  static let patterns: [ScalarFunction] = [
    strict("like") { arguments, context throws(ValueFailure) in
      let pattern = context.like(try arguments.text(1), escape: try arguments.text(2))
      if case .text(let text) = arguments[0] { return .boolean(pattern.matches(text)) }
      return .boolean(arguments[0].texts.contains { $0.map(pattern.matches) == true })
    },
    strict("regexp_like") { arguments, context throws(ValueFailure) in
      let expression = try context.expression(try arguments.text(1))
      return .boolean(try expression.isFound(in: try arguments.text(0)))
    },
    strict("regexp_extract") { arguments, context throws(ValueFailure) in
      let expression = try context.expression(try arguments.text(1))
      let group = Int(clamping: try arguments.long(2))
      return try expression.extract(group, of: try arguments.text(0)).map { .text($0) } ?? .null
    },
    strict("regexp_replace") { arguments, context throws(ValueFailure) in
      let expression = try context.expression(try arguments.text(1))
      return .text(
        try expression.replacing(in: try arguments.text(0), with: try arguments.text(2)))
    },
  ]

  private static func trim(_ name: String, _ side: Text.Side) -> ScalarFunction {
    strict(name) { arguments, _ throws(ValueFailure) in
      .text(Text.trimmed(try arguments.text(0), of: try arguments.text(1), side))
    }
  }

  private static func pad(_ name: String, atStart: Bool) -> ScalarFunction {
    strict(name) { arguments, _ throws(ValueFailure) in
      let text = try Text.padded(
        try arguments.text(0), to: try arguments.long(1), with: try arguments.text(2),
        atStart: atStart)
      return text.map { .text($0) } ?? .null
    }
  }
}
