import Plumbing
import Synchronization

/// The broker without its sockets: takes one request's bytes, gives the answer's.
final class Node: Sendable {
  /// The number of the only broker there is.
  static let id: Int32 = 0
  static let host = "127.0.0.1"
  /// The leader never changes, so its epoch never does.
  static let leaderEpoch: Int32 = 0

  /// Only records make a request large; one that is large without them wants to fill the memory.
  private static let maximumPlainSize = 4 << 20

  let port: UInt16
  let file: StorageFile
  let topics: Topics
  let groups: GroupCoordinator
  private let nextProducerID: Atomic<Int64>
  private let report: @Sendable (String) -> Void
  private let storage = Mutex(StorageHealth())

  /// What went wrong with the temporary file.
  private struct StorageHealth {
    var isFullReported = false
    var isBrokenReported = false
    var lostSomething = false
  }

  /// - Parameter firstID: where the ids of producers and group members start; different in each run, so that a
  ///   producer that outlived another broker on this port is not taken for one of ours.
  init(
    port: UInt16, file: StorageFile, firstID: Int64,
    report: @escaping @Sendable (String) -> Void
  ) {
    self.port = port
    self.file = file
    topics = Topics(file: file)
    groups = GroupCoordinator(firstMember: firstID)
    nextProducerID = Atomic(firstID)
    self.report = report
  }

  /// Whether records are gone that a client may believe to be here.
  var lostSomething: Bool { storage.withLock { $0.lostSomething } }

  /// The answer to the request in `frame` (its length not included), or `nil` when it asks for none.
  ///
  /// - Parameter wakeup: what this connection waits with, when the request can wait.
  /// - Throws: ``MalformedFrame`` when the connection should end.
  func answer(_ frame: RawSpan, wakeup: Wakeup) throws(MalformedFrame) -> Answer? {
    var reader = FieldReader(frame)
    let header = try RequestHeader(from: &reader)
    guard header.api == .produce || frame.byteCount <= Self.maximumPlainSize else {
      throw MalformedFrame(reason: "a request of \(frame.byteCount) bytes that carries no records")
    }
    let version = header.version
    var answer = Answer(to: header.correlation, isFlexible: reader.isFlexible)
    switch header.api {
    case .apiVersions: apiVersions(version, into: &answer.fields)
    case .metadata: try metadata(&reader, version, into: &answer.fields)
    case .produce:
      guard try produce(&reader, version, into: &answer.fields) else { return nil }
    case .fetch: try fetch(&reader, version, wakeup, into: &answer)
    case .listOffsets: try listOffsets(&reader, version, into: &answer.fields)
    case .initProducerID: try initProducerID(&reader, into: &answer.fields)
    case .createTopics: try createTopics(&reader, version, into: &answer.fields)
    case .deleteTopics: try deleteTopics(&reader, version, into: &answer.fields)
    case .findCoordinator: try findCoordinator(&reader, version, into: &answer.fields)
    case .joinGroup: try joinGroup(&reader, header, wakeup, into: &answer.fields)
    case .syncGroup: try syncGroup(&reader, version, wakeup, into: &answer.fields)
    case .heartbeat: try heartbeat(&reader, version, into: &answer.fields)
    case .leaveGroup: try leaveGroup(&reader, version, into: &answer.fields)
    case .listGroups: try listGroups(&reader, version, into: &answer.fields)
    case .describeGroups: try describeGroups(&reader, version, into: &answer.fields)
    case .deleteGroups: try deleteGroups(&reader, into: &answer.fields)
    case .offsetCommit: try offsetCommit(&reader, version, into: &answer.fields)
    case .offsetFetch: try offsetFetch(&reader, version, into: &answer.fields)
    case .offsetDelete: try offsetDelete(&reader, into: &answer.fields)
    case .offsetForLeaderEpoch:
      try offsetForLeaderEpoch(&reader, version, into: &answer.fields)
    case .createPartitions: try createPartitions(&reader, into: &answer.fields)
    case .deleteRecords: try deleteRecords(&reader, into: &answer.fields)
    case .describeLogDirs: try describeLogDirs(&reader, into: &answer.fields)
    case .describeConfigs: try describeConfigs(&reader, version, into: &answer.fields)
    case .alterConfigs: try alterConfigs(&reader, into: &answer.fields)
    case .incrementalAlterConfigs: try incrementalAlterConfigs(&reader, into: &answer.fields)
    case .describeACLs: describeACLs(into: &answer.fields)
    }
    answer.seal()
    return answer
  }

  /// ApiVersions: answered in any version, since a client asks it before it knows ours. An unknown
  /// one gets the oldest form with an error in it, and the client asks again.
  private func apiVersions(_ version: Int16, into fields: inout FieldWriter) {
    let isKnown = API.apiVersions.versions.contains(version)
    // Version 3 has the encoding with tagged fields: counts one higher, and an end mark of 0.
    let isFlexible = version == 3
    fields.error(isKnown ? .none : .unsupportedVersion)
    if isFlexible {
      fields.int8(Int8(API.allCases.count + 1))
    } else {
      fields.count(API.allCases.count)
    }
    for api in API.allCases {
      fields.int16(api.rawValue)
      fields.int16(api.versions.lowerBound)
      fields.int16(api.versions.upperBound)
      if isFlexible { fields.int8(0) }
    }
    if isKnown && version >= 1 { fields.int32(0) }
    if isFlexible { fields.int8(0) }
  }

  /// InitProducerId: a number for an idempotent producer. Transactions are not served; the error is
  /// one that clients take as final.
  @_lifetime(reader: copy reader)
  private func initProducerID(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let transactionalID = try reader.nullableString()
    _ = try reader.int32()
    fields.int32(0)
    guard transactionalID == nil else {
      fields.error(.transactionalIDAuthorizationFailed)
      fields.int64(-1)
      fields.int16(-1)
      return
    }
    fields.error(.none)
    fields.int64(nextProducerID.wrappingAdd(1, ordering: .relaxed).oldValue)
    fields.int16(0)
  }

  /// Says once that nothing can be written any more.
  ///
  /// - Parameter isLost: whether the client whose records those were will not learn of it.
  func writingFailed(_ failure: SystemFailure, isLost: Bool) {
    let isNews = storage.withLock { health in
      defer { health.isFullReported = true }
      if isLost { health.lostSomething = true }
      return !health.isFullReported
    }
    if isNews { report("\(failure.message); what is produced now is refused") }
  }

  /// Says once that records which were acknowledged can't be read back.
  func readingFailed(_ failure: SystemFailure) {
    let isNews = storage.withLock { health in
      defer { health.isBrokenReported = true }
      health.lostSomething = true
      return !health.isBrokenReported
    }
    if isNews { report("\(failure.message); acknowledged records are lost") }
  }
}
