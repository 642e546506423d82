/// Translates a resolved query to SQL for SQLite.
///
/// A class, because it collects the names of columns as it descends.
final class Translator {
  /// How the columns of a relation are named inside its query.
  enum Source {
    case table([Catalog.Column])
    /// `c0`, `c1`, ... of a subquery
    case query
    /// `value` of json_each
    case each
    /// `k0`, `a0`, ... of a grouping with that many keys
    case group(keys: Int)
  }

  let zone: String
  /// Whether COUNT(DISTINCT ...) is estimated.
  let approximatesCountDistinct: Bool
  let approximatesTopN: Bool
  let skipsEmptyBuckets: Bool?
  private var sources: [Int: Source] = [:]
  /// The number of queries written. A query of WITH is written at every place that reads it.
  private var queries = 0
  /// The multi-value for which a function is being mapped, and the SQL of one of its values.
  var mapped: (expression: TypedExpression, text: String)?
  /// Whether the current expression is part of a constant.
  var isInConstant = false
  /// The groupings that the engine may compute over columns, read as tables `g0`, `g1`, ...
  private(set) var groupings: [ColumnGrouping] = []
  /// The number of maps written; it gives each a unique name.
  var maps = 0

  init(_ settings: PlanSettings) {
    self.zone = settings.timeZone
    self.approximatesCountDistinct = settings.approximatesCountDistinct
    self.approximatesTopN = settings.approximatesTopN
    self.skipsEmptyBuckets = settings.skipsEmptyBuckets
  }

  func column(_ relation: Int, _ index: Int) -> String {
    switch sources[relation] {
    case .table(let columns): "r\(relation).\(columns[index].sqlite)"
    case .each: "r\(relation).value"
    case .group(let keys):
      index < 0
        ? "r\(relation).n\(-1 - index)"
        : index < keys ? "r\(relation).k\(index)" : "r\(relation).a\(index - keys)"
    case .query, nil: "r\(relation).c\(index)"
    }
  }

  // MARK: Relations

  /// The whole query; its columns are `c0`, `c1`, ...
  func query(_ relation: Relation, isTop: Bool = false) throws(SQLFailure) -> String {
    queries += 1
    if queries > 200 { throw .manyQueries }
    switch relation.kind {
    case .select(let select): return try self.select(select, isTop: isTop)
    case .values(let rows):
      var lines: [String] = []
      for row in rows { lines.append("SELECT " + (try list(row, isTop: isTop, areLiterals: true))) }
      return lines.joined(separator: " UNION ALL ")
    case .union(let branches):
      let names = relation.columns.indices.map { "c\($0)" }.joined(separator: ", ")
      var parts: [String] = []
      for branch in branches {
        parts.append("SELECT \(names) FROM (\(try query(branch, isTop: isTop)))")
      }
      return parts.joined(separator: " UNION ALL ")
    case .table, .join, .unnest, .single:
      throw .untranslated("relation", at: nil)
    }
  }

  private func list(
    _ items: [TypedExpression], isTop: Bool, areLiterals: Bool = false,
    pins: TypedExpression.Pins = [:]
  ) throws(SQLFailure) -> String {
    var texts: [String] = []
    let queried = items.count(where: \.isQueried)
    let plain = areLiterals && isTop ? items.filter { !$0.isQueried } : []
    let lists = plain.filter { $0.type.isArray || $0.type.isComplex }
    for (index, item) in items.enumerated() {
      if item.node == .operation(.unfinishedNull, []) {
        texts.append("NULL AS c\(index)")
        continue
      }
      guard isTop else {
        texts.append("\(try text(item)) AS c\(index)")
        continue
      }
      // Druid evaluates a row with such an item as a query, where NULL may stand in any other one.
      let isAlone = queried == 0 || queried == 1 && item.isQueried
      let text = try output(item, isLiteral: areLiterals && isAlone, pins: pins)
      let others = lists.filter { $0 != item }
      if areLiterals, isAlone, !others.isEmpty, item.type.isTime || item.type.isArray {
        let tests = (try self.texts(others)).map { "\($0) IS NOT NULL" }.joined(separator: " OR ")
        let query = try output(item, isLiteral: false, pins: pins)
        texts.append("CASE WHEN \(tests) THEN \(query) ELSE \(text) END AS c\(index)")
      } else {
        texts.append("\(text) AS c\(index)")
      }
    }
    return texts.joined(separator: ", ")
  }

