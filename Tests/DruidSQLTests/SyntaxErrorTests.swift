import TestSupport
import Testing

@testable import DruidSQL

@Suite struct SyntaxErrorTests {
  private func failure(_ sql: String) -> SQLFailure? {
    do throws(SQLFailure) {
      _ = try Parser.parse(sql)
      return nil
    } catch {
      return error
    }
  }

  /// Errors of a real Druid 33.
  @Test(arguments: [
    ("SELECT COUNT(* FROM ecommerce", 16, "FROM"), ("SELECT country, FROM ecommerce", 15, ", FROM"),
    (";", 1, ";"), (" ", 1, "<EOF>"), ("SELECT 1; SELECT 2", 9, ";"),
    ("SELECT COUNT(*) AS n FROM ecommerce;", 36, ";"), ("SELECT 1 AS a;", 14, ";"),
    ("SET sqlTimeZone = 'America/New_York'; SELECT 1", 37, ";"),
    ("SELECT * FORM ecommerce", 15, "ecommerce"), ("SELECT 1 +", 10, "+ <EOF>"),
    ("SELECT a FROM t LIMIT 10 OFFSET", 26, "OFFSET <EOF>"), ("SELECT a FROM t x y", 19, "y"),
    ("SELECT a FROM t WHERE b = = 3", 25, "= ="), ("SELECT (1 + 2 FROM x", 15, "FROM"),
    ("WITH x (SELECT 1) SELECT 1", 8, "( SELECT"), ("WITH x AS SELECT 1", 11, "SELECT"),
    ("SELECT CASE WHEN a THEN 1 FROM t", 27, "FROM"),
    ("SELECT a FROM t GROUP BY a,", 27, ", <EOF>"),
    ("SELECT timestamp FROM t", 8, "timestamp FROM"), ("SELECT count FROM t", 8, "count FROM"),
    ("select a from t order by count desc", 26, "count desc"),
    ("select a from t where year = 1", 23, "year ="),
    ("SELECT a FROM t WHERE a = year", 25, "= year <EOF>"),
    ("select a from t where", 17, "where <EOF>"), ("SELECT COUNT(DISTINCT) FROM t", 22, ")"),
    ("SELECT a FROM t WHERE a IN 1", 25, "IN 1"), ("SELECT JSON_OBJECT('a', 1, 'b')", 31, ")"),
    ("SELECT a FROM t WHERE a IN ()", 29, ")"), ("SELECT 1 UNION", 14, "<EOF>"),
    ("SELECT", 6, "<EOF>"),
    ("SELECT COUNT(,) FROM t", 14, ","), ("SELECT a FROM t WHERE a NOT IN", 30, "<EOF>"),
    ("SELECT INTERVAL '1' FOO", 17, "'1' FOO"), ("WITH v AS (SELCT a FROM t) SELECT 1", 20, "FROM"),
  ])
  func namesTheTokenAndItsPlace(sql: String, column: Int32, token: String) throws {
    let failure = try #require(self.failure(sql))
    #expect(failure.range?.line == 1)
    #expect(failure.range?.column == column)
    #expect(failure.token == token)
    #expect(failure.expected?.first == "[")
    #expect(failure.category == .invalidInput)
    #expect(failure.errorMessage.contains("(line [1], column [\(column)]), acceptable options: ["))
  }

  /// Calcite reads VALUE as VALUES in other conformance levels than Druid's.
  @Test(arguments: ["VALUE (1)", "SELECT a FROM (VALUE (1), (2)) AS t (a)"])
  func valueIsNotAllowed(sql: String) throws {
    let failure = try #require(self.failure(sql))
    #expect(failure.range == nil)
    #expect(failure.errorMessage.hasPrefix("VALUE is not allowed"))
  }

  /// Errors of Calcite's parser, whose grammar is Druid's.
  @Test(arguments: [
    ("SELECT a FROM t WHERE b = ANY 1", 31, "1"), ("SELECT a FROM t WHERE b LIKE - )", 32, ")"),
    ("SELECT a FROM t WHERE b SIMILAR TO )", 36, ")"), ("SELECT a FROM t WHERE - > 1", 25, ">"),
    ("SELECT a FROM t WHERE b IN (1, - )", 34, ")"), ("SELECT - FROM t", 8, "- FROM"),
    ("SELECT a % FROM t", 10, "% FROM"), ("SELECT $", 8, "$"), ("SELECT 'a' 'b' +", 16, "+ <EOF>"),
    ("SELECT a RLIKE 'b' +", 20, "+ <EOF>"), ("SELECT f(a, b ORDER BY c)", 15, "ORDER"),
    ("SELECT POSITION(('a') IN b)", 17, "("), ("SELECT JSON_OBJECT(KEY 'a' 1)", 28, "1"),
    ("SELECT a FROM t WHERE (b = 1 LIMIT 5", 36, "<EOF>"),
  ])
  func operatorsLookAsFarAsTheirGrammarDoes(sql: String, column: Int32, token: String) throws {
    let failure = try #require(self.failure(sql))
    #expect(failure.range?.column == column)
    #expect(failure.token == token)
  }

