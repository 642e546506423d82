/// The sort keys of a query, as SQL.
struct RowOrder {
  struct Key {
    var text: String
    var isDescending = false
    /// NULLS FIRST or NULLS LAST, where NULL is not the least value.
    var nulls = ""

    var sql: String { text + suffix }
    var suffix: String { (isDescending ? " DESC" : "") + nulls }
  }

  /// The keys of ORDER BY, or of the order in which Druid returns rows without one.
  var keys: [Key]
  /// Further keys that make the order unique.
  var tieBreakers: [Key]
  /// Whether rows may tie in all keys, so that it is not known which of them a limit keeps.
  var mayTie: Bool
  /// Ties are deterministic up to this many rows, because Druid sorts all of them.
  var sortedWhole = 0

  var all: [Key] { keys + tieBreakers }
}

extension Translator {
  func order(
    _ select: SelectedRelation, tieBreakers: [String]
  ) throws(SQLFailure) -> RowOrder {
    let isTopN = select.isTopN
    if isTopN, select.grouping == nil, case .select(let inner) = select.input.kind,
      let key = inner.grouping?.keys.first(where: \.isMultiple)
    {
      throw .uncertain(.limitAroundValues, at: key.range)
    }
    var keys: [RowOrder.Key] = []
    var plain: Set<String> = []
    for key in select.orderBy {
      var item = RowOrder.Key(text: try text(key.expression), isDescending: key.isDescending)
      plain.insert(item.text)
      if !isTopN, select.isCollection(key.expression) {
        let before = keys.map(\.text).joined(separator: ", ")
        let partition = before.isEmpty ? "" : "PARTITION BY \(before)"
        item.text = "druid_sole_collection(COUNT(*) OVER (\(partition)))"
        keys.append(item)
        continue
      }
      if key.expression.type.isArray { item.text = "druid_array_order(\(item.text))" }
      if key.expression.type.isCharacter, select.isSortedByScan, !key.expression.isMultiple {
        item.text = "druid_signed_text(\(item.text))"
      }
      if isTopN, key.expression.type.isNullable { try placeNulls(&item, key, select) }
      if isTopN, key.expression.isWild, select.grouping?.hasKey(key.expression) == true {
        // A TopN compares infinities and NaN as text and puts them before all numbers.
        var rank = item
        rank.text =
          "CASE WHEN \(item.text) = 'NaN' THEN 2 WHEN \(item.text) = 9e999 THEN 1 "
          + "WHEN \(item.text) = -9e999 THEN 0 WHEN \(item.text) IS NOT NULL THEN 3 END"
        keys.append(rank)
      }
      keys.append(item)
      if key.expression.type.isReal, select.isGroupKey(key.expression) {
        item.text = "CASE WHEN \(item.text) = 0 THEN druid_double_to_text(\(item.text)) END"
        keys.append(item)
      }
    }
    if select.isUnordered { return RowOrder(keys: [], tieBreakers: [], mayTie: true) }
    if select.isDistinct {
      // Druid groups by all columns and sorts by them, unless the rows are groups already.
      let columns = (try texts(select.items)).filter { !plain.contains($0) }
        .map { RowOrder.Key(text: $0) }
      guard let places = select.keyPlaces else {
        return RowOrder(keys: keys, tieBreakers: columns, mayTie: false)
      }
      let isAlike = places == Array(places.indices)
      return RowOrder(
        keys: keys, tieBreakers: isAlike ? columns : [], mayTie: true,
        sortedWhole: isAlike ? SelectedRelation.topNThreshold : 0)
    }
    let arrays = Set(
      (select.grouping?.keys ?? []).enumerated().filter { $1.type.isArray }.map {
        column(select.grouping?.number ?? 0, $0.offset)
      })
    let others = tieBreakers.filter { !plain.contains($0) }.map {
      RowOrder.Key(text: arrays.contains($0) ? "druid_array_order(\($0))" : $0)
    }
    if select.grouping != nil {
      // The sort of a GroupBy is stable over its keys.
      return RowOrder(
        keys: keys, tieBreakers: others, mayTie: isTopN && !keys.isEmpty && !others.isEmpty,
        sortedWhole: SelectedRelation.topNThreshold)
    }
    // The same applies to an outer query that only sorts the groups.
    if select.input.shape.stage == .grouped, let columns = select.input.keyColumns {
      let names = columns.compactMap { index -> String? in
        let text = column(select.input.number, index)
        if plain.contains(text) { return nil }
        return select.input.columns[index].type.isArray ? "druid_array_order(\(text))" : text
      }
      return RowOrder(
        keys: keys, tieBreakers: keys.isEmpty ? [] : names.map { RowOrder.Key(text: $0) },
        mayTie: isTopN && !keys.isEmpty && !names.isEmpty,
        sortedWhole: SelectedRelation.topNThreshold)
    }
    // A scan returns rows by time, and rows of one time in the order of their arrival.
    if select.input.shape.stage == .table {
      return RowOrder(
        keys: keys + others, tieBreakers: [], mayTie: select.input.shape.isUnion)
    }
    return RowOrder(keys: keys, tieBreakers: [], mayTie: !keys.isEmpty)
  }

