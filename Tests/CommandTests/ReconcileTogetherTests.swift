import Foundation
import Testing

/// `kprod --receipt` and `dsql --reconcile` on one stream, with devstack between them.
@Suite struct ReconcileTogetherTests {
  /// The totals of `dsql --summary --reconcile`, which end standard error.
  struct Totals: Decodable {
    var receipts: Int
    var acknowledged: Int
    var read: Int?
    var difference: Int?
    var failed: Int
    var seconds: Double
  }

  let workspace: Commands.Workspace
  let server: RunningDevstack

  init() throws {
    workspace = try Commands.Workspace()
    server = try RunningDevstack()
  }

  func run(_ script: String) throws -> Commands.Outcome {
    try Commands.run(
      script, in: workspace,
      environment: ["KAFKA_BROKERS": server.brokers, "DRUID_URL": server.druid])
  }

  /// Reconciles; the row of totals, the status, and what the summary says.
  func reconcile(_ flags: String, within: String = "20s") throws -> (
    total: [String], outcome: Commands.Outcome, totals: Totals
  ) {
    let outcome = try run("dsql --summary -f csv --no-header --within \(within) \(flags)")
    let last = try #require(outcome.errors.split(separator: "\n").last, "no summary")
    let total = outcome.output.split(separator: "\n").last ?? ""
    return (
      total.split(separator: ",", omittingEmptySubsequences: false).map(String.init), outcome,
      try JSONDecoder().decode(Totals.self, from: Data(last.utf8))
    )
  }

  @Test func everyLineIsFollowedIntoDruid() throws {
    let sent = try run(
      """
      send() { fake-events -n 1000 --seed $1 --from 2026-01-01 |
        kprod -t ecommerce --timestamp-field timestamp --receipt $1.json; }
      send 1
      """)
    #expect(sent.status == 0, "\(sent.errors)")
    let (total, outcome, totals) = try reconcile("--reconcile 1.json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      total == [
        "ecommerce", "ecommerce", "", "1000", "1000", "1000", "0", "0", "0", "1000", "false", "0",
        "equal",
      ])
    #expect(totals.receipts == 1 && totals.acknowledged == 1000 && totals.read == 1000)
    #expect(totals.difference == 0 && totals.failed == 0 && totals.seconds > 0)

    // Lines of a second run, some of them useless to Druid: both receipts together cover what the task read.
    let more = try run(
      """
      { fake-events -n 500 --seed 2 --from 2026-01-02; echo 'no JSON'; echo '{"timestamp":"never"}'; } |
        kprod -t ecommerce --receipt 2.json
      """)
    #expect(more.status == 0, "\(more.errors)")
    let (both, together, sums) = try reconcile("--reconcile 1.json --reconcile 2.json")
    #expect(together.status == 0, "\(together.errors)")
    #expect(both[3] == "1502" && both[5] == "1500" && both[7] == "2" && both[12] == "equal")
    #expect(together.errors.contains("2 messages could not be parsed"), "\(together.errors)")
    #expect(sums.receipts == 2 && sums.acknowledged == 1502)
    let twice = try reconcile("--reconcile 1.json --reconcile 2.json --reconcile 1.json")
    #expect(twice.outcome.status == 0 && twice.totals.acknowledged == 1502)
    #expect(twice.outcome.errors.contains("'1.json' is the same as a receipt before it"))

    // One alone does not: whether its own lines were counted is unknown, so the status is 1.
    let alone = try reconcile("--reconcile 2.json")
    #expect(alone.outcome.status == 1 && alone.total[12] == "unknown" && alone.total[4] == "502")
    #expect(alone.totals.failed == 1 && alone.totals.difference == nil)
  }

  /// A receipt of more lines than the topic has: they are never read, and the time runs out.
  @Test func linesAreMissing() throws {
    let sent = try run(
      """
      fake-events -n 100 --from 2026-01-01 | kprod -t ecommerce -p 0 --receipt real.json
      sed 's/"last_offset":99,"count":100/"last_offset":104,"count":105/' real.json > more.json
      sed 's/"first_offset":0,"last_offset":99,"count":100/"first_offset":0,"last_offset":99,"count":98/' real.json > fewer.json
      cmp -s real.json more.json && exit 9; cmp -s real.json fewer.json && exit 9; exit 0
      """)
    #expect(sent.status == 0, "\(sent.errors)")
    let start = Date()
    let (total, outcome, totals) = try reconcile("--reconcile more.json", within: "2s")
    #expect(outcome.status == 75, "\(outcome.errors)")
    #expect(Date().timeIntervalSince(start) >= 2)
    #expect(total[3] == "105" && total[4] == "100" && total[12] == "unread")
    #expect(outcome.errors.contains("has read 100 of 105 acknowledged messages"))
    #expect(totals.failed == 1 && totals.read == 100)
    // Others wrote into the same partition: the task's counts are of all of them.
    let fewer = try reconcile("--reconcile fewer.json")
    #expect(fewer.outcome.status == 1 && fewer.total[12] == "unknown")
    // The real one still adds up.
    #expect(try reconcile("--reconcile real.json").outcome.status == 0)
  }

  /// Lines that name their topics: only some of them are read by a supervisor.
  @Test func severalTopics() throws {
    let sent = try run(
      """
      { fake-events -n 300 --from 2026-01-01 | jq -c '.to = "ecommerce"'; echo '{"to":"elsewhere"}'; echo '{}'; } |
        kprod --topic-field to --receipt all.json
      """)
    #expect(sent.status == 1, "\(sent.errors)")
    let (_, outcome, totals) = try reconcile("--reconcile all.json", within: "3s")
    #expect(outcome.status == 75, "\(outcome.errors)")
    #expect(outcome.output.contains("ecommerce,ecommerce,,300,300,300,0,0,0,,false,0,equal"))
    #expect(outcome.output.contains(",elsewhere,,1,"))
    #expect(outcome.errors.contains("'all.json': 1 lines were not delivered"), "\(outcome.errors)")
    #expect(outcome.errors.contains("no supervisor reads the topic"), "\(outcome.errors)")
    #expect(totals.acknowledged == 301 && totals.failed == 1)
  }

  /// The summary stands there whatever goes wrong.
  @Test func aSummaryOfFailures() throws {
    let outcome = try run("dsql --summary --reconcile none.json")
    #expect(outcome.status == 74)
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.first == "dsql: opening 'none.json': no such file or directory")
    #expect(
      lines.last?.hasPrefix(
        #"{"receipts":1,"acknowledged":0,"read":0,"difference":0,"failed":1,"seconds":"#) == true)
  }
}
