import Foundation
import Testing

/// devstack with users' own topics: no specification, and the messages for what can't become a row.
@Suite struct DevstackDataTests {
  private func run(_ script: String) throws -> Commands.Outcome {
    try Commands.run(script, in: Commands.Workspace())
  }

  /// The unchanged log lines of a service.
  @Test func logLinesBecomeATable() throws {
    let outcome = try run(
      #"""
      cat > app.log <<'END'
      {"time":"2026-01-01T10:00:00Z","level":"info","msg":"started","ctx":{"host":"a","pid":7}}
      {"time":"2026-01-01T10:00:01Z","level":"error","msg":"refused","ms":12.5,"tags":["net","db"]}
      {"time":"2026-01-01T10:00:02Z","level":"error","msg":"refused","ms":8}
      END
      devstack -- sh -c '
        kprod -t app < app.log
        dsql -f csv -e "SELECT level, COUNT(*) AS n, AVG(ms) AS ms FROM app GROUP BY 1 ORDER BY 2"
        dsql -f csv --no-header -e "SELECT JSON_VALUE(ctx, '\''$.pid'\'' RETURNING BIGINT), tags FROM app"
        curl -s $DRUID_URL/druid/indexer/v1/supervisor'
      """#)
    #expect(
      outcome.output == """
        level,n,ms
        info,1,
        error,2,10.25
        7,
        ,"[""net"",""db""]"
        ,
        ["ecommerce","app"]
        """,
      "\(outcome.errors)")
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test func theTimeCanBeNamedOrBeTheMessagesOwn() throws {
    let outcome = try run(
      #"""
      devstack --datasource 'trips=rides:started' --datasource pings:message -- sh -c '
        echo "{\"started\":\"2026-01-01T00:00:00Z\",\"km\":3}" | kprod -t rides
        echo "{\"at\":1767225600,\"host\":\"a\"}" | kprod -t pings --timestamp-field at
        dsql -f csv --no-header -e "SELECT * FROM trips"
        dsql -f csv --no-header -e "SELECT __time, host FROM pings"
        dsql -f csv --no-header -e "SELECT * FROM rides" || true'
      """#)
    #expect(
      outcome.output
        == "2026-01-01T00:00:00.000Z,3\n2026-01-01T00:00:00.000Z,a\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("Object 'rides' not found"))
    #expect(outcome.errors.contains("topic 'rides' is read into datasource 'trips'"))
    let wrong = try run("devstack --datasource a/b -- true")
    #expect(wrong.status == 64)
    #expect(wrong.errors.contains("'a/b' is not NAME[=TOPIC][:COLUMN]"))
  }

  @Test func whatIsSkippedIsSaid() throws {
    let outcome = try run(
      #"""
      printf '%s\n' '{"ts":1767225600,"v":1}' 'not json' '{"v":2}' > mixed
      devstack -- sh -c '
        kprod -t mixed --partition 0 < mixed
        printf "a\nb\n" | kprod -t plain --partition 1
        dsql -f csv --no-header -e "SELECT v FROM mixed"
        dsql -e "SELECT * FROM plain"; echo $?'
      """#)
    #expect(outcome.output == "1\n65\n", "\(outcome.errors)")
    #expect(outcome.status == 0)
    let mixed =
      "devstack: warning: datasource 'mixed': 2 messages of topic 'mixed' skipped: "
      + "Unable to parse row [not json] (first at partition 0, offset 1)\n"
    let plain =
      "topic 'plain' can't be queried: 2 messages skipped: not a JSON object "
      + "(first at partition 1, offset 0); a message must be one JSON object, or --supervisor must "
      + "give its format\n"
    // Once when it happens, once at the end.
    #expect(outcome.errors.components(separatedBy: mixed).count == 3, "\(outcome.errors)")
    #expect(
      outcome.errors.components(separatedBy: "devstack: warning: " + plain).count == 3,
      "\(outcome.errors)")
    #expect(outcome.errors.contains("Object 'plain' not found: " + plain))
  }

  /// The option that helps is named, and only where it does.
  @Test func aTopicWithoutTimesNamesTheOption() throws {
    let outcome = try run(
      #"""
      echo '{"when":"2026-01-01T00:00:00Z","v":1}' > t
      devstack --load t -- dsql -e 'SELECT * FROM t'
      devstack --spec t < t
      echo 'no JSON' | devstack --spec t
      """#)
    #expect(
      outcome.errors.contains(
        "topic 't' can't be queried: 1 message skipped: no usable time in any of the fields "
          + "timestamp, ts, time, __time, @timestamp (first at partition 0, offset 0); --datasource "
          + "'t:COLUMN' names the field with the time, 't:message' takes each message's own time"),
      "\(outcome.errors)")
    #expect(outcome.errors.contains("hint: --spec 't:COLUMN'"), "\(outcome.errors)")
    #expect(
      outcome.errors.hasSuffix(
        "devstack: no message of the sample can be a row: not JSON objects\n"), "\(outcome.errors)")
    #expect(outcome.status == 65)
  }

  @Test func addedFieldsOfAnEventAreColumns() throws {
    let outcome = try run(
      #"""
      fake-events -n 5 --from 2026-01-01 | sed 's/}$/,"tier":"gold","score":1.5}/' > events
      devstack -- sh -c '
        fake-events -n 5 --from 2026-01-01 | kprod -t ecommerce
        kprod -t ecommerce < events
        dsql -f csv -e "SELECT * FROM ecommerce" | head -n 1
        dsql -f csv --no-header -e "SELECT tier, COUNT(*), SUM(score) FROM ecommerce GROUP BY 1"'
      """#)
    #expect(
      outcome.output == """
        __time,event_type,country,city,device,user_id,product_id,price,quantity,tier,score
        ,5,
        gold,5,7.5

        """, "\(outcome.errors)")
  }

  /// A specification replaces the automatic datasource, and reads what is already in the topic.
  @Test func aSpecificationReplacesWhatWasAutomatic() throws {
    let outcome = try run(
      #"""
      cat > spec.json <<'END'
      {"type":"kafka","spec":{"dataSchema":{"dataSource":"NAME",
       "timestampSpec":{"column":"ts","format":"posix"},
       "dimensionsSpec":{"dimensions":[{"type":"string","name":"v"}]},
       "granularitySpec":{"rollup":false}},
       "ioConfig":{"topic":"own","inputFormat":{"type":"json"}}}}
      END
      devstack -- sh -c '
        echo "{\"ts\":1767225600,\"v\":1,\"w\":2}" | kprod -t own
        dsql -f csv -e "SELECT * FROM own"
        for name in own other; do
          sed "s/NAME/$name/" spec.json > $name.json
          curl -sf -H "Content-Type: application/json" -d @$name.json \
            $DRUID_URL/druid/indexer/v1/supervisor > /dev/null
          [ $name = other ] || dsql -f csv -e "SELECT * FROM own"
        done
        dsql -f csv -e "SELECT * FROM other"; echo $?'
      """#)
    #expect(
      outcome.output == """
        __time,v,w
        2026-01-01T00:00:00.000Z,1,2
        __time,v
        2026-01-01T00:00:00.000Z,1
        65

        """, "\(outcome.errors)")
    #expect(outcome.errors.contains("reads only messages that came after it"))
  }

  @Test func anAutomaticDatasourceIsListed() throws {
    let outcome = try run(
      #"""
      devstack -- sh -c '
        echo "{\"ts\":1767225600}" | kprod -t gone
        dsql -f csv --no-header -e "SELECT COUNT(*) FROM gone"
        curl -s $DRUID_URL/druid/v2/datasources; echo'
      """#)
    #expect(outcome.output == "1\n[\"gone\"]\n", "\(outcome.errors)")
  }

  // MARK: Files, specifications, statements

  /// A sensor's csv file, converted by a line of awk, as mlr or jq would do it, and loaded into a
  /// table.
  @Test func aSensorsTableIsLoadedAndAsked() throws {
    let outcome = try run(
      #"""
      printf '%s\n' time,sensor,celsius 2026-01-01T00:00:00Z,cellar,11.5 \
        2026-01-01T00:10:00Z,attic,3 2026-01-01T00:20:00Z,cellar,12 > sensors.csv
      awk -F, 'NR > 1 { printf "{\"time\":\"%s\",\"sensor\":\"%s\",\"celsius\":%s}\n", $1, $2, $3 }' \
        sensors.csv > sensors.ndjson
      devstack --load sensors.ndjson -- \
        dsql -f csv -e 'SELECT sensor, AVG(celsius) AS mean FROM sensors GROUP BY 1 ORDER BY 1'
      """#)
    #expect(outcome.output == "sensor,mean\nattic,3.0\ncellar,11.75\n", "\(outcome.errors)")
    #expect(outcome.errors == "")
  }

  @Test func loadsAreWholeAndMistakesAreSaid() throws {
    let outcome = try run(
      #"""
      fake-events -n 20000 --from 2026-01-01 > many
      devstack --load many=ecommerce -- \
        dsql -f csv --no-header -e 'SELECT COUNT(*), COUNT(DISTINCT user_id) > 100 FROM ecommerce'
      devstack --load nope.ndjson -- true; echo $?
      devstack --load 'many=a b' -- true; echo $?
      head -c 2000000 /dev/zero | tr '\0' x > long; devstack --load long -- true; echo $?
      """#)
    #expect(outcome.output == "20000,true\n74\n64\n65\n", "\(outcome.errors)")
  }

  @Test func aSpecificationIsWrittenForASample() throws {
    let outcome = try run(
      #"""
      printf '%s\n' '{"ts":1767225600,"a":1,"b":"x","c":1.5,"d":{"e":1},"f":[1],"g":true,"h":null}' \
        '{"ts":1767225601,"a":2.5}' > sample
      devstack --spec things=topic1 < sample > spec.json; echo $?
      cat spec.json
      echo '{"v":1}' | devstack --spec x; echo $?
      devstack --supervisor spec.json -- sh -c '
        kprod -t topic1 < sample
        dsql -f csv -e "SELECT * FROM things"'
      """#)
    #expect(
      outcome.output == #"""
        0
        {
          "type": "kafka",
          "spec": {
            "dataSchema": {
              "dataSource": "things",
              "timestampSpec": {"column":"ts","format":"posix"},
              "dimensionsSpec": {
                "dimensions": [
                  {"type":"double","name":"a"},
                  {"type":"string","name":"b"},
                  {"type":"double","name":"c"},
                  {"type":"json","name":"d"},
                  {"type":"auto","name":"f"},
                  {"type":"long","name":"g"},
                  {"type":"string","name":"h"}
                ]
              },
              "metricsSpec": [],
              "granularitySpec": {
                "type": "uniform",
                "segmentGranularity": "HOUR",
                "queryGranularity": "NONE",
                "rollup": false
              }
            },
            "ioConfig": {
              "type": "kafka",
              "topic": "topic1",
              "inputFormat": {"type":"json"},
              "consumerProperties": {"bootstrap.servers":"kafka-1:19092,kafka-2:19092"},
              "useEarliestOffset": true,
              "taskCount": 1,
              "replicas": 1,
              "taskDuration": "PT10M"
            },
            "tuningConfig": {"type":"kafka","logParseExceptions":true,"maxSavedParseExceptions":10}
          }
        }
        65
        __time,a,b,c,d,f,g,h
        2026-01-01T00:00:00.000Z,1.0,x,1.5,"{""e"":1}",[1],1,
        2026-01-01T00:00:01.000Z,2.5,,,,,,

        """#, "\(outcome.errors)")
    #expect(outcome.errors.contains("--spec 'x:COLUMN'"), "\(outcome.errors)")
  }

  @Test func statementsAreClassified() throws {
    let outcome = try run(
      #"""
      cat > script.sql <<'END'
      -- a comment; with a semicolon
      SELECT COUNT(*) FROM ecommerce;

      SELECT ';' AS "a;b"
      FROM nowhere;
      SELEC 1;
      END
      devstack --classify script.sql > verdicts; echo $?; cut -f 1,2,4 verdicts
      printf '%s\t127.0.0.1\t\t{"sqlQuery/time":3}\t{"query":"SELECT 1","context":{}}\n' \
        2026-01-01T00:00:00.000Z > requests.log
      devstack --classify requests.log; echo $?
      """#)
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.first == "1" && lines.dropFirst().first == "answered\t2",
      "\(outcome.output)\(outcome.errors)")
    #expect(lines.contains { $0.hasPrefix("refused\t4\tObject 'nowhere' not found") })
    #expect(lines.contains { $0.hasPrefix("refused\t6\t") })
    #expect(outcome.output.contains("answered\t1\tSELECT 1\n0\n"), "\(outcome.output)")
  }
}
