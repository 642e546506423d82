internal import CRdkafka

/// Messages that came back and are certainly not in the topic, kept in their order until they are sent again.
@safe final class KeptMessages {
  private var messages: [KeptMessage] = []
  /// The bytes of the smallest batch that came back.
  private(set) var smallestBatch = Int.max

  var isEmpty: Bool { messages.isEmpty }

  func noteBatch(bytes: Int) { smallestBatch = min(smallestBatch, bytes) }

  func add(_ message: UnsafePointer<rd_kafka_message_t>, for error: KafkaError) {
    unsafe messages.append(KeptMessage(copying: message, error: error))
  }

  func add(_ message: KeptMessage) { messages.append(message) }

  /// Hands all of them over, in the order in which they came.
  func takeAll() -> [KeptMessage] {
    defer {
      messages = []
      smallestBatch = .max
    }
    return messages
  }
}

/// A message that can be sent again as it was.
@safe struct KeptMessage {
  /// Key and payload lie in memory of their own.
  let message: rd_kafka_message_t
  let timestamp: Int64
  /// The headers of this message alone; those of all are lent anew.
  let headers: OpaquePointer?
  /// Why it came back.
  let error: KafkaError
  private let bytes: UnsafeMutableRawPointer

  init(copying report: UnsafePointer<rd_kafka_message_t>, error: KafkaError) {
    // The report is ours until its event is freed.
    let own = unsafe UnsafeMutablePointer(mutating: report)
    // The library tells the time of a message only when it knows of no error.
    unsafe own.pointee.err = RD_KAFKA_RESP_ERR_NO_ERROR
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = unsafe max(0, rd_kafka_message_timestamp(own, &kind))
    var list: OpaquePointer?
    unsafe rd_kafka_message_detach_headers(own, &list)
    unsafe self.init(own.pointee, timestamp: timestamp, headers: list, error: error)
  }

  /// - Parameter headers: theirs is the copy from now on.
  init(
    _ message: rd_kafka_message_t, timestamp: Int64, headers: OpaquePointer?, error: KafkaError
  ) {
    var copy = unsafe message
    self.timestamp = timestamp
    unsafe self.headers = headers
    self.error = error
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
    unsafe self.message = copy
  }

  /// Frees the copy; the headers are another's by then.
  func free() { unsafe bytes.deallocate() }
}
