import Glibc
import Plumbing

/// Reads one supervisor's topic into its datasource, on its own thread.
final class Follower: @unchecked Sendable {
  // Sendable: only the follower's thread uses `reader` and `messages`. Everything else is in
  // `state` or constant.
  private let source: any MessageSource
  private let report: @Sendable (String) -> Void
  let state: Monitor<State>
  private var reader: RowReader
  private var messages = MessageBlock()
  private var thread: WorkerThread?

  /// The state that other threads may read.
  struct State {
    var spec: IngestionSpec
    var snapshot: TableSnapshot
    /// The next offset to read of each partition; nil where it has not been chosen yet.
    var positions: [Int64?] = []
    var starts: [Int64] = []
    var counters = Counters()
    var parseErrors: [ParseError] = []
    var recentErrors: [String] = []
    /// Why rows are missing.
    var failure: String?
    /// The number of skipped messages, whose batches could not be decompressed.
    var unreadable = 0
    /// Messages that did not become rows.
    var skipped = Skipped()
    /// The number of skipped messages in the last warning.
    var toldSkipped = 0
    /// The number of fields left out because there are too many columns.
    var leftOut = 0
    var isStopping = false
    /// The reader of the topic, once it is open.
    var topicReader: (any MessageReader)?
    var hasLateReport = false
    let taskID: String
    let startTime: TimePoint
  }

  struct Counters: Equatable {
    var processed = 0
    var processedBytes = 0
    var processedWithError = 0
    var thrownAway = 0
    var unparseable = 0
  }

  struct ParseError: Equatable {
    var time: TimePoint
    var reason: String
    var input: String
  }

  init(
    _ spec: IngestionSpec, of source: any MessageSource, storage: TemporaryStorage,
    report: @escaping @Sendable (String) -> Void
  ) {
    self.source = source
    self.report = report
    reader = RowReader(spec, storage: storage)
    let number = UInt32.random(in: .min ... .max)
    state = Monitor(
      State(
        spec: spec, snapshot: TableSnapshot(schema: spec.schema),
        taskID: "index_kafka_\(spec.dataSource)_\(String(number, radix: 16))",
        startTime: TimePoint.now))
    chooseStarts()
  }

  /// Chooses the start offsets of the existing partitions.
  private func chooseStarts() {
    let topic = state.read { $0.spec.topic }
    let ends = source.endOffsets(topic: topic) ?? []
    let firsts = source.startOffsets(topic: topic) ?? []
    state.change { state in
      state.positions = ends.enumerated().map { partition, end in
        guard state.spec.usesEarliestOffset else { return end }
        return partition < firsts.count ? firsts[partition] : 0
      }
      state.starts = state.positions.map { $0 ?? 0 }
    }
  }

  /// Starts to read, if it does not read already.
  func start() {
    guard thread == nil else { return }
    state.change { $0.isStopping = false }
    thread = WorkerThread { [self] in run() }
    if thread == nil { fail("no thread to read with") }
  }

  /// Stops reading. The rows are kept.
  func stop() {
    let topicReader = state.change { state in
      state.isStopping = true
      return state.topicReader
    }
    topicReader?.interrupt()
    thread?.join()
    thread = nil
  }

  /// Sets a spec with the same columns. Call it while stopped.
  func replace(_ spec: IngestionSpec) {
    reader.replace(spec)
    reader.accepted = QueryGranularity.moments
    state.change { state in
      state.spec = spec
    }
  }

  /// Clears the offsets, so that reading starts as the spec says. Call it while stopped.
  func reset(to offsets: [Int: Int64]? = nil) {
    state.change { state in
      state.failure = nil
      state.recentErrors = []
    }
    guard let offsets else { return chooseStarts() }
    state.change { state in
      for (partition, offset) in offsets where partition < state.positions.count {
        state.positions[partition] = offset
        state.starts[partition] = offset
      }
    }
  }

  /// Waits until all messages that are now in the topic are in the datasource.
  ///
  /// - Returns: false after the limit.
  func catchUp(withinMilliseconds limit: Int64) -> Bool {
    let (topic, isReading) = state.read { ($0.spec.topic, !$0.isStopping && $0.failure == nil) }
    guard isReading, let ends = source.endOffsets(topic: topic) else { return true }
    return state.wait(milliseconds: limit) { state in
      if state.failure != nil || state.isStopping { return true }
      return ends.indices.allSatisfy { partition in
        guard partition < state.positions.count, let position = state.positions[partition] else {
          return ends[partition] == 0
        }
        return position >= ends[partition]
      }
    }
  }

