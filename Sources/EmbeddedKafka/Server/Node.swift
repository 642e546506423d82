import CBroker
import Glibc
import Plumbing
import Synchronization

/// The broker without its sockets: turns the bytes of a request into those of a response.
final class Node: Sendable {
  /// The id of this broker, the only one.
  static let id: Int32 = 0
  static let host = "127.0.0.1"
  /// The leader epoch, which is constant because the leader never changes.
  static let leaderEpoch: Int32 = 0

  /// Maximum size of a request without records, so that no client can fill the memory.
  private static let maximumPlainSize = 4 << 20

  let port: UInt16
  let file: StorageFile
  let topics: Topics
  let groups: GroupCoordinator
  let faults: Faults
  /// When a `broker-gone` fault ends.
  private let goneUntil = Mutex<ContinuousClock.Instant?>(nil)
  private let nextProducerID: Atomic<Int64>
  private let report: @Sendable (String) -> Void
  private let storage = Mutex(StorageHealth())

  /// Failures of the temporary file.
  private struct StorageHealth {
    var isFullReported = false
    var isBrokenReported = false
    var lostSomething = false
  }

  /// - Parameters:
  ///   - firstID: the first id of producers and group members. It differs in each run, so that a
  ///     producer of an earlier broker on this port is not mistaken for one of this broker.
  ///   - faults: the faults for Produce and Fetch.
  init(
    port: UInt16, file: StorageFile, firstID: Int64, faults: Faults = Faults(),
    report: @escaping @Sendable (String) -> Void
  ) {
    self.port = port
    self.file = file
    self.faults = faults
    topics = Topics(file: file)
    groups = GroupCoordinator(firstMember: firstID)
    nextProducerID = Atomic(firstID)
    self.report = report
  }

  /// Whether acknowledged records are lost.
  var lostSomething: Bool { storage.withLock { $0.lostSomething } }

  /// The response to the request in `frame` (without its length); `nil` when the request asks for
  /// none.
  ///
  /// - Parameter socket: the client's socket, watched while its request waits.
  /// - Throws: ``MalformedFrame`` when the connection should end.
  func respond(to frame: RawSpan, from socket: Int32) throws(MalformedFrame) -> Response? {
    var reader = FieldReader(frame)
    let header = try RequestHeader(from: &reader)
    try endIfGone()
    guard header.api == .produce || frame.byteCount <= Self.maximumPlainSize else {
      throw MalformedFrame(reason: "a request of \(frame.byteCount) bytes that carries no records")
    }
    let version = header.version
    var response = Response(to: header.correlation, isFlexible: reader.isFlexible)
    switch header.api {
    case .apiVersions: apiVersions(version, into: &response.fields)
    case .metadata: try metadata(&reader, version, into: &response.fields)
    case .produce:
      let fault = try meet("produce")
      guard try produce(&reader, version, fault, into: &response.fields) else { return nil }
      if case .loseResponse = fault {
        throw MalformedFrame(reason: "the response is lost, as ordered")
      }
      if case .throttle(let time) = fault { response.pause = time }
    case .fetch:
      let fault = try meet("fetch")
      try fetch(&reader, version, socket, fault, into: &response)
      if case .throttle(let time) = fault { response.pause = time }
    case .listOffsets: try listOffsets(&reader, version, into: &response.fields)
    case .initProducerID: try initProducerID(&reader, into: &response.fields)
    case .createTopics: try createTopics(&reader, version, into: &response.fields)
    case .deleteTopics: try deleteTopics(&reader, version, into: &response.fields)
    case .findCoordinator: try findCoordinator(&reader, version, into: &response.fields)
    case .joinGroup: try joinGroup(&reader, header, socket, into: &response.fields)
    case .syncGroup: try syncGroup(&reader, version, socket, into: &response.fields)
    case .heartbeat: try heartbeat(&reader, version, into: &response.fields)
    case .leaveGroup: try leaveGroup(&reader, version, into: &response.fields)
    case .listGroups: try listGroups(&reader, version, into: &response.fields)
    case .describeGroups: try describeGroups(&reader, version, into: &response.fields)
    case .deleteGroups: try deleteGroups(&reader, into: &response.fields)
    case .offsetCommit: try offsetCommit(&reader, version, into: &response.fields)
    case .offsetFetch: try offsetFetch(&reader, version, into: &response.fields)
    case .offsetDelete: try offsetDelete(&reader, into: &response.fields)
    case .offsetForLeaderEpoch:
      try offsetForLeaderEpoch(&reader, version, into: &response.fields)
    case .createPartitions: try createPartitions(&reader, into: &response.fields)
    case .deleteRecords: try deleteRecords(&reader, into: &response.fields)
    case .describeLogDirs: try describeLogDirs(&reader, into: &response.fields)
    case .describeConfigs: try describeConfigs(&reader, version, into: &response.fields)
    case .alterConfigs, .incrementalAlterConfigs:
      try alterConfigs(
        &reader, isIncremental: header.api == .incrementalAlterConfigs, into: &response.fields)
    case .describeACLs: describeACLs(into: &response.fields)
    case .consumerGroupHeartbeat: consumerGroupHeartbeat(into: &response.fields)
    }
    response.seal()
    return response
  }

