import Foundation
import Testing

/// Simulated failures of devstack's Druid, and dsql's message for each.
@Suite struct DevstackFaultTests {
  /// Loads events of three hours into ecommerce, then runs a script; `$?` of the command is the
  /// last line of output.
  private func run(_ faults: [String], _ script: String) throws -> Commands.Outcome {
    let options = faults.map { "--fault '\($0)'" }.joined(separator: " ")
    return try Commands.run(
      """
      cat > body.sh <<'END'
      fake-events -n 3000 --from 2026-01-01 --rate 0.3 2> /dev/null > events || exit 99
      kprod -t ecommerce < events
      \(script)
      END
      devstack \(options) -- sh body.sh
      """, in: Commands.Workspace())
  }

  private static let all =
    "dsql -f csv --no-header -e 'SELECT user_id FROM ecommerce' > out; echo $? $(wc -l < out)"

  @Test func anAnswerIsCutAfterRows() throws {
    let outcome = try run(["cut@rows=10,x1"], Self.all + "\n" + Self.all)
    #expect(outcome.output == "1 10\n0 3000\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("the answer is cut after 10 rows"), "\(outcome.errors)")
  }

  @Test func anAnswerIsCutAfterBytes() throws {
    let outcome = try run(["cut@bytes=1000,x1"], Self.all)
    #expect(outcome.output.hasPrefix("1 "), "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.contains("the answer is cut"), "\(outcome.errors)")
    // The transfer itself ends normally, as that of a real Druid does.
    let plain = try run(
      ["cut@bytes=100"],
      """
      curl -sS -D head -H 'Content-Type: application/json' $DRUID_URL/druid/v2/sql \
        -d '{"query":"SELECT user_id FROM ecommerce","resultFormat":"csv"}' | wc -c
      head -n 1 head | tr -d '\\r'; grep -ci 'transfer-encoding: chunked' head
      """)
    #expect(plain.output == "100\nHTTP/1.1 200 OK\n1\n", "\(plain.errors)")
  }

  @Test(arguments: [
    ("429", "75", "Too many concurrent queries"), ("504", "75", "timed out"),
    ("503+Retry-After=1", "75", "503"), ("html-proxy-502", "69", "502"),
  ])
  func theServerRefuses(_ sample: (fault: String, status: String, words: String)) throws {
    let outcome = try run([sample.fault], "dsql -e 'SELECT COUNT(*) FROM ecommerce'; echo $?")
    #expect(outcome.output == sample.status + "\n", "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.contains(sample.words), "\(outcome.errors)")
  }

  @Test func whatIsBusyIsAskedAgainWithinALimit() throws {
    let struck = "curl -sS $DRUID_URL/devstack/faults | jq '.[0].struck'"
    let patient = try run(
      ["429,x3"], "dsql -f csv --no-header -e 'SELECT COUNT(*) FROM ecommerce'; \(struck)")
    #expect(patient.output == "3000\n3\n", "\(patient.errors)")
    let vain = try run(["429"], "dsql --retry 1s -e 'SELECT 1'; echo $?; [ $(\(struck)) -gt 1 ]")
    #expect(vain.output == "75\n" && vain.status == 0, "\(vain.errors)")
    // The server requests a longer pause than the limit: it is asked once more at the end of the
    // time.
    let long = try run(
      ["503+Retry-After=60"], "dsql --retry 1s -e 'SELECT 1'; echo $?; \(struck)")
    #expect(long.output == "75\n2\n", "\(long.errors)")
  }

  @Test func anAnswerIsLateOrNeverComes() throws {
    let late = try run(
      ["slow=1s,x1"],
      """
      begin=$(date +%s%N)
      dsql -f csv --no-header -e 'SELECT COUNT(*) FROM ecommerce'
      [ $(($(date +%s%N) - begin)) -ge 1000000000 ] && echo late
      """)
    #expect(late.output == "3000\nlate\n", "\(late.errors)")
    // A server that does not answer is given up shortly after the time limit, and is told so.
    let never = try run(
      ["hang"],
      """
      dsql --timeout 50ms -e 'SELECT 1'; echo $?
      curl -sS $DRUID_URL/devstack/log | grep -o '"method":"DELETE"'
      """)
    #expect(never.output == "75\n\"method\":\"DELETE\"\n", "\(never.errors)")
    #expect(never.errors.contains("no answer within the time limit"), "\(never.errors)")
  }

