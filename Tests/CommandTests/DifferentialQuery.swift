import TestSupport

/// A grouped query as SQL text, and its answer computed in the simplest way: loops over all rows.
struct NaiveQuery {
  let sql: String
  let answer: ([NaiveRow]) -> [[NaiveValue]]

  /// SELECT dimensions and aggregates WHERE GROUP BY HAVING ORDER BY LIMIT, each part drawn from
  /// the seed.
  init(random: inout SeededGenerator) {
    let dimensions = (0..<random.below(3)).map { _ in
      switch random.below(4) {
      // A constant is not a valid dimension.
      case 0: NaiveExpression.binary("+", .n, .long(&random, depth: 1), +)
      case 1:
        NaiveExpression(sql: "EXTRACT(HOUR FROM __time)") { .long($0.timestamp / 3600 % 24) }
      default: NaiveExpression.text(&random)
      }
    }
    let aggregates = (0...random.below(3)).map { _ in NaiveAggregate(random: &random) }
    let condition = random.below(2) == 0 ? NaiveCondition.any(&random) : nil
    let least = random.below(3) == 0 ? random.below(12) : nil
    let isDescending = random.below(2) == 0
    // One dimension with a limit is a TopN, whose position of NULL is not known.
    let limit = dimensions.count > 1 && random.below(2) == 0 ? 1 + random.below(5) : nil

    var sql = "SELECT "
    let names = dimensions.indices.map { "d\($0)" }
    sql +=
      (zip(dimensions, names).map { "\($0.sql) AS \($1)" }
      + aggregates.enumerated().map { "\($1.sql) AS a\($0)" }).joined(separator: ", ")
    sql += " FROM edge_like"
    if let condition { sql += " WHERE \(condition.sql)" }
    if !dimensions.isEmpty {
      sql += " GROUP BY " + (1...dimensions.count).map(String.init).joined(separator: ", ")
    }
    if let least { sql += " HAVING COUNT(*) > \(least)" }
    if !dimensions.isEmpty {
      let direction = isDescending ? " DESC" : ""
      sql += " ORDER BY " + names.map { $0 + direction }.joined(separator: ", ")
      if let limit { sql += " LIMIT \(limit)" }
    }
    self.sql = sql

    answer = { rows in
      let kept = rows.filter { condition.map { $0.truth } == nil || condition?.truth($0) == true }
      var groups = Dictionary(grouping: kept) { row in dimensions.map { $0.value(row) } }
      // Without GROUP BY, an empty input is still one group.
      if dimensions.isEmpty, groups.isEmpty { groups = [[]: []] }
      var result = groups.filter { least == nil || $0.value.count > least ?? 0 }
        .map { key, members in (key, aggregates.map { $0.value(members) }) }
      result.sort { a, b in
        for (x, y) in zip(a.0, b.0) where x != y {
          return isDescending ? NaiveValue.precedes(y, x) : NaiveValue.precedes(x, y)
        }
        return false
      }
      let bounded = dimensions.isEmpty ? result[...] : result.prefix(limit ?? result.count)
      return bounded.map { $0.0 + $0.1 }
    }
  }
}

/// An aggregate over a group's rows.
struct NaiveAggregate {
  let sql: String
  let value: ([NaiveRow]) -> NaiveValue

  init(random: inout SeededGenerator) {
    let filter = random.below(3) == 0 ? NaiveCondition.any(&random, depth: 1) : nil
    let suffix = filter.map { " FILTER (WHERE \($0.sql))" } ?? ""
    func over(
      _ sql: String, _ e: NaiveExpression, _ body: @escaping ([NaiveValue]) -> NaiveValue
    ) -> (String, ([NaiveRow]) -> NaiveValue) {
      (
        sql + suffix,
        { rows in
          let kept = rows.filter { filter == nil || filter?.truth($0) == true }
          return body(kept.map(e.value).filter { $0 != .null })
        }
      )
    }
    let long = NaiveExpression.long(&random, depth: 1)
    let double = NaiveExpression.double(&random)
    (sql, value) =
      switch random.below(8) {
      case 0:
        over("COUNT(*)", NaiveExpression(sql: "1") { _ in .long(1) }) { .long($0.count) }
      case 1: over("COUNT(\(long.sql))", long) { .long($0.count) }
      case 2:
        over("SUM(\(long.sql))", long) { values in
          let numbers = values.compactMap { if case .long(let n) = $0 { n } else { nil } }
          return numbers.isEmpty ? .null : .long(numbers.reduce(0, +))
        }
      case 3: over("SUM(\(double.sql))", double) { NaiveAggregate.sum($0) }
      case 4:
        over("AVG(\(double.sql))", double) { values in
          let total = NaiveAggregate.sum(values)
          return total.number.map { .double($0 / Double(values.count)) } ?? .null
        }
      case 5: over("MIN(\(long.sql))", long) { $0.min(by: NaiveValue.precedes) ?? .null }
      case 6: over("MAX(\(double.sql))", double) { $0.max(by: NaiveValue.precedes) ?? .null }
      default:
        over("COUNT(DISTINCT g)", NaiveExpression(sql: "g", value: \.g)) { .long(Set($0).count) }
      }
  }

  private static func sum(_ values: [NaiveValue]) -> NaiveValue {
    values.isEmpty ? .null : .double(values.compactMap(\.number).reduce(0, +))
  }
}
