import CRdkafka
import Foundation
import Testing

/// Lines that name their topics: `--topic-field`, and envelopes without `--topic`.
@Suite struct KprodRoutingTests {
  struct Receipt: Decodable {
    struct Topic: Decodable {
      var topic: String
      var delivered: Int
      var times: KprodReceiptTests.Receipt.Times?
      var partitions: [KprodReceiptTests.Receipt.Partition]
    }

    var version: Int
    var delivered: Int
    var failed: Int
    var topics: [Topic]
  }

  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  func text(_ name: String) throws -> String {
    try String(contentsOf: workspace.url.appendingPathComponent(name), encoding: .utf8)
  }

  /// Each line reaches the topic that it names, in the order of its key, and the receipts say where.
  @Test(arguments: [[], ["-H", "a=b"], ["--timestamp-field", "at"], ["-p", "0"]])
  func linesGoWhereTheySay(_ way: [String]) throws {
    let cluster = try MockCluster()
    let names = ["one", "two", "three"]
    for (index, name) in names.enumerated() {
      cluster.createTopic(name, partitions: Int32(index * 2 + 1))
    }
    let lines = (0..<20_000).map { number in
      #"{"to":{"topic":"\#(names[number * number % 7 % 3])"},"k":\#(number % 11),"#
        + #""n":\#(number),"at":\#(1_767_225_600 + number)}"#
    }
    let keys = way == ["-p", "0"] ? [] : ["--key-field", "k"]
    let outcome = try Commands.kprod(
      [
        "-b", cluster.brokers, "--topic-field", "to.topic", "--receipt", "receipt",
        "--acks", "acks",
      ] + keys + way, input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.summary.delivered == 20_000)
    let receipt = try JSONDecoder().decode(Receipt.self, from: Data(text("receipt").utf8))
    #expect(receipt.version == 2 && receipt.delivered == 20_000)
    var places: [String: String] = [:]
    for name in names {
      let found = try Topics.everything(in: name, at: cluster.brokers)
      let mine = lines.filter { $0.contains("\"topic\":\"\(name)\"") }
      #expect(found.map(\.text).sorted() == mine.sorted(), "\(name)")
      for message in found {
        places["\(name) \(message.partition) \(message.offset)"] = message.text
      }
      for (_, messages) in Dictionary(grouping: found, by: { $0.key ?? [] }) {
        #expect(Set(messages.map(\.partition)).count == 1)
        #expect(messages.map(\.text) == mine.filter(Set(messages.map(\.text)).contains))
      }
      let topic = receipt.topics.first { $0.topic == name }
      #expect(topic?.delivered == mine.count)
      #expect(topic?.partitions.map(\.count).reduce(0, +) == mine.count)
      #expect((topic?.times == nil) == (way.first != "--timestamp-field"))
    }
    let acks = try workspace.acknowledgements()
    #expect(Set(acks.map(\.line)) == Set(1...20_000))
    #expect(
      acks.allSatisfy {
        places["\($0.topic ?? "") \($0.partition) \($0.offset)"] == lines[$0.line - 1]
      })
  }

  /// Many topics take no more connections than one.
  @Test func topicsShareAConnection() throws {
    let (server, proxy) = try FaultProxy.withDevstack()
    defer { proxy.stop(before: server) }
    let lines = (0..<2000).map { #"{"t":"topic\#($0 % 20)","n":\#($0)}"# }
    let outcome = try Commands.kprod(
      ["-b", "127.0.0.1:\(proxy.port)", "--topic-field", "t"], input: KprodTests.data(lines),
      in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.summary.delivered == 2000)
    // To the address that was given, and to the broker by its own.
    #expect(proxy.connectionCount <= 3)
  }

  @Test func linesWithoutATopicOfTheirOwn() throws {
    let cluster = try MockCluster()
    for name in ["a", "b", "c", "rest"] { cluster.createTopic(name, partitions: 1) }
    cluster.setTopicError("missing", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    let bad = [
      #"{"t":7}"#, #"{"t":"no topic!"}"#, #"{"t":"missing","n":1}"#, #"{"t":"missing","n":2}"#,
      "not JSON", #"{"t":"c"}"#,
    ]
    let good = [#"{"t":"a"}"#, #"{"t":"b"}"#, #"{"t":"a","n":2}"#]
    let without = [#"{"n":3}"#, #"{"t":null}"#]
    let lines = good[..<1] + bad[..<3] + without + good[1...] + bad[3...]
    let outcome = try Commands.kprod(
      [
        "-b", cluster.brokers, "--topic-field", "t", "--max-topics", "2", "--failed", "failed",
        "--failed-reasons", "reasons",
      ], input: KprodTests.data(Array(lines)), in: workspace)
    #expect(outcome.status == 1)
    #expect(try text("failed") == (bad[..<3] + without + bad[3...]).map { $0 + "\n" }.joined())
    let summary = try outcome.summary
    #expect(summary.lines == 11 && summary.delivered == 3 && summary.failed == 8)
    #expect(
      summary.reasons == [
        "no-topic": 3, "bad-topic": 1, "no-such-topic": 2, "not-json": 1, "too-many-topics": 1,
      ])
    #expect(outcome.errors.contains("kprod: warning: no topic 'missing' on "))
    #expect(
      outcome.errors.contains("3 lines failed: it names no topic (field 't', the first is line 2)"),
      "\(outcome.errors)")
    #expect(outcome.errors.contains("kprod: hint: --max-topics allows more topics\n"))
    #expect(try Topics.everything(in: "a", at: cluster.brokers).count == 2)

    // With --topic such lines have a place.
    let second = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "rest", "--topic-field", "t"],
      input: KprodTests.data(good + without), in: workspace)
    #expect(second.status == 0, "\(second.errors)")
    #expect(try Topics.everything(in: "rest", at: cluster.brokers).map(\.text) == without)
  }

  @Test func envelopesGoWhereTheyCameFrom() throws {
    let cluster = try MockCluster()
    for name in ["a", "b", "all"] { cluster.createTopic(name, partitions: 2) }
    let lines = (0..<1000).map {
      #"{"topic":"\#($0 % 3 == 0 ? "a" : "b")","partition":\#($0 % 2),"ts":\#(1_767_225_600_000 + $0),"#
        + #""key":"k","payload":"v\#($0)","headers":["h","\#($0)"]}"#
    }
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "--envelope", "--failed", "failed"],
      input: KprodTests.data(lines + [#"{"payload":"nowhere"}"#]), in: workspace)
    #expect(outcome.status == 1)
    #expect(try outcome.summary.reasons == ["no-topic": 1])
    #expect(try text("failed") == "{\"payload\":\"nowhere\"}\n")
    for name in ["a", "b"] {
      let found = try Topics.everything(in: name, at: cluster.brokers)
      #expect(found.count == (name == "a" ? 334 : 666))
      #expect(
        found.allSatisfy {
          let number = Int($0.text.dropFirst()) ?? -1
          return ($0.partition, $0.timestamp) == (
            Int32(number % 2), Int64(1_767_225_600_000 + number)
          )
            && $0.headers == ["h=\(number)"] && (number % 3 == 0) == (name == "a")
        })
    }
    // A topic on the command line is for all of them.
    let second = try Commands.kprod(
      ["-b", cluster.brokers, "--envelope", "-t", "all"], input: KprodTests.data(lines),
      in: workspace)
    #expect(second.status == 0)
    #expect(try Topics.everything(in: "all", at: cluster.brokers).count == 1000)
  }

  @Test func nobodyThere() throws {
    let outcome = try Commands.kprod(
      [
        "-b", "127.0.0.1:1", "--topic-field", "t", "--failed", "failed", "--receipt", "receipt",
        "--metrics", "metrics",
      ], input: Data("{\"t\":\"a\"}\n{\"t\":\"b\"}\n".utf8), in: workspace)
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("kprod: cannot reach 127.0.0.1:1: connection refused"))
    let summary = try outcome.summary
    #expect(summary.lines == 2 && summary.failed == 2 && summary.reasons == ["not-sent": 2])
    #expect(try text("failed") == "{\"t\":\"a\"}\n{\"t\":\"b\"}\n")
    let receipt = try JSONDecoder().decode(Receipt.self, from: Data(text("receipt").utf8))
    #expect(receipt.topics.isEmpty && receipt.failed == 2)
    #expect(try text("metrics").contains("kprod_exit_status 69\n"))
  }

  /// What could not be sent is read again by the next run.
  @Test func theStateWaitsForWhatWasNotSent() throws {
    let file = workspace.url.appendingPathComponent("data")
    try Data("{\"t\":\"a\"}\n{\"t\":\"b\"}\n".utf8).write(to: file)
    let down = try Commands.kprod(
      ["-b", "127.0.0.1:1", "--topic-field", "t", "--state", "state", "data"], input: Data(),
      in: workspace)
    #expect(down.status == 69)
    let cluster = try MockCluster()
    for name in ["a", "b"] { cluster.createTopic(name, partitions: 1) }
    let up = try Commands.kprod(
      ["-b", cluster.brokers, "--topic-field", "t", "--state", "state", "data"], input: Data(),
      in: workspace)
    #expect(up.status == 0)
    #expect(try up.summary.delivered == 2)
  }

  @Test(arguments: [SIGINT, SIGTERM]) func aSignalLosesNothing(_ number: Int32) throws {
    let cluster = try MockCluster()
    for name in ["a", "b"] { cluster.createTopic(name, partitions: 2) }
    let run = try RunningKprod(["-b", cluster.brokers, "--topic-field", "t"], in: workspace)
    let lines = (0..<5000).map { "{\"t\":\"\($0 % 2 == 0 ? "a" : "b")\",\"n\":\($0)}" }
    try run.write(KprodTests.data(lines))
    try eventually("some of it is there") {
      ((try? Topics.everything(in: "b", at: cluster.brokers).count) ?? 0) > 0
    }
    run.signal(number)
    let outcome = try run.outcome()
    #expect(outcome.status == 128 + number, "\(outcome.errors)")
    #expect(try outcome.summary.delivered == 5000)
    let found =
      try Topics.everything(in: "a", at: cluster.brokers).count
      + Topics.everything(in: "b", at: cluster.brokers).count
    #expect(found == 5000)
  }

  @Test func aDryRunNamesTheTopics() throws {
    let outcome = try Commands.kprod(
      ["-v", "--dry-run", "--topic-field", "t"],
      input: Data("{\"t\":\"a\"}\n{\"t\":\"b c\"}\n".utf8), in: workspace)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("line 1: topic 'a', key none, any partition"))
    #expect(try outcome.summary.reasons == ["bad-topic": 1])
  }

  @Test func theTopicsAreListed() throws {
    let cluster = try MockCluster()
    for name in ["b", "a"] { cluster.createTopic(name, partitions: 1) }
    // A topic that is named as well is not asked for: the cluster would make it.
    let list = try Commands.run("kprod --list -t other -b \(cluster.brokers)", in: workspace)
    #expect(list == Commands.Outcome(output: "a\nb\n", errors: "", status: 0))
    let nobody = try Commands.run("kprod --list -b 127.0.0.1:1 --wait 200ms", in: workspace)
    #expect(nobody.status == 75 && nobody.output == "")
    #expect(
      nobody.errors.contains("gave up after 200 ms: cannot reach 127.0.0.1:1: connection refused"))
    // The summary ends standard error whatever was asked for.
    for ask in ["--list", "--check -t a", "--list -b 127.0.0.1:1", "--check -t a -b 127.0.0.1:1"] {
      let brokers = ask.contains("-b") ? "" : "-b \(cluster.brokers)"
      let outcome = try Commands.run("kprod --summary \(brokers) \(ask)", in: workspace)
      #expect(outcome.status == (ask.contains("-b") ? 69 : 0), "\(outcome.errors)")
      #expect(
        outcome.errors.split(separator: "\n").last?.hasPrefix("{\"lines\":0,\"bytes\":0,") == true)
    }
    let products = try Commands.run(
      "fake-events --catalog --products 5 --summary | wc -c", in: workspace)
    #expect(
      products.errors.hasPrefix("{\"lines\":5,\"bytes\":\(products.output.dropLast()),"),
      "\(products)")
    let refused = try Commands.run("kprod --list -b 127.0.0.1:1", in: workspace)
    #expect(refused.status == 69, "\(refused.errors)")
    #expect(refused.errors.hasPrefix("kprod: cannot reach 127.0.0.1:1: connection refused"))
  }
}

