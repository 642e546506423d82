import Foundation
import Testing

/// `--reconcile`, against recorded supervisor reports of a real Druid 33, and against devstack.
@Suite struct DsqlReconcileTests {
  /// A server that reports the recorded states one after the other, and keeps the last one.
  struct Story: Sendable {
    var states: [String]
    /// Whether the finished task is still known.
    var knowsTasks = true
    /// Rewrites a report.
    var change: @Sendable (String) -> String = { $0 }
    var changeStats: @Sendable (String) -> String = { $0 }

    static func recorded(_ name: String, _ key: String) throws -> Any {
      let file = Commands.root
        .appendingPathComponent("Tests/CommandTests/Fixtures/supervisor/\(name).json")
      let value = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
      return try #require((value as? [String: Any])?[key])
    }

    static func text(_ value: Any) throws -> String {
      String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
    }

    func serve() throws -> DsqlStub {
      var reports: [(status: String, stats: String)] = []
      for state in states {
        // The recorded times are replaced, because the offsets must be measured after the call.
        let status = try Self.text(Self.recorded(state, "status")).replacing(
          try Regex("\"(generationTime|offsetsLastUpdated)\":\"[^\"]*\"")
        ) { match in
          "\"\(match.output[1].substring ?? "")\":\"@\""
        }
        reports.append((change(status), changeStats(try Self.text(Self.recorded(state, "stats")))))
      }
      let task = try (
        status: Self.text([Self.recorded("task", "status")]),
        reports: Self.text(Self.recorded("task", "reports"))
      )
      let told = reports
      return try DsqlStub { [knowsTasks] request, number in
        // Each look requests the list first.
        let look = told[min(told.count - 1, (number - 1) / 4)]
        func json(_ text: String) -> [DsqlStub.Step] { [.send(DsqlAnswer.whole(text)), .keep] }
        let unknown: [DsqlStub.Step] = [.send(DsqlAnswer.error("404 Not Found", "")), .keep]
        let now = DsqlWaitingTests.iso(0)
        switch request.path.split(separator: "?").first ?? "" {
        case "/druid/indexer/v1/supervisor": return json(#"["other","rec"]"#)
        case "/druid/indexer/v1/supervisor/other/status":
          return json(#"{"id":"other","payload":{"dataSource":"other","stream":"other"}}"#)
        case "/druid/indexer/v1/supervisor/rec/status":
          return json(look.status.replacingOccurrences(of: "@", with: now))
        case "/druid/indexer/v1/supervisor/rec/stats": return json(look.stats)
        case "/druid/indexer/v1/supervisor/rec":
          return json(
            #"{"type":"kafka","spec":{"dataSchema":{"dataSource":"rec","granularitySpec":"#
              + #"{"queryGranularity":{"type":"none"},"rollup":false}}}}"#)
        case "/druid/indexer/v1/tasks": return knowsTasks ? json(task.status) : unknown
        case "/druid/indexer/v1/task/index_kafka_rec_6075b94105e26d4_nbddjlpg/reports":
          return knowsTasks ? json(task.reports) : unknown
        case "/druid/v2/sql":
          return json("[\"n\"]\n[\"LONG\"]\n[\"BIGINT\"]\n[20034]\n\n")
        default: return unknown
        }
      }
    }
  }

  static func receipt(
    partitions: [(first: Int, last: Int, count: Int)] = [(0, 9955, 9956), (0, 10161, 10162)],
    failed: Int = 0, times: Bool = true
  ) -> String {
    let parts = partitions.enumerated().map { number, part in
      #"{"partition":\#(number),"first_offset":\#(part.first),"last_offset":\#(part.last),"#
        + #""count":\#(part.count),"first_time":null,"last_time":null}"#
    }
    let span =
      #"{"field":"timestamp","first":"2026-11-01T00:00:00.000Z","last":"2026-11-02T00:00:00.000Z"}"#
    return #"{"version":1,"tool":"kprod","cluster":"c","topic":"rec","lines":20118,"failed":"#
      + #"\#(failed),"unknown":0,"times":\#(times ? span : "null"),"partitions":["#
      + parts.joined(separator: ",") + "]}"
  }

  static func run(
    _ story: Story, _ receipts: [String] = [receipt()], flags: String = "--within 10s"
  ) throws -> (Commands.Outcome, total: [String]) {
    let stub = try story.serve()
    defer { stub.stop() }
    let files = receipts.indices.map { "--reconcile r\($0)" }.joined(separator: " ")
    let script = receipts.enumerated().map { "printf '%s' '\($1)' > r\($0); " }.joined()
    let outcome = try DsqlAskingTests.run(
      script + "dsql \(flags.contains("-f") ? "" : "-f csv") --no-header \(files) \(flags)", stub)
    let total = outcome.output.split(separator: "\n").last ?? ""
    return (
      outcome, total.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    )
  }

  /// The counts add up to the last message, both while the task runs and after it has published its
  /// segments.
  @Test(arguments: [["read"], ["published"], ["submitted", "acknowledged", "read"]])
  func addsUp(states: [String]) throws {
    let (outcome, total) = try Self.run(Story(states: states))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output == """
        rec,rec,0,9956,9956,,,,,,,,read
        rec,rec,1,10162,10162,,,,,,,,read
        rec,rec,,20118,20118,20000,34,84,0,20034,false,0,equal

        """, "\(outcome.errors)")
    #expect(total.count == 13)
    #expect(
      outcome.errors.contains("84 messages could not be parsed, and 34 have an error in a field"))
  }

