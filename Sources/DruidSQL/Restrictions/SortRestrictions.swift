import JavaValues

/// A SELECT with ORDER BY, and what decides how Druid can sort it.
struct SortedSelect: Sendable {
  let select: SelectedRelation
  /// How Druid runs it without the sort.
  let stage: Relation.Shape.Stage
  /// Whether an item is computed above what is sorted.
  let computesItem: Bool
  /// Whether a sort key is itself a computed item, so that the sort comes after the computation.
  let sortsByComputedItem: Bool
  /// Whether Druid turns a subquery in it into a join.
  let readsQuery: Bool
  /// Whether its only key is the `__time` of rows that Druid's scan cannot order.
  let isByTime: Bool
  /// `__time` of the leftmost relation of a join, when it is the only key, and whether that relation
  /// is an unfiltered datasource.
  let joinTime: (column: TypedExpression.Node, isBare: Bool)?

  init(_ select: SelectedRelation, stage: Relation.Shape.Stage) {
    self.select = select
    self.stage = stage
    computesItem = select.items.contains { $0.isWorkedOn }
    sortsByComputedItem = select.orderBy.contains { key in
      key.expression.isWorkedOn && select.items.contains(key.expression)
    }
    readsQuery = select.filter?.readsQuery == true || select.items.contains(where: \.readsQuery)
    let key = select.orderBy.count == 1 ? select.orderBy[0].expression.node : nil
    if let key, select.grouping == nil,
      let time = select.input.shape.timeColumn ?? select.input.shape.timeOutput
    {
      let number = select.timeIndex?.relation ?? select.input.number
      isByTime = key == .column(relation: number, index: time)
    } else {
      isByTime = false
    }
    let time = select.input.leftmostTime
    joinTime = time.flatMap { $0.column == key ? $0 : nil }
  }

  /// Whether its only key is the `__time` column of a scan.
  fileprivate var isByScanTime: Bool {
    guard select.orderBy.count == 1, let time = select.timeIndex else { return false }
    return select.orderBy[0].expression.node
      == .column(relation: time.relation, index: time.index)
  }

  /// Whether it is a scan or a join that computes items after the sort.
  fileprivate var computesAfterwards: Bool { computesItem && !sortsByComputedItem }

  /// The refusal of a sort by other columns than `__time`.
  fileprivate var nonTimeOrder: SQLFailure {
    let names = select.orderBy.map { key -> String in
      if case .column(select.input.number, let index) = key.expression.node,
        select.input.columns.indices.contains(index)
      {
        return select.input.columns[index].name
      }
      return "v0"
    }
    return .nonTimeOrder(names)
  }

  fileprivate static let timeOrder = SQLFailure(
    "Time-ordering on scan queries is only supported for queries with segment specs of type "
      + "MultipleSpecificSegmentSpec or SpecificSegmentSpec", at: nil,
    category: .runtimeFailure, errorCode: "general", persona: "OPERATOR")

  fileprivate static let noQuery = SQLFailure(
    "Cannot convert query parts into an actual query", at: nil, category: .runtimeFailure,
    errorCode: "general", persona: "OPERATOR")

  /// Whether there is nothing to sort: no rows, or rows in that order already.
  fileprivate var isNeedless: Bool {
    select.limit == 0 || select.keepsNothing || select.isSortedBelow
      || select.input.shape.readsSystem
  }
}

extension Restrictions {
  /// What ORDER BY, LIMIT and OFFSET may not be.
  static let sorts: [Restriction<SortedSelect>] = orders + cuts

