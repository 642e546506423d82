import Glibc
import Plumbing

/// Reads one supervisor's topic into its datasource, on a thread of its own.
final class Follower: @unchecked Sendable {
  // Sendable: `reader`, `room` and `consumer` belong to the follower's thread; all else is in `state` or never changes.
  let brokers: String
  private let endOffsets: @Sendable (String) -> [Int64]?
  private let startOffsets: @Sendable (String) -> [Int64]?
  private let report: @Sendable (String) -> Void
  let state: Monitor<State>
  private var reader: RowReader
  private var room: [UInt8] = []
  private var thread: WorkerThread?

  /// What others may know.
  struct State {
    var spec: IngestionSpec
    var snapshot: TableSnapshot
    /// The next offset of each partition to be read; nil where none was chosen yet.
    var positions: [Int64?] = []
    var starts: [Int64] = []
    var counters = Counters()
    var parseErrors: [ParseError] = []
    var recentErrors: [String] = []
    /// Why rows are missing.
    var failure: String?
    var isStopping = false
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
    _ spec: IngestionSpec, brokers: String, storage: TemporaryStorage,
    endOffsets: @escaping @Sendable (String) -> [Int64]?,
    startOffsets: @escaping @Sendable (String) -> [Int64]?,
    report: @escaping @Sendable (String) -> Void
  ) {
    self.brokers = brokers
    self.endOffsets = endOffsets
    self.startOffsets = startOffsets
    self.report = report
    reader = RowReader(spec, storage: storage)
    let number = UInt32.random(in: .min ... .max)
    state = Monitor(
      State(
        spec: spec, snapshot: TableSnapshot(schema: spec.schema),
        taskID: "index_kafka_\(spec.dataSource)_\(String(number, radix: 16))",
        startTime: Clock.now))
    chooseStarts()
  }

  /// Where partitions that exist by now are read from.
  private func chooseStarts() {
    let topic = state.read { $0.spec.topic }
    let ends = endOffsets(topic) ?? []
    let firsts = startOffsets(topic) ?? []
    state.change { state in
      state.positions = ends.enumerated().map { partition, end in
        guard state.spec.usesEarliestOffset else { return end }
        return partition < firsts.count ? firsts[partition] : 0
      }
      state.starts = state.positions.map { $0 ?? 0 }
    }
  }

  /// Starts to read, if it does not yet.
  func start() {
    guard thread == nil else { return }
    state.change { $0.isStopping = false }
    thread = WorkerThread { [self] in run() }
    if thread == nil { fail("no thread to read with") }
  }

  /// Stops reading; what was read stays.
  func stop() {
    state.change { $0.isStopping = true }
    thread?.join()
    thread = nil
  }

  /// Takes a spec with the same columns; call it while stopped.
  func replace(_ spec: IngestionSpec) {
    reader.replace(spec)
    reader.accepted = QueryGranularity.moments
    state.change { state in
      state.spec = spec
    }
  }

  /// Forgets the offsets, so that reading begins as the spec says; call it while stopped.
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

