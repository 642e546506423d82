import DruidSQL
import Testing

/// The SQL for SQLite. Tests with an engine compare the results with a real Druid's.
@Suite struct TranslationTests {
  @Test(arguments: [
    (
      "SELECT n FROM edge WHERE __time >= TIMESTAMP '2026-01-01 00:00:00' LIMIT 1",
      "SELECT r1.\"n\" AS c0 FROM edge AS r1 WHERE (r1.\"__time\" >= 1767225600000) "
        + "ORDER BY r1.\"__time\" LIMIT 1"
    ),
    (
      "SELECT TIME_FLOOR(__time, 'PT1H') FROM edge",
      "SELECT (r1.\"__time\" - ((r1.\"__time\" % 3600000 + 3600000) % 3600000)) AS c0 FROM edge AS r1"
    ),
  ])
  func sqlite(sql: String, sqlite: String) throws {
    #expect(try BindingFixture.plan(sql).sqlite == sqlite)
  }

  /// Groupings over a datasource are computed over its columns, and SQLite gets the results.
  @Test(arguments: [
    "SELECT device, COUNT(*) AS n FROM ecommerce GROUP BY device ORDER BY n DESC",
    "SELECT SUM(price * quantity), SUM(quantity) FROM ecommerce",
  ])
  func groupingsAreHandedOver(sql: String) throws {
    let plan = try BindingFixture.plan(sql)
    #expect(plan.groupings.count == 1)
    #expect(!plan.sqlite.contains("GROUP BY"))
    #expect(!plan.sqlite.contains("SUM("))
  }

  @Test func zonesReachTheFunctions() throws {
    let plan = try BindingFixture.plan(
      "SELECT FLOOR(__time TO DAY) FROM edge WHERE __time > TIMESTAMP '2026-01-01 00:00:00'",
      zone: "America/Los_Angeles")
    #expect(
      plan.sqlite.contains("druid_time_floor(r1.\"__time\", 'P1D', NULL, 'America/Los_Angeles')"))
    #expect(
      plan.sqlite.contains("druid_local_time('2026-01-01 00:00:00.000', 'America/Los_Angeles')"))
  }

  @Test func aJoinSeesNoEstimate() throws {
    let plan = try BindingFixture.plan(
      """
      SELECT a.name, b.d FROM (SELECT name, COUNT(*) AS c FROM edge GROUP BY name) a
      JOIN (SELECT name, COUNT(DISTINCT n) AS d FROM edge GROUP BY name) b ON a.name = b.name
      """)
    #expect(plan.sqlite.contains("NULL AS c1"))
  }

  /// Every called function is in the list that the engine registers, with that number of arguments.
  @Test func functionsAreListed() throws {
    let known = Set(Function.kernels.map(\.name))
    let queries = [
      "SELECT n + 1, n - 1, n * 2, n / 2, MOD(n, 2), -n, ABS(n), x / n, -x, ABS(x), ROUND(x, 1) FROM edge",
      "SELECT SQRT(x), LN(x), EXP(x), POWER(x, 2), FLOOR(x), CEIL(x), TRUNCATE(x, 1) FROM edge",
      "SELECT CAST(x AS BIGINT), CAST(x AS VARCHAR), CAST(name AS DOUBLE), CAST(__time AS VARCHAR) FROM edge",
      "SELECT UPPER(name), SUBSTRING(name, 2), LPAD(name, 3), POSITION('a' IN name), TRIM(name) FROM edge",
      "SELECT REGEXP_EXTRACT(name, 'a'), REPLACE(name, 'a', 'b'), STRING_FORMAT('%s', name) FROM edge",
      "SELECT tags, COUNT(*) FROM edge WHERE tags = 'a' OR tags LIKE 'b%' OR tags IN ('c') GROUP BY tags",
      "SELECT MV_LENGTH(tags), MV_TO_STRING(tags, ','), MV_TO_ARRAY(tags) FROM edge",
      "SELECT COUNT(DISTINCT n), EARLIEST(x), LATEST(x), ANY_VALUE(n), ARRAY_AGG(name) FROM edge",
      "SELECT STRING_AGG(name, ','), BIT_AND(n), APPROX_QUANTILE_DS(x, 0.5), SUM(n) FROM edge",
      "SELECT TIME_FORMAT(__time), TIME_PARSE(name), TIME_SHIFT(__time, 'P1M', 1) FROM edge",
      "SELECT JSON_VALUE(PARSE_JSON(name), '$.a'), TO_JSON_STRING(PARSE_JSON(name)) FROM edge",
    ]
    for sql in queries {
      let words = try BindingFixture.plan(sql).sqlite.split {
        !$0.isLetter && !$0.isNumber && $0 != "_"
      }
      for word in words where word.hasPrefix("druid_") {
        #expect(known.contains(String(word)), "\(word)")
      }
    }
  }

  @Test func textsAreQuoted() throws {
    let plan = try BindingFixture.plan("SELECT n FROM edge WHERE name = '''; DROP TABLE edge; --'")
    #expect(plan.sqlite.contains("'''; DROP TABLE edge; --'"))
    let zero = try BindingFixture.plan("SELECT U&'a\\0000b'")
    #expect(zero.sqlite.contains("CAST(x'610062' AS TEXT)"))
  }

  @Test func dataSourcesAreNamedOnce() throws {
    let plan = try BindingFixture.plan(
      "SELECT COUNT(*) FROM edge WHERE name IN (SELECT country FROM ecommerce) AND n IN (SELECT n FROM edge)"
    )
    #expect(plan.dataSources == ["edge", "ecommerce"])
  }
}

/// Statements that would grow, nest or overflow without a limit.
@Suite struct TranslationLimitTests {
  @Test(arguments: [
    "WITH a AS (SELECT n FROM edge)"
      + (0..<40).map {
        ", a\($0) AS (SELECT x.n FROM a\($0 == 0 ? "" : String($0 - 1)) x JOIN a\($0 == 0 ? "" : String($0 - 1)) y ON x.n = y.n)"
      }.joined() + " SELECT * FROM a39",
    "SELECT TIMESTAMP '2026-01-01 00:00:00'"
      + String(repeating: " + INTERVAL '999999999' DAY", count: 110),
    "SELECT TIME_FLOOR(__time, 'P" + String(repeating: "999999W", count: 50_000) + "') FROM edge",
    "SELECT COUNT(*) FROM edge GROUP BY "
      + Array(repeating: "CUBE(name, n, x, f)", count: 12).joined(separator: ", "),
    "SELECT 1" + String(repeating: " UNION ALL SELECT 1", count: 2_000),
  ])
  func hostileStatementsAreRefused(sql: String) {
    #expect(BindingFixture.failure(sql) != nil)
  }

  @Test func overflowsAreLeftToTheFunctions() throws {
    let plan = try BindingFixture.plan("SELECT 9223372036854775807 + 1, -9223372036854775807 - 1")
    #expect(plan.sqlite.contains("druid_add_long(9223372036854775807, 1)"))
  }
}