/// `--pace-by`: the rhythm of the lines' own times.
@Suite struct KprodReplayTests {
  let workspace: Commands.Workspace
  let cluster: MockCluster

  init() throws {
    workspace = try Commands.Workspace()
    cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
  }

  func run(_ arguments: String..., lines: [String]) throws -> (RunningKprod.Outcome, Double) {
    let start = Date()
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t"] + arguments, input: KprodTests.data(lines),
      in: workspace)
    return (outcome, Date().timeIntervalSince(start))
  }

  @Test func theTimesGiveTheRhythm() throws {
    let lines = [
      #"{"at":"2026-01-01T00:00:00Z"}"#, #"{"at":1767225660}"#, #"{"n":"no time"}"#, "no JSON",
      #"{"at":"2026-01-01T00:00:30Z"}"#, #"{"at":1767225720000}"#,
    ]
    let (outcome, seconds) = try run("--pace-by", "at", "--speed", "60", lines: lines)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(seconds >= 2 && seconds < 50, "\(seconds)")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.text) == lines)
    let times = found.map { $0.timestamp - found[0].timestamp }
    #expect(times[1] >= 990 && times[5] >= 1990 && times[4] - times[1] < 900, "\(times)")
    let (fast, quick) = try run("--pace-by", "at", "--speed", "1e6", lines: lines)
    #expect(fast.status == 0 && quick < 40, "\(quick)")
  }

  /// Lines of a file that are not yet due are left in it; a pipe's lines go at once.
  @Test(arguments: [true, false]) func aSignalEndsTheWait(isFile: Bool) throws {
    let lines = ["{\"at\":0}", "{\"at\":1767225600}", "{\"at\":1767225601}"]
    let file = workspace.url.appendingPathComponent("data")
    try KprodTests.data(lines).write(to: file)
    let arguments = ["-v", "-b", cluster.brokers, "-t", "t", "--pace-by", "at"]
    let run = try RunningKprod(arguments + (isFile ? ["--state", "s", "data"] : []), in: workspace)
    if !isFile { try run.write(KprodTests.data(lines)) }
    try eventually("it waits") { run.errorsSoFar.contains("the next line is due in 1767225600 s") }
    run.signal(SIGTERM)
    let outcome = try run.outcome()
    #expect(outcome.status == 128 + SIGTERM, "\(outcome.errors)")
    #expect(try outcome.summary.lines == (isFile ? 1 : 3))
    #expect(
      try Topics.everything(in: "t", at: cluster.brokers).map(\.text)
        == Array(lines.prefix(isFile ? 1 : 3)))
    if isFile {
      let rest = try Commands.kprod(
        ["-b", cluster.brokers, "-t", "t", "--state", "s", "data"], input: Data(), in: workspace)
      #expect(try rest.summary.delivered == 2)
    }
  }
}