  /// The fault to apply to a Produce or Fetch request, if one was requested.
  private func meet(_ target: String) throws(MalformedFrame) -> BrokerFault? {
    let struck = faults.strike(target) { $0.name != BrokerFault.corruptBatch }
    guard let fault = struck.flatMap(BrokerFault.init) else { return nil }
    if case .gone(let time) = fault {
      goneUntil.withLock { $0 = .now + time }
      try endIfGone()
    }
    return fault
  }

  private func endIfGone() throws(MalformedFrame) {
    let isGone = goneUntil.withLock { until in
      guard let end = until else { return false }
      if ContinuousClock.now < end { return true }
      until = nil
      return false
    }
    if isGone { throw MalformedFrame(reason: "the broker is gone, as ordered") }
  }

  /// ApiVersions: answered in any version, because a client sends it before it knows the supported
  /// versions. An unknown version gets an error in the oldest format, and the client asks again.
  private func apiVersions(_ version: Int16, into fields: inout FieldWriter) {
    let isKnown = API.apiVersions.versions.contains(version)
    // Version 3 has the compact encoding: counts plus one, and 0 for no tagged fields.
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
      if isFlexible { fields.int8(0, "tagged fields") }
    }
    if isKnown && version >= 1 { fields.throttleTime() }
    if isFlexible { fields.int8(0, "tagged fields") }
  }

  /// InitProducerId: a new id for an idempotent producer. Transactions are not supported; clients
  /// treat this error as final.
  @_lifetime(reader: copy reader)
  private func initProducerID(
    _ reader: inout FieldReader, into fields: inout FieldWriter
  ) throws(MalformedFrame) {
    let transactionalID = try reader.nullableString()
    try reader.skipInt32("transaction_timeout_ms")
    fields.throttleTime()
    guard transactionalID == nil else {
      fields.error(.transactionalIDAuthorizationFailed)
      fields.int64(-1, "producer_id")
      fields.int16(-1, "producer_epoch")
      return
    }
    fields.error(.none)
    fields.int64(nextProducerID.wrappingAdd(1, ordering: .relaxed).oldValue)
    fields.int16(0, "producer_epoch")
  }

  static var microsecondsSince1970: Int64 {
    let (second, nanosecond) = WallClock.reading
    return second * 1_000_000 + nanosecond / 1000
  }

  static var millisecondsSince1970: Int64 { microsecondsSince1970 / 1000 }

  /// Reports once that nothing can be written any more.
  ///
  /// - Parameter isLost: whether the producer of the records does not learn of the failure.
  func writingFailed(_ failure: SystemFailure, isLost: Bool) {
    let isNews = storage.withLock { health in
      defer { health.isFullReported = true }
      if isLost { health.lostSomething = true }
      return !health.isFullReported
    }
    if isNews { report("\(failure.message); new records are refused") }
  }

  /// Reports once that acknowledged records can't be read.
  func readingFailed(_ failure: SystemFailure) {
    let isNews = storage.withLock { health in
      defer { health.isBrokenReported = true }
      health.lostSomething = true
      return !health.isBrokenReported
    }
    if isNews { report("\(failure.message); acknowledged records are lost") }
  }
}
