/// FindCoordinator, OffsetCommit and OffsetFetch: where a group's offsets are kept, and their
/// values.
extension Node {
  @_lifetime(reader: copy reader)
  func findCoordinator(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    try reader.skipString("key")
    let isGroup = version >= 1 ? try reader.int8() == 0 : true
    if version >= 1 { fields.throttleTime() }
    // There is no transaction coordinator. After this error a client stops trying.
    fields.error(isGroup ? .none : .transactionalIDAuthorizationFailed)
    if version >= 1 { fields.nullableString(isGroup ? nil : "transactions are not served here") }
    fields.int32(isGroup ? Self.id : -1)
    fields.string(isGroup ? Self.host : "")
    fields.int32(isGroup ? Int32(port) : -1)
  }

  private struct Commit {
    let topic: String
    var partitions: [(number: Int32, position: CommittedOffsets.Position)] = []
  }

  @_lifetime(reader: copy reader)
  func offsetCommit(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let speaker = try speaker(&reader, hasInstance: version >= 7)
    if (2...4).contains(version) { try reader.skipInt64("retention_time_ms") }
    var commits: [Commit] = []
    for _ in 0..<(try reader.count()) {
      var commit = Commit(topic: try reader.string())
      for _ in 0..<(try reader.count()) {
        let number = try reader.int32()
        let offset = try reader.int64()
        let epoch = version >= 6 ? try reader.int32() : -1
        if version == 1 { try reader.skipInt64("commit_timestamp") }
        let position = CommittedOffsets.Position(
          offset: offset, leaderEpoch: epoch, metadata: try reader.nullableString())
        commit.partitions.append((number, position))
      }
      commits.append(commit)
    }

    let refusal = ErrorCode.of { () throws(ErrorCode) in
      guard !speaker.group.isEmpty else { throw .invalidGroupID }
      try groups.commit(speaker) { offsets in
        for commit in commits {
          for (number, position) in commit.partitions
          where verdict(on: position, commit.topic, number) == .none {
            offsets[commit.topic, number] = position
          }
        }
      }
    }
    if version >= 3 { fields.throttleTime() }
    fields.array(commits) { fields, commit in
      fields.string(commit.topic)
      fields.array(commit.partitions) { fields, entry in
        fields.int32(entry.number)
        fields.error(
          refusal == .none ? verdict(on: entry.position, commit.topic, entry.number) : refusal)
      }
    }
  }

  private func verdict(
    on position: CommittedOffsets.Position, _ topic: String, _ partition: Int32
  ) -> ErrorCode {
    if topics[topic, partition] == nil { return .unknownTopicOrPartition }
    let size = position.metadata?.utf8.count ?? 0
    return size > CommittedOffsets.maximumMetadataSize ? .offsetMetadataTooLarge : .none
  }

  @_lifetime(reader: copy reader)
  func offsetFetch(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let offsets = groups.offsets(of: try reader.string())
    let wanted = try reader.nullableTopics() ?? offsets.all
    if version >= 3 { fields.throttleTime() }
    fields.array(wanted) { fields, topic in
      fields.string(topic.topic)
      fields.array(topic.partitions) { fields, partition in
        let position = offsets[topic.topic, partition]
        fields.int32(partition)
        fields.int64(position?.offset ?? -1)
        if version >= 5 { fields.int32(position?.leaderEpoch ?? -1) }
        fields.nullableString(position?.metadata ?? "")
        fields.error(.none)
      }
    }
    if version >= 2 { fields.error(.none) }
  }
}
