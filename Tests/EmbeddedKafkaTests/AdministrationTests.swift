import Foundation
import Testing

@testable import EmbeddedKafka

/// Requests of administrative tools, over the wire.
@Suite struct AdministrationTests {
  private let broker: Broker
  private let client: RawClient

  init() throws {
    (broker, client) = try RawClient.withBroker()
    _ = try #require(client.ask(.metadata(["t"])))
  }

  // MARK: Settings

  /// The values of a topic's settings by name, and where they come from.
  private func settings(of topic: String, type: Int = 2) -> [String: (value: String?, source: Int)]
  {
    var request = RequestBytes(32, version: 1)
    request.int32(1)
    request.int8(type)
    request.string(topic)
    request.int32(-1)
    request.int8(0)
    guard var answer = client.ask(request) else { return [:] }
    #expect(answer.int32() == 0)
    #expect(answer.int32() == 1)
    let failure = answer.int16()
    _ = (answer.string(), answer.int8(), answer.string())
    var settings: [String: (value: String?, source: Int)] = [:]
    for _ in 0..<answer.int32() {
      let name = answer.string() ?? "?"
      let value = answer.string()
      _ = answer.int8()
      settings[name] = (value, answer.int8())
      _ = (answer.int8(), answer.int32())
    }
    if failure != 0 { settings["error"] = (nil, failure) }
    #expect(answer.rest.isEmpty)
    return settings
  }

  /// Changes one setting, and returns the error code of the response.
  private func change(_ name: String, _ operation: Int, _ value: String?, of topic: String) -> Int {
    var request = RequestBytes(44, version: 0)
    request.int32(1)
    request.int8(2)
    request.string(topic)
    request.int32(1)
    request.string(name)
    request.int8(operation)
    request.string(value)
    request.int8(0)
    guard var answer = client.ask(request) else { return -99 }
    _ = (answer.int32(), answer.int32())
    return answer.int16()
  }

  @Test func keepsAndShowsSettings() throws {
    #expect(settings(of: "t")["retention.ms"]?.value == "-1")
    #expect(settings(of: "t")["retention.ms"]?.source == 5)
    #expect(change("retention.ms", 0, "1000", of: "t") == 0)
    #expect(settings(of: "t")["retention.ms"]?.value == "1000")
    #expect(settings(of: "t")["retention.ms"]?.source == 1)
    #expect(change("cleanup.policy", 2, "compact", of: "t") == 0)
    #expect(settings(of: "t")["cleanup.policy"]?.value == "delete,compact")
    #expect(change("cleanup.policy", 3, "delete", of: "t") == 0)
    #expect(settings(of: "t")["cleanup.policy"]?.value == "compact")
    #expect(change("retention.ms", 1, nil, of: "t") == 0)
    #expect(settings(of: "t")["retention.ms"]?.value == "-1")
    #expect(settings(of: "0", type: 4)["num.partitions"]?.value == "4")
    #expect(settings(of: "nope")["error"]?.source == 3)
    #expect(settings(of: "0", type: 9)["error"]?.source == 42)
  }

  @Test(arguments: [
    ("nonsense", "1", 40), ("retention.ms", "soon", 40), ("retention.ms", "-2", 40),
    ("message.timestamp.type", "LogAppendTime", 40), ("min.insync.replicas", "2", 40),
    ("cleanup.policy", "burn", 40), ("min.insync.replicas", "1", 0),
  ])
  func refusesWhatItCannotDo(name: String, value: String, failure: Int) {
    #expect(change(name, 0, value, of: "t") == failure)
    #expect(change(name, 0, value, of: "nope") == 3)
  }

  @Test func aTopicCanTakeSmallerBatches() {
    #expect(change("max.message.bytes", 0, "100", of: "t") == 0)
    #expect(client.produce(TestBatch([String(repeating: "x", count: 100)]), to: "t")?.failure == 10)
    #expect(client.produce(TestBatch(["x"]), to: "t")?.failure == 0)
  }

