import Foundation
import Testing

/// devstack's answers against those of a real Druid, recorded with the same rows.
@Suite struct ConformanceTests {
  static let recorded = Commands.root
    .appendingPathComponent("Tests/CommandTests/Fixtures/recorded")

  /// `scripts/conformance` requests all six formats; otherwise the format with types is requested,
  /// and one more in turns.
  static let asksAllFormats = ProcessInfo.processInfo.environment["CONFORMANCE"] == "all"

  static func recordings() throws -> [RecordedAnswer] {
    let file = recorded.appendingPathComponent("answers.ndjson")
    let decoder = JSONDecoder()
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .map { try decoder.decode(RecordedAnswer.self, from: Data($0.utf8)) }
  }

  static func formats(of index: Int) -> [String] {
    let names = RecordedAnswer.formats.keys.sorted()
    return asksAllFormats ? names : Set(["arrayLinesTyped", names[index % names.count]]).sorted()
  }

  @Test func devstackAnswersAsDruidDid() throws {
    let recordings = try Self.recordings()
    try #require(recordings.count > 150)
    let workspace = try Commands.Workspace()
    let questions = recordings.enumerated().flatMap { index, recording in
      Self.formats(of: index).map { (recording, $0) }
    }
    let replies = try RecordedQueries.ask(
      questions.map { recording, format in
        RecordedQueries.Query(sql: recording.sql, format: format)
      }, in: workspace)

    var verdicts: [String: RecordedAnswer.Verdict] = [:]
    for (index, (recording, format)) in questions.enumerated() {
      let verdict = recording.judge(replies[index], format: format)
      if verdict != .equal || verdicts[recording.name] == nil {
        verdicts[recording.name] = verdict
      }
    }
    report(verdicts)
  }

  private func report(_ verdicts: [String: RecordedAnswer.Verdict]) {
    var equal = 0
    var refused = 0
    for (name, verdict) in verdicts.sorted(by: { $0.key < $1.key }) {
      switch verdict {
      case .equal: equal += 1
      case .refused(let why):
        refused += 1
        print("refused \(name): \(why)")
      case .different(let why): Issue.record("\(name) is different: \(why)")
      }
    }
    let different = verdicts.count - equal - refused
    print("conformance: \(equal) equal, \(refused) refused, \(different) different")
    #expect(equal * 100 >= verdicts.count * 98)
  }

  /// The comparison itself: the differences that it must detect.
  @Test func theJudgeTellsRowsApart() throws {
    func recording(_ sql: String, _ body: String) -> RecordedAnswer {
      RecordedAnswer(
        name: "x", flags: [], sql: sql, answers: ["array": .init(status: 200, body: body)])
    }
    func verdict(_ recording: RecordedAnswer, _ body: String, _ status: Int = 200)
      -> RecordedAnswer.Verdict
    { recording.judge(.init(status: status, body: body), format: "array") }

    let plain = recording("SELECT a FROM t", "[[1],[2.5]]\n")
    #expect(verdict(plain, "[[2.5000000000001],[1]]\n") == .equal)
    #expect(verdict(plain, "[[1],[2.6]]\n") != .equal)
    #expect(verdict(plain, "[[1.0],[2.5]]\n") != .equal)
    #expect(verdict(plain, "[[1],[2.5]\n") != .equal)
    #expect(verdict(plain, "[[1]]\n") != .equal)
    #expect(verdict(plain, "<html>", 500) != .equal)
    let ordered = recording("SELECT a, b FROM t ORDER BY a", #"[[1,"x"],[1,"y"],[2,"z"]]"#)
    #expect(verdict(ordered, #"[[1,"y"],[1,"x"],[2,"z"]]"#) == .equal)
    #expect(verdict(ordered, #"[[2,"z"],[1,"x"],[1,"y"]]"#) != .equal)
    let estimate = recording("SELECT COUNT(DISTINCT a) FROM t", "[[1000]]\n")
    #expect(verdict(estimate, "[[1020]]\n") == .equal)
    #expect(verdict(estimate, "[[1100]]\n") != .equal)
  }
}
