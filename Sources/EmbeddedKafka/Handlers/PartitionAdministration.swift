/// CreatePartitions, DeleteRecords, OffsetForLeaderEpoch and DescribeLogDirs: administration of
/// partitions.
extension Node {
  @_lifetime(reader: copy reader)
  func createPartitions(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    var wishes: [(topic: String, count: Int, assigned: Int?, isForeign: Bool)] = []
    for _ in 0..<(try reader.count()) {
      let topic = try reader.string()
      let count = Int(try reader.int32())
      let assigned = try reader.nullableCount()
      var isForeign = false
      for _ in 0..<(assigned ?? 0) {
        let replicas = try reader.count()
        if replicas != 1 { isForeign = true }
        for _ in 0..<replicas where try reader.int32() != Self.id { isForeign = true }
      }
      wishes.append((topic, count, assigned, isForeign))
    }
    try reader.skipInt32("timeout_ms")
    let isTrial = try reader.bool()
    fields.throttleTime()
    fields.array(wishes) { fields, wish in
      fields.string(wish.topic)
      let current = topics[wish.topic]?.partitions.count
      let failure = ErrorCode.of { () throws(ErrorCode) in
        let missing = wish.count - (current ?? wish.count)
        if wish.isForeign || (missing > 0 && wish.assigned ?? missing != missing) {
          throw .invalidReplicaAssignment
        }
        try topics.grow(wish.topic, to: wish.count, isTrial: isTrial)
      }
      fields.error(failure)
      fields.nullableString(
        failure == .invalidPartitions
          ? Self.refusal(of: wish.count, topic: wish.topic, current: current ?? 0) : nil,
        "error_message")
    }
  }

  /// A real broker's message for a partition count that is not larger than the current one.
  private static func refusal(of count: Int, topic: String, current: Int) -> String {
    count == current
      ? "Topic already has \(current) partition(s)."
      : "The topic \(topic) currently has \(current) partition(s); \(count) would not be an increase."
  }

  @_lifetime(reader: copy reader)
  func deleteRecords(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    var wishes: [(topic: String, partitions: [(number: Int32, offset: Int64)])] = []
    for _ in 0..<(try reader.count()) {
      let topic = try reader.string()
      var partitions: [(number: Int32, offset: Int64)] = []
      for _ in 0..<(try reader.count()) {
        partitions.append((try reader.int32(), try reader.int64()))
      }
      wishes.append((topic, partitions))
    }
    fields.throttleTime()
    fields.array(wishes) { fields, wish in
      fields.string(wish.topic)
      fields.array(wish.partitions) { fields, partition in
        var start = Int64(-1)
        let failure = ErrorCode.of { () throws(ErrorCode) in
          start = try log(wish.topic, partition.number, leaderEpoch: -1)
            .deleteRecords(before: partition.offset)
        }
        fields.int32(partition.number)
        fields.int64(start)
        fields.error(failure)
      }
    }
  }

  /// OffsetForLeaderEpoch: the only leader epoch ends at the log's end.
  @_lifetime(reader: copy reader)
  func offsetForLeaderEpoch(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    if version >= 3 { try reader.skipInt32("replica_id") }
    if version >= 2 { fields.throttleTime() }
    let topicCount = try reader.count()
    fields.count(topicCount)
    for _ in 0..<topicCount {
      let topic = try reader.string()
      fields.string(topic)
      let partitionCount = try reader.count()
      fields.count(partitionCount)
      for _ in 0..<partitionCount {
        let partition = try reader.int32()
        let current = version >= 2 ? try reader.int32() : -1
        let epoch = try reader.int32()
        var end = Int64(-1)
        let failure = ErrorCode.of { () throws(ErrorCode) in
          let log = try log(topic, partition, leaderEpoch: current)
          if epoch == Self.leaderEpoch { end = log.endOffset }
        }
        fields.error(failure)
        fields.int32(partition)
        if version >= 1 { fields.int32(end < 0 ? -1 : Self.leaderEpoch) }
        fields.int64(end)
      }
    }
  }

  @_lifetime(reader: copy reader)
  func describeLogDirs(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let asked =
      try reader.nullableTopics()?.filter { topics[$0.topic] != nil }
      ?? topics.all.map { ($0.name, Array(0..<Int32(clamping: $0.partitions.count))) }
    fields.throttleTime()
    // One folder, whose name has no meaning to clients.
    fields.array(["/devstack"]) { fields, folder in
      fields.error(.none)
      fields.string(folder)
      fields.array(asked) { fields, topic in
        let found = topic.partitions.compactMap { number in
          topics[topic.topic, number].map { (number, $0.byteCount) }
        }
        fields.string(topic.topic)
        fields.array(found) { fields, partition in
          fields.int32(partition.0)
          fields.int64(partition.1)
          fields.int64(0, "offset_lag")
          fields.bool(false, "is_future_key")
        }
      }
    }
  }
}
