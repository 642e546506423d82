import TestSupport
import Testing

@testable import Druid
@testable import dsql

/// Compares lines that are read many at a time with the same lines read byte by byte.
@Suite struct MarkedLinesTests {
  private static let cells = [
    "0", "7", "-1", "12.5", "0.25", "99999999", "123456789", "1.0E-7", "-0.5", "1234567.125",
    "-12345678", "9223372036854775807", "0.12345678901234567", "1e400", "12345678.5", "1.5E10",
    "null", "true", "false", "\"\"", "\"x\"", "\"a,b\"", "\"tab\\tbed\"", "\"q\\\"q\"", "\"\\\\\"",
    "\"São Paulo\"", "\"日本\"", "\"🙂\"", "\"\\ud83d\\ude42\"", "\"[1,2]\"",
    "\"2026-01-01T00:00:00.000Z\"",
    "\"exactly thirty-two bytes of text\"", "\"thirty-three bytes of text, as is\"",
    "\"forty bytes of text without that mark, no\"", "\"NULL\"", "\"\u{7f}\"", "[1,\"a\"]",
    "{\"a\":[]}",
  ]
  private static let broken = [
    "", " ", "01", "1.", "-", "+1", ".5", "1e", "0x1", "nul", "nulls", "True", "\"", "\"a", "a\"",
    "\"\\q\"", "\"\\u12\"", "\"a\"b", "\"a\"\"b\"", "1 ", " 1", "\"a\" ", "[", "]", "[1",
    "{\"a\":}", "1,",
    "\u{0}", "\"\u{1}\"", "\"a\tb\"", "12a4", "1..2", "1.2.3", "1-2", "\"a\",", "12345678901234a",
    "é",
  ]

  private static func body(_ generator: inout SeededGenerator) -> [UInt8] {
    let columns = Int.random(in: 1...4, using: &generator)
    func header(_ word: String) -> String {
      "[" + (0..<columns).map { "\"\(word)\($0 % 3)\"" }.joined(separator: ",") + "]\n"
    }
    // Long names make objects longer than their lines.
    let name =
      Int.random(in: 0..<8, using: &generator) == 0 ? String(repeating: "n", count: 300) : "n"
    let native = Int.random(in: 0..<6, using: &generator) == 0 ? "ARRAY<STRING>" : "STRING"
    var text = header(name) + header(native).replacing(/>\d/, with: ">") + header("T")
    // Most answers have cells of only a few kinds.
    let palette = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
      cells.randomElement(using: &generator) ?? "0"
    }
    let faults = Int.random(in: 0..<3, using: &generator) == 0 ? 300 : Int.max
    for _ in 0..<Int.random(in: 0...1500, using: &generator) {
      let row = (0..<columns).map { _ in
        Int.random(in: 0..<faults, using: &generator) == 0
          ? broken.randomElement(using: &generator) ?? ""
          : palette.randomElement(using: &generator) ?? "0"
      }
      text += "[" + row.joined(separator: ",") + "]\n"
    }
    return Array((text + "\n").utf8)
  }

  @Test func linesTogetherAreFuzzedAgainstLinesOneByOne() throws {
    var rows = 0
    Fuzzing.run("marked lines") { generator in
      let body = Self.body(&generator)
      var options = FormatOptions(
        format: AnswerFormat.allCases.randomElement(using: &generator) ?? .csv)
      options.hasPlainNumbers = Int.random(in: 0..<8, using: &generator) == 0
      options.nullText = [nil, nil, nil, "x", ""].randomElement(using: &generator) ?? nil
      // Only the last piece holds a whole line.
      let chopped = body.indices.filter { $0 > 0 && body[$0 - 1] == 10 }.map { $0 + 1 }
      let one = Reading.read(body, options, pieces: chopped.filter { $0 <= body.count })
      #expect(Reading.read(body, options) == one)
      let cut = Int.random(in: 0...body.count, using: &generator)
      #expect(Reading.read(body, options, pieces: [cut]) == one, "cut at \(cut)")
      rows += one.rows
    }
    #expect(rows > 0)
  }

  /// Rows of usual form are read the fast way, in all formats that have one.
  @Test(arguments: [AnswerFormat.csv, .tsv, .ndjson]) func usualRowsAreTakenTogether(
    format: AnswerFormat
  ) {
    let names = ["__time", "country", "price", "quantity", "note"]
    let rows = (0..<2000).map {
      "[\"2026-01-01T00:00:00.000Z\",\"São Paulo\",\($0).25,\($0 % 7),\($0 % 3 == 0 ? "null" : "\"\"")]\n"
    }
    let text = Array(rows.joined().utf8)
    let formatter = AnswerFormatter(FormatOptions(format: format))
    var output = ByteBlock()
    formatter.begin(
      names.map { Column(name: $0, nativeType: "STRING", sqlType: "VARCHAR") }, into: &output)
    var lines = MarkedLines()
    var place = 0
    var taken = 0
    while true {
      let more = formatter.rows(
        &lines, of: text.rawSpan, from: &place, limit: text.count, into: &output)
      if more == 0 { break }
      taken += more
    }
    // After the last row there are too few bytes to read it along.
    #expect(taken == 1999)
    #expect(place == text.count - (rows.last?.utf8.count ?? 0))
    #expect(output.array.count { $0 == 10 } == taken + (format == .ndjson ? 0 : 1))
  }
}
