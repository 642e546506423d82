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
