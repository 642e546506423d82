import CBroker
import Testing

/// A record batch encoded by hand. Every field can be made wrong.
struct TestBatch {
  var records: [(time: Int, value: String)]
  var magic = 2
  var attributes = 0
  var producerID = -1
  var producerEpoch = -1
  var baseSequence = -1
  /// The record count in the header, if it is to be wrong.
  var claimedCount: Int?
  var claimedLastDelta: Int?
  var checksumDelta = 0
  /// The key of every record.
  var key: String?
  /// Bytes in place of the records, such as compressed or invalid ones.
  var replacement: [UInt8]?

  init(_ values: [String], time: Int = 1000) {
    records = values.map { (time, $0) }
  }

  init(records: [(time: Int, value: String)]) {
    self.records = records
  }

  var bytes: [UInt8] {
    let base = records.first?.time ?? 0
    var covered = RequestBytes()
    covered.int16(attributes)
    covered.int32(claimedLastDelta ?? records.count - 1)
    covered.int64(base)
    covered.int64(records.map { $0.time }.max() ?? 0)
    covered.int64(producerID)
    covered.int16(producerEpoch)
    covered.int32(baseSequence)
    covered.int32(claimedCount ?? records.count)
    covered.bytes += replacement ?? recordBytes
    let checksum = unsafe covered.bytes.withUnsafeBytes {
      unsafe Int(cbk_crc32c_portable($0.baseAddress, $0.count))
    }
    var batch = RequestBytes()
    batch.int64(12345)
    batch.int32(covered.bytes.count + 9)
    batch.int32(99)
    batch.int8(magic)
    batch.int32(checksum + checksumDelta)
    return batch.bytes + covered.bytes
  }

  /// The uncompressed records.
  var recordBytes: [UInt8] {
    let base = records.first?.time ?? 0
    var bytes: [UInt8] = []
    for (index, record) in records.enumerated() {
      let value = Array(record.value.utf8)
      let body =
        [0] + varint(record.time - base) + varint(index) + keyBytes + varint(value.count) + value
        + varint(0)
      bytes += varint(body.count) + body
    }
    return bytes
  }

  private var keyBytes: [UInt8] {
    guard let key else { return varint(-1) }
    return varint(key.utf8.count) + Array(key.utf8)
  }

  private func varint(_ value: Int) -> [UInt8] {
    var rest = UInt64(bitPattern: Int64(value << 1 ^ value >> 63))
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F | 0x80))
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}

/// The most frequent requests.
extension RequestBytes {
  static func metadata(_ topics: [String]?, mayCreate: Bool = true) -> RequestBytes {
    var request = RequestBytes(3, version: 4)
    request.int32(topics?.count ?? -1)
    for topic in topics ?? [] { request.string(topic) }
    request.int8(mayCreate ? 1 : 0)
    return request
  }

  /// CreateTopics for one topic.
  static func createTopic(
    _ name: String, partitions: Int, replicas: Int, settings: [(name: String, value: String)] = [],
    isTrial: Bool = false
  ) -> RequestBytes {
    var request = RequestBytes(19, version: 4)
    request.int32(1)
    request.string(name)
    request.int32(partitions)
    request.int16(replicas)
    request.int32(0)
    request.int32(settings.count)
    for setting in settings {
      request.string(setting.name)
      request.string(setting.value)
    }
    request.int32(1000)
    request.int8(isTrial ? 1 : 0)
    return request
  }

  /// ListOffsets of the first partition, for a time or a special value.
  static func listOffsets(of topic: String, at time: Int) -> RequestBytes {
    var request = RequestBytes(2, version: 1)
    request.int32(-1)
    request.int32(1)
    request.string(topic)
    request.int32(1)
    request.int32(0)
    request.int64(time)
    return request
  }

  /// OffsetCommit of partitions of a topic, by no member.
  static func offsetCommit(
    of topic: String, _ offsets: [(partition: Int, offset: Int)], by group: String,
    note: String = ""
  ) -> RequestBytes {
    var request = RequestBytes(8, version: 2)
    request.string(group)
    request.int32(-1)
    request.string("")
    request.int64(-1)
    request.int32(1)
    request.string(topic)
    request.int32(offsets.count)
    for (partition, offset) in offsets {
      request.int32(partition)
      request.int64(offset)
      request.string(note)
    }
    return request
  }

  static func produce(
    _ batch: [UInt8]?, to topic: String, partition: Int = 0, acks: Int = -1, version: Int = 7
  ) -> RequestBytes {
    var request = RequestBytes(0, version: version)
    if version >= 3 { request.string(nil) }
    request.int16(acks)
    request.int32(1000)
    request.int32(1)
    request.string(topic)
    request.int32(1)
    request.int32(partition)
    request.int32(batch?.count ?? -1)
    request.bytes += batch ?? []
    return request
  }

  static func fetch(
    _ topic: String, partition: Int = 0, from offset: Int, maxWait: Int = 0, minBytes: Int = 1,
    maxBytes: Int = 1 << 20
  ) -> RequestBytes {
    var request = RequestBytes(1, version: 4)
    request.int32(-1)
    request.int32(maxWait)
    request.int32(minBytes)
    request.int32(maxBytes)
    request.int8(0)
    request.int32(1)
    request.string(topic)
    request.int32(1)
    request.int32(partition)
    request.int64(offset)
    request.int32(maxBytes)
    return request
  }
}

extension RawClient {
  /// Produces one batch, and returns the error code and the offset of the response.
  func produce(
    _ batch: TestBatch, to topic: String, partition: Int = 0
  ) -> (failure: Int, offset: Int)? {
    produceBytes(batch.bytes, to: topic, partition: partition)
  }

  func produceBytes(
    _ bytes: [UInt8]?, to topic: String, partition: Int = 0, acks: Int = -1, version: Int = 7
  ) -> (failure: Int, offset: Int)? {
    let request = RequestBytes.produce(
      bytes, to: topic, partition: partition, acks: acks, version: version)
    guard var answer = ask(request) else { return nil }
    _ = (answer.int32(), answer.string(), answer.int32(), answer.int32())
    return (answer.int16(), answer.int64())
  }

  /// Fetches from one partition.
  func fetch(
    _ request: RequestBytes
  ) -> (failure: Int, endOffset: Int, records: [UInt8])? {
    guard var answer = ask(request) else { return nil }
    _ = (answer.int32(), answer.int32(), answer.string(), answer.int32(), answer.int32())
    let failure = answer.int16()
    let endOffset = answer.int64()
    _ = (answer.int64(), answer.int32())
    let size = answer.int32()
    #expect(answer.rest.count == size)
    return (failure, endOffset, Array(answer.rest))
  }
}
