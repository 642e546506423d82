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

  var isUTC: Bool { zone == "UTC" || zone == "Etc/UTC" }

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
    if queries > 200 { throw .unknown("So many queries in one", at: nil) }
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
      throw .unknown("This relation", at: nil)
    }
  }

  private func list(
    _ items: [TypedExpression], isTop: Bool, areLiterals: Bool = false,
    pins: TypedExpression.Pins = [:]
  ) throws(SQLFailure) -> String {
    var texts: [String] = []
    let areByPattern = items.map(\.isTimeByPattern)
    for (index, item) in items.enumerated() {
      // Druid evaluates a row with such a time as a query, where it evaluates the other columns too.
      let isAlone = !areByPattern.indices.contains { $0 != index && areByPattern[$0] }
      if item.node == .operation(.unfinishedNull, []) {
        texts.append("NULL AS c\(index)")
        continue
      }
      let text =
        isTop ? try output(item, isLiteral: areLiterals && isAlone, pins: pins) : try text(item)
      texts.append(text + " AS c\(index)")
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
    let sql = try group(grouping, select, from: from)
    guard var columns = columnGrouping(grouping, select, sql) else { return sql }
    columns.name = "g\(groupings.count)"
    groupings.append(columns)
    // The LIMIT keeps it a subquery, which SQLite can index for a join.
    return "SELECT * FROM \(columns.name) LIMIT -1"
  }

  /// Whether the context asks a Timeseries without granularity to return no row when it counts no
  /// rows.
  func skipsEmptyAnswer(_ select: SelectedRelation) -> Bool {
    skipsEmptyBuckets == true && select.having == nil && select.input.shape.stage == .table
  }

  /// The groups with keys `k0`..., aggregates `a0`..., and GROUPING values `n0`...
  private func group(
    _ grouping: SelectedRelation.Grouping, _ select: SelectedRelation, from: String
  ) throws(SQLFailure) -> String {
    var from = from
    var keys: [String] = []
    for (index, key) in grouping.keys.enumerated() {
      if key.isMultiple {
        let each = "e\(grouping.number)_\(index)"
        from += ", json_each(druid_mv_json(\(try text(key)))) AS \(each)"
        keys.append(exploded("\(each).value", select))
      } else {
        keys.append(try text(key))
      }
    }
    var aggregates: [String] = []
    for (index, item) in grouping.aggregates.enumerated() {
      guard case .aggregate(let call) = item.node else { continue }
      aggregates.append(try aggregate(call) + " AS a\(index)")
    }
    let filter = try select.filter.map { (item) throws(SQLFailure) in " WHERE " + (try text(item)) }
    var parts: [String] = []
    for (position, set) in grouping.sets.enumerated() {
      var columns = keys.indices.map { (set.contains($0) ? keys[$0] : "NULL") + " AS k\($0)" }
      columns += aggregates
      for (index, asked) in grouping.groupings.enumerated() {
        let bits = asked.reduce(0) { $0 << 1 | (set.contains($1) ? 0 : 1) }
        columns.append("\(bits) AS n\(index)")
      }
      if grouping.sets.count > 1 { columns.append("\(position) AS s") }
      if columns.isEmpty || (aggregates.isEmpty && set.isEmpty) { columns.append("COUNT(*)") }
      var sql = "SELECT " + columns.joined(separator: ", ")
      if !from.isEmpty { sql += " FROM " + from }
      sql += filter ?? ""
      if !set.isEmpty {
        // 0.0 and -0.0 are different groups.
        let zeros = set.filter { grouping.keys[$0].type.isReal && !grouping.keys[$0].isColumn }
          .map { "CASE WHEN \(keys[$0]) = 0 THEN druid_double_to_text(\(keys[$0])) END" }
        sql += " GROUP BY " + (set.map { String($0 + 1) } + zeros).joined(separator: ", ")
      } else if grouping.sets.count > 1 || select.input.shape.readsSystem
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
    return !grouping.isExplicit && isPlain && filter?.constant == .boolean(false)
  }
}

extension TypedExpression {
  /// Whether it is TIME_PARSE with a pattern.
  fileprivate var isTimeByPattern: Bool {
    guard case .call(let function, let arguments) = node, function.name == "TIME_PARSE" else {
      return false
    }
    return arguments.count > 1 && !arguments[1].isNullConstant
  }
}
