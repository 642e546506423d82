import Foundation
import Testing

@testable import EmbeddedKafka

/// The broker's protocol, with requests and responses encoded by hand.
@Suite struct BrokerTests {
  private let broker: Broker
  private let client: RawClient

  init() throws {
    (broker, client) = try RawClient.withBroker()
  }

  private func makeTopic(_ name: String) throws {
    _ = try #require(client.ask(.metadata([name])))
  }

  // MARK: Versions and metadata

  @Test func answersApiVersionsInEveryVersion() throws {
    for version in [0, 1, 2] {
      var answer = try #require(client.ask(RequestBytes(18, version: version)))
      #expect(answer.int16() == 0)
      let count = answer.int32()
      var ranges: [Int: ClosedRange<Int>] = [:]
      for _ in 0..<count {
        let key = answer.int16()
        let low = answer.int16()
        ranges[key] = low...answer.int16()
      }
      #expect(ranges[0] == 0...7)
      #expect(ranges[1] == 4...11)
      #expect(ranges[18] == 0...3)
      #expect(answer.rest.count == (version == 0 ? 0 : 4))
    }
    var unknown = try #require(client.ask(RequestBytes(18, version: 9)))
    #expect(unknown.int16() == 35)
    #expect(unknown.int32() > 10)
    var flexible = RequestBytes(18, version: 3)
    flexible.bytes += [0, 2, 65, 2, 66, 0]
    var answer = try #require(client.ask(flexible))
    #expect(answer.int16() == 0)
    let count = answer.int8() - 1
    #expect(answer.rest.count == count * 7 + 5)
  }

  @Test func makesTopicsOnlyWhenAllowedTo() throws {
    func describe(_ name: String, mayCreate: Bool) throws -> (failure: Int, partitions: Int) {
      var answer = try #require(client.ask(.metadata([name], mayCreate: mayCreate)))
      _ = (answer.int32(), answer.int32(), answer.int32())
      #expect(answer.string() == "127.0.0.1")
      #expect(answer.int32() == Int(broker.port))
      _ = (answer.string(), answer.string(), answer.int32())
      #expect(answer.int32() == 1)
      let failure = answer.int16()
      #expect(answer.string() == name)
      _ = answer.int8()
      return (failure, answer.int32())
    }
    #expect(try describe("t", mayCreate: false) == (3, 0))
    #expect(broker.endOffsets(topic: "t") == nil)
    #expect(try describe("t", mayCreate: true) == (0, 4))
    #expect(try describe("t", mayCreate: false) == (0, 4))
    #expect(broker.endOffsets(topic: "t") == [0, 0, 0, 0])
    for name in ["", ".", "..", "a b", "ä", "a/b", String(repeating: "x", count: 250)] {
      #expect(try describe(name, mayCreate: true) == (17, 0))
    }
  }

