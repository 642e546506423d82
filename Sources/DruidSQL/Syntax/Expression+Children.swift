extension Expression.Kind {
  /// Calls `visit` for every direct operand, in the order of the text, but not for operands inside
  /// subqueries or OVER.
  func forEachChild(_ visit: (Expression) -> Void) {
    switch self {
    case .literal, .parameter, .name, .star, .exists, .subquery, .collection: break
    case .prefix(_, let operand), .test(_, let operand), .cast(let operand, _, _),
      .extract(_, let operand), .round(_, let operand, _), .interval(let operand, _),
      .field(let operand, _), .inQuery(let operand, _, _):
      visit(operand)
    case .binary(_, let left, let right), .item(let left, let right):
      visit(left)
      visit(right)
    case .logical(_, let operands), .row(let operands), .array(let operands):
      operands.forEach(visit)
    case .between(let operand, let low, let high, _, _):
      visit(operand)
      visit(low)
      visit(high)
    case .like(let operand, let pattern, let escape, _, _):
      visit(operand)
      visit(pattern)
      escape.map(visit)
    case .inList(let operand, let list, _):
      visit(operand)
      list.forEach(visit)
    case .quantified(let operand, _, _, let set):
      visit(operand)
      if case .list(let list) = set { list.forEach(visit) }
    case .conditional(let operand, let branches, let otherwise):
      operand.map(visit)
      for branch in branches {
        visit(branch.condition)
        visit(branch.result)
      }
      otherwise.map(visit)
    case .trim(_, let characters, let operand):
      characters.map(visit)
      visit(operand)
    case .timestampAdd(_, let first, let second), .timestampDiff(_, let first, let second):
      visit(first)
      visit(second)
    case .call(let call): call.forEachChild(visit)
    }
  }
}

extension FunctionCall {
  /// Calls `visit` for every argument, then for the expressions in ORDER BY, WITHIN GROUP and
  /// FILTER, but not in OVER.
  func forEachChild(_ visit: (Expression) -> Void) {
    for argument in arguments {
      switch argument {
      case .expression(let expression), .named(_, let expression): visit(expression)
      case .star, .query, .table, .defaultValue: break
      }
    }
    for item in orderBy { visit(item.expression) }
    for item in withinGroup { visit(item.expression) }
    filter.map(visit)
  }
}

extension Expression {
  /// Whether the test holds for it or an operand of it at any depth, not counting subqueries and
  /// windows.
  func contains(where test: (Expression) -> Bool) -> Bool {
    if test(self) { return true }
    var found = false
    kind.forEachChild { found = found || $0.contains(where: test) }
    return found
  }
}
