import Foundation
import Testing

@testable import anomalies

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
    try workspace.write(text, to: "rows.csv")
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
    try workspace.write(Self.series(2000) { _ in 12 }, to: "rows.csv")
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
    try workspace.write(text, to: "rows.csv")
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

  /// A key that falls silent has an incident, which says how rare that is and closes when rows come.
  /// A silence after a single row is not rare: that key may be seldom.
  @Test func aSeldomKeyIsSilentByNature() throws {
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { for (i = 0; i < 200; i++) { t = 1767571200 + i * 60
        print "{\"t\":" t ",\"k\":\"a\"}"
        if (i == 100) print "{\"t\":" t ",\"k\":\"b\"}" } }' |
        anomalies --time t --by k --silence 30m | jq -r .once_in
      """#)
    #expect(outcome.output.hasSuffix("m\n"), "\(outcome)")
  }

  /// A far-off time of one row does not make all later rows late.
  @Test(arguments: ["", "--by k", "--by k --lag 5m"])
  func oneFarOffTimeIsLeftOut(_ options: String) throws {
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { for (i = 0; i < 300; i++) { t = 1767571200 + i * 60
        if (i % 100 == 50) t += i < 200 ? 4000000000 : -1600000000
        print "{\"t\":" t ",\"k\":\"a\",\"v\":" i "}" } }' > rows
      anomalies --time t --value v --every 60s --all \#(options) < rows | tail -n 1
      """#)
    #expect(outcome.output.contains("\"value\":299,"), "\(outcome)")
    #expect(outcome.errors.contains("first line 51: a far-off time"), "\(outcome)")
  }

  /// Events of wrong clocks, the first one too, count in the buckets of their times, and make no other
  /// late. The outage on the third day is found, and a state in two halves gives the same.
  @Test(arguments: ["", "0", "5", "100,5000,5001,8999"])
  func wrongClocksMakeNoOtherLate(_ wrong: String) throws {
    let watch = "anomalies --time t --by k --measure count --score 8 --min-change 70%"
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { n = split("\#(wrong)", list, ","); for (i = 1; i <= n; i++) wrong[list[i]]
        for (i = 0; i < 13000; i++) { if (i >= 12000 && i < 12200) continue
          print "{\"t\":" 1767571200 + i * 20 + (i in wrong ? 864000 : 0) ",\"k\":\"a\"}" } }' > events
      \#(watch) --summary < events > whole 2> counts
      head -n 5001 events | \#(watch) --state s > halves
      tail -n +5002 events | \#(watch) --state s >> halves
      cmp whole halves; head -n 1 whole | cut -d , -f 4; grep -o '"late":[0-9]*' counts
      """#)
    #expect(
      outcome.output == "\"start\":\"2026-01-07T18:40:00.000Z\"\n\"late\":0\n"
        && outcome.status == 0,
      "\(outcome)")
  }

  /// After a gap, three events are enough for time to go on. The last one alone is, when none can follow.
  @Test func timeGoesOnAfterAGap() throws {
    let outcome = try Self.run(
      #"""
      gap() { awk -v after="$1" 'BEGIN { for (i = 0; i < 9 + after; i++)
        print "{\"t\":" 1767571200 + i * 60 + (i < 9 ? 0 : 86400) "}" }'; }
      for after in 1 2 3; do gap $after | anomalies --time t --measure count --all --state s$after | wc -l; done
      gap 1 | anomalies --time t --measure count --all | wc -l
      """#)
    #expect(outcome.output == "14\n14\n2900\n2896\n" && outcome.status == 0, "\(outcome)")
  }

  /// The impact of an incident is that of its alarms, not of the quiet time until it closes.
  @Test func theImpactEndsWithTheAlarms() throws {
    let text = Self.series(2100) {
      (1990..<1993).contains($0) ? 10 : $0 < 1993 || $0 >= 2000 ? 90 + $0 * 7919 % 21 : 106
    }
    let workspace = try Commands.Workspace()
    try workspace.write(text, to: "series.csv")
    let outcome = try Self.run(
      "anomalies --input csv --time time --value value -f ndjson < series.csv | tail -n 1 | jq .impact",
      in: workspace)
    let impact = Double(outcome.output.dropLast()) ?? 0
    #expect((-290 ... -210).contains(impact), "\(outcome)")
  }

  @Test func silenceIsNews() throws {
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { for (i = 0; i < 400; i++) { t = 1767571200 + i * 60
        print "{\"t\":" t ",\"k\":\"a\"}"
        if (i < 100 || i >= 300) print "{\"t\":" t ",\"k\":\"b\"}" } }' |
        anomalies --time t --by k --silence 30m
      """#)
    let silent = outcome.output.split(separator: "\n").filter { $0.contains("\"silence\"") }
    #expect(silent.count == 2, "\(outcome)")
    guard silent.count == 2 else { return }
    #expect(silent.allSatisfy { $0.contains("\"key\":\"k=b\"") })
    #expect(silent[0].contains("\"state\":\"open\""))
    #expect(silent[0].contains("\"start\":\"2026-01-05T01:40:00.000Z\""), "\(silent[0])")
    #expect(silent[0].contains("\"once_in\":\"1000000000d\""), "\(silent[0])")
    #expect(silent[1].contains("\"state\":\"close\""))
    #expect(silent[1].contains("\"end\":\"2026-01-05T05:00:00.000Z\""), "\(silent[1])")
  }

  /// What begins while an incident is open is another one when it has another cause, and keys are
  /// not taken from what follows.
  @Test func causesThatOverlapAreTwoIncidents() throws {
    let outcome = try Self.run(
      #"""
      awk 'function random() { x = x * 16807 % 2147483647; return x / 2147483647 }
        BEGIN { x = 5; for (b = 0; b < 900; b++) for (k = 0; k < 8; k++) {
        n = 24 + int(random() * 9); v = 10
        if (k == 0 && b >= 800 && b < 814) v = 100
        if (k == 0 && b >= 805 && b < 814) n *= 4
        if (k == 1 && b >= 810 && b < 816) n *= 30
        for (i = 0; i < n; i++)
          print "{\"t\":" 1767571200 + b * 300 + int(i * 299 / n) ",\"k\":\"" substr("abcdefgh", k + 1, 1) "\",\"v\":" v + random() "}"
      } }' | anomalies --time t --by k --every 5m --lag 5m --measure count --measure 'price = mean(v)' > out
      grep '"state":"close"' out | sed 's/"measure".*//; s/.*"key"://'
      """#)
    #expect(outcome.output == "\"k=a\",\n\"k=b\",\n", "\(outcome)")
  }

  /// Keys of the input can't break the output, nor act on a terminal.
  @Test func keysAreWrittenSafely() throws {
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { for (i = 0; i < 400; i++) { t = 1767571200 + i * 60
        print "{\"t\":" t ",\"k\":\"a\"}"
        if (i < 100) print "{\"t\":" t ",\"k\":\"b\\\"\\u001b[2J\"}" } }' > rows
      anomalies --time t --by k --silence 30m < rows | jq -r .id | grep silent
      anomalies --time t --by k --silence 30m -f table < rows | grep 'no row'
      """#)
    let lines = outcome.output.split(separator: "\n")
    #expect(outcome.status == 0 && lines.count == 2, "\(outcome)")
    #expect(lines.first == "20260105T014000Z-silent-k=b\"\u{1b}[2J", "\(outcome)")
    #expect(lines.last?.contains(#"k=b"\x1b[2J has had no row"#) == true, "\(outcome)")
  }

  /// After a signal the state has everything that was read, and the rest goes on from there.
  @Test func aSignalSavesTheState() throws {
    let outcome = try Self.run(
      Self.events + """
        \(Self.watch) --score 2 < events.ndjson > whole
        half=$(($(wc -l < events.ndjson) * 9 / 10))
        mkfifo pipe
        \(Self.watch) --score 2 --state s < pipe > first & pid=$!
        exec 3> pipe
        head -n $half events.ndjson >&3
        kill -TERM $pid; exec 3>&-; { wait $pid; } 2> /dev/null; echo $?
        tail -n +$((half + 1)) events.ndjson | \(Self.watch) --score 2 --state s > second
        cat first second | cmp - whole && echo same
        """)
    #expect(outcome.output == "143\nsame\n" && outcome.errors == "", "\(outcome)")
  }

  /// The state is saved a minute after the last time, and only if lines have come since.
  @Test func theStateIsSavedEachMinute() {
    let start = ContinuousClock.now
    var pace = SavePace(from: start)
    #expect(pace.limit(line: 0, at: start + .seconds(10)) == nil)
    #expect(pace.limit(line: 7, at: start + .seconds(10)) == .seconds(50))
    let looks = [(0, 100), (7, 59), (7, 60), (7, 200), (8, 200), (9, 259)]
    let due = looks.map { line, second in pace.isDue(line: line, at: start + .seconds(second)) }
    #expect(due == [false, false, true, false, true, false])
    #expect(pace.limit(line: 9, at: start + .seconds(300)) == .milliseconds(1))
  }

  /// The keys that were unseen the longest are forgotten, and that is said.
  @Test func moreKeysThanMayBeRemembered() throws {
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { for (i = 0; i < 3000; i++) {
        print "{\"t\":" 1767571200 + i ",\"k\":\"key" int(i / 100) "\"}" } }' > events
      anomalies --time t --by k --lag 0s --max-keys 10 --summary --all < events > a
      anomalies --time t --by k --lag 0s --max-keys 10 --all < events 2> /dev/null | cmp - a
      tail -n 40 a | grep -o 'k=key[0-9]*' | sort -u | wc -l
      """#)
    #expect(outcome.status == 0 && outcome.output == "11\n", "\(outcome)")
    #expect(outcome.errors.contains("20 keys were forgotten"), "\(outcome)")
    #expect(outcome.errors.contains("\"series\":22"), "\(outcome)")
  }

  /// Distinct values above the exact limit are estimates that do not depend on the order of the rows, also across a saved state, and for
  /// keys that have no bit beside the value.
  @Test func manyDistinctValuesAreEstimated() throws {
    let measure = "anomalies --time t --by k --every 1h --measure 'distinct(u)' --all -f csv"
    let outcome = try Self.run(
      #"""
      awk 'BEGIN { for (i = 0; i < 200000; i++) {
        k = i % 2 ? i % 600 : 0
        print "{\"t\":" 1767571200 + int(i / 100) ",\"k\":\"" k "\",\"u\":\"user" i % 160000 "\"}" }
        for (i = 0; i < 3; i++) print "{\"t\":1767582000,\"k\":\"0\",\"u\":\"x\"}" }' > events
      """# + """

        \(measure) < events > a
        { head -n 200000 events | sort -t u -k 3; tail -n 3 events; } | \(measure) --lag 1h > b; cmp a b
        head -n 120000 events | \(measure) --state s > c
        tail -n +120001 events | \(measure) --state s >> c; cmp a c
        grep '^2026-01-05T00.*,total,distinct' a; grep '^2026-01-05T00.*,k=0,distinct' a
        grep '^2026-01-05T00.*,k=599,distinct' a
        """)
    #expect(outcome.status == 0 && outcome.errors == "", "\(outcome)")
    let values = outcome.output.split(separator: "\n").map {
      Double($0.split(separator: ",", omittingEmptySubsequences: false)[3]) ?? .nan
    }
    #expect(values.count == 3, "\(outcome)")
    guard values.count == 3 else { return }
    #expect(abs(values[0] / 160_000 - 1) < 0.03, "\(values)")
    #expect(abs(values[1] / 80_000 - 1) < 0.03, "\(values)")
    #expect(values[2] == 333, "\(values)")
  }

  /// A shop that opens at eight opens at eight after a change of clocks, too.
  @Test func aChangeOfClocksIsNoAnomaly() throws {
    let workspace = try Commands.Workspace()
    var text = "time,value\n"
    // From 2026-03-09 to 2026-04-05 in Berlin, where clocks go forward on 2026-03-29 at 01:00 UTC.
    for i in 0..<(27 * 96) {
      let time = 1_773_014_400 + i * 900
      let local = time + (time < 1_774_746_000 ? 3600 : 7200)
      let hour = local / 3600 % 24
      text += "\(time),\((hour >= 8 && hour < 20 ? 300 : 200) + i * 7919 % 41)\n"
    }
    try workspace.write(text, to: "rows.csv")
    let script = """
      for zone in Europe/Berlin UTC; do
        anomalies --input csv --time time --value value --time-zone $zone < rows.csv |
          grep '"state":"open"' | grep -c '"start":"2026-03-3' || true
      done
      """
    let outcome = try Self.run(script, in: workspace)
    let counts = outcome.output.split(separator: "\n").map { Int($0) ?? -1 }
    #expect(outcome.errors == "" && counts.count == 2, "\(outcome)")
    #expect(counts.first == 0 && (counts.last ?? 0) > 0, "\(outcome)")
  }

  /// Small differences and small amounts are left out on request.
  @Test func smallChangesAndAmountsAreLeftOut() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(2400) { i in
      let value = 1000 + i * 7919 % 41
      if (1200..<1206).contains(i) { return value * 13 / 10 }
      return (1800..<1806).contains(i) ? value * 3 : value
    }
    try workspace.write(text, to: "rows.csv")
    let outcome = try Self.run(
      """
      for options in '' '--min-change 100%' '--min-change 1000' '--min-impact 3000'; do
        anomalies --input csv --time time --value value $options < rows.csv |
          grep '"state":"open"' | grep -o '"start":"2026-01-[0-9]*' | sort -u | tr '\\n' ' '; echo
      done
      """, in: workspace)
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").count }
    #expect(outcome.errors == "" && lines == [2, 1, 1, 1], "\(outcome)")
    #expect(outcome.output.contains("2026-01-11"), "\(outcome)")
  }

  /// A key is as old as its first row, also the only series.
  @Test func theOnlySeriesWarmsUp() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(2000) { $0 == 1000 || $0 == 1900 ? 900 : 100 + $0 * 7919 % 31 }
    try workspace.write(text, to: "series.csv")
    let outcome = try Self.run(
      """
      for warm in 2d 5d 9d; do
        anomalies --input csv --time time --value value --warm $warm < series.csv | grep -c '"open"'
      done
      """, in: workspace)
    #expect(outcome.output == "2\n1\n0\n" && outcome.errors == "", "\(outcome)")
  }

  /// The impact begins with the first bucket.
  @Test func theFirstBucketHasAnImpact() throws {
    let outcome = try Self.run(
      """
      fake-events -q -s 5 -r 5 --from 2026-01-05 --duration 14h |
        anomalies --time timestamp --shop --every 5m | head -n 1
      """)
    struct Line: Decodable {
      let value: Double
      let expected: Double
      let impact: Double
    }
    let line = try JSONDecoder().decode(Line.self, from: Data(outcome.output.utf8))
    #expect(abs(line.impact - (line.value - line.expected)) < 0.01, "\(outcome)")
  }

  /// A mean is told with its numerator and denominator, each beside its usual value.
  @Test func aMeanHasItsUsualDenominator() throws {
    let outcome = try Self.run(
      """
      fake-events -q -s 3 -r 1 --from 2026-01-05 --duration 4d --anomaly 'price@+3d3h+2h,x=0.1' |
        anomalies --time timestamp --every 10m --measure 'mean(price)' | head -n 1
      """)
    #expect(outcome.output.contains("\"denominator\":{\"value\":"), "\(outcome)")
    let last = outcome.output.components(separatedBy: "\"denominator\":").last ?? ""
    let usual = last.components(separatedBy: "\"expected\":").dropFirst().first?.prefix(8) ?? ""
    #expect((Double(usual.prefix { $0 != "}" }) ?? 0) > 100, "\(outcome)")
  }

  /// The clock closes a bucket when no more events come, whether they were new or of an hour ago.
  @Test(arguments: [2, 3600])
  func liveBucketsCloseByTheClock(_ age: Int) throws {
    let outcome = try Self.run(
      #"""
      touch out
      closed() { [ $(grep -c '"measure":"count"' out) -ge 3 ]; }
      { now=$(date +%s); for i in 1 2 3; do echo "{\"t\":$((now - \#(age) + i % 2))}"; done
        i=0; until closed || [ $i -ge 600 ]; do i=$((i + 1)); sleep 0.1; done; } |
        anomalies --time t --every 1s --lag 1s --all --live > out
      closed && echo closed
      """#)
    #expect(outcome.output == "closed\n", "\(outcome)")
  }

  /// Events of the last hour that arrive at once, with a pause, are a backlog and not late.
  @Test func aBacklogIsNotLate() throws {
    let outcome = try Self.run(
      #"""
      # The last event lies behind the end of the bucket before by more than the lag.
      { now=$(($(date +%s) / 20 * 20 + 5)); for i in $(seq 0 40); do
          echo "{\"t\":$((now - 3600 + 20 * i))}"; [ $i != 20 ] || sleep 0.3; done; } |
        anomalies --time t --every 20s --lag 1s --all --live > out
      grep -c '"measure":"count"' out; grep -c '"value":1,' out
      """#)
    #expect(outcome.output == "40\n40\n", "\(outcome)")
  }

  /// The progress line is removed before a result is written to the same terminal.
  @Test func progressAndResultsShareATerminal() throws {
    let workspace = try Commands.Workspace()
    try Self.series(2000) { $0 == 1900 ? 900 : 100 + $0 * 7919 % 31 }.write(
      to: workspace.url.appendingPathComponent("series.csv"), atomically: true, encoding: .utf8)
    let outcome = try Self.run(
      #"""
      cat > feed << 'END'
      shows() { i=0; until grep -aq "$1" shown || [ $i -ge 300 ]; do i=$((i + 1)); sleep 0.1; done; }
      head -n 1000 series.csv; shows 'rows to 2026-01-08'
      tail -n +1001 series.csv; shows 'rows to 2026-01-11'
      END
      script -qefc "stty cols 200; sh feed | anomalies --input csv --time time --value value" shown < /dev/null
      """#, in: workspace)
    let shown = outcome.output.replacing("\r\n", with: "\n")
    let found = shown.split(separator: "\n").filter { $0.contains(" open ") }
    #expect(shown.contains("rows to 2026-01-08"), "\(outcome)")
    #expect(!shown.contains("learning until 2026-01-1"), "two days after the first row: \(outcome)")
    #expect(!found.isEmpty, "\(outcome)")
    for line in found {
      let shown = line.components(separatedBy: "\u{1b}[K").last ?? ""
      #expect(shown.hasPrefix("2026-"), "\(outcome)")
    }
  }

  /// What a memory of several buckets has seen is told of that memory first: its last bucket may be
  /// as usual.
  @Test func theSentenceTellsOfTheMemory() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(2000) {
      (100 + $0 * 7919 % 31) * ((1900..<1950).contains($0) ? 9 : 10)
    }
    try workspace.write(text, to: "series.csv")
    let outcome = try Self.run(
      "anomalies --input csv --time time --value value -f ndjson < series.csv | grep '\"scale\":\"[1-9][0-9]*\"'",
      in: workspace)
    let sentence =
      /"value averages 1[0-9.]+ instead of 1[0-9.]+ \(-[0-9]+ %\) over the last [0-9]+ buckets, [0-9.]+ instead of [0-9.]+ in the last one;/
    #expect(outcome.output.contains(sentence), "\(outcome)")
  }

  /// Values around zero are judged on both sides, of one key or of several.
  @Test(arguments: [1, 4]) func valuesBelowZeroAreValues(keyCount: Int) throws {
    let workspace = try Commands.Workspace()
    for (name, sign) in [("up", 1), ("down", -1)] {
      var text = "time,key,value\n"
      for i in 0..<3000 {
        for key in 0..<keyCount {
          let usual = (i * 7919 + key * 104_729) % 61 - 30
          let value = key == 0 && (2500..<2510).contains(i) ? usual + 300 : usual
          text += "\(1_767_571_200 + i * 300),\(key),\(sign * value)\n"
        }
      }
      try workspace.write(text, to: name)
    }
    let watch =
      "anomalies --input csv --time time --value value"
      + (keyCount > 1 ? " --by key" : "")
    let outcome = try Self.run(
      """
      for f in up down; do
        \(watch) -f ndjson < $f | jq -r 'select(.state == "open") | .start + " " + .direction'
      done
      """, in: workspace)
    #expect(
      outcome.output == "2026-01-13T16:20:00.000Z up\n2026-01-13T16:20:00.000Z down\n",
      "\(outcome)")
  }

  /// Returned goods now and then do not make a series of sales one of values around zero: its hours
  /// and slow changes are still judged.
  @Test func rareNegativeValuesCountAsZero() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(4000) {
      $0 % 900 == 400 ? -50 : (100 + $0 * 7919 % 31) * (3600..<3700 ~= $0 ? 8 : 10)
    }
    try workspace.write(text, to: "series.csv")
    let outcome = try Self.run(
      "anomalies --input csv --time time --value value -f ndjson < series.csv | jq -r .scale",
      in: workspace)
    let scales = Set(outcome.output.split(separator: "\n").compactMap { Int($0) })
    #expect(!scales.subtracting([1]).isEmpty, "\(outcome)")
  }

  /// Small numbers have two significant digits, negative ones no percentage, and large differences are
  /// factors.
  @Test(arguments: [
    (0.0001, 0.0, 200.0, #"value averages 0\.01\d instead of 0\.01 \(\+\d+ %\)"#),
    (1, 0, 22_000, #"value averages \d+\.?\d* instead of \d+\.?\d* \(\d+ times\)"#),
    (1, -110, 2_200, #"value is 2090 instead of -[\d.]+;"#),
  ])
  func sentencesSuitTheNumbers(
    _ unit: Double, _ offset: Double, _ odd: Double, _ sentence: String
  ) throws {
    var text = "time,value\n"
    for i in 0..<2000 {
      let value = i < 1990 ? Double(90 + i * 7919 % 21) : odd
      text += "\(1_767_571_200 + i * 300),\(value * unit + offset)\n"
    }
    let workspace = try Commands.Workspace()
    try workspace.write(text, to: "series.csv")
    let outcome = try Self.run(
      "anomalies --input csv --time time --value value -f table < series.csv | head -n 1",
      in: workspace)
    #expect(try outcome.output.contains(Regex(sentence)), "\(outcome)")
  }

  /// The total is not named for a change of a part that it doesn't show. What a memory has seen of a
  /// mean is told of the memory, too.
  @Test func thePartThatChangedIsNamed() throws {
    var text = ""
    for minute in 0..<5000 {
      let time = 1_767_571_200 + minute * 60
      for event in 0..<10 {
        let isOdd = minute >= 4990
        let size = isOdd || event < 4 ? "S" : "M"
        let usual = size == "S" ? 10 + (minute * 7919 + event * 31) % 9 : 20 + (minute + event) % 3
        text += "{\"t\":\(time),\"size\":\"\(size)\",\"price\":\(isOdd ? 18 : usual)}\n"
      }
    }
    let workspace = try Commands.Workspace()
    try workspace.write(text, to: "events")
    let outcome = try Self.run(
      "anomalies --time t --lag 0s --by size --measure 'price = mean(price)' -f table < events",
      in: workspace)
    #expect(outcome.output.contains("price of size=S is off by +"), "\(outcome)")
    #expect(!outcome.output.contains("of total"), "\(outcome)")
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

  /// Two false incidents within an hour of a watched month are few.
  @Test func falseIncidentsAreCountedByTheTimeThatWasWatched() throws {
    let outcome = try Self.run(
      #"""
      : > truth
      { echo '{"at":1767571200}'; echo '{"at":1767574800}'; } > alarms
      for over in "" "--over 30d" "--over 12h"; do
        anomalies grade --labels truth --time at --max-false 1/d -f table $over < alarms > grade
        echo $?; tail -1 grade
      done
      """#)
    #expect(
      outcome.output == """
        1
        2 incidents in 1 day: 2 false (2 a day), 0 on expected events
        0
        2 incidents in 30 days: 2 false (0.07 a day), 0 on expected events
        1
        2 incidents in 0.5 days: 2 false (4 a day), 0 on expected events

        """, "\(outcome)")
  }

  /// An incident that names another label of the same time does not count as found, and neither does one that starts long after a shift.
  @Test func incidentsBelongToTheLabelsThatTheyName() throws {
    let outcome = try Self.run(
      #"""
      { echo '{"id":"1","kind":"shift","start":1767571200,"end":1767643200,"filter":{}}'
        echo '{"id":"2","kind":"spike","start":1767574800,"end":1767576600,"filter":{"country":"India"}}'
      } > truth
      { echo '{"state":"open","id":"a","start":"2026-01-05T01:00:00Z","time":"2026-01-05T01:05:00Z","key":"country=India","filter":{"country":"India"}}'
        echo '{"state":"open","id":"b","start":"2026-01-05T12:00:00Z","time":"2026-01-05T12:05:00Z","key":"total","filter":{}}'
      } | anomalies grade --labels truth -f ndjson
      """#)
    #expect(
      outcome.output.hasPrefix(
        #"{"labels":2,"found":1,"share":0.5,"delay":300,"named":1,"nameable":1,"#),
      "\(outcome)")
  }

  @Test func backtestsTellTheWeeks() throws {
    let workspace = try Commands.Workspace()
    let text = Self.series(3000) { i in (2500..<2512).contains(i) ? 0 : 300 + i * 7919 % 41 }
    try workspace.write(text, to: "rows.csv")
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
      "\"$ROOT/scripts/drill\" --short", in: Commands.Workspace(), within: 600)
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
    #expect(page.contains("users of total") && !page.contains("late of total"), "always 0")
    #expect(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"))
  }

  /// A browser without script draws the page in light, dark and narrow.
  @Test(
    .enabled(if: Commands.chromium != nil, "no chromium is installed (apt-get install chromium)"))
  func aBrowserDrawsTheReport() throws {
    let chromium = try #require(Commands.chromium)
    let driver = Commands.root.appendingPathComponent(
      "Tests/CommandTests/Fixtures/report/look.py")
    let outcome = try Commands.run(
      Self.events + """
        \(Self.watch) --report page.html < events.ndjson > out
        python3 '\(driver.path)' \(chromium) page.html $PWD
        """, in: Commands.Workspace(), within: 600)
    #expect(
      outcome.output == """
        light 1200: paper rgb(255, 255, 255), ink rgb(28, 35, 48), line rgb(37, 99, 235)
        charts inside, cards shown, marks shown
        dark 1200: paper rgb(17, 21, 28), ink rgb(230, 233, 239), line rgb(96, 165, 250)
        charts inside, cards shown, marks shown
        light 400: paper rgb(255, 255, 255), ink rgb(28, 35, 48), line rgb(37, 99, 235)
        charts inside, cards shown, marks shown

        """, "\(outcome.errors)")
  }
}
