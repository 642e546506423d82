/// The keys that rows are sorted by, as SQL.
struct RowOrder {
  struct Key {
    var text: String
    var isDescending = false
    /// Where NULL goes, when not to the side of the least.
    var nulls = ""

    var sql: String { text + suffix }
    var suffix: String { (isDescending ? " DESC" : "") + nulls }
  }

  /// What the query says, or what Druid does without its saying so.
  var keys: [Key]
  /// What makes the order one, behind the keys.
  var tieBreakers: [Key]
  /// Whether rows may tie in the keys, so that a limit's choice among them can't be known.
  var mayTie: Bool
  /// The number of rows up to which Druid sorts all of them, so that its choice among ties is known.
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
      throw .unknown("A LIMIT around groups by a multi-value column", at: key.range)
    }
    var keys: [RowOrder.Key] = []
    var plain: Set<String> = []
    for key in select.orderBy {
      var item = RowOrder.Key(text: try text(key.expression), isDescending: key.isDescending)
      plain.insert(item.text)
      if key.expression.type.isArray { item.text = "druid_array_order(\(item.text))" }
      if isTopN, key.expression.type.isNullable { try placeNulls(&item, key, select) }
      if isTopN, key.expression.isWild, select.grouping?.hasKey(key.expression) == true {
        // A TopN has NaN right behind -Infinity.
        item.text =
          "CASE WHEN \(item.text) = 'NaN' THEN -1.7976931348623157e308 ELSE \(item.text) END"
      }
      keys.append(item)
    }
    if select.isUnordered { return RowOrder(keys: [], tieBreakers: [], mayTie: true) }
    if select.isDistinct {
      // Druid groups by all columns, and sorts by them; it needs not where the rows are groups already.
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
    if let grouping = select.grouping {
      if grouping.sets.count > 1, select.limit != nil, !select.orderBy.isEmpty,
        select.orderBy.allSatisfy({ grouping.hasKey($0.expression) })
      {
        // Druid pushes such a limit down into each set, and its answer then is not what was asked.
        throw .unknown("GROUPING SETS with a LIMIT ordered by keys alone", at: nil)
      }
      // A GroupBy's sort is stable over its keys.
      return RowOrder(
        keys: keys, tieBreakers: others, mayTie: isTopN && !keys.isEmpty && !others.isEmpty,
        sortedWhole: SelectedRelation.topNThreshold)
    }
    // So is it where a further query does no more than sort the groups.
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
    // A scan goes by time, and what ties there in the order of its coming.
    if select.input.shape.stage == .table {
      return RowOrder(
        keys: keys + others, tieBreakers: [], mayTie: select.input.shape.isUnion)
    }
    return RowOrder(keys: keys, tieBreakers: [], mayTie: !keys.isEmpty)
  }

  /// A TopN puts NULL elsewhere than a GroupBy: first of a key however it is sorted, last of a number.
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

  /// One value of several as a group's key.
  ///
  /// A row with an empty list is NULL to a GroupBy and no row to a TopN (apache/druid#5897); one with NULL is NULL to both.
  /// Which of the two it was is not kept here.
  func exploded(_ value: String, _ select: SelectedRelation) -> String {
    guard select.isTopN, let grouping = select.grouping,
      approximatesTopN || select.orderBy.contains(where: { grouping.hasKey($0.expression) })
    else { return value }
    let words = "'A LIMIT of groups by a multi-value column with NULL is not supported here'"
    return "CASE WHEN \(value) IS NULL THEN druid_refuse(\(words)) ELSE \(value) END"
  }

  /// A query cut by LIMIT or OFFSET where a row that stays and one that goes may tie: it is refused when they do.
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
    // Of a row, so that SQLite does not work it out before there is any.
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
  /// Windows that sort differently, as they are met.
  ///
  /// Druid sorts for one after another (`Windowing.fromCalciteStuff`), each sort stable over the last, so that rows come in
  /// the order of the last window and ROW_NUMBER tells ties by the one before (`orderByDescNulls.sqlTest`). SQLite begins
  /// with the last it meets and ends with the first: it is shown them the other way round.
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

  /// None where one sort is all there is, or DISTINCT sorts anew.
  var sortedWindows: [TypedExpression] { sorts.count > 1 && !isDistinct ? sorts : [] }
}

private struct WindowSort: Hashable {
  var partitionBy: [TypedExpression]
  var orderBy: [OrderKey]
}

extension TypedExpression {
  /// The windows in it, as they are met.
  fileprivate var windows: [TypedExpression] {
    if case .window = node { return [self] }
    return children.flatMap(\.windows)
  }
}

extension SelectedRelation.Grouping {
  /// Whether the expression is one of its keys.
  func hasKey(_ expression: TypedExpression) -> Bool {
    guard case .column(number, let index) = expression.node else { return false }
    return keys.indices.contains(index)
  }

  /// Whether it is an aggregate that Druid keeps as a pair of time and value, which is there even when its value is NULL.
  func isPair(_ expression: TypedExpression) -> Bool {
    guard case .column(number, let index) = expression.node,
      aggregates.indices.contains(index - keys.count),
      case .aggregate(let call) = aggregates[index - keys.count].node
    else { return false }
    return call.function == .earliest || call.function == .latest
  }
}
