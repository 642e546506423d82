/// The cells of VALUES.
struct BoundValues {
  let rows: [[TypedExpression]]
  let range: SourceRange
}

/// A set operation whose queries are bound.
struct BoundSets {
  let operation: SetOperation
  let branches: [Relation]
  /// The datasource columns that each query reads, for those that do nothing else.
  let scans: [[String]]
}

/// The result of a set operation, with the clauses behind it.
struct SetResult {
  let relation: Relation
  let query: Query
  /// Whether it is the outermost query.
  let isTop: Bool

  /// Whether it is datasources read as one, which can be sorted as a datasource is.
  var isSorted: Bool {
    isTop && !query.orderBy.isEmpty && relation.shape.stage == .table
  }
}

/// `value IN (SELECT ...)`, with several values for a row.
struct BoundMembership {
  let values: [TypedExpression]
  let relation: Relation
  let isNegated: Bool
  /// Whether it reads columns of the enclosing query.
  let isCorrelated: Bool
  let range: SourceRange
}

/// A query in the place of a value.
struct BoundScalarQuery {
  let relation: Relation
  /// Whether it reads columns of the enclosing query.
  let isCorrelated: Bool
  let range: SourceRange

  fileprivate var select: SelectedRelation? {
    if case .select(let select) = relation.kind { select } else { nil }
  }

  /// The constant that it selects without FROM.
  var constant: TypedExpression? {
    guard let select, case .single = select.input.kind, select.items.count == 1, select.passesOn,
      select.filter == nil, select.items[0].isConstant
    else { return nil }
    return select.items[0]
  }
}

extension Restrictions {
  /// What the rows of VALUES may not be.
  static let rows: [Restriction<BoundValues>] = [
    Restriction("VALUES of rows of different widths", druid: "Refuses the rows as different types.")
    { values throws(SQLFailure) in
      let width = values.rows.first?.count ?? 0
      if !values.rows.allSatisfy({ $0.count == width }) {
        throw .invalid(.mixedValues, at: values.range)
      }
    },
    Restriction("VALUES of more than constants", druid: "Reduces some of them to constants.") {
      values throws(SQLFailure) in
      if !values.rows.allSatisfy({ $0.allSatisfy(\.isConstant) }) {
        throw .unknown("These VALUES", at: values.range)
      }
    },
    Restriction("VALUES that may be infinite", druid: "Not recorded.") {
      values throws(SQLFailure) in
      if values.rows.contains(where: { $0.contains(where: \.isWild) }) {
        throw .unknown("VALUES that may be infinite", at: values.range)
      }
    },
  ]

  /// Set operations other than UNION ALL. All of them are refused, each kind in its own way.
  static let sets: [Restriction<BoundSets>] = [
    Restriction(
      "UNION of one datasource or of system tables",
      druid: "May turn a UNION of one datasource's rows into a GROUP BY of them."
    ) { sets throws(SQLFailure) in
      let isOneTable =
        sets.scans.count == sets.branches.count && sets.operation.kind == .union
        && sets.scans.allSatisfy { $0 == sets.scans[0] }
      if isOneTable || sets.branches.contains(where: { $0.shape.readsSystem }) {
        throw .unknown(sets.operation.kind.rawValue, at: sets.operation.range)
      }
    },
    Restriction("INTERSECT or EXCEPT of constants", druid: "Computes it itself, by no function.") {
      sets throws(SQLFailure) in
      if sets.operation.kind != .union,
        sets.branches.allSatisfy({ $0.shape.stage == .constant })
      {
        throw .noFunction(sets.operation.kind.rawValue, at: sets.operation.range)
      }
    },
    Restriction("set operation other than UNION ALL", druid: "Has no plan for it.") {
      sets throws(SQLFailure) in
      throw .unplannable(
        "SQL requires '\(sets.operation.kind.rawValue)' but only 'UNION ALL' is supported.")
    },
  ]

  /// What may not be done with the result of a set operation.
  static let setResults: [Restriction<SetResult>] = [
    Restriction(
      "union of columns with different types", druid: "Does not convert the values."
    ) { result throws(SQLFailure) in
      if result.isTop, result.relation.unitesTypes {
        throw .uncertain(.unionTypes, at: result.query.range)
      }
    },
    Restriction(
      "ORDER BY of a set operation", druid: "Has no plan for a sort of a union of queries."
    ) { result throws(SQLFailure) in
      let (query, shape) = (result.query, result.relation.shape)
      if result.isSorted || query.orderBy.isEmpty { return }
      if !result.isTop, query.limit == nil, query.offset == nil { return }
      throw shape.stage == .union && !shape.readsSystem
        ? .unplannable("SQL requires a sort of a union, which is not supported.")
        : .unknown("ORDER BY of a set operation", at: query.range)
    },
    Restriction("OFFSET of a set operation", druid: "Not recorded.") { result throws(SQLFailure) in
      if !result.isSorted, result.query.offset != nil {
        throw .unknown("OFFSET of a set operation", at: result.query.range)
      }
    },
  ]