  private static let orders: [Restriction<SortedSelect>] = [
    order(
      "sort of VALUES grouped by unique columns", of: [.grouped],
      druid: "Drops the grouping, and then sorts the rows of VALUES only when that is needless."
    ) { sort throws(SQLFailure) in
      if sort.select.groupsUniqueValues, !sort.select.isSortedByItself { throw sort.nonTimeOrder }
    },
    order(
      "sort of windows by time", of: [.windowed],
      druid: "Fails when it runs: the scan of the window's rows cannot order them by time."
    ) { sort throws(SQLFailure) in if sort.isByTime { throw SortedSelect.timeOrder } },
    order(
      "sort of a scan by anything but __time", of: [.table],
      druid: "Refuses it: SQL query requires ordering a table by non-time column."
    ) { sort throws(SQLFailure) in
      if !sort.readsQuery, !sort.isByScanTime { throw sort.nonTimeOrder }
    },
    order(
      "sort by time of a scan that a subquery and another condition filter", of: [.table],
      druid:
        "Joins the subquery, and fails when it runs: the filtered scan is not the table itself."
    ) { sort throws(SQLFailure) in
      if sort.readsQuery, sort.isByScanTime, sort.isByTime,
        sort.select.filter?.filtersTableToo == true
      {
        throw SortedSelect.timeOrder
      }
    },
    order(
      "sort of a scan with a subquery that computes items", of: [.table],
      druid: "Moves the computation above the sort, and refuses to sort the scan by another column."
    ) { sort throws(SQLFailure) in
      if sort.readsQuery, !sort.isByScanTime, sort.computesAfterwards { throw sort.nonTimeOrder }
    },
    order(
      "sort of a join by the time of a filtered table", of: [.other],
      druid: "Keeps the time order of an unfiltered leftmost table only, and fails when it runs."
    ) { sort throws(SQLFailure) in
      guard let (column, isBare) = sort.joinTime, case .column(let number, _) = column else {
        return
      }
      let filters = sort.select.filter?.conjuncts ?? []
      if !isBare || filters.contains(where: { $0.relations == [number] && !$0.readsQuery }) {
        throw SortedSelect.timeOrder
      }
    },
    order(
      "sort of a subquery by time", of: [.other],
      druid: "Fails when it runs: the scan of a subquery's rows cannot order them by time."
    ) { sort throws(SQLFailure) in if sort.isByTime { throw SortedSelect.timeOrder } },
    order(
      "sort of an unnested table by anything but __time", of: [.other],
      druid: "Fails: Cannot convert query parts into an actual query."
    ) { sort throws(SQLFailure) in
      if case .unnest(.some, _) = sort.select.input.kind { throw SortedSelect.noQuery }
    },
    order(
      "sort of limited groups by __time that computes items", of: [.other],
      druid: "Fails: Cannot convert query parts into an actual query."
    ) { sort throws(SQLFailure) in
      if sort.computesAfterwards, sort.select.sortsLimitedGroupsByTime {
        throw SortedSelect.noQuery
      }
    },
    order(
      "sort of a subquery that computes items", of: [.other],
      druid: "Moves the computation above the sort, and refuses to sort the scan by another column."
    ) { sort throws(SQLFailure) in
      if sort.joinTime == nil, sort.computesAfterwards { throw sort.nonTimeOrder }
    },
    order(
      "sort of a subquery by a computed key that is not an item", of: [.other],
      druid: "Refuses it: SQL query requires ordering a table by non-time column."
    ) { sort throws(SQLFailure) in
      if sort.joinTime == nil, !sort.computesItem,
        sort.select.orderBy.contains(where: { !$0.expression.isPassedOn })
      {
        throw sort.nonTimeOrder
      }
    },
    order(
      "sort of VALUES", of: [.constant],
      druid: "Sorts VALUES only when that is needless."
    ) { sort throws(SQLFailure) in
      if !sort.select.isSortedByItself { throw sort.nonTimeOrder }
    },
  ]

  /// A restriction of what can be sorted, for queries that Druid runs in one of these stages.
  private static func order(
    _ name: String, of stages: [Relation.Shape.Stage], druid: String,
    check: @escaping Restriction<SortedSelect>.Check
  ) -> Restriction<SortedSelect> {
    Restriction(name, druid: druid) { sort throws(SQLFailure) in
      if stages.contains(sort.stage), !sort.isNeedless { try check(sort) }
    }
  }