  @Test func rowsOfASegmentAreMissing() throws {
    let silent = try run(
      ["dead-historical"],
      """
      dsql -f csv --no-header -e 'SELECT COUNT(*) < 3000, COUNT(*) > 0 FROM ecommerce'
      dsql -f csv --no-header -e "SELECT COUNT(*) FROM sys.segments WHERE datasource = 'ecommerce'
        AND is_published = 1 AND is_available = 0"
      """)
    #expect(silent.output == "true,true\n1\n", "\(silent.errors)")
    let told = try run(
      ["missing-segments"],
      "dsql -f csv --no-header -e 'SELECT COUNT(*) < 3000 FROM ecommerce'; echo $?")
    #expect(told.output == "true\n1\n", "\(told.errors)")
    #expect(told.errors.contains("segment"), "\(told.errors)")
  }

  @Test func aDefaultLimitIsInTheContext() throws {
    let outcome = try run(
      ["outer-limit=3"],
      """
      curl -sS -H 'Content-Type: application/json' $DRUID_URL/druid/v2/sql \
        -d '{"query":"SELECT user_id FROM ecommerce","resultFormat":"csv"}' | wc -l
      curl -sS -H 'Content-Type: application/json' $DRUID_URL/druid/v2/sql \
        -d '{"query":"EXPLAIN PLAN FOR SELECT 1"}' | grep -o 'sqlOuterLimit[^,}]*'
      """)
    // Three rows and the end mark.
    #expect(outcome.output == "4\nsqlOuterLimit\\\":3\n", "\(outcome.errors)")
  }

  @Test func constantsAreExplained() throws {
    let outcome = try run(
      [],
      #"""
      curl -sS -H 'Content-Type: application/json' $DRUID_URL/druid/v2/sql \
        -d '{"query":"explain plan for SELECT 1 AS x","context":{"sqlQueryId":"me","a":[1]}}'
      dsql -e 'EXPLAIN PLAN FOR SELECT COUNT(*) FROM ecommerce'; echo $?
      """#)
    #expect(
      outcome.output.contains(
        #"\"dataSource\":{\"type\":\"inline\",\"columnNames\":[\"x\"],\"columnTypes\":[\"LONG\"],\"rows\":[[1]]}"#
      ), "\(outcome.output)\(outcome.errors)")
    #expect(
      outcome.output.contains(
        #"\"context\":{\"a\":[1],\"queryId\":\"me\",\"sqlQueryId\":\"me\"}"#), "\(outcome.output)")
    #expect(
      outcome.output.contains(#""RESOURCES":"[]","ATTRIBUTES":"{\"statementType\":\"SELECT\"}""#))
    #expect(!outcome.output.hasSuffix("\n0\n"), "\(outcome.output)")
  }

  @Test func faultsAreOrderedAndTakenBackAtRunTime() throws {
    let outcome = try run(
      [],
      #"""
      curl -sS -d '429,x2' $DRUID_URL/devstack/faults; echo
      for round in 1 2 3; do
        curl -sS -o /dev/null -w '%{http_code}\n' -H 'Content-Type: application/json' \
          -d '{"query":"SELECT 1"}' $DRUID_URL/druid/v2/sql
      done
      curl -sS $DRUID_URL/devstack/faults; echo
      curl -sS -X DELETE $DRUID_URL/devstack/faults; echo
      curl -sS -d 'slwo=2s' $DRUID_URL/devstack/faults; echo
      curl -sS $DRUID_URL/devstack/log | tail -n 3 | sed 's/.*"sql"/"sql"/; s/"queryId":"[^"]*",//; s/[0-9]*}$/N}/'
      """#)
    #expect(
      outcome.output == #"""
        [{"fault":"429,x2","struck":0,"spent":false}]
        429
        429
        200
        [{"fault":"429,x2","struck":2,"spent":true}]
        []
        {"error":"--fault: unknown fault 'slwo'\n  slwo=2s\n  ^\nhint: did you mean 'slow'?"}
        "sql":"SELECT 1","fault":"429,x2","status":429,"milliseconds":N}
        "sql":"SELECT 1","fault":"429,x2","status":429,"milliseconds":N}
        "sql":"SELECT 1","status":200,"milliseconds":N}

        """#, "\(outcome.errors)")
  }

  @Test func aFaultThatDoesNotExistIsAMistake() throws {
    let outcome = try Commands.run(
      "devstack --fault cut@row=3 -- true", in: Commands.Workspace())
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("did you mean 'cut@rows'?"), "\(outcome.errors)")
  }
}
