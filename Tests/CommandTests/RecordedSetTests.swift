import Foundation
import Testing

private let environment = ProcessInfo.processInfo.environment
private let asksAll = environment["CONFORMANCE"] == "all"

/// Thousands of queries with a real Druid's answers: the limits of Druid's rules, its functions,
/// and generated queries.
///
/// Known differences are in `known-NAME.txt`; any other difference fails. `scripts/conformance`
/// runs all of them, and writes those lists again when `RECORD=1`.
@Suite(.serialized, .enabled(if: asksAll)) struct RecordedSetTests {
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
      "gzip -dc \"$FIXTURES/sets/\(set).ndjson.gz\"", in: workspace, within: 30)
    try #require(unpacked.status == 0, "\(unpacked.errors)")
    let decoder = JSONDecoder()
    let lines = unpacked.output.split(separator: "\n").map { Data($0.utf8) }
    let answers = try lines.map { try decoder.decode(RecordedAnswer.self, from: $0) }
    let questions = try lines.map { try decoder.decode(Question.self, from: $0) }
    try #require(answers.count > 1_500)
    let replies = try ask(answers, questions, in: workspace)

    var verdicts: [RecordedAnswer.Verdict] = []
    for (answer, reply) in zip(answers, replies) {
      verdicts.append(answer.judge(reply, format: "arrayLinesTyped"))
    }
    try hold(answers.map(\.name), verdicts, set)
  }

  /// One curl sends all queries over one connection, and prints the status of each.
  private func ask(
    _ answers: [RecordedAnswer], _ questions: [Question], in workspace: Commands.Workspace
  ) throws -> [RecordedAnswer.Reply] {
    var configuration = ""
    for (index, answer) in answers.enumerated() {
      let query = String(
        decoding: try JSONSerialization.data(
          withJSONObject: answer.sql, options: .fragmentsAllowed), as: UTF8.self)
      var body = #"{"query":\#(query),\#(RecordedAnswer.formats["arrayLinesTyped"] ?? "")"#
      if let parameters = questions[index].parameters { body += ",\"parameters\":\(parameters)" }
      if let context = questions[index].context { body += ",\"context\":\(context)" }
      try (body + "}").write(
        to: workspace.url.appendingPathComponent("q\(index)"), atomically: false, encoding: .utf8)
      configuration += """
        \(index > 0 ? "next" : "# the questions")
        silent
        max-time = 60
        url = "URL/druid/v2/sql"
        header = "Content-Type: application/json"
        data-binary = "@q\(index)"
        output = "a\(index)"
        write-out = "%{http_code}\\n"

        """
    }
    try configuration.write(
      to: workspace.url.appendingPathComponent("questions"), atomically: true, encoding: .utf8)
    let outcome = try Commands.run(
      #"""
      exec devstack -q --supervisor "$FIXTURES/recorded/supervisor-edge.json" -- sh -ec '
        kprod -t ecommerce < "$FIXTURES/recorded/events.ndjson"
        kprod -t edge < "$FIXTURES/recorded/edge.ndjson"
        sed "s|URL|$DRUID_URL|" questions | curl -K -'
      """#, in: workspace, within: 900)
    try #require(outcome.status == 0, "\(outcome.errors)")
    let statuses = outcome.output.split(separator: "\n").compactMap { Int($0) }
    try #require(statuses.count == answers.count)
    return try statuses.enumerated().map { index, status in
      let data = try Data(contentsOf: workspace.url.appendingPathComponent("a\(index)"))
      return RecordedAnswer.Reply(status: status, body: String(decoding: data, as: UTF8.self))
    }
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
    if environment["RECORD"] == "1" {
      let head = "\(refused) refused\n"
      let list = different.keys.sorted().map { $0 + "\n" }.joined()
      try (head + list).write(to: file, atomically: true, encoding: .utf8)
      return
    }
    // Without a list, only the counts are compared.
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    let known = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
      String.init)
    for (name, why) in different.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
      Issue.record("\(name) is different: \(why)")
    }
    if asksAll {
      let most = known.first?.split(separator: " ").first.flatMap { Int($0) } ?? 0
      #expect(refused <= most, "more are refused than before")
    }
  }
}