  var ends: [Int64]? { source.endOffsets(topic: state.read { $0.spec.topic }) }

  private var isStopping: Bool { state.read { $0.isStopping } }

  private func fail(_ reason: String) {
    let name = state.change { state in
      state.failure = reason
      return state.spec.dataSource
    }
    report("datasource '\(name)' is incomplete: \(reason)")
  }

  private func run() {
    let topic = state.read { $0.spec.topic }
    do throws(EmbeddedDruidFailure) {
      let topicReader = try source.open(topic: topic)
      state.change { $0.topicReader = topicReader }
      while !isStopping {
        guard try follow(topicReader, newPartitions(topic)) else { return }
      }
    } catch {
      fail("\(error)")
    }
  }

  /// The offsets from which to read. Partitions that were added after the spec are read from their
  /// start.
  private func newPartitions(_ topic: String) -> [Int64] {
    let count = source.endOffsets(topic: topic)?.count ?? 0
    let firsts = source.startOffsets(topic: topic) ?? []
    return state.change { state in
      while state.positions.count < count {
        let partition = state.positions.count
        let first = partition < firsts.count ? firsts[partition] : 0
        state.positions.append(first)
        state.starts.append(first)
      }
      return state.positions.map { $0 ?? 0 }
    }
  }

  /// Reads all partitions in turn until there are no more messages; false when reading can't
  /// continue.
  private func follow(
    _ topicReader: any MessageReader, _ starts: [Int64]
  ) throws(EmbeddedDruidFailure) -> Bool {
    var positions = starts
    while !isStopping {
      var isIdle = true
      for partition in positions.indices {
        let offset = positions[partition]
        do throws(MessageReaderFailure) {
          try topicReader.read(partition: partition, from: offset, into: &messages)
        } catch {
          switch error {
          case .outOfRange:
            fail(
              "partition \(partition): offset \(offset) is no longer in the topic; POST .../reset "
                + "continues at the first remaining message")
          case .missing:
            // The rows are kept, because a topic with that name may be created again.
            continue
          case .other(let reason): fail("partition \(partition), offset \(offset): \(reason)")
          }
          return false
        }
        guard messages.nextOffset > offset else { continue }
        isIdle = false
        positions[partition] = messages.nextOffset
        guard take(partition, &positions) else { return false }
      }
      if isIdle {
        tellSkipped()
        topicReader.wait(behind: positions)
        return true
      }
    }
    return true
  }

  /// Converts the messages to rows and publishes them; false when reading can't continue.
  private func take(_ partition: Int, _ positions: inout [Int64]) -> Bool {
    var batch = Batch()
    let (times, made) = state.read { ($0.spec.acceptedTimes, $0.startTime) }
    if !times.isEverything { reader.accepted = times.range(made: made, now: TimePoint.now) }
    if messages.unreadable > 0 { batch.noteUnreadable(messages.unreadable) }
    var messages = MessageBlock()
    swap(&messages, &self.messages)
    defer { swap(&messages, &self.messages) }
    var failure: String?
    for message in messages.all {
      do throws(StorageFull) {
        let outcome = try take(message, in: messages.bytes)
        if case .refused(let reason) = outcome {
          failure = "devstack does not support \(reason)"
        } else {
          batch.add(outcome, message, in: messages.bytes)
          if case .unparseable(let reason) = outcome {
            batch.skipped.add(reason, partition: partition, offset: message.offset)
          }
        }
      } catch {
        failure = "no room for columns: \(systemErrorText(error.code))"
      }
      if failure != nil {
        positions[partition] = message.offset
        break
      }
    }
    publish(batch, positions)
    if let failure { fail(failure) }
    return failure == nil
  }

  /// A message's metadata, if the spec uses it.
  private func beside(_ message: MessageBlock.Message, in bytes: [UInt8]) -> RowReader.Beside {
    var beside = RowReader.Beside(sent: message.sent)
    guard let envelope = reader.spec.envelope else { return beside }
    if envelope.keyFormat != nil { beside.key = message.key.map { Array(bytes[$0]) } }
    if envelope.readsHeaders { beside.headers = message.readHeaders(in: bytes) }
    return beside
  }

