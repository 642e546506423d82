import JavaValues

extension Resolver {
  /// How Druid runs a SELECT, as far as that decides which sorts it accepts. Refuses the sorts that
  /// Druid refuses.
  func shape(_ select: SelectedRelation) throws(SQLFailure) -> Relation.Shape {
    let input = select.input.shape
    var shape = input
    shape.isComputed = false
    shape.timeColumn = nil
    shape.mixed = []
    shape.mixedNumbers = []
    let hasWindow = select.items.contains { $0.hasWindow }
    let hasScalarQuery = (select.items + [select.having].compactMap { $0 }).contains {
      $0.contains { if case .scalarQuery = $0.node { true } else { false } }
    }
    let isComputed =
      select.items.contains { !$0.isPassedOn } || hasScalarQuery
    shape.timeOutput = nil
    if select.grouping == nil, let time = input.timeColumn ?? input.timeOutput {
      let number = select.timeIndex?.relation ?? select.input.number
      shape.timeOutput = select.items.firstIndex {
        $0.node == .column(relation: number, index: time)
      }
    }
    if select.grouping != nil {
      shape.stage = hasWindow ? .windowed : .grouped
      if hasScalarQuery { shape.stage = .other }
    } else if hasWindow {
      shape.stage = .windowed
      shape.isComputed = false
    } else {
      switch input.stage {
      case .table:
        if let time = input.timeColumn {
          shape.timeColumn = select.items.firstIndex {
            $0.node == .column(relation: select.input.number, index: time)
          }
        }
        shape.isComputed = input.isComputed || isComputed
      case .grouped:
        if let filter = select.filter, filter.readsQuery {
          shape.stage = .other
          shape.isComputed = isComputed
        }
      case .windowed where select.filter == nil: break
      case .windowed, .other:
        shape.stage = .other
        shape.isComputed = input.isComputed || isComputed
      case .constant: shape.isComputed = true
      case .union: break
      }
    }
    // There are no rows to sort, or they are sorted already.
    if !select.orderBy.isEmpty, select.limit != 0, !select.keepsNothing,
      !select.input.keepsNothing, !select.isSortedBelow
    {
      try checkOrder(select, shape, isComputed: isComputed)
    }
    try checkCut(select)
    if shape.stage == .union { return shape }
    if shape.stage != .table { shape.isUnion = false }
    if select.limit != nil || select.offset != nil || !select.orderBy.isEmpty {
      shape.stage = .other
      shape.isComputed = false
      shape.timeColumn = nil
    }
    return shape
  }

