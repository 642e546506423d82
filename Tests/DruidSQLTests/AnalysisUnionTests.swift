import DruidSQL
import Testing

/// Unions that Druid reads as one datasource, unions that it runs one after another, and queries
/// that it refuses on both.
@Suite struct AnalysisUnionTests {
  @Test(arguments: [
    "SELECT name, COUNT(*) FROM (SELECT name FROM edge UNION ALL SELECT name FROM edge) GROUP BY 1",
    "SELECT COUNT(*) FROM (SELECT * FROM edge UNION ALL SELECT * FROM edge) WHERE n > 1",
    "SELECT SUM(n) FROM (SELECT n FROM edge UNION ALL SELECT n FROM edge UNION ALL SELECT n FROM edge)",
    "SELECT n FROM (SELECT name, n FROM edge UNION ALL SELECT tags, n FROM edge)",
    "SELECT COUNT(*) FROM edge UNION ALL SELECT COUNT(*) FROM ecommerce LIMIT 1",
    "SELECT * FROM (SELECT COUNT(*) FROM edge UNION ALL SELECT COUNT(*) FROM ecommerce) LIMIT 1",
    "SELECT a.n FROM (SELECT n FROM edge UNION ALL SELECT n FROM edge) a JOIN edge b ON a.n = b.n",
  ])
  func taken(sql: String) {
    #expect(AnalysisFixture.failure(sql) == nil)
  }

  @Test(arguments: [
    "SELECT n FROM edge INTERSECT SELECT n FROM edge",
    "SELECT n FROM edge EXCEPT SELECT n FROM edge",
    "SELECT name, n FROM edge UNION SELECT tags, n FROM edge",
    "SELECT name, COUNT(*) FROM (SELECT name FROM edge UNION ALL SELECT tags FROM edge) GROUP BY 1",
    "SELECT COUNT(*) FROM (SELECT n FROM edge WHERE n > 1 UNION ALL SELECT n FROM edge)",
    "SELECT c + 1 FROM (SELECT COUNT(*) AS c FROM edge UNION ALL SELECT COUNT(*) FROM ecommerce)",
    "SELECT COUNT(*) FROM edge UNION ALL SELECT COUNT(*) FROM ecommerce ORDER BY 1",
    "SELECT 1 FROM edge a JOIN (SELECT COUNT(*) AS c FROM edge UNION ALL SELECT SUM(n) FROM edge) b ON a.n = b.c",
  ])
  func unplannable(sql: String) {
    let failure = AnalysisFixture.failure(sql)
    #expect(failure?.category == .invalidInput)
    #expect(failure?.message.hasPrefix("Query could not be planned") == true)
  }

  @Test func widthsMustAgree() {
    let failure = AnalysisFixture.failure(
      "SELECT COUNT(*) FROM (SELECT * FROM edge UNION ALL SELECT name, n FROM edge)")
    #expect(failure?.message == "Column count mismatch in UNION ALL")
    #expect(failure?.range?.column == 59)
  }

  /// An inner join filters by conditions that it cannot hash. Any other join must hash.
  @Test(arguments: [
    ("SELECT 1 FROM edge a JOIN edge b ON a.n < b.n", true),
    ("SELECT 1 FROM edge a JOIN edge b ON a.n = b.n AND a.x > 1", true),
    ("SELECT 1 FROM edge a JOIN edge b ON a.n = b.n OR a.x = b.x", true),
    ("SELECT 1 FROM edge a LEFT JOIN edge b ON a.n = b.n AND b.name = 'x'", true),
    ("SELECT 1 FROM edge a LEFT JOIN edge b ON TRUE", true),
    ("SELECT 1 FROM edge a LEFT JOIN edge b ON a.n < b.n", false),
    ("SELECT 1 FROM edge a LEFT JOIN edge b ON a.n = b.n AND a.name = 'x'", false),
    ("SELECT 1 FROM edge a FULL JOIN edge b ON a.n = b.n AND b.n > 1", false),
  ])
  func joinConditions(sql: String, isTaken: Bool) {
    let failure = AnalysisFixture.failure(sql)
    #expect((failure == nil) == isTaken)
    if let failure { #expect(failure.message.hasPrefix("Query could not be planned")) }
  }

  /// The dimension breaks ties under the LIMIT of a TopN, as long as no segment has dropped a
  /// group.
  @Test func aTopNBreaksTiesByItsDimension() throws {
    let sql = "SELECT name, COUNT(*) AS n FROM edge GROUP BY name ORDER BY n DESC LIMIT 3"
    let sqlite = try AnalysisFixture.plan(sql).sqlite
    #expect(sqlite.contains("ORDER BY r2.a0 DESC, r2.k0"))
    #expect(sqlite.contains("total > 1000"))
    #expect(sqlite.contains("add ''name'' to ORDER BY"))
  }

  /// The order of a subquery without a limit is dropped, and LIMIT 0 leaves nothing to sort.
  @Test func sortsThatDoNotCount() throws {
    let dropped = try AnalysisFixture.plan(
      "SELECT n FROM (SELECT n FROM edge ORDER BY __time DESC)")
    #expect(!dropped.sqlite.contains("ORDER BY"))
    #expect(AnalysisFixture.failure("SELECT n FROM edge ORDER BY n LIMIT 0") == nil)
  }
}

/// Frames that Druid's validator accepts, and the positions of its errors for others.
@Suite struct AnalysisWindowTests {
  @Test(arguments: [
    ("LAST_VALUE(n) OVER (ORDER BY x)", "LAG(r1.\"n\", 0) OVER (ORDER BY r1.\"x\")"),
    (
      "FIRST_VALUE(n) OVER (ORDER BY x ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
      "LAG(r1.\"n\", 0) OVER (ORDER BY r1.\"x\")"
    ),
    (
      "COUNT(*) OVER (ORDER BY n ROWS 1 FOLLOWING)",
      "COUNT(*) OVER (ORDER BY r1.\"n\" ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)"
    ),
    ("LAG(n) OVER ()", "LAG(r1.\"n\") OVER ()"),
  ])
  func frames(window: String, sqlite: String) throws {
    #expect(try AnalysisFixture.plan("SELECT \(window) FROM edge").sqlite.contains(sqlite))
  }

