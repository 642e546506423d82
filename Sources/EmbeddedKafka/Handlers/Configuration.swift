/// DescribeConfigs, AlterConfigs and IncrementalAlterConfigs: settings of topics and of the broker.
extension Node {
  /// The type of a resource that has settings. The raw value is the protocol's.
  private enum Owner: Int8 {
    case topic = 2
    case broker = 4
  }

  /// Where a value comes from. The raw value is the protocol's.
  enum SettingSource: Int8 {
    case topic = 1
    case start = 4
    case standard = 5
  }

  struct Setting {
    let name: String
    let value: String
    let source: SettingSource
    let kind: TopicSettings.Kind
    let standard: String?
  }

  @_lifetime(reader: copy reader)
  func describeConfigs(
    _ reader: inout FieldReader, _ version: Int16, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    var questions: [(type: Int8, name: String, keys: [String]?)] = []
    for _ in 0..<(try reader.count()) {
      let type = try reader.int8()
      questions.append((type, try reader.string(), try reader.nullableStrings()))
    }
    let wantsSynonyms = version >= 1 ? try reader.bool() : false
    fields.throttleTime()
    fields.array(questions) { fields, question in
      var settings: [Setting] = []
      fields.error(
        .of { () throws(ErrorCode) in settings = try self.settings(question.type, question.name) })
      fields.nullableString(nil, "error_message")
      fields.int8(question.type)
      fields.string(question.name)
      let asked = settings.filter { question.keys?.contains($0.name) ?? true }
      fields.array(asked) { fields, setting in
        write(setting, version, wantsSynonyms: wantsSynonyms, into: &fields)
      }
    }
  }

  private func write(
    _ setting: Setting, _ version: Int16, wantsSynonyms: Bool, into fields: inout FieldWriter
  ) {
    fields.string(setting.name)
    fields.nullableString(setting.value)
    fields.bool(setting.source == .start)
    if version == 0 {
      fields.bool(setting.source == .standard)
    } else {
      fields.int8(setting.source.rawValue)
    }
    fields.bool(false, "is_sensitive")
    if version >= 1 {
      var synonyms = [(setting.value, setting.source)]
      if setting.source != .standard, let standard = setting.standard {
        synonyms.append((standard, .standard))
      }
      fields.array(wantsSynonyms ? synonyms : []) { fields, synonym in
        fields.string(setting.name)
        fields.nullableString(synonym.0)
        fields.int8(synonym.1.rawValue)
      }
    }
    if version >= 3 {
      fields.int8(setting.kind.rawValue, "config_type")
      fields.nullableString(nil, "documentation")
    }
  }

  /// All settings of a topic, with their current values.
  func settings(_ settings: TopicSettings) -> [Setting] {
    TopicSettings.definitions.map { definition in
      let value = settings.values[definition.name]
      return Setting(
        name: definition.name, value: value ?? definition.standard,
        source: value == nil ? .standard : .topic, kind: definition.kind,
        standard: definition.standard)
    }
  }

  private func settings(_ type: Int8, _ name: String) throws(ErrorCode) -> [Setting] {
    switch Owner(rawValue: type) {
    case .topic:
      guard Topics.isValid(name) else { throw .invalidTopic }
      guard let topic = topics[name] else { throw .unknownTopicOrPartition }
      return settings(topic.settings)
    case .broker:
      guard name.isEmpty || name == String(Self.id) else { throw .invalidRequest }
      // An empty name asks for settings made for all brokers at run time. There are none.
      return name.isEmpty ? [] : brokerSettings
    case nil: throw .invalidRequest
    }
  }

  /// The broker settings that clients read.
  private var brokerSettings: [Setting] {
    let listener = "PLAINTEXT://\(Self.host):\(port)"
    let values: [(String, String, TopicSettings.Kind)] = [
      ("advertised.listeners", listener, .string), ("auto.create.topics.enable", "true", .boolean),
      ("broker.id", String(Self.id), .int), ("compression.type", "producer", .string),
      ("default.replication.factor", "1", .int), ("delete.topic.enable", "true", .boolean),
      ("group.initial.rebalance.delay.ms", "0", .int), ("listeners", listener, .string),
      ("log.cleanup.policy", "delete", .list),
      ("log.message.timestamp.type", "CreateTime", .string), ("log.retention.bytes", "-1", .long),
      ("log.retention.ms", "-1", .long),
      ("message.max.bytes", String(BatchHeader.maximumBatchSize), .int),
      ("min.insync.replicas", "1", .int), ("node.id", String(Self.id), .int),
      ("num.partitions", String(Topics.defaultPartitionCount), .int),
      ("offset.metadata.max.bytes", String(CommittedOffsets.maximumMetadataSize), .int),
      ("socket.request.max.bytes", String(FrameBuffer.maximumFrameSize), .int),
    ]
    return values.map { name, value, kind in
      Setting(name: name, value: value, source: .start, kind: kind, standard: nil)
    }
  }

  /// AlterConfigs resets every setting that the request does not name; IncrementalAlterConfigs leaves
  /// those as they are.
  @_lifetime(reader: copy reader)
  func alterConfigs(
    _ reader: inout FieldReader, isIncremental: Bool, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    var wishes: [Wish] = []
    for _ in 0..<(try reader.count()) {
      var wish = Wish(type: try reader.int8(), name: try reader.string(), isWhole: !isIncremental)
      for _ in 0..<(try reader.count()) {
        let name = try reader.string()
        let change = isIncremental ? try reader.int8() : TopicSettings.Change.set.rawValue
        wish.changes.append((name, change, try reader.nullableString()))
      }
      wishes.append(wish)
    }
    grant(wishes, isTrial: try reader.bool(), into: &fields)
  }

  /// Requested changes of one resource's settings.
  private struct Wish {
    let type: Int8
    let name: String
    /// Whether settings that are not named go back to their defaults.
    let isWhole: Bool
    var changes: [(name: String, change: Int8, value: String?)] = []
  }

  private func grant(_ wishes: [Wish], isTrial: Bool, into fields: inout FieldWriter) {
    fields.throttleTime()
    fields.array(wishes) { fields, wish in
      let (failure, words) = outcome(of: wish, isTrial: isTrial)
      fields.error(failure)
      fields.nullableString(words)
      fields.int8(wish.type)
      fields.string(wish.name)
    }
  }

  private func outcome(of wish: Wish, isTrial: Bool) -> (ErrorCode, String?) {
    guard Owner(rawValue: wish.type) == .topic else {
      return (.invalidRequest, "devstack's broker can't be set while it runs")
    }
    guard let topic = topics[wish.name] else { return (.unknownTopicOrPartition, nil) }
    var settings = wish.isWhole ? TopicSettings() : topic.settings
    for (name, change, value) in wish.changes {
      guard let change = TopicSettings.Change(rawValue: change), change == .delete || value != nil
      else { return (.invalidRequest, "Null value not supported for : \(name)") }
      if let complaint = settings.change(name, change, value ?? "") {
        return (.invalidConfig, complaint)
      }
    }
    if !isTrial { topic.settings = settings }
    return (.none, nil)
  }

  /// DescribeAcls: the error of a broker without an authorizer, because there are no access control
  /// lists.
  func describeACLs(into fields: inout FieldWriter) {
    fields.throttleTime()
    fields.error(.securityDisabled)
    fields.nullableString("No Authorizer is configured.")
    fields.count(0, "resources")
  }
}
