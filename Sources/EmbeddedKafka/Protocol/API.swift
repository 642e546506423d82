/// The requests that this broker supports, by the protocol's numbers, and their supported versions.
///
/// The lowest versions are supported because some clients detect a broker's features by one
/// specific version: Produce 0 (compression), Fetch 4 (record batches), FindCoordinator 0 (groups),
/// InitProducerId 0 (idempotence). The highest versions are those before the compact encoding,
/// except where a newer version has necessary fields.
enum API: Int16, CaseIterable {
  case produce = 0
  case fetch = 1
  case listOffsets = 2
  case metadata = 3
  case offsetCommit = 8
  case offsetFetch = 9
  case findCoordinator = 10
  case joinGroup = 11
  case heartbeat = 12
  case leaveGroup = 13
  case syncGroup = 14
  case describeGroups = 15
  case listGroups = 16
  case apiVersions = 18
  case createTopics = 19
  case deleteTopics = 20
  case deleteRecords = 21
  case initProducerID = 22
  case offsetForLeaderEpoch = 23
  case describeACLs = 29
  case describeConfigs = 32
  case alterConfigs = 33
  case describeLogDirs = 35
  case createPartitions = 37
  case deleteGroups = 42
  case incrementalAlterConfigs = 44
  case offsetDelete = 47
  case consumerGroupHeartbeat = 68

  var versions: ClosedRange<Int16> {
    switch self {
    case .produce: 0...7
    case .fetch: 4...11
    case .listOffsets: 1...9
    case .metadata: 0...8
    case .offsetCommit: 1...7
    case .offsetFetch: 1...5
    case .findCoordinator: 0...2
    case .joinGroup: 0...5
    case .heartbeat, .leaveGroup, .syncGroup: 0...3
    case .describeGroups: 0...6
    case .listGroups: 0...5
    case .apiVersions: 0...3
    case .createTopics: 0...6
    case .deleteTopics, .offsetForLeaderEpoch, .describeConfigs: 0...3
    case .initProducerID, .deleteGroups, .deleteRecords, .describeACLs, .alterConfigs,
      .describeLogDirs, .createPartitions:
      0...1
    case .incrementalAlterConfigs, .offsetDelete: 0...0
    case .consumerGroupHeartbeat: 0...1
    }
  }
}

extension API {
  /// The first version with the compact encoding: lengths as varints, and tagged fields after every
  /// structure. The response header of ApiVersions is an exception.
  var firstFlexibleVersion: Int16 {
    switch self {
    case .listOffsets: 6
    case .listGroups: 3
    case .createTopics, .describeGroups: 5
    case .consumerGroupHeartbeat: 0
    default: .max
    }
  }
}

/// The header of every request.
struct RequestHeader {
  let api: API
  let version: Int16
  let correlation: Int32
  let clientID: String

  /// - Throws: ``MalformedFrame`` also for an unsupported request: like a real broker, this one
  ///   closes the connection. Only ApiVersions is accepted in any version.
  @_lifetime(reader: copy reader)
  init(from reader: inout FieldReader) throws(MalformedFrame) {
    let key = try reader.int16()
    version = try reader.int16()
    correlation = try reader.int32()
    clientID = try reader.nullableString() ?? ""
    guard let api = API(rawValue: key) else {
      throw MalformedFrame(reason: "request \(key) is not served")
    }
    guard api == .apiVersions || api.versions.contains(version) else {
      throw MalformedFrame(reason: "request \(key) is not served in version \(version)")
    }
    self.api = api
    if version >= api.firstFlexibleVersion {
      reader.isFlexible = true
      try reader.tags()
    }
  }
}