  /// The items of FROM, without the keyword.
  private func from(_ relation: Relation) throws(SQLFailure) -> String {
    let name = "r\(relation.number)"
    switch relation.kind {
    case .table(let table):
      sources[relation.number] = .table(table.columns)
      return "\(table.sqlite) AS \(name)"
    case .join(let join):
      let left = try from(join.left)
      var right = try from(join.right)
      if case .join = join.right.kind { right = "(\(right))" }
      if case .table(let table) = join.right.kind {
        // A subquery is read once and indexed for the join, rather than scanned for every row of
        // the left side.
        right = "(SELECT * FROM \(table.sqlite) LIMIT -1) AS r\(join.right.number)"
      }
      let condition = try join.condition.map { (item) throws(SQLFailure) in try text(item) }
      // In SQLite, CROSS JOIN is an inner join that keeps its left side as the outer loop.
      let word = join.kind == .inner ? JoinedRelation.Kind.cross : join.kind
      return "\(left) \(word.rawValue) \(right)" + (condition.map { " ON \($0)" } ?? "")
    case .unnest(let input, let array):
      let before = try input.map { (item) throws(SQLFailure) in try from(item) + ", " } ?? ""
      sources[relation.number] = .each
      if case .call(.mvToArray, let operands) = array.node {
        // A multi-value column. A row without values gives one NULL, which is known only for a
        // datasource's column.
        var value = try text(operands[0])
        if operands[0].type.isNullable, !(input?.stores(operands[0]) ?? false) {
          let words = "'UNNEST of a NULL is not supported here'"
          value = "CASE WHEN \(value) IS NULL THEN druid_refuse(\(words)) ELSE \(value) END"
        }
        return "\(before)json_each(druid_mv_json(\(value))) AS \(name)"
      }
      let value = try text(array)
      return "\(before)json_each(\(value)) AS \(name)"
    case .select, .values, .union:
      sources[relation.number] = .query
      return "(\(try query(relation))) AS \(name)"
    case .single: return ""
    }
  }

  // MARK: SELECT

  private func select(_ select: SelectedRelation, isTop: Bool) throws(SQLFailure) -> String {
    var from = try from(select.input)
    var conditions: [String] = []
    var tieBreakers: [String] = []
    if let grouping = select.grouping {
      from = "(\(try self.from(grouping, select, from))) AS r\(grouping.number)"
      sources[grouping.number] = .group(keys: grouping.keys.count)
      if let having = select.having { conditions.append(try text(having)) }
      tieBreakers = grouping.keys.indices.map { column(grouping.number, $0) }
      // With several grouping sets, the sets follow one another.
      if grouping.sets.count > 1 { tieBreakers.insert("r\(grouping.number).s", at: 0) }
    } else {
      if let filter = select.filter { conditions.append(try text(filter)) }
      if select.limit != nil || select.offset != nil, let time = select.timeIndex {
        tieBreakers = [column(time.relation, time.index)]
      }
    }
    var sql = from.isEmpty ? "" : " FROM " + from
    if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
    let head = "SELECT " + (select.isDistinct ? "DISTINCT " : "")
    let windows = try select.sortedWindows.reversed().map { (item) throws(SQLFailure) in
      try text(item)
    }
    let list = try list(
      select.items, isTop: isTop, areLiterals: select.isOfLiterals,
      pins: select.grouping == nil ? select.filter?.pins ?? [:] : [:])
    let items = (windows + [list]).joined(separator: ", ")
    let isCut = select.limit != nil || select.offset != nil
    let order = try self.order(
      select, tieBreakers: isCut || !select.orderBy.isEmpty ? tieBreakers : [])
    if isCut, order.mayTie {
      return cut(
        head: head, items: items, count: select.items.count, rest: sql, order, select)
    }
    sql = head + items + sql
    if !order.all.isEmpty {
      sql += " ORDER BY " + order.all.map(\.sql).joined(separator: ", ")
    }
    if let limit = select.limit {
      sql += " LIMIT \(limit)"
    } else if select.offset != nil {
      sql += " LIMIT -1"
    }
    if let offset = select.offset { sql += " OFFSET \(offset)" }
    if !windows.isEmpty {
      sql = "SELECT \(select.items.indices.map { "c\($0)" }.joined(separator: ", ")) FROM (\(sql))"
    }
    return sql
  }

