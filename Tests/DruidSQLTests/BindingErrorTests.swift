import Testing

@testable import DruidSQL

/// Errors of a real Druid: their messages and positions.
@Suite struct BindingErrorTests {
  @Test(arguments: [
    ("SELECT nope FROM ecommerce", "Column 'nope' not found in any table", 8),
    (
      "SELECT COUNTRY FROM ecommerce",
      "Column 'COUNTRY' not found in any table; did you mean 'country'?", 8
    ),
    ("SELECT country", "Column 'country' not found in any table", 8),
    ("SELECT user FROM ecommerce", "Column 'user' not found in any table", 8),
    ("SELECT e.nope FROM ecommerce e", "Column 'nope' not found in table 'e'", 10),
    ("SELECT x.n FROM edge", "Table 'x' not found", 8),
    ("SELECT * FROM nowhere", "Object 'nowhere' not found", 15),
    ("SELECT * FROM sys.nothing", "Object 'nothing' not found within 'sys'", 15),
    (
      "SELECT * FROM Edge",
      "Object 'Edge' not found within 'druid'; did you mean 'edge'?", 15
    ),
    (
      "SELECT FROBNICATE(price) FROM ecommerce",
      "No match found for function signature FROBNICATE(<NUMERIC>)", 8
    ),
    ("SELECT SIGN(-2)", "No match found for function signature SIGN(<NUMERIC>)", 8),
    (
      "SELECT TIME_FLOOR(__time) FROM ecommerce",
      "Invalid number of arguments to function 'TIME_FLOOR'. Was expecting 2 arguments", 8
    ),
    (
      "SELECT COUNT(*) FROM ecommerce WHERE COUNT(*) > 1",
      "Aggregate expression is illegal in WHERE clause", 38
    ),
    ("SELECT SUM(MAX(n)) FROM edge", "Aggregate expressions cannot be nested", 8),
    (
      "SELECT SUM(MAX(n)) FILTER (WHERE n > 1) FROM edge", "Aggregate expressions cannot be nested",
      8
    ),
    (
      "SELECT MIN(__time) FILTER (WHERE n > 1) > 9 FROM edge",
      "Cannot apply '>' to arguments of type '<TIMESTAMP(3)> > <INTEGER>'", 8
    ),
    (
      "SELECT UPPER((name, 5)) FROM edge",
      "Cannot apply 'UPPER' to arguments of type 'UPPER(<RECORDTYPE>)'", 8
    ),
    ("SELECT (name, 5) FROM edge GROUP BY n", "Expression 'name' is not being grouped", 9),
    ("SELECT name FROM edge GROUP BY n ORDER BY nope", "Expression 'name' is not being grouped", 8),
    (
      "SELECT name FROM edge GROUP BY n ORDER BY 1 NULLS LAST",
      "Expression 'name' is not being grouped", 8
    ),
    ("SELECT name FROM edge GROUP BY n HAVING x > 1", "Expression 'x' is not being grouped", 41),
    ("SELECT x FROM edge GROUP BY n HAVING x > 1", "Expression 'x' is not being grouped", 8),
    (
      "SELECT nope, SUM(n) OVER w FROM edge WINDOW w AS (PARTITION BY nada)",
      "Column 'nada' not found in any table", 64
    ),
    (
      "SELECT * FROM edge LEFT JOIN ecommerce",
      "INNER, LEFT, RIGHT or FULL join requires a condition (NATURAL keyword or ON or USING clause)",
      25
    ),
    (
      "SELECT country, device, COUNT(*) FROM ecommerce GROUP BY country",
      "Expression 'device' is not being grouped", 17
    ),
    (
      "SELECT n FROM edge ORDER BY n NULLS LAST",
      "ASCENDING ordering with NULLS LAST is not supported!", 29
    ),
    (
      "SELECT COUNT(*) FROM edge WHERE __time > TIMESTAMP 'yesterday'",
      "Illegal TIMESTAMP literal 'yesterday': not in format 'yyyy-MM-dd HH:mm:ss'", 42
    ),
    (
      "SELECT n FROM edge WHERE EXISTS (SELECT 1)", "No match found for function signature EXISTS",
      26
    ),
    (
      "SELECT SUM(DISTINCT n) OVER () FROM edge", "DISTINCT is not supported for window functions",
      29
    ),
    ("SELECT STREAM n FROM edge", "Cannot convert table 'edge' to stream", 22),
    ("SELECT TIME_FLOOR(NULL, 'P1D')", "Illegal use of 'NULL'", 19),
    ("SELECT 100000000000000000000.0", "Numeric literal '100000000000000000000.0' out of range", 8),
    ("SELECT name FROM edge GROUP BY 3", "Ordinal out of range", 32),
    ("SELECT a.n FROM edge a, edge a", "Duplicate relation name 'a' in FROM clause", 25),
    ("SELECT n FROM edge a, edge b", "Column 'n' is ambiguous", 8),
  ])
  func wordsAndPlace(sql: String, message: String, column: Int32) {
    let failure = BindingFixture.failure(sql)
    #expect(failure?.message == message)
    #expect(failure?.range?.column == column)
    #expect(failure?.category == .invalidInput)
  }