  private static let cuts: [Restriction<SortedSelect>] = [
    Restriction(
      "OFFSET without LIMIT of sorted groups",
      druid: "Adds the offset to the largest number, which overflows: limit >= 0."
    ) { sort throws(SQLFailure) in
      let select = sort.select
      guard select.offset ?? 0 > 0, select.limit == nil, !select.keepsNothing,
        !select.input.shape.readsSystem, let groups = select.groupColumns
      else { return }
      let isByKeys = select.orderBy.enumerated().allSatisfy { position, key in
        position < groups.columns.count && !key.isDescending
          && key.expression.node
            == .column(relation: groups.number, index: groups.columns[position])
      }
      if !isByKeys {
        throw SQLFailure(
          "limit >= 0", at: nil, category: .runtimeFailure, errorCode: "general",
          persona: "OPERATOR")
      }
    },
    Restriction(
      "LIMIT 0 of rows in another order than their columns",
      druid:
        "Empties the query before it plans the sort, and fails: Unhandled Query Planning Failure."
    ) { sort throws(SQLFailure) in
      let select = sort.select
      guard select.limit == 0, select.offset == nil, !select.keepsNothing,
        !select.input.shape.readsSystem
      else { return }
      let places = select.orderBy.map { key in select.items.firstIndex { $0 == key.expression } }
      let isInOrder =
        select.orderBy.count == 1
        || zip(places, places.dropFirst()).allSatisfy { one, next in
          if let one, let next { next == one + 1 } else { false }
        }
      if !isInOrder || select.orderBy.contains(where: \.isDescending) {
        throw SQLFailure(
          "Unhandled Query Planning Failure, see broker logs for details", at: nil,
          category: .unsupported, errorCode: "general", persona: "ADMIN")
      }
    },
  ]
}

extension TypedExpression {
  /// Whether it is computed: anything but a column, a window over columns or a subquery's single
  /// value.
  fileprivate var isWorkedOn: Bool {
    switch node {
    case .window, .scalarQuery: false
    default: !isPassedOn
    }
  }

  /// Whether it has a condition without a subquery.
  fileprivate var filtersTableToo: Bool {
    if case .operation(.and, let operands) = node {
      return operands.contains(where: \.filtersTableToo)
    }
    return !readsQuery
  }
}

extension SelectedRelation {
  /// Whether it groups rows of VALUES that are already distinct, so that Druid's planner drops the
  /// grouping.
  fileprivate var groupsUniqueValues: Bool {
    guard let grouping, grouping.sets.count == 1, case .values(let rows) = input.kind,
      filter == nil
    else { return false }
    let isPlain = grouping.aggregates.allSatisfy { item in
      if case .aggregate(let call) = item.node {
        return ["COUNT", "SUM", "MIN", "MAX"].contains(call.function.name)
      }
      return false
    }
    var columns: [Int] = []
    for key in grouping.keys {
      guard case .column(input.number, let index) = key.node else { return false }
      columns.append(index)
    }
    let keys = rows.map { row in columns.map { row[$0] } }
    return isPlain && !columns.isEmpty && Set(keys).count == keys.count
      && keys.allSatisfy { $0.allSatisfy { $0.constant != nil } }
  }

  /// Whether rows of VALUES are already in the requested order: each key ascending, the keys in
  /// adjacent columns from left to right, and no LIMIT or filter.
  fileprivate var isSortedByItself: Bool {
    guard limit == nil, offset == nil, filter == nil, grouping == nil || grouping?.sets.count == 1,
      case .values(let rows) = input.kind, !orderBy.contains(where: \.isDescending)
    else { return false }
    var columns: [Int] = []
    var places: [Int] = []
    for key in orderBy {
      guard let index = valuesColumn(key.expression),
        let place = items.firstIndex(where: { $0 == key.expression })
      else { return false }
      columns.append(index)
      places.append(place)
    }
    for (one, next) in zip(places, places.dropFirst()) where next != one + 1 { return false }
    for (one, next) in zip(rows, rows.dropFirst()) {
      for column in columns {
        guard let order = Self.order(one[column], next[column]) else { return false }
        if order > 0 { return false }
        if order < 0 { break }
      }
    }
    return true
  }

