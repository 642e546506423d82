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
