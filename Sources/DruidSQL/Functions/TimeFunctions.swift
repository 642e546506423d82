import JavaValues

extension Function {
  static let timeFloor = Function(
    "TIME_FLOOR", "A time cut down to a period.",
    .init([.time, .constantText, .optionalTime, .optionalText], required: 2, .timestamp),
    binding: checked { resolver, call throws(SQLFailure) in
      try resolver.periodic(call, origin: call.argument(2))
    },
    kernels: [rounding("time_floor", isCeil: false).cuttingTimes],
    spelling: { call in
      Translator.floor(
        call.values[0], period: call.operands[1].text ?? "", origin: call.values[2],
        zone: call.operands[3].text ?? call.zone)
    })
  static let timeCeil = Function(
    "TIME_CEIL", "A time raised to a period's end.",
    .init([.time, .constantText, .optionalTime, .optionalText], required: 2, .timestamp),
    binding: checked { resolver, call throws(SQLFailure) in
      try resolver.periodic(call, origin: call.argument(2))
    },
    kernels: [rounding("time_ceil", isCeil: true)])
  static let timeExtract = Function(
    "TIME_EXTRACT", "A part of a time, such as its hour.",
    .init([.time, .constantText, .optionalText], required: 2, .bigint),
    binding: checked { resolver, call throws(SQLFailure) in try resolver.timePart(call) },
    kernels: [
      .strict("time_extract", 3) { arguments, context throws(ValueFailure) in
        let name = try arguments.text(1)
        guard let unit = TimeUnit(rawValue: name) else { throw .invalid("Unknown unit \(name)") }
        let zone = try context.zone(try arguments.text(2))
        return .integer(TimeExtract.value(unit, of: try arguments.long(0), zone: zone))
      }
    ],
    spelling: { call in
      Translator.extract(
        call.values[0], call.operands[1].text ?? "", zone: call.operands[2].text ?? call.zone)
    })

  static let times: [Function] = [
    timeFloor, timeCeil, timeExtract,
    Function(
      "TIME_SHIFT", "A time moved by a number of periods.",
      .init([.time, .constantText, .integer, .optionalText], required: 3, .timestamp),
      binding: checked { resolver, call throws(SQLFailure) in
        try resolver.periodic(call, origin: call.arguments[2])
      },
      kernels: [
        .strict("time_shift", 4) { arguments, context throws(ValueFailure) in
          let period = try context.period(try arguments.text(1))
          let zone = try context.zone(try arguments.text(3))
          return .integer(
            period.added(to: try arguments.long(0), times: try arguments.long(2), zone: zone))
        }
      ]),
    Function(
      "TIME_PARSE", "The time that a text spells, by a Joda pattern.",
      .init([.string, .optionalText, .optionalText], required: 1, .timestamp, nullable: true),
      binding: checked { resolver, call throws(SQLFailure) in try resolver.patterned(call) },
      kernels: [
        .lenient("time_parse", 3) { arguments, context throws(ValueFailure) in
          guard case .text(let text) = arguments[0], let name = arguments[2].text else {
            return .null
          }
          let zone = try context.zone(name)
          let time: Int64?
          if let pattern = arguments[1].text {
            time = try context.pattern(pattern).time(of: text, zone: zone) { context.findZone($0) }
          } else {
            time = TimeText.parse(text, zone: zone)
          }
          return time.map { .integer($0) } ?? .null
        }
      ]),
    Function(
      "TIME_FORMAT", "A time as text, by a Joda pattern.",
      .init([.time, .optionalText, .optionalText], required: 1, .varchar),
      binding: checked { resolver, call throws(SQLFailure) in
        if let pattern = call.argument(1).text { resolver.check(pattern: pattern) }
        // A zone that the call names must be known; the query's own may be none.
        let isOwn = call.argument(2).isNullConstant
        var result = try resolver.patterned(call)
        if case .call(let function, var operands) = result.node {
          operands.append(resolver.long(isOwn ? 0 : 1))
          result.node = .call(function, operands)
        }
        return result
      },
      kernels: [
        .lenient("time_format", 4) { arguments, context throws(ValueFailure) in
          guard let time = arguments[0].integer, let name = arguments[2].text else { return .null }
          let mustBeKnown = arguments[3].integer == 1
          let zone = try mustBeKnown ? context.knownZone(name) : context.zone(name)
          guard let pattern = arguments[1].text else {
            // The offset is always a number, also for UTC.
            let text = TimeText.iso(time, zone: zone)
            return .text(text.hasSuffix("Z") ? text.dropLast() + "+00:00" : text)
          }
          return .text(try context.pattern(pattern).text(of: time, zone: zone))
        }
      ]),
    Function(
      "TIME_IN_INTERVAL", "Whether a time is in an ISO interval.",
      .init([.time, .string], .boolean),
      binding: checked { resolver, call throws(SQLFailure) in try resolver.inInterval(call) },
      kernels: [
        .strict("in_interval", 3) { arguments, context throws(ValueFailure) in
          let text = try arguments.text(1)
          let zone = try context.zone(try arguments.text(2))
          let interval = try context.interval(text, zone)
          let time = try arguments.long(0)
          return .boolean(interval.start <= time && time < interval.end)
        }
      ],
      spelling: { $0.kernel("in_interval") }),
    Function(
      "DATE_TRUNC", "A time cut down to a unit, such as 'hour'.",
      .init([.pattern, .time], .timestamp),
      binding: checked { resolver, call throws(SQLFailure) in try resolver.dateTruncated(call) }),
    Function(
      "TIMESTAMP_TO_MILLIS", "A time as milliseconds since 1970.", .init([.time], .bigint),
      spelling: { $0.values[0] }),
    Function(
      "MILLIS_TO_TIMESTAMP", "The time that is a number of milliseconds after 1970.",
      .init([.any], .timestamp),
      binding: .signature { _, arguments, range throws(SQLFailure) in
        if arguments[0].type.kind == .null { throw .invalid(.nullArgument, at: arguments[0].range) }
        guard arguments[0].type.isExact else {
          throw .cannotApply("MILLIS_TO_TIMESTAMP", arguments.map(\.type), at: range)
        }
      }, spelling: { $0.isReal ? "druid_double_to_long(\($0.values[0]))" : $0.values[0] }),
    Function(
      "CURRENT_TIMESTAMP", "The time at which the statement is planned.",
      .init([.integer], required: 0, .timestamp), .unlisted,
      binding: .custom { resolver, call throws(SQLFailure) in
        try resolver.clock(call.arguments, at: call.range)
      }),
  ]

  /// Checks the arguments against the signature before it applies the rule.
  private static func checked(_ rule: @escaping Binder) -> Binding {
    .custom { resolver, call throws(SQLFailure) in
      var call = call
      call.arguments = try resolver.checked(call)
      return try rule(resolver, call)
    }
  }

  private static func rounding(_ name: String, isCeil: Bool) -> Kernel {
    .lenient(name, 4) { arguments, context throws(ValueFailure) in
      guard let time = arguments[0].integer, let text = arguments[1].text else { return .null }
      guard let name = arguments[3].text else { return .null }
      let zone = try context.zone(name)
      let start = try context.floor(time, text, origin: arguments[2].integer, zone: zone)
      guard isCeil, start != time else { return .integer(start) }
      return .integer(try context.period(text).added(to: start, zone: zone))
    }
  }
}

extension Function.Call {
  /// The argument, or NULL when it is omitted.
  func argument(_ index: Int) -> TypedExpression {
    arguments.indices.contains(index)
      ? arguments[index] : TypedExpression(.constant(.null), .null)
  }
}
