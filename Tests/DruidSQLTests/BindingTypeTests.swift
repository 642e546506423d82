import DruidSQL
import Testing

/// Types that a real Druid reported, and types that follow from the same rules.
@Suite struct BindingTypeTests {
  @Test(arguments: [
    ("SELECT 1, 'text', 1.5, 1e3, TRUE, NULL", "INTEGER CHAR DECIMAL DOUBLE BOOLEAN NULL"),
    ("SELECT -2147483648, - -2147483648, - 5", "INTEGER BIGINT INTEGER"),
    ("SELECT a, a + 1 FROM (VALUES (NULL, 8)) AS t (a, b)", "NULL DECIMAL"),
    ("SELECT 'a' + 'b', name + 1 FROM edge", "DECIMAL INTEGER"),
    ("SELECT CASE WHEN n > 1 THEN TRUE ELSE 'other' END FROM edge", "VARCHAR"),
    ("SELECT 9007199254740993, 1 + 1, 7 / 2, 1 / 3.0", "BIGINT INTEGER INTEGER DECIMAL"),
    ("SELECT CAST(NULL AS VARCHAR), CAST(7 AS DOUBLE) / 2", "VARCHAR DOUBLE"),
    ("SELECT COUNT(*) / 7, COUNT(*) / 7.0 FROM ecommerce", "BIGINT DECIMAL"),
    ("SELECT SUM(quantity), SUM(price), AVG(quantity) FROM ecommerce", "BIGINT DOUBLE DOUBLE"),
    ("SELECT SUM(country) FROM ecommerce", "DOUBLE"),
    ("SELECT SUM(quantity) * 1.0 / COUNT(*) FROM ecommerce", "DECIMAL"),
    ("SELECT CASE WHEN price < 10 THEN 'cheap' ELSE 'mid' END FROM ecommerce", "VARCHAR"),
    ("SELECT CASE WHEN n > 1 THEN 'big' END FROM edge", "CHAR"),
    ("SELECT COALESCE(NULL, 'x'), NVL(CAST(NULL AS VARCHAR), 'z')", "CHAR VARCHAR"),
    ("SELECT UPPER('abc'), 'a' || 'b', CONCAT('x', 'y'), LENGTH('x')", "CHAR CHAR VARCHAR INTEGER"),
    ("SELECT ABS(-3), ROUND(2.5), POWER(2, 10), MOD(10, 3)", "INTEGER DECIMAL DOUBLE INTEGER"),
    ("SELECT EXTRACT(HOUR FROM __time), FLOOR(__time TO DAY) FROM edge", "BIGINT TIMESTAMP"),
    ("SELECT TIMESTAMPDIFF(DAY, __time, __time), CAST(__time AS DATE) FROM edge", "INTEGER DATE"),
    ("SELECT ARRAY[1, 2], ARRAY_AGG(name) FROM edge", "ARRAY ARRAY"),
    ("SELECT JSON_OBJECT(KEY 'a' VALUE 1)", "OTHER"),
    ("SELECT f, f * 2, SUM(f), f + 1.5 FROM edge GROUP BY f", "FLOAT FLOAT DOUBLE DOUBLE"),
    ("SELECT f + x, x + f, ROUND(f, 1) FROM edge", "FLOAT DOUBLE FLOAT"),
    (
      "SELECT ARRAY_LENGTH(tags), ARRAY_APPEND(tags, 'x'), ARRAY_OFFSET(tags, 0) FROM edge",
      "INTEGER ARRAY VARCHAR"
    ),
    (
      "SELECT IPV4_PARSE(name), IPV4_MATCH(name, '10.0.0.0/8'), GREATEST(n, f) FROM edge",
      "BIGINT BOOLEAN DOUBLE"
    ),
    ("SELECT RANK() OVER (ORDER BY n), CUME_DIST() OVER (ORDER BY n) FROM edge", "BIGINT DOUBLE"),
    ("SELECT * FROM edge", "TIMESTAMP VARCHAR VARCHAR BIGINT DOUBLE FLOAT"),
    ("SELECT 'a' AS k, 1 UNION ALL SELECT 'bb', 2", "VARCHAR INTEGER"),
  ])
  func typesAreDruids(sql: String, types: String) throws {
    #expect(try BindingFixture.types(sql) == types)
  }

  @Test func namesFollowTheText() throws {
    let plan = try BindingFixture.plan(
      "SELECT 1 + 1, country, COUNT(*) AS \"n (all)\", MAX(e.price) FROM ecommerce e GROUP BY 2")
    #expect(plan.columns.map(\.name) == ["EXPR$0", "country", "n (all)", "EXPR$3"])
    let star = try BindingFixture.plan(
      "SELECT * FROM (SELECT n AS a FROM edge) x JOIN (SELECT n AS a FROM edge) y ON x.a = y.a")
    #expect(star.columns.map(\.name) == ["a", "a0"])
  }

  @Test func nativeNamesOfTypes() throws {
    let plan = try BindingFixture.plan("SELECT ARRAY['a'], f, TRUE, 1.5, NULL FROM edge")
    #expect(
      plan.columns.map(\.type.nativeName) == ["ARRAY<STRING>", "FLOAT", "LONG", "DOUBLE", "STRING"])
  }

  @Test func parametersAreLiterals() throws {
    let plan = try BindingFixture.plan(
      "SELECT ?, ?, ? FROM edge WHERE n = ? LIMIT ?",
      parameters: [
        PlanParameter(type: "VARCHAR", value: .text("it's")),
        PlanParameter(type: "BIGINT", value: .integer(9_007_199_254_740_993)),
        PlanParameter(type: "VARCHAR", value: .null),
        PlanParameter(type: "INTEGER", value: .integer(5)),
        PlanParameter(type: "INTEGER", value: .integer(2)),
      ])
    #expect(plan.columns.map(\.type.sqlName) == ["CHAR", "BIGINT", "NULL"])
    #expect(plan.sqlite.contains("'it''s'"))
    #expect(plan.sqlite.hasSuffix("LIMIT 2"))
  }
}
