import Testing

@testable import EmbeddedDruid

/// Texts that Swift considers equal, or writes differently from Jackson, are returned as in Druid.
@Suite struct ExactTextTests {
  private static let queries = Result {
    try SmallTableTests.service(over: [
      #"{"at": "2020-03-01", "title": "\u00e9", "tags": ["\u00e9", "e\u0301"]}"#,
      #"{"at": "2020-03-02", "title": "e\u0301", "tags": ["a\u0008\u001f\u000c", "b"]}"#,
    ])
  }

  @Test(arguments: [
    ("SELECT COUNT(DISTINCT title) FROM shelf", "[2]"),
    ("SELECT STRING_AGG(DISTINCT title, ',') FROM shelf", "[\"e\u{301},\u{e9}\"]"),
    ("SELECT ARRAY_AGG(DISTINCT title) FROM shelf", #"["[\"e\#u{301}\",\"\#u{e9}\"]"]"#),
    (#"SELECT COUNT(*) FROM shelf WHERE MV_OVERLAP(tags, ARRAY[U&'e\0301', 'x'])"#, "[1]"),
    (#"SELECT ARRAY_CONTAINS(ARRAY[title], U&'e\0301') FROM shelf"#, "[false] [true]"),
    ("SELECT tags FROM shelf WHERE MV_CONTAINS(tags, 'b')", #"["[\"a\\b\\u001F\\f\",\"b\"]"]"#),
    (
      "SELECT ARRAY_AGG(MV_ORDINAL(tags, 1)) FROM shelf WHERE MV_CONTAINS(tags, 'b')",
      #"["[\"a\\b\\u001F\\f\"]"]"#
    ),
  ])
  func answers(sql: String, rows: String) throws {
    let answer = try SmallTableTests.answer(sql, from: Self.queries.get())
    // Not compared by Swift's ==, which considers such texts equal.
    #expect(answer.utf8.elementsEqual(rows.utf8), "\(answer)")
  }

  @Test func expressionsOfASpecToo() throws {
    let row = InputRow(time: 0, fields: [.init(key: "t", value: .text("e\u{301}"))])
    let replaced = try #require(Expression("replace(t, 'e', 'E')")).value(of: row)
    #expect(replaced.javaText?.unicodeScalars.first == "E")
    let equal = try #require(Expression("t == '\u{e9}'")).value(of: row)
    #expect(equal == .long(0))
    let filter = RowFilter.equal("t", "\u{e9}")
    #expect(try filter.admits(row) == false)
  }
}
