import CRdkafka
import Foundation
import Testing

/// `--receipt`, `--acks` and `--failed-reasons`: their content must match the topic.
@Suite struct KprodReceiptTests {
  struct Receipt: Decodable {
    struct Times: Decodable, Equatable {
      var field: String
      var first: String
      var last: String
    }

    struct Partition: Decodable {
      var partition: Int32
      var first_offset: Int64?
      var last_offset: Int64?
      var count: Int
      var first_time: String
      var last_time: String
    }

    var version: Int
    var tool: String
    var cluster: String?
    var topic: String
    var lines: Int
    var bytes: Int
    var delivered: Int
    var failed: Int
    var unknown: Int
    var reasons: [String: Int]
    var times: Times?
    var partitions: [Partition]
  }

  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: workspace.url.appendingPathComponent(name))
  }

  func receipt() throws -> Receipt {
    try JSONDecoder().decode(Receipt.self, from: try data("receipt"))
  }

  /// Compares the receipt with the topic.
  func check(
    _ receipt: Receipt, against found: [ConsumedMessage], from before: [Int32: Int64] = [:]
  ) {
    #expect(receipt.version == 1 && receipt.tool == "kprod" && receipt.topic == "t")
    #expect(receipt.delivered == found.count)
    #expect(receipt.partitions.map(\.partition) == Set(found.map(\.partition)).sorted())
    for entry in receipt.partitions {
      let there = found.filter { $0.partition == entry.partition }
      #expect(entry.count == there.count)
      #expect(entry.first_offset == there.map(\.offset).min())
      #expect(entry.last_offset == there.map(\.offset).max())
    }
  }

  @Test(arguments: [
    [], ["--key-field", "id"], ["--timestamp-field", "t"], ["-z", "lz4", "-H", "a=b"],
  ])
  func offsetsAreThoseOfTheTopic(_ way: [String]) throws {
    let server = try RunningDevstack()
    let lines = (0..<20_000).map { "{\"id\":\($0),\"t\":\(1_767_225_600 + $0)}" }
    // The topic has messages already, so offsets don't begin with 0.
    _ = try Commands.kprod(
      ["-b", server.brokers, "-t", "t"], input: Data("a\nb\nc\n".utf8), in: workspace)
    let old = Set(
      try Topics.everything(in: "t", at: server.brokers).map { "\($0.partition) \($0.offset)" })
    let outcome = try Commands.kprod(
      ["-b", server.brokers, "-t", "t", "--receipt", "receipt", "--acks", "acks"] + way,
      input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Topics.everything(in: "t", at: server.brokers)
      .filter { !old.contains("\($0.partition) \($0.offset)") }
    let receipt = try receipt()
    check(receipt, against: found)
    #expect(receipt.lines == 20_000 && receipt.cluster?.isEmpty == false)
    let expected =
      way == ["--timestamp-field", "t"]
      ? Receipt.Times(
        field: "t", first: "2026-01-01T00:00:00.000Z", last: "2026-01-01T05:33:19.000Z") : nil
    #expect(receipt.times == expected)
    let acks = try workspace.acknowledgements()
    #expect(acks.count == 20_000 && Set(acks.map(\.line)) == Set(1...20_000))
    let texts = Dictionary(
      uniqueKeysWithValues: found.map { ("\($0.partition) \($0.offset)", $0.text) })
    #expect(acks.allSatisfy { texts["\($0.partition) \($0.offset)"] == lines[$0.line - 1] })
  }

  @Test func itIsWrittenWhenLinesFailAndAfterASignal() throws {
    let server = try RunningDevstack()
    let run = try RunningKprod(
      [
        "-b", server.brokers, "-t", "t", "-K", ":", "--receipt", "receipt", "--failed", "failed",
        "--failed-reasons", "reasons",
      ], in: workspace)
    try run.write("a:1\nbad\nb:2\ncut")
    try eventually("both are there") {
      (try? Topics.everything(in: "t", at: server.brokers).count) == 2
    }
    run.signal(SIGTERM)
    let outcome = try run.outcome()
    #expect(outcome.status == 1)
    let receipt = try receipt()
    check(receipt, against: try Topics.everything(in: "t", at: server.brokers))
    #expect(receipt.lines == 4 && receipt.failed == 2 && receipt.unknown == 0)
    #expect(receipt.reasons == ["no-key": 1, "torn": 1])
    #expect(String(decoding: try data("failed"), as: UTF8.self) == "bad\n")
    #expect(
      String(decoding: try data("reasons"), as: UTF8.self)
        == "{\"line\":2,\"fate\":\"failed\",\"reason\":\"no-key\",\"words\":\"it has no key\"}\n")
  }

  @Test func itTellsOfARunThatNeverBegan() throws {
    let outcome = try Commands.kprod(
      ["-b", "127.0.0.1:1", "-t", "t", "--receipt", "receipt"], input: Data("x\n".utf8),
      in: workspace)
    #expect(outcome.status == 69)
    let receipt = try receipt()
    #expect(receipt.lines == 0 && receipt.partitions.isEmpty && receipt.cluster == nil)
  }

  @Test func linesOfEnvelopesAreNumberedToo() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 2)
    let lines = (0..<50).map { "{\"key\":\"k\($0)\",\"payload\":\"v\($0)\"}" }
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--envelope", "--acks", "acks", "--receipt", "receipt"],
      input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    check(try receipt(), against: found)
    let acks = try workspace.acknowledgements()
    #expect(Set(acks.map(\.line)) == Set(1...50))
    for message in found {
      let ack = acks.first { $0.partition == message.partition && $0.offset == message.offset }
      #expect(message.text == "v\((ack?.line ?? 0) - 1)")
    }
  }

  @Test func filesAreReadOneAfterTheOther() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    for (name, text) in [("one", "1\n2"), ("two", ""), ("three", "3\n")] {
      try Data(text.utf8).write(to: workspace.url.appendingPathComponent(name))
    }
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "one", "two", "-", "three"], input: Data("in\n".utf8),
      in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      try Topics.everything(in: "t", at: cluster.brokers).map(\.text) == ["1", "2", "in", "3"])
    let missing = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "one", "no-such-file"], input: Data(), in: workspace)
    #expect(missing.status == 74)
    #expect(try missing.summary.lines == 0, "nothing is read before all can be")
  }

  // MARK: - The state

  @Test func theNextRunGoesOnWhereTheLastOneStopped() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 3)
    let lines = KprodTests.lines(50_000)
    let file = workspace.url.appendingPathComponent("data")
    let arguments = ["-b", cluster.brokers, "-t", "t", "--state", "state", "data"]
    func run(_ more: String...) throws -> RunningKprod.Outcome {
      try Commands.kprod(arguments + more, input: Data(), in: workspace)
    }
    try KprodTests.data(Array(lines[..<20_000])).write(to: file)
    #expect(try run().summary.delivered == 20_000)
    #expect(try run().summary.lines == 0)
    let handle = try FileHandle(forWritingTo: file)
    try handle.seekToEnd()
    try handle.write(contentsOf: KprodTests.data(Array(lines[20_000...])) + Data("torn".utf8))
    let third = try run()
    #expect(third.status == 0, "\(third.errors)")
    #expect(try third.summary.delivered == 30_000)
    try handle.write(contentsOf: Data("-no-more\n".utf8))
    #expect(try run().summary.delivered == 1)
    let found = try Topics.everything(in: "t", at: cluster.brokers).map(\.text)
    #expect(found.sorted() == (lines + ["torn-no-more"]).sorted())

    try KprodTests.data(["another", "file"]).write(to: file)
    let replaced = try run()
    #expect(replaced.errors.contains("warning: 'data' is not the file of the last run"))
    #expect(try replaced.summary.delivered == 2)

    // A file that was emptied is reported once, and not by each run until it has a line.
    try Data().write(to: file)
    #expect(try run().errors.contains("warning: 'data' is not the file of the last run"))
    let empty = try run()
    #expect(empty.status == 0 && !empty.errors.contains("warning"), "\(empty.errors)")
  }

  /// The hash covers what the file holds now, not only what it held in the first run: a file that was emptied and filled
  /// again (logrotate's copytruncate) may begin with the same header.
  @Test func aFileThatBeginsWithTheSameHeaderIsAnotherOne() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    func run(_ script: String) throws -> Commands.Outcome {
      try Commands.run(
        "\(script) > data; kprod -b \(cluster.brokers) -t t --state state data", in: workspace)
    }
    #expect(try run("echo header").errors.isEmpty)
    #expect(try run("{ echo header; seq 100; }").status == 0)
    let grown = try run("{ echo header; seq 100; echo more; }")
    #expect(grown.errors.isEmpty, "\(grown.errors)")
    let other = try run("{ echo header; seq 200 400; }")
    #expect(other.errors.contains("'data' is not the file of the last run"))
  }

  /// Two runs with one state would send the same lines twice.
  @Test func aStateIsUsedByOneRunAtATime() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let file = workspace.url.appendingPathComponent("data")
    try KprodTests.data(KprodTests.lines(1000)).write(to: file)
    let arguments = ["-b", cluster.brokers, "-t", "t", "--state", "state", "data"]
    let first = try RunningKprod(arguments + ["--max-rate", "10"], in: workspace)
    let state = workspace.url.appendingPathComponent("state")
    try eventually("some of it is noted") {
      let text = (try? String(contentsOf: state, encoding: .utf8)) ?? ""
      return text.hasSuffix("\n") && !text.contains("\"offset\":0,")
    }
    let second = try Commands.kprod(arguments, input: Data(), in: workspace)
    #expect(second.status == 75 && second.errors.contains("'state' is used by another run"))
    #expect(try second.summary.lines == 0)
    first.signal(SIGTERM)
    let sent = try first.outcome().summary.delivered
    let third = try Commands.kprod(arguments, input: Data(), in: workspace)
    #expect(try third.summary.delivered + sent == 1000, "\(third.errors)")
  }

  /// What can't be written is reported before anything is sent.
  @Test(arguments: ["--receipt no/r", "--receipt .", "--state no/s"])
  func anUnwritablePlaceIsFoundBeforeTheFirstLine(option: String) throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let outcome = try Commands.run(
      "echo 1 > data; kprod -b \(cluster.brokers) -t t \(option) --summary data", in: workspace)
    #expect(outcome.status == 74)
    #expect(outcome.errors.contains("kprod: opening '"), "\(outcome.errors)")
    #expect(outcome.errors.contains("{\"lines\":0,"), "\(outcome.errors)")
  }

  // MARK: - Appended files

  /// On a full disk the file of `--failed` keeps whole lines only: half a line must not be sent again later.
  @Test func aFullDiskLeavesNoHalfLine() throws {
    let outcome = try Commands.run(
      """
      seq 100000 199999 > in
      (ulimit -f 8; kprod --dry-run --key-field k --failed left in 2> said; echo $?)
      tail -n 1 said; tail -c 1 left | od -An -c; cmp left in
      """, in: workspace)
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.first == "74")
    #expect(lines.dropFirst().first == "kprod: writing 'left': file too large")
    #expect(outcome.output.contains("\\n"), "\(outcome.output)")
    #expect(outcome.errors.contains("EOF on left"), "it is the beginning of the input")
  }

  @Test func aTornEndDoesNotSpoilTheNextLine() throws {
    let outcome = try Commands.run(
      """
      printf 'one\\nhalf' > left
      : | kprod --dry-run --key-field k --failed left; tail -c 4 left; echo
      echo two | kprod --dry-run --key-field k --failed left; cat left
      echo three | kprod --dry-run --key-field k --failed left 2>&1 | grep -c inside
      """, in: workspace)
    #expect(outcome.output == "half\none\nhalf\ntwo\n0\n", "\(outcome.output)")
    #expect(
      outcome.errors.contains("warning: 'left' ends inside a line: new lines begin on a new line"))
  }

  @Test func aKilledRunLosesNothing() throws {
    let server = try RunningDevstack()
    let lines = KprodTests.lines(200_000)
    let file = workspace.url.appendingPathComponent("data")
    try KprodTests.data(lines).write(to: file)
    let arguments = [
      "-b", server.brokers, "-t", "t", "--state", "state", "--max-rate", "100000",
    ]
    let first = try RunningKprod(arguments, in: workspace, inputFile: file)
    let state = workspace.url.appendingPathComponent("state")
    try eventually("some of it is noted") {
      let text = (try? String(contentsOf: state, encoding: .utf8)) ?? ""
      return text.hasSuffix("\n") && !text.contains("\"offset\":0,")
    }
    first.signal(SIGKILL)
    _ = try first.outcome()
    let second = try RunningKprod(arguments, in: workspace, inputFile: file)
    let outcome = try second.outcome()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.summary.lines < 200_000, "it did not begin anew")
    let found = try Topics.everything(in: "t", at: server.brokers).map(\.text)
    #expect(Set(found) == Set(lines))
  }

  @Test func aStateNeedsAFile() throws {
    let pipe = try Commands.kprod(
      ["-b", "127.0.0.1:1", "-t", "t", "--state", "state"], input: Data("x\n".utf8), in: workspace)
    #expect(pipe.status == 64)
    #expect(pipe.errors.contains("--state: standard input is not a regular file"))
    try Data("{}".utf8).write(to: workspace.url.appendingPathComponent("state"))
    try Data("x\n".utf8).write(to: workspace.url.appendingPathComponent("data"))
    let broken = try Commands.kprod(
      ["-b", "127.0.0.1:1", "-t", "t", "--state", "state", "data"], input: Data(), in: workspace)
    #expect(broken.status == 64)
    #expect(broken.errors.contains("'state' is not a state of kprod"))
  }
}
