import Plumbing
import Synchronization

/// All supervisors, and the datasources that they made; a datasource outlives its supervisor.
final class Supervisors: Sendable {
  /// A supervisor as the REST interface tells of it.
  struct Entry: Sendable {
    let id: String
    let follower: Follower
    var isSuspended: Bool
    var isTerminated: Bool
  }

  private let brokers: String
  private let storage: TemporaryStorage
  private let open: @Sendable (String) throws(EmbeddedDruidFailure) -> any MessageReader
  private let endOffsets: @Sendable (String) -> [Int64]?
  private let startOffsets: @Sendable (String) -> [Int64]?
  private let report: @Sendable (String) -> Void
  /// In the order they came.
  private let entries = Mutex<[Entry]>([])
  /// One change at a time: they stop and start threads, which takes a while.
  private let changes = Mutex<Set<String>>([])

  init(
    brokers: String, storage: TemporaryStorage,
    open: @escaping @Sendable (String) throws(EmbeddedDruidFailure) -> any MessageReader,
    endOffsets: @escaping @Sendable (String) -> [Int64]?,
    startOffsets: @escaping @Sendable (String) -> [Int64]? = { _ in nil },
    report: @escaping @Sendable (String) -> Void
  ) {
    self.brokers = brokers
    self.storage = storage
    self.open = open
    self.endOffsets = endOffsets
    self.startOffsets = startOffsets
    self.report = report
  }

  /// All that were not terminated.
  var active: [Entry] { entries.withLock { $0.filter { !$0.isTerminated } } }

  /// Everything that may hold rows.
  var all: [Entry] { entries.withLock { $0 } }

  func find(_ id: String) -> Entry? { active.first { $0.id == id } }

  /// Takes a new spec, or another one for a supervisor that is there.
  ///
  /// - Returns: its id.
  func submit(_ spec: IngestionSpec) throws(SpecFailure) -> String {
    // `changes` is held throughout: two requests must not stop and start the same thread.
    let failure: SpecFailure? = changes.withLock { warned in
      if let servers = spec.bootstrapServers, servers != brokers,
        warned.insert(servers).inserted
      {
        report(
          "a supervisor spec names the brokers \(servers); devstack reads its own, \(brokers)")
      }
      let old = all.first { $0.id == spec.dataSource }
      guard let old else {
        add(spec)
        return nil
      }
      let (oldSpec, rows) = old.follower.state.read { ($0.spec, $0.snapshot.rowCount) }
      guard oldSpec.topic == spec.topic || rows == 0 else {
        return .unsupported("ioConfig.topic", "another topic for a datasource that has rows")
      }
      let fits = oldSpec.schema == spec.schema && oldSpec.isRolledUp == spec.isRolledUp
      old.follower.stop()
      guard fits || rows == 0 else {
        if !old.isSuspended, !old.isTerminated { old.follower.start() }
        return .unsupported("dimensionsSpec", "other columns for a datasource that has rows")
      }
      if fits && oldSpec.topic == spec.topic {
        old.follower.replace(spec)
        change(old.id) {
          $0 = Entry(
            id: old.id, follower: old.follower, isSuspended: spec.isSuspended, isTerminated: false)
        }
        if !spec.isSuspended { old.follower.start() }
      } else {
        entries.withLock { $0.removeAll { $0.id == old.id } }
        add(spec)
      }
      return nil
    }
    if let failure { throw failure }
    return spec.dataSource
  }

  private func add(_ spec: IngestionSpec) {
    let follower = Follower(
      spec, storage: storage, open: open, endOffsets: endOffsets,
      startOffsets: startOffsets, report: report)
    entries.withLock {
      $0.append(
        Entry(
          id: spec.dataSource, follower: follower, isSuspended: spec.isSuspended,
          isTerminated: false))
    }
    if !spec.isSuspended { follower.start() }
  }

  private func change(_ id: String, _ body: (inout Entry) -> Void) {
    entries.withLock { entries in
      if let index = entries.firstIndex(where: { $0.id == id }) { body(&entries[index]) }
    }
  }

  /// Suspends or resumes; nil when there is no such supervisor, false when it is so already.
  func set(_ id: String, suspended: Bool) -> Bool? {
    changes.withLock { _ in
      guard let entry = find(id) else { return nil }
      guard entry.isSuspended != suspended else { return false }
      change(id) { $0.isSuspended = suspended }
      if suspended { entry.follower.stop() } else { entry.follower.start() }
      return true
    }
  }

  /// Ends a supervisor; its rows stay. False when there is none.
  func terminate(_ id: String) -> Bool {
    changes.withLock { _ in
      guard let entry = find(id) else { return false }
      change(id) { $0.isTerminated = true }
      entry.follower.stop()
      return true
    }
  }

  /// Forgets what was read: the topic is read again, and rows come twice, as in Druid. False when there is none.
  ///
  /// - Parameter offsets: where to read on, by partition; nil to begin as the spec says.
  func reset(_ id: String, to offsets: [Int: Int64]? = nil) -> Bool {
    changes.withLock { _ in
      guard let entry = find(id) else { return false }
      entry.follower.stop()
      entry.follower.reset(to: offsets)
      if !entry.isSuspended { entry.follower.start() }
      return true
    }
  }

  /// Stops all threads.
  func stop() {
    changes.withLock { _ in for entry in all { entry.follower.stop() } }
  }

  /// Waits until every datasource holds what its topic held when this was called; false when the time was over first.
  func catchUp(withinMilliseconds limit: Int64) -> Bool {
    let start = ContinuousClock.now
    for entry in active where !entry.isSuspended {
      let spent = (ContinuousClock.now - start) / .milliseconds(1)
      let left = max(0, limit - Int64(spent))
      guard entry.follower.catchUp(withinMilliseconds: left) else { return false }
    }
    return true
  }
}
