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
    guard case .aggregate(let bind) = function.binding else { throw .unknown(name, at: range) }
    return try bind(
      self,
      Function.AggregateUse(
        function: function, name: name, arguments: arguments, isDistinct: call.isDistinct == true,
        filter: filter, scope: scope, range: range))
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
}
