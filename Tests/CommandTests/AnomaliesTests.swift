import Foundation
import Testing

/// The detector as a filter: events or rows in, incidents out.
@Suite struct AnomaliesTests {
  private static func run(
    _ script: String, in workspace: Commands.Workspace? = nil
  ) throws -> Commands.Outcome {
    try Commands.run(script, in: try workspace ?? Commands.Workspace())
  }

  /// Five days of a small shop, minute by minute, with a quiet hour of one country on the fifth
  /// day.
  private static let events = """
    fake-events -q -s 3 -r 1 --from 2026-01-05 --duration 4d12h --anomaly 'outage@+4d3h+2h' \
    --labels truth.ndjson > events.ndjson

    """
  private static let watch =
    "anomalies --time timestamp --every 10m --by country --by product_id:5 --measure count "
    + "--measure 'users = distinct(user_id)' --measure 'price = mean(price)'"

  /// A row series with a daily pattern: `values(i)` for each five minutes.
  private static func series(_ count: Int, _ value: (Int) -> Int) -> String {
    var text = "time,value\n"
    for i in 0..<count { text += "\(1_767_571_200 + i * 300),\(value(i))\n" }
    return text
  }

  @Test func aStateInTwoHalvesIsTheWhole() throws {
    let workspace = try Commands.Workspace()
    let outcome = try Self.run(
      Self.events + """
        \(Self.watch) --score 2 < events.ndjson > whole
        lines=$(wc -l < events.ndjson); half=$((lines * 9 / 10 + 7))
        head -n $half events.ndjson | \(Self.watch) --score 2 --state s > first
        tail -n +$((half + 1)) events.ndjson | \(Self.watch) --score 2 --state s > second
        cat first second | cmp - whole && wc -l < whole
        anomalies grade --labels truth.ndjson --min-found 1 -f table < whole
        """, in: workspace)
    #expect(outcome.errors == "" && outcome.status == 0, "\(outcome)")
    let lines = Int(outcome.output.split(separator: "\n").first ?? "") ?? 0
    #expect(lines >= 2)
  }

  @Test func theOrderOfRowsWithinTheLagDoesNotMatter() throws {
    let outcome = try Self.run(
      """
      fake-events -q -s 5 -r 2 --from 2026-01-05 --duration 6h > sorted
      awk -v seed=7 'BEGIN { srand(seed) } { t = $0; sub(/.*"timestamp":/, "", t); printf "%.3f\\t%s\\n", t + rand() * 59, $0 }' \
        sorted | sort -n | cut -f 2- > shuffled
      cmp -s sorted shuffled && echo 'not shuffled'
      \(Self.watch) --all < sorted > a
      \(Self.watch) --all < shuffled > b
      cmp a b && wc -l < a
      """)
    #expect(outcome.errors == "" && outcome.status == 0, "\(outcome)")
    #expect((Int(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 500)
  }

  @Test func inputMayBeCutAnywhere() throws {
    let outcome = try Self.run(
      """
      fake-events -q -s 5 -r 1 --from 2026-01-05 --duration 2h > events
      \(Self.watch) --all < events > a
      dd if=events bs=37 status=none | \(Self.watch) --all > b
      head -c -1 events | \(Self.watch) --all > c
      cmp a b && cmp a c && wc -l < a
      """)
    #expect(outcome.errors == "" && outcome.status == 0, "\(outcome)")
  }

