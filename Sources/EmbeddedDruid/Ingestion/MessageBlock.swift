/// Reads the messages of one topic, by partition and offset: the broker's side of a follower. One thread uses it.
package protocol MessageReader: AnyObject {
  /// Reads some messages of a partition, from `offset` on; none at its end.
  func read(
    partition: Int, from offset: Int64, into messages: inout MessageBlock
  ) throws(MessageReaderFailure)

  /// Waits until there is something behind the given positions, by partition, or the limit has passed.
  func wait(behind positions: [Int64], milliseconds limit: Int64)
}

/// Why messages can't be read on from an offset.
package enum MessageReaderFailure: Error, Equatable {
  /// The offset is not in the partition: messages were deleted before they were read.
  case outOfRange
  /// There is no such topic or partition, or no longer.
  case missing
  case other(String)
}

/// MessageBlock of one partition, in their order. Memory is used again from one read to the next.
package struct MessageBlock {
  /// A message, by the places of its parts in ``MessageBlock/bytes``.
  package struct Message {
    package var offset: Int64
    /// Milliseconds since 1970, as the producer or the broker set it.
    package var sent: Int64
    package var key: Range<Int>?
    /// Nil for a record without a value.
    package var payload: Range<Int>?
    /// The number of headers, then each one's name and value, with lengths as Kafka's record format has them.
    package var headers: Range<Int>

    package init(
      offset: Int64, sent: Int64, key: Range<Int>?, payload: Range<Int>?, headers: Range<Int>
    ) {
      self.offset = offset
      self.sent = sent
      self.key = key
      self.payload = payload
      self.headers = headers
    }
  }

  /// Holds at least ``BlockReader/padding`` bytes more than the last message needs.
  package var bytes: [UInt8] = []
  package var all: [Message] = []
  /// Where to read on.
  package var nextOffset: Int64 = 0
  /// MessageBlock that were passed over because their batch could not be unpacked.
  package var unreadable: Int64 = 0

  package init() {}
}
