import Foundation
import Plumbing
import TestSupport
import Testing

@testable import Druid
@testable import dsql

@Suite struct FormatterTests {
  /// A body with these columns (name, native type, SQL type) and rows.
  static func body(_ columns: [(String, String, String)], _ rows: [String]) -> String {
    func line(_ texts: [String]) -> String { JSONValue.array(texts.map { .string($0) }).jsonText }
    let lines = [line(columns.map(\.0)), line(columns.map(\.1)), line(columns.map(\.2))] + rows
    return lines.joined(separator: "\n") + "\n\n"
  }

  static let text = ("s", "STRING", "VARCHAR")
  static let number = ("n", "LONG", "BIGINT")
  static let double = ("x", "DOUBLE", "DOUBLE")

  static func show(
    _ columns: [(String, String, String)], _ rows: [String], _ format: AnswerFormat,
    _ change: (inout FormatOptions) -> Void = { _ in }
  ) -> String {
    var options = FormatOptions(format: format)
    change(&options)
    let outcome = Reading.read(body(columns, rows), options)
    #expect(outcome.isWhole)
    return outcome.text
  }

  // MARK: against Druid's own formats

  /// Estimates, and plans that contain the query's name, differ between runs.
  private static let varying: Set<String> = ["explain", "quantile"]

  /// Druid's csv does not distinguish NULL from the empty text; apart from that, ours is equal byte
  /// for byte.
  @Test func csvIsDruidsCSV() throws {
    for recording in try Recording.whole() {
      guard let theirs = recording.csv else { continue }
      let ours = Reading.read(recording.body).text + "\n"
      if recording.body.contains("\"\"") || Self.varying.contains(recording.name) { continue }
      #expect(Self.withoutExpiry(ours) == Self.withoutExpiry(theirs), "\(recording.name)")
    }
  }

  /// Queries of the clock were recorded once for each format.
  private static func withoutExpiry(_ text: String) -> String {
    let parts = text.split(separator: "\n").map { line in
      line.split(separator: ",").map { $0.contains("2026-11-22") ? "now" : String($0) }
        .joined(separator: ",")
    }
    return parts.joined(separator: "\n")
  }

