/// A bound SELECT, and the settings of its context.
struct BoundSelect: Sendable {
  let select: SelectedRelation
  let settings: PlanSettings
  /// Where the SELECT was written.
  let range: SourceRange

  /// What is computed of the rows: items, group keys and aggregates.
  fileprivate var computed: [TypedExpression] {
    select.items + (select.grouping.map { $0.keys + $0.aggregates } ?? [])
  }

  /// All expressions.
  fileprivate var expressions: [TypedExpression] {
    select.items + [select.filter, select.having].compactMap { $0 }
      + select.orderBy.map(\.expression)
      + (select.grouping.map { $0.keys + $0.aggregates } ?? [])
  }
}

extension Restrictions {
  /// What a filter may not be, and an expression that Calcite turns into one.
  static let filters: [Restriction<TypedExpression>] = [
    Restriction(
      "CASE in a filter that compares a string as a number",
      druid: "Compares a string column with a number in two ways, as a filter and as a value."
    ) { filter throws(SQLFailure) in
      let isMixed = filter.contains {
        guard case .conditional(let branches, _) = $0.node else { return false }
        return branches.contains { branch in branch.condition.contains(where: \.comparesCast) }
      }
      if isMixed { throw .unknown("A CASE that compares a string as a number", at: filter.range) }
    }
  ]

  /// What a SELECT may not be, whichever way it is sorted.
  static let selects: [Restriction<BoundSelect>] =
    sources + multiples + groups + distincts + unions

  private static let sources: [Restriction<BoundSelect>] = [
    Restriction(
      "join of system tables and datasources",
      druid: "Answers system tables on the broker alone, and has no plan for a join with others."
    ) { bound throws(SQLFailure) in
      let shape = bound.select.input.shape
      if shape.readsSystem && shape.readsDataSource {
        throw .unknown("A join of system tables and datasources", at: bound.range)
      }
    },
    Restriction(
      "aggregate of a system table",
      druid: "Aggregates system tables with Calcite's own functions, which differ from Druid's."
    ) { bound throws(SQLFailure) in
      guard bound.select.input.shape.readsSystem, let grouping = bound.select.grouping else {
        return
      }
      for aggregate in grouping.aggregates {
        guard case .aggregate(let call) = aggregate.node, !call.isDistinct, call.filter == nil,
          call.function == .count
            || ["SUM", "MIN", "MAX"].contains(call.function.name)
              && call.arguments[0].type.isIntegral && call.arguments[0].isColumn
        else { throw .unknown("This aggregate of a system table", at: bound.range) }
      }
    },
    Restriction(
      "comparison of an unnested number with a text",
      druid: "Fails: Unhandled Query Planning Failure."
    ) { bound throws(SQLFailure) in
      guard case .unnest = bound.select.input.kind, let filter = bound.select.filter else { return }
      if filter.comparesWithNull(bound.select.input.number) {
        throw .unhandled
      }
    },
    Restriction(
      "vectorize of force",
      druid: "Cannot vectorize rows that a streaming task holds. A scan and a TopN ignore it."
    ) { bound throws(SQLFailure) in
      if bound.settings.forcesVectors, bound.select.grouping != nil, !bound.select.isTopN,
        !bound.select.input.shape.readsSystem
      {
        throw .runtime("Cannot vectorize!")
      }
    },
  ]

