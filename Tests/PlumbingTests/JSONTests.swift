import Plumbing
import TestSupport
import Testing

@Suite struct JSONValueTests {
  @Test(arguments: [
    "null", "true", "[1,2.50,-3e+7]", #"{"a":{"b":[]},"a":"x\"\\\n"}"#, #""é🙂""#, "[[[]]]", "0",
    "123456789012345678901234567890",
  ])
  func whatIsWrittenIsWhatWasRead(text: String) throws {
    #expect(try JSONValue(parsing: text).jsonText == text)
  }

  @Test func escapesAreDecoded() throws {
    #expect(try JSONValue(parsing: #""\u00e9\ud83d\ude42\/\b""#).text == "é🙂/\u{8}")
  }

  @Test(arguments: [
    "", " ", "nul", "01", "1.", "1e", "+1", "-", "[1,]", "{\"a\" 1}", "{a:1}", "\"\u{1}\"",
    #""\ud83d""#,
    #""\ude42""#, #""\x""#, "[1] 2", "\"", "{\"a\":1,}", "[", "\"\\u12\"", "tru", "[1 2]", "NaN",
  ])
  func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: JSONValue.Malformed.self) { try JSONValue(parsing: text) }
  }

  @Test func deepNestingIsRefusedAndNotFollowed() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONValue.Malformed.self) { try JSONValue(parsing: deep) }
  }

  @Test func invalidUTF8IsRefused() {
    #expect(throws: JSONValue.Malformed.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
  }

  @Test func membersAreFound() throws {
    let value = try JSONValue(parsing: #"{"a":1,"b":{"c":[true,null]},"a":2}"#)
    #expect(value["a"]?.integer == 2)
    #expect(value["b"]?["c"]?.elements == [.bool(true), .null])
    #expect(value["nope"] == nil)
  }

  @Test func anyBytesAreReadOrRefused() {
    var random = SeededGenerator(seed: 7)
    let alphabet = Array(#"{}[]",:\u0123eE+-.truefalsn \"#.utf8) + [0, 0xff, 0xc3, 0xa9]
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
        random.pick(alphabet)
      }
      if let value = try? JSONValue(parsing: bytes) {
        #expect((try? JSONValue(parsing: value.jsonText)) == value)
      }
    }
  }
}
