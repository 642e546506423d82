extension Resolver {
  /// Resolves an item of FROM and adds its tables to the scope.
  func resolve(
    from reference: TableReference, into scope: inout Scope
  ) throws(SQLFailure) -> Relation {
    switch reference {
    case .table(let name, let alias):
      let (relation, schema) = try table(name, scope)
      let renamed = try rename(relation, alias)
      try add(
        Scope.Entry(
          name: alias?.name.text ?? name.last, schema: alias == nil ? schema : nil,
          relation: renamed), to: &scope, at: reference.range)
      return renamed
    case .query(let query, let alias, let isLateral):
      if isLateral { throw .uncertain(.lateral, at: query.range) }
      let relation = try resolve(
        query, tables: scope.tables, outer: scope.outer)
      let renamed = try rename(relation, alias)
      try add(
        Scope.Entry(name: alias?.name.text, relation: renamed), to: &scope, at: reference.range)
      return renamed
    case .parenthesized(let inner, let alias):
      if let alias { throw .uncertain(.aliasedJoin, at: alias.range) }
      return try resolve(from: inner, into: &scope)
    case .join(let join): return try resolve(join, into: &scope)
    case .unnest(let arrays, let withOrdinality, let alias, let position):
      return try unnest(
        arrays, withOrdinality, alias, input: nil, at: position.range, into: &scope)
    case .function(let call, let extend, let alias, _)
    where call.function == "APPEND" && extend.isEmpty:
      let relation = try rename(try append(call), alias)
      try add(
        Scope.Entry(name: alias?.name.text, relation: relation), to: &scope, at: reference.range)
      return relation
    case .function(let call, _, _, _): throw .tableFunction(call)
    }
  }

  private func add(
    _ entry: Scope.Entry, to scope: inout Scope, at range: SourceRange
  ) throws(SQLFailure) {
    if let name = entry.name,
      scope.entries.contains(where: { $0.name == name && $0.schema == entry.schema })
    {
      throw .duplicateRelation(name, at: range)
    }
    scope.entries.append(entry)
  }

  /// The relation that a name in FROM stands for: a query of WITH, or a table of the catalog.
  private func table(_ name: Name, _ scope: Scope) throws(SQLFailure) -> (Relation, String?) {
    if name.parts.count == 1, let common = scope.tables[name.last] {
      return (copy(common), nil)
    }
    let table = try catalogTable(name)
    if table.kind == .dataSource, !dataSources.contains(table.name) {
      dataSources.append(table.name)
    }
    let columns = table.columns.map {
      Relation.Column(name: $0.name, type: $0.type, hasMultipleValues: $0.hasMultipleValues)
    }
    var shape = Relation.Shape(stage: .table)
    shape.timeColumn = table.columns.firstIndex { $0.name == "__time" }
    if table.kind == .system { shape.readsSystem = true } else { shape.readsDataSource = true }
    let relation = Relation(
      number: nextNumber(), kind: .table(table), columns: columns, shape: shape)
    return (relation, table.schema)
  }

  private func catalogTable(_ name: Name) throws(SQLFailure) -> Catalog.Table {
    switch name.parts.count {
    case 1:
      if let table = catalog.tables.first(where: {
        $0.schema == Catalog.defaultSchema && $0.name == name.last
      }) {
        return table
      }
      if let near = catalog.tables.first(where: {
        $0.schema == Catalog.defaultSchema && $0.name.lowercased() == name.last.lowercased()
      }) {
        throw .objectNotFound(name.last, in: "druid", near: near.name, at: name.range)
      }
      throw .objectNotFound(name.last, at: name.range)
    case 2:
      let schema = name.parts[0]
      let known = catalog.tables.contains { $0.schema == schema.text }
      guard known || ["druid", "sys", "INFORMATION_SCHEMA", "lookup", "view"].contains(schema.text)
      else {
        let near = catalog.tables.first { $0.schema.lowercased() == schema.text.lowercased() }
        throw .objectNotFound(schema.text, near: near?.schema, at: schema.range)
      }
      if let table = catalog.tables.first(where: {
        $0.schema == schema.text && $0.name == name.last
      }) {
        return table
      }
      let near = catalog.tables.first {
        $0.schema == schema.text && $0.name.lowercased() == name.last.lowercased()
      }
      throw .objectNotFound(name.last, in: schema.text, near: near?.name, at: name.range)
    default: throw .objectNotFound(name.parts[0].text, at: name.parts[0].range)
    }
  }

  /// The same rows as another relation, with a new number.
  private func copy(_ relation: Relation) -> Relation {
    Relation(
      number: nextNumber(), kind: relation.kind, columns: relation.columns, shape: relation.shape)
  }

  private func rename(_ relation: Relation, _ alias: TableAlias?) throws(SQLFailure) -> Relation {
    guard let alias, !alias.columns.isEmpty else { return relation }
    return try renamed(relation, alias.columns, at: alias.range)
  }

  func renamed(
    _ relation: Relation, _ names: [Identifier], at range: SourceRange
  ) throws(SQLFailure) -> Relation {
    if names.isEmpty { return relation }
    if names.count != relation.columns.count {
      throw .aliasCount(
        names.count, of: relation.columns.count,
        at: names.dropFirst().reduce(names[0].range) { $0.through($1.range) })
    }
    var columns = relation.columns
    for (index, name) in names.enumerated() { columns[index].name = name.text }
    return Relation(
      number: relation.number, kind: relation.kind, columns: columns, shape: relation.shape)
  }

  // MARK: Joins

  private func resolve(_ join: Join, into scope: inout Scope) throws(SQLFailure) -> Relation {
    let left = try resolve(from: join.left, into: &scope)
    if case .unnest(let arrays, let withOrdinality, let alias, let position) = join.right,
      !join.isNatural
    {
      if [.right, .full].contains(join.kind) {
        throw .unnestJoin(join.kind)
      }
      let relation = try unnest(
        arrays, withOrdinality, alias, input: left, at: position.range, into: &scope)
      try Restrictions.joinConditions.check(join)
      switch join.condition {
      case .on(let condition)?:
        if case .literal(.boolean(true)) = condition.kind { break }
        scope.unnestConditions.append(condition)
      case .using?: throw .uncertain(.unnestUsing, at: position.range)
      case nil: break
      }
      return relation
    }
    let leftEntries = scope.entries.count
    let right = try resolve(from: join.right, into: &scope)
    let kind = kind(of: join.kind)
    try Restrictions.joinSides.check(
      JoinSides(
        join: join, left: left, right: right, tables: scope.entries.count, leftTables: leftEntries))
    for index in scope.entries.indices {
      scope.entries[index].isJoined = true
      let isRight = index >= leftEntries
      if kind == .full || kind == (isRight ? .left : .right) {
        scope.entries[index].mayBeMissing = true
      }
    }
    var written = join.condition
    if join.isNatural {
      let others = Set(scope.entries[1].relation.columns.map(\.name))
      let names = scope.entries[0].relation.columns.map(\.name).filter(others.contains)
      if names.isEmpty {
        guard kind == .inner else { throw .uncertain(.nothingInCommon, at: join.range) }
        return joined(.cross, left, right, nil)
      }
      scope.isNatural = true
      written = .using(names.map { Identifier($0, isQuoted: true, range: join.range) })
    }
    var condition: TypedExpression?
    switch written {
    case .on(let expression):
      let resolved = try resolve(expression, in: scope, .clause("ON"))
      guard resolved.type.kind == .boolean else {
        throw .uncertain(.joinCondition, at: expression.range)
      }
      try Restrictions.joinConditions.check(join)
      try Restrictions.joins.check(
        JoinCondition(condition: resolved, kind: kind, left: left, right: right))
      condition = resolved
    case .using(let names):
      condition = try using(names, in: scope, leftEntries)
      try Restrictions.joinConditions.check(join)
      if kind == .right || kind == .full { scope.coalesced += names.map(\.text) }
      if scope.entries.count > 2 { scope.isChained = true }
      for name in names where !scope.merged.contains(name.text) { scope.merged.append(name.text) }
    case nil: try Restrictions.joinConditions.check(join)
    }
    return joined(kind, left, right, condition)
  }

  private func kind(of kind: Join.Kind) -> JoinedRelation.Kind {
    switch kind {
    case .inner: .inner
    case .left: .left
    case .right: .right
    case .full: .full
    case .cross, .comma: .cross
    }
  }

  private func joined(
    _ kind: JoinedRelation.Kind, _ left: Relation, _ right: Relation, _ condition: TypedExpression?
  ) -> Relation {
    var shape = Relation.Shape(stage: .other)
    shape.joinsTable = left.shape.stage == .table || left.shape.joinsTable
    shape.readsSystem = left.shape.readsSystem || right.shape.readsSystem
    shape.readsDataSource = left.shape.readsDataSource || right.shape.readsDataSource
    return Relation(
      number: nextNumber(),
      kind: .join(JoinedRelation(kind: kind, left: left, right: right, condition: condition)),
      columns: [], shape: shape)
  }

  private func using(
    _ names: [Identifier], in scope: Scope, _ leftEntries: Int
  ) throws(SQLFailure) -> TypedExpression {
    var parts: [TypedExpression] = []
    for name in names {
      var left = scope
      left.entries = Array(scope.entries[..<leftEntries])
      var right = scope
      right.entries = Array(scope.entries[leftEntries...])
      let one = try resolve(Name(name), in: left, .clause("ON"))
      let two = try resolve(Name(name), in: right, .clause("ON"))
      guard one.type.kind == two.type.kind else {
        throw .uncertain(.joinedTypes, at: name.range)
      }
      parts.append(TypedExpression(.operation(.equal, [one, two]), .boolean, name.range))
    }
    return parts.count == 1 ? parts[0] : TypedExpression(.operation(.and, parts), .boolean)
  }

  private func unnest(
    _ arrays: [Expression], _ withOrdinality: Bool, _ alias: TableAlias?, input: Relation?,
    at range: SourceRange, into scope: inout Scope
  ) throws(SQLFailure) -> Relation {
    guard arrays.count == 1, !withOrdinality else {
      throw .uncertain(.manyUnnested, at: range)
    }
    var inner = scope
    if input == nil { inner.entries = [] }
    let array = try resolve(arrays[0], in: inner, .clause("FROM"))
    guard let element = array.type.element else {
      throw .cannotApply("UNNEST", [array.type], at: range)
    }
    if element.kind == .null { throw .uncertain(.unnestedNulls, at: range) }
    let column = Relation.Column(name: alias?.columns.first?.text ?? "EXPR$0", type: element)
    var shape = input?.shape ?? Relation.Shape(stage: .constant)
    shape.stage = input == nil ? .constant : shape.stage
    let relation = Relation(
      number: nextNumber(), kind: .unnest(input: input, array: array), columns: [column],
      shape: shape)
    try add(Scope.Entry(name: alias?.name.text, relation: relation), to: &scope, at: range)
    return relation
  }
}

extension Relation {
  /// The relation numbers that expressions may use for its columns.
  var numbers: Set<Int> {
    switch kind {
    case .join(let join): join.left.numbers.union(join.right.numbers)
    case .unnest(let input, _): (input?.numbers ?? []).union([number])
    default: [number]
    }
  }
}

extension TypedExpression {
  /// The operands of AND; for any other expression, the expression itself.
  var conjuncts: [TypedExpression] {
    if case .operation(.and, let parts) = node { return parts.flatMap(\.conjuncts) }
    return [self]
  }

  /// The numbers of the relations whose columns it reads.
  var relations: Set<Int> {
    if case .column(let relation, _) = node { return [relation] }
    return children.reduce(into: []) { $0.formUnion($1.relations) }
  }
}
