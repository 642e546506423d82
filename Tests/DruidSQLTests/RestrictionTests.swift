import Testing

@testable import DruidSQL

@Suite struct RestrictionTests {
  @Test func eachHasANameAndABehavior() {
    let all = Restrictions.all
    #expect(Set(all.map(\.name)).count == all.count)
    #expect(all.count > 30)
    for restriction in all {
      #expect(restriction.druid.hasSuffix("."), "\(restriction.name)")
      #expect(!restriction.name.isEmpty)
    }
  }

  /// One query for each list: the binder asks all of them.
  @Test(arguments: [
    (
      "SELECT tags = 'a', COUNT(*) FROM edge GROUP BY 1",
      "A test of a multi-value column as a value"
    ),
    ("SELECT SUM(CASE WHEN tags = 'a' THEN x END) FROM edge", "A test of a multi-value column"),
    ("SELECT a.n FROM edge a LEFT JOIN edge b ON a.n < b.n", "a join with '<' condition"),
    ("SELECT a.n FROM edge a LEFT JOIN edge b ON a.n = a.x", "unsupported operand types"),
    ("SELECT AVG(num_rows) FROM sys.segments", "This aggregate of a system table"),
    (
      "SELECT n FROM (SELECT n FROM edge UNION ALL SELECT n + 1 FROM edge) WHERE n > 1",
      "a query of a union"
    ),
    ("SELECT n FROM edge ORDER BY n", "ordering a table by non-time column [[n]]"),
    ("SELECT n, COUNT(*) FROM edge GROUP BY 1 ORDER BY 2 OFFSET 1", "limit >= 0"),
    ("SELECT n FROM edge ORDER BY __time DESC LIMIT 0", "Unhandled Query Planning Failure"),
    (
      "SELECT n, RANK() OVER (ORDER BY n) FROM edge ORDER BY __time",
      "Time-ordering on scan queries"
    ),
  ])
  func isAsked(sql: String, words: String) throws {
    let failure = try #require(BindingFixture.failure(sql))
    #expect(failure.message.contains(words), "\(failure.message)")
  }
}
