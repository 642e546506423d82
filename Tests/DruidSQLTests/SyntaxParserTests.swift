import Testing

@testable import DruidSQL

@Suite struct SyntaxParserTests {
  private func query(_ sql: String) throws -> Query {
    guard case .query(let query) = try Parser.parse(sql).body else {
      throw SQLFailure("no query", at: nil)
    }
    return query
  }

  private func select(_ sql: String) throws -> Select {
    guard case .select(let select) = try query(sql).body else {
      throw SQLFailure("no SELECT", at: nil)
    }
    return select
  }

  @Test func samplesAreThere() { #expect(SyntaxSamples.all.count > 150) }

  @Test(arguments: SyntaxSamples.all)
  func whatIsPrintedReadsTheSame(sql: String) throws {
    let first = try query(sql)
    let printed = first.text
    let second = try query(printed)
    #expect(first == second, "\(printed)")
    #expect(second.text == printed)
  }

  @Test(arguments: [
    ("a + b * c", "a + b * c"), ("(a + b) * c", "(a + b) * c"), ("a - b - c", "a - b - c"),
    ("a - (b - c)", "a - (b - c)"), ("NOT a = b AND c", "NOT a = b AND c"),
    ("a OR b AND c", "a OR b AND c"), ("(a OR b) AND c", "(a OR b) AND c"),
    ("a = b IS NULL", "a = b IS NULL"), ("a || b || c", "a || b || c"), ("-a * b", "-a * b"),
    ("a BETWEEN 1 AND 2 AND b", "a BETWEEN 1 AND 2 AND b"), ("x IN (1)", "x IN (1)"),
    ("NOT (a AND b)", "NOT (a AND b)"), ("a LIKE b || '%'", "a LIKE b || '%'"),
    ("((a AND b)) AND c", "a AND b AND c"), ("a != b", "a <> b"), ("f ( x , y )", "f(x, y)"),
    ("Interval '1' day", "INTERVAL '1' DAY"), ("cast(x as int)", "CAST(x AS INTEGER)"),
    ("'it''s'", "'it''s'"), ("\"a b\".\"C\"", "\"a b\".C"), ("\"select\"", "\"select\""),
  ])
  func bindsAsCalciteDoes(sql: String, expected: String) throws {
    #expect(try Parser.expression(sql).text == expected)
  }

  @Test(arguments: [
    ("a = b AND c", "(a = b) AND c", true), ("NOT a = b", "NOT (a = b)", true),
    ("a + b + c", "(a + b) + c", true), ("a + b + c", "a + (b + c)", false),
    ("a IS NULL = b", "(a IS NULL) = b", true), ("a || b * c", "(a || b) * c", true),
    ("a = b = c", "(a = b) = c", true), ("- a IS NULL", "(-a) IS NULL", true),
    ("a AND b OR c", "(a AND b) OR c", true), ("x.y", "\"x\".\"y\"", true), ("f(X)", "f(x)", false),
    ("a < b || c", "a < (b || c)", true), ("NOT a IS TRUE", "NOT (a IS TRUE)", true),
  ])
  func comparesByStructure(left: String, right: String, same: Bool) throws {
    #expect((try Parser.expression(left) == Parser.expression(right)) == same)
  }

  @Test(arguments: [
    (
      "SELECT country, device FROM t", 1,
      SourceRange(line: 1, column: 17, endLine: 1, endColumn: 22)
    ),
    ("SELECT TIME_FLOOR(__time)", 0, SourceRange(line: 1, column: 8, endLine: 1, endColumn: 25)),
    ("SELECT 1,\n  a\n+ b", 1, SourceRange(line: 2, column: 3, endLine: 3, endColumn: 3)),
    ("SELECT 'é🙂' , x", 1, SourceRange(line: 1, column: 16, endLine: 1, endColumn: 16)),
    ("SELECT /* block */ Country", 0, SourceRange(line: 1, column: 20, endLine: 1, endColumn: 26)),
    ("SELECT \"mobile\"", 0, SourceRange(line: 1, column: 8, endLine: 1, endColumn: 15)),
    ("SELECT TIMESTAMP 'yesterday'", 0, SourceRange(line: 1, column: 8, endLine: 1, endColumn: 28)),
    ("SELECT\r\n\tx", 0, SourceRange(line: 2, column: 2, endLine: 2, endColumn: 2)),
  ])
  func knowsWhereThingsStand(sql: String, item: Int, range: SourceRange) throws {
    #expect(try select(sql).items[item].expression.range == range)
  }

  @Test func ordersKnowTheirNulls() throws {
    let sql = "SELECT d FROM t ORDER BY s NULLS LAST, d"
    let item = try #require(try query(sql).orderBy.first)
    #expect(item.nulls == .last)
    #expect(item.range == SourceRange(line: 1, column: 26, endLine: 1, endColumn: 37))
  }

  @Test func callsKeepWhatFollows() throws {
    let expression = try Parser.expression("COUNT(DISTINCT x) FILTER (WHERE y) OVER (ORDER BY z)")
    guard case .call(let call) = expression.kind else {
      Issue.record("no call")
      return
    }
    #expect(call.function == "COUNT")
    #expect(call.isDistinct == true)
    #expect(call.filter?.text == "y")
    #expect(call.over != nil)
    #expect(call.range.endColumn == 17)
  }

  @Test func countsParameters() throws {
    #expect(try Parser.parse("SELECT ? FROM t WHERE a = ? AND b IN (?, ?)").parameterCount == 4)
  }

  @Test(arguments: [
    ("INSERT INTO other SELECT * FROM e PARTITIONED BY DAY", "INSERT"),
    ("REPLACE INTO x OVERWRITE ALL SELECT 1 PARTITIONED BY ALL", "REPLACE"),
    ("SET a = 'b'", "SET_OPTION"), ("DELETE FROM t", "DELETE"), ("UPDATE t SET a = 1", "UPDATE"),
  ])
  func recognisesWhatIsNoQuery(sql: String, kind: String) throws {
    guard case .other(let found) = try Parser.parse(sql).body else {
      Issue.record("taken for a query")
      return
    }
    #expect(found == kind)
  }

  @Test func undoesUnicodeEscapes() throws {
    guard
      case .literal(.string(let text)) = try Parser.expression("U&'d!0061t!+01F642!!' UESCAPE '!'")
        .kind
    else {
      Issue.record("no string")
      return
    }
    #expect(text == "dat🙂!")
  }

  @Test(arguments: [
    "one", "user", "position", "running", "some", "prev", "year", "value", "result",
  ])
  func knowsReservedWords(word: String) {
    #expect(throws: SQLFailure.self) { try Parser.parse("SELECT 1 AS \(word)") }
    #expect(throws: Never.self) { try Parser.parse("SELECT 1 AS \"\(word)\"") }
  }

  @Test(arguments: [
    "name", "type", "level", "week", "first", "last", "key", "data", "version", "zone",
  ])
  func knowsWordsThatAreFree(word: String) {
    #expect(throws: Never.self) { try Parser.parse("SELECT \(word) AS \(word) FROM t \(word)") }
  }
}
