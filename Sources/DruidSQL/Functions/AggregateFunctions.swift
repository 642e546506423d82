import JavaValues

extension Function {
  static let count = Function(
    "COUNT",
    "The number of rows or values; with DISTINCT an estimate, unless the context disables it.",
    .init([.any], required: 0, .bigint),
    binding: .aggregate { resolver, use throws(SQLFailure) in
      // What can't be NULL falls away.
      let mayBeNull =
        use.arguments.count > 1 ? use.arguments.filter(\.type.isNullable) : use.arguments
      guard let first = mayBeNull.first else { return use.aggregate([], .bigint.nullable(false)) }
      if mayBeNull.count > 1 || use.isDistinct && use.arguments.count > 1 {
        resolver.failInPlanning(.uncategorized("expected one element but was: <0, 1>"))
      }
      if first.type.kind != .null { try use.refuseOpaque() }
      if first.isMultiple
        && (use.isDistinct ? !resolver.settings.approximatesCountDistinct : !first.isColumn)
      {
        throw .multiValueOperand(of: "COUNT", at: use.range)
      }
      if use.isDistinct, first.type.isArray {
        throw .operand(of: "COUNT(DISTINCT)", at: use.range)
      }
      return use.aggregate([first], .bigint.nullable(false))
    },
    windowType: { use throws(SQLFailure) in
      guard use.arguments.count <= 1 else { throw .windowFunction("COUNT", at: use.range) }
      return .bigint.nullable(false)
    },
    kernels: [
      // HyperLogLog of the values; 1 for a FLOAT, else 0. NULLs are skipped.
      .aggregate("approx_count_distinct", 2) { DistinctCount() }
    ],
    aggregateSpelling: { call in
      if call.call.isDistinct && call.approximatesCountDistinct { return call.estimate }
      guard call.call.isDistinct else { return "COUNT(\(call.argument))" }
      // 0.0 and -0.0 are two values.
      let isComputed = call.type?.isReal == true && call.call.arguments.first?.isColumn == false
      return isComputed
        ? "COUNT(DISTINCT druid_double_to_text(\(call.argument)))"
        : "COUNT(DISTINCT \(call.argument))"
    })

  static let sum = Function(
    "SUM", "The sum.", .init([.number], .double),
    binding: .aggregate { _, use throws(SQLFailure) in
      try use.total(use.arguments[0].type.isIntegral ? .bigint : .double)
    },
    windowType: { use throws(SQLFailure) in
      guard use.arguments.count == 1, let first = use.first, first.isNumeric else {
        throw .operand(of: "SUM OVER", at: use.range)
      }
      return first.isIntegral ? .bigint : .double
    },
    kernels: [
      .aggregate("sum_long", 1) { LongSum() },
      // A sum of doubles that may be NaN; one NaN makes the sum NaN.
      .aggregate("wild_sum", 1) { WildDoubles { $0 + $1 } },
      .aggregate("wild_avg", 1) { WildDoubles(isMean: true) { $0 + $1 } },
      // -0.0 comes before 0.0.
      .aggregate("wild_min", 1) {
        WildDoubles { $0.isNaN || $0 < $1 || $0 == $1 && $0.sign == .minus ? $0 : $1 }
      },
      .aggregate("wild_max", 1) {
        WildDoubles { $0.isNaN || $0 > $1 || $0 == $1 && $0.sign == .plus ? $0 : $1 }
      },
    ],
    aggregateSpelling: {
      let argument = $0.call.isDistinct ? "DISTINCT \($0.argument)" : $0.argument
      return $0.type?.isIntegral == true ? "druid_sum_long(\(argument))" : "SUM(\(argument))"
    })

  static let earliest = byTime("EARLIEST", "The value of the earliest row.", isLatest: false)
  static let latest = byTime("LATEST", "The value of the latest row.", isLatest: true)

  static let stringAggregate = Function(
    "STRING_AGG", aliases: ["LISTAGG"], "All texts joined with a separator.",
    .init([.string, .string, .integer], required: 1, .varchar), .unfinished,
    binding: .aggregate { resolver, use throws(SQLFailure) in try resolver.joinedTexts(use) },
    kernels: [.aggregate("string_agg", 4) { TextCollection() }],
    aggregateSpelling: { $0.collection("string_agg", nests: false) })
  static let arrayAggregate = Function(
    "ARRAY_AGG", "All values as an array.", .init([.any, .integer], required: 1, .common),
    binding: .aggregate { resolver, use throws(SQLFailure) in
      var type = use.arguments[0].type
      if type.kind == .null { type = .varchar }
      let element = type.element ?? type
      guard element.isNumeric || element.isCharacter || element.isTime || element.kind == .boolean
      else { throw .operandType(of: "ARRAY_AGG", type, at: use.range) }
      return try resolver.collection(
        use, [use.arguments[0]], Array(use.arguments.dropFirst()), SQLType(.array(type)))
    },
    kernels: [.aggregate("array_agg", 3) { ArrayCollection(flattens: false) }],
    aggregateSpelling: { $0.collection("array_agg", nests: true) })

