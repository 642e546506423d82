import Foundation
import Testing

/// Events through Kafka into Druid and back: every query of druid.sql is compared with values
/// computed from the file.
@Suite struct PipelineTests {
  static let fixture = Commands.root
    .appendingPathComponent("Tests/CommandTests/Fixtures/events.ndjson")

  @Test func everyQueryAnswersWhatTheFileHolds() throws {
    let oracle = try PipelineOracle(lines: String(contentsOf: Self.fixture, encoding: .utf8))
    let outcome = try Commands.run(
      #"devstack -- sh -ec 'kprod --topic ecommerce < "$FIXTURES/events.ndjson"; dsql -f csv "$ROOT/druid.sql"'"#,
      in: Commands.Workspace())
    try #require(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors == "")

    try Self.compare(outcome.output, with: oracle)
  }

  /// Compares the answers to druid.sql as csv: one header each, and an empty line between two
  /// answers.
  static func compare(
    _ csv: String, with oracle: PipelineOracle, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let results = csv.components(separatedBy: "\n\n")
      .map {
        $0.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      }
    try #require(results.count == oracle.answers.count, sourceLocation: sourceLocation)
    for (result, expected) in zip(results, oracle.answers) {
      let rows = result.dropFirst().map { $0.map(String.init) }
      let name = expected.name
      #expect(
        !rows.isEmpty || expected.rows.isEmpty, "\(name): no rows", sourceLocation: sourceLocation)
      #expect(rows.count == expected.rows.count, "\(name)", sourceLocation: sourceLocation)
      for (row, wanted) in zip(rows, expected.rows) {
        #expect(
          row.count == wanted.count && zip(row, wanted).allSatisfy(Self.areEqual),
          "\(name): \(row) is not \(wanted)", sourceLocation: sourceLocation)
      }
    }
  }

  /// Without anomalies in the file, the comparison would be empty.
  @Test func theFileHoldsSomethingForEveryQuery() throws {
    let oracle = try PipelineOracle(lines: String(contentsOf: Self.fixture, encoding: .utf8))
    for (name, rows) in oracle.answers {
      #expect(!rows.isEmpty, "\(name)")
    }
  }

  /// Compares numbers as numbers: both sides round to cents, possibly in different directions.
  static func areEqual(_ actual: String, _ expected: String) -> Bool {
    guard actual != expected else { return true }
    guard let left = Double(actual), let right = Double(expected) else { return false }
    return abs(left - right) < 0.011
  }

  @Test func aFilterInTheMiddleIsSeenInTheAnswer() throws {
    let outcome = try Commands.run(
      #"""
      devstack -- sh -ec '
        fake-events --seed 1 -n 1000 --from 2026-01-01 > all.ndjson
        jq -c "select(.country == \"Japan\")" < all.ndjson > some.ndjson
        kprod -t ecommerce < some.ndjson
        printf "country,n\nJapan,%s\n" "$(wc -l < some.ndjson)"
        dsql -f csv -e "SELECT country, COUNT(*) AS n FROM ecommerce GROUP BY country"'
      """#, in: Commands.Workspace())
    #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4 && lines.prefix(2) == lines.suffix(2), "\(outcome.output)")
  }
}
