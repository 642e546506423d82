import Testing

@testable import DruidSQL

/// Frames that Druid's validator accepts, and the positions of its errors for others.
@Suite struct BindingWindowTests {
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
    #expect(try BindingFixture.plan("SELECT \(window) FROM edge").sqlite.contains(sqlite))
  }

  @Test(arguments: [
    ("SUM(n) OVER (ORDER BY n ROWS n PRECEDING)", "Window frames with expression", 20),
    ("NTILE(2) OVER (ORDER BY n ROWS 1 PRECEDING)", "Framing of NTILE", 8),
    ("FIRST_VALUE(n) OVER (ORDER BY n ROWS 1 PRECEDING)", "Framing of FIRST_VALUE", 8),
    ("SUM(n) OVER (ORDER BY n RANGE 1 PRECEDING)", "The query contains a window frame", 20),
  ])
  func refusedFrames(window: String, words: String, column: Int32) {
    let failure = BindingFixture.failure("SELECT \(window) FROM edge")
    #expect(failure?.message.hasPrefix(words) == true)
    #expect(failure?.range?.column == column)
  }

  /// Rows are in the order of the last window, so SQLite gets that window first.
  @Test func theLastWindowSorts() throws {
    let first = "ROW_NUMBER() OVER (ORDER BY name)"
    let last = "ROW_NUMBER() OVER (PARTITION BY n ORDER BY x)"
    let plan = try BindingFixture.plan("SELECT \(first) a, \(last) b FROM edge")
    #expect(plan.sqlite.hasPrefix("SELECT c0, c1 FROM (SELECT ROW_NUMBER() OVER (PARTITION BY"))
    for one in ["SUM(n) OVER (ORDER BY name)", "COUNT(*) OVER ()"] {
      let plan = try BindingFixture.plan("SELECT \(first) a, \(one) b FROM edge")
      #expect(plan.sqlite.hasPrefix("SELECT ROW_NUMBER()"))
    }
    let distinct = try BindingFixture.plan("SELECT DISTINCT \(first) a, \(last) b FROM edge")
    #expect(distinct.sqlite.hasPrefix("SELECT DISTINCT ROW_NUMBER() OVER (ORDER BY"))
  }

  @Test(arguments: [
    ("SELECT tags, ROW_NUMBER() OVER (ORDER BY n) FROM edge", false),
    ("SELECT *, ROW_NUMBER() OVER (ORDER BY n) FROM edge", false),
    ("SELECT MV_TO_ARRAY(tags), ROW_NUMBER() OVER (ORDER BY n) FROM edge", false),
    ("SELECT tags, ROW_NUMBER() OVER (ORDER BY SUM(n)) FROM edge GROUP BY tags", true),
  ])
  func multipleValuesBesideAWindow(sql: String, isTaken: Bool) {
    BindingFixture.expect(sql, isTaken: isTaken, words: "beside a window")
  }

  /// A string column's NULL is one value, an array's NULL is none. Time ordering refers to the
  /// table, also beside UNNEST.
  @Test func unnestKnowsNull() throws {
    let column = try BindingFixture.plan("SELECT t FROM edge, UNNEST(MV_TO_ARRAY(tags)) AS u(t)")
    #expect(column.sqlite.contains("json_each(druid_mv_json("))
    #expect(!column.sqlite.contains("druid_refuse"))
    let cut = try BindingFixture.plan(
      "SELECT t FROM (SELECT tags FROM edge LIMIT 3) s, UNNEST(MV_TO_ARRAY(s.tags)) AS u(t)")
    #expect(cut.sqlite.contains("druid_refuse"))
    let array = try BindingFixture.plan(
      "SELECT t FROM edge, UNNEST(STRING_TO_ARRAY(name, ',')) AS u(t) LIMIT 2")
    #expect(!array.sqlite.contains("[null]"))
    #expect(array.sqlite.hasSuffix("ORDER BY r1.\"__time\" LIMIT 2"))
  }
}