  static let aggregates: [Function] =
    [count, sum, earliest, latest, stringAggregate, arrayAggregate] + estimates + extremes + [
      Function(
        "AVG", "The mean.", .init([.number], .double),
        binding: .aggregate { _, use throws(SQLFailure) in try use.total(.double) },
        windowType: { use throws(SQLFailure) in
          guard use.arguments.count == 1, let first = use.first, first.isNumeric else {
            throw .operand(of: "AVG OVER", at: use.range)
          }
          return .double
        },
        aggregateSpelling: { "AVG(\($0.call.isDistinct ? "DISTINCT " : "")\($0.argument))" }),
      byTime(
        "EARLIEST_BY", "The value of the row with the earliest given time.", isLatest: false,
        base: earliest),
      byTime(
        "LATEST_BY", "The value of the row with the latest given time.", isLatest: true,
        base: latest),
      Function(
        "ANY_VALUE", "Any row's value: that of the first row.",
        .init([.any, .integer, .boolean], required: 1, .argument(0)), .unfinished,
        binding: .aggregate { resolver, use throws(SQLFailure) in try resolver.chosen(use) },
        kernels: [.aggregate("any_value", 2) { AnyValue() }],
        aggregateSpelling: {
          "druid_any_value(\(([$0.argument] + $0.others).joined(separator: ", ")))"
        }),
      Function(
        "ARRAY_CONCAT_AGG", "The elements of all arrays.",
        .init([.array, .integer], required: 1, .argument(0)),
        binding: .aggregate { resolver, use throws(SQLFailure) in
          let type = use.arguments[0].type
          guard let element = type.element, element.isCharacter || element.isNumeric else {
            if type.isArray { throw .operand(of: use.name, at: use.range) }
            throw .cannotApply(use.name, use.arguments.map(\.type), at: use.range)
          }
          return try resolver.collection(
            use, [use.arguments[0]], Array(use.arguments.dropFirst()), type.nullable(true))
        },
        kernels: [.aggregate("array_concat_agg", 3) { ArrayCollection(flattens: true) }],
        aggregateSpelling: { $0.collection("array_concat_agg", nests: false) }),
      // Druid starts from 0, so the result is always 0.
      bits("BIT_AND", "The bits that all values have.") { "MIN(\($0.argument) & 0)" },
      bits(
        "BIT_OR", "The bits that any value has.", [.aggregate("bit_or", 1) { Bits { $0 | $1 } }]
      ) { "druid_bit_or(\($0.argument))" },
      bits(
        "BIT_XOR", "The bits that an odd number of values have.",
        [.aggregate("bit_xor", 1) { Bits { $0 ^ $1 } }]
      ) { "druid_bit_xor(\($0.argument))" },
      Function(
        "GROUPING", "The keys that are not in the row's grouping set, as bits.",
        .init([.any], variadic: true, .bigint),
        binding: .aggregate { _, use throws(SQLFailure) in
          if use.filter != nil { throw .unknown("GROUPING with FILTER", at: use.range) }
          return TypedExpression(.grouping(use.arguments), .bigint.nullable(false), use.range)
        }),
    ]

  private static let extremes: [Function] = [
    extremum("MIN", "The least value."), extremum("MAX", "The greatest value."),
  ]

  private static func extremum(_ name: String, _ summary: String) -> Function {
    Function(
      name, summary, .init([.number], .argument(0)),
      binding: .aggregate { resolver, use throws(SQLFailure) in
        let type = use.arguments[0].type
        let isComputed = use.readsWindows || use.scope.isEmpty
        if !(type.isCharacter && isComputed), let failure = noExtremum(name, of: type) {
          resolver.failInPlanning(failure)
          return use.aggregate(use.arguments, type.nullable(true))
        }
        try use.refuseOpaque()
        var result = use.aggregate(use.arguments, type.nullable(true))
        result.isWild = use.arguments[0].isWild
        return result
      },
      windowType: { use throws(SQLFailure) in
        guard use.arguments.count == 1, let first = use.first else {
          throw .operand(of: "\(name) OVER", at: use.range)
        }
        if let failure = noExtremum(name, of: first) { use.resolver.failInPlanning(failure) }
        return first.nullable(true)
      },
      aggregateSpelling: { "\(name)(\($0.argument))" })
  }

