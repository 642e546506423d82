import Plumbing
import Synchronization

/// All supervisors and their datasources. A datasource outlives its supervisor.
final class Supervisors: Sendable {
  /// A supervisor as the REST interface shows it.
  struct Entry: Sendable {
    let id: String
    let follower: Follower
    var isSuspended: Bool
    var isTerminated: Bool

    var spec: IngestionSpec { follower.state.read { $0.spec } }
  }

  let source: any MessageSource
  let storage: TemporaryStorage
  private let report: @Sendable (String) -> Void
  /// In order of creation.
  private let entries = Mutex<[Entry]>([])
  /// Serializes changes, which stop and start threads and so take time.
  private let changes = Mutex<Set<String>>([])

  init(
    of source: any MessageSource, storage: TemporaryStorage,
    report: @escaping @Sendable (String) -> Void
  ) {
    self.source = source
    self.storage = storage
    self.report = report
  }

  /// All supervisors that are not terminated, except those of topics whose time column is not known
  /// yet.
  var active: [Entry] { following.filter { $0.spec.automaticTime == nil } }

  private var following: [Entry] { entries.withLock { $0.filter { !$0.isTerminated } } }

  /// All supervisors whose datasource may have rows.
  var all: [Entry] { entries.withLock { $0 } }

  func find(_ id: String) -> Entry? { active.first { $0.id == id } }

