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

extension MessageBlock.Message {
  /// The headers, which are as Kafka's record format has them: a count, then for each the lengths and bytes of name and value.
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
