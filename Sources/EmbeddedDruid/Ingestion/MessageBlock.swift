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

/// Consecutive messages of one partition. Memory is reused for the next read.
package struct MessageBlock {
  /// A message, as ranges of its parts in ``MessageBlock/bytes``.
  package struct Message {
    var offset: Int64
    /// Milliseconds since 1970, set by the producer or the broker.
    var sent: Int64
    var key: Range<Int>?
    /// Nil for a record without a value.
    var payload: Range<Int>?
    /// The number of headers, then the name and value of each with their lengths, in Kafka's record
    /// format.
    var headers: Range<Int>

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

  /// Has at least ``BlockReader/padding`` bytes after the last message.
  package var bytes: [UInt8] = []
  package var all: [Message] = []
  /// The offset of the next read.
  package var nextOffset: Int64 = 0
  /// The number of skipped messages, whose batches could not be decompressed.
  package var unreadable: Int64 = 0

  init() {}
}

extension MessageBlock.Message {
  /// The headers, parsed from Kafka's record format: a count, then lengths and bytes of each name
  /// and value.
  func readHeaders(in bytes: [UInt8]) -> [(name: String, value: [UInt8]?)] {
    var rest = bytes[headers]
    func number() -> Int? {
      var raw: UInt64 = 0
      var shift: UInt64 = 0
      while shift < 64, let byte = rest.popFirst() {
        raw |= UInt64(byte & 0x7f) << shift
        if byte & 0x80 == 0 {
          return Int(Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1))
        }
        shift += 7
      }
      return nil
    }
    func piece() -> [UInt8]?? {
      guard let length = number() else { return nil }
      guard length >= 0 else { return .some(nil) }
      guard length <= rest.count else { return nil }
      defer { rest = rest.dropFirst(length) }
      return Array(rest.prefix(length))
    }
    var found: [(name: String, value: [UInt8]?)] = []
    guard let count = number() else { return [] }
    for _ in 0..<max(0, min(count, rest.count)) {
      guard let name = piece(), let name, let value = piece() else { break }
      found.append((String(decoding: name, as: UTF8.self), value))
    }
    return found
  }
}