  /// MIN and MAX do not exist for texts and arrays.
  private static func noExtremum(_ name: String, of type: SQLType) -> SQLFailure? {
    guard type.isCharacter || type.isArray || type.kind == .null else { return nil }
    return .planning(
      "Aggregation [\(name)] does not support type [\(type.nativeName)], column [v0]")
  }

  private static let estimates: [Function] = [
    Function(
      "APPROX_COUNT_DISTINCT", aliases: ["APPROX_COUNT_DISTINCT_BUILTIN"],
      "The number of distinct values, estimated by HyperLogLog.", .init([.any], .bigint),
      .unfinishedNull, binding: .aggregate { _, use throws(SQLFailure) in try use.distinct() },
      aggregateSpelling: { $0.estimate }),
    Function(
      "SINGLE_VALUE", "The value of the only row.", .init([.any], .argument(0)), .unlisted,
      binding: .aggregate { _, use throws(SQLFailure) in
        use.aggregate(use.arguments, use.arguments[0].type.nullable(true))
      },
      kernels: [.aggregate("single_value", 1) { SingleValue() }],
      aggregateSpelling: { "druid_single_value(\($0.argument))" }),
    Function(
      "$SUM0", "The sum, 0 of nothing.", .init([.number], .double), .unlisted,
      binding: .aggregate { _, use throws(SQLFailure) in
        try use.total(use.arguments[0].type.isIntegral ? .bigint : .double)
      },
      aggregateSpelling: {
        $0.type?.isIntegral == true ? "druid_sum_long(\($0.argument))" : "SUM(\($0.argument))"
      }),
    notSupported("JSON_ARRAYAGG", "A list of values as JSON."),
    notSupported("JSON_OBJECTAGG", "An object of keys and values as JSON."),
    sketch("HLL", [.any, .integer, .string]), sketch("THETA", [.any, .integer]),
    Function(
      "APPROX_QUANTILE_DS", "The value at a rank between 0 and 1.",
      .init([.number, .number, .integer], required: 2, .double), .unfinished,
      binding: .aggregate { resolver, use throws(SQLFailure) in
        try use.refuseOpaque()
        var value = use.arguments[0]
        let rank = use.arguments[1]
        if value.type.isCharacter { value = resolver.number(of: value) }
        guard value.type.isNumeric, !value.isMultiple, rank.type.isNumeric else {
          throw .call(use.name, at: use.range)
        }
        if use.arguments.count > 2, case .long(let size)? = use.arguments[2].constant,
          size < 1 || size & (size - 1) != 0
        {
          resolver.failInPlanning(
            .uncategorized(
              "The value of the int argument \"k\" must be a positive integer-power of 2 and "
                + "greater than 0: \(size)"))
        }
        guard let fraction = rank.number else {
          throw .notLiteral(use.name, at: rank.range)
        }
        if !(0...1).contains(fraction) {
          resolver.failInPlanning(
            .runtime(
              "A normalized rank must be >= 0 and <= 1.0: \(JavaNumber.text(fraction))"))
        }
        return use.aggregate([value, rank], .double)
      },
      kernels: [.aggregate("quantile", 2) { Quantile() }],
      aggregateSpelling: { "druid_quantile(\($0.argument), \($0.others[0]))" }),
  ]

  /// A distinct count by a sketch. It is exact here, as a sketch of few values is.
  private static func sketch(
    _ kind: String, _ operands: [FunctionSignature.Operand]
  ) -> Function {
    Function(
      "APPROX_COUNT_DISTINCT_DS_" + kind, "The number of distinct values, estimated by a sketch.",
      .init(operands, required: 1, .bigint), .unfinished,
      binding: .aggregate { resolver, use throws(SQLFailure) in
        if kind == "HLL", use.arguments.count > 1,
          case .long(let size)? = use.arguments[1].constant,
          !(4...21).contains(size)
        {
          resolver.failInPlanning(.runtime("Log K must be between 4 and 21, inclusive: \(size)"))
        }
        if use.arguments.count > 2, let word = use.arguments[2].text,
          !["HLL_4", "HLL_6", "HLL_8"].contains(word)
        {
          resolver.failInPlanning(
            .uncategorized("No enum constant org.apache.datasketches.hll.TgtHllType.\(word)"))
        }
        return try use.distinct()
      },
      kernels: kind == "HLL" ? [.aggregate("count_distinct", 1) { MultipleDistinctCount() }] : [],
      aggregateSpelling: { call in
        // A sketch ignores empty strings as it ignores NULL.
        if call.call.arguments.first?.isMultiple == true {
          return "druid_count_distinct(\(call.argument))"
        }
        let isText = call.type?.isCharacter == true
        return "COUNT(DISTINCT \(isText ? "NULLIF(\(call.argument), '')" : call.argument))"
      })
  }

