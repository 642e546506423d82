import Testing

@testable import EmbeddedDruid

/// What Druid's planner makes of a query before any row is read, as a real Druid 33 answers.
@Suite struct PlannerRuleTests {
  private static let rows = [
    #"{"at": "2026-01-01T00:00:00Z", "title": "plain", "tags": ["a", "b"], "pages": 1, "price": 1.5}"#,
    #"{"at": "2026-01-01T01:00:00Z", "title": "émoji", "tags": "a", "pages": 9007199254740993, "price": -0.25}"#,
    #"{"at": "2026-01-01T02:00:00Z", "title": "zoo", "pages": 3, "price": -0.0}"#,
    #"{"at": "2026-01-01T03:00:00Z", "title": "", "tags": ["c"]}"#,
  ]

  private static let queries = Result { try SmallTableTests.service(over: rows) }

  private static func answer(_ sql: String, context: String = "{}") throws -> String {
    try SmallTableTests.answer(sql, context: context, from: try queries.get())
  }

  /// A SUM over a CASE with ELSE 0 becomes a filtered SUM, unless WHERE has settled the CASE before.
  @Test(arguments: [
    ("SELECT SUM(CASE WHEN pages = 99 THEN pages ELSE 0 END) FROM shelf", "[null]"),
    ("SELECT SUM(CASE WHEN pages = 99 THEN 1 ELSE 0 END) FROM shelf", "[0]"),
    ("SELECT SUM(CASE WHEN pages = 99 THEN 1 ELSE 0 END) FROM shelf WHERE FALSE", "[null]"),
    ("SELECT SUM(CASE WHEN pages = 99 THEN 2 ELSE 0 END) FROM shelf WHERE pages IS NULL", "[0]"),
    ("SELECT SUM(CASE WHEN title = 'x' THEN pages ELSE 0 END) FROM shelf WHERE pages = 3", "[0]"),
    (
      "SELECT SUM(c) FROM (SELECT CASE WHEN pages = 99 THEN pages ELSE 0 END AS c FROM shelf)",
      "[null]"
    ),
    (
      "SELECT SUM(c) FROM (SELECT CASE WHEN pages = 99 THEN pages ELSE 0 END AS c FROM shelf LIMIT 2)",
      "[null]"
    ),
    (
      "SELECT SUM(c), COUNT(*) FROM (SELECT CASE WHEN pages < 9 THEN 1 ELSE 0 END AS c FROM shelf)",
      "[2,4]"
    ),
  ])
  func casesOfSums(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  /// What a condition that never holds leaves is computed without the table, as with WHERE FALSE.
  @Test(arguments: [
    ("SELECT MAX(title), COUNT(*) FROM shelf WHERE 1 = 2", "[null,0]"),
    (
      "SELECT SUM(CASE WHEN pages = 99 THEN 1 ELSE 0 END) FROM shelf WHERE price > 5 AND price < 3",
      "[null]"
    ),
    (
      "SELECT SUM(CASE WHEN pages = 99 THEN 1 ELSE 0 END) FROM shelf WHERE price > 5 AND price < 6",
      "[0]"
    ),
    ("SELECT pages FROM shelf WHERE title = 'a' AND title IN ('b', 'c') ORDER BY pages DESC", ""),
    ("SELECT pages FROM shelf WHERE pages BETWEEN 3 AND 1 ORDER BY price", ""),
    ("SELECT pages FROM shelf WHERE pages IS NULL AND pages = 3 ORDER BY price", ""),
    ("SELECT pages FROM shelf WHERE title <> title OR __time IS NULL ORDER BY price", ""),
    ("SELECT MAX(t) FROM (SELECT title AS t FROM shelf LIMIT 0)", "[null]"),
  ])
  func conditionsThatNeverHold(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  /// Forms whose answers a real Druid 33 was asked for.
  @Test(arguments: [
    ("SELECT 1 AS a UNION ALL SELECT 'x'", #"["1"] ["x"]"#),
    (
      "SELECT pages FROM shelf WHERE pages = 3 UNION ALL SELECT title FROM shelf WHERE pages = 3",
      #"["3"] ["zoo"]"#
    ),
    (
      "SELECT * FROM (SELECT pages FROM shelf UNION ALL SELECT title FROM shelf) LIMIT 1",
      #"["1"]"#
    ),
    (
      "SELECT a.x, b.y FROM (SELECT 1 AS x) a NATURAL JOIN (SELECT COUNT(*) AS y FROM shelf) b",
      "[1,4]"
    ),
    ("SELECT pages FROM shelf WHERE (pages, price) <> (1, 1.5) AND pages < 9", "[3]"),
    ("SELECT FLOOR(NULL TO DAY), TIMESTAMPADD(DAY, 1, NULL)", "[null,null]"),
    (
      "SELECT EXTRACT(YEAR FROM a), NOT a, CAST(a AS BIGINT) FROM (VALUES (NULL, 8)) AS t (a, b)",
      "[null,null,null]"
    ),
  ])
  func rareForms(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  @Test(arguments: [
    "SELECT MAX(__time) FROM shelf WHERE 1 > 2 AND pages = 3",
    "SELECT MAX(__time) FROM shelf WHERE pages = 1 AND pages = 3",
    "SELECT MIN(__time) FROM shelf WHERE pages IN (1, 2) AND pages > 2",
    "SELECT TIMESTAMPADD(DAY, 1, CAST(NULL AS TIMESTAMP))",
  ])
  func nullTimesOfNoRows(sql: String) throws {
    #expect(try Self.answer(sql).contains("timestampString"))
  }

  /// Bounds of ranges are doubles; a range of one value is that value.
  @Test(arguments: [
    ("SELECT pages FROM shelf WHERE pages > 9007199254740993", "[9007199254740993]"),
    (
      "SELECT pages FROM shelf WHERE pages BETWEEN 9007199254740993 AND 9007199254740993",
      "[9007199254740993]"
    ),
    ("SELECT pages * 1.0 = 9007199254740993 FROM shelf WHERE pages > 9", "[true]"),
    ("SELECT CAST(9007199254740993 * 1.0 AS BIGINT)", "[9007199254740993]"),
    (
      "SELECT pages = 9007199254740992e0, CAST(pages AS DOUBLE) = pages FROM shelf WHERE pages > 9",
      "[true,true]"
    ),
    ("SELECT COUNT(*) FROM shelf WHERE CAST(pages AS DOUBLE) * 1e0 + price * 0 = pages", "[3]"),
  ])
  func largeIntegers(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  /// NOT of AND and OR is an OR and AND of negations, each with its own rule for multi-values.
  @Test(arguments: [
    ("SELECT pages FROM shelf WHERE NOT (pages > 1 AND tags IN ('a', 'c'))", "[1]"),
    ("SELECT pages FROM shelf WHERE NOT (title = 'zoo' OR tags = 'a')", "[null]"),
  ])
  func negationsGoToTheParts(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  @Test func zerosAreTwoGroupsOverASubqueryToo() throws {
    #expect(
      try Self.answer(
        "SELECT p, COUNT(*) FROM (SELECT price * 0 AS p FROM shelf LIMIT 9) GROUP BY 1")
        == "[null,1] [-0.0,2] [0.0,1]")
  }

  /// A multi-value column that WHERE restricts to one value is replaced by it in expressions.
  @Test(arguments: [
    ("SELECT UPPER(tags), COUNT(*) FROM shelf WHERE tags = 'a' GROUP BY 1", #"["A",2]"#),
    (
      "SELECT UPPER(tags), COUNT(*) FROM shelf WHERE tags IN ('a', 'a') GROUP BY 1 ORDER BY 1",
      #"["A",2]"#
    ),
    ("SELECT tags, COUNT(*) FROM shelf WHERE tags = 'a' GROUP BY 1", #"["a",2] ["b",1]"#),
    ("SELECT title, tags FROM shelf WHERE tags = 'a'", #"["plain","a"] ["émoji","a"]"#),
    ("SELECT title FROM shelf WHERE REGEXP_LIKE(tags, '^b')", #"["plain"]"#),
    ("SELECT title FROM shelf WHERE CHAR_LENGTH(tags) > 0", #"["émoji"] [""]"#),
    ("SELECT title FROM shelf WHERE NOT REGEXP_LIKE(tags, '^b')", #"["émoji"] [""]"#),
    ("SELECT price FROM shelf WHERE pages IN (1.0, 3.5)", "[1.5] [-0.0]"),
    (
      "SELECT MV_FILTER_NONE(tags, ARRAY['a']) FROM shelf WHERE tags IS NOT NULL",
      #"["b"] [null] ["c"]"#
    ),
  ])
  func multipleValues(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  /// -0.0 is below 0.0 for an order and a group, and not found by IN.
  @Test(arguments: [
    ("SELECT COUNT(*) FROM shelf WHERE price < 0", "[2]"),
    ("SELECT COUNT(*) FROM shelf WHERE price >= 0", "[1]"),
    ("SELECT COUNT(*) FROM shelf WHERE price IN (0, 1.5)", "[1]"),
    ("SELECT price = 0, price < 0 FROM shelf WHERE pages = 3", "[true,true]"),
    ("SELECT price IN (0, 3), price IN (0) FROM shelf WHERE pages = 3", "[false,true]"),
    ("SELECT COUNT(*) FROM shelf WHERE price * 0 = 0 AND pages = 3", "[0]"),
    ("SELECT COUNT(*) FROM shelf WHERE pages IN (3.5, 100.5)", "[1]"),
    ("SELECT COUNT(*) FROM shelf WHERE NULL", "[0]"),
    ("SELECT COUNT(*) > 2 FROM shelf GROUP BY NULL ORDER BY 'a'", "[true]"),
    (
      "SELECT price * 0, COUNT(*) FROM shelf WHERE pages < 9 GROUP BY 1 ORDER BY 1",
      "[-0.0,1] [0.0,1]"
    ),
    ("SELECT MIN(price * 0), MAX(price * 0) FROM shelf WHERE pages < 9", "[-0.0,0.0]"),
    (
      "SELECT price / 0, COUNT(*) FROM shelf GROUP BY 1 ORDER BY 1 LIMIT 3",
      #"[null,1] ["-Infinity",1] ["Infinity",1]"#
    ),
  ])
  func zeros(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  @Test(arguments: [
    "SELECT pages FROM shelf ORDER BY 'a'", "SELECT tags FROM shelf ORDER BY tags",
    "SELECT ROW_NUMBER() OVER () FROM shelf", "SELECT title ILIKE 'a' FROM shelf",
    "SELECT GROUPING(title) FROM shelf", "SELECT *, pages FROM shelf GROUP BY 1",
    "SELECT tags = 'a' FROM shelf", "SELECT CHAR_LENGTH(tags) FROM shelf",
    "SELECT TIME_EXTRACT(__time, title) FROM shelf", "SELECT * shelf FROM shelf",
    "SELECT pages + INTERVAL '1' DAY FROM shelf",
    "SELECT pages FROM (SELECT pages FROM shelf) a NATURAL JOIN (SELECT pages FROM shelf) b",
  ])
  func refusedAsByDruid(sql: String) throws {
    #expect(try Self.answer(sql).contains("INVALID_INPUT"))
  }

  @Test(arguments: [
    "price = 0", "0 = price", "price = CAST(0 AS DOUBLE)", "price IS NOT DISTINCT FROM 0",
  ])
  func equalityWithZeroFindsNegativeZeroInGroupsAlone(condition: String) throws {
    #expect(try Self.answer("SELECT COUNT(*) FROM shelf WHERE \(condition)") == "[0]")
    #expect(try Self.answer("SELECT COUNT(*) FILTER (WHERE \(condition)) FROM shelf") == "[0]")
    let groups = "SELECT title, COUNT(*) FROM shelf WHERE \(condition) GROUP BY 1"
    #expect(try Self.answer(groups) == #"["zoo",1]"#)
    #expect(
      try Self.answer("SELECT price, COUNT(*) FROM shelf WHERE \(condition) GROUP BY 1") == "")
  }

  /// What FLOOR, CEIL and TRUNCATE make of a whole number is a double until it is a result.
  @Test(arguments: [
    ("SELECT FLOOR(5), CAST(FLOOR(5) AS VARCHAR), CEIL(5) || 'x'", #"[5,"5.0","5.0x"]"#),
    (
      "SELECT TO_JSON_STRING(TRUNCATE(17, -1)), JSON_OBJECT('a': FLOOR(5) + 1)",
      #"["10.0","{\"a\":6.0}"]"#
    ),
    ("SELECT UPPER(FLOOR(5) / 2), STRING_FORMAT('%s', CEIL(5))", #"["2.5","5.0"]"#),
    ("SELECT FLOOR(7) / 2, FLOOR(7) / 2 * 2, FLOOR(7) / 2 > 3, 7 / 2 * 2", "[3,7,true,6]"),
    ("SELECT TRUNCATE(pages, -1) + pages FROM shelf WHERE pages > 9", "[18014398509481982]"),
    ("SELECT SUM(CEIL(pages) / 2 * 2) FROM shelf WHERE pages < 9", "[4]"),
    ("SELECT FLOOR(pages) = 9007199254740993 FROM shelf WHERE pages > 9", "[true]"),
    (
      "SELECT pages / (FLOOR(pages) - 3) FROM shelf WHERE pages < 9", "[0] [9223372036854775807]"
    ),
    ("SELECT pages FROM shelf WHERE title IN ('zoo', 7)", "[3]"),
    ("SELECT pages IN (1, 2.5, 3) FROM shelf", "[true] [false] [true] [null]"),
    ("SELECT '7' IN ('x', 7), 'x' NOT IN ('y', 7), '7.0' IN ('y', 7)", "[true,true,false]"),
    (
      "SELECT STRING_FORMAT('%s %d', TIMESTAMP '1970-01-01 00:00:01', DATE '1970-01-02')",
      #"["1000 86400000"]"#
    ),
    ("SELECT CAST(FLOOR(pages) AS VARCHAR) FROM shelf WHERE pages < 9", #"["1.0"] ["3.0"]"#),
    ("SELECT ROUND(5) || '', ABS(CEIL(-5)) || ''", #"["5","5.0"]"#),
  ])
  func wholeNumbersHeldAsDoubles(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  /// Druid orders rows of the same time by their columns, and a text as the rows came.
  @Test func earliestOfRowsOfTheSameTime() throws {
    let rows = [
      #"{"at": "2026-01-01T00:00:00Z", "title": "b", "pages": 1, "price": 0.5}"#,
      #"{"at": "2026-01-01T00:00:00Z", "title": "a", "pages": 2, "price": 1.5}"#,
      #"{"at": "2026-01-01T00:00:00Z", "title": "a", "pages": 3}"#,
    ]
    let queries = try SmallTableTests.service(over: rows)
    let sql = "SELECT EARLIEST(pages), LATEST(pages), EARLIEST(title), EARLIEST(price) FROM shelf"
    #expect(try SmallTableTests.answer(sql, from: queries) == #"[2,1,"b",1.5]"#)
  }

  @Test(arguments: [
    "LEFT JOIN UNNEST(ARRAY[1]) AS t (u)", "CROSS JOIN UNNEST(ARRAY[1]) AS t (u) ON TRUE",
    "CROSS JOIN (SELECT title FROM shelf LIMIT 1) b USING (title)",
  ])
  func conditionsOfJoins(join: String) throws {
    #expect(try Self.answer("SELECT pages FROM shelf \(join)").contains("INVALID_INPUT"))
  }

  @Test func constantInAnExpressionOfKeysStaysConstant() throws {
    let sql = "SELECT TIME_FLOOR(__time, 'PT2H'), 'PT2H', COUNT(*) FROM shelf WHERE pages = 3 "
    #expect(
      try Self.answer(sql + "GROUP BY (__time, 'PT2H')")
        == #"["2026-01-01T02:00:00.000Z","PT2H",1]"#)
  }

  /// QUALIFY keeps rows by window functions, which may have names.
  @Test(arguments: [
    (
      "SELECT title FROM shelf QUALIFY ROW_NUMBER() OVER (ORDER BY pages DESC) <= 2",
      #"["émoji"] ["zoo"]"#
    ),
    (
      "SELECT pages, RANK() OVER (ORDER BY pages DESC) AS r FROM shelf WHERE pages > 1 QUALIFY r = 1",
      "[9007199254740993,1]"
    ),
  ])
  func qualify(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  /// A comparison with every value of a query, or with any.
  @Test(arguments: [
    ("pages > ALL (SELECT pages FROM shelf WHERE pages < 9)", "[9007199254740993]"),
    ("pages >= ALL (SELECT pages FROM shelf)", ""),
    ("pages < SOME (SELECT pages FROM shelf)", "[1] [3]"),
    ("pages > ANY (SELECT pages FROM shelf WHERE pages > 99999999999999999)", ""),
    ("price > ALL (SELECT pages FROM shelf WHERE pages < 0)", "[1] [9007199254740993] [3] [null]"),
    ("pages <> ANY (SELECT pages FROM shelf WHERE pages = 3)", "[1] [9007199254740993]"),
    ("pages <> ALL (SELECT pages FROM shelf WHERE pages > 1)", "[1]"),
    ("pages = ALL (SELECT pages FROM shelf WHERE pages = 3)", "[3]"),
  ])
  func quantifiedComparisons(condition: String, expected: String) throws {
    #expect(try Self.answer("SELECT pages FROM shelf WHERE \(condition)") == expected)
  }

  /// A truth is equal to 1 or 0, and has no order with numbers.
  @Test(arguments: [
    ("SELECT TRUE = 1", "[true]"), ("SELECT title FROM shelf WHERE title LIKE 5", ""),
    ("SELECT 15 LIKE 15, 1.5 LIKE 1.5", "[true,true]"),
  ])
  func truthsAndNumbersAsOthers(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  @Test(arguments: [
    "SELECT TRUE < 1", "SELECT pages FROM shelf WHERE pages BETWEEN FALSE AND 2",
    "SELECT ARRAY[1] = 1", "SELECT title < ARRAY['a'] FROM shelf",
    "SELECT title OVERLAPS title FROM shelf", "SELECT title MEMBER OF title FROM shelf",
  ])
  func refusedByCalcite(sql: String) throws {
    #expect(try Self.answer(sql).contains("INVALID_INPUT"))
  }

  @Test(arguments: [
    // Java's bytes have a sign: what is not ASCII comes first.
    (
      "SELECT title FROM (SELECT title FROM shelf LIMIT 9) ORDER BY title",
      #"[""] ["émoji"] ["plain"] ["zoo"]"#
    ),
    ("SELECT title FROM shelf GROUP BY 1 ORDER BY 1", #"[""] ["plain"] ["zoo"] ["émoji"]"#),
    ("SELECT 1 AS a ORDER BY 1", "[1]"),
    ("SELECT pages FROM shelf UNION ALL SELECT pages FROM shelf ORDER BY __time", "error"),
    (
      "SELECT pages, __time FROM shelf UNION ALL SELECT pages, __time FROM shelf ORDER BY __time LIMIT 2",
      #"[1,"2026-01-01T00:00:00.000Z"] [1,"2026-01-01T00:00:00.000Z"]"#
    ),
    (
      "SELECT pages, ARRAY_AGG(title) AS a FROM shelf WHERE pages = 3 GROUP BY 1 ORDER BY a",
      #"[3,["zoo"]]"#
    ),
    ("SELECT pages FROM (SELECT pages FROM shelf WHERE FALSE) ORDER BY 1", ""),
  ])
  func orders(sql: String, expected: String) throws {
    let answer = try Self.answer(sql, context: #"{"sqlStringifyArrays": false}"#)
    #expect(expected == "error" ? answer.hasPrefix("error") : answer == expected)
  }

  /// Queries that fail in Druid while they run.
  @Test(arguments: [
    ("SELECT pages, ARRAY_AGG(title) AS a FROM shelf GROUP BY 1 ORDER BY a", "java.util.ArrayList"),
    (
      "SELECT * FROM (SELECT pages, ARRAY_AGG(title) AS a FROM shelf GROUP BY 1) ORDER BY a",
      "java.util.ArrayList"
    ),
    (
      "SELECT e.pages FROM (SELECT pages, __time FROM shelf WHERE pages < 4) e JOIN shelf f ON e.pages = f.pages ORDER BY e.__time",
      "Time-ordering on scan queries"
    ),
    (
      "SELECT CHAR_LENGTH(MV_APPEND(title, 'a')) FROM shelf",
      "Cannot coerce field [v0] from type [java.util.ArrayList] to type [INTEGER]"
    ),
    ("SELECT pages, ARRAY_SLICE(ARRAY['x', 'y'], 0, 0) FROM shelf", "types.size >= 1"),
    ("SELECT pages, ARRAY_SLICE(ARRAY['x', 'y'], 1, -1) FROM shelf", "Calcite assertion violated"),
    ("SELECT (SELECT MAX(__time) FROM shelf WHERE FALSE)", "timestampString"),
    (
      "SELECT pages, MILLIS_TO_TIMESTAMP(253402300800000 + pages) FROM shelf WHERE pages = 3",
      "10000-01-01 00:00:00"
    ),
  ])
  func failures(sql: String, words: String) throws {
    let answer = try Self.answer(sql)
    #expect(answer.hasPrefix("error") && answer.contains(words), "\(answer)")
  }

  @Test(arguments: [
    ("SELECT title FROM shelf WHERE pages = 'abc'", ""),
    ("SELECT title FROM shelf WHERE pages IN (3, 'a')", #"["zoo"]"#),
    ("SELECT title + 1 FROM shelf WHERE pages = 3", "[null]"),
    ("SELECT title FROM shelf WHERE pages > ANY (2, 5)", #"["émoji"] ["zoo"]"#),
    (
      "SELECT title FROM shelf WHERE pages = SOME (SELECT pages FROM shelf WHERE pages < 3)",
      #"["plain"]"#
    ),
    ("SELECT (SELECT 1) + 1", "[2]"),
    (
      "SELECT MAX(w) FROM (SELECT FIRST_VALUE(title) OVER (ORDER BY title) AS w FROM shelf)",
      "error"
    ),
    ("SELECT pages FROM shelf UNION ALL SELECT __time FROM shelf", "error"),
    ("SELECT pages FROM shelf a NATURAL JOIN (SELECT pages FROM shelf WHERE pages = 3) b", "error"),
    ("SELECT ROW_NUMBER() OVER () FROM shelf", "error"),
    (
      "SELECT pages, (SELECT MAX(e.price) FROM shelf e WHERE e.pages < shelf.pages) FROM shelf ORDER BY __time",
      "[1,null] [9007199254740993,1.5] [3,1.5] [null,null]"
    ),
    ("SELECT a FROM (VALUES ('a'), (NULL)) AS t (a) ORDER BY 1", #"["a"] [null]"#),
    ("SELECT title FROM shelf LIMIT 1.5", #"["plain"]"#),
    ("SELECT a FROM (VALUES (1, 2), (3, 4)) AS t (a, b) WHERE (a, b) = (3, 4)", "[3]"),
    (
      "SELECT CASE WHEN pages = 3 THEN TRUE ELSE title END FROM shelf WHERE pages IN (1, 3)",
      #"["plain"] ["1"]"#
    ),
    (
      "SELECT title, t FROM shelf LEFT JOIN UNNEST(MV_TO_ARRAY(tags)) AS u (t) ON TRUE WHERE pages = 1",
      #"["plain","a"] ["plain","b"]"#
    ),
    (
      "SELECT pages, n FROM (SELECT pages, COUNT(*) AS n FROM shelf WHERE pages = 1 GROUP BY 1) a RIGHT JOIN (SELECT pages FROM shelf WHERE pages < 9 GROUP BY 1) b USING (pages)",
      "[1,1] [3,null]"
    ),
  ])
  func forms(sql: String, expected: String) throws {
    let answer = try Self.answer(sql)
    #expect(expected == "error" ? answer.hasPrefix("error") : answer == expected)
  }

  @Test func oldOffsetsHaveSeconds() throws {
    let answer = try Self.answer(
      "SELECT TIMESTAMP '1900-01-01 00:00:00'",
      context: #"{"sqlTimeZone": "America/Sao_Paulo"}"#)
    #expect(answer == #"["1900-01-01T00:00:00.000-03:06:28"]"#)
  }
}
