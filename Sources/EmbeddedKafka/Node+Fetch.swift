/// Fetch: batches out of partitions, now or when some come.
extension Node {
  /// More than this is not answered at once, whatever a client would take.
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
    _ reader: inout FieldReader, _ version: Int16, _ wakeup: Wakeup, into answer: inout Answer
  ) throws(MalformedFrame) {
    let request = try fetchRequest(&reader, version)
    let deadline = ContinuousClock.now + request.maxWait
    let empty = answer
    var isWatching = false
    defer {
      if isWatching { forEachLog(of: request) { $0.stopWaking(wakeup) } }
    }
    while true {
      answer = empty
      let isEnough = write(request, version, into: &answer)
      if isEnough { return }
      if !isWatching {
        // Once more after this, lest something came in between.
        forEachLog(of: request) { $0.wake(wakeup) }
        isWatching = true
        continue
      }
      if wakeup.wait(until: deadline) != .signalled { return }
    }
  }

  @_lifetime(reader: copy reader)
  private func fetchRequest(
    _ reader: inout FieldReader, _ version: Int16
  ) throws(MalformedFrame) -> FetchRequest {
    _ = try reader.int32()
    var request = FetchRequest(
      maxWait: .milliseconds(max(0, try reader.int32())), minBytes: Int(try reader.int32()),
      maxBytes: min(Int(try reader.int32()), Self.maximumAnswerSize),
      isReadCommitted: try reader.int8() == 1)
    if version >= 7 {
      // No sessions are kept: 0 or -1 begin and end one, anything else is unknown here.
      request.hasSession = try reader.int32() != 0
      _ = try reader.int32()
    }
    for _ in 0..<(try reader.count()) {
      let name = try reader.string()
      var partitions: [Wanted] = []
      for _ in 0..<(try reader.count()) {
        let number = try reader.int32()
        let epoch = version >= 9 ? try reader.int32() : -1
        let offset = try reader.int64()
        if version >= 5 { _ = try reader.int64() }
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

  /// Writes what is there now.
  ///
  /// - Returns: whether that is worth sending before the wait is over.
  private func write(
    _ request: FetchRequest, _ version: Int16, into answer: inout Answer
  ) -> Bool {
    answer.fields.int32(0)
    if version >= 7 {
      answer.fields.error(request.hasSession ? .fetchSessionIDNotFound : .none)
      answer.fields.int32(0)
      if request.hasSession {
        answer.fields.count(0)
        return true
      }
    }
    var total = 0
    var hasFailure = false
    answer.fields.count(request.topics.count)
    for topic in request.topics {
      answer.fields.string(topic.name)
      answer.fields.count(topic.partitions.count)
      for wanted in topic.partitions {
        let limit = min(wanted.limit, request.maxBytes - total)
        do throws(ErrorCode) {
          let log = try log(topic.name, wanted.partition, leaderEpoch: wanted.leaderEpoch)
          let start = log.startOffset
          let pieces = try log.select(from: wanted.offset, limit: limit, atLeastOne: total == 0)
          head(wanted, .none, start, log.endOffset, request, version, into: &answer.fields)
          let size = pieces.reduce(0) { $0 + $1.size }
          answer.fields.count(size)
          for piece in pieces { answer.append(position: piece.position, size: piece.size) }
          total += size
        } catch {
          hasFailure = true
          let log = topics[topic.name, wanted.partition]
          let (start, end) = (log?.startOffset ?? -1, log?.endOffset ?? -1)
          head(wanted, error, start, end, request, version, into: &answer.fields)
          answer.fields.count(0)
        }
      }
    }
    return hasFailure || total >= request.minBytes
  }

  /// What stands before a partition's records.
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
    if version >= 11 { fields.int32(-1) }
  }

  /// The partition, if the client's idea of its leader is ours.
  func log(
    _ topic: String, _ partition: Int32, leaderEpoch: Int32
  ) throws(ErrorCode) -> PartitionLog {
    guard let log = topics[topic, partition] else { throw .unknownTopicOrPartition }
    if leaderEpoch > Self.leaderEpoch { throw .unknownLeaderEpoch }
    return log
  }
}