  /// The groups as a query, over a ``ColumnGrouping`` if possible.
  private func from(
    _ grouping: SelectedRelation.Grouping, _ select: SelectedRelation, _ from: String
  ) throws(SQLFailure) -> String {
    if grouping.sets.count > 1, !select.limitsFinestGroups,
      !grouping.keys.contains(where: \.isMultiple)
    {
      return try several(grouping, select, from)
    }
    let sql = try group(grouping, select, from: from)
    guard let name = columnTable(grouping, select, sql) else { return sql }
    // The LIMIT keeps it a subquery, which SQLite can index for a join.
    return "SELECT * FROM \(name) LIMIT -1"
  }

  /// The table of a ``ColumnGrouping``; nil when only SQLite can compute the grouping.
  private func columnTable(
    _ grouping: SelectedRelation.Grouping, _ select: SelectedRelation, _ sql: String,
    dropsEmpty: Bool = false
  ) -> String? {
    guard var columns = columnGrouping(grouping, select, sql, dropsEmpty: dropsEmpty) else {
      return nil
    }
    columns.name = "g\(groupings.count)"
    groupings.append(columns)
    return columns.name
  }

  /// Several grouping sets, each a grouping of its own.
  private func several(
    _ grouping: SelectedRelation.Grouping, _ select: SelectedRelation, _ from: String
  ) throws(SQLFailure) -> String {
    var parts: [String] = []
    for (position, set) in grouping.sets.enumerated() {
      var single = grouping
      single.keys = set.map { grouping.keys[$0] }
      single.sets = [Array(set.indices)]
      single.groupings = []
      let sql = try group(single, select, from: from, dropsEmpty: true)
      let source = columnTable(single, select, sql, dropsEmpty: true) ?? "(\(sql))"
      var columns = grouping.keys.indices.map { index in
        (set.firstIndex(of: index).map { "k\($0)" } ?? "NULL") + " AS k\(index)"
      }
      columns += grouping.aggregates.indices.map { "a\($0)" }
      columns += marks(grouping, set) + ["\(position) AS s"]
      parts.append("SELECT \(columns.joined(separator: ", ")) FROM \(source)")
    }
    return parts.joined(separator: " UNION ALL ")
  }

  /// The values of GROUPING in a grouping set.
  private func marks(_ grouping: SelectedRelation.Grouping, _ set: [Int]) -> [String] {
    grouping.groupings.enumerated().map { index, asked in
      let bits = asked.reduce(0) { $0 << 1 | (set.contains($1) ? 0 : 1) }
      return "\(bits) AS n\(index)"
    }
  }

  /// The condition that a row belongs to one of the first of the finest groups. Druid applies a
  /// LIMIT that is ordered by keys alone to these, and the other sets summarize only what remains.
  private func finest(
    _ grouping: SelectedRelation.Grouping, _ select: SelectedRelation, _ keys: [String],
    _ rest: String
  ) throws(SQLFailure) -> String? {
    guard select.limitsFinestGroups, let limit = select.limit else { return nil }
    if select.having != nil {
      throw .uncertain(.limitedSets, at: nil)
    }
    let all = Set(grouping.sets.flatMap { $0 }).sorted()
    var order: [(index: Int, suffix: String)] = []
    for key in select.orderBy {
      guard case .column(_, let index) = key.expression.node else { continue }
      order.append((index, key.isDescending ? " DESC" : ""))
    }
    for index in all where !order.contains(where: { $0.index == index }) {
      order.append((index, ""))
    }
    let terms = order.map { index, suffix in
      (grouping.keys[index].type.isArray ? "druid_array_order(k\(index))" : "k\(index)") + suffix
    }
    func mark(_ values: [String]) -> String {
      values.map { "quote(\($0))" }.joined(separator: " || '|' || ")
    }
    let named = all.map { "k\($0)" }
    let groups =
      "SELECT \(all.map { "\(keys[$0]) AS k\($0)" }.joined(separator: ", "))\(rest) "
      + "GROUP BY \(all.map { "quote(\(keys[$0]))" }.joined(separator: ", ")) "
      + "ORDER BY \(terms.joined(separator: ", ")) LIMIT \(limit)"
    return "(\(mark(all.map { keys[$0] }))) IN (SELECT \(mark(named)) FROM (\(groups)))"
  }

