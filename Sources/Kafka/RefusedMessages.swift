internal import CRdkafka

/// Messages of batches that a broker found too large, kept until they are sent again in smaller ones.
///
/// Such a batch is refused as a whole, so none of it is in the topic. Only one that holds a single message has no smaller.
@safe final class RefusedMessages {
  private var messages: [RefusedMessage] = []
  /// The bytes of the smallest batch that was refused.
  private(set) var smallestBatch = Int.max

  var isEmpty: Bool { messages.isEmpty }

  func noteBatch(bytes: Int) { smallestBatch = min(smallestBatch, bytes) }

  func add(_ message: UnsafePointer<rd_kafka_message_t>) {
    unsafe messages.append(RefusedMessage(copying: message))
  }

  /// Hands all of them over, in the order in which they were refused.
  func takeAll() -> [RefusedMessage] {
    defer {
      messages = []
      smallestBatch = .max
    }
    return messages
  }
}

/// A message that can be sent again as it was.
@safe struct RefusedMessage {
  /// Key and payload lie in memory of their own.
  let message: rd_kafka_message_t
  let timestamp: Int64
  /// The headers of this message alone; those of all are lent anew.
  let headers: OpaquePointer?
  private let bytes: UnsafeMutableRawPointer

  init(copying report: UnsafePointer<rd_kafka_message_t>) {
    // The report is ours until its event is freed.
    let own = unsafe UnsafeMutablePointer(mutating: report)
    // The library tells the time of a message only when it knows of no error.
    unsafe own.pointee.err = RD_KAFKA_RESP_ERR_NO_ERROR
    var copy = unsafe own.pointee
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    timestamp = unsafe max(0, rd_kafka_message_timestamp(own, &kind))
    var list: OpaquePointer?
    unsafe rd_kafka_message_detach_headers(own, &list)
    unsafe headers = list
    unsafe bytes = .allocate(byteCount: max(1, copy.len + copy.key_len), alignment: 1)
    // Both are copied behind each other; nil stays nil, because it is not the same as empty.
    if let payload = unsafe copy.payload {
      unsafe bytes.copyMemory(from: payload, byteCount: copy.len)
      unsafe copy.payload = bytes
    }
    if let key = unsafe copy.key {
      unsafe (bytes + copy.len).copyMemory(from: key, byteCount: copy.key_len)
      unsafe copy.key = bytes + copy.len
    }
    unsafe message = copy
  }

  /// Frees the copy; the headers are another's by then.
  func free() { unsafe bytes.deallocate() }
}
