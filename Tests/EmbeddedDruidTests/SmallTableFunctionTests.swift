import Testing

@testable import EmbeddedDruid

/// Functions and aggregates over a few rows with NULLs, floats and multi-values.
@Suite struct SmallTableFunctionTests {
  @Test(arguments: [
    ("SELECT MV_SLICE(tags, 1) FROM shelf", #"["red"] ["[]"] [null] ["[]"] [null]"#),
    (
      "SELECT ARRAY_APPEND(tags, 'x') FROM shelf",
      #"["[\"old\",\"red\",\"x\"]"] ["[\"red\",\"x\"]"] [null] ["[\"blue\",\"x\"]"] [null]"#
    ),
    ("SELECT ARRAY_LENGTH(tags), ARRAY_OFFSET(tags, 1) FROM shelf LIMIT 2", #"[2,"red"] [1,null]"#),
    (
      "SELECT title FROM shelf WHERE MV_OVERLAP(tags, ARRAY[NULL, 'blue'])",
      #"["moss"] [""] [null]"#
    ),
    ("SELECT title FROM shelf WHERE MV_CONTAINS(tags, ARRAY[NULL])", #"["moss"] [null]"#),
    (
      "SELECT COALESCE(tags, 'none') FROM shelf LIMIT 3", #"["[\"old\",\"red\"]"] ["red"] ["none"]"#
    ),
    ("SELECT tags || title FROM shelf LIMIT 2", #"["[\"old7\",\"red7\"]"] ["red7.5"]"#),
    (
      "SELECT UPPER(SUBSTRING(tags, 1, 1)), COUNT(*) FROM shelf GROUP BY 1",
      #"[null,2] ["B",1] ["O",1] ["R",2]"#
    ),
    // Tests of one value, and what Calcite would make of several tests.
    ("SELECT title FROM shelf WHERE tags BETWEEN 'p' AND 'q'", ""),
    ("SELECT title FROM shelf WHERE NOT (tags > 'p')", #"["7"] [""]"#),
    ("SELECT COUNT(*) FROM shelf WHERE tags <> 'old' AND tags <> 'blue'", "[1]"),
    ("SELECT MV_CONTAINS(tags, 'red') FROM shelf WHERE tags IS NOT NULL", "[true] [true] [false]"),
    (
      "SELECT SUM(CASE WHEN MV_OVERLAP(tags, ARRAY['old', 'blue']) THEN 1 ELSE 0 END) FROM shelf",
      "[2]"
    ),
    // A row with several values has a list for a result, which Druid cannot show.
    ("SELECT tags = 'red' FROM shelf WHERE pages = 300", "[true]"),
    ("SELECT CASE WHEN tags = 'red' THEN 1 ELSE 0 END FROM shelf WHERE pages = 300", "[1]"),
    ("SELECT \"$SUM0\"(pages) FILTER (WHERE pages > 1000) FROM shelf", "[0]"),
    ("SELECT COUNT(DISTINCT tags), APPROX_COUNT_DISTINCT_DS_HLL(tags) FROM shelf", "[3,3]"),
    ("SELECT title FROM shelf WHERE tags = 'old' AND tags = 'red'", ""),
    // A CASE that becomes a filter; and one that does not, which gives NULL for several values.
    (
      "SELECT SUM(CASE WHEN tags = 'red' THEN 1 ELSE 0 END), COUNT(CASE WHEN tags LIKE 'o%' THEN 'x' END) FROM shelf",
      "[2,1]"
    ),
    (
      "SELECT title, SUM(CASE WHEN tags IN ('red', 'blue') THEN price ELSE 0 END) FROM shelf GROUP BY 1",
      #"[null,0.0] ["",null] ["7",null] ["7.5",2.0] ["moss",0.0]"#
    ),
  ])
  func severalValues(sql: String, expected: String) throws {
    #expect(try SmallTableTests.answer(sql) == expected)
  }

  @Test(arguments: [
    "SELECT COUNT(*) FROM shelf WHERE tags = 'old' AND tags > 'p'",
    "SELECT UPPER(tags), COUNT(*) FROM shelf GROUP BY 1 LIMIT 100",
    "SELECT COALESCE(tags, 'x') FROM shelf GROUP BY 1",
    "SELECT ARRAY[weight], COUNT(*) FROM shelf GROUP BY 1",
    "SELECT ARRAY[PARSE_JSON(title)] FROM shelf",
    "SELECT ANY_VALUE(price) FROM (SELECT CASE WHEN pages > 12 THEN price END AS price FROM shelf)",
  ])
  func refusals(sql: String) throws {
    #expect(try SmallTableTests.answer(sql).contains("UNSUPPORTED"))
  }

  @Test(arguments: [
    (
      "SELECT ARRAY_AGG(tags), ARRAY_AGG(DISTINCT tags) FROM shelf",
      #"["[\"old\",\"red\",\"red\",null,\"blue\",null]","[null,\"blue\",\"old\",\"red\"]"]"#
    ),
    (
      "SELECT STRING_AGG(tags, '|'), LISTAGG(DISTINCT pages) FROM shelf",
      #"["old|red|red|blue","123005"]"#
    ),
    (
      "SELECT ARRAY_AGG(weight), STRING_AGG(weight, ',') FROM shelf WHERE pages < 20",
      #"["[0.30000001192092896,null,null]","0.30000001192092896"]"#
    ),
    (
      "SELECT ARRAY_CONCAT_AGG(MV_TO_ARRAY(tags)) FROM shelf",
      #"["[\"old\",\"red\",\"red\",\"blue\"]"]"#
    ),
    (
      "SELECT EARLIEST_BY(title, MILLIS_TO_TIMESTAMP(pages)), LATEST_BY(price, __time) FROM shelf",
      #"["",4.5]"#
    ),
    (
      "SELECT EARLIEST(tags), ANY_VALUE(tags), ANY_VALUE(tags, 9, FALSE) FROM shelf",
      #"["[old, red]","[old, red]","old"]"#
    ),
    ("SELECT EARLIEST(title || 'abcdef', 3) FROM shelf", #"["7ab"]"#),
    (
      "SELECT ARRAY_AGG(DISTINCT ARRAY[pages, 1]), ARRAY_QUANTILE(ARRAY_AGG(price), 0.5) FROM shelf",
      #"["[[null,1],[5,1],[12,1],[300,1]]",3.25]"#
    ),
    (
      "SELECT t, COUNT(*) FROM shelf, UNNEST(MV_TO_ARRAY(tags)) AS u(t) GROUP BY 1 ORDER BY 1",
      #"[null,2] ["blue",1] ["old",1] ["red",2]"#
    ),
    ("SELECT COUNT(DISTINCT pages), APPROX_COUNT_DISTINCT_DS_THETA(title) FROM shelf", "[3,3]"),
    (
      "SELECT APPROX_QUANTILE_DS(price, 0.5), APPROX_QUANTILE_DS(price, 0.98) FROM shelf",
      "[2.0,9.0]"
    ),
    (
      "SELECT ARRAY_AGG(title), LISTAGG(title), ANY_VALUE(pages) FROM shelf WHERE pages = -1",
      "[null,null,null]"
    ),
  ])
  func collections(sql: String, expected: String) throws {
    #expect(try SmallTableTests.answer(sql) == expected)
  }

  @Test(arguments: [
    ("SELECT CONCAT(title, pages, price) FROM shelf LIMIT 2", #"["7121.5"] ["7.53002.0"]"#),
    ("SELECT weight + price, price + weight FROM shelf LIMIT 1", "[1.8,1.800000011920929]"),
    ("SELECT ROUND(weight), ROUND(weight, 1) FROM shelf LIMIT 2", "[0.0,0.3] [0.0,0.3]"),
    ("SELECT SAFE_DIVIDE(pages, 0), SAFE_DIVIDE(price, pages) FROM shelf LIMIT 1", "[null,0.125]"),
    ("SELECT GREATEST(pages, weight), LEAST(title, pages) FROM shelf LIMIT 1", #"[12.0,"12"]"#),
    ("SELECT title FROM shelf WHERE SCALAR_IN_ARRAY(pages, ARRAY[5, 300])", #"["7.5"] [""]"#),
    (
      "SELECT HUMAN_READABLE_BINARY_BYTE_FORMAT(pages * 1000) FROM shelf LIMIT 1", #"["11.72 KiB"]"#
    ),
    (
      "SELECT IPV4_PARSE('10.1.2.3'), IPV4_MATCH(title, '10.0.0.0/8') FROM shelf LIMIT 1",
      "[167838211,false]"
    ),
    ("SELECT JSON_OBJECT('x':1, 'a':2, 'zz':3)", #"["{\"zz\":3,\"a\":2,\"x\":1}"]"#),
    ("SELECT JSON_KEYS(PARSE_JSON('{\"y\":1,\"x\":2}'), '$.')", #"["[\"y\",\"x\"]"]"#),
    ("SELECT CAST(1 / 0.0 AS BIGINT)", "[9223372036854775807]"),
    (
      "SELECT TRUNCATE(pages), TRUNCATE(pages * 100, -3) FROM shelf LIMIT 2",
      "[12,1000] [300,30000]"
    ),
    ("SELECT CAST(pages - 12 AS BOOLEAN) FROM shelf LIMIT 3", "[false] [true] [null]"),
    (
      "SELECT ARRAY[pages], COUNT(*) FROM shelf GROUP BY 1 ORDER BY 1",
      #"["[null]",1] ["[5]",1] ["[12]",2] ["[300]",1]"#
    ),
    ("SELECT title FROM shelf WHERE MV_TO_ARRAY(tags) = ARRAY['old', 'red']", #"["7"]"#),
    ("SELECT pages" + String(repeating: " + 1", count: 90) + " FROM shelf LIMIT 1", "[102]"),
    ("SELECT COUNT(*) FROM shelf WHERE pages BETWEEN SYMMETRIC 20 AND 10", "[2]"),
    (
      "SELECT DECODE_BASE64_UTF8('aGVsbG8='), MV_TO_STRING(ARRAY['a', 'b'], '-')",
      #"["hello","a-b"]"#
    ),
  ])
  func scalars(sql: String, expected: String) throws {
    #expect(try SmallTableTests.answer(sql) == expected)
  }

  @Test(arguments: [
    "SELECT LN(0) FROM shelf", "SELECT pages + 1 / 0.0 FROM shelf",
    "SELECT REGEXP_LIKE(title, NULL) FROM shelf",
    "SELECT REGEXP_EXTRACT(title, '(') FROM shelf", "SELECT CURRENT_TIMESTAMP(4)",
    "SELECT EARLIEST_BY(title, pages) FROM shelf", "SELECT STRING_AGG(title, title) FROM shelf",
    "SELECT HUMAN_READABLE_DECIMAL_FORMAT('1')", "SELECT TIME_EXTRACT(__time) FROM shelf",
  ])
  func errors(sql: String) throws {
    #expect(try SmallTableTests.answer(sql).contains("INVALID_INPUT"))
  }

  @Test(arguments: [
    "SELECT tags, COUNT(*) FROM shelf GROUP BY tags HAVING tags = 'red'",
    "SELECT * FROM (SELECT tags, COUNT(*) AS n FROM shelf GROUP BY tags) WHERE tags = 'red'",
    "SELECT * FROM (SELECT UPPER(tags) AS t FROM shelf GROUP BY 1) WHERE t <> 'RED'",
    "SELECT MV_FILTER_ONLY(tags, ARRAY['red']), COUNT(*) FROM shelf GROUP BY 1 ORDER BY 2 LIMIT 9",
    "SELECT tags, ROW_NUMBER() OVER (ORDER BY title) FROM shelf",
  ])
  func changedByPlanner(sql: String) throws {
    #expect(try SmallTableTests.answer(sql).contains("UNSUPPORTED"))
  }
}