/// `--metrics`: numbers for Prometheus.
@Suite struct MetricsTests {
  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  /// The samples of a file, which must be as Prometheus wants it.
  static func samples(_ text: String) throws -> [String: String] {
    var samples: [String: String] = [:]
    var announced = ""
    for line in text.split(separator: "\n") {
      if let match = line.wholeMatch(of: /# (?:HELP|TYPE) ([a-z_]+) .+/) {
        announced = String(match.1)
        continue
      }
      let match = try #require(
        line.wholeMatch(of: /(([a-z_]+)(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) ([0-9.]+)/),
        "\(line)")
      #expect(String(match.2) == announced)
      samples[String(match.1)] = String(match.3)
    }
    return samples
  }

  func file() throws -> [String: String] {
    try Self.samples(
      String(contentsOf: workspace.url.appendingPathComponent("m.prom"), encoding: .utf8))
  }

  @Test func ofKprod() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let run = try RunningKprod(
      ["-b", cluster.brokers, "-t", "t", "-K", ":", "--metrics", "m.prom"], in: workspace)
    try eventually("the file is there") { (try? file())?["kprod_up"] == "1" }
    try run.write("a:1\nbad\nb:2\n")
    try eventually("it is kept up to date while nothing comes") {
      try file()["kprod_delivered_lines_total{topic=\"t\"}"] == "2"
    }
    #expect(try file()["kprod_up"] == "1")
    try run.write("c:3\n")
    try run.closeInput()
    #expect(try run.outcome().status == 1)
    let samples = try file()
    #expect(samples["kprod_up"] == "0" && samples["kprod_exit_status"] == "1")
    #expect(samples["kprod_lines_total"] == "4" && samples["kprod_bytes_total"] == "12")
    #expect(samples["kprod_delivered_lines_total{topic=\"t\"}"] == "3")
    #expect(
      samples["kprod_failed_lines_total"] == "1" && samples["kprod_unknown_lines_total"] == "0")
    #expect(samples["kprod_line_reasons_total{fate=\"failed\",reason=\"no-key\"}"] == "1")
    #expect(samples["kprod_pending_lines"] == "0")
    #expect(samples["kprod_last_delivery_time_seconds"] != nil)
  }

  @Test func aFileThatCannotBeWrittenIsSaidAtOnce() throws {
    let outcome = try Commands.kprod(
      ["-b", "127.0.0.1:1", "-t", "t", "--metrics", "no/such/folder"], input: Data(),
      in: workspace)
    #expect(outcome.status == 74)
    #expect(outcome.errors.contains("kprod: opening 'no/such/folder."), "\(outcome.errors)")
    let needless = try Commands.run("dsql --metrics m -e 'SELECT 1'", in: workspace)
    #expect(needless.status == 64 && needless.errors.contains("--metrics needs --follow"))
  }

  @Test func ofDsql() throws {
    let stub = try DsqlStub { _, number in
      number == 3 ? DsqlFaultTests.refusal("down") : DsqlFaultTests.rows("a", ["1", "2"])
    }
    defer { stub.stop() }
    let outcome = try Commands.run(
      "dsql --follow 1h --lag 0s --since -600m -e '\(DsqlWaitingTests.statement)' "
        + "--metrics m.prom", in: workspace, environment: ["DRUID_URL": stub.url])
    #expect(outcome.status == 65, "\(outcome.errors)")
    let samples = try file()
    #expect(samples["dsql_up"] == "0" && samples["dsql_exit_status"] == "65")
    #expect(samples["dsql_windows_total"] == "2" && samples["dsql_rows_total"] == "4")
    #expect(samples["dsql_failed_windows_total"] == "1")
    let end = try #require(samples["dsql_window_end_time_seconds"].flatMap { Double($0) })
    #expect(end.truncatingRemainder(dividingBy: 3600) == 0 && end < Date().timeIntervalSince1970)
  }

  @Test func ofDsqlWhileAQueryRuns() throws {
    let stub = try DsqlStub { _, _ in [.stall] }
    defer { stub.stop() }
    let path = workspace.url.appendingPathComponent("m.prom").path
    func inode() -> UInt64? {
      (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? UInt64
    }
    let child = try DsqlChild(
      [
        "--follow", "1h", "--lag", "0s", "--since", "-600m", "--metrics", path, "-e",
        DsqlWaitingTests.statement,
      ], url: stub.url)
    try eventually("the query is asked") { !stub.requests.isEmpty }
    let first = inode()
    try eventually("the file is replaced") { inode() != first }
    #expect(try file()["dsql_up"] == "1")
    child.signal(SIGTERM)
    #expect(child.status == 1)
    #expect(try file()["dsql_up"] == "0")
  }
}
