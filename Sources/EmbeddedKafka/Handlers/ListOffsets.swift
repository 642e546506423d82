import Plumbing

/// ListOffsets: the start offset, the end offset, or the offset of a timestamp.
extension Node {
  @_lifetime(reader: copy reader)
  func listOffsets(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    try reader.skipInt32("replica_id")
    if version >= 2 {
      try reader.skipInt8("isolation_level")
      fields.throttleTime()
    }
    let topicCount = try reader.count()
    fields.arrayCount(topicCount)
    for _ in 0..<topicCount {
      let topic = try reader.string()
      fields.string(topic)
      let partitionCount = try reader.count()
      fields.arrayCount(partitionCount)
      for _ in 0..<partitionCount {
        let partition = try reader.int32()
        let epoch = version >= 4 ? try reader.int32() : -1
        let time = try reader.int64()
        try reader.tags()
        var found = (time: Int64(-1), offset: Int64(-1))
        let failure = ErrorCode.of { () throws(ErrorCode) in
          found = try find(time, in: try log(topic, partition, leaderEpoch: epoch), version)
        }
        fields.int32(partition)
        fields.error(failure)
        fields.int64(found.time)
        fields.int64(found.offset)
        if version >= 4 {
          fields.int32(failure == .none && found.offset >= 0 ? Self.leaderEpoch : -1)
        }
        fields.tags()
      }
      try reader.tags()
      fields.tags()
    }
    try reader.tags()
    fields.tags()
  }

  private func find(
    _ time: Int64, in log: PartitionLog, _ version: Int16
  ) throws(ErrorCode) -> (time: Int64, offset: Int64) {
    switch time {
    case -1: return (-1, log.endOffset)
    case -2: return (-1, log.startOffset)
    case 0...: break
    case -3 where version >= 7:
      guard let latest = log.latestTimestamp else { return (-1, -1) }
      return try find(latest, in: log, version)
    // All records are local, and none are in remote storage.
    case -4 where version >= 8: return (-1, log.startOffset)
    case -5 where version >= 9: return (-1, -1)
    // Special timestamps of later versions.
    default: throw .unsupportedVersion
    }
    var from = log.startOffset
    while let batch = log.firstBatch(reaching: time, from: from) {
      let bytes: [UInt8]
      do throws(SystemFailure) {
        bytes = try file.read(count: batch.size, at: batch.position)
      } catch {
        readingFailed(error)
        throw .storageError
      }
      if let found = StoredBatch(bytes).firstRecord(reaching: time, from: from) { return found }
      // The header's largest timestamp belongs to no record, or to a deleted one.
      from = batch.endOffset
    }
    return (-1, -1)
  }
}
