import CRdkafka
import Foundation
import Testing

@testable import EmbeddedKafka

/// librdkafka against the broker, as kcat and kprod use it.
@Suite struct RealClientTests {
  private let broker: Broker

  init() throws {
    broker = try Broker(port: 0, directory: NSTemporaryDirectory()) { _ in }
  }

  private func producer(_ settings: [String: String] = [:]) throws -> RealClient {
    try RealClient(RD_KAFKA_PRODUCER, port: broker.port, settings)
  }

  private func consumer(_ settings: [String: String] = [:]) throws -> RealClient {
    var all = ["group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": "false"]
    all.merge(settings) { $1 }
    return try RealClient(RD_KAFKA_CONSUMER, port: broker.port, all)
  }

  private func lines(_ range: Range<Int>) -> [String] {
    range.map { "{\"number\":\($0),\"filler\":\"\(String(repeating: "ab", count: 50))\"}" }
  }

  @Test(arguments: ["none", "gzip", "snappy", "lz4", "zstd"])
  func whatGoesInComesOut(codec: String) throws {
    let sent = lines(0..<5000)
    try producer(["compression.type": codec, "enable.idempotence": "true"])
      .produce(sent, to: "t")
    #expect(broker.endOffsets(topic: "t")?.reduce(0, +) == 5000)
    let reader = try consumer()
    try reader.assign("t", partitions: 0..<4)
    let got = try reader.messages(5000)
    #expect(got.map { $0.text }.sorted() == sent.sorted())
    for partition in Int32(0)..<4 {
      let offsets = got.filter { $0.partition == partition }.map { $0.offset }
      #expect(offsets == Array(0..<Int64(offsets.count)))
    }
  }

  @Test func compressedBatchesStayCompressed() throws {
    let sent = Array(repeating: String(repeating: "a", count: 1000), count: 1000)
    try producer(["compression.type": "lz4", "linger.ms": "200"]).produce(
      sent, to: "t", partition: 0)
    let client = try RawClient(port: broker.port)
    let fetched = try #require(client.fetch(.fetch("t", from: 0)))
    #expect(fetched.endOffset == 1000)
    #expect(fetched.records.count < 100_000)
  }

  @Test func aLineThatIsTooLongFailsAlone() throws {
    let generous = try producer(["message.max.bytes": "4000000"])
    try generous.produce(["short"], to: "t", partition: 0)
    try generous.produce([String(repeating: "x", count: 2_000_000)], to: "t", partition: 0)
    try generous.produce(["short"], to: "t", partition: 0)
    #expect(broker.endOffsets(topic: "t") == [2, 0, 0, 0])
    #expect(generous.fatalError == nil)
  }

  @Test func findsTimesInTheRecords() throws {
    try producer().produce(["a", "b"], to: "t", partition: 0)
    let reader = try consumer()
    try reader.assign("t", partitions: 0..<1)
    let got = try reader.messages(2)
    let last = try #require(got.last)
    #expect(try reader.offset(of: "t", 0, at: 0) == 0)
    #expect(try reader.offset(of: "t", 0, at: last.timestamp) <= 1)
    #expect(try reader.offset(of: "t", 0, at: last.timestamp + 1) == -1)
  }

  @Test(arguments: ["none", "gzip", "snappy", "lz4", "zstd"])
  func findsTimesInPackedRecords(codec: String) throws {
    let client = try producer(["compression.type": codec, "linger.ms": "500"])
    try client.produce(times: (0..<1000).map { 1_000_000 + 10 * $0 }, to: "t")
    // The record is inside a batch. Otherwise the batch header would be enough.
    let raw = try RawClient(port: broker.port)
    let fetched = try #require(raw.fetch(.fetch("t", from: 501, maxBytes: 1)))
    #expect(fetched.records[6..<8] != [0x01, 0xF5])
    for (time, offset) in [(0, 0), (1_000_000, 0), (1_000_001, 1), (1_005_005, 501)] {
      #expect(try client.offset(of: "t", 0, at: Int64(time)) == Int64(offset))
    }
    #expect(try client.offset(of: "t", 0, at: 1_009_990) == 999)
    #expect(try client.offset(of: "t", 0, at: 1_009_991) == -1)
  }

  @Test func transactionsAreRefusedAtOnce() throws {
    let start = ContinuousClock.now
    let refusal = try producer(["transactional.id": "mine"]).beginTransactions()
    #expect(refusal == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")
    #expect(ContinuousClock.now - start < .seconds(40))
  }

  @Test func aGroupGoesOnWhereItStopped() throws {
    let writer = try producer()
    try writer.produce(lines(0..<100), to: "t")
    let first = try consumer()
    try first.subscribe("t")
    #expect(try first.messages(100).count == 100)
    try first.commit()
    try first.closeConsumer()
    try writer.produce(lines(100..<150), to: "t")
    let second = try consumer()
    try second.subscribe("t")
    let got = try second.messages(50).map { $0.text }
    #expect(got.sorted() == lines(100..<150).sorted())
    #expect(try second.poll(milliseconds: 100) == nil)
    try second.closeConsumer()
  }

  @Test func twoMembersShareAndInherit() throws {
    let writer = try producer()
    try writer.produce(lines(0..<200), to: "t")
    // A member learns about a rebalance with its next heartbeat.
    let settings = ["heartbeat.interval.ms": "100"]
    let one = try consumer(settings)
    let two = try consumer(settings)
    try one.subscribe("t")
    var got = try one.messages(200).map { $0.text }
    try one.commit()
    try two.subscribe("t")
    let deadline = ContinuousClock.now + .seconds(90)
    while (one.assignedCount, two.assignedCount) != (2, 2), ContinuousClock.now < deadline {
      for member in [one, two] {
        if let message = try member.poll(milliseconds: 20) { got.append(message.text) }
      }
    }
    #expect(one.assignedCount == 2)
    #expect(two.assignedCount == 2)
    try writer.produce(lines(200..<400), to: "t")
    while got.count < 400, ContinuousClock.now < deadline {
      for member in [one, two] {
        while let message = try member.poll(milliseconds: 20) { got.append(message.text) }
      }
    }
    try two.commit()
    try one.commit()
    try one.closeConsumer()
    while two.assignedCount != 4, ContinuousClock.now < deadline {
      if let message = try two.poll(milliseconds: 20) { got.append(message.text) }
    }
    try writer.produce(lines(400..<500), to: "t")
    got += try two.messages(100).map { $0.text }
    #expect(got.sorted() == lines(0..<500).sorted())
    try two.closeConsumer()
  }
}