  @Test func errorsWithoutPlace() {
    let division = BindingFixture.failure("SELECT 1 / 0")
    #expect(division?.message == "/ by zero")
    #expect(division?.category == .uncategorized)
    let time = BindingFixture.failure("SELECT COUNT(*) FROM edge WHERE __time > 'yesterday'")
    #expect(
      time?.message
        == "Illegal TIMESTAMP constant [CAST('yesterday'):TIMESTAMP(3) NOT NULL]")
    #expect(time?.range == nil)
    let text = BindingFixture.failure("SELECT MAX(name) FROM edge")
    #expect(text?.message == "Aggregation [MAX] does not support type [STRING], column [v0]")
    #expect(text?.category == .invalidInput)
    #expect(text?.range == nil)
    let parameter = BindingFixture.failure("SELECT * FROM edge WHERE n = ?")
    #expect(parameter?.message == "No value bound for parameter (position [1])")
  }

  /// Druid sorts groups and windows by any expression, a table only by time, and other relations
  /// only when no expression is computed above them.
  @Test(arguments: [
    ("SELECT n FROM edge ORDER BY n", false), ("SELECT n FROM edge ORDER BY __time", true),
    ("SELECT n + 1 FROM edge ORDER BY __time DESC", true),
    ("SELECT n FROM edge ORDER BY __time, n", false),
    ("SELECT name, SUM(n) FROM edge GROUP BY name ORDER BY SUM(n) + 1", true),
    ("SELECT n, RANK() OVER (ORDER BY n) AS r FROM edge ORDER BY r", true),
    (
      "SELECT name, s FROM (SELECT name, SUM(n) AS s FROM edge GROUP BY name) WHERE s > 1 ORDER BY s",
      true
    ),
    (
      "SELECT s FROM (SELECT n, SUM(n) OVER (ORDER BY n) AS s FROM edge) WHERE n > 1 ORDER BY s",
      true
    ),
    (
      "SELECT s + 1 FROM (SELECT n, SUM(n) OVER (ORDER BY n) AS s FROM edge) WHERE n > 1 ORDER BY n",
      false
    ),
    (
      "SELECT a.c FROM (SELECT name, COUNT(*) AS c FROM edge GROUP BY name) a JOIN edge b ON a.name = b.name ORDER BY a.c",
      true
    ),
    ("SELECT a.n FROM edge a JOIN edge b ON a.name = b.name ORDER BY a.n", true),
    ("SELECT a.n + 1 FROM edge a JOIN edge b ON a.name = b.name ORDER BY a.n", false),
  ])
  func whatMayBeSorted(sql: String, isTaken: Bool) {
    let failure = BindingFixture.failure(sql)
    #expect((failure == nil) == isTaken, "\(failure?.message ?? "taken")")
    if let failure { #expect(failure.message.contains("ordering a table by non-time column")) }
  }

  /// Queries whose result is not certain are refused, with a position.
  @Test(arguments: [
    "SELECT * FROM edge WHERE CAST(name AS DOUBLE) = 1",
    "SELECT * FROM edge a WHERE n = (SELECT SUM(n) + 1 FROM edge b WHERE b.name = a.name)",
    "SELECT n FROM edge UNION SELECT n FROM edge", "SELECT LOOKUP(name, 'x') FROM edge",
    "SELECT AVG(num_rows) FROM sys.segments",
  ])
  func refusals(sql: String) {
    #expect(BindingFixture.failure(sql)?.category == .unsupported)
  }

  @Test func statementsThatAreNoQueries() {
    let insert = BindingFixture.failure("INSERT INTO t SELECT * FROM edge PARTITIONED BY DAY")
    #expect(insert?.category == .invalidInput)
  }

  @Test(arguments: [
    ("2026-01-01 00:00:00", true), ("2026-01-01", true), ("2026-01-01 01:02:03.5", true),
    ("yesterday", false), ("2026-01-01T00:00:00", false), ("2026-01-01 00:00", false),
  ])
  func checksLiterals(text: String, isGood: Bool) {
    #expect((BindingFixture.failure("SELECT TIMESTAMP '\(text)'") == nil) == isGood)
  }
}