  private func take(
    _ message: MessageBlock.Message, in bytes: [UInt8]
  ) throws(StorageFull) -> RowReader.Outcome {
    let beside = beside(message, in: bytes)
    guard let payload = message.payload else { return try reader.readNothing(beside) }
    return try unsafe bytes.span.bytes.withUnsafeBytes { (bytes) throws(StorageFull) in
      try unsafe reader.read(
        UnsafeRawBufferPointer(rebasing: bytes[payload]), beside: beside)
    }
  }

  /// The results of a batch of messages.
  private struct Batch {
    var counters = Counters()
    var errors: [ParseError] = []
    var unreadable = 0
    var skipped = Skipped()

    mutating func add(
      _ outcome: RowReader.Outcome, _ message: MessageBlock.Message, in bytes: [UInt8]
    ) {
      counters.processedBytes += message.payload?.count ?? 0
      switch outcome {
      case .rows(let count, let withError, let filtered):
        if withError { counters.processedWithError += count } else { counters.processed += count }
        counters.thrownAway += filtered
      case .thrownAway, .refused: counters.thrownAway += 1
      case .unparseable(let reason):
        counters.unparseable += 1
        guard errors.count < 100 else { return }
        let input = message.payload.map { payload in
          String(decoding: bytes[payload].prefix(1000), as: UTF8.self)
        }
        errors.append(ParseError(time: TimePoint.now, reason: reason, input: input ?? ""))
      }
    }

    /// Counts messages of a batch that could not be decompressed as unparseable.
    mutating func noteUnreadable(_ count: Int64) {
      counters.unparseable += Int(count)
      unreadable += Int(count)
      errors.append(
        ParseError(
          time: TimePoint.now, reason: "\(count) records of a batch could not be unpacked",
          input: ""))
    }
  }

  /// Warns once that messages were skipped; with `isLast` again, with the final count.
  func tellSkipped(isLast: Bool = false) {
    let words: String? = state.change { state in
      let count = state.skipped.count
      guard count > 0, isLast || state.toldSkipped == 0 else { return nil }
      state.toldSkipped = count
      return state.skipped.words(state.spec)
    }
    if let words { report(words) }
  }

  private func tellLeftOut(_ spec: IngestionSpec) {
    let isFirst = state.change { state in
      defer { state.leftOut = reader.leftOut }
      return state.leftOut == 0 && reader.leftOut > 0
    }
    guard isFirst else { return }
    report(
      "datasource '\(spec.dataSource)' has \(RowReader.columnLimit) columns; further fields of topic "
        + "'\(spec.topic)' are left out")
  }

  private func publish(_ batch: Batch, _ positions: [Int64]) {
    let snapshot = reader.publish()
    let isFirstLate = state.change { state in
      state.unreadable += batch.unreadable
      state.skipped.add(batch.skipped)
      if state.spec.automaticTime != nil, reader.spec.automaticTime == nil {
        state.spec = reader.spec
      }
      state.snapshot = snapshot
      state.positions = positions
      state.counters.add(batch.counters)
      let kept = max(0, state.spec.savedParseExceptions)
      state.parseErrors = (state.parseErrors + batch.errors).suffix(kept)
      let isTrapped = !state.hasLateReport && state.isTrappedIn1970
      if isTrapped { state.hasLateReport = true }
      return isTrapped
    }
    let spec = state.read { $0.spec }
    if batch.unreadable > 0 {
      report(
        "datasource '\(spec.dataSource)': \(batch.unreadable) records of topic '\(spec.topic)' are missing: "
          + "their batch could not be unpacked")
    }
    tellLeftOut(spec)
    guard isFirstLate else { return }
    report(
      "datasource '\(spec.dataSource)': all events are in January 1970: its timestampSpec format "
        + "reads seconds as milliseconds; 'posix' reads seconds")
  }
}

extension Follower.Counters {
  mutating func add(_ other: Follower.Counters) {
    processed += other.processed
    processedBytes += other.processedBytes
    processedWithError += other.processedWithError
    thrownAway += other.thrownAway
    unparseable += other.unparseable
  }
}

extension Follower.State {
  /// Whether all events are in the first weeks of 1970, as when seconds are read as milliseconds.
  var isTrappedIn1970: Bool {
    guard
      spec.timestamp.format == .auto || spec.timestamp.format == .iso
        || spec.timestamp.format == .millis,
      snapshot.rowCount > 0
    else { return false }
    let span: ClosedRange<Int64> = 600_000_000...3_000_000_000
    return snapshot.chunks.allSatisfy { span.contains($0.earliest) && span.contains($0.latest) }
  }
}
