extension Resolver {
  /// Resolves a query with its subqueries to a relation.
  func resolve(
    _ query: Query, tables: CommonTables = .init(), outer: [Scope.Entry] = [], isTop: Bool = false
  ) throws(SQLFailure) -> Relation {
    if query.isRecursive { throw .unknown("WITH RECURSIVE", at: query.range) }
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
      throw .unknown("ORDER BY or LIMIT behind parentheses", at: query.range)
    case .values(let values):
      guard query.orderBy.isEmpty, offset == nil else {
        throw .unknown("VALUES with ORDER BY or OFFSET", at: query.range)
      }
      let relation = try resolve(values)
      return limit.map { limited(relation, to: $0) } ?? relation
    case .setOperation(let operation):
      let relation = try resolve(operation, tables: tables, outer: outer)
      if isTop, relation.unitesTypes {
        throw .unknown("UNION ALL of different types", at: query.range)
      }
      if isTop, !query.orderBy.isEmpty, relation.shape.stage == .table {
        return try sorted(relation, query.orderBy, limit, offset)
      }
      guard query.orderBy.isEmpty || (!isTop && limit == nil && offset == nil) else {
        throw relation.shape.stage == .union && !relation.shape.readsSystem
          ? .unplannable("SQL requires a sort of a union, which is not supported.")
          : .unknown("ORDER BY of a set operation", at: query.range)
      }
      if offset != nil { throw .unknown("OFFSET of a set operation", at: query.range) }
      return limit.map { limited(relation, to: $0) } ?? relation
    case .table(let name): throw .unknown("TABLE \(name.text)", at: name.range)
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
          throw SQLFailure("Ordinal out of range", at: item.expression.range)
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
    default: throw .unknown("This LIMIT or OFFSET", at: expression.range)
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
      guard case .row(let cells) = row.kind else { throw .unknown("This row", at: row.range) }
      rows.append(try resolve(cells, in: Scope(), .clause("VALUES")))
    }
    let width = rows.first?.count ?? 0
    let mixed = SQLFailure(
      "Values passed to VALUES operator must have compatible types", at: values.range)
    guard rows.allSatisfy({ $0.count == width }) else { throw mixed }
    guard rows.allSatisfy({ $0.allSatisfy(\.isConstant) }) else {
      throw .unknown("These VALUES", at: values.range)
    }
    var columns: [Relation.Column] = []
    for index in 0..<width {
      let cells = rows.map { $0[index] }
      guard let type = SQLType.leastRestrictive(cells.map(\.type)) else { throw mixed }
      if cells.contains(where: \.isWild) {
        throw .unknown("VALUES that may be infinite", at: values.range)
      }
      for row in rows.indices { rows[row][index] = rows[row][index].widened(to: type) }
      columns.append(Relation.Column(name: "EXPR$\(index)", type: type))
    }
    return Relation(
      number: nextNumber(), kind: .values(rows), columns: columns,
      shape: Relation.Shape(stage: .constant))
  }

  // MARK: Queries in expressions

  func inQuery(
    _ value: TypedExpression, _ query: Query, _ isNegated: Bool, in scope: Scope,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let wasAllowed = allowsCorrelation
    allowsCorrelation = false
    defer { allowsCorrelation = wasAllowed }
    let relation = try resolve(
      query, tables: scope.tables, outer: scope.entries + scope.outer)
    var values = [value]
    if case .operation(.row, let parts) = value.node { values = parts }
    guard relation.columns.count == values.count, values.count == 1 || !isNegated,
      relation.shape.stage != .union
    else { throw .unknown("IN of this query", at: range) }
    for (value, column) in zip(values, relation.columns) {
      let fits =
        value.type.kind == column.type.kind
        || (value.type.isIntegral && column.type.isIntegral)
        || (value.type.isCharacter && column.type.isCharacter)
      guard fits, !value.isMultiple, !value.isConstant, column.unfinished == nil,
        !column.hasMultipleValues
      else { throw .unknown("IN of this query", at: range) }
    }
    let result = TypedExpression(
      .inQuery(value, relation), .boolean.nullable(value.type.isNullable), range)
    return isNegated ? try negated(result) : result
  }

  func scalarQuery(
    _ query: Query, in scope: Scope, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let was = (allowsCorrelation, isCorrelated)
    (allowsCorrelation, isCorrelated) = (!was.0, false)
    defer { (allowsCorrelation, isCorrelated) = was }
    let relation = try resolve(
      query, tables: scope.tables, outer: scope.entries + scope.outer)
    if isCorrelated {
      guard case .select(let select) = relation.kind, select.isCorrelatedTotal else {
        throw .unknown("A correlated subquery", at: range)
      }
    }
    if case .select(let select) = relation.kind, case .single = select.input.kind,
      select.items.count == 1, select.passesOn, select.filter == nil, select.items[0].isConstant
    {
      return select.items[0]
    }
    guard relation.columns.count == 1, let column = relation.columns.first,
      case .select(let select) = relation.kind, select.isSingle,
      column.unfinished == nil, !column.hasMultipleValues, !relation.shape.readsSystem
    else { throw .unknown("This scalar subquery", at: range) }
    var result = TypedExpression(.scalarQuery(relation), column.type.nullable(true), range)
    result.isWild = column.isWild
    return result
  }
}

extension Relation {
  /// Whether it is a union of columns with different types, whose values Druid does not convert.
  fileprivate var unitesTypes: Bool {
    guard case .union(let branches) = kind else { return false }
    return columns.indices.contains { index in
      let types = branches.map { $0.columns[index].type }
      if types.allSatisfy(\.isCharacter) || types.allSatisfy(\.isIntegral) { return false }
      return Set(types.map(\.kind)).count > 1
    }
  }
}

extension SelectedRelation {
  /// Whether it is the MIN, MAX or SUM of a datasource's rows, in whose filter alone a column of the
  /// enclosing query may stand: Druid makes a join of the groups of it.
  fileprivate var isCorrelatedTotal: Bool {
    guard let grouping, !grouping.isExplicit, having == nil, limit == nil, offset == nil,
      orderBy.isEmpty, case .table(let table) = input.kind, table.kind == .dataSource,
      grouping.aggregates.count == 1, items.count == 1, items[0].isColumn,
      case .aggregate(let call) = grouping.aggregates[0].node, !call.isDistinct
    else { return false }
    return ["MIN", "MAX", "SUM"].contains(call.function.name) && call.filter == nil
      && call.arguments.allSatisfy { $0.relations.isSubset(of: [input.number]) }
  }

  /// Whether it returns at most one row: an aggregate without keys, or the first row in a known
  /// order.
  fileprivate var isSingle: Bool {
    if limit == 1 { return !isUnordered && input.shape.readsDataSource }
    guard let grouping else { return false }
    return !grouping.isExplicit && having == nil && limit == nil && offset == nil
  }
}