  private func checkOrder(
    _ select: SelectedRelation, _ shape: Relation.Shape, isComputed: Bool
  ) throws(SQLFailure) {
    if shape.readsSystem { return }
    func refusal() -> SQLFailure {
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
    // Druid's scan cannot order such rows by time, and fails at run time.
    func refuseTime() throws(SQLFailure) {
      guard select.orderBy.count == 1, select.grouping == nil,
        let time = select.input.shape.timeColumn ?? select.input.shape.timeOutput
      else { return }
      let number = select.timeIndex?.relation ?? select.input.number
      guard select.orderBy[0].expression.node == .column(relation: number, index: time) else {
        return
      }
      throw Self.timeOrder
    }
    let computesItem = select.items.contains { $0.isWorkedOn }
    let sortsByComputed = select.orderBy.contains { key in
      key.expression.isWorkedOn && select.items.contains(key.expression)
    }
    let readsQuery =
      select.filter?.readsQuery == true || select.items.contains(where: \.readsQuery)
    switch shape.stage {
    case .grouped:
      if select.groupsUniqueValues, !select.isSortedByItself { throw refusal() }
    case .windowed: try refuseTime()
    case .table where readsQuery:
      if select.orderBy.count == 1, let time = select.timeIndex,
        select.orderBy[0].expression.node == .column(relation: time.relation, index: time.index)
      {
        if let filter = select.filter, filter.filtersTableToo { try refuseTime() }
        return
      }
      if computesItem && !sortsByComputed { throw refusal() }
    case .table:
      guard select.orderBy.count == 1, let key = select.orderBy.first, let time = select.timeIndex,
        key.expression.node == .column(relation: time.relation, index: time.index)
      else { throw refusal() }
    case .other:
      // A join keeps the time column of its leftmost table, unless a condition filters that table
      // below the join.
      if select.orderBy.count == 1, let (time, isBare) = select.input.leftmostTime,
        select.orderBy[0].expression.node == time
      {
        guard case .column(let number, _) = time else { return }
        let filters = select.filter?.conjuncts ?? []
        if isBare, !filters.contains(where: { $0.relations == [number] && !$0.readsQuery }) {
          return
        }
        throw Self.timeOrder
      }
      try refuseTime()
      if case .unnest(.some, _) = select.input.kind { throw Self.noQuery }
      if computesItem, !sortsByComputed, select.sortsLimitedGroupsByTime { throw Self.noQuery }
      if computesItem && !sortsByComputed { throw refusal() }
      if !computesItem, select.orderBy.contains(where: { !$0.expression.isPassedOn }) {
        throw refusal()
      }
    case .constant: if !select.isSortedByItself { throw refusal() }
    case .union: throw refusal()
    }
  }

  private static let timeOrder = SQLFailure(
    "Time-ordering on scan queries is only supported for queries with segment specs of type "
      + "MultipleSpecificSegmentSpec or SpecificSegmentSpec", at: nil,
    category: .runtimeFailure, errorCode: "general", persona: "OPERATOR")

  private static let noQuery = SQLFailure(
    "Cannot convert query parts into an actual query", at: nil, category: .runtimeFailure,
    errorCode: "general", persona: "OPERATOR")

  /// Refuses the limits and offsets at which Druid's planner fails.
  private func checkCut(_ select: SelectedRelation) throws(SQLFailure) {
    guard !select.orderBy.isEmpty, !select.input.shape.readsSystem else { return }
    var groups: (number: Int, columns: [Int])?
    if let grouping = select.grouping {
      groups = (grouping.number, Array(grouping.keys.indices))
    } else if select.input.shape.stage == .grouped, let columns = select.input.keyColumns {
      groups = (select.input.number, columns)
    }
    if let groups, select.offset ?? 0 > 0, select.limit == nil, !select.keepsNothing {
      let isByKeys = select.orderBy.enumerated().allSatisfy { position, key in
        position < groups.columns.count && !key.isDescending
          && key.expression.node
            == .column(relation: groups.number, index: groups.columns[position])
      }
      if !isByKeys {
        // Without a limit Druid adds the offset to the largest number, which overflows.
        throw SQLFailure(
          "limit >= 0", at: nil, category: .runtimeFailure, errorCode: "general",
          persona: "OPERATOR")
      }
    }
    if select.limit == 0, select.offset == nil, !select.keepsNothing {
      let places = select.orderBy.map { key in
        select.items.firstIndex { $0 == key.expression }
      }
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
    }
  }
}

extension TypedExpression {
  /// Whether it contains a subquery, which Druid turns into a join.
  var readsQuery: Bool {
    contains {
      switch $0.node {
      case .scalarQuery, .inQuery, .exists: true
      default: false
      }
    }
  }
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
}

extension TypedExpression {
  /// Whether it has a condition without a subquery.
  fileprivate var filtersTableToo: Bool {
    if case .operation(.and, let operands) = node {
      return operands.contains(where: \.filtersTableToo)
    }
    return !readsQuery
  }
}

extension SelectedRelation {
  /// Whether its WHERE is FALSE.
  fileprivate var keepsNothing: Bool { filter?.constant == .boolean(false) }

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

  /// Whether it is a query that returns no rows because of WHERE FALSE.
  fileprivate var keepsNothing: Bool {
    guard case .select(let select) = kind, select.grouping?.isExplicit ?? true else { return false }
    return select.keepsNothing || select.input.keepsNothing
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
  /// The position of the input's `__time` column.
  var timeIndex: (relation: Int, index: Int)? { input.timeIndex }
}

extension Relation {
  fileprivate var timeIndex: (relation: Int, index: Int)? {
    if case .unnest(let input, _) = kind { return input?.timeIndex }
    return columns.isEmpty ? nil : shape.timeColumn.map { (number, $0) }
  }
}
