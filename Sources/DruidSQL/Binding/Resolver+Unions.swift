/// UNION ALL, of datasources or of queries.
///
/// `DruidUnionDataSourceRule` turns scans of tables that name the same columns in the same order
/// into one datasource, which a query reads like a table. Any other union is a `DruidUnionRel`
/// whose queries run one after another, and only a LIMIT may apply to it.
extension Resolver {
  func resolve(
    _ operation: SetOperation, tables: CommonTables, outer: [Scope.Entry]
  ) throws(SQLFailure) -> Relation {
    var branches: [Relation] = []
    for body in [operation.left, operation.right] {
      let branch = try resolve(
        Query(body: body, range: body.range), tables: tables, outer: outer)
      if case .union(let inner) = branch.kind { branches += inner } else { branches.append(branch) }
    }
    let first = branches[0]
    guard branches.allSatisfy({ $0.columns.count == first.columns.count }) else {
      var range = operation.right.range
      if case .select(let select) = operation.right, let head = select.items.first {
        range = select.items.reduce(head.range) { $0.through($1.range) }
      }
      throw .columnCount(operation.name, at: range)
    }
    for index in first.columns.indices {
      branches = branches.withTexts(at: index) { printed($0) }
    }
    let scans = branches.compactMap(\.scannedColumns)
    let areTables = scans.count == branches.count
    let readsSystem = branches.contains { $0.shape.readsSystem }
    if operation.kind != .union || !operation.isAll {
      try Restrictions.sets.check(BoundSets(operation: operation, branches: branches, scans: scans))
    }
    var shape = Relation.Shape(stage: areTables ? .table : .union)
    shape.readsSystem = readsSystem
    shape.readsDataSource = branches.contains { $0.shape.readsDataSource }
    shape.isUnion = areTables
    var columns = branches[0].columns
    for index in columns.indices {
      let types = branches.map { $0.columns[index].type }
      if let type = SQLType.leastRestrictive(types),
        types.allSatisfy({ $0.kind == type.kind || $0.isCharacter && type.isCharacter })
      {
        columns[index].type = type
      } else if !areTables {
        // The values stay as they are, whatever the type of the column.
        guard let type = SQLType.leastRestrictive(types),
          types.allSatisfy({ $0.isNumeric || $0.kind == .null })
            || type.isCharacter
              && types.allSatisfy({ $0.isCharacter || $0.kind == .null })
        else { throw .uncertain(.unionTypes, at: operation.range) }
        columns[index].type = type
        shape.mixedNumbers.insert(index)
      } else {
        if types.allSatisfy(\.isNumeric), let type = SQLType.leastRestrictive(types) {
          columns[index].type = type
          shape.mixedNumbers.insert(index)
        } else {
          shape.mixed.insert(index)
        }
      }
      columns[index].hasMultipleValues = branches.contains { $0.columns[index].hasMultipleValues }
      columns[index].isLookedUp = branches.contains { $0.columns[index].isLookedUp }
      if areTables, !scans.allSatisfy({ $0[index] == scans[0][index] }) {
        shape.mixed.insert(index)
      }
    }
    if areTables, !shape.mixed.contains(where: { scans[0][$0] == "__time" }) {
      shape.timeColumn = scans[0].firstIndex(of: "__time")
    }
    return Relation(
      number: nextNumber(), kind: .union(branches), columns: columns, shape: shape)
  }

  /// Whether a LIMIT or OFFSET applies to rows whose order is not known here.
  func isUnordered(_ select: SelectedRelation) -> Bool {
    guard select.limit != nil || select.offset != nil, select.orderBy.isEmpty else { return false }
    if select.isDistinct { return false }
    if select.items.contains(where: \.hasSortingWindow) { return true }
    if select.grouping != nil { return false }
    return !isOrdered(select.input) || (select.filter?.readsQuery ?? false)
  }

  /// Whether a relation's rows come in a known order.
  func isOrdered(_ relation: Relation) -> Bool {
    if relation.shape.readsSystem { return true }
    switch relation.kind {
    case .table, .values, .single: return true
    case .join: return false
    case .unnest(let input, _): return input.map { isOrdered($0) } ?? true
    case .union(let branches):
      // Queries run one after another.
      let areQueries = relation.shape.stage == .union || !relation.shape.mixed.isEmpty
      return areQueries && branches.allSatisfy { isOrdered($0) }
    case .select(let select):
      if select.isDistinct { return !select.isUnordered }
      if select.isUnordered || select.items.contains(where: \.hasSortingWindow)
        || select.items.contains(where: \.readsQuery)
      {
        return false
      }
      if select.grouping != nil { return true }
      let isTable = select.input.shape.stage == .table && !select.input.shape.isUnion
      if !select.orderBy.isEmpty { return isTable || select.input.shape.stage == .grouped }
      return isOrdered(select.input) && !(select.filter?.readsQuery ?? false)
    }
  }
}

extension [Relation] {
  /// The branches of a union with a column of texts and numbers, in which Calcite casts the numbers.
  fileprivate func withTexts(at index: Int, _ text: (TypedExpression) -> TypedExpression) -> Self {
    let types = map { $0.columns[index].type }
    guard types.contains(where: \.isNumeric), types.contains(where: \.isCharacter),
      types.allSatisfy({ $0.isNumeric || $0.isCharacter || $0.kind == .null })
    else { return self }
    return map { branch in
      guard branch.columns[index].type.isNumeric, case .select(var select) = branch.kind,
        !select.isDistinct
      else { return branch }
      select.items[index] = text(select.items[index])
      var columns = branch.columns
      columns[index].type = select.items[index].type
      return Relation(
        number: branch.number, kind: .select(select), columns: columns, shape: branch.shape)
    }
  }
}

extension SetOperation {
  fileprivate var name: String { kind.rawValue + (isAll ? " ALL" : "") }
}

extension Relation {
  /// The names of the datasource columns that it reads, if it does nothing else.
  fileprivate var scannedColumns: [String]? {
    guard case .select(let select) = kind, case .table(let table) = select.input.kind,
      table.kind == .dataSource, select.filter == nil, select.grouping == nil,
      select.orderBy.isEmpty, select.limit == nil, select.offset == nil
    else { return nil }
    var indices: [Int] = []
    for item in select.items {
      guard case .column(select.input.number, let index) = item.node, !indices.contains(index)
      else { return nil }
      indices.append(index)
    }
    return indices.map { table.columns[$0].name }
  }
}

extension TypedExpression {
  /// Whether it contains a window that sorts the rows.
  fileprivate var hasSortingWindow: Bool {
    contains {
      if case .window(let call) = $0.node {
        !call.partitionBy.isEmpty || !call.orderBy.isEmpty
      } else {
        false
      }
    }
  }
}
