/// The committed offsets of a group, by topic and partition.
struct CommittedOffsets {
  struct Position: Equatable {
    let offset: Int64
    let leaderEpoch: Int32
    let metadata: String?
  }

  /// A real broker's `offset.metadata.max.bytes`.
  static let maximumMetadataSize = 4096

  private var positions: [String: [Int32: Position]] = [:]

  subscript(topic: String, partition: Int32) -> Position? {
    get { positions[topic]?[partition] }
    set { positions[topic, default: [:]][partition] = newValue }
  }

  /// Every topic and its partitions, in order.
  var all: [(topic: String, partitions: [Int32])] {
    positions.sorted { $0.key < $1.key }.map { ($0.key, $0.value.keys.sorted()) }
  }

  mutating func forget(topic: String, partition: Int32) {
    positions[topic]?[partition] = nil
    if positions[topic]?.isEmpty == true { positions[topic] = nil }
  }

  /// Removes a topic's offsets when it is deleted, because they do not apply to a new topic of the
  /// same name.
  mutating func forget(topic: String) {
    positions[topic] = nil
  }
}
