import JSONLines
import Testing

@Suite struct JSONLineTests {
  /// Reads a line that has its padding behind it.
  private func read(_ line: String, _ paths: [[String]]) throws -> [(JSONLine.Kind, String)] {
    var reader = JSONLine(fields: paths)
    let bytes = Array(line.utf8) + [UInt8](repeating: 0, count: 64)
    unsafe try reader.read(bytes.span.bytes.extracting(0..<line.utf8.count))
    return paths.indices.map { (reader.kind($0), reader.text(of: $0)) }
  }

  @Test func fieldsAreFoundInAnyOrder() throws {
    let line = #"{"price":12.50,"user":{"id":7,"tags":["a"]},"s":"caf\u00e9","t":true,"n":null}"#
    let found = try read(
      line, [["s"], ["price"], ["user", "id"], ["user", "tags"], ["t"], ["n"], ["x"], ["user"]])
    #expect(found[0] == (.string, "café"))
    #expect(found[1] == (.number, "12.50"))
    #expect(found[2] == (.number, "7"))
    #expect(found[3] == (.array, #"["a"]"#))
    #expect(found[4] == (.true, "true"))
    #expect(found[5].0 == .null)
    #expect(found[6].0 == .absent)
    #expect(found[7].0 == .object)
  }

  @Test func theLastOfEqualKeysCounts() throws {
    #expect(try read(#"{"a":1,"a":"two"}"#, [["a"]])[0] == (.string, "two"))
  }

  @Test(arguments: [
    "", "{", "[1]", "7", "{\"a\":1} {\"a\":2}", "{\"a\":tru}", "{\"a\":\"\u{1}\"}", "{\"a\":01}",
    "{\"a\" 1}", "x",
    "{\"a\":1,}",
  ])
  func whatIsNoObjectIsMalformed(line: String) {
    #expect(throws: JSONLine.Malformed.self) { try read(line, [["a"]]) }
  }
}
