import TestSupport
import Testing

@testable import JSONLines

@Suite struct JSONLineTests {
  /// Reads a line that is followed by its padding.
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
    "", " ", "{", "}", "[1]", "7", "x", "{\"a\":1} {\"a\":2}", "{\"a\":1}}", "{\"a\":\"\u{1}\"}",
    "{\"a\" 1}", "{\"a\":1,}", "{,}", "{\"a\":}", "{\"a\"}", "{1:2}", "{\"a\":1 \"b\":2}",
    "{\"b\":tru}", "{\"b\":nulll}", "{\"b\":01}", "{\"b\":1.}", "{\"b\":-}", "{\"b\":+1}",
    "{\"b\":1e}", "{\"b\":\"\\q\"}", "{\"b\":\"\\u12g4\"}", "{\"b\":[1,]}", "{\"b\":[1}",
    "{\"b\":{\"c\":1]}", "{\"b\":[1 2]}", "{\"b\":\"x\"y}",
    "{\"b\":" + String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000) + "}",
  ])
  func whatIsNoObjectIsMalformed(line: String) {
    #expect(throws: JSONLine.Malformed.self) { try read(line, [["a"]]) }
  }

  @Test(arguments: [
    "{}", " {\t} ", #"{"b":[]}"#, #"{"b":[{},[1,-0.5e+3,"x"],true,false,null]}"#,
    #"{"b":"\ud800"}"#,
    #"{"\ud800":1}"#, #"{"b":"{}[],:\"\\"}"#, #"{"":0}"#, "{\"b\":\"\u{7f}é😀\"}\r",
  ])
  func otherObjectsAreRead(line: String) throws {
    #expect(try read(line, [["a"]])[0].0 == .absent)
  }

  /// They are JSON, but such a string has no UTF-8.
  @Test(arguments: [#""\ud800""#, #""\udc00x""#, #""x\ud800\n""#, #""\udfff\ud800""#])
  func halfASurrogateIsNoText(value: String) throws {
    let error = #expect(throws: JSONLine.Malformed.self) { try read("{\"a\":\(value)}", [["a"]]) }
    #expect(error?.holdsHalfSurrogate == true)
    let invalid = #expect(throws: JSONLine.Malformed.self) { try read("{\"a\":\(value)", [["a"]]) }
    #expect(invalid?.holdsHalfSurrogate == false)
    #expect(try read("{\"b\":\(value)}", [["a"]])[0].0 == .absent)
  }

  /// JSON sets numbers no limit; a reader that needs a double checks it.
  @Test(arguments: ["1e999", "-1e999", "1e-999", String(repeating: "9", count: 400), "-0", "1E5"])
  func numbersAreReturnedAsWritten(number: String) throws {
    #expect(try read("{\"a\":\(number)}", [["a"]])[0] == (.number, number))
    let line = "{\"b\":1,\"a\": \(number) ,\"c\":2}"
    #expect(try read(line, [["a"], ["c"]])[0] == (.number, number))
  }

  @Test func keysAreComparedAsText() throws {
    #expect(try read(#"{"\u0061":1}"#, [["a"]])[0] == (.number, "1"))
    #expect(try read(#"{"a\"b":1}"#, [[#"a"b"#]])[0] == (.number, "1"))
    #expect(try read(#"{"a":"b","x":2}"#, [[#"a":"b"#]])[0].0 == .absent)
    #expect(try read(#"{"aa":1,"b":2}"#, [["a"], ["aaa"]])[1].0 == .absent)
    #expect(try read(#"{"a":{"b":1},"a":7}"#, [["a", "b"]])[0].0 == .absent)
  }

  /// Lines of a block are marked together; each must give the same result as alone, whatever its
  /// neighbours.
  @Test func aLineDoesNotSpoilItsNeighbours() throws {
    let pieces = [
      #"{"a":1}"#, #"{"a":"x\n","b":[1]}"#, #"{"k":"#, #"{"a":"open}"#, "\"", "", "\\", "{}", "[",
      #"{"a":{"b":"\\"}}"#, "{\"a\":\"\u{2}\"}", #"{"a":2} "#, "\r", #"{"a":"\ud83d\ude00"}"#,
    ]
    var random = SeededGenerator(seed: 7)
    for round in 0..<200 {
      let lines = (0..<40).map { _ in
        // In most rounds bad lines are rare, so that blocks without them occur as well.
        let isGood = random.below(100) < round / 2
        return isGood ? #"{"z":0,"a":"good"}"# : random.pick(pieces)
      }
      let text = Array((lines.joined(separator: "\n") + "\n").utf8)
      let padded = text + [UInt8](repeating: 0x22, count: 64)
      var reader = JSONLine(fields: [["a"]])
      var single = JSONLine(fields: [["a"]])
      unsafe padded.withUnsafeBytes { bytes in
        unsafe reader.enterBlock(UnsafeRawBufferPointer(rebasing: bytes[..<text.count]))
        var start = 0
        for line in lines {
          let end = start + line.utf8.count
          let span = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
          let together = (try? reader.read(span)).map { (reader.kind(0), reader.text(of: 0)) }
          let copy = Array(line.utf8) + [UInt8](repeating: 0x22, count: 64)
          let lone = unsafe copy.span.bytes.extracting(0..<line.utf8.count)
          let alone = (try? single.read(lone)).map { (single.kind(0), single.text(of: 0)) }
          #expect(together?.0 == alone?.0 && together?.1 == alone?.1, "\(line)")
          start = end + 1
        }
        reader.leaveBlock()
      }
    }
  }

  /// A line of a block can be read again, also after a line behind it was marked with it.
  @Test func aLineCanBeReadAgain() throws {
    let lines = [#"{"a":1,"b":[{"c":2}]}"#, #"{"a":"x\n"}"#, #"{"b":3,"a":4}"#, #"{"a":}"#, "{}"]
    let text = Array((lines.joined(separator: "\n") + "\n").utf8)
    let padded = text + [UInt8](repeating: 0x22, count: 64)
    var reader = JSONLine(fields: [["a"]])
    unsafe padded.withUnsafeBytes { bytes in
      unsafe reader.enterBlock(UnsafeRawBufferPointer(rebasing: bytes[..<text.count]))
      var start = 0
      var found: [String] = []
      for line in lines {
        let end = start + line.utf8.count
        let own = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        let place = unsafe reader.readFirst(own)
        let again = unsafe (try? reader.read(RawSpan(_unsafeBytes: own))) != nil
        #expect((unsafe place != nil) == again, "\(line)")
        if unsafe place?.kind == .absent {
          found.append("absent")
        } else {
          found.append(again ? reader.text(of: 0) : "malformed")
          if let place = unsafe place {
            let bytes = unsafe UnsafeRawBufferPointer(start: place.start, count: place.count)
            #expect(unsafe String(decoding: bytes, as: UTF8.self) == reader.text(of: 0))
          }
        }
        start = end + 1
      }
      #expect(found == ["1", "x\n", "4", "malformed", "absent"])
    }
  }

  /// Names of any length, and numbers of any number of digits, are compared by more than their first bytes.
  @Test func longNamesAndNumbersAreCompared() throws {
    for length in 0..<40 {
      let name = String("abcdefghijklmnopqrstuvwxyzabcdefghijklmnop".prefix(length))
      let digits = String("9876543210987654321098765432109876543210".prefix(max(1, length)))
      let line = "{\"\(name)\":\(digits),\"\(name)x\":0,\"y\(name)\":-1}"
      let values = try read(line, [[name]])
      #expect(values[0].0 == .number && values[0].1 == digits)
      if length > 0 {
        let other = String(name.dropLast()) + "-"
        #expect(try read(line, [[other]])[0].0 == .absent)
      }
      for bad in [
        "\(digits)x", "0\(digits)", "\(digits).", "\(digits).x", "-", "\(digits)e", "\(digits)e+",
      ] {
        #expect(throws: JSONLine.Malformed.self) { try read("{\"\(name)\":\(bad)}", [[name]]) }
        #expect(throws: JSONLine.Malformed.self) {
          try read("{\"q\":\(bad),\"\(name)\":1}", [[name]])
        }
      }
      for good in [
        "\(digits).0", "-\(digits)", "\(digits).\(digits)", "0.\(digits)",
        "-0.5e-\(min(9, length))",
      ] {
        #expect(try read("{\"q\":\(good) ,\"\(name)\":\(good) }", [[name]])[0].1 == good)
      }
    }
  }

  /// A reader remembers the order of keys; lines of other forms must give the same result as with a
  /// new reader.
  @Test func otherKeysInOtherOrdersAreFoundAsWell() throws {
    let names = ["a", "b", "ab", "abcdefghijklmn", "abcdefghijklmno", "abcdefghijklmnop", "x", "n"]
    let paths = [["a"], ["ab"], ["abcdefghijklmn"], ["abcdefghijklmno"], ["n", "a"], ["n"], ["y"]]
    var random = SeededGenerator(seed: 11)
    var used = JSONLine(fields: paths)
    for _ in 0..<3000 {
      let members = (0..<random.below(7)).map { _ in
        let value = random.pick([
          "1", "\"t\"", "{\"a\":2}", "[{\"a\":3}]", "null", "{\"n\":{\"a\":4}}",
        ])
        return "\"\(random.pick(names))\":\(value)"
      }
      let line = "{" + members.joined(separator: ",") + "}"
      let bytes = Array(line.utf8) + [UInt8](repeating: 0x22, count: 64)
      unsafe try used.read(bytes.span.bytes.extracting(0..<line.utf8.count))
      let fresh = try read(line, paths)
      for index in paths.indices {
        #expect(
          used.kind(index) == fresh[index].0 && used.text(of: index) == fresh[index].1, "\(line)")
      }
    }
  }
}
