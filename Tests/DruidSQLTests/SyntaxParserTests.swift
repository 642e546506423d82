import Testing

@testable import DruidSQL

@Suite struct SyntaxParserTests {
  @Test func readsAQuery() throws {
    let statement = try Parser.parse("SELECT country, COUNT(*) AS n FROM ecommerce GROUP BY 1")
    guard case .query(let query) = statement.body, case .select(let select) = query.body else {
      Issue.record("no SELECT")
      return
    }
    #expect(select.items.count == 2)
    #expect(select.items[1].alias?.text == "n")
    #expect(
      select.items[1].expression.range
        == SourceRange(line: 1, column: 17, endLine: 1, endColumn: 24))
  }
}
