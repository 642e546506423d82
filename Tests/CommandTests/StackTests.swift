import Foundation
import Testing

/// The pipeline from events to answers, for devstack and for a real Kafka and Druid: see
/// ``Stack/all``.
@Suite struct StackTests {
  @Test(.timeLimit(.minutes(15)), arguments: Stack.all)
  func eventsBecomeAnswers(_ stack: Stack) throws {
    let oracle = try PipelineOracle(
      lines: String(contentsOf: PipelineTests.fixture, encoding: .utf8))
    let open = try OpenStack(stack)
    defer { #expect(throws: Never.self) { try open.remove() } }

    let sent = try open.run("kprod -t $NAME --wait 60s < \"$FIXTURES/events.ndjson\"")
    #expect(sent == Commands.Outcome(output: "", errors: "", status: 0))
    // A table that was never read is not known yet, and the messages are not read yet.
    let count = try open.run(
      "dsql --wait 180s --caught-up 180s -f csv --no-header -e \"SELECT COUNT(*) FROM $NAME\"")
    try #require(
      count == Commands.Outcome(output: "\(oracle.events.count)\n", errors: "", status: 0))

    let script = try open.run(
      "sed \"s/FROM ecommerce/FROM $NAME/\" \"$ROOT/druid.sql\" > druid.sql; dsql -f csv druid.sql")
    #expect(script.status == 0 && script.errors == "", "\(script.errors)")
    try PipelineTests.compare(script.output, with: oracle)
    try everyFormat(open, oracle)
    try questions(open, oracle)
    try errors(open)
    try windows(open, oracle)
  }

  private func everyFormat(_ open: OpenStack, _ oracle: PipelineOracle) throws {
    let rows = Dictionary(grouping: oracle.events, by: \.device).sorted { $0.key < $1.key }
      .map { device, events in
        (device, events.count, oracle.time(events.map(\.timestamp).min() ?? 0))
      }
    let expected = [
      "csv": "device,n,first\n" + rows.map { "\($0),\($1),\($2)\n" }.joined(),
      "tsv": "device\tn\tfirst\n" + rows.map { "\($0)\t\($1)\t\($2)\n" }.joined(),
      "ndjson": rows.map { #"{"device":"\#($0)","n":\#($1),"first":"\#($2)"}"# + "\n" }.joined(),
      "json": "[\n"
        + rows.map { #"{"device":"\#($0)","n":\#($1),"first":"\#($2)"}"# }.joined(separator: ",\n")
        + "\n]\n",
      "vertical": rows.enumerated().map {
        "-[ row \($0 + 1) ]-\ndevice | \($1.0)\nn      | \($1.1)\nfirst  | \($1.2)\n"
      }.joined(),
      "table": "device  |    n | first\n--------+------+-------------------------\n"
        + rows.map { device, n, first in
          device.padding(toLength: 7, withPad: " ", startingAt: 0)
            + " | " + String(repeating: " ", count: 4 - "\(n)".count) + "\(n) | \(first)\n"
        }.joined(),
    ]
    for (format, text) in expected {
      let outcome = try open.run(
        """
        dsql -f \(format) -e "SELECT device, COUNT(*) AS n, MIN(__time) AS \\"first\\" FROM $NAME
          GROUP BY device ORDER BY device"
        """)
      #expect(outcome == Commands.Outcome(output: text, errors: "", status: 0), "\(format)")
    }
  }

  private func questions(_ open: OpenStack, _ oracle: PipelineOracle) throws {
    let japan = oracle.events.count { $0.country == "Japan" && $0.price > 20 }
    let users = Set(oracle.events.map(\.user_id)).count
    let outcome = try open.run(
      """
      dsql -f csv --no-header -p Japan -p double:20 \
        -e "SELECT COUNT(*) FROM $NAME WHERE country = ? AND price > ?"
      dsql -f csv --no-header --exact --complete -e "SELECT COUNT(DISTINCT user_id) FROM $NAME"
      dsql -f ndjson -e "SELECT 1 AS c, 2 AS c; SELECT 9007199254740993 AS big"
      printf "SET sqlTimeZone = 'Asia/Tokyo';
        SELECT TIME_FORMAT(TIME_PARSE('2026-01-01T00:00:00Z'), 'yyyy-MM-dd HH:mm') AS t" |
        dsql -f csv --no-header
      dsql -f csv -e "SELECT * FROM $NAME" | head -n 1 | tr , '\\n' | wc -l
      """)
    #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
    #expect(
      outcome.output == """
        \(japan)
        \(users)
        {"c":1,"c_2":2}
        {"big":9007199254740993}
        2026-01-01 09:00
        9

        """)
    // devstack does not support plans, and says so.
    let plan = try open.run("dsql -f csv --explain -e \"SELECT COUNT(*) FROM $NAME\"")
    #expect(
      plan.status == 0 && plan.output.hasPrefix("PLAN,")
        || plan.status == 65 && plan.errors.contains("EXPLAIN"), "\(plan.errors)")
  }

  private func errors(_ open: OpenStack) throws {
    for (sql, place, words) in [
      ("SELECT devise FROM \(open.name)", "line 1, column 8", "Column 'devise' not found"),
      (
        "SELECT 1 FROM \(open.name)_none", "line 1, column 15",
        "Object '\(open.name)_none' not found"
      ),
      ("SELECT 1 AS one", "line 1, column 10", "keyword 'AS'"),
      ("SELECT 1,\n  FROM x", "line 1, column 9", "unexpected token"),
      ("SELEKT 1", "statement 1", "expression"),
    ] {
      let outcome = try open.run("dsql -e \"\(sql)\"")
      #expect(outcome.status == 65, "\(sql): \(outcome.errors)")
      #expect(outcome.output == "")
      #expect(outcome.errors.contains(place) && outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  /// Runs `--follow` over the hours of the events, until its reader has all of them.
  private func windows(_ open: OpenStack, _ oracle: PipelineOracle) throws {
    let first = (oracle.events.map(\.timestamp).min() ?? 0) / 21600 * 21600
    let last = oracle.events.map(\.timestamp).max() ?? 0
    let windows = (last - first) / 21600 + 1
    let outcome = try open.run(
      """
      sql="SELECT COUNT(*) FROM $NAME WHERE __time >= ? AND __time < ?"
      dsql --follow 6h --lag 0s --since \(first) -f csv --no-header -e "$sql" | head -n \(windows)
      """)
    let counts = outcome.output.split(separator: "\n").compactMap { Int($0) }
    let expected = Dictionary(grouping: oracle.events) { ($0.timestamp - first) / 21600 }
    #expect(counts == (0..<windows).map { expected[$0]?.count ?? 0 }, "\(outcome.errors)")
  }
}
