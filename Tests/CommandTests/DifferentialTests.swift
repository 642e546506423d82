import Foundation
import TestSupport
import Testing

/// Random queries over random rows: devstack's answer against a naive evaluator's.
@Suite struct DifferentialTests {
  private static let spec = """
    {"type":"kafka","spec":{"dataSchema":{"dataSource":"edge_like",
    "timestampSpec":{"column":"timestamp","format":"posix"},
    "dimensionsSpec":{"dimensions":["g","s",{"type":"long","name":"n"},{"type":"double","name":"x"}]},
    "granularitySpec":{"type":"uniform","segmentGranularity":"DAY","queryGranularity":"NONE","rollup":false}},
    "ioConfig":{"topic":"edge_like","inputFormat":{"type":"json"},
    "consumerProperties":{"bootstrap.servers":"localhost:29092"},"useEarliestOffset":true},
    "tuningConfig":{"type":"kafka"}}}
    """

  @Test(arguments: [1, 2, 3])
  func answersAreThoseOfANaiveEvaluator(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let rows = (0..<120).map { _ in NaiveRow(random: &random) }
    let queries = (0..<150).map { _ in NaiveQuery(random: &random) }
    let workspace = try Commands.Workspace()
    func write(_ text: String, _ name: String) throws {
      try Data(text.utf8).write(to: workspace.url.appendingPathComponent(name))
    }
    try write(rows.map { $0.json(&random) + "\n" }.joined(), "rows.ndjson")
    try write(queries.map { $0.sql + ";\n" }.joined(), "queries.sql")
    try write(Self.spec, "spec.json")
    let outcome = try Commands.run(
      """
      devstack --supervisor spec.json -- sh -c '
        kprod --topic edge_like < rows.ndjson && dsql --exact -f json queries.sql'
      """, in: workspace)
    let answers = try Self.answers(outcome.output)
    let refused = queries.dropFirst(answers.count).first?.sql ?? ""
    try #require(outcome.status == 0, "seed \(seed): \(outcome.errors)\(refused)")
    try #require(answers.count == queries.count)
    for (query, answer) in zip(queries, answers) {
      let expected = query.answer(rows)
      #expect(answer.count == expected.count, "seed \(seed): \(query.sql)")
      for (got, wanted) in zip(answer, expected) {
        #expect(Self.agree(got, wanted), "seed \(seed): \(query.sql): \(got) for \(wanted)")
      }
    }
  }

  /// Each statement's rows, their values in the order of the columns d0, d1, ..., a0, a1, ...
  private static func answers(_ output: String) throws -> [[[Any]]] {
    let arrays = output.replacingOccurrences(of: "]\n[", with: "],\n[")
    let parsed = try JSONSerialization.jsonObject(with: Data("[\(arrays)]".utf8))
    let statements = try #require(parsed as? [[[String: Any]]])
    return statements.map { rows in
      rows.map { row in
        let names = row.keys.sorted {
          ($0.first == "a" ? 1 : 0, $0) < ($1.first == "a" ? 1 : 0, $1)
        }
        return names.compactMap { row[$0] }
      }
    }
  }

  private static func agree(_ got: [Any], _ wanted: [NaiveValue]) -> Bool {
    got.count == wanted.count
      && zip(got, wanted).allSatisfy { got, wanted in
        switch wanted {
        case .null: got is NSNull
        case .text(let text): got as? String == text
        case .long(let number): (got as? NSNumber)?.int64Value == Int64(number)
        case .double(let number):
          abs(((got as? NSNumber)?.doubleValue ?? .nan) - number) <= 1e-9 * max(1, abs(number))
        }
      }
  }
}