  /// EARLIEST and LATEST; with a base, EARLIEST_BY and LATEST_BY, which take a time argument.
  private static func byTime(
    _ name: String, _ summary: String, isLatest: Bool, base: Function? = nil
  ) -> Function {
    let kernel = isLatest ? "latest" : "earliest"
    return Function(
      name, summary,
      .init(
        base == nil ? [.any, .integer, .integer] : [.any, .time, .integer],
        required: base == nil ? 1 : 2,
        .argument(0)), .unfinished,
      binding: .aggregate { resolver, use throws(SQLFailure) in
        var use = use
        if let base { use.function = base }
        return try resolver.chosen(use)
      },
      kernels: base == nil
        ? [.aggregate(kernel, 3...Kernel.mostArguments) { ByTime(isLatest: isLatest) }] : [],
      aggregateSpelling: {
        "druid_\(kernel)(\(([$0.argument] + $0.others).joined(separator: ", ")))"
      })
  }

  private static func bits(
    _ name: String, _ summary: String, _ kernels: [Kernel] = [],
    spelling: @escaping AggregateSpelling
  ) -> Function {
    Function(
      name, summary, .init([.integer], .bigint),
      binding: .aggregate { _, use throws(SQLFailure) in
        try use.refuseOpaque()
        let value = use.arguments[0]
        if value.type.isCharacter, !value.isMultiple {
          // A text that spells no number has no bits.
          let number = TypedExpression(.cast(value), .bigint, value.range)
          let zero = TypedExpression(.constant(.long(0)), .bigint.nullable(false))
          let bits = TypedExpression(.call(.coalesce, [number, zero]), .bigint, value.range)
          return use.aggregate([bits], .bigint)
        }
        guard value.type.isIntegral else {
          throw .cannotApply(use.name, use.arguments.map(\.type), at: use.range)
        }
        return use.aggregate(use.arguments, .bigint)
      }, kernels: kernels, aggregateSpelling: spelling)
  }
}

extension Function {
  /// An aggregate that Calcite knows and Druid's planner has no way for.
  private static func notSupported(_ name: String, _ summary: String) -> Function {
    Function(
      name, summary, .init([.any], variadic: true, .json), .unlisted,
      binding: .aggregate { resolver, use throws(SQLFailure) in
        resolver.failInPlanning(.unplannable("Aggregation [\(name)($0)] is not supported"))
        return use.aggregate(Array(use.arguments.prefix(1)), .json)
      })
  }
}

extension TypedExpression {
  /// The number that a literal is.
  fileprivate var number: Double? {
    switch constant {
    case .long(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}

extension Function.AggregateUse {
  /// Whether it aggregates the rows of a query with window functions, where Druid compares text too.
  fileprivate var readsWindows: Bool {
    scope.entries.count == 1 && scope.entries[0].relation.shape.stage == .windowed
      && !arguments[0].isMultiple
  }

  func refuseOpaque() throws(SQLFailure) {
    let type = arguments[0].type
    if type.isComplex { throw .operandType(of: name, type, at: range) }
  }

  /// SUM and AVG. They parse strings as numbers.
  func total(_ type: SQLType) throws(SQLFailure) -> TypedExpression {
    var arguments = arguments
    let first = arguments[0]
    try refuseOpaque()
    if first.type.kind == .null {
      arguments[0] = TypedExpression(.constant(.null), .double, first.range)
      return aggregate(arguments, .double)
    }
    if first.type.isCharacter {
      if first.isMultiple { throw .multiValueOperand(of: name, at: range) }
      arguments[0] = TypedExpression(.cast(first), .double)
    } else if !first.type.isNumeric {
      throw .cannotApply(name, [first.type], at: range)
    }
    var result = aggregate(arguments, type)
    result.isWild = arguments[0].isWild
    return result
  }

  func distinct() throws(SQLFailure) -> TypedExpression {
    try refuseOpaque()
    if arguments[0].type.isArray { throw .operand(of: name, at: range) }
    return aggregate([arguments[0]], .bigint.nullable(false))
  }
}

extension Function.SpeltAggregate {
  /// SQL for Druid's estimate of COUNT(DISTINCT ...).
  var estimate: String {
    "druid_approx_count_distinct(\(argument), \(type?.kind == .float ? 1 : 0))"
  }

  func collection(_ kernel: String, nests: Bool) -> String {
    let mode = (call.isDistinct ? 1 : 0) + (nests && type?.isArray == true ? 2 : 0)
    return "druid_\(kernel)(\(([argument] + others + ["\(mode)"]).joined(separator: ", ")))"
  }
}
