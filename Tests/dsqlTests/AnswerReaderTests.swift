import TestSupport
import Testing

@testable import Druid
@testable import dsql

@Suite struct AnswerReaderTests {
  static let small = "[\"a\",\"b\"]\n[\"STRING\",\"LONG\"]\n[\"VARCHAR\",\"BIGINT\"]\n"

  /// Every recorded answer is complete at its last byte, and at no byte before.
  @Test func everyCutOfEveryRecordingIsSeen() throws {
    var cuts = 0
    for recording in try Recording.whole() {
      var reader = AnswerReader(formatter: AnswerFormatter(FormatOptions(format: .csv)))
      let body = Array(recording.body.utf8)
      for place in body.indices {
        let isWhole = reader.isWhole
        #expect(!isWhole, "\(recording.name) cut after \(place) bytes")
        try reader.take([body[place]].rawSpan)
        cuts += 1
      }
      let isWhole = reader.finish(isWhole: true)
      #expect(isWhole, "\(recording.name)")
    }
    #expect(cuts > 50_000)
  }

  /// In every format, a cut answer has those rows that arrived completely.
  @Test(arguments: AnswerFormat.allCases) func cutAnswersKeepTheirWholeRows(
    format: AnswerFormat
  ) throws {
    for recording in try Recording.whole() where recording.body.utf8.count < 300 {
      let body = Array(recording.body.utf8)
      for cut in body.indices {
        let outcome = Reading.read(Array(body[..<cut]), FormatOptions(format: format))
        #expect(!outcome.isWhole, "\(recording.name) cut after \(cut) bytes")
        #expect(outcome.failure == nil)
        // Whole lines, and the last line if none of it is missing.
        let next = body[cut...].first
        let lines = body[..<cut].split(separator: 10).count
        let isTorn = cut > 0 && body[cut - 1] != 10 && next != 10
        #expect(
          outcome.rows == max(0, lines - 3 - (isTorn ? 1 : 0)),
          "\(recording.name) cut after \(cut) bytes")
      }
    }
  }

  /// The transport reports a cut body although its end mark is there.
  @Test func theTransportCanTakeTheEndMarkBack() throws {
    var reader = AnswerReader(formatter: AnswerFormatter(FormatOptions(format: .csv)))
    try reader.take(Array((Self.small + "\n").utf8).rawSpan)
    let isWhole = reader.finish(isWhole: false)
    #expect(!isWhole)
  }

  /// The result does not depend on how the body is split.
  @Test func piecesDoNotMatter() throws {
    var generator = SeededGenerator(seed: 7)
    for recording in try Recording.whole() where recording.body.utf8.count < 6000 {
      let body = Array(recording.body.utf8)
      let expected = Reading.read(body)
      #expect(expected.isWhole && expected.failure == nil, "\(recording.name)")
      for _ in 0..<3 {
        let count = Int.random(in: 1...6, using: &generator)
        let pieces = (0..<count).map { _ in Int.random(in: 0...body.count, using: &generator) }
        #expect(Reading.read(body, pieces: pieces.sorted()) == expected, "\(recording.name)")
      }
    }
  }

  @Test(
    arguments: [
      ("", 1), ("<html>", 1), ("\u{0}\u{0}\u{0}", 1), ("{\"a\":1}\n", 1), ("[1]\n", 1),
      ("[\"a\"]\n[\"LONG\",\"LONG\"]\n[\"BIGINT\"]\n\n", 3),
      (small + "[\"x\"]\n\n", 4), (small + "[\"x\",1,2]\n\n", 4), (small + "[\"x\",01]\n\n", 4),
      (small + "[\"x\",1.]\n\n", 4), (small + "[\"x\",nul]\n\n", 4),
      (small + "[\"x\",1]]\n\n", 4), (small + "[\"x\" ,1]\n\n", 4),
      (small + "[\"x\",1]\n[\"\\q\",1]\n\n", 5), (small + "[\"\\ud83\",1]\n\n", 4),
      (small + "[\"\u{1}\",1]\n\n", 4), (small + "[[1,{\"a\":}],1]\n\n", 4),
      (small + "\nmore", 4), (small + "\n\n", 4), (small + "[\"x\",1]\n\n[\"x\",1]\n", 5),
    ]) func whatIsNoAnswerIsNeverWhole(body: String, line: Int)
  {
    let outcome = Reading.read(body)
    #expect(!outcome.isWhole)
    if !body.isEmpty { #expect(outcome.failure?.line == line) }
  }

  /// A changed byte never makes the reader trap, and an answer in pieces gives the same as the
  /// whole.
  @Test func answersAreFuzzed() throws {
    let bodies = try Recording.whole().map { Array($0.body.utf8) }.filter { $0.count < 1500 }
    Fuzzing.run("answers") { generator in
      guard var body = bodies.randomElement(using: &generator) else { return }
      for _ in 0..<Int.random(in: 0...3, using: &generator) where !body.isEmpty {
        let place = Int.random(in: 0..<body.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: body[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: body.remove(at: place)
        case 2: body.removeSubrange(place...)
        default: body.insert(body[place], at: place)
        }
      }
      let format = AnswerFormat.allCases.randomElement(using: &generator) ?? .csv
      let cuts = (0..<3).map { _ in Int.random(in: 0...body.count, using: &generator) }.sorted()
      let whole = Reading.read(body, FormatOptions(format: format))
      let chopped = Reading.read(body, FormatOptions(format: format), pieces: cuts)
      #expect(whole.text == chopped.text && whole.rows == chopped.rows, "\(cuts): \(body)")
      #expect(whole.isWhole == chopped.isWhole, "\(cuts): \(body)")
      #expect(whole.failure?.line == chopped.failure?.line, "\(cuts): \(body)")
    }
  }

  @Test(arguments: [[], [700], [60, 500, 900]]) func aRowOverTheLimitIsRefused(pieces: [Int]) {
    let header = "[\"s\"]\n[\"STRING\"]\n[\"VARCHAR\"]\n[\"a\"]\n"
    let body = Array((header + "[\"" + String(repeating: "x", count: 1000) + "\"]\n\n").utf8)
    var options = FormatOptions(format: .csv)
    options.limits.maximumRowLength = 1004
    #expect(Reading.read(body, options, pieces: pieces).isWhole)
    options.limits.maximumRowLength = 1003
    let outcome = Reading.read(body, options, pieces: pieces)
    #expect(outcome.failure?.isOverLimit == true)
    #expect(outcome.failure?.line == 5)
    #expect(outcome.rows == 1 && outcome.text == "s\na\n")
  }

  @Test func anEndlessHeaderLineIsRefused() {
    let body = Array(repeating: UInt8(ascii: "["), count: 17 << 20)
    let outcome = Reading.read(body)
    #expect(outcome.failure?.line == 1)
    #expect(outcome.failure?.isOverLimit == false)
  }

  /// Rows longer than a block are written in pieces, with the same result as in one piece: a unit
  /// that is repeated gives its text repeatedly, wherever the pieces are split.
  @Test(
    arguments: [
      "x", "a,b", "tab\\t", "q\\\"", "\\\\", "é", "日本", "🙂", "\\ud83d\\ude42", "\\u00e9", "\\u0001",
      "\\ud83d", "\u{7f}", "e\u{301}", "\\/\\n,", "👩‍👩‍👧x",
    ], AnswerFormat.allCases)
  func longRowsAreShortOnesWritLarge(unit: String, format: AnswerFormat) {
    /// The text before the units, the units, and the text after them.
    func read(_ count: Int) -> [String] {
      let text = "<" + String(repeating: unit, count: count) + ">"
      let header = "[\"n\",\"s\"]\n[\"LONG\",\"STRING\"]\n[\"BIGINT\",\"VARCHAR\"]\n"
      let body = header + "[1,\"\(text)\"]\n[2,\"b\"]\n\n"
      var options = FormatOptions(format: format)
      options.hasHeader = false
      let outcome = Reading.read(Array(body.utf8), options, pieces: [30])
      #expect(outcome.isWhole && outcome.rows == 2)
      return outcome.text.split(whereSeparator: { "<>".contains($0) }).map(String.init)
    }
    let count = 300_000 / unit.utf8.count
    let (short, long) = (read(1), read(count))
    let expected = [short[0], String(repeating: short[1], count: count), short[2]]
    #expect(long.map(\.utf8.count) == expected.map(\.utf8.count), "\(unit) in \(format)")
    #expect(long == expected, "\(unit) in \(format)")
  }

  @Test func aLongRowFitsNoTerminal() {
    let body =
      "[\"s\",\"n\"]\n[\"STRING\",\"LONG\"]\n[\"VARCHAR\",\"BIGINT\"]\n[\""
      + String(repeating: "x", count: 300_000) + "\",1]\n[\"y\",2]\n\n"
    var options = FormatOptions(format: .table)
    let wide = Reading.read(body, options).text.split(separator: "\n")
    // It shifts only its own line.
    #expect(wide.map(\.count) == [1004, 1004, 300_004, 1004])
    options.terminalWidth = 80
    #expect(Reading.read(body, options).text.hasPrefix("-[ row 1 ]-\ns | xxx"))
  }
}