  /// Nothing was read yet, although the lag looks good.
  @Test(arguments: ["submitted", "acknowledged"]) func timeIsUp(state: String) throws {
    let (outcome, total) = try Self.run(Story(states: [state]), flags: "--within 1s")
    #expect(outcome.status == 75, "\(outcome.errors)")
    #expect(total.suffix(1) == ["unread"] && total[4] == "0")
    #expect(outcome.errors.contains("not all was read within 1.0 s"), "\(outcome.errors)")
  }

  /// Topics that nothing reads are reported together; and a receipt is read once, as it may come from a pipe.
  @Test func manyTopicsAreOneMessage() throws {
    let stub = try DsqlStub { _, _ in [.send(DsqlAnswer.whole("[]"))] }
    defer { stub.stop() }
    let partition = #"{"partition":0,"first_offset":0,"last_offset":0,"count":1}"#
    let topics = ["a", "b", "c"].map { #"{"topic":"\#($0)","partitions":[\#(partition)]}"# }
    func receipt(_ topics: [String]) -> String {
      #"{"version":2,"tool":"kprod","topics":["# + topics.joined(separator: ",") + "]}"
    }
    let outcome = try DsqlAskingTests.run(
      """
      mkfifo one two
      echo '\(receipt(Array(topics[..<2])))' > one & echo '\(receipt([topics[2]]))' > two &
      dsql --reconcile one --reconcile two --within 100ms --csv --no-header | grep -c ',,1,'
      """, stub)
    #expect(outcome.output == "3\n", "\(outcome.output) \(outcome.errors)")
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 2, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("dsql: topic 'a' (and 2 other topics): not all was read"))
  }

  /// A server that forgot its finished tasks can't show whether they read the messages.
  @Test func unknownIsNotSuccess() throws {
    let (outcome, total) = try Self.run(
      Story(states: ["published"], knowsTasks: false), flags: "--within 3s")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(total.suffix(1) == ["unknown"] && total[4] == "")
    #expect(outcome.errors.contains("whether all was read is unknown"), "\(outcome.errors)")
  }

  /// Tasks have the counts: they are known when the receipts cover everything that these tasks
  /// read.
  @Test func receiptsTogether() throws {
    let first = Self.receipt(partitions: [(0, 4999, 5000), (0, 4999, 5000)])
    let second = Self.receipt(partitions: [(5000, 9955, 4956), (5000, 10161, 5162)], times: false)
    let (part, partTotal) = try Self.run(
      Story(states: ["read"]), [first], flags: "--within 3s")
    #expect(part.status == 1)
    #expect(partTotal[4] == "10000" && partTotal[11] == "" && partTotal[12] == "unknown")
    #expect(part.errors.contains("its tasks also read other messages"), "\(part.errors)")
    let (both, total) = try Self.run(Story(states: ["read"]), [first, second, first])
    #expect(both.status == 0, "\(both.errors)")
    #expect(total[3] == "20118" && total[9] == "" && total[12] == "equal")
    #expect(both.errors.contains("'r2' is the same as a receipt before it"), "\(both.errors)")
  }