  /// Places NULL as a TopN does, which differs from a GroupBy: first among keys, in either
  /// direction, and last among numbers.
  private func placeNulls(
    _ item: inout RowOrder.Key, _ key: OrderKey, _ select: SelectedRelation
  ) throws(SQLFailure) {
    guard let grouping = select.grouping else {
      let words = "'NULL in what a LIMIT of one group is ordered by is not supported here'"
      item.text = "CASE WHEN \(item.text) IS NULL THEN druid_refuse(\(words)) ELSE \(item.text) END"
      return
    }
    if grouping.hasKey(key.expression) {
      item.nulls = " NULLS FIRST"
    } else if approximatesTopN, !grouping.isPair(key.expression) {
      item.nulls = " NULLS LAST"
    }
  }

  /// One value of a multi-value group key, and the condition that a row must satisfy.
  ///
  /// A GroupBy treats a row with an empty list as NULL, and a TopN skips it (apache/druid#5897).
  /// Both treat a row with NULL as NULL.
  func exploded(
    _ value: String, of key: TypedExpression, _ select: SelectedRelation
  ) -> (value: String, condition: String?) {
    guard let grouping = select.grouping, let first = grouping.keys.first else {
      return (value, nil)
    }
    var ordered = select
    if select.orderBy.isEmpty {
      ordered.orderBy = [OrderKey(expression: first, isDescending: false)]
    }
    guard ordered.isTopN,
      approximatesTopN || select.orderBy.isEmpty
        || select.orderBy.contains(where: { grouping.hasKey($0.expression) })
    else { return (value, nil) }
    switch select.input.emptyLists(of: key) {
    case .none: return (value, nil)
    case .bit(let bit):
      let bits = "r\(select.input.number).\(Catalog.Column.emptyLists)"
      return (value, "NOT (\(bits) >> \(bit) & 1)")
    case .unknown:
      let words = "'A LIMIT of groups by a multi-value column with NULL is not supported here'"
      return ("CASE WHEN \(value) IS NULL THEN druid_refuse(\(words)) ELSE \(value) END", nil)
    }
  }

  /// A query with LIMIT or OFFSET. It fails when a row that is kept may tie with a row that is
  /// dropped.
  func cut(
    head: String, items: String, count: Int, rest: String, _ order: RowOrder,
    _ select: SelectedRelation
  ) -> String {
    let offset = select.offset ?? 0
    let end = select.limit.map { offset.addingReportingOverflow($0).partialValue }
    var extra: [String] = []
    var keys: [String] = []
    for (index, key) in order.all.enumerated() {
      extra.append("\(key.text) AS o\(index)")
      keys.append("o\(index)" + key.suffix)
    }
    let columns = ([items] + extra).joined(separator: ", ")
    let names = (0..<count).map { "c\($0)" }.joined(separator: ", ")
    let read = end.map { max($0, Int64(order.sortedWhole)) + 1 } ?? -1
    let inner =
      "\(head)\(columns)\(rest)\(Self.sorting(order.all.map(\.sql)[...])) LIMIT \(read)"
    let rank = Self.sorting(keys.prefix(order.keys.count))
    let numbered =
      "SELECT *, ROW_NUMBER() OVER (\(Self.sorting(keys[...]))) AS rn, "
      + "RANK() OVER (\(rank)) AS rk, COUNT(*) OVER () AS total FROM (\(inner))"
    let words =
      "Rows tie where the LIMIT cuts, and which of them Druid keeps is not known: add \(select.tieBreaker) to ORDER BY"
    // Depends on a row, so that SQLite does not evaluate it before there is one.
    let refusal = "druid_refuse(CASE WHEN rn > 0 THEN \(quoted(words)) END)"
    var test =
      "CASE WHEN rn = \(offset + 1) AND rk <= \(offset) AND total > \(order.sortedWhole) "
      + "THEN \(refusal)"
    if let end {
      test +=
        " WHEN rn > \(end) THEN CASE WHEN rn = \(end + 1) AND rk <= \(end) "
        + "AND total > \(order.sortedWhole) THEN \(refusal) ELSE 0 END"
    }
    return
      "SELECT \(names) FROM (\(numbered)) WHERE rn > \(offset) AND \(test) ELSE 1 END ORDER BY rn"
  }

