import Plumbing
import Testing

@testable import EmbeddedDruid

/// Answers over a few rows with NULLs, floats and multi-values, as Druid gives them.
@Suite struct SmallTableTests {
  static let specText = #"""
    {"type": "kafka", "spec": {
      "dataSchema": {
        "dataSource": "shelf", "timestampSpec": {"column": "at", "format": "iso"},
        "dimensionsSpec": {"dimensions": [
          "title", {"type": "string", "name": "tags"}, {"type": "long", "name": "pages"},
          {"type": "double", "name": "price"}, {"type": "float", "name": "weight"}]},
        "granularitySpec": {"segmentGranularity": "DAY", "queryGranularity": "NONE", "rollup": false}},
      "ioConfig": {"topic": "shelf", "inputFormat": {"type": "json"},
        "consumerProperties": {"bootstrap.servers": "127.0.0.1:9"}, "useEarliestOffset": true},
      "tuningConfig": {"type": "kafka"}}}
    """#

  static let rows = [
    #"{"at": "2020-03-01", "title": "7", "tags": ["old", "red"], "pages": 12, "price": 1.5, "weight": 0.3}"#,
    #"{"at": "2020-03-02", "title": "7.5", "tags": "red", "pages": 300, "price": 2.0, "weight": 0.25}"#,
    #"{"at": "2020-03-02", "title": "moss", "tags": [], "price": 9.0, "weight": 2}"#,
    #"{"at": "2020-04-05", "title": "", "tags": ["blue"], "pages": 5}"#,
    #"{"at": "2020-04-06", "pages": 12, "price": 4.5}"#,
  ]

  static let queries = Result { try service(over: rows) }

  static func service(over rows: [String]) throws -> QueryService {
    let storage = try TemporaryStorage(directory: "/tmp")
    let supervisors = Supervisors(offline: storage)
    try supervisors.hold(rows.map { Array($0.utf8) }, as: specText, in: storage)
    return QueryService(supervisors)
  }

  /// The rows as consecutive JSON arrays, or the error.
  static func answer(
    _ sql: String, context: String = "{}", from queries: QueryService? = nil
  ) throws -> String {
    try (queries ?? Self.queries.get()).text(of: sql, context: context)
      .split(separator: "\n").joined(separator: " ")
  }

  @Test(arguments: [
    // A filter compares a string column with a number as a string, but sorts it as a number.
    ("SELECT title FROM shelf WHERE title = 7", #"["7"]"#),
    ("SELECT title FROM shelf WHERE title IN (7, 8)", #"["7"]"#),
    ("SELECT title FROM shelf WHERE CAST(title AS BIGINT) = 7", #"["7"]"#),
    ("SELECT title FROM shelf WHERE CAST(title AS DOUBLE) > 7", #"["7.5"]"#),
    ("SELECT title FROM shelf WHERE CAST(title AS DOUBLE) < 7", #"["moss"] [""]"#),
    ("SELECT CAST(title AS BIGINT) = 7 FROM shelf", "[true] [true] [null] [null] [null]"),
    ("SELECT pages FROM shelf WHERE pages = '12'", "[12] [12]"),
    // A filter looks for a float as a float.
    ("SELECT title FROM shelf WHERE weight = 0.3", #"["7"]"#),
    ("SELECT title FROM shelf WHERE weight <> 0.3", #"["7.5"] ["moss"]"#),
    ("SELECT COUNT(*) FROM shelf WHERE weight > 0.3", "[2]"),
    ("SELECT COUNT(*) FROM shelf WHERE title IN ('7', NULL)", "[1]"),
    ("SELECT COUNT(*) FROM shelf WHERE title NOT IN ('7', NULL)", "[0]"),
    ("SELECT BIT_AND(pages), BIT_OR(pages) FROM shelf", "[0,301]"),
  ])
  func filtersAndNumbers(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  /// A query with one key, one order and a limit is a TopN, which sorts NULL differently.
  @Test(arguments: [
    (
      "SELECT pages FROM shelf GROUP BY pages ORDER BY pages DESC LIMIT 2", "[null] [300]"
    ),
    (
      "SELECT title, SUM(price) FROM shelf GROUP BY title ORDER BY 2 LIMIT 5",
      #"["7",1.5] ["7.5",2.0] [null,4.5] ["moss",9.0] ["",null]"#
    ),
    (
      "SELECT title, LATEST(price) FROM shelf GROUP BY title ORDER BY 2 LIMIT 2",
      #"["",null] ["7",1.5]"#
    ),
    (
      "SELECT title, COUNT(*) FROM shelf GROUP BY title ORDER BY 2 DESC LIMIT 2",
      #"[null,1] ["",1]"#
    ),
    (
      "SELECT title, SUM(price) FROM shelf GROUP BY title ORDER BY 2 LIMIT 5 OFFSET 1",
      #"["7",1.5] ["7.5",2.0] [null,4.5] ["moss",9.0]"#
    ),
  ])
  func topN(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  @Test func groupingSetsComeSetBySet() throws {
    let sql = "FROM shelf WHERE price > 1.6 GROUP BY GROUPING SETS "
    #expect(
      try Self.answer(
        "SELECT title, pages, COUNT(*) " + sql + "((), (pages), (title, pages)) LIMIT 9")
        == #"["moss",null,1] [null,12,1] ["7.5",300,1] [null,null,1] [null,12,1] [null,300,1] [null,null,3]"#
    )
    #expect(
      try Self.answer("SELECT title " + sql + "((), (title)) ORDER BY title LIMIT 9")
        == #"[null] [null] ["7.5"] ["moss"]"#)
  }

  @Test(arguments: [
    // A LIMIT that is ordered by keys alone applies to the finest groups, which the total sums up.
    (
      "title, COUNT(*) FROM shelf GROUP BY ROLLUP (title) ORDER BY title LIMIT 3",
      #"[null,1] [null,3] ["",1]"#
    ),
    (
      "title, pages, SUM(price) FROM shelf GROUP BY GROUPING SETS ((title), (pages)) ORDER BY 2 DESC LIMIT 2",
      #"[null,300,2.0] [null,12,4.5]"#
    ),
    (
      "title, COUNT(*) AS n FROM shelf GROUP BY ROLLUP (title) ORDER BY n DESC, title DESC LIMIT 2",
      #"[null,5] ["moss",1]"#
    ),
    (
      "title, COUNT(*) FROM shelf GROUP BY ROLLUP (title) ORDER BY 1 LIMIT 2 OFFSET 1",
      "Cannot push down offsets"
    ),
    // What is repeated comes once more, after all others.
    (
      "pages, COUNT(*) FROM shelf WHERE pages > 9 GROUP BY GROUPING SETS ((pages), (), (pages))",
      "[12,2] [300,1] [null,3] [12,2] [300,1]"
    ),
    (
      "pages, COUNT(*) FROM shelf WHERE pages > 9 GROUP BY DISTINCT GROUPING SETS ((pages), (pages))",
      "[12,2] [300,1]"
    ),
    ("COUNT(*) FROM shelf GROUP BY ROLLUP (pages, pages)", "[1] [1] [2] [1] [5]"),
    (
      "pages + 1 FROM shelf GROUP BY GROUPING SETS ((pages), (pages))",
      "SQL requires union between inputs"
    ),
    (
      "pages FROM shelf GROUP BY GROUPING SETS ((pages), (pages)) ORDER BY 1",
      "SQL requires union between inputs"
    ),
    // A key that WHERE holds to one value.
    (
      "title, COUNT(*), GROUPING(title) FROM shelf WHERE title = '7' GROUP BY ROLLUP (title)",
      #"["7",1,0] [null,1,1]"#
    ),
    ("title, COUNT(*) FROM shelf WHERE title = 'none' GROUP BY ROLLUP (title)", ""),
  ])
  func groupingSets(sql: String, expected: String) throws {
    let answer = try Self.answer("SELECT " + sql)
    #expect(answer == expected || answer.hasPrefix("error") && answer.contains(expected))
  }

  /// A TopN has no group for a row with an empty list; a GroupBy counts it as NULL.
  @Test func emptyLists() throws {
    let sql = "SELECT tags, COUNT(*) FROM shelf GROUP BY tags"
    #expect(try Self.answer(sql) == #"[null,2] ["blue",1] ["old",1] ["red",2]"#)
    let all = #"[null,1] ["blue",1] ["old",1] ["red",2]"#
    #expect(try Self.answer(sql + " ORDER BY tags LIMIT 9") == all)
    #expect(try Self.answer(sql + " LIMIT 9") == all)
    #expect(try Self.answer(sql + " ORDER BY 2 DESC LIMIT 2") == #"["red",2] [null,1]"#)
    #expect(
      try Self.answer("SELECT tags FROM shelf WHERE title = 'moss' GROUP BY tags LIMIT 9") == "")
    #expect(
      try Self.answer("SELECT UPPER(tags) FROM shelf GROUP BY 1 LIMIT 9").contains("UNSUPPORTED"))
  }

  @Test(arguments: [
    ("(SELECT title FROM shelf WHERE pages = 5)", #"[""]"#),
    ("(SELECT title FROM shelf WHERE pages = 6)", "[null]"),
    (
      "(SELECT title FROM shelf WHERE pages = 12)", "Subquery expression returned more than one row"
    ),
    (
      "(SELECT title, pages FROM shelf)", "$SCALAR_QUERY(<RECORDTYPE(VARCHAR TITLE, BIGINT PAGES)>)"
    ),
    (
      "title, (SELECT COUNT(*) FROM shelf s WHERE s.pages = shelf.pages) FROM shelf",
      #"["7",2] ["7.5",1] ["moss",0] ["",1] [null,2]"#
    ),
    (
      "title, (SELECT COUNT(*) FROM shelf s WHERE s.pages = shelf.pages AND s.price < shelf.price) FROM shelf",
      #"["7",0] ["7.5",0] ["moss",0] ["",0] [null,1]"#
    ),
    (
      "COUNT(*) FROM shelf a WHERE price > (SELECT AVG(price) FROM shelf b WHERE b.pages = a.pages)",
      "[1]"
    ),
    (
      "title FROM shelf WHERE pages IN (SELECT pages FROM shelf s WHERE s.price = shelf.price)",
      #"["7"] ["7.5"] [null]"#
    ),
    // A name that only the enclosing query has; NULL is not in it.
    (
      "title FROM shelf WHERE pages NOT IN (SELECT pages FROM shelf s WHERE s.price = shelf.price)",
      #"["moss"] [""]"#
    ),
    // Numbers of a union stay as they are.
    (
      "pages FROM shelf WHERE pages = 5 UNION ALL SELECT price FROM shelf WHERE price > 4",
      "[5] [9.0] [4.5]"
    ),
    ("1 AS a UNION ALL SELECT 2.5", "[1] [2.5]"),
    ("1 AS a UNION ALL SELECT NULL", "[1] [null]"),
    (
      "title, tag FROM shelf JOIN UNNEST(MV_TO_ARRAY(tags)) AS t(tag) ON tag = 'red'",
      #"["7","red"] ["7.5","red"]"#
    ),
    (
      "title, tag FROM shelf LEFT JOIN UNNEST(ARRAY[1, 2]) AS t(tag) ON TRUE WHERE title = '7'",
      #"["7",1] ["7",2]"#
    ),
    (
      "title FROM shelf RIGHT JOIN UNNEST(MV_TO_ARRAY(tags)) AS t(tag) ON TRUE",
      "Unknown join type RIGHT"
    ),
  ])
  func subqueriesAndJoins(sql: String, expected: String) throws {
    let answer = try Self.answer("SELECT " + sql)
    #expect(answer == expected || answer.hasPrefix("error") && answer.contains(expected))
  }

  /// Groups are in the order of their keys, whether these are shown or not.
  @Test func groupsComeInOrder() throws {
    let sql = "SELECT title, COUNT(*) AS n FROM shelf GROUP BY title"
    let expected = #"[null,1] ["",1] ["7",1] ["7.5",1] ["moss",1]"#
    #expect(try Self.answer(sql) == expected)
    #expect(try Self.answer("SELECT * FROM (\(sql) ORDER BY n DESC) WHERE n > 0") == expected)
    #expect(
      try Self.answer("SELECT title FROM (\(sql))") == #"[null] [""] ["7"] ["7.5"] ["moss"]"#)
  }

  @Test func contexts() throws {
    let count = "SELECT COUNT(*) FROM shelf WHERE title = 'none'"
    #expect(try Self.answer(count) == "[0]")
    #expect(try Self.answer(count, context: #"{"skipEmptyBuckets": true}"#) == "")
    let now = #"{"sqlCurrentTimestamp": "2020-03-02T12:00:00Z"}"#
    #expect(
      try Self.answer(
        "SELECT title FROM shelf WHERE __time > CURRENT_TIMESTAMP - INTERVAL '1 02' DAY TO HOUR",
        context: now) == #"["7.5"] ["moss"] [""] [null]"#)
    #expect(
      try Self.answer(
        "SELECT tags, COUNT(*) FROM shelf GROUP BY tags",
        context: #"{"groupByEnableMultiValueUnnesting": false}"#
      ).contains("UNSUPPORTED"))
    #expect(
      try Self.answer(
        "SELECT title FROM shelf GROUP BY title ORDER BY title DESC",
        context: #"{"sqlOuterLimit": 2}"#) == #"[null] ["moss"]"#)
    #expect(try Self.answer(count, context: #"{"maxSubqueryRows": "200000"}"#) == "[0]")
    #expect(try Self.answer(count, context: #"{"maxSubqueryRows": 1}"#) == "[0]")
  }

  @Test(arguments: [
    // A multi-value column has a row where it has no value; an array has none.
    (
      "SELECT title, tag FROM shelf, UNNEST(MV_TO_ARRAY(tags)) AS t(tag)",
      #"["7","old"] ["7","red"] ["7.5","red"] ["moss",null] ["","blue"] [null,null]"#
    ),
    (
      "SELECT tag FROM shelf, UNNEST(MV_TO_ARRAY(tags)) AS t(tag) LIMIT 3",
      #"["old"] ["red"] ["red"]"#
    ),
    (
      "SELECT tag, COUNT(*) FROM shelf, UNNEST(MV_TO_ARRAY(tags)) AS t(tag) GROUP BY tag ORDER BY tag LIMIT 2",
      #"[null,2] ["blue",1]"#
    ),
    (
      "SELECT tag FROM (SELECT title AS name, tags FROM shelf WHERE pages > 6) s, "
        + "UNNEST(MV_TO_ARRAY(s.tags)) AS t(tag) WHERE tag IS NULL OR tag <> 'old'",
      #"["red"] ["red"] [null]"#
    ),
    (
      "SELECT part FROM shelf, UNNEST(STRING_TO_ARRAY(title, '[.]')) AS t(part)",
      #"["7"] ["7"] ["5"] ["moss"] [""]"#
    ),
    (
      "SELECT title FROM shelf t JOIN (SELECT pages, ARRAY_AGG(price) AS a FROM shelf GROUP BY pages) u "
        + "ON t.pages = u.pages WHERE ARRAY_LENGTH(u.a) = 2",
      #"["7"] [null]"#
    ),
    ("SELECT price * -0.0 > 0, price * -0.0 <= 0 FROM shelf LIMIT 1", "[false,true]"),
  ])
  func unnested(sql: String, expected: String) throws {
    #expect(try Self.answer(sql) == expected)
  }

  @Test func unnestedSubqueries() throws {
    func sql(_ limit: Int) -> String {
      "SELECT tag FROM (SELECT tags FROM shelf LIMIT \(limit)) s, UNNEST(MV_TO_ARRAY(s.tags)) AS t(tag)"
    }
    #expect(try Self.answer(sql(2)) == #"["old"] ["red"] ["red"]"#)
    #expect(try Self.answer(sql(3)).contains("UNSUPPORTED"))
  }

  @Test func zerosOfTwoSigns() throws {
    let sql = "SELECT FLOOR(price) AS f, COUNT(*) FROM shelf GROUP BY 1"
    #expect(try Self.answer(sql) == "[null,1] [1.0,1] [2.0,1] [4.0,1] [9.0,1]")
    #expect(
      try Self.answer("SELECT FLOOR(weight) * (pages - 100), COUNT(*) FROM shelf GROUP BY 1")
        == "[null,3] [-0.0,1] [0.0,1]")
  }

  /// A filter ignores a CAST of a column. Rows for which that matters are refused.
  @Test func castsInFilters() throws {
    let sql = "SELECT title FROM shelf WHERE CAST(price AS BIGINT) "
    #expect(try Self.answer(sql + "= 9") == #"["moss"]"#)
    #expect(try Self.answer(sql + "> 1").contains("UNSUPPORTED"))
    #expect(try Self.answer(sql + "< 2 AND pages < 100").contains(#"["7"]"#))
    #expect(
      try Self.answer("SELECT title FROM shelf WHERE CAST(weight AS DOUBLE) = 0.3") == #"["7"]"#)
  }

  @Test func literalsOfTime() throws {
    #expect(
      try Self.answer(
        "SELECT DATE '2020-02-28' + INTERVAL '2' DAY, CAST(__time AS DATE) - INTERVAL '1' DAY, "
          + "TIME_FLOOR(__time, 'p1m') FROM shelf LIMIT 1")
        == #"["2020-03-01T00:00:00.000Z","2020-02-29T00:00:00.000Z","2020-03-01T00:00:00.000Z"]"#)
    #expect(
      try Self.answer("SELECT COALESCE(title, ARRAY['x']) FROM shelf").contains("Illegal mixing"))
  }

  /// A DATE plus some hours is the day of the sum, in the zone of the session.
  @Test func datesInZones() throws {
    let sql =
      "SELECT DATE '2025-02-28' - INTERVAL '30' SECOND, DATE '2025-02-28' + INTERVAL '2' DAY, "
      + "TIMESTAMPADD(HOUR, -2, DATE '2026-11-01'), TIMESTAMPADD(MONTH, 1, DATE '2026-01-31') FROM shelf LIMIT 1"
    #expect(
      try Self.answer(sql, context: #"{"sqlTimeZone": "America/Los_Angeles"}"#)
        == #"["2025-02-27T00:00:00.000-08:00","2025-03-02T00:00:00.000-08:00","#
        + #""2026-10-31T22:00:00.000-07:00","2026-02-28T00:00:00.000-08:00"]"#)
  }

  @Test func intervalsInZones() throws {
    let sql = "SELECT COUNT(*) FROM shelf WHERE TIME_IN_INTERVAL(__time, '2020-03-01/P1D')"
    #expect(try Self.answer(sql) == "[1]")
    #expect(try Self.answer(sql, context: #"{"sqlTimeZone": "America/Lima"}"#) == "[2]")
    let wrong = "SELECT COUNT(*) FROM shelf WHERE TIME_IN_INTERVAL(__time, '2020-03-01/Q')"
    #expect(try Self.answer(wrong).contains("not a valid ISO8601 interval"))
  }
}

extension QueryService {
  /// The answer in the format `arrayLines`, or the error.
  func text(of sql: String, context: String = "{}") throws -> String {
    let body = JSONValue.object([
      .init(key: "query", value: .string(sql)),
      .init(key: "resultFormat", value: .string("arrayLines")),
      .init(key: "context", value: try JSONValue(parsing: context)),
    ])
    let request = try SQLRequest(body: Array(body.jsonText.utf8), newID: { "1" })
    do {
      switch try run(request).result {
      case .whole(let bytes): return String(decoding: bytes, as: UTF8.self)
      case .streaming(let answer):
        var bytes: [UInt8] = []
        while let more = answer.next() { bytes += more }
        return String(decoding: bytes, as: UTF8.self)
      }
    } catch let error as DruidError {
      return "error " + error.body.jsonText
    }
  }
}