  /// Whether the context asks a Timeseries without granularity to return no row when it counts no
  /// rows.
  func skipsEmptyAnswer(_ select: SelectedRelation) -> Bool {
    skipsEmptyBuckets == true && select.having == nil && select.input.shape.stage == .table
  }

  /// The groups with keys `k0`..., aggregates `a0`..., and GROUPING values `n0`...
  private func group(
    _ grouping: SelectedRelation.Grouping, _ select: SelectedRelation, from: String,
    dropsEmpty: Bool = false
  ) throws(SQLFailure) -> String {
    var from = from
    var keys: [String] = []
    var conditions: [String] = []
    for (index, key) in grouping.keys.enumerated() {
      if key.isMultiple {
        let each = "e\(grouping.number)_\(index)"
        from += ", json_each(druid_mv_json(\(try text(key)))) AS \(each)"
        let (value, condition) = exploded("\(each).value", of: key, select)
        keys.append(value)
        if let condition { conditions.append(condition) }
      } else {
        keys.append(try text(key))
      }
    }
    var aggregates: [String] = []
    for (index, item) in grouping.aggregates.enumerated() {
      guard case .aggregate(let call) = item.node else { continue }
      aggregates.append(try aggregate(call) + " AS a\(index)")
    }
    if let filter = select.filter { conditions.append(try text(filter)) }
    var rest = from.isEmpty ? "" : " FROM " + from
    func restricted(_ conditions: [String]) -> String {
      conditions.isEmpty ? rest : rest + " WHERE " + conditions.joined(separator: " AND ")
    }
    if let finest = try finest(grouping, select, keys, restricted(conditions)) {
      conditions.append(finest)
    }
    rest = restricted(conditions)
    var parts: [String] = []
    for (position, set) in grouping.sets.enumerated() {
      var columns = keys.indices.map { (set.contains($0) ? keys[$0] : "NULL") + " AS k\($0)" }
      columns += aggregates
      columns += marks(grouping, set)
      if grouping.sets.count > 1 { columns.append("\(position) AS s") }
      if columns.isEmpty || aggregates.isEmpty && grouping.sets.contains([]) {
        columns.append("COUNT(*)")
      }
      var sql = "SELECT " + columns.joined(separator: ", ") + rest
      if !set.isEmpty {
        // 0.0 and -0.0 are different groups.
        let isStored = if case .table = select.input.kind { true } else { false }
        let zeros = set.filter { index in
          grouping.keys[index].type.isReal && !(isStored && grouping.keys[index].isColumn)
        }
        .map { "CASE WHEN \(keys[$0]) = 0 THEN druid_double_to_text(\(keys[$0])) END" }
        sql += " GROUP BY " + (set.map { String($0 + 1) } + zeros).joined(separator: ", ")
      } else if grouping.sets.count > 1 || dropsEmpty || select.input.shape.readsSystem
        || skipsEmptyAnswer(select)
      {
        sql += " HAVING COUNT(*) > 0"
      }
      parts.append(sql)
    }
    return parts.joined(separator: " UNION ALL ")
  }
}

extension SelectedRelation {
  /// Whether Druid's planner computes the whole answer: it reads no table, or aggregates no rows of one.
  var isOfLiterals: Bool {
    guard let grouping else { return input.shape.stage == .constant }
    let isPlain = grouping.aggregates.allSatisfy { item in
      if case .aggregate(let call) = item.node {
        return ["COUNT", "SUM", "MIN", "MAX"].contains(call.function.name)
      }
      return false
    }
    return !grouping.isExplicit && isPlain && keepsNothing
  }
}

extension TypedExpression {
  /// Whether Druid's planner leaves it to a query although it is constant: TIME_PARSE with a pattern,
  /// or TO_JSON_STRING.
  fileprivate var isQueried: Bool {
    guard case .call(let function, let arguments) = node else { return false }
    if function.name == "TO_JSON_STRING" { return true }
    return function.name == "TIME_PARSE" && arguments.count > 1 && !arguments[1].isNullConstant
  }
}