  @Test func createsAndDeletesTopics() throws {
    func create(_ name: String, partitions: Int, replicas: Int = 1, isTrial: Bool = false) -> Int {
      let request = RequestBytes.createTopic(
        name, partitions: partitions, replicas: replicas, settings: [("retention.ms", "1")],
        isTrial: isTrial)
      guard var answer = client.ask(request) else { return -99 }
      _ = (answer.int32(), answer.int32(), answer.string())
      return answer.int16()
    }
    func delete(_ name: String) -> Int {
      var request = RequestBytes(20, version: 1)
      request.int32(1)
      request.string(name)
      request.int32(1000)
      guard var answer = client.ask(request) else { return -99 }
      _ = (answer.int32(), answer.int32(), answer.string())
      return answer.int16()
    }
    #expect(create("t", partitions: 2, isTrial: true) == 0)
    #expect(broker.endOffsets(topic: "t") == nil)
    #expect(create("t", partitions: 2) == 0)
    #expect(create("t", partitions: 2) == 36)
    #expect(create("u", partitions: 0) == 37)
    #expect(create("u", partitions: 1, replicas: 3) == 38)
    #expect(create("u", partitions: Int(Int32.max)) == 44)
    #expect(create("u v", partitions: 1) == 17)
    #expect(create("u", partitions: -1, replicas: -1) == 0)
    #expect(broker.endOffsets(topic: "u") == [0, 0, 0, 0])
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
    #expect(delete("t") == 0)
    #expect(delete("t") == 3)
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 3)
    #expect(create("t", partitions: 2) == 0)
    #expect(broker.endOffsets(topic: "t") == [0, 0])
  }

  // MARK: Producing and fetching

  @Test func keepsBatchesAsTheyCame() throws {
    try makeTopic("t")
    let first = TestBatch(["a", "b"])
    let second = TestBatch(["c"])
    #expect(try #require(client.produce(first, to: "t")) == (0, 0))
    #expect(try #require(client.produce(second, to: "t")) == (0, 2))
    #expect(broker.endOffsets(topic: "t") == [3, 0, 0, 0])
    let fetched = try #require(client.fetch(.fetch("t", from: 0)))
    #expect(fetched.endOffset == 3)
    // The broker sets base offset and leader epoch. All other bytes are as they were sent.
    var expected = first.bytes + second.bytes
    let start = first.bytes.count
    for (offset, base) in [(0, 0), (start, 2)] {
      expected.replaceSubrange(offset..<offset + 8, with: [0, 0, 0, 0, 0, 0, 0, UInt8(base)])
      expected.replaceSubrange(offset + 12..<offset + 16, with: [0, 0, 0, 0])
    }
    #expect(fetched.records == expected)
    // From the start of the batch that contains the offset.
    #expect(try #require(client.fetch(.fetch("t", from: 1))).records == expected)
    #expect(try #require(client.fetch(.fetch("t", from: 2))).records.count == second.bytes.count)
    // The first batch is returned whole, whatever the limit.
    let small = try #require(client.fetch(.fetch("t", from: 0, maxBytes: 1)))
    #expect(small.records == Array(expected.prefix(start)))
    #expect(try #require(client.fetch(.fetch("t", from: 3))).records.isEmpty)
    for offset in [4, -1] {
      #expect(try #require(client.fetch(.fetch("t", from: offset))).failure == 1)
    }
    #expect(try #require(client.fetch(.fetch("nope", from: 0))).failure == 3)
    #expect(try #require(client.fetch(.fetch("t", partition: 4, from: 0))).failure == 3)
  }

  @Test func answersAWaitingFetchWhenDataCome() throws {
    try makeTopic("t")
    let waiting = try RawClient(port: broker.port)
    waiting.send(RequestBytes.fetch("t", from: 0, maxWait: 60_000).frame)
    #expect(waiting.isSilent(milliseconds: 50))
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t")).failure == 0)
    let answer = try #require(waiting.answer())
    #expect(answer.rest.count > 61)
  }

  @Test func waitsForAsMuchAsIsAskedFor() throws {
    try makeTopic("t")
    let waiting = try RawClient(port: broker.port)
    let size = TestBatch(["a"]).bytes.count
    waiting.send(RequestBytes.fetch("t", from: 0, maxWait: 60_000, minBytes: 2 * size).frame)
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t")).failure == 0)
    #expect(waiting.isSilent(milliseconds: 50))
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t")).failure == 0)
    #expect(try #require(waiting.answer()).rest.count > 2 * size)
    // The wait has a limit.
    let start = ContinuousClock.now
    let late = try #require(client.fetch(.fetch("t", from: 2, maxWait: 50)))
    #expect(late.records.isEmpty)
    #expect(ContinuousClock.now - start >= .milliseconds(50))
  }

  @Test func refusesWhatABrokerRefuses() throws {
    try makeTopic("t")
    var corrupt = TestBatch(["a"])
    corrupt.checksumDelta = 1
    #expect(try #require(client.produce(corrupt, to: "t")) == (2, -1))
    let large = TestBatch([String(repeating: "x", count: 1_048_576)])
    #expect(try #require(client.produce(large, to: "t")).failure == 10)
    #expect(try #require(client.produce(TestBatch(["a"]), to: "nope")).failure == 3)
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t", partition: 4)).failure == 3)
    let bytes = TestBatch(["a"]).bytes
    #expect(try #require(client.produceBytes(nil, to: "t")).failure == 87)
    #expect(try #require(client.produceBytes(bytes, to: "t", acks: 5)).failure == 21)
    #expect(broker.endOffsets(topic: "t") == [0, 0, 0, 0])
    // The connection still works.
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t")) == (0, 0))
    #expect(!broker.lostSomething)
  }

  @Test func answersNothingToWhoWantsNoAnswer() throws {
    try makeTopic("t")
    client.send(RequestBytes.produce(TestBatch(["a"]).bytes, to: "t", acks: 0).frame)
    #expect(try #require(client.produce(TestBatch(["b"]), to: "t")) == (0, 1))
    // Without a response, the broker can only close the connection.
    client.send(RequestBytes.produce([1, 2, 3], to: "t", acks: 0).frame)
    #expect(client.isHungUp)
  }

  @Test func catchesDuplicates() throws {
    try makeTopic("t")
    var batch = TestBatch(["a", "b"])
    batch.producerID = 77
    batch.producerEpoch = 0
    batch.baseSequence = 0
    #expect(try #require(client.produce(batch, to: "t")) == (0, 0))
    let other = try RawClient(port: broker.port)
    #expect(try #require(other.produce(batch, to: "t")) == (0, 0))
    #expect(broker.endOffsets(topic: "t") == [2, 0, 0, 0])
    batch.baseSequence = 5
    #expect(try #require(other.produce(batch, to: "t")) == (45, -1))
  }

  @Test func findsOffsetsByTime() throws {
    try makeTopic("t")
    let batches = [
      TestBatch(records: [(1000, "a"), (3000, "b"), (2000, "c")]),
      TestBatch(records: [(1500, "d")]),
      TestBatch(records: [(4000, "e"), (4001, "f")]),
    ]
    for batch in batches { #expect(try #require(client.produce(batch, to: "t")).failure == 0) }
    func offset(at time: Int) throws -> [Int] {
      var answer = try #require(client.ask(.listOffsets(of: "t", at: time)))
      _ = (answer.int32(), answer.string(), answer.int32(), answer.int32())
      #expect(answer.int16() == 0)
      return [answer.int64(), answer.int64()]
    }
    #expect(try offset(at: -2) == [-1, 0])
    #expect(try offset(at: -1) == [-1, 6])
    #expect(try offset(at: 0) == [1000, 0])
    #expect(try offset(at: 1001) == [3000, 1])
    #expect(try offset(at: 3000) == [3000, 1])
    #expect(try offset(at: 3001) == [4000, 4])
    #expect(try offset(at: 4001) == [4001, 5])
    #expect(try offset(at: 4002) == [-1, -1])
  }

  @Test func tellsAboutGroups() throws {
    try makeTopic("t")
    let commit = RequestBytes.offsetCommit(of: "t", [(0, 5), (9, 5)], by: "g", note: "note")
    var committed = try #require(client.ask(commit))
    _ = (committed.int32(), committed.string(), committed.int32(), committed.int32())
    #expect(committed.int16() == 0)
    #expect(committed.int32() == 9)
    #expect(committed.int16() == 3)

    var list = try #require(client.ask(RequestBytes(16, version: 0)))
    #expect(list.int16() == 0)
    #expect(list.int32() == 1)
    #expect(list.string() == "g")

    var describe = RequestBytes(15, version: 0)
    describe.int32(2)
    describe.string("g")
    describe.string("nope")
    var described = try #require(client.ask(describe))
    _ = described.int32()
    for (id, state) in [("g", "Empty"), ("nope", "Dead")] {
      #expect(described.int16() == 0)
      #expect(described.string() == id)
      #expect(described.string() == state)
      _ = (described.string(), described.string())
      #expect(described.int32() == 0)
    }

    var fetch = RequestBytes(9, version: 2)
    fetch.string("g")
    fetch.int32(-1)
    var fetched = try #require(client.ask(fetch))
    _ = (fetched.int32(), fetched.string(), fetched.int32())
    #expect(fetched.int32() == 0)
    #expect(fetched.int64() == 5)
    #expect(fetched.string() == "note")

    var delete = RequestBytes(42, version: 0)
    delete.int32(2)
    delete.string("g")
    delete.string("g")
    var deleted = try #require(client.ask(delete))
    _ = (deleted.int32(), deleted.int32(), deleted.string())
    #expect(deleted.int16() == 0)
    _ = deleted.string()
    #expect(deleted.int16() == 69)
  }
}
