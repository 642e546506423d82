/// Columns that WHERE restricts to one value. Calcite replaces such a column by the value.
extension TypedExpression {
  typealias Pins = [Node: TypedExpression]

  /// The columns that must have one value for the condition to hold, with that value.
  var pins: Pins {
    guard case .operation(let op, let operands) = node else { return [:] }
    switch op {
    case .and: return operands.reduce(into: [:]) { $0.merge($1.pins) { first, _ in first } }
    case .equal:
      let (column, value) =
        operands[0].isConstant ? (operands[1], operands[0]) : (operands[0], operands[1])
      return column.isColumn && value.constant != nil ? [column.node: value] : [:]
    case .isNull:
      guard operands[0].isColumn else { return [:] }
      return [operands[0].node: TypedExpression(.constant(.null), operands[0].type)]
    default: return [:]
    }
  }

  /// Whether it reads only such columns, and at least one.
  func isSettled(by pins: Pins) -> Bool {
    if pins.isEmpty { return false }
    if isColumn { return pins[node] != nil }
    switch node {
    case .operation, .call, .cast, .conditional:
      return children.contains { $0.isSettled(by: pins) }
        && children.allSatisfy { $0.isConstant || $0.isSettled(by: pins) }
    default: return false
    }
  }
}

extension Resolver {
  /// The multi-value columns that WHERE restricts to one value, where Calcite replaces them: in a
  /// scan always, in a grouped query when an expression reads the column.
  func replaced(
    _ filter: TypedExpression?, _ select: Select, _ orderBy: [OrderItem], in scope: Scope
  ) -> TypedExpression.Pins {
    var replaced: TypedExpression.Pins = [:]
    let grouped = (select.groupBy?.items ?? []).compactMap { item -> Expression? in
      if case .expression(let expression) = item { expression } else { nil }
    }
    let used =
      select.items.map(\.expression) + grouped + orderBy.map(\.expression)
      + [select.having].compactMap { $0 }
    let isScan = !select.hasGrouping && !used.contains(where: \.hasAggregateCall)
    for (node, value) in filter?.pins ?? [:] {
      guard let name = scope.nameOfMultiple(node), value.text != nil else { continue }
      let isWorkedOn = used.contains { expression in
        if case .name = expression.kind { return false }
        return expression.readsColumn(name)
      }
      if isScan || isWorkedOn {
        var constant = value
        constant.type = SQLType.varchar.nullable(false)
        replaced[node] = constant
      }
    }
    return replaced
  }
}

extension Scope {
  /// The name of a multi-value column; nil for any other node.
  fileprivate func nameOfMultiple(_ node: TypedExpression.Node) -> String? {
    guard case .column(let number, let index) = node,
      let entry = entries.first(where: { $0.relation.number == number }),
      entry.relation.columns.indices.contains(index),
      entry.relation.columns[index].hasMultipleValues
    else { return nil }
    return entry.relation.columns[index].name
  }
}

extension Expression {
  /// Whether it reads a column of that name.
  fileprivate func readsColumn(_ word: String) -> Bool {
    contains { if case .name(let name) = $0.kind { name.last == word } else { false } }
  }
}
