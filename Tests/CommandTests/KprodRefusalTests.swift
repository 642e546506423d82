import CRdkafka
import Foundation
import Testing

/// kprod against brokers that refuse a batch for its size, every line, or the user; and topics that
/// grow.
@Suite struct KprodRefusalTests {
  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  /// The content of the file of `--failed`.
  var kept: [String] {
    let path = workspace.url.appendingPathComponent("failed")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  func arguments(_ brokers: String, _ more: String...) -> [String] {
    ["-b", brokers, "-t", "t", "--failed", "failed"] + more
  }

  // MARK: - Batches that are too large

  @Test func onlyTheLineThatIsTooLargeByItselfFails() throws {
    // devstack takes batches of up to 1,048,588 bytes, as Kafka does unless told otherwise.
    let server = try RunningDevstack()
    let long = String(repeating: "w", count: 1_200_000)
    let lines = KprodTests.lines(40_000)
    let outcome = try Commands.kprod(
      arguments(
        server.brokers, "-p", "0", "--max-line", "3000000", "-X", "batch.size=4000000", "-X",
        "linger.ms=100"),
      input: KprodTests.data(lines[..<20_000] + [long] + lines[20_000...]), in: workspace)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.delivered == 40_000 && summary.failed == 1, "\(outcome.errors)")
    #expect(summary.reasons == ["MSG_SIZE_TOO_LARGE": 1])
    #expect(outcome.errors.contains("max.message.bytes"))
    #expect(kept == [long])
    let found = try Topics.everything(in: "t", at: server.brokers).map(\.text)
    #expect(found.sorted() == lines.sorted(), "each of them is there once")
  }

