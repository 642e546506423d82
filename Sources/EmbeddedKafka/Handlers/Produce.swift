/// Produce: appends batches to partitions.
extension Node {
  /// - Returns: whether there is a response to send; with acks 0 there is none.
  /// - Throws: with acks 0 also for a refused batch, because closing the connection is the only way
  ///   to tell such a client.
  @_lifetime(reader: copy reader)
  func produce(
    _ reader: inout FieldReader, _ version: Int16, _ fault: BrokerFault?,
    into fields: inout FieldWriter
  ) throws(MalformedFrame) -> Bool {
    if version >= 3 { try reader.skipNullableString("transactional_id") }
    let acks = try reader.int16()
    try reader.skipInt32("timeout_ms")
    // Reads the whole request once, so that a malformed request appends nothing.
    var rehearsal = reader
    try Self.skimRecords(&rehearsal)

    var refusals = 0
    let topicCount = try reader.count()
    fields.count(topicCount)
    for _ in 0..<topicCount {
      let topic = try reader.string()
      fields.string(topic)
      let found = topics[topic]
      let settings = found?.settings ?? TopicSettings()
      let partitionCount = try reader.count()
      fields.count(partitionCount)
      for _ in 0..<partitionCount {
        let partition = try reader.int32()
        let log = found?[partition]
        let records = try reader.nullableSpan()
        let (failure, offset) =
          if case .refuse(let code) = fault {
            (code, -1 as Int64)
          } else {
            append(records, to: log, settings, acks: acks, version)
          }
        if failure != .none { refusals += 1 }
        fields.int32(partition)
        fields.error(failure)
        fields.int64(offset)
        if version >= 2 { fields.int64(-1, "log_append_time_ms") }
        if version >= 5 { fields.int64(failure == .none ? log?.startOffset ?? -1 : -1) }
      }
    }
    if version >= 1 { fields.throttleTime(fault?.throttleTime ?? .zero) }
    guard acks == 0 else { return true }
    guard refusals == 0 else { throw MalformedFrame(reason: "a batch without acks was refused") }
    return false
  }

  @_lifetime(reader: copy reader)
  private static func skimRecords(_ reader: inout FieldReader) throws(MalformedFrame) {
    var partitionCount = 0
    for _ in 0..<(try reader.count()) {
      try reader.skipString("name")
      let count = try reader.count()
      partitionCount += count
      for _ in 0..<count {
        try reader.skipInt32("index")
        try reader.skipBytes("records")
      }
    }
    guard partitionCount <= Topics.maximumPartitionCount else {
      throw MalformedFrame(reason: "more partitions than there can be")
    }
  }

  private func append(
    _ records: RawSpan?, to log: PartitionLog?, _ settings: TopicSettings, acks: Int16,
    _ version: Int16
  ) -> (failure: ErrorCode, offset: Int64) {
    guard (-1...1).contains(acks) else { return (.invalidRequiredAcks, -1) }
    // Versions before 3 use record formats that this broker does not support.
    guard version >= 3 else { return (.unsupportedVersion, -1) }
    guard let log else { return (.unknownTopicOrPartition, -1) }
    guard let records else { return (.invalidRecord, -1) }
    let header: BatchHeader
    do throws(ErrorCode) {
      header = try BatchHeader(
        of: records, limit: settings.maximumBatchSize, produceVersion: version)
      try header.check(recordsOf: records, settings.rules(now: Self.millisecondsSince1970))
    } catch {
      return (error, -1)
    }
    do throws(PartitionLog.Refusal) {
      return (.none, try log.append(header, records))
    } catch {
      switch error {
      case .answered(let code): return (code, -1)
      case .storage(let failure):
        writingFailed(failure, isLost: acks == 0)
        return (.storageError, -1)
      }
    }
  }
}
