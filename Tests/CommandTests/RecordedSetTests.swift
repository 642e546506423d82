import Foundation
import Testing

/// Thousands of queries with a real Druid's answers: the limits of Druid's rules, its functions,
/// and generated queries.
///
/// Known differences and the number of refusals are in `known-NAME.txt`; any other difference, and
/// more refusals, fail. `RECORD=1 scripts/conformance` writes those lists again.
@Suite struct RecordedSetTests {
  static let names = ["rules", "random", "functions"]
  static let folder = Commands.root.appendingPathComponent("Tests/CommandTests/Fixtures/sets")

  struct Question: Decodable {
    var parameters: String?
    var context: String?
  }

  @Test(arguments: names)
  func devstackAnswersAsDruidDid(set: String) throws {
    let workspace = try Commands.Workspace()
    let unpacked = try Commands.run(
      "gzip -dc \"$FIXTURES/sets/\(set).ndjson.gz\"", in: workspace)
    try #require(unpacked.status == 0, "\(unpacked.errors)")
    let decoder = JSONDecoder()
    let lines = unpacked.output.split(separator: "\n").map { Data($0.utf8) }
    let answers = try lines.map { try decoder.decode(RecordedAnswer.self, from: $0) }
    let questions = try lines.map { try decoder.decode(Question.self, from: $0) }
    try #require(answers.count > 1_500)
    let replies = try RecordedQueries.ask(
      zip(answers, questions).map { answer, question in
        RecordedQueries.Query(
          sql: answer.sql, format: "arrayLinesTyped", parameters: question.parameters,
          context: question.context)
      }, in: workspace)

    var verdicts: [RecordedAnswer.Verdict] = []
    for (answer, reply) in zip(answers, replies) {
      verdicts.append(answer.judge(reply, format: "arrayLinesTyped"))
    }
    try hold(answers.map(\.name), verdicts, set)
  }

  private func hold(
    _ names: [String], _ verdicts: [RecordedAnswer.Verdict], _ set: String
  ) throws {
    var refused = 0
    var different: [String: String] = [:]
    for (name, verdict) in zip(names, verdicts) {
      switch verdict {
      case .equal: break
      case .refused: refused += 1
      case .different(let why): different[name] = why
      }
    }
    let equal = names.count - refused - different.count
    print("\(set): \(equal) equal, \(refused) refused, \(different.count) different")
    let file = Self.folder.appendingPathComponent("known-\(set).txt")
    if ProcessInfo.processInfo.environment["RECORD"] == "1" {
      let head = "\(refused) refused\n"
      let list = different.keys.sorted().map { $0 + "\n" }.joined()
      try (head + list).write(to: file, atomically: true, encoding: .utf8)
      return
    }
    let known = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
      String.init)
    for (name, why) in different.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
      Issue.record("\(name) is different: \(why)")
    }
    let most = try #require(known.first?.split(separator: " ").first.flatMap { Int($0) })
    #expect(refused <= most, "more are refused than before")
  }
}