  @Test func aDayOfRowsFindsTheOutage() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(1500) { i in
      (1200..<1212).contains(i) ? 0 : 200 + 5 * min(i % 288, 288 - i % 288) + i * 7919 % 41
    }
    try text.write(
      to: workspace.url.appendingPathComponent("rows.csv"), atomically: true, encoding: .utf8)
    let outcome = try Self.run(
      "anomalies --input csv --time time --value value < rows.csv", in: workspace)
    #expect(outcome.status == 0 && outcome.errors == "")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 2, "\(outcome.output)")
    #expect(lines.first?.contains("\"state\":\"open\"") == true)
    #expect(lines.first?.contains("\"start\":\"2026-01-09T04:00:00.000Z\"") == true)
    #expect(lines.first?.contains("\"direction\":\"down\"") == true)
    #expect(lines.last?.contains("\"state\":\"close\"") == true)
    let up = try Self.run(
      "anomalies --input csv --time time --value value --up < rows.csv", in: workspace)
    #expect(!up.output.contains("\"direction\":\"down\""))
  }

  @Test func aConstantIsSilent() throws {
    let workspace = try Commands.Workspace()
    try Self.series(2000) { _ in 12 }.write(
      to: workspace.url.appendingPathComponent("rows.csv"), atomically: true, encoding: .utf8)
    for lens in ["flow", "novelty"] {
      let outcome = try Self.run(
        "anomalies --input csv --time time --value value --lens \(lens) < rows.csv", in: workspace)
      #expect(outcome == Commands.Outcome(output: "", errors: "", status: 0))
    }
  }

  /// The reference rules give the reference's own numbers, through the whole command.
  @Test func theReferenceAgreesThroughTheCommand() throws {
    let fixtures = Commands.root.appendingPathComponent("Tests/AnomalyDetectionTests/Fixtures")
    let outcome = try Self.run(
      """
      anomalies --input csv --time t --value y --rules reference --all -f csv \
        < '\(fixtures.path)/rows.csv'
      """)
    #expect(outcome.status == 0 && outcome.errors == "")
    let expected = try String(
      contentsOf: fixtures.appendingPathComponent("rows.expected.csv"), encoding: .utf8)
    let rows = outcome.output.split(separator: "\n").dropFirst()
    let wanted = expected.split(separator: "\n").dropFirst()
    #expect(rows.count == wanted.count && rows.count == 1912)
    for (row, want) in zip(rows, wanted) {
      let cells = row.split(separator: ",", omittingEmptySubsequences: false)
      let parts = want.split(separator: ",", omittingEmptySubsequences: false)
      guard let score = Double(cells[5]), let wish = Double(parts[1]) else {
        #expect(cells[5].isEmpty && parts[1].isEmpty, "\(row), \(want)")
        continue
      }
      #expect(abs(score - wish) <= 1e-6 * max(1, abs(wish)), "\(row), \(want)")
    }
  }

  @Test func badRowsAreCountedByReason() throws {
    let outcome = try Self.run(
      #"""
      { fake-events -q -n 3 --from 2026-01-05; echo '{"a":1}'; echo nonsense; echo '{"timestamp":true}'
        echo '{"timestamp":"2026-01-05T00:10:00Z","price":"n/a"}'; } |
        anomalies --time timestamp --measure 'sum(price)' --summary
      """#)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("anomalies: 2 lines, first line 4: no time in 'timestamp'\n"))
    #expect(outcome.errors.contains("anomalies: line 5: not a JSON object\n"))
    #expect(outcome.errors.contains("anomalies: line 7: no number in 'price'\n"))
    #expect(outcome.errors.contains("\"rows\":3,\"late\":0,\"failed\":4"), "\(outcome.errors)")
  }

  @Test func aForeignOrDamagedStateIsRefused() throws {
    let outcome = try Self.run(
      """
      fake-events -q -n 500 --from 2026-01-05 | anomalies --time timestamp --state s
      head -c 300 s > cut; echo hello > foreign
      for f in cut foreign; do anomalies --time timestamp --state $f < /dev/null; echo $?; done
      anomalies --time timestamp --every 5m --state s < /dev/null; echo $?
      anomalies --time timestamp --state s < /dev/null; echo $?
      """)
    #expect(outcome.output == "65\n65\n65\n0\n", "\(outcome)")
    #expect(outcome.errors.contains("'cut' is damaged"))
    #expect(outcome.errors.contains("'foreign' is not a state of anomalies"))
  }

  /// An expected deviation is reported as expected, raises no alarm, and is not learnt.
  @Test func aCalendarAnnouncesWhatIsExpected() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(1700) { i in
      (200 + i * 7919 % 41) * ((1200..<1236).contains(i) ? 5 : 1)
    }
    try text.write(
      to: workspace.url.appendingPathComponent("rows.csv"), atomically: true, encoding: .utf8)
    let outcome = try Self.run(
      #"""
      echo '{"id":"1","kind":"promotion","start":1767931200,"end":1767942000,"filter":{}}' > calendar
      anomalies --input csv --time time --value value --calendar calendar < rows.csv
      """#, in: workspace)
    #expect(outcome.status == 0 && outcome.errors == "")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 1 && outcome.output.contains("\"state\":\"expected\""), "\(outcome)")
    #expect(outcome.output.contains("\"kind\":\"promotion\""))
  }

  /// A key without further events is reported once.
  @Test func silenceIsNews() throws {
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { for (i = 0; i < 300; i++) { t = 1767571200 + i * 60
        print "{\"t\":" t ",\"k\":\"a\"}"; if (i < 100) print "{\"t\":" t ",\"k\":\"b\"}" } }' |
        anomalies --time t --by k --silence 30m
      """#)
    let silent = outcome.output.split(separator: "\n").filter { $0.contains("\"silent\"") }
    #expect(silent.count == 1 && silent[0].contains("\"key\":\"k=b\""), "\(outcome)")
  }

  /// The clock closes a bucket when no more events come.
  @Test func liveBucketsCloseByTheClock() throws {
    let outcome = try Self.run(
      #"""
      { now=$(date +%s); for i in 1 2 3; do echo "{\"t\":$((now - 2 + i % 2))}"; done; sleep 4; } |
        anomalies --time t --every 1s --lag 1s --all --live > out
      [ $(grep -c '"measure":"count"' out) -ge 3 ] && echo closed
      """#)
    #expect(outcome.output == "closed\n", "\(outcome)")
  }

  @Test func gradesBelowTheLineFail() throws {
    let outcome = try Self.run(
      #"""
      echo '{"id":"1","kind":"outage","start":1767571200,"end":1767574800,"filter":{}}' > truth
      anomalies grade --labels truth --min-found 0.5 -f ndjson < /dev/null; echo $?
      echo '{"at":1767571500}' | anomalies grade --labels truth --min-found 0.5 --time at -f ndjson; echo $?
      """#)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4 && lines[1] == "1" && lines[3] == "0", "\(outcome)")
    #expect(lines[2].contains("\"found\":1"))
  }

  @Test func backtestsTellTheWeeks() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(3000) { i in (2500..<2512).contains(i) ? 0 : 300 + i * 7919 % 41 }
    try text.write(
      to: workspace.url.appendingPathComponent("rows.csv"), atomically: true, encoding: .utf8)
    let outcome = try Self.run(
      "anomalies backtest rows.csv --input csv --time time --value value -f csv", in: workspace)
    #expect(outcome.status == 0 && outcome.errors == "")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[1].hasPrefix("2026-01-05,0,"), "\(outcome)")
    #expect(lines[2].hasPrefix("2026-01-12,1,"))
  }

  /// fake-events | kprod | devstack | dsql | anomalies | grade: the outage of one country is found
  /// with its country.
  @Test func theShortDrillPasses() throws {
    let outcome = try Commands.run(
      "\"$ROOT/scripts/drill\" --short", in: Commands.Workspace(), within: 300)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("outage            1      1"), "\(outcome)")
  }

  /// The page is complete in itself; it is opened in a browser if one is installed.
  @Test func theReportIsAPage() throws {
    let workspace = try Commands.Workspace()
    let outcome = try Self.run(
      Self.events + "\(Self.watch) --report page.html < events.ndjson > out; cat page.html",
      in: workspace)
    #expect(outcome.status == 0 && outcome.errors == "")
    let page = outcome.output
    #expect(page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n"))
    #expect(
      page.contains("<svg") && page.contains("<article") && page.contains("prefers-color-scheme"))
    #expect(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"))
    let browser = try Self.run("command -v chromium", in: workspace)
    guard browser.status == 0 else {
      print("the report was not looked at: there is no chromium")
      return
    }
    let shown = try Self.run(
      """
      chromium --headless --no-sandbox --disable-gpu --user-data-dir=profile --screenshot=page.png \
        --window-size=1000,1400 "file://$PWD/page.html" > log 2>&1; head -c 8 page.png | od -An -c | tr -d ' '
      """, in: workspace)
    #expect(shown.output.contains("PNG"), "\(shown)")
  }
}