  @Test func aCompactedTopicWantsKeys() {
    #expect(change("cleanup.policy", 0, "compact", of: "t") == 0)
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 87)
    var keyed = TestBatch(["a", "b"])
    keyed.key = "k"
    #expect(client.produce(keyed, to: "t")?.failure == 0)
    #expect(change("cleanup.policy", 1, nil, of: "t") == 0)
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
  }

  @Test func aTopicCanAllowOtherTimes() {
    let now = Int(Date().timeIntervalSince1970 * 1000)
    let late = TestBatch(["a"], time: now + 7_200_000)
    let old = TestBatch(["a"], time: now - 7_200_000)
    #expect(client.produce(late, to: "t")?.failure == 32)
    #expect(change("message.timestamp.after.max.ms", 0, "10000000", of: "t") == 0)
    #expect(client.produce(late, to: "t")?.failure == 0)
    #expect(change("message.timestamp.after.max.ms", 0, "9223372036854775807", of: "t") == 0)
    #expect(client.produce(TestBatch(["a"], time: .max / 2), to: "t")?.failure == 0)
    #expect(client.produce(old, to: "t")?.failure == 0)
    #expect(change("message.timestamp.before.max.ms", 0, "3600000", of: "t") == 0)
    #expect(client.produce(old, to: "t")?.failure == 32)
  }

  // MARK: Partitions

  private func growing(_ topic: String, to count: Int, isTrial: Bool = false) -> RequestBytes {
    var request = RequestBytes(37, version: 1)
    request.int32(1)
    request.string(topic)
    request.int32(count)
    request.int32(-1)
    request.int32(1000)
    request.int8(isTrial ? 1 : 0)
    return request
  }

  private func refusalOfGrowing(_ topic: String, to count: Int) -> String? {
    guard var answer = client.ask(growing(topic, to: count)) else { return nil }
    _ = (answer.int32(), answer.int32(), answer.string(), answer.int16())
    return answer.string()
  }

  @Test func saysWhyPartitionsAreNotAdded() {
    #expect(
      refusalOfGrowing("t", to: 2)
        == "The topic t currently has 4 partition(s); 2 would not be an increase.")
    #expect(refusalOfGrowing("t", to: 4) == "Topic already has 4 partition(s).")
    #expect(refusalOfGrowing("nope", to: 4) == nil)
  }

  @Test(arguments: [
    ("t", 4, 1, 36, "Topic 't' already exists."),
    ("u", 0, 1, 37, "Number of partitions was set to an invalid non-positive value."),
    (
      "u", 1, 3, 38,
      "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be"
        + " reached because only 1 broker(s) are registered."
    ),
    (
      "a b", 1, 1, 17,
      "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics,"
        + " '.', '_' and '-'"
    ),
  ])
  func saysWhyATopicIsNotMade(
    name: String, partitions: Int, replicas: Int, code: Int, words: String
  ) throws {
    let request = RequestBytes.createTopic(name, partitions: partitions, replicas: replicas)
    var answer = try #require(client.ask(request))
    _ = (answer.int32(), answer.int32(), answer.string())
    #expect(answer.int16() == code)
    #expect(answer.string() == words)
  }

  private func grow(_ topic: String, to count: Int, isTrial: Bool = false) -> Int {
    guard var answer = client.ask(growing(topic, to: count, isTrial: isTrial)) else { return -99 }
    _ = (answer.int32(), answer.int32(), answer.string())
    return answer.int16()
  }

  @Test func addsPartitions() {
    #expect(grow("t", to: 6, isTrial: true) == 0)
    #expect(broker.endOffsets(topic: "t")?.count == 4)
    #expect(grow("t", to: 6) == 0)
    #expect(broker.endOffsets(topic: "t")?.count == 6)
    #expect(grow("t", to: 6) == 37)
    #expect(grow("t", to: 2) == 37)
    #expect(grow("nope", to: 2) == 3)
    #expect(grow("t", to: Int(Int32.max)) == 44)
    #expect(client.produce(TestBatch(["a"]), to: "t", partition: 5)?.failure == 0)
  }

  private func deleteRecords(before offset: Int, of partition: Int = 0) -> (Int, Int) {
    var request = RequestBytes(21, version: 1)
    request.int32(1)
    request.string("t")
    request.int32(1)
    request.int32(partition)
    request.int64(offset)
    request.int32(1000)
    guard var answer = client.ask(request) else { return (-99, -99) }
    _ = (answer.int32(), answer.int32(), answer.string(), answer.int32(), answer.int32())
    return (answer.int64(), answer.int16())
  }

  /// The offset that ListOffsets returns for a timestamp, or for a special value.
  private func offset(at time: Int) -> Int {
    guard var answer = client.ask(.listOffsets(of: "t", at: time)) else { return -99 }
    _ = (answer.int32(), answer.string(), answer.int32(), answer.int32())
    let failure = answer.int16()
    _ = answer.int64()
    return failure == 0 ? answer.int64() : -failure
  }

  @Test func deletesRecords() throws {
    for time in [5000, 1000, 2000, 3000] {
      let batch = TestBatch(["a", "b", "c"], time: time)
      #expect(client.produce(batch, to: "t")?.failure == 0)
    }
    #expect(offset(at: 3000) == 0)
    #expect(deleteRecords(before: 13) == (-1, 1))
    #expect(deleteRecords(before: 7) == (7, 0))
    #expect(deleteRecords(before: 2) == (7, 0))
    #expect(broker.startOffsets(topic: "t") == [7, 0, 0, 0])
    #expect(offset(at: -2) == 7)
    #expect(offset(at: -1) == 12)
    // Deleted records are not found any more, although they had the latest timestamp.
    #expect(offset(at: 0) == 7)
    #expect(offset(at: 3000) == 9)
    #expect(offset(at: 3001) == -1)
    #expect(offset(at: -3) == -35)
    #expect(client.fetch(.fetch("t", from: 6))?.failure == 1)
    let fetched = try #require(client.fetch(.fetch("t", from: 7)))
    #expect(fetched.failure == 0)
    // The batch that contains it is returned whole. Its base offset is 6.
    #expect(fetched.records[7] == 6)
    #expect(deleteRecords(before: -1) == (12, 0))
    #expect(client.fetch(.fetch("t", from: 12))?.records.isEmpty == true)
    #expect(client.produce(TestBatch(["z"]), to: "t")?.offset == 12)
    #expect(client.fetch(.fetch("t", from: 12))?.records.isEmpty == false)
  }

  @Test func theOnlyLeadersEpochEndsWithTheLog() {
    #expect(client.produce(TestBatch(["a", "b"]), to: "t")?.failure == 0)
    func end(epoch: Int, current: Int = 0) -> [Int] {
      var request = RequestBytes(23, version: 3)
      request.int32(-2)
      request.int32(1)
      request.string("t")
      request.int32(1)
      request.int32(0)
      request.int32(current)
      request.int32(epoch)
      guard var answer = client.ask(request) else { return [] }
      _ = (answer.int32(), answer.int32(), answer.string(), answer.int32())
      let failure = answer.int16()
      _ = answer.int32()
      return [failure, answer.int32(), answer.int64()]
    }
    #expect(end(epoch: 0) == [0, 0, 2])
    #expect(end(epoch: 3) == [0, -1, -1])
    #expect(end(epoch: 0, current: 1) == [75, -1, -1])
  }

  // MARK: The compact encoding

  /// A request whose header ends with tagged fields: here one that the broker does not know.
  private func compact(_ key: Int, version: Int) -> RequestBytes {
    var request = RequestBytes(key, version: version)
    request.bytes += [1, 77, 2, 0xAB, 0xCD]
    return request
  }

  @Test(arguments: [(-3, 1, 7), (-1, 4, 7), (-2, 0, 6), (-4, 0, 8), (-5, -1, 9), (2500, 3, 9)])
  func findsOffsetsInNewerVersions(_ sample: (time: Int, offset: Int, version: Int)) throws {
    for time in [1000, 3000, 2000, 2500] {
      #expect(client.produce(TestBatch(["a"], time: time), to: "t")?.failure == 0)
    }
    var request = compact(2, version: sample.version)
    request.int32(-1)
    request.int8(0)
    request.bytes += [2, 2, UInt8(ascii: "t"), 2]
    request.int32(0)
    request.int32(0)
    request.int64(sample.time)
    request.bytes += [0, 0, 0]
    var answer = try #require(client.ask(request))
    #expect(answer.int8() == 0)
    #expect(answer.int32() == 0)
    #expect((0..<4).map { _ in answer.int8() } == [2, 2, 0x74, 2])
    #expect(answer.int32() == 0)
    #expect(answer.int16() == 0)
    _ = answer.int64()
    let expected = sample.time == 2500 ? 1 : sample.offset
    #expect(answer.int64() == expected)
    #expect(answer.int32() == (expected < 0 ? -1 : 0))
    #expect(answer.rest == [0, 0, 0])
  }

  @Test func listsGroupsByTheirState() throws {
    func list(_ version: Int, _ filter: [UInt8]) throws -> [UInt8] {
      var request = compact(16, version: version)
      request.bytes += filter + [0]
      var answer = try #require(client.ask(request))
      #expect(answer.int8() == 0)
      #expect(answer.int32() == 0)
      #expect(answer.int16() == 0)
      return Array(answer.rest)
    }
    #expect(client.ask(.offsetCommit(of: "t", [(0, 7)], by: "g")) != nil)
    let empty = Array("Empty".utf8)
    #expect(try list(3, []) == [2, 2, 0x67, 1, 0, 0])
    #expect(try list(4, [1]) == [2, 2, 0x67, 1, 6] + empty + [0, 0])
    #expect(try list(4, [2, 6] + empty) == [2, 2, 0x67, 1, 6] + empty + [0, 0])
    #expect(try list(4, [2, 7] + Array("Stable".utf8)) == [1, 0])
    #expect(
      try list(5, [1, 2, 8] + Array("classic".utf8))
        == [2, 2, 0x67, 1, 6] + empty + [8] + Array("classic".utf8) + [0, 0])
    #expect(try list(5, [1, 2, 9] + Array("consumer".utf8)) == [1, 0])
  }

  @Test func aGroupThatIsNotThereIsAnErrorInTheNewestVersion() throws {
    var request = compact(15, version: 6)
    request.bytes += [2, 5] + Array("none".utf8) + [0, 0]
    var answer = try #require(client.ask(request))
    #expect(answer.int8() == 0)
    #expect(answer.int32() == 0)
    #expect(answer.int8() == 2)
    #expect(answer.int16() == 69)
    let words = Array("Group none not found.".utf8)
    #expect(Array(answer.rest.prefix(words.count + 1)) == [UInt8(words.count + 1)] + words)
  }

  /// librdkafka only sends version 1, and waits forever when the request is missing.
  @Test(arguments: [0, 1]) func theNewerGroupProtocolIsRefusedByName(version: Int) throws {
    let request = compact(68, version: version)
    var answer = try #require(client.ask(request))
    #expect(answer.int8() == 0)
    #expect(answer.int32() == 0)
    #expect(answer.int16() == 35)
  }

  @Test func tellsWhatATopicCameToBe() throws {
    var request = compact(19, version: 5)
    request.bytes += [2, 4] + Array("new".utf8)
    request.int32(-1)
    request.int16(-1)
    request.bytes += [1, 2, 13] + Array("retention.ms".utf8) + [3] + Array("77".utf8) + [0, 0]
    request.int32(1000)
    request.bytes += [0, 0]
    var answer = try #require(client.ask(request))
    #expect(answer.int8() == 0)
    #expect(answer.int32() == 0)
    #expect(Array(answer.rest.prefix(5)) == [2, 4] + Array("new".utf8))
    for _ in 0..<5 { _ = answer.int8() }
    #expect(answer.int16() == 0)
    #expect(answer.int8() == 0)
    #expect(answer.int32() == 4)
    #expect(answer.int16() == 1)
    #expect(answer.int8() == TopicSettings.definitions.count + 1)
    #expect(answer.rest.suffix(2) == [0, 0])
    #expect(settings(of: "new")["retention.ms"]?.value == "77")
  }

  @Test func endsAConnectionOverATornTag() throws {
    var request = RequestBytes(2, version: 6)
    request.bytes += [1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]
    client.send(request.frame)
    #expect(client.answer() == nil)
  }

  // MARK: Groups

  @Test func aGroupForgetsOffsets() {
    func ask(_ group: String, partition: Int) -> [Int] {
      var request = RequestBytes(47, version: 0)
      request.string(group)
      request.int32(1)
      request.string("t")
      request.int32(1)
      request.int32(partition)
      guard var answer = client.ask(request) else { return [] }
      let failure = answer.int16()
      _ = answer.int32()
      guard answer.int32() == 1 else { return [failure] }
      _ = (answer.string(), answer.int32(), answer.int32())
      return [failure, answer.int16()]
    }
    #expect(ask("g", partition: 0) == [69])
    var commit = RequestBytes(8, version: 2)
    commit.string("g")
    commit.int32(-1)
    commit.string("")
    commit.int64(-1)
    commit.int32(1)
    commit.string("t")
    commit.int32(1)
    commit.int32(0)
    commit.int64(7)
    commit.string("")
    #expect(client.ask(commit) != nil)
    var fetch = RequestBytes(9, version: 2)
    fetch.string("g")
    fetch.int32(-1)
    #expect(client.ask(fetch)?.rest.prefix(4) == [0, 0, 0, 1])
    #expect(ask("g", partition: 9) == [0, 3])
    #expect(ask("g", partition: 0) == [0, 0])
    #expect(client.ask(fetch)?.rest.prefix(4) == [0, 0, 0, 0])
  }
}
