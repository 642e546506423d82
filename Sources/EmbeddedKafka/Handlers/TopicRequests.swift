/// Metadata, CreateTopics and DeleteTopics. This broker leads all partitions.
extension Node {
  @_lifetime(reader: copy reader)
  func metadata(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let names = try reader.nullableStrings()
    let mayCreate = version >= 4 ? try reader.bool() : true
    let wantsAll = names == nil || (version == 0 && names == [])

    if version >= 3 { fields.throttleTime() }
    fields.array([Self.id]) { fields, id in
      fields.int32(id)
      fields.string(Self.host)
      fields.int32(Int32(port))
      if version >= 1 { fields.nullableString(nil, "rack") }
    }
    if version >= 2 { fields.nullableString("devstack", "cluster_id") }
    if version >= 1 { fields.int32(Self.id) }
    let described = wantsAll ? topics.all.map { $0.name } : names ?? []
    fields.array(described) { fields, name in
      describe(name, mayCreate: mayCreate, version, into: &fields)
    }
    if version >= 8 { fields.int32(.min, "cluster_authorized_operations") }
  }

  private func describe(
    _ name: String, mayCreate: Bool, _ version: Int16, into fields: inout FieldWriter
  ) {
    var topic: Topic?
    let failure = ErrorCode.of { () throws(ErrorCode) in
      topic = mayCreate ? try topics.findOrCreate(name) : topics[name]
      if topic == nil {
        throw Topics.isValid(name) ? .unknownTopicOrPartition : .invalidTopic
      }
    }
    fields.error(failure)
    fields.string(name)
    if version >= 1 { fields.bool(false, "is_internal") }
    fields.array(topic?.partitions.indices ?? 0..<0) { fields, number in
      fields.error(.none)
      fields.count(number)
      fields.int32(Self.id)
      if version >= 7 { fields.int32(Self.leaderEpoch) }
      fields.array([Self.id]) { $0.int32($1) }
      fields.array([Self.id]) { $0.int32($1) }
      if version >= 5 { fields.count(0, "offline_replicas") }
    }
    if version >= 8 { fields.int32(.min, "topic_authorized_operations") }
  }

  /// A topic requested by CreateTopics.
  private struct Wish {
    let name: String
    var partitionCount: Int
    let replicationFactor: Int16
    var hasForeignReplica = false
    var settings: [(name: String, value: String?)] = []

    var grantedCount: Int { partitionCount == -1 ? Topics.defaultPartitionCount : partitionCount }
  }

  /// Writes the settings of a new topic for the CreateTopics response; none for a topic that was
  /// not created.
  private func write(_ settings: TopicSettings?, into fields: inout FieldWriter) {
    fields.array(settings.map { self.settings($0) } ?? []) { fields, setting in
      fields.string(setting.name)
      fields.nullableString(setting.value)
      fields.bool(false, "read_only")
      fields.int8(setting.source.rawValue, "config_source")
      fields.bool(false, "is_sensitive")
      fields.tags()
    }
  }

  @_lifetime(reader: copy reader)
  func createTopics(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    var wishes: [Wish] = []
    for _ in 0..<(try reader.count()) { wishes.append(try wish(&reader)) }
    try reader.skipInt32("timeout_ms")
    let isTrial = version >= 1 ? try reader.bool() : false
    try reader.tags()

    if version >= 2 { fields.throttleTime() }
    fields.array(wishes) { fields, wish in
      var settings = TopicSettings()
      let complaint = settings.firstComplaint(setting: wish.settings)
      let failure = ErrorCode.of { () throws(ErrorCode) in
        try grant(wish, settings, complaint, isTrial: isTrial)
      }
      fields.string(wish.name)
      fields.error(failure)
      if version >= 1 {
        fields.nullableString(
          failure == .invalidConfig ? complaint : refusal(of: wish, failure), "error_message")
      }
      if version >= 5 {
        let isGranted = failure == .none
        fields.int32(isGranted ? Int32(clamping: wish.grantedCount) : -1)
        fields.int16(isGranted ? 1 : -1)
        write(isGranted ? settings : nil, into: &fields)
      }
      fields.tags()
    }
    fields.tags()
  }

  /// A real broker's message for a topic that it does not create.
  private func refusal(of wish: Wish, _ failure: ErrorCode) -> String? {
    switch failure {
    case .topicAlreadyExists: "Topic '\(wish.name)' already exists."
    case .invalidTopic: "Topic name is invalid: " + Topics.complaint(aboutName: wish.name)
    case .invalidPartitions: "Number of partitions was set to an invalid non-positive value."
    case .invalidReplicationFactor:
      wish.replicationFactor > 0
        ? "Unable to replicate the partition \(wish.replicationFactor) time(s): The target replication"
          + " factor of \(wish.replicationFactor) cannot be reached because only 1 broker(s) are registered."
        : "Replication factor must be larger than 0, or -1 to use the default value."
    case .policyViolation:
      "devstack keeps at most \(Topics.maximumPartitionCount) partitions in all topics together"
    default: nil
    }
  }

  @_lifetime(reader: copy reader)
  private func wish(_ reader: inout FieldReader) throws(MalformedFrame) -> Wish {
    var wish = Wish(
      name: try reader.string(), partitionCount: Int(try reader.int32()),
      replicationFactor: try reader.int16())
    let assigned = try reader.count()
    for _ in 0..<assigned {
      try reader.skipInt32("partition_index")
      for _ in 0..<(try reader.count()) where try reader.int32() != Self.id {
        wish.hasForeignReplica = true
      }
      try reader.tags()
    }
    if assigned > 0 { wish.partitionCount = assigned }
    for _ in 0..<(try reader.count()) {
      wish.settings.append((try reader.string(), try reader.nullableString()))
      try reader.tags()
    }
    try reader.tags()
    return wish
  }

  private func grant(
    _ wish: Wish, _ settings: TopicSettings, _ complaint: String?, isTrial: Bool
  ) throws(ErrorCode) {
    if wish.hasForeignReplica { throw .invalidReplicaAssignment }
    guard wish.replicationFactor == 1 || wish.replicationFactor == -1 else {
      throw .invalidReplicationFactor
    }
    if complaint != nil { throw .invalidConfig }
    try topics.create(
      wish.name, partitionCount: wish.grantedCount, settings: settings, isTrial: isTrial)
  }

  @_lifetime(reader: copy reader)
  func deleteTopics(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let names = try reader.strings()
    try reader.skipInt32("timeout_ms")
    if version >= 1 { fields.throttleTime() }
    fields.array(names) { fields, name in
      fields.string(name)
      fields.error(
        .of { () throws(ErrorCode) in
          try topics.delete(name)
          groups.forget(topic: name)
        })
    }
  }
}
