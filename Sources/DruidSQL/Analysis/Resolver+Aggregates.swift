extension Resolver {
  static let aggregates: Set<String> = [
    "COUNT", "SUM", "AVG", "MIN", "MAX", "APPROX_COUNT_DISTINCT", "APPROX_COUNT_DISTINCT_BUILTIN",
    "APPROX_COUNT_DISTINCT_DS_HLL", "APPROX_COUNT_DISTINCT_DS_THETA", "APPROX_QUANTILE_DS",
    "EARLIEST", "LATEST", "EARLIEST_BY", "LATEST_BY", "ANY_VALUE", "ARRAY_AGG", "ARRAY_CONCAT_AGG",
    "STRING_AGG", "LISTAGG", "BIT_AND", "BIT_OR", "BIT_XOR", "GROUPING",
  ]

  func aggregate(
    _ name: String, _ call: FunctionCall, in scope: Scope, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if let clause = place.clause {
      throw SQLFailure("Aggregate expression is illegal in \(clause) clause", at: range)
    }
    if place.isInAggregate {
      throw SQLFailure("Aggregate expressions cannot be nested", at: range)
    }
    guard call.orderBy.isEmpty, call.withinGroup.isEmpty, call.nulls == nil, call.json == nil
    else { throw .unknown("This form of \(name)", at: range) }
    if place.prefersAliases { try refuseAliases(of: call, place, at: range) }
    var inner = place
    inner.isInAggregate = true
    inner.allowsWindows = false
    inner.aliases = [:]
    let filter = try call.filter.map { (item) throws(SQLFailure) in
      try resolve(filter: item, in: scope, inner)
    }
    if let filter, filter.type.kind != .boolean {
      throw .unknown("A FILTER that is no condition", at: filter.range)
    }
    let isStar = call.arguments.contains {
      if case .star = $0 { true } else { false }
    }
    if isStar {
      guard name == "COUNT", call.arguments.count == 1, call.isDistinct == nil else {
        throw .unknown("\(name)(*)", at: range)
      }
      return TypedExpression(
        .aggregate(AggregateCall(function: name, arguments: [], isDistinct: false, filter: filter)),
        .bigint.nullable(false), range)
    }
    var arguments: [TypedExpression] = []
    for argument in call.arguments {
      guard case .expression(let expression) = argument else {
        throw .unknown("This argument of \(name)", at: range)
      }
      arguments.append(try resolve(expression, in: scope, inner).withListTests)
    }
    for argument in arguments {
      try refuseMultipleTest(argument)
      try refuseFilterCase(argument)
    }
    guard !arguments.isEmpty else {
      throw SQLFailure(
        "Invalid number of arguments to function '\(name)'. Was expecting 1 arguments", at: range)
    }
    if name == "GROUPING" {
      if filter != nil { throw .unknown("GROUPING with FILTER", at: range) }
      return TypedExpression(.grouping(arguments), .bigint.nullable(false), range)
    }
    let isDistinct = call.isDistinct == true
    switch name {
    case "EARLIEST", "LATEST", "EARLIEST_BY", "LATEST_BY", "ANY_VALUE":
      if isDistinct { throw .unknown("\(name)(DISTINCT ...)", at: range) }
      return try chosen(name, arguments, filter, in: scope, at: range)
    case "ARRAY_AGG", "ARRAY_CONCAT_AGG", "STRING_AGG", "LISTAGG":
      return try collected(name, arguments, isDistinct: isDistinct, filter, at: range)
    default:
      return try aggregate(name, arguments, isDistinct: isDistinct, filter, at: range)
    }
  }

  /// In ORDER BY Calcite puts what an alias stands for even into an aggregate, and then nests two of them.
  func refuseAliases(
    of call: FunctionCall, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) {
    for (alias, expression) in place.aliases where !expression.isColumn {
      var found = false
      call.forEachChild { found = found || $0.mentions(alias) }
      if !found { continue }
      if expression.hasAggregate {
        throw SQLFailure("Aggregate expressions cannot be nested", at: range)
      }
      throw .unknown("An alias inside \(call.function)", at: range)
    }
  }

  private func aggregate(
    _ name: String, _ arguments: [TypedExpression], isDistinct: Bool, _ filter: TypedExpression?,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var arguments = arguments
    let first = arguments[0]
    let type = first.type
    var extra = arguments.count - 1
    let result: SQLType
    if type.kind == .null { throw .unknown("\(name)(NULL)", at: range) }
    if type.isComplex { throw .unknown("\(name) of \(type.sqlName)", at: range) }
    switch name {
    case "COUNT":
      if first.isMultiple
        && (isDistinct ? !settings.approximatesCountDistinct : !first.isColumn)
      {
        throw .unknown("COUNT of a multi-value column", at: range)
      }
      if isDistinct, type.isArray || (type.isReal && first.isWild) {
        throw .unknown("COUNT(DISTINCT) of this", at: range)
      }
      result = .bigint.nullable(false)
    case "SUM", "AVG":
      if isDistinct { throw .unknown("\(name)(DISTINCT ...)", at: range) }
      if type.isCharacter {
        if first.isMultiple { throw .unknown("\(name) of a multi-value column", at: range) }
        arguments[0] = TypedExpression(.cast(first), .double)
      } else if !type.isNumeric {
        if type.kind == .boolean { throw .unknown("\(name) of BOOLEAN", at: range) }
        throw .cannotApply(name, [type], at: range)
      }
      result = name == "AVG" || !type.isIntegral ? .double : .bigint
    case "MIN", "MAX":
      guard type.isNumeric || type.isTime else {
        if type.isCharacter {
          throw SQLFailure(
            "Aggregation [\(name)] does not support type [STRING]", at: nil, category: .unsupported)
        }
        throw .unknown("\(name) of \(type.sqlName)", at: range)
      }
      result = type.nullable(true)
    case "APPROX_COUNT_DISTINCT", "APPROX_COUNT_DISTINCT_BUILTIN", "APPROX_COUNT_DISTINCT_DS_HLL",
      "APPROX_COUNT_DISTINCT_DS_THETA":
      if type.isArray { throw .unknown("\(name) of this", at: range) }
      extra = 0
      arguments = [first]
      result = .bigint.nullable(false)
    case "APPROX_QUANTILE_DS":
      guard type.isNumeric, arguments.count > 1, arguments[1].type.isNumeric,
        arguments[1].isConstant
      else { throw .unknown("This \(name)", at: range) }
      arguments = Array(arguments.prefix(2))
      extra = 0
      result = .double
    case "BIT_AND", "BIT_OR", "BIT_XOR":
      guard type.isIntegral, !isDistinct else { throw .unknown("\(name) of this", at: range) }
      result = .bigint
    default: throw .unknown(name, at: range)
    }
    if extra > 0 { throw .unknown("\(name) with so many arguments", at: range) }
    return TypedExpression(
      .aggregate(
        AggregateCall(
          function: name, arguments: arguments, isDistinct: isDistinct, filter: filter)),
      result, range)
  }
}