  private static let multiples: [Restriction<BoundSelect>] = [
    Restriction(
      "test of a multi-value column as an item or a group key",
      druid: "Evaluates it for each of the values and makes a multi-value of the results."
    ) { bound throws(SQLFailure) in
      for value in bound.select.items + (bound.select.grouping?.keys ?? []) {
        if case .operation(.ofOneValue, _) = value.node { continue }
        try value.refuseTests()
      }
    },
    Restriction(
      "multi-value column beside a window",
      druid:
        "Cannot hold such a column in the frames that windows work on (StringFrameColumnReader)."
    ) { bound throws(SQLFailure) in
      guard bound.select.items.contains(where: \.hasWindow) else { return }
      if let item = bound.select.items.first(where: { $0.contains { $0.isMultiple } }) {
        throw .unknown("A multi-value column beside a window", at: item.range)
      }
    },
    Restriction(
      "multi-value column that a join looks up",
      druid: "Treats the values as one string such as [a, b], and can only show it (IndexedTable)."
    ) { bound throws(SQLFailure) in
      let columns = bound.select.input.lookedUp
      if columns.isEmpty { return }
      let select = bound.select
      let grouped = select.grouping.map { $0.keys + $0.aggregates } ?? []
      let used = [select.filter].compactMap { $0 } + grouped + select.orderBy.map(\.expression)
      let made = select.input.unnested + select.items.filter { !$0.isColumn }
      if (used + made).contains(where: { $0.contains { columns.contains($0.node) } }) {
        throw .unknown("A multi-value column from the right of a join", at: bound.range)
      }
    },
    Restriction(
      "multi-value column that WHERE restricts to one value",
      druid: "Replaces the column by the value in some expressions and not in others."
    ) { bound throws(SQLFailure) in
      for column in bound.select.filter?.pinned ?? [] where column.isMultiple && column.isColumn {
        if bound.computed.contains(where: { $0 != column && $0.contains { $0 == column } }) {
          throw .unknown("A multi-value column beside its own filter", at: bound.range)
        }
      }
    },
    Restriction(
      "condition on an exploded group key",
      druid: "Moves the condition to the rows, where one matching value keeps all values of a row."
    ) { bound throws(SQLFailure) in
      if let filter = bound.select.filter, filter.readsExploded(nil) {
        throw .unknown("A test of a grouped multi-value column", at: filter.range)
      }
      if let having = bound.select.having, having.readsExploded(bound.select.grouping) {
        throw .unknown("A test of a grouped multi-value column", at: having.range)
      }
    },
  ]

  private static let groups: [Restriction<BoundSelect>] = [
    Restriction(
      "MIN or MAX of a text without GROUP BY",
      druid: "Compares texts in groups of windows only, and refuses STRING in a total."
    ) { bound throws(SQLFailure) in
      guard let grouping = bound.select.grouping, grouping.keys.isEmpty,
        !bound.select.isOfLiterals
      else { return }
      for item in grouping.aggregates {
        guard case .aggregate(let call) = item.node, ["MIN", "MAX"].contains(call.function.name),
          call.arguments.first?.type.isCharacter == true
        else { continue }
        throw SQLFailure(
          "Aggregation [\(call.function.name)] does not support type [STRING], column [v0]",
          at: nil, errorCode: "general")
      }
    },
    Restriction(
      "repeated grouping sets with ORDER BY, LIMIT, HAVING or other items than groups have",
      druid: "Calcite makes a union of them, whose branches are not scans."
    ) { bound throws(SQLFailure) in
      let select = bound.select
      guard let grouping = select.grouping, Set(grouping.sets).count < grouping.sets.count,
        select.having != nil || select.limit != nil || select.offset != nil
          || !select.orderBy.isEmpty || !select.showsGroups(grouping)
      else { return }
      throw .nonScanUnion
    },
    Restriction(
      "OFFSET of grouping sets that are ordered by keys alone",
      druid: "Pushes the LIMIT down to the finest groups, and can't do so with OFFSET."
    ) { bound throws(SQLFailure) in
      if bound.select.limitsFinestGroups, bound.select.offset != nil {
        throw .runtime("Cannot push down offsets")
      }
    },
    Restriction(
      "groupByEnableMultiValueUnnesting of false",
      druid: "Fails on rows with several values as group keys."
    ) { bound throws(SQLFailure) in
      if !bound.settings.groupsMultipleValues,
        let key = bound.select.grouping?.keys.first(where: \.isMultiple)
      {
        throw .unknown("groupByEnableMultiValueUnnesting without it", at: key.range)
      }
    },
    Restriction(
      "skipEmptyBuckets of false",
      druid: "Returns a row for every bucket of the interval, with or without rows of the table."
    ) { bound throws(SQLFailure) in
      guard bound.settings.skipsEmptyBuckets == false, bound.select.having == nil,
        bound.select.input.shape.stage == .table, let keys = bound.select.grouping?.keys
      else { return }
      if keys.count == 1, keys[0].type.isTime {
        throw .unknown("skipEmptyBuckets of false", at: bound.range)
      }
    },
  ]

