import Testing

@testable import DruidSQL

/// Joins by name, queries of several datasources, and subqueries with one value.
@Suite struct BindingJoinTests {
  @Test func usingShowsItsColumnsOnceAndFirst() throws {
    let sql = """
      SELECT * FROM (SELECT x, name FROM edge) a JOIN (SELECT n, name FROM edge) b USING (name)
      """
    #expect(try BindingFixture.plan(sql).columns.map(\.name) == ["name", "x", "n"])
    let natural =
      "SELECT * FROM (SELECT x, name FROM edge) a NATURAL JOIN (SELECT n, name FROM edge) b"
    #expect(try BindingFixture.plan(natural).columns.map(\.name) == ["name", "x", "n"])
  }

  @Test func appendHoldsAllColumns() throws {
    let plan = try BindingFixture.plan("SELECT * FROM TABLE(APPEND('edge', 'ecommerce')) t")
    #expect(
      plan.columns.map(\.name).prefix(7) == ["__time", "name", "tags", "n", "x", "f", "event_type"])
    #expect(plan.dataSources == ["edge", "ecommerce"])
    for (arguments, message, column) in [
      ("", "No match found for function signature APPEND()", 21 as Int32),
      (
        "'edge', 1", "All arguments to APPEND should be literal strings. Argument #2 is not string",
        36
      ),
      ("'edge', 'x'", "Table [x] not found", 36),
    ] {
      let failure = BindingFixture.failure("SELECT 1 FROM TABLE(APPEND(\(arguments)))")
      #expect(failure?.message == message)
      #expect(failure?.range?.column == column)
    }
  }

  @Test(arguments: [
    ("SELECT n FROM edge WHERE name = (SELECT name FROM edge ORDER BY __time DESC LIMIT 1)", true),
    ("SELECT n FROM edge WHERE n > (SELECT MAX(n) FROM edge)", true),
    ("SELECT n FROM edge WHERE name = (SELECT name FROM edge)", true),
    ("SELECT n FROM edge WHERE name = (SELECT name FROM edge LIMIT 2)", true),
    ("SELECT n FROM edge WHERE (name, n) IN (SELECT name, n FROM edge)", true),
    ("SELECT n FROM edge WHERE (name, n) IN (('a', 1), ('b', 2))", true),
    ("SELECT n FROM edge WHERE (name, n) NOT IN (SELECT name, n FROM edge)", false),
    ("SELECT n FROM edge WHERE n NOT IN (SELECT n FROM edge)", true),
    ("SELECT * FROM (SELECT name, n FROM edge) PIVOT (SUM(n) FOR name IN ('a'))", false),
  ])
  func subqueries(sql: String, isTaken: Bool) {
    let failure = BindingFixture.failure(sql)
    #expect((failure == nil) == isTaken)
    if let failure { #expect(failure.category == .unsupported) }
  }

  /// Druid treats a multi-value that a join looks up as one value, although it shows all.
  @Test(arguments: [
    ("SELECT b.tags FROM edge a JOIN edge b ON a.n = b.n", true),
    ("SELECT t FROM (SELECT b.tags t FROM edge a JOIN edge b ON a.n = b.n)", true),
    ("SELECT a.tags, COUNT(*) FROM edge a JOIN edge b ON a.n = b.n GROUP BY 1", true),
    ("SELECT b.tags, COUNT(*) FROM edge a JOIN edge b ON a.n = b.n GROUP BY 1", false),
    ("SELECT DISTINCT b.tags FROM edge a JOIN edge b ON a.n = b.n", false),
    ("SELECT a.n FROM edge a JOIN edge b ON a.n = b.n WHERE b.tags = 'a'", false),
    ("SELECT MV_LENGTH(b.tags) FROM edge a JOIN edge b ON a.n = b.n", false),
    (
      "SELECT t, COUNT(*) FROM (SELECT b.tags t FROM edge a JOIN edge b ON a.n = b.n) GROUP BY 1",
      false
    ),
    (
      "SELECT u.t FROM edge a JOIN edge b ON a.n = b.n CROSS JOIN UNNEST(MV_TO_ARRAY(b.tags)) "
        + "AS u (t)", false
    ),
  ])
  func lookedUp(sql: String, isTaken: Bool) {
    BindingFixture.expect(sql, isTaken: isTaken, words: "the right of a join")
  }

  /// DISTINCT over groups sorts by its columns, unless the groups are already distinct.
  @Test func distinctGroupsAreSorted() throws {
    let plain = try BindingFixture.plan("SELECT DISTINCT COUNT(*) FROM edge GROUP BY name LIMIT 1")
    #expect(plain.sqlite.contains("ORDER BY r2.a0 LIMIT 1"))
    let swapped = try BindingFixture.plan(
      "SELECT DISTINCT COUNT(*), name FROM edge GROUP BY name LIMIT 1")
    #expect(swapped.sqlite.contains("druid_refuse"))
  }
}
