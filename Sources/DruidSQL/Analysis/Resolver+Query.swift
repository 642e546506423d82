extension Resolver {
  /// A query with all that it holds, as a relation.
  func resolve(
    _ query: Query, tables: CommonTables = .init(), outer: [Scope.Entry] = [], isTop: Bool = false
  ) throws(SQLFailure) -> Relation {
    if query.isRecursive { throw .unknown("WITH RECURSIVE", at: query.range) }
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
        select, orderBy: query.orderBy, limit: limit, offset: offset, tables: tables, outer: outer)
    case .nested(let inner):
      let relation = try resolve(inner, tables: tables, outer: outer, isTop: isTop)
      if query.orderBy.isEmpty && limit == nil && offset == nil { return relation }
      throw .unknown("ORDER BY or LIMIT behind parentheses", at: query.range)
    case .values(let values):
      guard query.orderBy.isEmpty, limit == nil, offset == nil else {
        throw .unknown("VALUES with ORDER BY or LIMIT", at: query.range)
      }
      return try resolve(values)
    case .setOperation(let operation):
      guard isTop, query.orderBy.isEmpty, limit == nil, offset == nil else {
        throw .unknown("A set operation with ORDER BY, LIMIT or inside a query", at: query.range)
      }
      return try resolve(operation, tables: tables)
    case .table(let name): throw .unknown("TABLE \(name.text)", at: name.range)
    }
  }

  private func count(_ expression: Expression) throws(SQLFailure) -> Int64 {
    let typed = try resolve(expression, in: Scope(), .clause("LIMIT"))
    guard case .long(let value)? = typed.constant, value >= 0 else {
      throw .unknown("This LIMIT or OFFSET", at: expression.range)
    }
    return value
  }

  private func resolve(_ values: Values) throws(SQLFailure) -> Relation {
    var rows: [[TypedExpression]] = []
    for row in values.rows {
      guard case .row(let cells) = row.kind else { throw .unknown("This row", at: row.range) }
      rows.append(try resolve(cells, in: Scope(), .clause("VALUES")))
    }
    let width = rows.first?.count ?? 0
    guard rows.allSatisfy({ $0.count == width && $0.allSatisfy(\.isConstant) }) else {
      throw .unknown("These VALUES", at: values.range)
    }
    var columns: [Relation.Column] = []
    for index in 0..<width {
      let cells = rows.map { $0[index] }
      guard let type = SQLType.leastRestrictive(cells.map(\.type)), !cells.contains(where: \.isWild)
      else { throw .unknown("VALUES of mixed types", at: values.range) }
      for row in rows.indices { rows[row][index] = rows[row][index].widened(to: type) }
      columns.append(Relation.Column(name: "EXPR$\(index)", type: type))
    }
    return Relation(
      number: nextNumber(), kind: .values(rows), columns: columns,
      shape: Relation.Shape(stage: .constant))
  }

  private func resolve(
    _ operation: SetOperation, tables: CommonTables
  ) throws(SQLFailure) -> Relation {
    guard operation.kind == .union, operation.isAll else {
      throw .unknown(operation.kind.rawValue, at: operation.range)
    }
    var branches: [Relation] = []
    for body in [operation.left, operation.right] {
      let branch = try resolve(
        Query(body: body, range: body.range), tables: tables, isTop: true)
      if case .union(let inner) = branch.kind { branches += inner } else { branches.append(branch) }
    }
    let first = branches[0]
    guard branches.allSatisfy({ $0.columns.count == first.columns.count }) else {
      var range = operation.right.range
      if case .select(let select) = operation.right, let head = select.items.first {
        range = select.items.reduce(head.range) { $0.through($1.range) }
      }
      throw SQLFailure("Column count mismatch in UNION ALL", at: range)
    }
    var columns = first.columns
    for index in columns.indices {
      let types = branches.map { $0.columns[index].type }
      guard let type = SQLType.leastRestrictive(types),
        types.allSatisfy({ $0.kind == type.kind || $0.isCharacter && type.isCharacter })
      else { throw .unknown("UNION ALL of different types", at: operation.range) }
      columns[index].type = type
    }
    var shape = Relation.Shape(stage: .other)
    shape.readsSystem = branches.contains { $0.shape.readsSystem }
    shape.readsDataSource = branches.contains { $0.shape.readsDataSource }
    return Relation(
      number: nextNumber(), kind: .union(branches), columns: columns, shape: shape)
  }

  // MARK: Queries in expressions

  func inQuery(
    _ value: TypedExpression, _ query: Query, _ isNegated: Bool, in scope: Scope,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let relation = try resolve(
      query, tables: scope.tables, outer: scope.entries + scope.outer)
    guard relation.columns.count == 1, let column = relation.columns.first else {
      throw .unknown("IN with several columns", at: range)
    }
    let fits =
      value.type.kind == column.type.kind
      || (value.type.isIntegral && column.type.isIntegral)
      || (value.type.isCharacter && column.type.isCharacter)
    guard fits, !value.isMultiple, !value.isConstant, column.unfinished == nil,
      !column.hasMultipleValues
    else { throw .unknown("IN of this query", at: range) }
    if isNegated, value.type.isNullable || column.type.isNullable {
      throw .unknown("NOT IN of a query that may hold NULL", at: range)
    }
    let result = TypedExpression(
      .inQuery(value, relation), .boolean.nullable(value.type.isNullable), range)
    return isNegated ? negated(result) : result
  }

  func scalarQuery(
    _ query: Query, in scope: Scope, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let relation = try resolve(
      query, tables: scope.tables, outer: scope.entries + scope.outer)
    guard relation.columns.count == 1, let column = relation.columns.first,
      case .select(let select) = relation.kind, let grouping = select.grouping,
      !grouping.isExplicit, select.having == nil, select.limit == nil, select.offset == nil,
      column.unfinished == nil, !relation.shape.readsSystem
    else { throw .unknown("This scalar subquery", at: range) }
    var result = TypedExpression(.scalarQuery(relation), column.type.nullable(true), range)
    result.isWild = column.isWild
    return result
  }
}