  /// Exact distinct aggregates, with `useApproximateCountDistinct` of false.
  private static let distincts: [Restriction<BoundSelect>] = [
    Restriction(
      "exact distinct count beside a joined text of distinct values",
      druid: "Has no plan for it: Aggregation [COUNT(DISTINCT $0)] is not supported."
    ) { bound throws(SQLFailure) in
      if bound.exactDistincts.contains(where: { $0.function == .stringAggregate }) {
        throw .unplannable("Aggregation [COUNT(DISTINCT $0)] is not supported")
      }
    },
    Restriction(
      "exact distinct counts of two columns",
      druid: "Needs three merge buffers, and a server has two."
    ) { bound throws(SQLFailure) in
      if Set(bound.exactDistincts.compactMap(\.arguments.first)).count > 1 {
        throw SQLFailure(
          "Query needs 3 merge buffers, but only 2 merge buffers were configured", at: nil,
          errorCode: "general")
      }
    },
    Restriction(
      "exact distinct count beside an aggregate that returns text",
      druid: "Takes the MIN of the text over the groups, which does not support STRING."
    ) { bound throws(SQLFailure) in
      guard !bound.exactDistincts.isEmpty, let grouping = bound.select.grouping else { return }
      let givesText = grouping.aggregates.contains { item in
        if case .aggregate(let call) = item.node, !call.isDistinct {
          item.type.isCharacter
        } else {
          false
        }
      }
      if givesText {
        throw SQLFailure(
          "Aggregation [MIN] does not support type [STRING], column [v0]", at: nil,
          errorCode: "general")
      }
    },
  ]

  private static let unions: [Restriction<BoundSelect>] = [
    Restriction(
      "query of a union of columns with different numeric types",
      druid: "Converts some of the numbers, depending on the plan."
    ) { bound throws(SQLFailure) in
      let input = bound.select.input
      guard !input.shape.mixed.isEmpty || !input.shape.mixedNumbers.isEmpty else { return }
      let used = bound.columns(of: input)
      // When a query reads no column of a union, Calcite keeps the last one.
      if used.isEmpty || !used.isDisjoint(with: input.shape.mixedNumbers) {
        throw .uncertain(.unionTypes, at: nil)
      }
    },
    Restriction(
      "query of a union of columns with different names or types",
      druid: "Refuses it: column types of tables being unioned are not of same type."
    ) { bound throws(SQLFailure) in
      let input = bound.select.input
      if bound.select.cutsOnly { return }
      if !bound.columns(of: input).isDisjoint(with: input.shape.mixed) {
        throw .nonScanUnion
      }
    },
    Restriction(
      "query of a union of queries",
      druid: "Runs the queries one after the other; only a LIMIT may be built on them."
    ) { bound throws(SQLFailure) in
      let (select, input) = (bound.select, bound.select.input)
      guard input.shape.stage == .union, !select.cutsOnly else { return }
      throw input.shape.readsSystem
        ? .unknown("A query of a set operation", at: nil)
        : .unplannable("SQL requires a query of a union, which is not supported.")
    },
  ]
}

extension BoundSelect {
  /// The distinct aggregates that Druid computes exactly, when a count is among them.
  fileprivate var exactDistincts: [AggregateCall] {
    guard !settings.approximatesCountDistinct, !select.input.shape.readsSystem,
      let grouping = select.grouping
    else { return [] }
    let calls = grouping.aggregates.compactMap { item -> AggregateCall? in
      guard case .aggregate(let call) = item.node, call.isDistinct,
        !["MIN", "MAX"].contains(call.function.name)
      else { return nil }
      return call
    }
    return calls.contains { ["COUNT", "SUM", "AVG"].contains($0.function.name) } ? calls : []
  }

