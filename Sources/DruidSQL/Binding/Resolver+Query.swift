extension Resolver {
  /// Resolves a query with its subqueries to a relation.
  func resolve(
    _ query: Query, tables: CommonTables = .init(), outer: [Scope.Entry] = [], isTop: Bool = false
  ) throws(SQLFailure) -> Relation {
    if query.isRecursive { throw .uncertain(.recursive, at: query.range) }
    let knewNames = knowsNames
    knowsNames = false
    defer { knowsNames = knewNames }
    var tables = tables
    for common in query.with {
      let relation = try resolve(common.query, tables: tables, outer: outer)
      tables.add(
        common.name.text, try renamed(relation, common.columns, at: common.name.range))
    }
    let limit = try query.limit.map { (item) throws(SQLFailure) in try count(item) }
    let offset = try query.offset.map { (item) throws(SQLFailure) in try count(item) }
    switch query.body {
    case .select(let select):
      return try resolve(
        select, orderBy: query.orderBy, limit: limit, offset: offset, tables: tables, outer: outer,
        isTop: isTop)
    case .nested(let inner):
      let isPlain = query.limit == nil && offset == nil && query.orderBy.isEmpty
      let relation = try resolve(
        inner, tables: tables, outer: outer, isTop: isTop)
      if isPlain { return relation }
      throw .uncertain(.sortBehindParentheses, at: query.range)
    case .values(let values):
      guard query.orderBy.isEmpty, offset == nil else {
        throw .uncertain(.sortedValues, at: query.range)
      }
      let relation = try resolve(values)
      return limit.map { limited(relation, to: $0) } ?? relation
    case .setOperation(let operation):
      let relation = try resolve(operation, tables: tables, outer: outer)
      let result = SetResult(relation: relation, query: query, isTop: isTop)
      try Restrictions.setResults.check(result)
      if result.isSorted { return try sorted(relation, query.orderBy, limit, offset) }
      return limit.map { limited(relation, to: $0) } ?? relation
    case .table(let name): throw .tableQuery(name)
    }
  }

  /// Datasources read as one, sorted as any datasource is.
  private func sorted(
    _ relation: Relation, _ orderBy: [OrderItem], _ limit: Int64?, _ offset: Int64?
  ) throws(SQLFailure) -> Relation {
    let entry = Scope.Entry(relation: relation)
    let scope = Scope(entries: [entry])
    var select = SelectedRelation(
      input: relation,
      items: relation.columns.indices.map { entry.column($0, at: .none) })
    for item in orderBy {
      var key: TypedExpression
      if case .literal(.integer(let digits)) = item.expression.kind {
        guard let ordinal = Int(digits), select.items.indices.contains(ordinal - 1) else {
          throw .invalid(.ordinalOutOfRange, at: item.expression.range)
        }
        key = select.items[ordinal - 1]
      } else {
        key = try resolve(item.expression, in: scope, .select)
      }
      key.range = item.expression.range
      select.orderBy.append(OrderKey(expression: key, isDescending: try isDescending(item)))
    }
    select.limit = limit
    select.offset = offset
    try Restrictions.selects.check(BoundSelect(select: select, settings: settings, range: .none))
    select.isUnordered = isUnordered(select)
    try Restrictions.sorts.check(SortedSelect(select, stage: select.stage))
    return Relation(
      number: nextNumber(), kind: .select(select), columns: relation.columns, shape: select.shape)
  }

  private func count(_ expression: Expression) throws(SQLFailure) -> Int64 {
    let typed = try resolve(expression, in: Scope(), .clause("LIMIT"))
    switch typed.constant {
    case .long(let value)? where value >= 0: return value
    case .double(let value)? where value >= 0 && value < 1e15: return Int64(value)
    default: throw .uncertain(.limit, at: expression.range)
    }
  }

  /// The first rows of a relation.
  private func limited(_ relation: Relation, to limit: Int64) -> Relation {
    var select = SelectedRelation(input: relation, items: [])
    select.items = relation.columns.indices.map { index in
      Scope.Entry(relation: relation).column(index, at: .none)
    }
    select.limit = limit
    var shape = relation.shape
    select.isUnordered = !isOrdered(relation)
    if shape.stage != .union { shape.stage = .other }
    return Relation(
      number: nextNumber(), kind: .select(select), columns: relation.columns, shape: shape)
  }

  private func resolve(_ values: Values) throws(SQLFailure) -> Relation {
    var rows: [[TypedExpression]] = []
    for row in values.rows {
      guard case .row(let cells) = row.kind else { throw .uncertain(.row, at: row.range) }
      rows.append(try resolve(cells, in: Scope(), .clause("VALUES")))
    }
    try Restrictions.rows.check(BoundValues(rows: rows, range: values.range))
    let width = rows.first?.count ?? 0
    var columns: [Relation.Column] = []
    for index in 0..<width {
      let cells = rows.map { $0[index] }
      guard let type = SQLType.leastRestrictive(cells.map(\.type)) else {
        throw .invalid(.mixedValues, at: values.range)
      }
      for row in rows.indices { rows[row][index] = rows[row][index].widened(to: type) }
      columns.append(Relation.Column(name: "EXPR$\(index)", type: type))
    }
    return Relation(
      number: nextNumber(), kind: .values(rows), columns: columns,
      shape: Relation.Shape(stage: .constant))
  }

  // MARK: Queries in expressions

  /// Binds a query that may refer to the columns around it, and tells whether it does.
  private func subquery(
    _ query: Query, in scope: Scope
  ) throws(SQLFailure) -> (relation: Relation, isCorrelated: Bool) {
    let was = (allowsCorrelation, isCorrelated)
    (allowsCorrelation, isCorrelated) = (!was.0, false)
    defer { (allowsCorrelation, isCorrelated) = was }
    let relation = try resolve(
      query, tables: scope.tables, outer: scope.entries + scope.outer)
    return (relation, isCorrelated)
  }

  func inQuery(
    _ value: TypedExpression, _ query: Query, _ isNegated: Bool, in scope: Scope,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let (relation, isCorrelated) = try subquery(query, in: scope)
    var values = [value]
    if case .operation(.row, let parts) = value.node { values = parts }
    try Restrictions.memberships.check(
      BoundMembership(
        values: values, relation: relation, isNegated: isNegated, isCorrelated: isCorrelated,
        range: range))
    let result = TypedExpression(
      .inQuery(value, relation), .boolean.nullable(value.type.isNullable), range)
    return isNegated ? try negated(result) : result
  }

  func scalarQuery(
    _ query: Query, in scope: Scope, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let (relation, isCorrelated) = try subquery(query, in: scope)
    let bound = BoundScalarQuery(relation: relation, isCorrelated: isCorrelated, range: range)
    try Restrictions.scalarQueries.check(bound)
    if let constant = bound.constant { return constant }
    let column = relation.columns[0]
    var result = TypedExpression(.scalarQuery(relation), column.type.nullable(true), range)
    result.isWild = column.isWild
    return result
  }
}
