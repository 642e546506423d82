import Testing

@testable import JavaValues

/// Paths into JSON, and several documents as one, as Druid's JSON functions have them.
@Suite struct JSONTests {
  private func tree(_ text: String) throws -> JSONTree { try #require(JSONTree(parsing: text)) }

  @Test(arguments: [
    (#"{"a":{"b":[1,2,"z"]}}"#, "$.a.b[0]", "1"), (#"{"a":{"b":[1,2,"z"]}}"#, "$.a.b[-1]", #""z""#),
    (#"{"a":[1]}"#, "$.a[1]", nil), (#"{"a":[1]}"#, "$.a[-2]", nil),
    (#"{"a":1}"#, "$", #"{"a":1}"#),
    (#"{"a":1}"#, "", #"{"a":1}"#), (#"{"a":1}"#, "$.a.", "1"), (#"{"a b":1}"#, "$.a b", "1"),
    (#"{"a":1,"a":2}"#, "$.a", "2"), (#"{"é":"ü"}"#, "$['é']", #""ü""#),
    // A key with a dot is never found.
    (#"{"a.b":1}"#, "$['a.b']", nil), ("[[1],[2]]", "$[1][0]", "2"), ("5", "$.a", nil),
  ])
  func pathsLeadToValues(document: String, path: String, expected: String?) throws {
    #expect(try tree(document)[path: JSONPath(path)]?.text == expected)
  }

  @Test(arguments: ["a", "lax $.a", "$a", #"$["a"]"#, "$[*]", "$..b"])
  func pathsThatAreWrong(path: String) {
    #expect(throws: ValueFailure.self) { _ = try JSONPath(path) }
  }

  @Test(arguments: [
    (#"{"a":1,"b":2,"c":3,"d":4}"#, ["$.b", "$.c", "$.d", "$.a"]),
    (#"{"a":[1,{"b":2}]}"#, ["$.a[0]", "$.a[1].b"]), (#"{"a":[1,2]}"#, ["$.a"]),
    (#"{"a":[]}"#, ["$.a"]), ("5", ["$"]), ("{}", []), (#"{"e'f":1}"#, ["$['e'f']"]),
  ])
  func pathsOfADocument(document: String, expected: [String]) throws {
    #expect(try tree(document).paths == expected)
  }

  @Test(arguments: [
    (#"{"a":{"x":1}}"#, #"{"a":{"y":2}}"#, #"{"a":{"x":1,"y":2}}"#),
    (#"{"a":1,"b":2}"#, #"{"c":3,"a":null}"#, #"{"a":null,"b":2,"c":3}"#),
    ("[1]", "[2]", "[1,2]"), (#"{"a":[1]}"#, #"{"a":[2]}"#, #"{"a":[1,2]}"#),
    (#"{"a":[1]}"#, #"{"a":{"b":2}}"#, #"{"a":{"b":2}}"#), (#"{"a":1}"#, "5", nil),
    ("[1]", #"{"a":1}"#, nil), ("1", "2", nil),
  ])
  func documentsAreMerged(one: String, other: String, expected: String?) throws {
    #expect(try tree(one).merged(with: try tree(other))?.text == expected)
  }

  @Test(arguments: [
    (#"{"b":1,"a":2}"#, ["b", "a"]), ("[5,6]", ["0", "1"]), ("{}", []), ("[]", []), ("5", nil),
    ("null", nil),
  ])
  func keys(document: String, expected: [String]?) throws {
    #expect(try tree(document).keys == expected)
  }
}