  /// The columns of a relation that it reads.
  fileprivate func columns(of relation: Relation) -> Set<Int> {
    Set(expressions.flatMap { $0.columns(of: relation.number) })
  }
}

extension TypedExpression {
  /// Druid evaluates a test of a multi-value column for each of the values.
  func refuseTests() throws(SQLFailure) {
    if testsMultiple { throw .unknown("A test of a multi-value column as a value", at: range) }
  }

  /// Whether there is a test of a multi-value column in it.
  var testsMultiple: Bool {
    contains {
      switch $0.node {
      case .operation(let op, let operands):
        op.isTestOfValue && operands.contains(where: \.isMultiple)
      case .call(let function, let operands):
        (function == .mvContains || function == .mvOverlap)
          && operands.contains(where: \.isMultiple)
      default: false
      }
    }
  }

  /// Whether it compares a column of a relation with NULL, which a text that is not a number is.
  fileprivate func comparesWithNull(_ relation: Int) -> Bool {
    contains {
      guard case .operation(let op, let operands) = $0.node, op.isComparison else { return false }
      return operands.contains(where: \.isNullConstant)
        && operands.contains { $0.relations == [relation] }
    }
  }

  /// Whether it compares a cast column with a constant. A filter ignores such a cast.
  fileprivate var comparesCast: Bool {
    guard case .operation(let op, let operands) = node, op.isComparison || op == .isIn,
      case .cast(let column) = operands[0].node, column.isColumn
    else { return false }
    return column.type.isCharacter && operands[0].type.isNumeric
      && operands.dropFirst().allSatisfy(\.isConstant)
  }

  /// The columns of a relation that it reads.
  fileprivate func columns(of relation: Int) -> [Int] {
    if case .column(relation, let index) = node { return [index] }
    return children.flatMap { $0.columns(of: relation) }
  }

  /// The expressions that it restricts to one constant, as `tags = 'a'` does.
  fileprivate var pinned: [TypedExpression] {
    guard case .operation(let op, let operands) = node else { return [] }
    switch op {
    case .and: return operands.flatMap(\.pinned)
    case .equal where operands.contains(where: \.isConstant),
      .isIn where operands.count == 2:
      return operands.filter { !$0.isConstant }
    default: return []
    }
  }
}

extension Relation {
  /// The arrays that it unnests.
  fileprivate var unnested: [TypedExpression] {
    if case .unnest(let input, let array) = kind { return (input?.unnested ?? []) + [array] }
    return []
  }
}

extension SelectedRelation {
  /// Whether it passes columns on in their order, with nothing but a LIMIT.
  fileprivate var cutsOnly: Bool {
    var last = -1
    return filter == nil && grouping == nil && !isDistinct && orderBy.isEmpty && offset == nil
      && items.allSatisfy {
        guard case .column(input.number, let index) = $0.node, index > last else { return false }
        last = index
        return true
      }
  }

  /// Whether its items are the keys and the aggregates in their order, each once.
  fileprivate func showsGroups(_ grouping: Grouping) -> Bool {
    let columns = items.map { item -> Int? in
      if case .column(grouping.number, let index) = item.node { return index }
      return nil
    }
    let (keys, others) = (
      columns.prefix(grouping.keys.count), columns.dropFirst(grouping.keys.count)
    )
    let aggregates = others.compactMap { $0 }
    return Array(keys) == Array(grouping.keys.indices) && aggregates.count == others.count
      && Set(aggregates).count == aggregates.count
      && aggregates.count == grouping.aggregates.count + grouping.groupings.count
      && aggregates.filter { $0 >= 0 } == aggregates.filter { $0 >= 0 }.sorted()
  }
}

extension SQLFailure {
  fileprivate static var nonScanUnion: SQLFailure {
    .unplannable(
      "SQL requires union between inputs that are not simple table scans and involve a filter "
        + "or aliasing. Or column types of tables being unioned are not of same type.")
  }
}
