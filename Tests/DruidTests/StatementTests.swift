import Plumbing
import TestSupport
import Testing

@testable import Druid

@Suite struct StatementTests {
  static func split(_ script: String, pieces: [Int] = []) throws -> [Statement] {
    try split(Array(script.utf8), pieces: pieces)
  }

  static func split(_ bytes: [UInt8], pieces: [Int] = []) throws -> [Statement] {
    var splitter = StatementSplitter(source: "q.sql")
    var statements: [Statement] = []
    var start = 0
    for end in pieces + [bytes.count] {
      statements += try splitter.take(Array(bytes[start..<end]).rawSpan)
      start = end
    }
    if let last = try splitter.finish() { statements.append(last) }
    return statements
  }

  @Test(
    arguments: [
      ("", []), (" ;; ; \n", []), ("SELECT 1", ["SELECT 1"]), ("SELECT 1;", ["SELECT 1"]),
      ("a;b", ["a", "b"]), ("a ; b ;c", ["a", "b", "c"]),
      ("SELECT ';'; x", ["SELECT ';'", "x"]),
      ("SELECT 'it''s; ok'; x", ["SELECT 'it''s; ok'", "x"]),
      ("SELECT \"a;\"\"b\";x", ["SELECT \"a;\"\"b\"", "x"]),
      ("SELECT U&'\\00e9;'; x", ["SELECT U&'\\00e9;'", "x"]),
      ("SELECT 'back\\'; x", ["SELECT 'back\\'", "x"]),
      ("SELECT E'it\\'s;' ; x", ["SELECT E'it\\'s;'", "x"]),
      ("SELECT nameE'\\'; x", ["SELECT nameE'\\'", "x"]),
      ("-- one; two\nSELECT 1; -- three; four", ["SELECT 1"]),
      ("/* a; /* b */ SELECT /* c; */ 2 /* d */;", ["SELECT /* c; */ 2"]),
      ("/*/ ; */ x", ["x"]), ("/**/ x", ["x"]), ("// a;\nx", ["x"]),
      ("SELECT 1 - -1; SELECT 4/2", ["SELECT 1 - -1", "SELECT 4/2"]),
      ("SELECT 1 -; x", ["SELECT 1 -", "x"]), ("SELECT 2 /", ["SELECT 2 /"]), ("-;", ["-"]),
      ("SELECT 1 --c\n, 2; x", ["SELECT 1 --c\n, 2", "x"]),
      ("\u{feff}SELECT 1", ["SELECT 1"]), ("\u{feff}-- c\nSELECT 1", ["-- c\nSELECT 1"]),
      ("\u{feff}", []),
      ("SELECT 'é日🙂;'; x", ["SELECT 'é日🙂;'", "x"]), ("a\r\n;\r\nb\r\n", ["a", "b"]),
      ("'a'';';x", ["'a'';'", "x"]), ("-- only a comment", []), ("/* only */", []),
    ] as [(String, [String])]) func scripts(script: String, expected: [String]) throws
  {
    let statements = try Self.split(script)
    #expect(statements.map(\.text) == expected)
    #expect(statements.map(\.number) == Array(1..<expected.count + 1))
  }