  /// Errors without a position, which go before those of names and types.
  @Test(arguments: [
    ("SELECT a FROM t WHERE (b = 1 OR c = 2 ORDER BY d", "ORDER BY unexpected"),
    ("SELECT SUM(a ORDER BY b) FROM t", "ORDER BY unexpected"),
    ("SELECT a FROM t WHERE b BETWEEN 1 AND", "BETWEEN operator has no terminating AND"),
    ("SELECT a FROM t WHERE b BETWEEN 'x' 'y'", "BETWEEN operator has no terminating AND"),
    ("SELECT * FROM t WHERE (b BETWEEN 1 AND OR c)", "BETWEEN operator has no terminating AND"),
    ("(SELETC 1)", "Non-query expression encountered in illegal context"),
    ("SELETC * FROM t", "Non-query expression encountered in illegal context"),
    ("a RLIKE 'b'", "Non-query expression encountered in illegal context"),
    ("'a' 'b'", "Non-query expression encountered in illegal context"),
  ])
  func isRefusedWhereItIsRead(sql: String, message: String) throws {
    let failure = try #require(self.failure(sql))
    #expect(failure.message == message)
    #expect(failure.range == nil)
  }

  @Test func saysExactlyWhatDruidSays() throws {
    let paren = try #require(failure("SELECT COUNT(* FROM ecommerce"))
    #expect(
      paren.errorMessage
        == "Received an unexpected token [FROM] (line [1], column [16]), acceptable options: [\")\"]"
    )
    let option = try #require(failure("SET sqlTimeZone = 'America/New_York'; SELECT 1"))
    #expect(option.expected == "[<EOF>, <QUOTED_STRING>, \"UESCAPE\"]")
    #expect(
      failure("SELEC 1")?.errorMessage == "Non-query expression encountered in illegal context")
  }

  /// A keyword in place of a name: Druid's only position is the one in the message.
  @Test(arguments: [
    ("SELECT 1 AS one", "AS", 10), ("CREATE TABLE t (a INT)", "CREATE", 1),
    ("SELECT a FROM t WHERE", "WHERE", 17), ("DROP TABLE x", "DROP", 1),
    ("SELECT FROM t", "FROM", 8), ("EXPLAIN SELECT 1", "EXPLAIN", 1),
    ("SELECT a FROM t GROUP a", "GROUP", 17), ("SELECT a FROM t LIMIT x", "LIMIT", 17),
    ("SELECT a FROM t JOIN b ON", "ON", 24), ("SELECT a FROM t WHERE a LIKE", "LIKE", 25),
    ("SELECT UPPER( FROM t", "FROM", 15), ("SELECT a FROM t NATURAL b", "NATURAL", 17),
    ("SELECT a FROM t FOR UPDATE", "FOR", 17), ("SHOW TABLES", "SHOW", 1),
    ("SELECT DISTINCT FROM t", "FROM", 17), ("SELECT a AS FROM t", "AS", 10),
    ("SELECT a IN FROM t", "IN", 10), ("SELECT a FROM t WHERE b BETWEEN = 4", "BETWEEN", 25),
    ("SELECT a FROM t WHERE b BETWEEN 1 AND - )", "AND", 35),
    ("SELECT a FROM t WHERE EXISTS SELECT 1", "SELECT", 30),
    ("SELECT a FROM t WHERE b LIKE 'x' ESCAPE", "ESCAPE", 34),
    ("SELECT WIDTH_BUCKET(a, 0, 9, 5) FROM t", "WIDTH_BUCKET", 8),
    ("SELECT SUM(a) OVER (ORDER BY b ROWS CURRENT) FROM t", "CURRENT", 37),
  ])
  func keywordsAreNamedInWords(sql: String, word: String, column: Int) throws {
    let failure = try #require(self.failure(sql))
    #expect(failure.range == nil)
    #expect(
      failure.message.hasPrefix(
        "Incorrect syntax near the keyword '\(word)' at line 1, column \(column).\nWas expecting one of:\n"
      ))
  }

  @Test(arguments: [
    "SELECT a FROM t WHERE a % 2 = 0", "SELECT 1 MINUS SELECT 2", "SELECT 1 'a'",
    "SELECT * FROM a CROSS APPLY b",
    "SELECT 'a' 'b'", "SELECT X'0'", "SELECT a FROM t LIMIT 1, 2",
  ])
  func rulesBeyondTheGrammarAreKept(sql: String) { #expect(failure(sql) != nil) }

  @Test(arguments: [
    "SELECT #", "SELECT `a`", "SELECT 'abc", "SELECT \"abc", "/* open", "SELECT \"\"", "\u{0}",
    "SELECT \u{7}",
    "SELECT a b c", "SELECT FROM t", "SELECT 1 +", "SELECT (1", "SELECT 1)", "SELECT a FROM (b)",
    "WITH a SELECT 1",
    "SELECT CASE END", "SELECT a FROM t GROUP", "SELECT f(", "SELECT a..b", "SELECT CAST(a AS)",
    "SELECT * FROM",
    "SELECT a FROM t ORDER a", "SELECT a FROM t JOIN", "VALUES", "EXPLAIN SELECT 1",
    "SELECT 1 UNION", "SELECT a[",
    "SELECT INTERVAL '1' FOO", "SELECT EXTRACT(FOO FROM x)", "SELECT x IN ()", "SELECT a BETWEEN 1",
    "SELECT ROW_NUMBER() OVER (ROWS BETWEEN 1)", "INSERT", "SELECT U&'\\00'", "SELECT 1 FROM t t t",
  ])
  func refusesBrokenText(sql: String) throws {
    let failure = try #require(self.failure(sql))
    #expect(failure.category == .invalidInput)
    #expect(!failure.message.isEmpty)
  }

  @Test func theEmptyTextIsRefused() { #expect(failure("") != nil) }

  @Test func hostileNestingIsRefused() {
    let count = 8000
    let shapes = [
      "SELECT " + String(repeating: "(", count: count) + "1" + String(repeating: ")", count: count),
      "SELECT " + String(repeating: "(", count: count),
      "SELECT " + String(repeating: "NOT ", count: count) + "a",
      "SELECT " + String(repeating: "- ", count: count) + "1",
      "SELECT " + String(repeating: "f(", count: count),
      String(repeating: "SELECT * FROM (", count: count),
      "SELECT * FROM " + String(repeating: "(", count: count) + "a",
      "SELECT 1" + String(repeating: " || 1", count: count),
      "SELECT " + String(repeating: "CASE WHEN ", count: count),
      "SELECT 1" + String(repeating: " UNION SELECT 1", count: count),
      "SELECT a" + String(repeating: "[1", count: count),
      "SELECT * FROM a" + String(repeating: " JOIN b", count: count),
      "SELECT ARRAY" + String(repeating: "[ARRAY", count: count),
      "SELECT a FROM t GROUP BY " + String(repeating: "GROUPING SETS (", count: count),
      "SELECT a" + String(repeating: ".b", count: count) + "(",
      "SELECT a IS" + String(repeating: " NULL IS", count: count),
    ]
    for sql in shapes { #expect(failure(sql) != nil) }
  }

  @Test func longButFlatStatementsAreRead() throws {
    let list = (0..<20_000).map(String.init).joined(separator: ", ")
    let clock = ContinuousClock()
    let time = try clock.measure {
      _ = try Parser.parse("SELECT a FROM t WHERE b IN (\(list))")
      let chain = (0..<5000).map { "a = \($0)" }.joined(separator: " OR ")
      _ = try Parser.parse("SELECT a FROM t WHERE \(chain)")
      _ = try Parser.parse("SELECT '" + String(repeating: "x", count: 1_000_000) + "'")
    }
    #expect(time < .seconds(90))
  }

  @Test func mutatedStatementsNeitherTrapNorHang() throws {
    var random = SeededGenerator(seed: 20_261_122)
    let pieces: [[UInt8]] = [
      "(", ")", "'", "\"", ",", ".", ";", "*", "[", "]", "{fn ", "}", "SELECT ", " FROM ",
      " WHERE ", " OVER (", " AS ",
      " NOT ", " IN (", " BETWEEN ", "CASE ", "?", "U&'", "--", "/*", "*/", "é", "🙂", "1e", "\u{0}",
      " UNION ",
      "INTERVAL ", "GROUPING SETS (", " =>", "||", "\n",
    ].map { Array($0.utf8) }
    let samples = SyntaxSamples.all
    try #require(!samples.isEmpty)
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: .seconds(4))
    var rounds = 0
    while rounds < 6000, clock.now < end {
      rounds += 1
      var bytes = Array(random.pick(samples).utf8)
      for _ in 0...random.below(4) {
        let place = random.below(bytes.count + 1)
        switch random.below(4) {
        case 0: bytes.removeSubrange(place..<min(bytes.count, place + random.below(8)))
        case 1: bytes.insert(contentsOf: random.pick(pieces), at: place)
        case 2: bytes.insert(contentsOf: bytes[place...].prefix(random.below(40)), at: place)
        default:
          guard place < bytes.count else { continue }
          bytes[place] = UInt8(random.below(256))
        }
      }
      let sql = String(decoding: bytes, as: UTF8.self)
      do throws(SQLFailure) {
        let statement = try Parser.parse(sql)
        guard case .query(let query) = statement.body else { continue }
        let again = try Parser.parse(query.text)
        guard case .query(let same) = again.body else { continue }
        #expect(query == same, "\(sql)")
      } catch {
        #expect(!error.errorMessage.isEmpty, "\(sql)")
      }
    }
    #expect(rounds > 100)
  }
}
