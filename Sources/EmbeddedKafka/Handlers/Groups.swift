/// JoinGroup, SyncGroup, Heartbeat and LeaveGroup: requests and responses.
extension Node {
  @_lifetime(reader: copy reader)
  func joinGroup(
    _ reader: inout FieldReader, _ header: RequestHeader, _ socket: Int32,
    into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let version = header.version
    let id = try reader.string()
    let sessionTimeout = Duration.milliseconds(try reader.int32())
    let rebalanceTimeout =
      version >= 1 ? Duration.milliseconds(max(0, try reader.int32())) : sessionTimeout
    var application = Group.Application(
      clientID: header.clientID, memberID: try reader.string(), sessionTimeout: sessionTimeout,
      rebalanceTimeout: rebalanceTimeout, protocolType: "", strategies: [])
    if version >= 5 { application.instanceID = try reader.nullableString() }
    application.protocolType = try reader.string()
    for _ in 0..<(try reader.count()) {
      application.strategies.append(
        Group.Strategy(name: try reader.string(), metadata: try reader.byteArray()))
    }

    let wakeup = try Wakeup.watching(socket)
    if version >= 2 { fields.throttleTime() }
    do throws(ErrorCode) {
      let generation = try groups.join(
        id, application, wakeup: wakeup)
      fields.error(.none)
      fields.int32(generation.number)
      fields.string(generation.strategy)
      fields.string(generation.leaderID)
      fields.string(generation.memberID)
      fields.array(generation.members) { fields, member in
        fields.string(member.id)
        if version >= 5 { fields.nullableString(member.instanceID) }
        fields.byteArray(member.metadata)
      }
    } catch {
      fields.error(error)
      fields.int32(-1, "generation_id")
      fields.string("", "protocol_name")
      fields.string("", "leader")
      fields.string(application.memberID)
      fields.count(0, "members")
    }
  }

  @_lifetime(reader: copy reader)
  func speaker(
    _ reader: inout FieldReader, hasInstance: Bool
  ) throws(MalformedFrame) -> GroupCoordinator.Speaker {
    var speaker = GroupCoordinator.Speaker(
      group: try reader.string(), generation: try reader.int32(), memberID: try reader.string())
    if hasInstance { speaker.instanceID = try reader.nullableString() }
    return speaker
  }

  @_lifetime(reader: copy reader)
  func syncGroup(
    _ reader: inout FieldReader, _ version: Int16, _ socket: Int32, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let speaker = try speaker(&reader, hasInstance: version >= 3)
    var assignments: [String: [UInt8]] = [:]
    for _ in 0..<(try reader.count()) {
      let member = try reader.string()
      assignments[member] = try reader.byteArray()
    }
    let wakeup = try Wakeup.watching(socket)
    if version >= 1 { fields.throttleTime() }
    do throws(ErrorCode) {
      let assignment = try groups.sync(speaker, assignments: assignments, wakeup: wakeup)
      fields.error(.none)
      fields.byteArray(assignment)
    } catch {
      fields.error(error)
      fields.byteArray([])
    }
  }

  @_lifetime(reader: copy reader)
  func heartbeat(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let speaker = try speaker(&reader, hasInstance: version >= 3)
    if version >= 1 { fields.throttleTime() }
    fields.error(.of { () throws(ErrorCode) in try groups.heartbeat(speaker) })
  }

  /// ConsumerGroupHeartbeat: the newer group protocol is not supported. The request is advertised
  /// all the same, as by a real broker with the protocol switched off, because librdkafka stops at
  /// this error but waits forever when the request is missing.
  func consumerGroupHeartbeat(into fields: inout FieldWriter) {
    fields.throttleTime()
    fields.error(.unsupportedVersion)
    fields.nullableString("devstack serves group.protocol=classic", "error_message")
    fields.nullableString(nil, "member_id")
    fields.int32(-1, "member_epoch")
    fields.int32(0, "heartbeat_interval_ms")
    fields.int8(-1, "assignment")
    fields.tags()
  }

  @_lifetime(reader: copy reader)
  func leaveGroup(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let id = try reader.string()
    var leavers: [(id: String, instanceID: String?)] = []
    if version >= 3 {
      for _ in 0..<(try reader.count()) {
        leavers.append((try reader.string(), try reader.nullableString()))
      }
    } else {
      leavers.append((try reader.string(), nil))
    }
    let outcomes = leavers.map { leaver in
      ErrorCode.of { () throws(ErrorCode) in
        try groups.leave(id, memberID: leaver.id, instanceID: leaver.instanceID)
      }
    }
    if version >= 1 { fields.throttleTime() }
    guard version >= 3 else {
      fields.error(outcomes.first ?? .none)
      return
    }
    fields.error(.none)
    fields.array(Array(zip(leavers, outcomes))) { fields, entry in
      fields.string(entry.0.id)
      fields.nullableString(entry.0.instanceID)
      fields.error(entry.1)
    }
  }
}
