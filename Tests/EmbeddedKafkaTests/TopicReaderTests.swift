import CRdkafka
import Foundation
import Testing

@testable import EmbeddedKafka

/// Reading records from inside the process.
@Suite struct TopicReaderTests {
  private let broker: Broker

  init() throws {
    broker = try Broker(port: 0, directory: NSTemporaryDirectory()) { _ in }
  }

  /// All records of a partition from an offset on: their offsets, timestamps and values.
  private func all(
    _ topic: String, from start: Int64 = 0
  ) throws -> [(offset: Int64, time: Int64, value: String?)] {
    let reader = try broker.reader(of: topic)
    var records = TopicReader.Records()
    var found: [(Int64, Int64, String?)] = []
    var offset = start
    repeat {
      try reader.read(partition: 0, from: offset, into: &records)
      for record in records.all {
        #expect(
          records.bytes.count >= (record.value?.upperBound ?? 0) + TopicReader.Records.padding)
        let value = record.value.map { String(decoding: records.bytes[$0], as: UTF8.self) }
        found.append((record.offset, record.timestamp, value))
      }
      offset = records.nextOffset
    } while !records.all.isEmpty
    return found
  }

  @Test(arguments: ["none", "gzip", "snappy", "lz4", "zstd"])
  func readsWhatClientsWrite(codec: String) throws {
    let sent = (0..<20_000).map {
      "{\"number\":\($0),\"filler\":\"\(String(repeating: "ab", count: 40))\"}"
    }
    try RealClient(RD_KAFKA_PRODUCER, port: broker.port, ["compression.type": codec])
      .produce(sent, to: "t", partition: 0)
    let got = try all("t")
    #expect(got.compactMap(\.value) == sent)
    #expect(got.map(\.offset) == Array(0..<20_000))
    #expect(try all("t", from: 777).map(\.offset) == Array(777..<20_000))
  }

  @Test func valuesAndKeysMayBeMissing() throws {
    try broker.node.topics.create("t", partitionCount: 4)
    let client = try RawClient(port: broker.port)
    _ = client.produce(TestBatch(records: [(5, "a"), (7, ""), (6, "c")]), to: "t")
    let got = try all("t")
    #expect(got.map(\.value) == ["a", "", "c"])
    #expect(got.map(\.time) == [5, 7, 6])
    let reader = try broker.reader(of: "t")
    var records = TopicReader.Records()
    try reader.read(partition: 0, from: 0, into: &records)
    #expect(records.all.allSatisfy { $0.key == nil && !$0.headers.isEmpty })
  }

  @Test func whatIsNotThereIsSaid() throws {
    try broker.node.topics.create("t", partitionCount: 4)
    let client = try RawClient(port: broker.port)
    _ = client.produce(TestBatch(["a"]), to: "t")
    let reader = try broker.reader(of: "t")
    var records = TopicReader.Records()
    #expect(throws: TopicReader.Failure.outOfRange) {
      try reader.read(partition: 0, from: 2, into: &records)
    }
    #expect(throws: TopicReader.Failure.missing) {
      try reader.read(partition: 4, from: 0, into: &records)
    }
    let other = try broker.reader(of: "u")
    #expect(throws: TopicReader.Failure.missing) {
      try other.read(partition: 0, from: 0, into: &records)
    }
    _ = try broker.node.topics["t", 0]?.deleteRecords(before: 1)
    #expect(throws: TopicReader.Failure.outOfRange) {
      try reader.read(partition: 0, from: 0, into: &records)
    }
  }

  /// A batch whose records do not match its header is skipped, and the next one is read.
  @Test func damagedRecordsAreCounted() throws {
    let topic = try broker.node.topics.create("t", partitionCount: 1)
    let log = try #require(topic[0])
    for values in [["a"], ["b", "c"], ["d"]] {
      var batch = TestBatch(values)
      // Appended without the broker's checks: invalid gzip.
      let bytes = batch.bytes
      let header = try BatchHeader(of: unsafe bytes.span.bytes, produceVersion: 7)
      batch.attributes = values.count == 2 ? 1 : 0
      let stored = batch.bytes
      _ = try log.append(header, unsafe stored.span.bytes)
    }
    let reader = try broker.reader(of: "t")
    var records = TopicReader.Records()
    try reader.read(partition: 0, from: 0, into: &records)
    #expect(records.all.map(\.offset) == [0, 3])
    #expect(records.unreadable == 2)
    #expect(records.nextOffset == 4)
  }

  @Test func waitingEndsWithAnAppend() throws {
    _ = try broker.node.topics.create("t", partitionCount: 1)
    let reader = try broker.reader(of: "t")
    let port = broker.port
    Thread {
      Thread.sleep(forTimeInterval: 0.1)
      _ = try? RawClient(port: port).produce(TestBatch(["a"]), to: "t")
    }.start()
    reader.wait(behind: [0])
    // Existing records end the wait immediately.
    reader.wait(behind: [0])
  }

  /// Each wait ends by what another thread does meanwhile, and would last forever without it.
  @Test func waitingEndsWithWhateverChanges() throws {
    let reader = try broker.reader(of: "t")
    let topics = broker.node.topics
    func wait(behind positions: [Int64], for change: @escaping @Sendable () -> Void) {
      Thread {
        Thread.sleep(forTimeInterval: 0.1)
        change()
      }.start()
      reader.wait(behind: positions)
    }
    wait(behind: []) { _ = try? topics.create("t", partitionCount: 1) }
    wait(behind: [0]) { try? topics.grow("t", to: 2, isTrial: false) }
    wait(behind: [0, 0]) { try? topics.delete("t") }
    wait(behind: [0, 0]) { reader.interrupt() }
    // A topic that has fewer partitions than the one before it has nothing more to read.
    try topics.create("t", partitionCount: 1)
    wait(behind: [0, 0]) { reader.interrupt() }
    reader.interrupt()
    reader.wait(behind: [0, 0])
  }
}