  @Test func ndjsonIsDruidsObjectLines() throws {
    var compared = 0
    for recording in try Recording.whole() {
      guard let theirs = recording.objectLines, !recording.body.contains("2026-11-22"),
        !recording.body.contains("ARRAY<"), !recording.body.contains("COMPLEX<json>"),
        recording.name != "duplicate_names", !Self.varying.contains(recording.name)
      else { continue }
      let ours = Reading.read(recording.body, FormatOptions(format: .ndjson)).text
      let ourLines = ours.split(separator: "\n")
      let theirLines = theirs.split(separator: "\n")
      #expect(ourLines.count == theirLines.count, "\(recording.name)")
      for (our, their) in zip(ourLines, theirLines) {
        #expect(
          try JSONValue(parsing: String(our)) == JSONValue(parsing: String(their)),
          "\(recording.name)")
        compared += 1
      }
    }
    #expect(compared > 300)
  }

  // MARK: csv and tsv

  @Test func separatedCells() {
    let rows = [
      #"["plain",1]"#, #"[null,null]"#, #"["",-0]"#, #"["a,b",9223372036854775807]"#,
      #"["say \"hi\"",2]"#, #"["one\ntwo",3]"#, #"["tab\there",4]"#, #"["\uD83D\uDE42",5]"#,
      #"["cr\r",6]"#, #"["\uD83D",7]"#,
    ]
    #expect(
      Self.show([Self.text, Self.number], rows, .csv) == """
        s,n
        plain,1
        ,
        "",-0
        "a,b",9223372036854775807
        "say ""hi\""",2
        "one
        two",3
        tab\there,4
        🙂,5
        "cr\r",6
        \u{fffd},7

        """)
    #expect(
      Self.show([Self.text, Self.number], Array(rows[3...6]), .tsv) == """
        s\tn
        a,b\t9223372036854775807
        "say ""hi\"""\t2
        "one
        two"\t3
        "tab\there"\t4

        """)
  }

  @Test func separatedOptions() {
    let rows = ["[null,1.5E10]", "[\"NULL\",-1.25E-3]", "[\"\",1.0]"]
    #expect(
      Self.show([Self.text, Self.double], rows, .csv) {
        $0.nullText = "NULL"
        $0.hasPlainNumbers = true
        $0.hasTypes = true
      } == "s,x\nVARCHAR,DOUBLE\nNULL,15000000000\n\"NULL\",-0.00125\n\"\",1.0\n")
    #expect(
      Self.show([Self.text, Self.double], rows, .csv) {
        $0.hasHeader = false
        $0.follows = true
      } == "\n,1.5E10\nNULL,-1.25E-3\n\"\",1.0\n")
    // A lone NULL must not become an empty line, which readers skip.
    #expect(Self.show([Self.text], ["[null]", "[\"\"]"], .csv) == "s\n\"\"\n\"\"\n")
    // Names are quoted like cells.
    #expect(Self.show([("a,b", "LONG", "BIGINT")], ["[1]"], .csv) == "\"a,b\"\n1\n")
  }

  // MARK: ndjson and json

  @Test func jsonObjects() {
    let columns = [Self.number, ("c", "STRING", "VARCHAR"), ("c", "STRING", "VARCHAR")]
    let rows = [#"[1,"a\u0062\/\uD83D\uDE42\u0001","x"]"#, #"[null,"\"q\"","\uDE42"]"#]
    #expect(
      Self.show(columns, rows, .ndjson)
        == "{\"n\":1,\"c\":\"ab/🙂\\u0001\",\"c_2\":\"x\"}\n"
        + "{\"n\":null,\"c\":\"\\\"q\\\"\",\"c_2\":\"\u{fffd}\"}\n")
    #expect(Self.show([Self.number], ["[1]", "[2]"], .json) == "[\n{\"n\":1},\n{\"n\":2}\n]\n")
    #expect(Self.show([Self.number], [], .json) == "[]\n")
    #expect(Self.show([Self.number], [], .ndjson) == "")
    #expect(distinctNames(["c", "c_2", "c", "c"]) == ["c", "c_2", "c_3", "c_4"])
    // Two encodings of é are two names, and both are kept.
    let spellings = distinctNames(["\u{e9}", "e\u{301}", "\u{e9}"]).map { Array($0.utf8) }
    #expect(spellings == ["\u{e9}", "e\u{301}", "\u{e9}_2"].map { Array($0.utf8) })
  }

  @Test func anAnswerWithoutColumnsIsNone() {
    let outcome = Reading.read("[]\n[]\n[]\n[]\n\n", FormatOptions(format: .ndjson))
    #expect(outcome.failure != nil)
    #expect(outcome.text == "")
  }

  @Test func aCutArrayStaysOpen() {
    let whole = Self.body([Self.number], ["[1]", "[2]"])
    let outcome = Reading.read(String(whole.dropLast(2)), FormatOptions(format: .json))
    #expect(outcome.text == "[\n{\"n\":1},\n{\"n\":2}\n")
    #expect(throws: JSONValue.Malformed.self) { try JSONValue(parsing: outcome.text) }
  }

  @Test func nestedJSONIsJSON() {
    let columns = [("a", "ARRAY<STRING>", "ARRAY"), ("j", "COMPLEX<json>", "OTHER")]
    let rows = [
      #"["[\"x\",\"y\\\"z\"]","{\"a\":[1,2]}"]"#, #"["[not json","\"text\""]"#, "[null,[1]]",
    ]
    #expect(
      Self.show(columns, rows, .ndjson)
        == "{\"a\":[\"x\",\"y\\\"z\"],\"j\":{\"a\":[1,2]}}\n"
        + "{\"a\":\"[not json\",\"j\":\"text\"}\n{\"a\":null,\"j\":[1]}\n")
    #expect(
      Self.show(columns, [rows[0]], .csv) { $0.hasHeader = false }
        == "\"[\"\"x\"\",\"\"y\\\"\"z\"\"]\",\"{\"\"a\"\":[1,2]}\"\n")
  }

  // MARK: tables

  @Test func tables() {
    let rows = [#"["Japan",12]"#, #"["東京",3]"#, #"[null,null]"#, #"["e\u0301🙂",-4]"#]
    #expect(
      Self.show([("country", "STRING", "VARCHAR"), Self.number], rows, .table) == """
        country |    n
        --------+-----
        Japan   |   12
        東京    |    3
        NULL    | NULL
        e\u{301}🙂     |   -4

        """)
  }

  @Test func controlsAreShown() {
    let rows = [#"["\u001b[31mred\u0007",1]"#, "[\"a\u{7f}b\",2]", #"["x\ny\t\u202e",3]"#]
    #expect(
      Self.show([Self.text, Self.number], rows, .table) == #"""
        s               | n
        ----------------+--
        \x1b[31mred\x07 | 1
        a\x7fb          | 2
        x\ny\t\u202e    | 3

        """#)
  }

  @Test func laterWiderCellsPushTheirLineOut() {
    let rows = Array(repeating: "[\"ab\",1]", count: 1000) + [#"["abcdef",12345]"#, "[\"a\",2]"]
    let lines = Self.show([Self.text, Self.number], rows, .table).split(separator: "\n")
    #expect(lines[0] == "s  | n")
    #expect(lines[1002] == "abcdef | 12345")
    #expect(lines[1003] == "a  | 2")
    #expect(lines.count == 1004)
  }

  @Test func aNarrowTerminalGetsItVertical() {
    let rows = [#"["a long text that is long",1]"#, "[null,2]"]
    let vertical = """
      -[ row 1 ]-
      s | a long text that is long
      n | 1
      -[ row 2 ]-
      s | NULL
      n | 2

      """
    #expect(
      Self.show([Self.text, Self.number], rows, .table) { $0.terminalWidth = 20 } == vertical)
    #expect(Self.show([Self.text, Self.number], rows, .vertical) == vertical)
    #expect(
      Self.show([Self.text, Self.number], rows, .table) { $0.terminalWidth = 80 }
        .hasPrefix("s   "))
  }

  /// No format loses a row or a cell, and each row is one line where rows are lines.
  @Test(arguments: AnswerFormat.allCases) func nothingIsLost(format: AnswerFormat) {
    let rows = (0..<2500).map { "[\"v\($0)x\",\($0)]" }
    let text = Self.show([Self.text, Self.number], rows, format)
    for number in [0, 1, 999, 1000, 1001, 2499] { #expect(text.contains("v\(number)x")) }
    #expect(text.components(separatedBy: "x").count - 1 == 2500)
  }

  // MARK: small parts

  @Test(
    arguments: [
      ("1.5E10", "15000000000"), ("1.0E-7", "0.0000001"),
      ("-1.23456789123456E8", "-123456789.123456"),
      ("1.0", "1.0"), ("0.0E0", "0"), ("1E2", "100"), ("1.25E1", "12.5"),
      ("1E999999999999", "1E999999999999"),
      ("9007199254740993", "9007199254740993"),
    ]) func plainNumbers(number: String, expected: String)
  {
    #expect(
      Self.show([Self.double], ["[\(number)]"], .csv) {
        $0.hasPlainNumbers = true
        $0.hasHeader = false
      } == expected + "\n")
  }

  @Test(
    arguments: [
      ("abc", 3), ("日本", 4), ("e\u{301}", 1), ("🙂", 2), ("👍🏽", 2), ("👩‍👩‍👧", 2), ("🇯🇵", 2), ("❤️", 2),
      ("\u{200b}", 0), ("한국", 4), ("ｶﾅ", 2), ("ＡＢ", 4), ("", 0),
    ]) func widths(text: String, width: Int)
  {
    var counter = DisplayWidth.Counter()
    for scalar in text.unicodeScalars { counter.add(scalar) }
    #expect(counter.width == width)
  }
}