  /// What may not stand in IN with a query.
  static let memberships: [Restriction<BoundMembership>] = [
    Restriction(
      "correlated subquery in IN", druid: "Joins the rows of a datasource that its filter finds."
    ) { test throws(SQLFailure) in
      guard test.isCorrelated else { return }
      if case .select(let select) = test.relation.kind, select.isCorrelatedScan { return }
      throw .uncertain(.correlatedSubquery, at: test.range)
    },
    Restriction(
      "IN of a query of another width", druid: "Finds no type that the two sides have in common."
    ) { test throws(SQLFailure) in
      if test.relation.columns.count != test.values.count {
        throw .incompatibleList(at: test.range)
      }
    },
    Restriction("NOT IN of rows, or IN of a union", druid: "Not recorded.") {
      test throws(SQLFailure) in
      if test.values.count > 1 && test.isNegated || test.relation.shape.stage == .union {
        throw .membership(at: test.range)
      }
    },
    Restriction(
      "IN of a query of another type", druid: "Joins the query, on values that it may convert."
    ) { test throws(SQLFailure) in
      for (value, column) in zip(test.values, test.relation.columns) {
        let (one, two) = (value.type, column.type)
        let fits =
          one.kind == two.kind || one.isIntegral && two.isIntegral
          || one.isCharacter && two.isCharacter
        if !fits || value.isMultiple || value.isConstant || column.unfinished != nil
          || column.hasMultipleValues
        {
          throw .membership(at: test.range)
        }
      }
    },
  ]

  /// What a query in the place of a value may not be.
  static let scalarQueries: [Restriction<BoundScalarQuery>] = [
    Restriction(
      "correlated subquery", druid: "Makes a join of an aggregate of a datasource's rows."
    ) { query throws(SQLFailure) in
      if query.isCorrelated, query.select?.isCorrelatedTotal != true {
        throw .uncertain(.correlatedSubquery, at: query.range)
      }
    },
    Restriction("scalar subquery of several columns", druid: "Takes one field alone.") {
      query throws(SQLFailure) in
      if query.relation.columns.count != 1 {
        throw .scalarFields(query.relation.columns, at: query.range)
      }
    },
    Restriction("scalar subquery of some kinds", druid: "Keeps a row that is not known.") {
      query throws(SQLFailure) in
      if query.constant != nil { return }
      guard let column = query.relation.columns.first, let select = query.select,
        select.limit == nil || !select.isUnordered, column.unfinished == nil,
        !column.hasMultipleValues, !query.relation.shape.readsSystem
      else { throw .unknown("This scalar subquery", at: query.range) }
    },
  ]
}

extension SQLFailure {
  fileprivate static func scalarFields(
    _ columns: [Relation.Column], at range: SourceRange
  ) -> SQLFailure {
    let fields = columns.map { "\($0.type.sqlName) \($0.name.uppercased())" }
    return SQLFailure(
      "Cannot apply '$SCALAR_QUERY' to arguments of type '$SCALAR_QUERY(<RECORDTYPE("
        + "\(fields.joined(separator: ", ")))>)'. Supported form(s): "
        + "'$SCALAR_QUERY(<RECORDTYPE(SINGLE FIELD)>)'", at: range)
  }

  fileprivate static func membership(at range: SourceRange) -> SQLFailure {
    .unknown("IN of this query", at: range)
  }
}

extension Relation {
  /// Whether it is a union of columns with different types.
  fileprivate var unitesTypes: Bool {
    guard case .union(let branches) = kind else { return false }
    return columns.indices.contains { index in
      let types = branches.map { $0.columns[index].type }
      if types.allSatisfy(\.isCharacter) || types.allSatisfy(\.isNumeric) { return false }
      if types.contains(where: { $0.kind == .null }) { return false }
      return Set(types.map(\.kind)).count > 1
    }
  }
}

extension SelectedRelation {
  /// Whether it is columns of each of a datasource's rows, which the filter restricts.
  fileprivate var isCorrelatedScan: Bool {
    guard grouping == nil, !isDistinct, limit == nil, offset == nil, orderBy.isEmpty,
      case .table(let table) = input.kind, table.kind == .dataSource
    else { return false }
    return items.allSatisfy(\.isColumn)
  }

  /// Whether it is the COUNT, AVG, MIN, MAX or SUM of a datasource's rows, in whose filter alone a column of the
  /// enclosing query may stand: Druid makes a join of the groups of it.
  fileprivate var isCorrelatedTotal: Bool {
    guard let grouping, !grouping.isExplicit, having == nil, limit == nil, offset == nil,
      orderBy.isEmpty, case .table(let table) = input.kind, table.kind == .dataSource,
      grouping.aggregates.count == 1, items.count == 1, items[0].isColumn,
      case .aggregate(let call) = grouping.aggregates[0].node, !call.isDistinct
    else { return false }
    return ["COUNT", "AVG", "MIN", "MAX", "SUM"].contains(call.function.name)
      && call.filter == nil
      && call.arguments.allSatisfy { $0.relations.isSubset(of: [input.number]) }
  }

  /// Whether it returns at most one row: an aggregate without keys, or the first row in a known
  /// order.
  var isSingle: Bool {
    if limit == 1 { return !isUnordered && input.shape.readsDataSource }
    guard let grouping else { return false }
    return !grouping.isExplicit && having == nil && limit == nil && offset == nil
  }
}
