import Foundation
import Testing

/// Runs every session in `Golden/` again and compares all of its text.
@Suite struct TranscriptTests {
  static let folder = Commands.root.appendingPathComponent("Tests/CommandTests/Golden")
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".txt") }.sorted()

  /// Set by `scripts/golden`, which records the answers instead of comparing them.
  static let isRecording = ProcessInfo.processInfo.environment["GOLDEN"] == "record"

  @Test func thereAreTranscripts() {
    #expect(!Self.names.isEmpty)
  }

  @Test(arguments: names)
  func session(_ name: String) throws {
    let file = Self.folder.appendingPathComponent(name)
    let recorded = Transcript(parsing: try String(contentsOf: file, encoding: .utf8))
    #expect(!recorded.exchanges.isEmpty, "\(name) holds no command")
    let played = try recorded.played()
    if Self.isRecording {
      try played.text.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    for (expected, actual) in zip(recorded.exchanges, played.exchanges) {
      #expect(
        actual.answer == expected.answer,
        "\(name): $ \(expected.command)\n\(actual.answer.joined(separator: "\n"))")
    }
  }

  @Test func whatIsReadIsWritten() {
    let text = "# words\n\n$ a\n> b\nout\n1> \n2> err\n? 3\n$ c\n\n# end\n"
    #expect(Transcript(parsing: text).text == text)
    #expect(Transcript(parsing: text).exchanges.map(\.command) == ["a\nb", "c"])
  }

  @Test func everyStreamHasItsMark() throws {
    let outcome = try Commands.run(
      #"printf 'one\n\n$ two\nlast'; echo oops >&2; exit 3"#, in: Commands.Workspace())
    #expect(
      Transcript.answer(outcome) == [
        "one", "1> ", "1> $ two", "last\\ no newline", "2> oops", "? 3",
      ])
  }
}
