import Testing

@testable import DruidSQL

/// Unions that Druid reads as one datasource, unions that it runs one after another, and queries
/// that it refuses on both.
@Suite struct BindingUnionTests {
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
    #expect(BindingFixture.failure(sql) == nil)
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
    let failure = BindingFixture.failure(sql)
    #expect(failure?.category == .invalidInput)
    #expect(failure?.message.hasPrefix("Query could not be planned") == true)
  }

  @Test func widthsMustAgree() {
    let failure = BindingFixture.failure(
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
    BindingFixture.expect(sql, isTaken: isTaken, words: "Query could not be planned")
  }

  /// The dimension breaks ties under the LIMIT of a TopN, as long as no segment has dropped a
  /// group.
  @Test func aTopNBreaksTiesByItsDimension() throws {
    let sql = "SELECT name, COUNT(*) AS n FROM edge GROUP BY name ORDER BY n DESC LIMIT 3"
    let sqlite = try BindingFixture.plan(sql).sqlite
    #expect(sqlite.contains("ORDER BY r2.a0 DESC, r2.k0"))
    #expect(sqlite.contains("total > 1000"))
    #expect(sqlite.contains("add ''name'' to ORDER BY"))
  }

  /// The order of a subquery without a limit is dropped, and LIMIT 0 leaves nothing to sort.
  @Test func sortsThatDoNotCount() throws {
    let dropped = try BindingFixture.plan(
      "SELECT n FROM (SELECT n FROM edge ORDER BY __time DESC)")
    #expect(!dropped.sqlite.contains("ORDER BY"))
    #expect(BindingFixture.failure("SELECT n FROM edge ORDER BY n LIMIT 0") == nil)
  }
}
