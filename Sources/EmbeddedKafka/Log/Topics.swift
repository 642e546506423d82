import Synchronization

/// A topic's name, partitions and settings.
final class Topic: Sendable {
  let name: String
  private let state: Mutex<(partitions: [PartitionLog], settings: TopicSettings)>

  init(name: String, partitions: [PartitionLog], settings: TopicSettings = TopicSettings()) {
    self.name = name
    state = Mutex((partitions, settings))
  }

  var partitions: [PartitionLog] { state.withLock { $0.partitions } }

  var settings: TopicSettings {
    get { state.withLock { $0.settings } }
    set { state.withLock { $0.settings = newValue } }
  }

  /// The partition with this number; `nil` when there is none.
  subscript(number: Int32) -> PartitionLog? {
    state.withLock { state in
      state.partitions.indices.contains(Int(number)) ? state.partitions[Int(number)] : nil
    }
  }

  fileprivate func add(_ more: [PartitionLog]) {
    state.withLock { $0.partitions += more }
  }
}

/// All topics by name. A topic is created by CreateTopics or when a client first uses it.
final class Topics: Sendable {
  /// Number of partitions of a topic that is created on demand.
  static let defaultPartitionCount = 4
  /// Maximum number of partitions, so that no client can fill the memory with empty ones.
  static let maximumPartitionCount = 20_000

  private struct State {
    var topics: [String: Topic] = [:]
    var partitionCount = 0
    /// The readers that wait for a topic or for more of its partitions, by the topic's name.
    var waiting: [String: [ObjectIdentifier: Wakeup]] = [:]

    func wakeReaders(of topic: String) {
      for wakeup in waiting[topic, default: [:]].values { wakeup.signal() }
    }
  }

  private let file: StorageFile
  private let state = Mutex(State())

  init(file: StorageFile) {
    self.file = file
  }

  /// Every topic, by name.
  var all: [Topic] {
    state.withLock { $0.topics.values.sorted { $0.name < $1.name } }
  }

  subscript(name: String) -> Topic? {
    state.withLock { $0.topics[name] }
  }

  subscript(name: String, partition: Int32) -> PartitionLog? {
    self[name]?[partition]
  }

  /// The topic with this name, which is created if necessary.
  func findOrCreate(_ name: String) throws(ErrorCode) -> Topic {
    if let topic = self[name] { return topic }
    do throws(ErrorCode) {
      return try create(name, partitionCount: Self.defaultPartitionCount)
    } catch {
      // Another client has created it meanwhile.
      if error == .topicAlreadyExists, let topic = self[name] { return topic }
      throw error
    }
  }

  /// Creates a topic; with `isTrial`, only checks whether it can be created.
  @discardableResult
  func create(
    _ name: String, partitionCount: Int, settings: TopicSettings = TopicSettings(),
    isTrial: Bool = false
  ) throws(ErrorCode) -> Topic {
    guard Self.isValid(name) else { throw .invalidTopic }
    guard partitionCount > 0 else { throw .invalidPartitions }
    let outcome = state.withLock { state -> Result<Topic, ErrorCode> in
      if state.topics[name] != nil { return .failure(.topicAlreadyExists) }
      guard partitionCount <= Self.maximumPartitionCount - state.partitionCount else {
        return .failure(.policyViolation)
      }
      if isTrial { return .success(Topic(name: name, partitions: [])) }
      let topic = Topic(
        name: name, partitions: (0..<partitionCount).map { _ in PartitionLog(file: file) },
        settings: settings)
      state.topics[name] = topic
      state.partitionCount += partitionCount
      state.wakeReaders(of: name)
      return .success(topic)
    }
    return try outcome.get()
  }

  /// Adds partitions to a topic until it has `count`; with `isTrial`, only checks whether it can.
  func grow(_ name: String, to count: Int, isTrial: Bool) throws(ErrorCode) {
    let refusal = state.withLock { state -> ErrorCode? in
      guard let topic = state.topics[name] else { return .unknownTopicOrPartition }
      let extra = count - topic.partitions.count
      guard extra > 0 else { return .invalidPartitions }
      guard extra <= Self.maximumPartitionCount - state.partitionCount else {
        return .policyViolation
      }
      if isTrial { return nil }
      topic.add((0..<extra).map { _ in PartitionLog(file: file) })
      state.partitionCount += extra
      state.wakeReaders(of: name)
      return nil
    }
    if let refusal { throw refusal }
  }

  /// Deletes a topic and frees its disk space.
  func delete(_ name: String) throws(ErrorCode) {
    let removed = state.withLock { state in
      let topic = state.topics.removeValue(forKey: name)
      state.partitionCount -= topic?.partitions.count ?? 0
      return topic
    }
    guard let removed else { throw .unknownTopicOrPartition }
    for partition in removed.partitions { partition.delete() }
  }

  /// Registers `wakeup`: the topic's creation and new partitions signal it until
  /// ``stopWaking(_:about:)``.
  func wake(_ wakeup: Wakeup, about name: String) {
    state.withLock { $0.waiting[name, default: [:]][ObjectIdentifier(wakeup)] = wakeup }
  }

  func stopWaking(_ wakeup: Wakeup, about name: String) {
    state.withLock { state in
      state.waiting[name]?[ObjectIdentifier(wakeup)] = nil
      if state.waiting[name]?.isEmpty == true { state.waiting[name] = nil }
    }
  }

  /// A real broker's message for an invalid name.
  static func complaint(aboutName name: String) -> String {
    switch name {
    case "": "the empty string is not allowed"
    case ".", "..": "'\(name)' is not allowed"
    case _ where name.utf8.count > 249:
      "the length of '\(name)' is longer than the max allowed length 249"
    default:
      "'\(name)' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    }
  }

  /// Kafka's rule: 1 to 249 letters, digits, `.`, `_` and `-`, except `.` and `..`.
  static func isValid(_ name: String) -> Bool {
    guard (1...249).contains(name.utf8.count), name != ".", name != ".." else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }
}
