/// ListGroups, DescribeGroups and DeleteGroups: what administrators' tools ask.
extension Node {
  func listGroups(_ version: Int16, into fields: inout FieldWriter) {
    if version >= 1 { fields.int32(0) }
    fields.error(.none)
    fields.array(groups.all) { fields, group in
      fields.string(group.id)
      fields.string(group.protocolType)
    }
  }

  @_lifetime(reader: copy reader)
  func describeGroups(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    var ids: [String] = []
    for _ in 0..<(try reader.count()) { ids.append(try reader.string()) }
    if version >= 1 { fields.int32(0) }
    fields.array(ids) { fields, id in
      let group = groups.group(id)
      fields.error(.none)
      fields.string(id)
      fields.string(group?.phase.name ?? "Dead")
      fields.string(group?.protocolType ?? "")
      fields.string(group?.strategyName ?? "")
      fields.array(group?.members ?? []) { fields, member in
        let strategy = member.strategies.first { $0.name == group?.strategyName }
        fields.string(member.id)
        if version >= 4 { fields.nullableString(member.instanceID) }
        fields.string(member.clientID)
        fields.string("/" + Self.host)
        fields.byteArray(strategy?.metadata ?? [])
        fields.byteArray(member.assignment)
      }
      if version >= 3 { fields.int32(.min) }
    }
  }

  @_lifetime(reader: copy reader)
  func deleteGroups(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    var ids: [String] = []
    for _ in 0..<(try reader.count()) { ids.append(try reader.string()) }
    fields.int32(0)
    fields.array(ids) { fields, id in
      fields.string(id)
      do throws(ErrorCode) {
        try groups.delete(id)
        fields.error(.none)
      } catch {
        fields.error(error)
      }
    }
  }

  /// OffsetDelete: a group forgets how far it read partitions that it no longer reads.
  @_lifetime(reader: copy reader)
  func offsetDelete(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let id = try reader.string()
    var wishes: [(topic: String, partitions: [Int32])] = []
    for _ in 0..<(try reader.count()) {
      let topic = try reader.string()
      var partitions: [Int32] = []
      for _ in 0..<(try reader.count()) { partitions.append(try reader.int32()) }
      wishes.append((topic, partitions))
    }
    var isConsumed = false
    var refusal = ErrorCode.none
    do throws(ErrorCode) {
      isConsumed = try groups.forgetOffsets(of: id) { offsets in
        for wish in wishes {
          for partition in wish.partitions where topics[wish.topic, partition] != nil {
            offsets.forget(topic: wish.topic, partition: partition)
          }
        }
      }
    } catch {
      refusal = error
    }
    fields.error(refusal)
    fields.int32(0)
    fields.array(refusal == .none ? wishes : []) { fields, wish in
      fields.string(wish.topic)
      fields.array(wish.partitions) { fields, partition in
        fields.int32(partition)
        let isThere = topics[wish.topic, partition] != nil
        fields.error(
          !isThere ? .unknownTopicOrPartition : isConsumed ? .groupSubscribedToTopic : .none)
      }
    }
  }
}

extension Group.Phase {
  /// What the protocol calls it.
  fileprivate var name: String {
    switch self {
    case .empty: "Empty"
    case .joining: "PreparingRebalance"
    case .syncing: "CompletingRebalance"
    case .stable: "Stable"
    }
  }
}
