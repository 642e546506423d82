import Foundation
import Testing

/// The built devstack: statuses, signals, the environment of its command, and what it leaves
/// behind.
@Suite struct DevstackTests {
  private func run(
    _ script: String, _ environment: [String: String] = [:]
  ) throws -> Commands.Outcome {
    try Commands.run(script, in: Commands.Workspace(), environment: environment)
  }

  @Test(arguments: [
    ("devstack -- true", 0), ("devstack false", 1), ("devstack -- sh -c 'exit 7'", 7),
    ("devstack -- sh -c 'kill -9 $$'", 137), ("devstack -- sh -c 'kill -TERM $$'", 143),
    ("devstack sh -c 'exit 3' --port", 3), ("devstack -- sh -c 'kill -INT $$'", 130),
  ])
  func theCommandsStatusIsItsOwn(line: String, status: Int32) throws {
    #expect(try run(line) == Commands.Outcome(output: "", errors: "", status: status))
  }

  @Test func saysWhyTheCommandDidNotRun() throws {
    let absent = try run("devstack -- no-such-command")
    #expect(absent.status == 127)
    #expect(
      absent.errors == "devstack: cannot run 'no-such-command': no such file or directory\n")
    let folder = try run("devstack /")
    #expect(folder.status == 126)
    #expect(folder.errors == "devstack: cannot run '/': permission denied\n")
    let plain = try run("echo hello > plain; devstack ./plain")
    #expect(plain.status == 126)
  }

  @Test func saysWhyItDidNotStart() throws {
    let taken = try run(
      "devstack -- sh -c 'devstack --kafka-port ${KAFKA_BROKERS##*:} true; echo $?'")
    #expect(taken.output == "69\n")
    #expect(taken.errors.contains("address already in use"))
    #expect(taken.errors.contains("hint: "))
    let druid = try run("devstack -- sh -c 'devstack --port ${DRUID_URL##*:} true; echo $?'")
    #expect(druid.output == "69\n")
    #expect(druid.errors.contains("cannot serve Druid"))
    let folder = try run("devstack true", ["TMPDIR": "/no/such/folder"])
    #expect(folder.status == 74)
    #expect(folder.errors.contains("/no/such/folder"))
    #expect(try run("devstack --port 65536 true").status == 64)
    #expect(try run("devstack --supervisor nope.json true").status == 74)
    let spec = try run("echo '{' > spec.json; devstack --supervisor spec.json true")
    #expect(spec.status == 65)
    #expect(spec.errors.contains("supervisor spec"))
  }

  @Test func standsWhereItIsTold() throws {
    // These ports were free a moment ago.
    let outcome = try run(
      """
      devstack -- sh -c 'echo ${KAFKA_BROKERS##*:} ${DRUID_URL##*:}' > ports
      read -r kafka druid < ports
      devstack --kafka-port $kafka --port $druid -- sh -c 'echo $KAFKA_BROKERS $DRUID_URL' > now
      [ "$(cat now)" = "127.0.0.1:$kafka http://127.0.0.1:$druid" ] && echo same
      """)
    #expect(outcome.output == "same\n", "\(outcome.errors)")
  }

  @Test func endsWithASummaryWhenAsked() throws {
    let outcome = try run("devstack --summary -- sh -c 'seq 100 | kprod -t t; exit 3'")
    #expect(outcome.status == 3)
    let last = outcome.errors.split(separator: "\n").last ?? ""
    let keys = try #require(
      try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Double])
    #expect(keys["lines"] == 100)
    #expect((keys["bytes"] ?? 0) > 292)
    #expect((keys["seconds"] ?? -1) >= 0)
  }

  // MARK: Signals

  @Test func forwardsTermAndHangUpAndIgnoresTheKeyboard() throws {
    for name in ["TERM", "HUP"] {
      let outcome = try run(
        """
        devstack -- sh -c 'trap "echo caught; exit 5" \(name)
          kill -INT $PPID; kill -QUIT $PPID; kill -\(name) $PPID
          while :; do sleep 0.05; done'
        """)
      #expect(outcome.output == "caught\n")
      #expect(outcome.status == 5)
    }
  }

  @Test func servesUntilTheCommandIsGone() throws {
    // The command outlives the signal and still finds its servers.
    let outcome = try run(
      """
      devstack --quiet -- sh -c 'trap "" TERM; kill -TERM $PPID; sleep 0.2
        printf "a\\nb\\n" | kprod -t t && echo delivered'
      """)
    #expect(outcome == Commands.Outcome(output: "delivered\n", errors: "", status: 0))
  }

  @Test func theCommandStartsWithFreshSignals() throws {
    // The C library reserves 32 and 33.
    let outcome = try run(
      """
      trap '' INT QUIT TERM HUP PIPE CHLD
      devstack -- sh -c 'grep -E "^Sig(Blk|Ign)" /proc/$$/status | tr -d "\\t"'
      """)
    #expect(outcome.output == "SigBlk:0000000000000000\nSigIgn:0000000180000000\n")
  }

  // MARK: A whole shell

  @Test func servesAShellUntilItIsTold() throws {
    let outcome = try run(
      """
      mkdir folder
      eval "$(TMPDIR=$PWD/folder devstack &)"
      printf 'a\\nb\\n' | kprod -t t && echo delivered
      [ "$(ps -o sid= -p $DEVSTACK_PID | tr -d ' ')" = $DEVSTACK_PID ] && echo alone
      readlink /proc/$DEVSTACK_PID/fd/1
      ls -A folder
      kill $DEVSTACK_PID
      while kill -0 $DEVSTACK_PID 2> /dev/null && [ "$(ps -o stat= -p $DEVSTACK_PID)" != Z ]
      do sleep 0.05; done
      ls -A folder
      kprod -t t < /dev/null; echo $?
      """)
    #expect(outcome.output == "delivered\nalone\n/dev/null\n69\n", "\(outcome.errors)")
  }

  /// A shell that exits or is killed leaves no server behind.
  @Test(arguments: ["exit", "kill -KILL $$"])
  func endsWithItsOwner(last: String) throws {
    let outcome = try run(
      """
      sh -c 'eval "$(devstack --owner $$ &)"; echo $DEVSTACK_PID > pid
        seq 3 | kprod -t t && echo delivered; \(last)'
      read -r pid < pid
      for round in $(seq 200); do
        [ -e /proc/$pid ] && [ "$(ps -o stat= -p $pid | cut -c 1)" != Z ] || { echo gone; break; }
        sleep 0.05
      done
      """)
    #expect(outcome.output == "delivered\ngone\n", "\(outcome.errors)")
  }

  @Test func anOwnerMustBeThereAndGoesWithoutACommand() throws {
    let absent = try run("devstack --owner 2147483647")
    #expect(absent.status == 64)
    #expect(absent.errors == "devstack: option '--owner': there is no process 2147483647\n")
    #expect(try run("devstack --owner $$ -- true").status == 64)
  }

  @Test func aFailureToStartUnsetsWhatAnEarlierOneHadSet() throws {
    let outcome = try run(
      """
      eval "$(devstack --owner $$ &)"
      first=$DEVSTACK_PID
      eval "$(devstack --owner $$ --port ${DRUID_URL##*:} &)"
      echo "pid:${DEVSTACK_PID-unset} druid:${DRUID_URL-unset} kafka:${KAFKA_BROKERS-unset}"
      devstack --supervisor nope.json 2> /dev/null
      kill $first
      """)
    #expect(
      outcome.output
        == "pid:unset druid:unset kafka:unset\nunset DEVSTACK_PID DRUID_URL KAFKA_BROKERS\n")
    #expect(outcome.errors.contains("cannot serve Druid"), "\(outcome.errors)")
  }

  @Test func aSignalEndsItAsTheParentCanSee() throws {
    for (name, status) in [("INT", 130), ("TERM", 143)] {
      let outcome = try run(
        """
        cat > run.py <<'E'
        import signal, subprocess, sys
        child = subprocess.Popen(["devstack"], stdout=subprocess.PIPE)
        child.stdout.readline()
        child.send_signal(signal.SIG\(name))
        sys.exit(128 - child.wait())
        E
        python3 run.py
        """)
      #expect(outcome.status == Int32(status), "\(outcome.errors)")
    }
  }

  // MARK: What it leaves, and where it listens

  @Test func leavesNothingBehindHoweverItEnds() throws {
    let outcome = try run(
      """
      mkdir folder
      export TMPDIR=$PWD/folder
      devstack -- sh -c 'seq 100 | kprod -t t; ls -A $TMPDIR'
      devstack -- sh -c 'seq 100 | kprod -t t; kill -KILL $PPID; sleep 0.1; ls -A $TMPDIR'
      ls -A folder
      """)
    #expect(outcome.output == "")
  }

  @Test func listensOnLoopbackAlone() throws {
    let outcome = try run(
      #"""
      devstack -- sh -c '
        ls -l /proc/$PPID/fd | sed -n "s/.*socket:\[\([0-9]*\)\]/\1/p" > mine
        for table in tcp tcp6 udp udp6; do
          awk -v table=$table "NR == FNR { mine[\$1]; next }
            (\$10 in mine) && (\$4 == \"0A\" || table ~ /udp/) { print table, substr(\$2, 1, 8) }
            " mine /proc/net/$table
        done | sort | uniq -c | tr -s " "'
      """#)
    #expect(outcome.output == " 2 tcp 0100007F\n", "\(outcome.errors)")
  }

  /// A client that deletes the records of a partition before an offset, and waits for the answer.
  private static let deleteRecords = #"""
    cat > delete-records <<'END'
    import os, socket, struct, sys
    topic, partition, offset = sys.argv[1].encode(), int(sys.argv[2]), int(sys.argv[3])
    host, port = os.environ["KAFKA_BROKERS"].split(":")
    request = struct.pack(">hhih", 21, 0, 7, -1) + struct.pack(">ih", 1, len(topic)) + topic
    request += struct.pack(">iiqi", 1, partition, offset, 1000)
    with socket.create_connection((host, int(port)), 10) as client:
      client.sendall(struct.pack(">i", len(request)) + request)
      failure = struct.unpack(">h", client.recv(1000)[-2:])[0]
    sys.exit(failure)
    END

    """#

  @Test func aGapInATopicIsSaidAndNoAnswerHidesIt() throws {
    let outcome = try run(
      Self.deleteRecords + """
        devstack -- sh -c '
          fake-events -n 1000 --from 2026-01-01 > events
          supervisor=$DRUID_URL/druid/indexer/v1/supervisor/ecommerce
          head -n 400 events | kprod -t ecommerce --partition 0
          dsql -f csv --no-header -e "SELECT COUNT(*) FROM ecommerce"
          curl -sf -X POST $supervisor/suspend > /dev/null
          tail -n 600 events | kprod -t ecommerce --partition 0
          python3 delete-records ecommerce 0 700 && echo deleted
          curl -sf -X POST $supervisor/resume > /dev/null
          dsql --timeout 10s -e "SELECT COUNT(*) FROM ecommerce"; echo $?'
        echo $?
        """)
    #expect(outcome.output.hasPrefix("400\ndeleted\n"), "\(outcome.errors)")
    #expect(outcome.output.hasSuffix("\n1\n"), "\(outcome.output)")
    #expect(outcome.errors.contains("datasource 'ecommerce' is incomplete: partition 0"))
    #expect(outcome.errors.contains("dsql: "))
  }

  @Test func beginsWhereATopicBegins() throws {
    let outcome = try run(
      Self.deleteRecords + """
        devstack -- sh -c '
          fake-events -n 1000 --from 2026-01-01 | kprod -t orders --partition 0
          python3 delete-records orders 0 700
          curl -sf $DRUID_URL/druid/indexer/v1/supervisor/ecommerce |
            sed "s/ecommerce/orders/g" > spec.json
          curl -sf -H "Content-Type: application/json" -d @spec.json \
            $DRUID_URL/druid/indexer/v1/supervisor > /dev/null || cat spec.json
          dsql --wait 5s -f csv --no-header -e "SELECT COUNT(*) FROM orders"'
        echo $?
        """)
    #expect(outcome.output == "300\n0\n", "\(outcome.errors)")
  }

  @Test func readsOnFromTheOffsetsThatItIsTold() throws {
    let outcome = try run(
      #"""
      devstack -- sh -c '
        fake-events -n 100 --from 2026-01-01 | kprod -t ecommerce --partition 0
        dsql -f csv --no-header -e "SELECT COUNT(*) FROM ecommerce"
        reset() {
          curl -s -H "Content-Type: application/json" -d "{\"type\":\"kafka\",\"partitions\":{\"type\":
            \"end\",\"stream\":\"$1\",\"partitionOffsetMap\":{\"0\":90}}}" \
            $DRUID_URL/druid/indexer/v1/supervisor/ecommerce/resetOffsets
          echo
        }
        reset ecommerce
        dsql -f csv --no-header -e "SELECT COUNT(*) FROM ecommerce"
        reset other | cut -c 1-8'
      """#)
    #expect(outcome.output == "100\n{\"id\":\"ecommerce\"}\n110\n{\"error\"\n", "\(outcome.errors)")
  }

  @Test func rowsMayHoldWhatTheMessageSaysBesideItsValue() throws {
    let outcome = try run(
      #"""
      cat > spec.json <<'END'
      {"type": "kafka", "spec": {
        "dataSchema": {"dataSource": "orders",
          "timestampSpec": {"column": "kafka.timestamp", "format": "millis"},
          "dimensionsSpec": {"dimensions": ["item", "kafka.topic", {"type": "long", "name": "when"}]},
          "transformSpec": {"filter": {"type": "not", "field":
            {"type": "selector", "dimension": "item", "value": "ink"}}},
          "granularitySpec": {"segmentGranularity": "HOUR", "queryGranularity": "NONE", "rollup": false}},
        "ioConfig": {"topic": "sold", "useEarliestOffset": true, "inputFormat": {"type": "kafka",
          "valueFormat": {"type": "json", "flattenSpec": {"useFieldDiscovery": true, "fields":
            [{"type": "path", "name": "item", "expr": "$.order.item"}]}}}}}}
      END
      devstack --supervisor spec.json -- sh -c '
        for item in pen ink pad; do echo "{\"when\":1767225600,\"order\":{\"item\":\"$item\"}}"; done |
          kprod -t sold --partition 0 --timestamp-field when
        dsql -f csv --no-header -e "SELECT * FROM orders"
        curl -s $DRUID_URL/druid/indexer/v1/supervisor/orders/stats | grep -o "\"thrownAway\":1"'
      """#)
    #expect(
      outcome.output == """
        2026-01-01T00:00:00.000Z,pen,sold,1767225600
        2026-01-01T00:00:00.000Z,pad,sold,1767225600
        "thrownAway":1

        """, "\(outcome.errors)")
  }

  @Test func sleepsWhenNothingComes() throws {
    // Two readers that looked 20 times a second would make this many switches in four seconds.
    let outcome = try run(
      """
      devstack -- sh -c '
        for n in $(seq 20); do echo "{\\"time\\":\\"2026-01-01\\"}" | kprod -q -t "t$n" || exit; done
        switches() {
          cat /proc/$PPID/task/*/status | awk "/^voluntary/ {n += \\$2} END {print n}"
        }
        until before=$(switches); sleep 1; after=$(switches); [ $((after - before)) -lt 160 ]; do
          [ $((tries += 1)) -lt 10 ] || exit 1
        done
        dsql -f csv --no-header -e "SELECT COUNT(*) FROM t20"'
      """)
    #expect(outcome == Commands.Outcome(output: "1\n", errors: "", status: 0))
  }

  @Test func aFullFolderIsSaidOnceAndCostsTheStatus() throws {
    // 1 MiB a file: what a disk with so little room would hold.
    let outcome = try run(
      """
      fake-events -n 20000 --from 2026-01-01 > events
      ulimit -f 2048
      devstack -- sh -c 'kprod -t ecommerce -X message.timeout.ms=1000 < events 2> /dev/null
        echo $?; dsql -e "SELECT COUNT(*) FROM ecommerce" 2> /dev/null || echo refused'
      """)
    #expect(outcome.output == "1\nrefused\n")
    #expect(
      outcome.errors.components(separatedBy: "new records are refused").count == 2,
      "\(outcome.errors)")
  }
}
