import Plumbing

/// Fetch: reads batches of partitions, and waits for them if necessary.
extension Node {
  /// Maximum size of a response, whatever the client requests.
  private static let maximumAnswerSize = 64 << 20

  private struct Wanted {
    let partition: Int32
    let leaderEpoch: Int32
    let offset: Int64
    let limit: Int
  }

  private struct FetchRequest {
    var maxWait: Duration
    var minBytes: Int
    var maxBytes: Int
    var isReadCommitted: Bool
    var hasSession = false
    var topics: [(name: String, partitions: [Wanted])] = []
  }

  @_lifetime(reader: copy reader)
  func fetch(
    _ reader: inout FieldReader, _ version: Int16, _ socket: Int32, _ fault: BrokerFault?,
    into response: inout Response
  ) throws(MalformedFrame) {
    let request = try fetchRequest(&reader, version)
    let deadline = ContinuousClock.now + request.maxWait
    let empty = response
    var waiting: Wakeup?
    defer {
      if let waiting { forEachLog(of: request) { $0.stopWaking(waiting) } }
    }
    while true {
      response = empty
      let isEnough = write(request, version, fault, into: &response)
      if isEnough { break }
      guard let wakeup = waiting else {
        // Made only when a request has to wait, so that an idle connection uses one descriptor. The
        // log is read again afterwards: an append may have raced the registration.
        let wakeup = try Wakeup.watching(socket)
        forEachLog(of: request) { $0.wake(wakeup) }
        waiting = wakeup
        continue
      }
      if wakeup.wait(until: deadline) != .signalled { break }
    }
    if !response.pieces.isEmpty,
      faults.strike("fetch", where: { $0.name == BrokerFault.corruptBatch }) != nil
    {
      response = empty
      _ = write(request, version, fault, isCorrupt: true, into: &response)
    }
  }

  @_lifetime(reader: copy reader)
  private func fetchRequest(
    _ reader: inout FieldReader, _ version: Int16
  ) throws(MalformedFrame) -> FetchRequest {
    try reader.skipInt32("replica_id")
    var request = FetchRequest(
      maxWait: .milliseconds(max(0, try reader.int32())), minBytes: Int(try reader.int32()),
      maxBytes: min(Int(try reader.int32()), Self.maximumAnswerSize),
      isReadCommitted: try reader.int8() == 1)
    if version >= 7 {
      // There are no fetch sessions. 0 and -1 start and end one; any other id is unknown.
      request.hasSession = try reader.int32() != 0
      try reader.skipInt32("session_epoch")
    }
    for _ in 0..<(try reader.count()) {
      let name = try reader.string()
      var partitions: [Wanted] = []
      for _ in 0..<(try reader.count()) {
        let number = try reader.int32()
        let epoch = version >= 9 ? try reader.int32() : -1
        let offset = try reader.int64()
        if version >= 5 { try reader.skipInt64("log_start_offset") }
        partitions.append(
          Wanted(
            partition: number, leaderEpoch: epoch, offset: offset, limit: Int(try reader.int32())))
      }
      request.topics.append((name, partitions))
    }
    return request
  }

  private func forEachLog(of request: FetchRequest, _ body: (PartitionLog) -> Void) {
    for topic in request.topics {
      for wanted in topic.partitions {
        if let log = topics[topic.name, wanted.partition] { body(log) }
      }
    }
  }

  /// Writes the batches that are available now.
  ///
  /// - Returns: whether the response can be sent before the wait is over.
  private func write(
    _ request: FetchRequest, _ version: Int16, _ fault: BrokerFault?, isCorrupt: Bool = false,
    into response: inout Response
  ) -> Bool {
    var isCorrupt = isCorrupt
    response.fields.throttleTime(fault?.throttleTime ?? .zero)
    if version >= 7 {
      response.fields.error(request.hasSession ? .fetchSessionIDNotFound : .none)
      response.fields.int32(0, "session_id")
      if request.hasSession {
        response.fields.count(0, "responses")
        return true
      }
    }
    var total = 0
    var hasFailure = false
    response.fields.count(request.topics.count)
    for topic in request.topics {
      response.fields.string(topic.name)
      response.fields.count(topic.partitions.count)
      for wanted in topic.partitions {
        let limit = min(wanted.limit, request.maxBytes - total)
        do throws(ErrorCode) {
          if case .refuse(let code) = fault { throw code }
          let log = try log(topic.name, wanted.partition, leaderEpoch: wanted.leaderEpoch)
          let start = log.startOffset
          let pieces = try log.select(from: wanted.offset, limit: limit, atLeastOne: total == 0)
          head(wanted, .none, start, log.endOffset, request, version, into: &response.fields)
          let size = pieces.reduce(0) { $0 + $1.size }
          response.fields.count(size)
          for piece in pieces {
            if isCorrupt {
              isCorrupt = false
              appendCorrupt(piece.position, piece.size, to: &response)
            } else {
              response.append(position: piece.position, size: piece.size)
            }
          }
          total += size
        } catch {
          hasFailure = true
          let log = topics[topic.name, wanted.partition]
          let (start, end) = (log?.startOffset ?? -1, log?.endOffset ?? -1)
          head(wanted, error, start, end, request, version, into: &response.fields)
          response.fields.count(0, "records")
        }
      }
    }
    return hasFailure || total >= request.minBytes
  }

  /// Adds batches of the file, with a wrong checksum in the first one.
  private func appendCorrupt(_ position: Int64, _ size: Int, to response: inout Response) {
    let (start, width) = (BatchHeader.checksumOffset, 4)
    guard let checksum = try? file.read(count: width, at: position + Int64(start)) else {
      return response.append(position: position, size: size)
    }
    response.append(position: position, size: start)
    response.fields.raw(checksum.map { ~$0 })
    let rest = start + width
    response.append(position: position + Int64(rest), size: size - rest)
  }

  /// Writes the fields before a partition's records.
  private func head(
    _ wanted: Wanted, _ failure: ErrorCode, _ startOffset: Int64, _ endOffset: Int64,
    _ request: FetchRequest, _ version: Int16, into fields: inout FieldWriter
  ) {
    fields.int32(wanted.partition)
    fields.error(failure)
    fields.int64(endOffset)
    fields.int64(endOffset)
    if version >= 5 { fields.int64(startOffset) }
    fields.int32(request.isReadCommitted ? 0 : -1)
    if version >= 11 { fields.int32(-1, "preferred_read_replica") }
  }

  /// The partition, if the client's leader epoch is the broker's.
  func log(
    _ topic: String, _ partition: Int32, leaderEpoch: Int32
  ) throws(ErrorCode) -> PartitionLog {
    guard let log = topics[topic, partition] else { throw .unknownTopicOrPartition }
    if leaderEpoch > Self.leaderEpoch { throw .unknownLeaderEpoch }
    return log
  }
}