  /// Waits until all that is in the topic by now is in the datasource.
  ///
  /// - Returns: false when the time was over first.
  func catchUp(withinMilliseconds limit: Int64) -> Bool {
    let (topic, isReading) = state.read { ($0.spec.topic, !$0.isStopping && $0.failure == nil) }
    guard isReading, let ends = endOffsets(topic) else { return true }
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

  var ends: [Int64]? { endOffsets(state.read { $0.spec.topic }) }

  private var isStopping: Bool { state.read { $0.isStopping } }

  private func fail(_ reason: String) {
    let name = state.change { state in
      state.failure = reason
      return state.spec.dataSource
    }
    report("datasource '\(name)' is not whole: \(reason)")
  }

  private func run() {
    let topic = state.read { $0.spec.topic }
    while !isStopping, endOffsets(topic) == nil {
      _ = state.wait(milliseconds: 20) { $0.isStopping }
    }
    guard !isStopping else { return }
    do throws(EmbeddedDruidFailure) {
      var consumer = try TopicConsumer(brokers: brokers, topic: topic)
      while !isStopping {
        for (partition, offset) in newPartitions(topic) {
          consumer.start(partition: partition, at: offset)
        }
        guard try follow(consumer) else { return }
      }
    } catch {
      fail("\(error)")
    }
  }

  /// Partitions and where to read them from; those that came after the spec are read from their beginning.
  private func newPartitions(_ topic: String) -> [(Int, Int64)] {
    let count = endOffsets(topic)?.count ?? 0
    let firsts = startOffsets(topic) ?? []
    return state.change { state in
      while state.positions.count < count {
        let partition = state.positions.count
        let first = partition < firsts.count ? firsts[partition] : 0
        state.positions.append(first)
        state.starts.append(first)
      }
      return state.positions.enumerated().map { ($0, $1 ?? 0) }
    }
  }

  /// Reads until there is nothing for a while; false when reading can't go on.
  private func follow(_ consumer: borrowing TopicConsumer) throws(EmbeddedDruidFailure) -> Bool {
    var positions = state.read { $0.positions }
    var troubles: [TopicConsumer.Trouble] = []
    var received = 1
    while received > 0, !isStopping {
      var batch = Batch()
      let (times, made) = state.read { ($0.spec.acceptedTimes, $0.startTime) }
      if !times.isEverything { reader.accepted = times.range(made: made, now: Clock.now) }
      do throws(Interrupted) {
        received = try consumer.receive(withinMilliseconds: 50) { (message) throws(Interrupted) in
          guard message.partition < positions.count else { return }
          let expected = positions[message.partition] ?? 0
          guard message.offset == expected else {
            throw .gap(partition: message.partition, expected: expected, found: message.offset)
          }
          let outcome: RowReader.Outcome
          do throws(StorageFull) {
            outcome = try take(message)
          } catch { throw .full(error) }
          if case .refused(let reason) = outcome { throw .refused(reason) }
          batch.add(outcome, message)
          positions[message.partition] = expected + 1
        } trouble: {
          troubles.append($0)
        }
      } catch {
        publish(batch, positions)
        switch error {
        case .gap(let partition, let expected, let found):
          fail(
            "partition \(partition) goes on at offset \(found) where \(expected) was to come")
        case .refused(let reason): fail("devstack does not support \(reason)")
        case .full(let full):
          fail("no room for columns: \(systemErrorText(full.code))")
        }
        return false
      }
      publish(batch, positions)
      if let trouble = troubles.first(where: \.isGap) {
        let next = positions[trouble.partition] ?? 0
        fail(
          "partition \(trouble.partition): offset \(next) is no longer in the topic; POST .../reset "
            + "reads on from what is there")
        return false
      }
      note(troubles)
      troubles = []
    }
    return true
  }

  private enum Interrupted: Error {
    case gap(partition: Int, expected: Int64, found: Int64)
    case full(StorageFull)
    case refused(String)
  }

  /// simdjson reads behind the message, so it is copied to where there is room.
  private func take(_ message: TopicConsumer.Message) throws(StorageFull) -> RowReader.Outcome {
    guard let payload = unsafe message.payload else { return reader.outcomeOfNothing }
    if room.count < payload.count + 64 {
      room = Array(repeating: 0, count: payload.count * 2 + 64)
    }
    return try unsafe room.withUnsafeMutableBytesTyped { (room) throws(StorageFull) in
      if let from = payload.baseAddress, let to = room.baseAddress {
        unsafe memcpy(to, from, payload.count)
      }
      return try unsafe reader.read(
        UnsafeRawBufferPointer(rebasing: room[..<payload.count]), sent: message.sent)
    }
  }

  /// What a batch of messages did.
  private struct Batch {
    var counters = Counters()
    var errors: [ParseError] = []

    mutating func add(_ outcome: RowReader.Outcome, _ message: TopicConsumer.Message) {
      counters.processedBytes += unsafe message.payload?.count ?? 0
      switch outcome {
      case .rows(let count, let withError, let filtered):
        if withError { counters.processedWithError += count } else { counters.processed += count }
        counters.thrownAway += filtered
      case .thrownAway, .refused: counters.thrownAway += 1
      case .unparseable(let reason):
        counters.unparseable += 1
        guard errors.count < 100 else { return }
        let input = unsafe message.payload.map { bytes in
          unsafe String(decoding: bytes.prefix(1000), as: UTF8.self)
        }
        errors.append(ParseError(time: Clock.now, reason: reason, input: input ?? ""))
      }
    }
  }

  private func publish(_ batch: Batch, _ positions: [Int64?]) {
    let snapshot = reader.publish()
    let isFirstLate = state.change { state in
      state.snapshot = snapshot
      state.positions = positions
      state.counters.add(batch.counters)
      let kept = max(0, state.spec.savedParseExceptions)
      state.parseErrors = (state.parseErrors + batch.errors).suffix(kept)
      let isTrapped = !state.hasLateReport && state.isTrappedIn1970
      if isTrapped { state.hasLateReport = true }
      return isTrapped
    }
    guard isFirstLate else { return }
    let spec = state.read { $0.spec }
    report(
      "datasource '\(spec.dataSource)': all events lie in January 1970: its timestampSpec format "
        + "takes seconds for milliseconds; 'posix' is for seconds")
  }

  private func note(_ troubles: [TopicConsumer.Trouble]) {
    guard !troubles.isEmpty else { return }
    state.change { state in
      state.recentErrors = Array((state.recentErrors + troubles.map(\.reason)).suffix(3))
    }
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
  /// Seconds that were read as milliseconds all fall into the first weeks of 1970.
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

extension [UInt8] {
  /// As `withUnsafeMutableBytes`, with the type of what is thrown.
  fileprivate mutating func withUnsafeMutableBytesTyped<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var bytes = mutableSpan
    return try unsafe bytes.withUnsafeMutableBytes(body)
  }
}

/// The wall clock.
enum Clock {
  static var now: TimePoint {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return TimePoint(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}
