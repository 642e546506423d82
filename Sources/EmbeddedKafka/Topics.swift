import Synchronization

/// A topic's name and partitions.
final class Topic: Sendable {
  let name: String
  let partitions: [PartitionLog]

  init(name: String, partitions: [PartitionLog]) {
    self.name = name
    self.partitions = partitions
  }

  /// The partition of that number, if there is one.
  subscript(number: Int32) -> PartitionLog? {
    partitions.indices.contains(Int(number)) ? partitions[Int(number)] : nil
  }
}

/// All topics by name. They are made when a client first asks for one, or by CreateTopics.
final class Topics: Sendable {
  /// How many partitions a topic gets that nobody specified.
  static let defaultPartitionCount = 4
  /// So that no client can fill the memory with empty partitions.
  static let maximumPartitionCount = 20_000

  private struct State {
    var topics: [String: Topic] = [:]
    var partitionCount = 0
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

  /// The topic of that name, made now if it is new.
  func findOrCreate(_ name: String) throws(ErrorCode) -> Topic {
    if let topic = self[name] { return topic }
    do throws(ErrorCode) {
      return try create(name, partitionCount: Self.defaultPartitionCount)
    } catch {
      // Another client was faster.
      if error == .topicAlreadyExists, let topic = self[name] { return topic }
      throw error
    }
  }

  /// Makes a topic; with `isTrial`, only tells whether it could be made.
  @discardableResult
  func create(
    _ name: String, partitionCount: Int, isTrial: Bool = false
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
        name: name, partitions: (0..<partitionCount).map { _ in PartitionLog(file: file) })
      state.topics[name] = topic
      state.partitionCount += partitionCount
      return .success(topic)
    }
    return try outcome.get()
  }

  /// Removes a topic and gives its room on the disk back.
  func delete(_ name: String) throws(ErrorCode) {
    let removed = state.withLock { state in
      let topic = state.topics.removeValue(forKey: name)
      state.partitionCount -= topic?.partitions.count ?? 0
      return topic
    }
    guard let removed else { throw .unknownTopicOrPartition }
    for partition in removed.partitions { partition.delete() }
  }

  /// Kafka's rule: 1 to 249 of letters, digits, `.`, `_` and `-`, but not `.` or `..` alone.
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