  private static func sorting(_ keys: ArraySlice<String>) -> String {
    keys.isEmpty ? "" : " ORDER BY " + keys.joined(separator: ", ")
  }
}

extension SelectedRelation {
  /// Windows with different sort orders, in order of appearance.
  ///
  /// Druid sorts for one window after another (`Windowing.fromCalciteStuff`), and each sort is
  /// stable. The rows are therefore in the order of the last window, and in ROW_NUMBER the previous
  /// window's order decides ties (`orderByDescNulls.sqlTest`). SQLite starts with the last window
  /// that it finds and ends with the first, so it gets them in reverse order.
  fileprivate var sorts: [TypedExpression] {
    var found: [TypedExpression] = []
    var seen: Set<WindowSort> = []
    for window in (items + orderBy.map(\.expression)).flatMap(\.windows) {
      guard case .window(let call) = window.node else { continue }
      if call.partitionBy.isEmpty && call.orderBy.isEmpty { continue }
      let sort = WindowSort(partitionBy: call.partitionBy, orderBy: call.orderBy)
      if seen.insert(sort).inserted { found.append(window) }
    }
    return found
  }

  /// Empty when there is only one sort order, or when DISTINCT sorts again.
  var sortedWindows: [TypedExpression] { sorts.count > 1 && !isDistinct ? sorts : [] }
}

private struct WindowSort: Hashable {
  var partitionBy: [TypedExpression]
  var orderBy: [OrderKey]
}

extension TypedExpression {
  /// The windows inside the expression, in order of appearance.
  fileprivate var windows: [TypedExpression] {
    if case .window = node { return [self] }
    return children.flatMap(\.windows)
  }
}

extension SelectedRelation {
  /// Whether a separate sort orders its rows, rather than a GroupBy or a window.
  fileprivate var isSortedByScan: Bool {
    guard grouping == nil, !isDistinct, !items.contains(where: { $0.hasWindow }) else {
      return false
    }
    if filter?.readsQuery == true { return true }
    return input.shape.stage == .other || input.shape.stage == .windowed && filter != nil
  }

  /// Whether an expression is a collection (ARRAY_AGG, STRING_AGG) of its groups, or of the
  /// subquery's groups.
  fileprivate func isCollection(_ expression: TypedExpression) -> Bool {
    guard case .column(let number, let index) = expression.node else { return false }
    if let grouping {
      guard grouping.isExplicit, number == grouping.number,
        grouping.aggregates.indices.contains(index - grouping.keys.count),
        case .aggregate(let call) = grouping.aggregates[index - grouping.keys.count].node
      else { return false }
      return call.function == .arrayAggregate || call.function == .stringAggregate
        || call.function.name == "ARRAY_CONCAT_AGG"
    }
    guard input.shape.stage == .grouped, number == input.number,
      case .select(let inner) = input.kind, inner.limit == nil, inner.offset == nil,
      inner.items.indices.contains(index)
    else { return false }
    return inner.isCollection(inner.items[index])
  }

  /// Whether it is a group key.
  fileprivate func isGroupKey(_ expression: TypedExpression) -> Bool {
    grouping?.hasKey(expression) == true
  }
}

extension SelectedRelation {
  /// Whether Druid applies its LIMIT to the finest groups of several grouping sets.
  var limitsFinestGroups: Bool {
    guard let grouping, grouping.sets.count > 1, limit != nil, !orderBy.isEmpty else {
      return false
    }
    return orderBy.allSatisfy { grouping.hasKey($0.expression) }
  }
}

extension Relation {
  /// Which rows have an empty list where the expression is NULL.
  fileprivate func emptyLists(of expression: TypedExpression) -> Catalog.Column.EmptyLists {
    guard case .column(number, let index) = expression.node, case .table(let table) = kind else {
      return .unknown
    }
    return table.columns[index].emptyLists
  }
}

extension SelectedRelation.Grouping {
  /// Whether the expression is one of its keys.
  func hasKey(_ expression: TypedExpression) -> Bool {
    guard case .column(number, let index) = expression.node else { return false }
    return keys.indices.contains(index)
  }

  /// Whether it is an aggregate that Druid stores as a pair of time and value. The pair exists even
  /// when the value is NULL.
  func isPair(_ expression: TypedExpression) -> Bool {
    guard case .column(number, let index) = expression.node,
      aggregates.indices.contains(index - keys.count),
      case .aggregate(let call) = aggregates[index - keys.count].node
    else { return false }
    return call.function == .earliest || call.function == .latest
  }
}
