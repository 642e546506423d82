/// ListGroups, DescribeGroups and DeleteGroups, which administrative tools use.
extension Node {
  @_lifetime(reader: copy reader)
  func listGroups(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let states = version >= 4 ? try reader.strings().map { $0.lowercased() } : []
    let types = version >= 5 ? try reader.strings().map { $0.lowercased() } : []
    try reader.tags()
    let listed = groups.all.filter { group in
      (states.isEmpty || states.contains(group.phase.name.lowercased()))
        && (types.isEmpty || types.contains("classic"))
    }
    if version >= 1 { fields.throttleTime() }
    fields.error(.none)
    fields.array(listed) { fields, group in
      fields.string(group.id)
      fields.string(group.protocolType)
      if version >= 4 { fields.string(group.phase.name) }
      if version >= 5 { fields.string("classic") }
      fields.tags()
    }
    fields.tags()
  }

  @_lifetime(reader: copy reader)
  func describeGroups(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let ids = try reader.strings()
    if version >= 1 { fields.throttleTime() }
    fields.array(ids) { fields, id in
      let group = groups.group(id)
      if version >= 6 {
        fields.error(group == nil ? .groupIDNotFound : .none)
        fields.nullableString(group == nil ? "Group \(id) not found." : nil, "error_message")
      } else {
        fields.error(.none)
      }
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
        fields.tags()
      }
      if version >= 3 { fields.int32(.min, "authorized_operations") }
      fields.tags()
    }
    fields.tags()
  }

  @_lifetime(reader: copy reader)
  func deleteGroups(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let ids = try reader.strings()
    fields.throttleTime()
    fields.array(ids) { fields, id in
      fields.string(id)
      fields.error(.of { () throws(ErrorCode) in try groups.delete(id) })
    }
  }

  /// OffsetDelete: deletes a group's committed offsets of partitions that it no longer reads.
  @_lifetime(reader: copy reader)
  func offsetDelete(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let id = try reader.string()
    let wishes = try reader.nullableTopics() ?? []
    var isConsumed = false
    let refusal = ErrorCode.of { () throws(ErrorCode) in
      isConsumed = try groups.forgetOffsets(of: id) { offsets in
        for wish in wishes {
          for partition in wish.partitions where topics[wish.topic, partition] != nil {
            offsets.forget(topic: wish.topic, partition: partition)
          }
        }
      }
    }
    fields.error(refusal)
    fields.throttleTime()
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
  /// The state's name in the protocol.
  fileprivate var name: String {
    switch self {
    case .empty: "Empty"
    case .joining: "PreparingRebalance"
    case .syncing: "CompletingRebalance"
    case .stable: "Stable"
    }
  }
}
