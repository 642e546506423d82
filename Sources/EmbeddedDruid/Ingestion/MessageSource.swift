/// The broker whose topics are ingested.
package protocol MessageSource: Sendable {
  /// Its `bootstrap.servers`, for messages. Its topics are read whatever brokers a spec names.
  var brokers: String { get }
  var topicNames: [String] { get }
  /// The end offset of every partition of a topic; nil when there is no such topic.
  func endOffsets(topic: String) -> [Int64]?
  /// The start offset of every partition; nil when there is no such topic.
  func startOffsets(topic: String) -> [Int64]?
  /// Opens a topic for reading.
  func open(topic: String) throws(EmbeddedDruidFailure) -> any MessageReader
}

/// Reads the messages of one topic, which may not exist yet, by partition and offset, for one
/// thread of a follower.
package protocol MessageReader: AnyObject, Sendable {
  /// Reads messages of a partition, from `offset` on; none at its end.
  func read(
    partition: Int, from offset: Int64, into messages: inout MessageBlock
  ) throws(MessageReaderFailure)

  /// Waits until there are messages after the given positions, by partition, or the topic or its
  /// partitions change, or another thread calls ``interrupt()``.
  func wait(behind positions: [Int64])

  /// Ends the current wait, or the next one. Any thread may call it.
  func interrupt()
}

/// Why messages can't be read from an offset.
package enum MessageReaderFailure: Error, Equatable {
  /// The partition does not have the offset: messages were deleted before they were read.
  case outOfRange
  /// The topic or partition does not exist, or was deleted.
  case missing
  case other(String)
}