  /// Adds a supervisor, or changes the spec of an existing one.
  ///
  /// - Returns: its id.
  func submit(_ spec: IngestionSpec) throws(SpecFailure) -> String {
    // `changes` is locked throughout, so that two requests do not stop and start the same thread.
    let failure: SpecFailure? = changes.withLock { warned in
      if let servers = spec.bootstrapServers, servers != source.brokers,
        warned.insert(servers).inserted
      {
        report(
          "a supervisor spec names the brokers \(servers); devstack reads its own, "
            + source.brokers)
      }
      // A specification for a topic replaces the automatic datasource of that topic.
      var wasAutomatic = false
      for entry in all where entry.spec.automatic != nil && entry.spec.topic == spec.topic {
        wasAutomatic = true
        if entry.id != spec.dataSource { remove(entry) }
      }
      let old = all.first { $0.id == spec.dataSource }
      guard let old else {
        add(spec, fromEarliest: wasAutomatic || isUnread(spec.topic))
        return nil
      }
      let (oldSpec, rows) = old.follower.state.read { ($0.spec, $0.snapshot.rowCount) }
      let fits =
        oldSpec.schema == spec.schema && oldSpec.isRolledUp == spec.isRolledUp
        && oldSpec.automatic == nil
      if oldSpec.isReplaceable, !fits || oldSpec.topic != spec.topic {
        remove(old)
        add(spec, fromEarliest: true)
        return nil
      }
      guard oldSpec.topic == spec.topic || rows == 0 else {
        return .unsupported("ioConfig.topic", "another topic for a datasource that has rows")
      }
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

  /// Whether a topic has messages and should have a datasource, but does not have one yet.
  private func isUnread(_ topic: String) -> Bool {
    source.topicNames.contains(topic) && !all.contains { $0.spec.topic == topic }
      && hasMessages(topic)
  }

  private func hasMessages(_ topic: String) -> Bool {
    source.endOffsets(topic: topic)?.contains { $0 > 0 } ?? false
  }

  private func remove(_ entry: Entry) {
    entry.follower.stop()
    entries.withLock { $0.removeAll { $0.follower === entry.follower } }
  }

  /// - Parameter fromEarliest: whether to read the topic from its beginning even if the spec does
  ///   not say so.
  private func add(_ spec: IngestionSpec, fromEarliest: Bool = false) {
    var spec = spec
    if fromEarliest, spec.json.saysLatestOffset == false { spec.usesEarliestOffset = true }
    let follower = Follower(spec, of: source, storage: storage, report: report)
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

  /// Suspends or resumes a supervisor; nil when it does not exist, false when nothing changes.
  func set(_ id: String, suspended: Bool) -> Bool? {
    changes.withLock { _ in
      guard let entry = find(id) else { return nil }
      guard entry.isSuspended != suspended else { return false }
      change(id) { $0.isSuspended = suspended }
      if suspended { entry.follower.stop() } else { entry.follower.start() }
      return true
    }
  }

  /// Terminates a supervisor. Its rows are kept. False when it does not exist.
  func terminate(_ id: String) -> Bool {
    changes.withLock { _ in
      guard let entry = find(id) else { return false }
      change(id) { $0.isTerminated = true }
      entry.follower.stop()
      return true
    }
  }

  /// Resets the offsets. The topic is read again and rows are duplicated, as in Druid. False when
  /// it does not exist.
  ///
  /// - Parameter offsets: where to continue, by partition; nil to start as the spec says.
  func reset(_ id: String, to offsets: [Int: Int64]? = nil) -> Bool {
    changes.withLock { _ in
      guard let entry = find(id) else { return false }
      entry.follower.stop()
      entry.follower.reset(to: offsets)
      if !entry.isSuspended { entry.follower.start() }
      return true
    }
  }

  // MARK: Topics without a specification

  /// Maximum number of automatic datasources.
  static let automaticLimit = 200

  /// Makes datasources for topics with messages that no spec reads, and removes those whose topics
  /// were deleted.
  func adoptTopics() {
    let names = source.topicNames
    guard !names.isEmpty || entries.withLock({ $0.contains { $0.spec.automatic != nil } }) else {
      return
    }
    changes.withLock { told in
      let entries = all
      let existing = Set(names)
      for entry in entries {
        guard let automatic = entry.spec.automatic, !automatic.isNamed,
          !existing.contains(automatic.topic)
        else { continue }
        remove(entry)
      }
      let read = Set(entries.map(\.spec.topic))
      let taken = Set(entries.map(\.id))
      var count = entries.count { $0.spec.automatic != nil }
      for name in names where !read.contains(name) && !taken.contains(name) {
        guard !name.hasPrefix("__"), hasMessages(name) else { continue }
        guard count < Self.automaticLimit else {
          if told.insert("\n").inserted {
            report(
              "\(count) topics have automatic datasources, the maximum; --datasource adds others"
            )
          }
          return
        }
        let automatic = AutomaticDatasource(name: name, topic: name)
        guard let spec = try? IngestionSpec(automatic) else { continue }
        count += 1
        add(spec)
      }
    }
  }

  /// Every topic, with the start offset and the end offset of each partition.
  var allTopics: [(name: String, starts: [Int64], ends: [Int64])] {
    source.topicNames.filter { !$0.hasPrefix("__") }.map { name in
      let ends = source.endOffsets(topic: name) ?? []
      let starts = source.startOffsets(topic: name) ?? []
      return (name, ends.indices.map { $0 < starts.count ? starts[$0] : 0 }, ends)
    }
  }

  /// Why a datasource has no rows, if its topic is the reason; nil otherwise.
  func explanation(for name: String) -> String? {
    let entries = all
    if let entry = entries.first(where: { $0.id == name }) {
      let (spec, skipped) = entry.follower.state.read { ($0.spec, $0.skipped) }
      if skipped.count > 0 { return skipped.words(spec) }
      if !spec.usesEarliestOffset, hasMessages(spec.topic) {
        return "its specification reads only messages that came after it"
      }
      return source.endOffsets(topic: spec.topic) == nil
        ? nil : "its topic '\(spec.topic)' has no messages"
    }
    if let entry = entries.first(where: { $0.spec.topic == name }) {
      return "topic '\(name)' is read into datasource '\(entry.id)'"
    }
    guard source.endOffsets(topic: name) != nil else { return nil }
    return hasMessages(name) ? nil : "topic '\(name)' has no messages"
  }

  /// Reports again, for every topic, how many messages were skipped.
  func tellSkipped() {
    for entry in all { entry.follower.tellSkipped(isLast: true) }
  }

  /// Stops all threads.
  func stop() {
    changes.withLock { _ in for entry in all { entry.follower.stop() } }
  }

  /// Waits until every datasource has all messages that its topic has at the time of the call;
  /// false after the limit.
  func catchUp(withinMilliseconds limit: Int64) -> Bool {
    let start = ContinuousClock.now
    adoptTopics()
    for entry in following where !entry.isSuspended {
      let spent = (ContinuousClock.now - start) / .milliseconds(1)
      let left = max(0, limit - Int64(spent))
      guard entry.follower.catchUp(withinMilliseconds: left) else { return false }
    }
    return true
  }
}

extension JSONValue {
  /// Whether a spec explicitly asks for new messages only.
  fileprivate var saysLatestOffset: Bool {
    let io = (self["spec"] ?? self)["ioConfig"]
    return (io?["useEarliestOffset"] ?? io?["useEarliestSequenceNumber"])?.bool == false
  }
}
