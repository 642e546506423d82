/// The keys that rows are sorted by, as SQL.
struct RowOrder {
  /// What the query says, or what Druid does without its saying so.
  var keys: [String]
  /// What makes the order one, behind the keys.
  var tieBreakers: [String]
  /// Whether rows may tie in the keys, so that a limit's choice among them would be Druid's secret.
  var mayTie: Bool

  var all: [String] { keys + tieBreakers }
}

extension Translator {
  func order(
    _ select: SelectedRelation, tieBreakers: [String]
  ) throws(SQLFailure) -> RowOrder {
    let isTopN = select.isTopN
    var keys: [String] = []
    var plain: Set<String> = []
    for key in select.orderBy {
      var text = try text(key.expression)
      plain.insert(text)
      // A TopN's place for NULL depends on what it is ordered by: refused when there is one.
      if isTopN, key.expression.type.isNullable {
        let words = "'NULL in what a LIMIT of one group is ordered by is not supported here'"
        text = "CASE WHEN \(text) IS NULL THEN druid_refuse(\(words)) ELSE \(text) END"
      }
      keys.append(text + (key.isDescending ? " DESC" : ""))
    }
    if select.isDistinct { return RowOrder(keys: keys, tieBreakers: [], mayTie: true) }
    let others = tieBreakers.filter { !plain.contains($0) }
    if select.grouping != nil {
      // A GroupBy's sort is stable over its keys; a TopN keeps what came first from its segments.
      return RowOrder(
        keys: keys, tieBreakers: others, mayTie: isTopN && !keys.isEmpty && !others.isEmpty)
    }
    // A scan goes by time, and what ties there in the order of its coming.
    if select.input.shape.stage == .table {
      return RowOrder(keys: keys + others, tieBreakers: [], mayTie: false)
    }
    return RowOrder(keys: keys, tieBreakers: [], mayTie: !keys.isEmpty)
  }

  /// A query cut by LIMIT or OFFSET where a row that stays and one that goes may tie: it is refused when they do.
  func cut(
    head: String, items: String, count: Int, rest: String, _ order: RowOrder,
    _ select: SelectedRelation
  ) -> String {
    func isDescending(_ key: String) -> Bool { key.hasSuffix(" DESC") }
    let offset = select.offset ?? 0
    let end = select.limit.map { offset.addingReportingOverflow($0).partialValue }
    var extra: [String] = []
    var keys: [String] = []
    for (index, key) in order.all.enumerated() {
      extra.append("\(isDescending(key) ? String(key.dropLast(5)) : key) AS o\(index)")
      keys.append("o\(index)" + (isDescending(key) ? " DESC" : ""))
    }
    let columns = ([items] + extra).joined(separator: ", ")
    let names = (0..<count).map { "c\($0)" }.joined(separator: ", ")
    let inner =
      "\(head)\(columns)\(rest) ORDER BY \(order.all.joined(separator: ", "))"
      + " LIMIT \(end.map { $0 + 1 } ?? -1)"
    let rank = keys.prefix(order.keys.count).joined(separator: ", ")
    let numbered =
      "SELECT *, ROW_NUMBER() OVER (ORDER BY \(keys.joined(separator: ", "))) AS rn, "
      + "RANK() OVER (ORDER BY \(rank)) AS rk FROM (\(inner))"
    let words =
      "Rows tie where the LIMIT cuts, and which of them Druid keeps is not known: add a column to ORDER BY"
    // Of a row, so that SQLite does not work it out before there is any.
    let refusal = "druid_refuse(CASE WHEN rn > 0 THEN '\(words)' END)"
    var test = "CASE WHEN rn = \(offset + 1) AND rk <= \(offset) THEN \(refusal)"
    if let end {
      test += " WHEN rn > \(end) THEN CASE WHEN rk <= \(end) THEN \(refusal) ELSE 0 END"
    }
    return
      "SELECT \(names) FROM (\(numbered)) WHERE rn > \(offset) AND \(test) ELSE 1 END ORDER BY rn"
  }
}

extension SelectedRelation {
  /// Whether Druid runs it as a TopN: one key, one order, a limit, no HAVING.
  var isTopN: Bool {
    guard limit != nil, offset == nil, orderBy.count == 1, having == nil, !isDistinct,
      !items.contains(where: { $0.hasWindow })
    else { return false }
    if let grouping {
      return grouping.keys.count == 1 && grouping.sets.count == 1
    }
    guard filter == nil, input.shape.stage == .grouped, case .select(let inner) = input.kind,
      let grouping = inner.grouping
    else { return false }
    return grouping.keys.count == 1 && inner.having == nil
  }
}
