extension Resolver {
  /// A SELECT with QUALIFY: a query of its items and the condition, and a query around it that keeps
  /// the rows for which the condition holds.
  func qualified(
    _ select: Select, by condition: Expression, orderBy: [OrderItem], limit: Int64?,
    offset: Int64?, tables: CommonTables, outer: [Scope.Entry], isTop: Bool
  ) throws(SQLFailure) -> Relation {
    let named = select.items.filter { item in
      item.alias.map { condition.mentions($0.text) } ?? false
    }
    guard condition.hasWindowCall || named.contains(where: { $0.expression.hasWindowCall }) else {
      throw .invalid(.qualifyWithoutWindow, at: condition.range)
    }
    guard named.isEmpty || !condition.hasWindowCall, !select.isDistinct else {
      throw .uncertain(.qualify, at: condition.range)
    }
    var inner = select
    inner.qualify = nil
    var items: [SelectItem] = []
    for (index, item) in select.items.enumerated() {
      if case .star = item.expression.kind { throw .uncertain(.qualify, at: condition.range) }
      var name = item.alias ?? Identifier("EXPR$\(index)", isQuoted: true)
      if item.alias == nil, case .name(let column) = item.expression.kind {
        name = Identifier(column.last, isQuoted: true)
      }
      name.range = item.range
      inner.items[index].alias = name
      items.append(
        SelectItem(
          expression: Expression(.name(Name(name)), item.range), alias: item.alias,
          range: item.range))
    }
    var test = condition
    if named.isEmpty {
      let name = Identifier("qualify$", isQuoted: true, range: condition.range)
      inner.items.append(
        SelectItem(expression: condition, alias: name, range: condition.range))
      test = Expression(.name(Name(name)), condition.range)
    }
    if select.groupBy != nil || select.items.contains(where: { $0.expression.hasAggregateCall }) {
      failInPlanning(.qualifiedGroups)
    }
    let query = Query(body: .select(inner), range: select.range)
    let whole = Select(
      items: items, from: .query(query, alias: nil, isLateral: false), where: test,
      range: select.range)
    return try resolve(
      whole, orderBy: orderBy, limit: limit, offset: offset, tables: tables, outer: outer,
      isTop: isTop)
  }
}

extension Expression {
  /// Whether it calls a function over a window.
  fileprivate var hasWindowCall: Bool {
    contains { if case .call(let call) = $0.kind { call.over != nil } else { false } }
  }
}
