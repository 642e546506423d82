extension Resolver {
  /// `x > ALL (SELECT ...)` and `x > SOME (SELECT ...)`, as Calcite writes them: by the least and
  /// the greatest of the values, how many rows there are and how many of them are not NULL.
  func quantified(
    _ operand: Expression, _ op: BinaryOperator, _ quantifier: Quantifier, _ query: Query,
    in scope: Scope, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let parts = QuantifiedParts(query: query, range: range)
    let (least, greatest) = (parts.aggregate("MIN"), parts.aggregate("MAX"))
    let isAll = quantifier == .all
    var test: Expression
    switch op {
    case .greater, .greaterOrEqual: test = parts.binary(op, operand, isAll ? greatest : least)
    case .less, .lessOrEqual: test = parts.binary(op, operand, isAll ? least : greatest)
    case .notEqual where !isAll, .equal where isAll:
      let differs = Expression(
        .logical(
          .or,
          [
            parts.binary(.notEqual, operand, least), parts.binary(.notEqual, operand, greatest),
          ]), range)
      test = isAll ? Expression(.prefix(.not, differs), range) : differs
    default: throw .function(op.rawValue, at: range)
    }
    let rows = parts.aggregate("COUNT", ofRows: true)
    let isDecided = Expression(.test(isAll ? .isFalse : .isTrue, test), range)
    let branches = [
      WhenBranch(
        condition: parts.binary(.equal, rows, parts.literal(.integer("0"))),
        result: parts.literal(.boolean(isAll))),
      WhenBranch(condition: isDecided, result: parts.literal(.boolean(!isAll))),
      WhenBranch(
        condition: parts.binary(.less, parts.aggregate("COUNT"), rows),
        result: parts.literal(.null)),
    ]
    let whole = Expression(.conditional(operand: nil, branches, otherwise: test), range)
    return try resolve(whole, in: scope, place)
  }
}

/// The pieces of a quantified comparison with a query of one column.
private struct QuantifiedParts {
  let query: Query
  let range: SourceRange

  func literal(_ literal: Literal) -> Expression { Expression(.literal(literal), range) }

  func binary(_ op: BinaryOperator, _ left: Expression, _ right: Expression) -> Expression {
    Expression(.binary(op, left, right), range)
  }

  /// `(SELECT function(value) FROM (query) AS "values" ("value"))`
  func aggregate(_ function: String, ofRows: Bool = false) -> Expression {
    let column = Identifier("value", isQuoted: true, range: range)
    let alias = TableAlias(
      name: Identifier("values", isQuoted: true, range: range), columns: [column], range: range)
    var call = FunctionCall(name: Name(Identifier(function, range: range)))
    call.arguments = [
      ofRows ? .star(Position(range)) : .expression(Expression(.name(Name(column)), range))
    ]
    call.range = range
    let select = Select(
      items: [SelectItem(expression: Expression(.call(call), range), alias: nil, range: range)],
      from: .query(query, alias: alias, isLateral: false), range: range)
    return Expression(.subquery(Query(body: .select(select), range: range)), range)
  }
}