  @Test func whatIsSentAgainIsWhatItWas() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 2)
    cluster.answerProduce(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    let lines = (0..<200).map { number in
      let key = number % 3 == 0 ? "null" : "\"k\(number)\""
      let payload = number % 5 == 0 ? "null" : number % 7 == 0 ? "\"\"" : "\"v\(number)\""
      return "{\"key\":\(key),\"payload\":\(payload),\"partition\":\(number % 2),"
        + "\"ts\":\(1_767_225_600_000 + number),\"headers\":[\"h\",\"\(number)\"]}"
    }
    let outcome = try Commands.kprod(
      arguments(
        cluster.brokers, "--envelope", "-H", "for=all", "-X", "enable.idempotence=false",
        // A refused batch of a single line would be refused for good.
        "-X", "linger.ms=1000"),
      input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.count == 200)
    for message in found {
      let number = Int(message.timestamp - 1_767_225_600_000)
      #expect(message.partition == Int32(number % 2))
      #expect(message.key == (number % 3 == 0 ? nil : Array("k\(number)".utf8)))
      #expect(
        message.value == (number % 5 == 0 ? nil : number % 7 == 0 ? [] : Array("v\(number)".utf8)))
      #expect(message.headers == ["h=\(number)", "for=all"])
    }
  }

  @Test func whereEverythingIsTooLargeEachLineFailsOnce() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    cluster.answer(api: 0, Array(repeating: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, count: 10_000))
    let lines = KprodTests.lines(2000)
    let outcome = try Commands.kprod(
      arguments(cluster.brokers), input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.lines == 2000 && summary.failed == 2000, "\(outcome.errors)")
    #expect(summary.reasons == ["MSG_SIZE_TOO_LARGE": 2000])
    #expect(kept.sorted() == lines.sorted())
  }

  // MARK: - Records that are refused

  /// A broker refuses a batch for one of its records and doesn't say which.
  @Test(arguments: [RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_INVALID_RECORD])
  func aBatchThatIsRefusedForOneRecordIsSentOneByOne(_ error: rd_kafka_resp_err_t) throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    cluster.answerProduce(error, error)
    let lines = KprodTests.lines(3000)
    let outcome = try Commands.kprod(
      // The first batch is refused, and then the first of its lines.
      arguments(cluster.brokers, "-X", "max.in.flight.requests.per.connection=1"),
      input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.delivered == 2999 && summary.failed == 1, "\(outcome.errors)")
    #expect(kept.count == 1)
    let found = try Topics.everything(in: "t", at: cluster.brokers).map(\.text)
    #expect(Set(found) == Set(lines).subtracting(kept) && found.count == 2999)
    let setting = error == RD_KAFKA_RESP_ERR_INVALID_RECORD ? "--key-field" : "after.max.ms"
    #expect(outcome.errors.contains(setting), "\(outcome.errors)")
  }

  @Test func aSmallLimitOfTheTopicIsKnownBeforehand() throws {
    let server = try RunningDevstack()
    try Topics.create(
      "t", partitions: 2, at: server.brokers, settings: ["max.message.bytes": "20000"])
    let long = (0..<10).map { String(repeating: "w", count: 25_000 + $0) }
    var lines = (0..<2000).map { "\($0)-" + String(repeating: "x", count: 100 + $0 * 7) }
    let good = lines
    for (index, line) in long.enumerated() { lines.insert(line, at: index * 150) }
    let began = Date()
    let outcome = try Commands.kprod(
      arguments(server.brokers, "-v"), input: KprodTests.data(lines), in: workspace)
    #expect(Date().timeIntervalSince(began) < 50)
    #expect(outcome.status == 1)
    #expect(try outcome.summary.reasons == ["MSG_SIZE_TOO_LARGE": 10])
    #expect(!outcome.errors.contains("the topic refuses large batches"), "no batch was refused")
    #expect(kept.sorted() == long.sorted())
    let found = try Topics.everything(in: "t", at: server.brokers).map(\.text)
    #expect(found.sorted() == good.sorted())
  }

  @Test func aCompactedTopicWantsKeys() throws {
    let server = try RunningDevstack()
    try Topics.create(
      "t", partitions: 1, at: server.brokers, settings: ["cleanup.policy": "compact"])
    let keyless = try Commands.kprod(
      arguments(server.brokers), input: Data("x\n".utf8), in: workspace)
    #expect(keyless.status == 64)
    #expect(keyless.errors.contains("topic 't' is compacted: every message needs a key"))
    #expect(keyless.errors.contains("--key-field"))
    #expect(try keyless.summary.lines == 0, "the line stays with the feeder")
    let input = [
      #"{"key":"a","payload":"1"}"#, #"{"key":null,"payload":"2"}"#, #"{"key":"b","payload":"3"}"#,
    ]
    let mixed = try Commands.kprod(
      arguments(server.brokers, "--envelope"), input: KprodTests.data(input), in: workspace)
    #expect(mixed.status == 1)
    #expect(try mixed.summary.delivered == 2)
    #expect(kept == [input[1]])
  }

  @Test func timesFarAheadAreToldOf() throws {
    let cluster = try MockCluster()
    let outcome = try Commands.kprod(
      arguments(cluster.brokers, "--timestamp-field", "t"),
      input: Data("{\"t\":4102444800}\n{\"t\":1}\n".utf8), in: workspace)
    #expect(outcome.status == 0)
    #expect(
      outcome.errors.contains(
        "warning: 1 line has a time more than an hour ahead, up to 2100-01-01T00:00:00.000Z"))
  }

  // MARK: - Brokers that let nothing through

  @Test(arguments: [["--timeout", "2s"], ["-X", "message.timeout.ms=2000"]])
  func aBrokerThatRefusesEverything(_ limit: [String]) throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    cluster.answer(api: 0, Array(repeating: RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, count: 100_000))
    let run = try RunningKprod(arguments(cluster.brokers) + limit, in: workspace)
    let lines = KprodTests.lines(500_000)
    run.writeBehind(KprodTests.data(lines))
    let began = Date()
    let outcome = try run.outcome()
    #expect(Date().timeIntervalSince(began) < 50)
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("stopped reading: nothing was acknowledged for 2 s"))
    let summary = try outcome.summary
    #expect(summary.lines < 500_000 && summary.delivered == 0, "\(summary)")
    #expect(summary.lines == summary.failed + summary.unknown)
    // All lines that were read are kept, including the torn last line.
    #expect(kept.count == summary.lines)
    let whole = kept.filter { $0.hasSuffix("}") }
    #expect(whole.sorted() == lines.prefix(whole.count).sorted())
    #expect(kept.count - whole.count <= 1)
  }

  @Test func aClusterThatStaysAwayFromAnIdlePipe() throws {
    let (server, proxy, run) = try FaultProxy.withKprod("--timeout", "2s", in: workspace)
    defer { proxy.stop(before: server) }
    proxy.refuse(true)
    proxy.cutAll()
    try run.write("second\ntorn")
    let outcome = try run.outcome()
    #expect(outcome.status == 75)
    #expect(
      outcome.errors.contains("kprod: stopped reading: nothing was acknowledged for 2 s: "),
      "\(outcome.errors)")
    #expect(!outcome.errors.contains("(after "), "the library's words are shortened")
    let summary = try outcome.summary
    #expect(summary.lines == 3 && summary.delivered == 1)
    #expect(summary.failed + summary.unknown == 2)
    #expect(kept.sorted() == ["second", "torn"])
  }

  @Test func aTopicThatMayNotBeWritten() throws {
    let server = try RunningDevstack(faults: "acl-revoked,on=produce")
    let outcome = try Commands.kprod(
      arguments(server.brokers), input: KprodTests.data(KprodTests.lines(10)), in: workspace)
    #expect(outcome.status == 77)
    #expect(outcome.errors.contains("kprod: topic 't': no permission to write to it"))
    #expect(try outcome.summary.failed == 10)
    #expect(kept == KprodTests.lines(10))
  }

  private func clusterWithoutIdempotence() throws -> MockCluster {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    cluster.answer(
      api: 22, Array(repeating: RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, count: 20))
    return cluster
  }

  @Test func aClusterThatAllowsNoIdempotence() throws {
    let cluster = try clusterWithoutIdempotence()
    let outcome = try Commands.kprod(
      arguments(cluster.brokers), input: KprodTests.data(KprodTests.lines(10)), in: workspace)
    #expect(outcome.status == 77, "\(outcome.errors)")
    #expect(outcome.errors.contains("-X enable.idempotence=false"))
    // It may report this before it has read anything.
    let summary = try outcome.summary
    #expect(summary.failed == summary.lines && summary.delivered == 0)
    #expect(kept == Array(KprodTests.lines(10).prefix(summary.lines)))
  }

  @Test func aCheckTellsThatNothingMayBeWritten() throws {
    let cluster = try clusterWithoutIdempotence()
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--check"], input: Data(), in: workspace)
    #expect(outcome.status == 77, "\(outcome.errors)")
    #expect(outcome.errors.contains("topic 't': no permission to write to it"))
    #expect(outcome.output.hasPrefix("partition 0: "))
  }

  // MARK: - Topics that grow

  @Test(arguments: [[], ["--key-field", "id"]])
  func partitionsThatAreAddedAreUsed(_ more: [String]) throws {
    let server = try RunningDevstack()
    try Topics.remake("t", partitions: 1, at: server.brokers)
    // A re-created topic begins its sequences again.
    let run = try RunningKprod(
      arguments(
        server.brokers, "-X", "topic.metadata.refresh.interval.ms=100", "-X",
        "enable.idempotence=false") + more, in: workspace)
    try run.write("{\"id\":0}\n")
    try eventually("the first line is there") {
      (try? Topics.everything(in: "t", at: server.brokers).count) == 1
    }
    try Topics.remake("t", partitions: 4, at: server.brokers)
    usleep(200_000)
    // The first message triggers the look-up, the rest is distributed.
    try run.write("{\"id\":1}\n")
    try eventually("one line is there") {
      (try? Topics.everything(in: "t", at: server.brokers).count) == 1
    }
    run.writeBehind(KprodTests.data(KprodTests.lines(100_000)))
    let outcome = try run.outcome()
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Topics.everything(in: "t", at: server.brokers)
    #expect(found.count == 100_001)
    #expect(Set(found.map(\.partition)) == [0, 1, 2, 3])
  }
}