  /// The index of the VALUES column that an expression reads, directly or as a group key.
  private func valuesColumn(_ expression: TypedExpression) -> Int? {
    guard case .column(let number, let index) = expression.node else { return nil }
    if number == input.number { return index }
    guard let grouping, number == grouping.number, grouping.keys.indices.contains(index),
      case .column(input.number, let column) = grouping.keys[index].node
    else { return nil }
    return column
  }

  /// Negative when the first constant comes first; NULL is the largest.
  private static func order(_ one: TypedExpression, _ other: TypedExpression) -> Int? {
    func order<Value: Comparable>(_ one: Value, _ other: Value) -> Int {
      one < other ? -1 : one == other ? 0 : 1
    }
    switch (one.constant, other.constant) {
    case (.null?, .null?): return 0
    case (.null?, .some): return 1
    case (.some, .null?): return -1
    case (.long(let one)?, .long(let other)?): return order(one, other)
    case (.text(let one)?, .text(let other)?): return order(ExactText(one), ExactText(other))
    case (.double(let one)?, .double(let other)?): return order(one, other)
    case (.long(let one)?, .double(let other)?): return order(Double(one), other)
    case (.double(let one)?, .long(let other)?): return order(one, Double(other))
    default: return nil
    }
  }
}

extension Relation {
  /// `__time` of a join's leftmost relation, and whether that relation is an unfiltered datasource.
  fileprivate var leftmostTime: (column: TypedExpression.Node, isBare: Bool)? {
    guard case .join(let join) = kind else { return nil }
    if case .join = join.left.kind { return join.left.leftmostTime }
    guard let index = join.left.shape.timeColumn ?? join.left.shape.timeOutput,
      join.left.columns.indices.contains(index)
    else { return nil }
    return (.column(relation: join.left.number, index: index), join.left.isBareTable)
  }

  private var isBareTable: Bool {
    switch kind {
    case .table(let table): table.kind == .dataSource
    case .select(let select): select.passesOn && select.filter == nil && select.input.isBareTable
    default: false
    }
  }
}

extension SelectedRelation {
  /// Whether the subquery already returns its rows in this order.
  fileprivate var isSortedBelow: Bool {
    guard grouping == nil, orderBy.count == 1, limit == nil, offset == nil,
      case .column(input.number, let index) = orderBy[0].expression.node,
      case .select(let inner) = input.kind, inner.limit != nil, inner.orderBy.count == 1,
      inner.items.indices.contains(index), !items.contains(where: { $0.hasWindow })
    else { return false }
    return inner.items[index] == inner.orderBy[0].expression
      && inner.orderBy[0].isDescending == orderBy[0].isDescending && filter == nil
      && inner.grouping == nil && inner.input.shape.stage == .table
  }

  /// Whether it sorts the limited groups of a subquery by their `__time`.
  fileprivate var sortsLimitedGroupsByTime: Bool {
    guard grouping == nil, orderBy.count == 1,
      case .column(input.number, let index) = orderBy[0].expression.node,
      case .select(let inner) = input.kind, inner.grouping != nil, inner.limit != nil
    else { return false }
    return input.columns[index].name == "__time"
  }
}

extension SelectedRelation {
  /// The columns of its group keys, its own or those of the groups below; nil without any.
  fileprivate var groupColumns: (number: Int, columns: [Int])? {
    if let grouping { return (grouping.number, Array(grouping.keys.indices)) }
    guard input.shape.stage == .grouped, let columns = input.keyColumns else { return nil }
    return (input.number, columns)
  }
}