  /// A message without a count, a message with two rows, and lines that were never delivered.
  @Test(arguments: [(84, "83", 1, "missing"), (84, "85", 1, "extra"), (84, "84", 0, "equal")])
  func differences(unparseable: Int, told: String, status: Int32, state: String) throws {
    var story = Story(states: ["read"])
    story.changeStats = { stats in
      stats.replacingOccurrences(
        of: "\"unparseable\":\(unparseable)", with: "\"unparseable\":\(told)")
    }
    let (outcome, _) = try Self.run(
      story, [Self.receipt(failed: 3, times: false)], flags: "--within 3s -f ndjson")
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output.contains("\"state\":\"\(state)\""), "\(outcome.output)")
    #expect(outcome.errors.contains("3 lines were not delivered"), "\(outcome.errors)")
  }

  /// A bounded supervisor of Druid 38 that is completed, and one that reads several topics.
  @Test func otherSupervisors() throws {
    var story = Story(states: ["published"])
    story.change = { report in
      report.replacingOccurrences(of: "\"state\":\"RUNNING\"", with: "\"state\":\"COMPLETED\"")
    }
    let (outcome, _) = try Self.run(story)
    #expect(outcome.status == 0, "\(outcome.errors)")
    var several = Story(states: ["read"])
    several.change = { report in
      report.replacingOccurrences(of: "\"stream\":\"rec\"", with: "\"stream\":\"r.*\"")
        .replacingOccurrences(of: "\"0\":", with: "\"rec:0\":")
        .replacingOccurrences(of: "\"1\":", with: "\"rec:1\":")
    }
    let (other, total) = try Self.run(several)
    #expect(other.status == 0, "\(other.errors)")
    #expect(total[12] == "equal")
  }

  @Test(
    arguments: [
      ("--reconcile none", "", 74, "opening 'none'"),
      ("--reconcile r", "{", 65, "'r' is not a receipt of kprod: byte 1"),
      ("--reconcile r", "{}", 65, "kprod --receipt did not write it"),
      (
        "--reconcile r", #"{"tool":"kprod","version":3}"#, 65,
        "its version is 3, and this dsql knows versions 1 and 2"
      ),
      (
        "--reconcile r",
        #"{"tool":"kprod","version":1,"topic":"t","partitions":[{"partition":0,"first_offset":5,"#
          + #""last_offset":4,"count":1}]}"#, 65, "the offsets of partition 0 do not add up"
      ),
      ("--reconcile r -e 'SELECT 1'", "{}", 64, "--execute cannot be combined with --reconcile"),
      ("--reconcile r q.sql", "{}", 64, "--reconcile runs no SQL"),
      ("--within 5s", "", 64, "--within needs --reconcile"),
      ("--reconcile r --within soon", "{}", 64, "--within: 'soon' is"),
    ]) func misuse(flags: String, receipt: String, status: Int32, words: String) throws
  {
    let stub = try DsqlAskingTests.answering([.close])
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "printf '%s' '\(receipt)' > r; dsql \(flags) < /dev/null", stub)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(stub.requests.isEmpty)
  }

  /// Nothing was sent, so nothing is missing; no supervisor reads the topic; the user has no
  /// permission to read supervisors.
  @Test func edges() throws {
    let (nothing, total) = try Self.run(Story(states: ["read"]), [Self.receipt(partitions: [])])
    #expect(nothing.status == 0, "\(nothing.errors)")
    #expect(total.suffix(2) == ["0", "equal"])
    let other = Self.receipt().replacingOccurrences(of: "\"rec\"", with: "\"elsewhere\"")
    let (nobody, _) = try Self.run(Story(states: ["read"]), [other], flags: "--within 3s")
    #expect(nobody.status == 75)
    #expect(nobody.errors.contains("no supervisor reads the topic"), "\(nobody.errors)")
    let stub = try DsqlAskingTests.answering([
      .send(DsqlAnswer.error("403 Forbidden", #"{"Access-Check-Result":"Unauthorized"}"#)), .keep,
    ])
    defer { stub.stop() }
    for command in ["--reconcile r", "--caught-up 5s -e 'SELECT 1 FROM t'"] {
      let hidden = try DsqlAskingTests.run(
        "printf '%s' '\(Self.receipt())' > r; dsql \(command)", stub)
      #expect(hidden.status == 77, "\(hidden.errors)")
      #expect(hidden.errors.contains("need permission to read supervisors"), "\(hidden.errors)")
    }
  }
}
