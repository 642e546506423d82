import Foundation
import Plumbing
import Synchronization
import TestSupport
import Testing

@testable import DruidSQL
@testable import EmbeddedDruid

/// Groupings computed over columns have the same results as SQLite's over rows, to the last bit.
@Suite(.serialized) struct ColumnPlanTests {
  private static let specText = #"""
    {"type": "kafka", "spec": {
      "dataSchema": {
        "dataSource": "shop", "timestampSpec": {"column": "at", "format": "millis"},
        "dimensionsSpec": {"dimensions": [
          "kind", "city", "code", {"type": "long", "name": "n"}, {"type": "long", "name": "big"},
          {"type": "double", "name": "price"}, {"type": "float", "name": "weight"}]},
        "granularitySpec": {"segmentGranularity": "DAY", "queryGranularity": "NONE", "rollup": false}},
      "ioConfig": {"topic": "shop", "inputFormat": {"type": "json"},
        "consumerProperties": {"bootstrap.servers": "127.0.0.1:9"}, "useEarliestOffset": true},
      "tuningConfig": {"type": "kafka"}}}
    """#

  /// Two services over one table, and the groupings that the first one computed over columns.
  private final class Pair: Sendable {
    let columns: QueryService
    let rows: QueryService
    private let heard: Heard

    /// The reasons why groupings were left to SQLite; nil for the others.
    private final class Heard: Sendable {
      let reasons = Mutex<[String?]>([])
    }

    init(_ lines: [String]) throws {
      let storage = try TemporaryStorage(directory: "/tmp")
      let supervisors = Supervisors(offline: storage)
      try supervisors.hold(lines.map { Array($0.utf8) }, as: specText, in: storage)
      let heard = Heard()
      self.heard = heard
      columns = QueryService(supervisors) { reason in heard.reasons.withLock { $0.append(reason) } }
      rows = QueryService(supervisors, computesColumns: false)
    }

    func takeReasons() -> [String?] {
      heard.reasons.withLock { reasons in
        defer { reasons = [] }
        return reasons
      }
    }
  }

  private static func lines(_ count: Int, seed: UInt64, hasZeros: Bool = false) -> [String] {
    var random = SeededGenerator(seed: seed)
    let cities = (0..<30).map { "c\($0 % 7)ity \($0)" }
    return (0..<count).map { _ in
      var fields: [String] = []
      // Three days, in no order, with some equal times.
      fields.append("\"at\": \(1_767_225_600_000 + random.below(259_200) * 1000 + random.below(2))")
      if random.below(10) > 0 {
        fields.append(#""kind": "\#(random.pick(["a", "b", "", "é", "zz"]))""#)
      }
      fields.append(#""city": "\#(random.pick(cities))""#)
      fields.append(#""code": "\#(random.below(400))""#)
      if random.below(8) > 0 { fields.append("\"n\": \(random.below(20) - 5)") }
      fields.append("\"big\": \(Int64(bitPattern: random.next()) >> Int64(random.below(50)))")
      if random.below(8) > 0 {
        let price = Double(random.below(10_000)) / 100 - 5
        let text = hasZeros && random.below(50) == 0 ? "-0.0" : price == 0 ? "0.01" : "\(price)"
        fields.append("\"price\": \(text)")
      }
      if random.below(8) > 0 { fields.append("\"weight\": \(Double(random.below(100)) / 8 + 0.1)") }
      return "{\(fields.joined(separator: ", "))}"
    }
  }

  private static let small = Result { try Pair(lines(1_000, seed: 1)) }
  private static let zeros = Result { try Pair(lines(300, seed: 2, hasZeros: true)) }
  /// More than two chunks.
  private static let large = Result { try Pair(lines(70_000, seed: 3)) }

  /// Whether a query was answered, and computed over columns only.
  private static func compare(
    _ sql: String, _ context: String, _ pair: Pair
  ) throws -> (isAnswered: Bool, isColumns: Bool) {
    _ = pair.takeReasons()
    let one = try pair.columns.text(of: sql, context: context)
    let reasons = pair.takeReasons()
    let other = try pair.rows.text(of: sql, context: context)
    #expect(one == other, "\(sql) \(context)")
    return (
      !one.hasPrefix("error"), !reasons.isEmpty && reasons.allSatisfy { $0 == nil }
    )
  }

  // MARK: Random queries

  private struct Generator {
    var random: SeededGenerator

    mutating func number() -> String {
      random.pick([
        "n", "n", "price", "price", "weight", "big", "price * n", "n * 2 + 1", "price - weight",
        "price / 4", "n + n", "-n", "CHAR_LENGTH(city)", "ABS(n)", "CAST(n AS DOUBLE)",
        "ROUND(price, 1)", "MOD(n, 3)", "price * 1.5 + n", "CAST(code AS BIGINT)", "FLOOR(price)",
        "EXTRACT(HOUR FROM __time)", "CASE WHEN \(test(0)) THEN price ELSE 0 END",
        "CASE WHEN \(test(0)) THEN 1 ELSE 0 END", "CASE WHEN \(test(0)) THEN n END",
        "CASE WHEN \(test(0)) THEN n WHEN \(test(0)) THEN 7 ELSE big END", "n / 2", "big * 3",
      ])
    }

    mutating func text() -> String {
      random.pick([
        "kind", "city", "code", "UPPER(kind)", "SUBSTRING(city, 1, 2)", "kind || '-' || city",
        "COALESCE(kind, 'none')", "CAST(n AS VARCHAR)",
        "CASE WHEN kind = 'a' THEN city ELSE 'x' END",
        "TIME_FORMAT(TIME_FLOOR(__time, 'PT6H'), 'yyyy-MM-dd HH')", "NULLIF(kind, 'b')",
      ])
    }

    mutating func time() -> String {
      random.pick([
        "TIME_FLOOR(__time, 'PT1H')", "FLOOR(__time TO DAY)", "TIME_FLOOR(__time, 'P1W')",
        "TIME_FLOOR(__time, 'PT15M')", "FLOOR(__time TO MONTH)", "TIME_FLOOR(__time, 'PT7H')",
        "TIME_FLOOR(__time, 'P1D', NULL, 'Asia/Tokyo')", "CAST(__time AS DATE)",
        "TIME_FLOOR(__time, 'P1D', TIMESTAMP '2026-01-01 05:00:00')", "TIME_FLOOR(__time, 'PT30S')",
        "TIME_CEIL(__time, 'PT1H')", "TIME_SHIFT(TIME_FLOOR(__time, 'PT12H'), 'P1D', 1)",
      ])
    }

    mutating func key() -> String {
      switch random.below(6) {
      case 0: time()
      case 1:
        random.pick(["n", "n", "price", "MOD(n, 4)", "n + 1", "EXTRACT(DOW FROM __time)", "weight"])
      case 2:
        random.pick(["EXTRACT(HOUR FROM __time)", "CHAR_LENGTH(city)", "n * n", "big", "__time"])
      default: text()
      }
    }

    mutating func constant() -> String {
      random.pick(["0", "3", "-2", "7.5", "10", "50", "2.25", "1000000000000"])
    }

    mutating func test(_ depth: Int) -> String {
      if depth > 0, random.below(2) == 0 {
        switch random.below(3) {
        case 0: return "(\(test(depth - 1)) AND \(test(depth - 1)))"
        case 1: return "(\(test(depth - 1)) OR \(test(depth - 1)))"
        default: return "NOT (\(test(depth - 1)))"
        }
      }
      let operation = random.pick(["=", "<>", "<", "<=", ">", ">="])
      switch random.below(12) {
      case 0: return "kind = '\(random.pick(["a", "b", "", "none"]))'"
      case 1: return "kind IN ('a', 'zz', 'é')"
      case 2: return "city LIKE '\(random.pick(["c1%", "%ity 2%", "c_ity 3", "x%"]))'"
      case 3: return "\(random.pick(["n", "price", "weight", "big"])) \(operation) \(constant())"
      case 4:
        return
          "\(random.pick(["n", "price", "kind", "weight"])) IS \(random.pick(["", "NOT "]))NULL"
      case 5:
        return
          "__time \(operation) TIMESTAMP '2026-01-0\(1 + random.below(3)) 0\(random.below(9)):00:00'"
      case 6: return "n BETWEEN \(random.below(5)) AND \(5 + random.below(9))"
      case 7: return "n IN (1, 2, 3, 11)"
      case 8: return "city > 'c3'"
      case 9: return "n \(operation) price"
      case 10: return "CHAR_LENGTH(code) \(operation) 2"
      default: return "EXTRACT(HOUR FROM __time) \(operation) \(random.below(24))"
      }
    }

    mutating func aggregate() -> String {
      let call =
        switch random.below(12) {
        case 0, 1: "COUNT(*)"
        case 2: "COUNT(\(random.below(2) == 0 ? number() : text()))"
        case 3, 4: "SUM(\(number()))"
        case 5: "SUM(price * n)"
        case 6: "AVG(\(number()))"
        case 7: "MIN(\(random.below(5) == 0 ? "__time" : number()))"
        case 8: "MAX(\(random.below(5) == 0 ? "__time" : number()))"
        case 9:
          "COUNT(DISTINCT \(random.below(2) == 0 ? random.pick(["n", "big", "price"]) : text()))"
        case 10: "APPROX_COUNT_DISTINCT(\(random.below(2) == 0 ? number() : text()))"
        default: "SUM(n)"
        }
      return random.below(4) == 0 ? "\(call) FILTER (WHERE \(test(1)))" : call
    }

    mutating func query() -> String {
      var keys: [String] = []
      for _ in 0..<random.pick([0, 1, 1, 1, 2, 2, 3]) {
        let key = key()
        if !keys.contains(key) { keys.append(key) }
      }
      var items = keys.enumerated().map { "\($1) AS k\($0)" }
      for index in 0...random.below(4) { items.append("\(aggregate()) AS a\(index)") }
      var sql = "SELECT \(items.joined(separator: ", ")) FROM shop"
      if random.below(3) > 0 { sql += " WHERE \(test(2))" }
      if !keys.isEmpty {
        let sets = random.pick(["", "", "", "", "", "", "ROLLUP", "CUBE"])
        sql +=
          " GROUP BY "
          + (sets.isEmpty
            ? keys.indices.map { String($0 + 1) }.joined(separator: ", ")
            : "\(sets) (\(keys.joined(separator: ", ")))")
        if random.below(5) == 0 { sql += " HAVING COUNT(*) > \(random.below(20))" }
        switch random.below(6) {
        case 0:
          let order = keys.indices.map { "\($0 + 1)\(random.below(2) == 0 ? " DESC" : "")" }
          sql += " ORDER BY \(order.joined(separator: ", ")) LIMIT \(1 + random.below(30))"
        case 1: sql += " ORDER BY a0 DESC, " + keys.indices.map { "k\($0)" }.joined(separator: ", ")
        case 2: return "SELECT MAX(a0), COUNT(*) FROM (\(sql))"
        case 3: return "SELECT k0, LAG(a0) OVER (ORDER BY k0) FROM (\(sql))"
        default: break
        }
      }
      return sql
    }
  }

  private static let contexts = [
    "{}", "{}", #"{"useApproximateCountDistinct": false}"#,
    #"{"sqlTimeZone": "America/Los_Angeles"}"#, #"{"skipEmptyBuckets": true}"#,
  ]

  @Test func randomQueriesAreAnsweredAlike() throws {
    let seed = ProcessInfo.processInfo.environment["FUZZ_SEED"].flatMap(UInt64.init) ?? 20_260_101
    var generator = Generator(random: SeededGenerator(seed: seed))
    var (answered, byColumns) = (0, 0)
    for number in 0..<2_000 {
      let sql = generator.query()
      let context = generator.random.pick(Self.contexts)
      let pair =
        number % 200 == 199
        ? try Self.large.get() : number % 10 == 9 ? try Self.zeros.get() : try Self.small.get()
      let outcome = try Self.compare(sql, context, pair)
      if outcome.isAnswered {
        answered += 1
        byColumns += outcome.isColumns ? 1 : 0
      }
    }
    print("column plan: seed \(seed), 2000 queries, \(answered) answered, \(byColumns) by columns")
    // Otherwise the test would compare SQLite with itself.
    #expect(answered > 1_200)
    #expect(byColumns * 10 > answered * 6)
  }

  /// A sample of the recorded queries, whose answers the command tests compare with Druid's.
  @Test func recordedQueriesAreAnsweredAlike() throws {
    let recorded = try RecordedServer()
    let rows = QueryService(recorded.supervisors, computesColumns: false)
    var answered = 0
    for (number, query) in try RecordedServer.randomQueries().enumerated()
    where number % 17 == 0 && query.parameters == nil {
      let context = query.context ?? "{}"
      guard let one = try? recorded.queries.text(of: query.sql, context: context) else { continue }
      #expect(try rows.text(of: query.sql, context: context) == one, "\(query.sql) \(context)")
      if !one.hasPrefix("error") { answered += 1 }
    }
    #expect(answered > 100)
  }

  // MARK: What must be computed over columns, and what must not

  @Test(arguments: [
    "SELECT kind, COUNT(*), SUM(n), ROUND(SUM(price * n), 2) FROM shop WHERE city LIKE 'c1%' GROUP BY kind ORDER BY 2 DESC, 1",
    "SELECT city, AVG(price), AVG(price) FILTER (WHERE kind = 'a') FROM shop GROUP BY 1",
    "SELECT city, COUNT(DISTINCT big) FROM shop GROUP BY 1",
    "SELECT kind, city, COUNT(*) FROM shop GROUP BY 1, 2",
    "SELECT TIME_FLOOR(__time, 'PT1M'), COUNT(*) FROM shop GROUP BY 1",
    "SELECT FLOOR(__time TO HOUR) AS h, LAG(SUM(price)) OVER (ORDER BY FLOOR(__time TO HOUR)) FROM shop GROUP BY 1",
    "SELECT COUNT(*) FROM shop",
    "SELECT COUNT(*), SUM(n) FROM shop WHERE kind = 'nobody'",
    "SELECT kind, COUNT(*) FROM shop WHERE __time >= TIMESTAMP '2026-01-02 00:00:00' GROUP BY 1",
    "SELECT a.kind, a.c, b.c FROM (SELECT kind, COUNT(*) AS c FROM shop GROUP BY 1) a "
      + "JOIN (SELECT kind, COUNT(*) AS c FROM shop WHERE n > 3 GROUP BY 1) b ON a.kind = b.kind",
  ])
  func columnsTake(_ sql: String) throws {
    let exact = #"{"useApproximateCountDistinct": false}"#
    let outcome = try Self.compare(sql, exact, Self.small.get())
    #expect(outcome.isAnswered && outcome.isColumns)
  }

  @Test(arguments: [
    // Their values decide, and SQLite handles them.
    "SELECT price, COUNT(*) FROM shop GROUP BY 1", "SELECT COUNT(*) FROM shop WHERE price >= 0",
    // An error in one row, and in rows that the condition excludes.
    "SELECT SUM(10 / n) FROM shop", "SELECT SUM(10 / n) FROM shop WHERE n > 0",
    "SELECT EARLIEST(city) FROM shop", "SELECT kind, ARRAY_AGG(DISTINCT n) FROM shop GROUP BY 1",
    "SELECT kind, city, COUNT(*) FROM shop GROUP BY GROUPING SETS ((kind), (city), ())",
  ])
  func theRestIsAnsweredAlike(_ sql: String) throws {
    _ = try Self.compare(sql, "{}", Self.zeros.get())
    _ = try Self.compare(sql, "{}", Self.small.get())
  }

  /// A statement past its timeout ends while columns are computed.
  @Test func timeEndsAComputation() throws {
    let pair = try Self.large.get()
    let answer = try pair.columns.text(
      of: "SELECT city, kind, code, COUNT(DISTINCT big) FROM shop GROUP BY 1, 2, 3",
      context: #"{"timeout": 1, "useApproximateCountDistinct": false}"#)
    #expect(
      answer.contains("Query timed out") || answer.contains("timeout"), "\(answer.prefix(300))")
  }

  /// Groups hold statements while they are computed. These must not keep the connection alive.
  @Test func aConnectionEndsWithItsGroups() throws {
    let length = ColumnGrouping.Computed(
      sql: "SELECT length(c1) FROM (SELECT ?1 AS c1) AS r1", inputs: [.init(column: 1)])
    let grouping = ColumnGrouping(
      name: "g0", sqlite: "", source: "d0", filter: [.computed(length)],
      keys: [.computed(length, kind: .long)],
      aggregates: [
        .init(function: .count, argument: nil, filter: .computed(length)),
        .init(function: .sumLongs, argument: .computed(length, kind: .long), filter: nil),
      ], dropsEmpty: false)
    let snapshot = try ScanTests.filled(100)
    weak var connection: SQLiteConnection?
    try {
      let open = try SQLiteConnection()
      connection = open
      let groups = try ColumnGroups(grouping, snapshot, open) {}
      #expect(groups.count > 0)
      try open.add(groups, named: "g0")
    }()
    #expect(connection == nil)
  }
}