  @Test(
    arguments: [
      ("SELECT 1;\n SELECT 'abc", "2, column 9 (statement 2): a string", " SELECT 'abc", 8),
      ("SELECT \"a", "1, column 8 (statement 1): a quoted name", "SELECT \"a", 7),
      ("SELECT '日本',\r\n '🙂' 'x\ny", "2, column 6 (statement 1): a string", " '🙂' 'x", 6),
      ("x;\n  /* y\nz", "2, column 3 (statement 2): a comment", "  /*", 2),
      ("x;\n1 /* y\nz", "2, column 3 (statement 2): a comment", "1 /* y", 2),
      ("\u{feff}SELECT 'x", "1, column 8 (statement 1): a string", "SELECT 'x", 7),
    ]) func whatHasNoEnd(script: String, message: String, line: String, caret: Int)
  {
    #expect { try Self.split(script) } throws: {
      let failure = $0 as? StatementFailure
      return failure?.message == "q.sql: line \(message) begins here and is not closed"
        && failure?.details == ["  " + line, String(repeating: " ", count: caret + 2) + "^"]
        && failure?.exitStatus == .input
    }
  }

  @Test func notUTF8() {
    #expect { try Self.split(Array("a;\n é ".utf8) + [0x61, 0xff, 0x62]) } throws: {
      ($0 as? StatementFailure)?.message
        == "q.sql: line 2, column 2 (statement 2): the statement that begins here is not UTF-8"
    }
  }

  /// Lines end where the server ends them, also at a carriage return.
  @Test(arguments: ["\n", "\r\n", "\r"]) func linesOfOtherSystems(newline: String) throws {
    let script = ["SELECT 1;", "SELECT a,", "  b, x", "FROM t"].joined(separator: newline)
    let statement = try Self.split(script)[1]
    #expect(statement.line == 2)
    let place = Statement.Place(line: 2, column: 6)
    #expect(statement.title(at: place) == "q.sql: line 3, column 6 (statement 2)")
    #expect(statement.excerpt(at: place) == ["    b, x", "       ^"])
    #expect(statement.place(ofByte: statement.text.utf8.count).line == 3)
  }

  /// Many statements on one line: each takes time for its own length only, and has the correct
  /// column.
  @Test func aScriptOfOneLongLine() throws {
    let statements = try Self.split(String(repeating: "SELECT 'é';", count: 30_000))
    #expect(statements.count == 30_000)
    let place = Statement.Place(line: 1, column: 8)
    let title = try #require(statements.last?.title(at: place))
    #expect(title == "q.sql: line 1, column \(29_999 * 11 + 8) (statement 30000)")
    #expect(statements.last?.excerpt(at: place).last == String(repeating: " ", count: 63) + "^")
  }

  /// Splitting the script anywhere changes nothing: all ways for a difficult one, random ways for
  /// random scripts.
  @Test func choppingChangesNothing() throws {
    let nasty = "/* a;*/ SELECT E'\\';' , 'x''', \"y\"\"\" -- ;\n / 2 -1;\n//;\nU&'é'; - -- z\n;b"
    let bytes = Array(nasty.utf8)
    let expected = try Self.split(bytes)
    #expect(expected.count == 4)
    for cut in 0...bytes.count {
      for other in stride(from: cut, through: bytes.count, by: 3) {
        #expect(try Self.split(bytes, pieces: [cut, other]) == expected)
      }
    }
    #expect(try Self.split(bytes, pieces: Array(0..<bytes.count)) == expected)
  }

  /// Splitting any script changes nothing, and each statement that results is again one statement.
  @Test func scriptsAreFuzzed() throws {
    let parts = Array("';\"-/*\\\n\rE u&a1é ?=".utf8)
    try Fuzzing.run("scripts") { (generator: inout SeededGenerator) throws in
      let count = Int.random(in: 0...40, using: &generator)
      let bytes = (0..<count).compactMap { _ in parts.randomElement(using: &generator) }
      let pieces = (0..<3).map { _ in Int.random(in: 0...count, using: &generator) }.sorted()
      let whole = Result { try Self.split(bytes) }
      let chopped = Result { try Self.split(bytes, pieces: pieces) }
      switch (whole, chopped) {
      case (.success(let a), .success(let b)):
        #expect(a == b, "\(bytes)")
        for statement in a {
          let again = try Self.split(statement.text).map(\.text)
          #expect(again == [statement.text], "\(bytes)")
          _ = statement.tableNames
          _ = statement.approximations(context: [])
          _ = try? statement.contextSetting()
        }
      case (.failure(let a as StatementFailure), .failure(let b as StatementFailure)):
        #expect(a == b, "\(bytes)")
      default: Issue.record("one way fails and the other does not: \(bytes)")
      }
    }
  }

  @Test func placesInTheUsersFile() throws {
    let script = "SELECT 1; SELECT é🙂x,\n\tnope FROM t;\r\n  SELECT  bad"
    let statements = try Self.split(script)
    #expect(statements.count == 3)
    #expect(
      statements.map(\.title) == [
        "q.sql: statement 1", "q.sql: statement 2", "q.sql: line 3 (statement 3)",
      ])
    // The emoji is two UTF-16 units to Druid, and one column to the user.
    let inFirstLine = Statement.Place(line: 1, column: 11)
    #expect(statements[1].title(at: inFirstLine) == "q.sql: line 1, column 20 (statement 2)")
    #expect(
      statements[1].excerpt(at: inFirstLine)
        == ["  SELECT 1; SELECT é🙂x,", "  " + String(repeating: " ", count: 20) + "^"])
    let inSecond = Statement.Place(line: 2, column: 2)
    #expect(statements[1].title(at: inSecond) == "q.sql: line 2, column 2 (statement 2)")
    #expect(statements[1].excerpt(at: inSecond) == ["   nope FROM t", "   ^"])
    #expect(
      statements[2].excerpt(at: .init(line: 1, column: 9)) == ["    SELECT  bad", "            ^"])
    #expect(statements[2].title(at: .init(line: 1, column: 9)).contains("line 3, column 11"))
    // A position outside the text is clamped to its end, and a long line is shown around the
    // position.
    #expect(statements[0].excerpt(at: .init(line: 9, column: 99)).count == 2)
    for number in [Int.min, -1, 0, Int.max] {
      let title = statements[1].title(at: .init(line: number, column: number))
      #expect(title.hasSuffix("(statement 2)"))
    }
    let long = try Self.split("SELECT '" + String(repeating: "x", count: 500) + "' + y")
    #expect(long[0].excerpt(at: .init(line: 1, column: 300)).allSatisfy { $0.count < 130 })
  }

  @Test(
    arguments: [
      ("SET a = 1", "a", "1"), ("set b='x''y'", "b", "\"x'y\""), ("SET c = -1.5", "c", "-1.5"),
      ("SET a = .5", "a", "0.5"), ("SET a = -007", "a", "-7"), ("SET a = 5.", "a", "5.0"),
      ("SET a = 00.e-2", "a", "0.0e-2"), ("SET \"d e\" = TRUE", "d e", "true"),
      ("SET f /* c */ = null", "f", "null"),
    ]) func settings(sql: String, name: String, json: String) throws
  {
    let setting = try Self.split(sql)[0].contextSetting()
    #expect(setting?.key == name)
    #expect(setting?.value.jsonText == json)
  }

  @Test(arguments: ["SET", "SET a", "SET a 1", "SET a =", "SET a = b", "SET a = 1 2", "SET = 1"])
  func brokenSettings(sql: String) throws {
    let statement = try Self.split(sql)[0]
    #expect(throws: StatementFailure.self) { try statement.contextSetting() }
  }

  @Test func selectsAreNoSettings() throws {
    #expect(try Self.split("SELECT 1")[0].contextSetting() == nil)
    #expect(try Self.split("\"SET\" = 1")[0].contextSetting() == nil)
  }

  @Test(
    arguments: [
      ("SELECT 1", []), ("SELECT * FROM a", ["a"]), ("select x from druid.a", ["a"]),
      (
        "SELECT * FROM \"a b\" AS x, c y JOIN d ON x.i = d.i WHERE x IN (SELECT q FROM e)",
        ["a b", "c", "d", "e"]
      ),
      ("SELECT EXTRACT(HOUR FROM __time), b FROM a GROUP BY 1, 2", ["__time", "a"]),
      ("WITH w AS (SELECT * FROM a) SELECT * FROM w", ["a"]),
      (
        "WITH a AS (SELECT * FROM a), v (x, y) AS (SELECT 1, f(2) FROM a) SELECT * FROM a, v", ["a"]
      ),
      ("EXPLAIN PLAN FOR WITH v AS (SELECT 1), w AS (SELECT * FROM v) SELECT * FROM w, b", ["b"]),
      ("SELECT * FROM (WITH w AS (SELECT * FROM a) SELECT * FROM w), w", ["a", "w"]),
      ("WITH w AS (SELECT * FROM a) SELECT * FROM druid.w", ["a", "w"]),
      ("SELECT * FROM (SELECT x, y FROM a), b", ["a", "b"]),
      ("SELECT 'FROM z' FROM a -- FROM y", ["a"]),
      ("SELECT * FROM a JOIN b ON f(a.x, 1) = b.x AND a.y = b.y, c", ["a", "b", "c"]),
      ("SELECT * FROM a JOIN b USING (x, y), c WHERE d IN (1, 2)", ["a", "b", "c"]),
      ("SELECT * FROM TABLE(APPEND('a', 'b''c')) t, d", ["a", "b'c", "d"]),
      ("SELECT * FROM sys.tasks, Information_Schema.TABLES t, lookup.l, druid.d", ["d"]),
      ("SELECT x FROM a UNION ALL SELECT y FROM b", ["a", "b"]),
    ] as [(String, [String])]) func tables(sql: String, expected: [String]) throws
  {
    #expect(try Self.split(sql)[0].tableNames == expected)
  }

  @Test func parameters() throws {
    func json(_ spelling: String) throws -> String {
      try QueryParameter(spelling: spelling).json.jsonText
    }
    #expect(try json("it's: x") == #"{"type":"VARCHAR","value":"it's: x"}"#)
    #expect(try json("text:int:5") == #"{"type":"VARCHAR","value":"int:5"}"#)
    #expect(try json("int:9007199254740993") == #"{"type":"BIGINT","value":9007199254740993}"#)
    #expect(try json("double:1.5e3") == #"{"type":"DOUBLE","value":1.5e3}"#)
    #expect(try json("bool:TRUE") == #"{"type":"BOOLEAN","value":true}"#)
    #expect(try json("null:") == #"{"type":"VARCHAR","value":null}"#)
    #expect(try json("timestamp:1767225600000") == #"{"type":"TIMESTAMP","value":1767225600000}"#)
    #expect(
      try json("timestamp:2026-01-01T12:00:00+02:00")
        == #"{"type":"TIMESTAMP","value":"2026-01-01T10:00:00.000Z"}"#)
    #expect(
      try json("timestamp:2026-01-01 12:00:00")
        == #"{"type":"TIMESTAMP","value":"2026-01-01 12:00:00.000"}"#)
    #expect(try json("http://x") == #"{"type":"VARCHAR","value":"http://x"}"#)
    for bad in [
      "int:1.5", "int:", "int:99999999999999999999", "double:NaN", "double:.5", "bool:yes",
      "timestamp:soon",
      "null:x",
    ] {
      #expect(throws: UsageFailure.self, "\(bad)") { try QueryParameter(spelling: bad) }
    }
  }

  @Test func approximations() throws {
    func count(_ sql: String, _ context: [JSONValue.Member] = []) throws -> Int {
      try Self.split(sql)[0].approximations(context: context).count
    }
    #expect(try count("SELECT COUNT(DISTINCT user_id) FROM t") == 1)
    let exact = JSONValue.Member(key: "useApproximateCountDistinct", value: .bool(false))
    #expect(try count("SELECT COUNT( DISTINCT user_id) FROM t", [exact]) == 0)
    #expect(try count("SELECT APPROX_QUANTILE_DS(x, 0.5) FROM t") == 1)
    #expect(try count("SELECT a, SUM(b) FROM t GROUP BY a ORDER BY 2 LIMIT 3") == 1)
    #expect(try count("SELECT COUNT(*) FROM t") == 0)
  }
}
