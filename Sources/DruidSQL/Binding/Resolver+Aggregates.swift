extension Resolver {
  func aggregate(
    _ function: Function, _ call: FunctionCall, in scope: Scope, _ place: Place,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let name = call.function
    let placed = PlacedCall(call: call, function: function, place: place, range: range)
    try Restrictions.aggregatePlaces.check(placed)
    var inner = place
    inner.aggregate = range
    inner.allowsWindows = false
    inner.aliases = [:]
    let filter = try call.filter.map { (item) throws(SQLFailure) in
      do throws(SQLFailure) {
        return try resolve(filter: item, in: scope, inner)
      } catch {
        guard error.isWrongInterval else { throw error }
        failInPlanning(.intervalInFilter)
        return TypedExpression(.constant(.boolean(true)), .boolean, item.range)
      }
    }
    if let filter, filter.type.kind != .boolean {
      throw .notCondition("FILTER", at: filter.range)
    }
    for case .star(let position) in call.arguments {
      guard function == .count, call.arguments.count == 1, call.isDistinct == nil else {
        throw .unknownIdentifier("*", at: position.range)
      }
      return TypedExpression(
        .aggregate(
          AggregateCall(function: function, arguments: [], isDistinct: false, filter: filter)),
        .bigint.nullable(false), range)
    }
    var arguments: [TypedExpression] = []
    for argument in call.arguments {
      guard case .expression(let expression) = argument else {
        throw .argument(of: name, at: range)
      }
      arguments.append(try resolve(expression, in: scope, inner).withListTests)
    }
    var use = Function.AggregateUse(
      function: function, name: name, arguments: arguments, isDistinct: call.isDistinct == true,
      filter: filter, scope: scope, range: range)
    let ofCase = try testingValues(use, call, inner)
    try Restrictions.aggregates.check(
      BoundAggregate(
        name: name, function: function, arguments: arguments, call: placed, settings: settings,
        isOfCase: ofCase != nil))
    use = ofCase ?? filtered(use)
    let order = call.orderBy + (function == .stringAggregate ? [] : call.withinGroup)
    if !order.isEmpty {
      failInPlanning(.withinGroup(name))
    }
    guard case .aggregate(let bind) = use.function.binding else { throw .function(name, at: range) }
    if use.arguments.isEmpty { return use.aggregate([], .bigint.nullable(false)) }
    return try bind(self, use)
  }

  /// A COUNT or SUM of a CASE that tests a multi-value column; nil for any other aggregate.
  ///
  /// What becomes a FILTER is true when any of the values satisfies it. Where it does not, Druid
  /// makes a list of the results for a row with several values, which does not count as a number.
  private func testingValues(
    _ use: Function.AggregateUse, _ call: FunctionCall, _ place: Place
  ) throws(SQLFailure) -> Function.AggregateUse? {
    guard use.function == .sum || use.function == .count, !use.isDistinct,
      use.arguments.count == 1, case .expression(let written)? = call.arguments.first,
      case .conditional(nil, let branches, _) = written.kind, branches.count == 1,
      let (tested, result, otherwise) = use.arguments[0].singleCase, tested.testsMultiple,
      !result.testsMultiple, !result.isMultiple, !otherwise.isMultiple
    else { return nil }
    let condition = try resolve(filter: branches[0].condition, in: use.scope, place)
    var filtered = use
    let isCount =
      use.function == .count
      ? result.isConstant && !result.isNullConstant && otherwise.isNullConstant
      : use.arguments[0].isCaseOfSum && result.uncast.constant == .long(1)
    if isCount || use.function == .sum && use.arguments[0].isCaseOfSum {
      filtered.function = isCount ? .count : .sum
      filtered.arguments = isCount ? [] : [result]
      filtered.narrow(by: condition)
      return filtered
    }
    guard use.function == .sum, result.type.isReal, otherwise.isZero,
      let column = tested.onlyMultiple
    else { return nil }
    let length = TypedExpression(.call(.mvLength, [column]), .integer, column.range)
    let isSeveral = TypedExpression(
      .operation(.greater, [length, long(1)]), .boolean, column.range)
    let nothing = TypedExpression(.constant(.null), use.arguments[0].type.nullable(true))
    filtered.arguments = [
      TypedExpression(
        .conditional(
          [
            .init(condition: isSeveral, result: nothing),
            .init(condition: condition, result: result),
          ], otherwise: otherwise), use.arguments[0].type.nullable(true), use.range)
    ]
    return filtered
  }

  /// Rewrites an aggregate of a CASE as an aggregate with the condition as FILTER
  /// (`AggregateCaseToFilterRule`). Without a matching row the result is NULL rather than 0.
  private func filtered(_ use: Function.AggregateUse) -> Function.AggregateUse {
    let readsRows = use.scope.entries.contains { $0.relation.shape.stage != .constant }
    guard readsRows, !use.isDistinct, use.arguments.count == 1,
      let (tested, result, otherwise) = use.arguments[0].singleCase
    else { return use }
    var condition = tested
    // Calcite puts WHERE's values in first, and what is left does not match the rule.
    if condition.isSettled(by: use.scope.pins) || result.isSettled(by: use.scope.pins) {
      return use
    }
    var filtered = use
    if use.function == .sum, use.arguments[0].isCaseOfSum {
      // With WHERE FALSE, Calcite computes NULL before it sees a COUNT.
      if result.uncast.constant == .long(1), !use.scope.isEmpty {
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
    condition = condition.asFilter
    filtered.narrow(by: condition)
    return filtered
  }

  /// Applies the same rule when the CASE is a column of the subquery: the subquery gets a hidden
  /// column for the condition.
  func filterCasesBelow(_ select: inout SelectedRelation) {
    guard var grouping = select.grouping, case .select(var inner) = select.input.kind,
      inner.grouping == nil, !inner.isDistinct, inner.input.shape.stage != .constant,
      !inner.items.contains(where: { $0.hasWindow })
    else { return }
    let number = select.input.number
    var columns = select.input.columns
    for (index, item) in grouping.aggregates.enumerated() {
      guard case .aggregate(var call) = item.node, call.function == .sum, !call.isDistinct,
        case .column(number, let column)? = call.arguments.first?.node,
        inner.items.indices.contains(column), inner.items[column].isCaseOfSum,
        let (condition, result, _) = inner.items[column].singleCase
      else { continue }
      let pins = inner.filter?.pins ?? [:]
      if condition.isSettled(by: pins) || result.isSettled(by: pins) { continue }
      if result.uncast.constant == .long(1) {
        call.function = .count
        call.arguments = []
      }
      let test = TypedExpression(
        .column(relation: number, index: inner.items.count), .boolean, condition.range)
      inner.items.append(condition.asFilter)
      columns.append(Relation.Column(name: "", type: .boolean, isHidden: true))
      call.filter =
        call.filter.map { TypedExpression(.operation(.and, [$0, test]), .boolean, $0.range) }
        ?? test
      grouping.aggregates[index].node = .aggregate(call)
    }
    if columns.count == select.input.columns.count { return }
    select.grouping = grouping
    select.input = Relation(
      number: number, kind: .select(inner), columns: columns, shape: select.input.shape)
  }
}

extension TypedExpression {
  /// The multi-value column that it reads, if it is the only one.
  fileprivate var onlyMultiple: TypedExpression? {
    var columns: Set<TypedExpression> = []
    func collect(_ expression: TypedExpression) {
      if expression.isColumn, expression.isMultiple { columns.insert(expression) }
      expression.children.forEach(collect)
    }
    collect(self)
    return columns.count == 1 ? columns.first : nil
  }

  /// The operand of a cast, or the expression itself.
  fileprivate var uncast: TypedExpression {
    if case .cast(let operand) = node { operand.uncast } else { self }
  }

  /// The parts of a CASE that has one condition, or several with the same result.
  fileprivate var singleCase:
    (condition: TypedExpression, result: TypedExpression, otherwise: TypedExpression)?
  {
    guard case .conditional(let branches, let otherwise) = node,
      let result = branches.first?.result, branches.allSatisfy({ $0.result == result })
    else { return nil }
    let first = branches[0].condition
    if branches.count == 1 { return (first, result, otherwise) }
    let any = TypedExpression(.operation(.or, branches.map(\.condition)), .boolean, first.range)
    return (any, result, otherwise)
  }

  /// Whether its SUM equals the SUM of the result over the rows that match the condition.
  fileprivate var isCaseOfSum: Bool {
    guard let (_, result, otherwise) = singleCase, result.type.isIntegral, otherwise.isWholeZero
    else { return false }
    let constant = result.uncast.constant
    return constant != .long(0) && constant != .null
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
