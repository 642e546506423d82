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
    let outcome = try run.outcome(within: 10)
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
    try eventually("some of it is noted") {
      FileManager.default.fileExists(atPath: workspace.url.appendingPathComponent("state").path)
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
