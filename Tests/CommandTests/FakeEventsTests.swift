import Foundation
import Testing

/// fake-events in a shell: pipes, signals, descriptors, the clock.
@Suite struct FakeEventsTests {
  private func run(_ script: String) throws -> Commands.Outcome {
    try Commands.run(script, in: Commands.Workspace())
  }

  @Test func pacedBytesAreTheUnpacedOnes() throws {
    let outcome = try run(
      """
      settings="--from 2026-01-01 --duration 2s -r 2000 --late 0.05:2s --duplicate 0.05"
      fake-events $settings --speed max > fast
      fake-events $settings --speed 1 > paced
      cmp fast paced && test -s fast
      """)
    #expect(outcome == Commands.Outcome(output: "", errors: "", status: 0))
  }

  @Test func aSlowReaderLosesNothing() throws {
    let outcome = try run(
      """
      settings="--from 2026-01-01 --duration 3s -r 20000"
      fake-events $settings > fast
      fake-events $settings --speed 3 | (read -r line; echo "$line"; sleep 1.5; cat) > slow
      cmp fast slow && test -s fast
      """)
    #expect(outcome == Commands.Outcome(output: "", errors: "", status: 0))
  }

  @Test func liveEventsCarryTheTimeTheyAreWrittenAt() throws {
    let outcome = try run(
      """
      began=$(date +%s)
      fake-events -r 200 --duration 2s > live
      ended=$(date +%s)
      jq -e -s --argjson began $began --argjson ended $ended \\
        'length > 50 and all(.[]; .timestamp >= $began and .timestamp <= $ended)' live
      test $((ended - began)) -ge 1
      """)
    #expect(outcome.output == "true\n")
    #expect(outcome.status == 0)
  }

  @Test func aCountAloneEndsNow() throws {
    let outcome = try run(
      """
      fake-events -n 500 > last
      now=$(date +%s)
      tail -n 1 last | jq --argjson now $now '.timestamp < $now and .timestamp > $now - 60'
      wc -l < last
      """)
    #expect(outcome.output == "true\n500\n")
  }

  @Test(arguments: ["TERM", "INT"])
  func aSignalEndsABusyRunOnAWholeLine(signal: String) throws {
    let outcome = try run(
      """
      { timeout --preserve-status -s \(signal) 0.5 fake-events --from 2026-01-01 --speed max
        echo $? >&2; } | tail -n 1 | jq -c 'keys | length'
      """)
    #expect(outcome.output == "9\n")
    #expect(outcome.errors.contains(signal == "TERM" ? "143" : "130"))
  }

  @Test func aSignalEndsAnIdleRun() throws {
    let outcome = try run(
      "timeout --preserve-status -s TERM 0.5 fake-events -r 0.001 > /dev/null")
    #expect(outcome == Commands.Outcome(output: "", errors: "", status: 143))
  }

  @Test func aReaderThatLeavesEndsARunThatWaits() throws {
    let outcome = try run(
      "bash -c 'fake-events -r 0.001 | true; echo ${PIPESTATUS[0]}'")
    #expect(outcome == Commands.Outcome(output: "0\n", errors: "", status: 0))
  }

  @Test func headEndsItSilently() throws {
    let outcome = try run(
      "bash -c 'fake-events --from 2026-01-01 --speed max | head -n 1 | wc -l; echo ${PIPESTATUS[0]}'"
    )
    #expect(outcome == Commands.Outcome(output: "1\n0\n", errors: "", status: 0))
  }

  @Test func labelsGoToAnyDescriptor() throws {
    let outcome = try run(
      """
      fake-events --from 2026-01-05 --duration 1h -r 5 --anomaly spike@+10m+10m,x=4 \\
        --anomaly outage@+30m+5m --labels /dev/fd/3 3> labels > events
      jq -c '[.id, .state, .kind, .start, .end]' labels
      jq -s -c '[.[] | select(.timestamp >= 1767573000 and .timestamp < 1767573300)] | length' events
      """)
    #expect(
      outcome.output == """
        ["1","open","spike",1767571800,1767572400]
        ["1","closed","spike",1767571800,1767572400]
        ["2","open","outage",1767573000,1767573300]
        ["2","closed","outage",1767573000,1767573300]
        0

        """)
  }

  @Test func labelsOnAFullDiskAreAnError() throws {
    let outcome = try run(
      "fake-events --from 2026-01-05 -n 50 --anomaly spike@+0s+5s --labels /dev/full > /dev/null")
    #expect(outcome.status == 74)
    #expect(outcome.errors == "fake-events: writing '/dev/full': no space left on device\n")
  }

  @Test func whatIsWrongInASpecStandsOverACaret() throws {
    let outcome = try run("fake-events --anomaly 'spike@+1h+20m,city=Tokio' -n 1")
    #expect(outcome.status == 64)
    #expect(
      outcome.errors == """
        fake-events: --anomaly: 'Tokio' is not a known city
          spike@+1h+20m,city=Tokio
                             ^
        fake-events: hint: did you mean 'Tokyo'?

        """)
  }

  @Test func theCatalogueSaysWhatEventsCost() throws {
    let outcome = try run(
      """
      fake-events --catalog --products 50 --seed 3 > products
      fake-events -n 2000 --from 2026-01-01 --products 50 --seed 3 > events
      jq -n --slurpfile p products --slurpfile e events \\
        '($p | map({key: "\\(.product_id)", value: .price}) | from_entries) as $prices
         | [($p | length), all($e[]; .price == $prices["\\(.product_id)"])]' -c
      """)
    #expect(outcome.output == "[50,true]\n")
  }

  /// Minutes far from the values around them are the labelled ones: ten lines of awk find them
  /// again.
  @Test func labelledWindowsCanBeFoundAgain() throws {
    let outcome = try run(
      """
      fake-events --from 2026-01-05 --duration 6h -r 20 --labels truth \\
        --anomaly spike@+2h+10m,x=4 --anomaly outage@+4h+10m |
        jq -r '.timestamp / 60 | floor' | sort -n | uniq -c |
        awk '{ n[$2] = $1; sum += $1; square += $1 * $1 }
          END { for (m = 29459520; m < 29459880; m++) seen[m] = n[m] + 0
            mean = sum / 360
            for (m in seen) if (seen[m] > 2 * mean || seen[m] < mean / 4) print m * 60 }' |
        sort -n > found
      jq -r 'select(.state == "closed") | range(.start; .end; 60)' truth | sort -n | cmp - found
      """)
    #expect(outcome == Commands.Outcome(output: "", errors: "", status: 0))
  }

  @Test func theExamplesOfTheManualMakeSense() throws {
    let outcome = try run(
      """
      fake-events -n 1000 --seed 9 --from 2026-01-01 -r 1000 | sha256sum > one
      fake-events -n1000 -s9 --from=2026-01-01T00:00:00Z -r1000 | sha256sum | cmp - one
      for part in 1 2 3; do fake-events --shard $part/3 --from 2026-01-01 --duration 10m; done | sort > parts
      fake-events --from 2026-01-01 --duration 10m | sort | cmp - parts
      fake-events --shard 5/4
      """)
    #expect(outcome.status == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("'5/4' is not a valid part I/N"))
  }
}
