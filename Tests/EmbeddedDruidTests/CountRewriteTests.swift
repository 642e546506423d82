import Testing

@testable import EmbeddedDruid

@Suite struct CountRewriteTests {
  static let schema = TableSchema(columns: [
    ColumnDescription(name: "device", kind: .string),
    ColumnDescription(name: "user_id", kind: .long),
    ColumnDescription(name: "price", kind: .double),
  ])

  static func rewrite(_ sql: String) -> String { CountRewrite.apply(sql, ["d0": schema]) }

  @Test func takesCountsByTextColumns() {
    #expect(
      Self.rewrite(
        "SELECT r2.k0 AS c0, r2.a0 AS c1 FROM (SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 "
          + "WHERE (r1.c0 >= 1767225540000) GROUP BY 1) AS r2")
        == "SELECT r2.k0 AS c0, r2.a0 AS c1 FROM (SELECT r1.k0 AS k0, r1.n AS a0 FROM "
        + "d0_counts('1', '0g|', 1767225540000) AS r1 ORDER BY 1) AS r2")
  }

  @Test(arguments: [
    "(SELECT r1.c2 AS k0, COUNT(*) AS a0 FROM d0 AS r1 GROUP BY 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0, COUNT(r1.c2) AS a1 FROM d0 AS r1 GROUP BY 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 WHERE (r1.c3 >= 1) GROUP BY 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 WHERE (r1.c2 >= r1.c0) GROUP BY 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 WHERE (r1.c2 >= 1 + r1.c0) GROUP BY 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 WHERE ((r1.c2 >= 1) OR (r1.c2 < 0)) GROUP BY 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 GROUP BY 1 HAVING COUNT(*) > 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d1 AS r1 GROUP BY 1)",
    "(SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 WHERE (r1.c1 > 'a') GROUP BY 1)",
    "(SELECT r",
    "(SELECT r1.c9 AS k0, COUNT(*) AS a0 FROM d0 AS r1 GROUP BY 1)",
  ])
  func leavesEverythingElse(_ sql: String) { #expect(Self.rewrite(sql) == sql) }

  /// Whatever it touches counts the same as SQLite does, in the same order.
  @Test(arguments: [
    "", "WHERE (r1.c0 >= 5000)", "WHERE ((r1.c0 >= 5000) AND (r1.c0 < 9000))",
    "WHERE (r1.c1 = 'mobile')", "WHERE (r1.c1 = 'none')", "WHERE (r1.c2 <= 3)",
    "WHERE (r1.c0 >= (SELECT MAX(r9.c0) FROM d0 AS r9))", "WHERE (r1.c0 > NULL)",
    "WHERE ((r1.c2 > 10) AND ((r1.c2 <= 20) AND (r1.c1 = 'tablet')))",
    "WHERE (r1.c1 = 'it''s (not) there')",
  ])
  func countsTheSame(_ condition: String) throws {
    let snapshot = try ScanTests.filled(50_000)
    let sql =
      "SELECT * FROM (SELECT r1.c1 AS k0, COUNT(*) AS a0 FROM d0 AS r1 "
      + "\(condition.isEmpty ? "" : condition + " ")GROUP BY 1) AS r2"
    let rewritten = Self.rewrite(sql)
    #expect(rewritten.contains("d0_counts("))
    #expect(
      try ScanTests.rows(rewritten, snapshot, named: "d0")
        == ScanTests.rows(sql, snapshot, named: "d0"))
  }
}
