extension Resolver {
  func aggregate(
    _ function: Function, _ call: FunctionCall, in scope: Scope, _ place: Place,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let name = call.function
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
      throw .unknown("A FILTER that is not a condition", at: filter.range)
    }
    let isStar = call.arguments.contains {
      if case .star = $0 { true } else { false }
    }
    if isStar {
      guard function == .count, call.arguments.count == 1, call.isDistinct == nil else {
        throw .unknown("\(name)(*)", at: range)
      }
      return TypedExpression(
        .aggregate(
          AggregateCall(function: function, arguments: [], isDistinct: false, filter: filter)),
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
    if call.isDistinct == true, settings.approximatesCountDistinct,
      ["SUM", "AVG", "MIN", "MAX"].contains(function.name)
    {
      throw SQLFailure(
        "Aggregation [\(function.name)] with DISTINCT is not supported when "
          + "useApproximateCountDistinct is enabled. Run with disabling it.", at: range)
    }
    let use = filtered(
      Function.AggregateUse(
        function: function, name: name, arguments: arguments, isDistinct: call.isDistinct == true,
        filter: filter, scope: scope, range: range))
    guard case .aggregate(let bind) = use.function.binding else { throw .unknown(name, at: range) }
    if use.arguments.isEmpty { return use.aggregate([], .bigint.nullable(false)) }
    return try bind(self, use)
  }

  /// Rewrites an aggregate of a CASE as an aggregate with the condition as FILTER
  /// (`AggregateCaseToFilterRule`). Without a matching row the result is NULL rather than 0.
  private func filtered(_ use: Function.AggregateUse) -> Function.AggregateUse {
    let readsRows = use.scope.entries.contains { $0.relation.shape.stage != .constant }
    guard readsRows, !use.isDistinct, use.arguments.count == 1,
      case .conditional(let branches, let otherwise) = use.arguments[0].node,
      let result = branches.first?.result, branches.allSatisfy({ $0.result == result })
    else { return use }
    var condition = branches[0].condition
    if branches.count > 1 {
      condition = TypedExpression(
        .operation(.or, branches.map(\.condition)), .boolean, condition.range)
    }
    var filtered = use
    if use.function == .sum, result.type.isIntegral, otherwise.isWholeZero {
      let constant = result.uncast.constant
      if constant == .long(0) || constant == .null { return use }
      if constant == .long(1) {
        filtered.function = .count
        filtered.arguments = []
      } else {
        filtered.arguments = [result]
      }
    } else if use.function == .arrayAggregate, otherwise.isNullConstant {
      filtered.arguments = [result]
    } else if use.function == .arrayAggregate, result.isNullConstant {
      filtered.arguments = [otherwise]
      condition = TypedExpression(
        .operation(.isNotTrue, [condition]), .boolean.nullable(false), condition.range)
    } else {
      return use
    }
    condition = condition.withFilterBounds
    filtered.filter =
      use.filter.map { filter in
        TypedExpression(.operation(.and, [filter, condition]), .boolean, filter.range)
      } ?? condition
    return filtered
  }

  /// In ORDER BY, Calcite replaces an alias even inside an aggregate, which nests two aggregates.
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
}

extension TypedExpression {
  /// The operand of a cast, or the expression itself.
  fileprivate var uncast: TypedExpression {
    if case .cast(let operand) = node { operand.uncast } else { self }
  }

  /// Whether it is always the integer 0: the constant, a cast or negation of it, or `x - x` of a
  /// constant.
  fileprivate var isWholeZero: Bool {
    guard type.isIntegral else { return false }
    switch node {
    case .constant(.long(let value)): return value == 0
    case .cast(let operand): return operand.isWholeZero
    case .operation(.negate, let operands): return operands[0].isWholeZero
    case .operation(.subtract, let operands):
      return operands.count == 2 && operands[0].isConstant && operands[0] == operands[1]
    default: return false
    }
  }
}