  @Test(arguments: [
    ("SUM(n) OVER (ORDER BY n ROWS n PRECEDING)", "Window frames with expression", 20),
    ("NTILE(2) OVER (ORDER BY n ROWS 1 PRECEDING)", "Framing of NTILE", 8),
    ("FIRST_VALUE(n) OVER (ORDER BY n ROWS 1 PRECEDING)", "Framing of FIRST_VALUE", 8),
    ("SUM(n) OVER (ORDER BY n RANGE 1 PRECEDING)", "The query contains a window frame", 20),
  ])
  func refusedFrames(window: String, words: String, column: Int32) {
    let failure = AnalysisFixture.failure("SELECT \(window) FROM edge")
    #expect(failure?.message.hasPrefix(words) == true)
    #expect(failure?.range?.column == column)
  }

  /// Rows are in the order of the last window, so SQLite gets that window first.
  @Test func theLastWindowSorts() throws {
    let first = "ROW_NUMBER() OVER (ORDER BY name)"
    let last = "ROW_NUMBER() OVER (PARTITION BY n ORDER BY x)"
    let plan = try AnalysisFixture.plan("SELECT \(first) a, \(last) b FROM edge")
    #expect(plan.sqlite.hasPrefix("SELECT c0, c1 FROM (SELECT ROW_NUMBER() OVER (PARTITION BY"))
    for one in ["SUM(n) OVER (ORDER BY name)", "COUNT(*) OVER ()"] {
      let plan = try AnalysisFixture.plan("SELECT \(first) a, \(one) b FROM edge")
      #expect(plan.sqlite.hasPrefix("SELECT ROW_NUMBER()"))
    }
    let distinct = try AnalysisFixture.plan("SELECT DISTINCT \(first) a, \(last) b FROM edge")
    #expect(distinct.sqlite.hasPrefix("SELECT DISTINCT ROW_NUMBER() OVER (ORDER BY"))
  }

  @Test(arguments: [
    ("SELECT tags, ROW_NUMBER() OVER (ORDER BY n) FROM edge", false),
    ("SELECT *, ROW_NUMBER() OVER (ORDER BY n) FROM edge", false),
    ("SELECT MV_TO_ARRAY(tags), ROW_NUMBER() OVER (ORDER BY n) FROM edge", false),
    ("SELECT tags, ROW_NUMBER() OVER (ORDER BY SUM(n)) FROM edge GROUP BY tags", true),
  ])
  func multipleValuesBesideAWindow(sql: String, isTaken: Bool) {
    let failure = AnalysisFixture.failure(sql)
    #expect((failure == nil) == isTaken)
    if let failure { #expect(failure.message.contains("beside a window")) }
  }

  /// A string column's NULL is one value, an array's NULL is none. Time ordering refers to the
  /// table, also beside UNNEST.
  @Test func unnestKnowsNull() throws {
    let column = try AnalysisFixture.plan("SELECT t FROM edge, UNNEST(MV_TO_ARRAY(tags)) AS u(t)")
    #expect(column.sqlite.contains("json_each(druid_mv_json("))
    #expect(!column.sqlite.contains("druid_refuse"))
    let cut = try AnalysisFixture.plan(
      "SELECT t FROM (SELECT tags FROM edge LIMIT 3) s, UNNEST(MV_TO_ARRAY(s.tags)) AS u(t)")
    #expect(cut.sqlite.contains("druid_refuse"))
    let array = try AnalysisFixture.plan(
      "SELECT t FROM edge, UNNEST(STRING_TO_ARRAY(name, ',')) AS u(t) LIMIT 2")
    #expect(!array.sqlite.contains("[null]"))
    #expect(array.sqlite.hasSuffix("ORDER BY r1.\"__time\" LIMIT 2"))
  }
}
