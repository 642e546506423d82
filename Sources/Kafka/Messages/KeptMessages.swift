internal import CRdkafka

/// Messages that came back and are certainly not in the topic, kept in order until they are sent
/// again.
@safe final class KeptMessages {
  private var messages: [KeptMessage] = []
  /// The size in bytes of the smallest batch that came back.
  private(set) var smallestBatch = Int.max

  var isEmpty: Bool { messages.isEmpty }

  func noteBatch(bytes: Int) { smallestBatch = min(smallestBatch, bytes) }

  func add(_ message: UnsafePointer<rd_kafka_message_t>, for error: KafkaError) {
    unsafe messages.append(KeptMessage(copying: message, error: error))
  }

  func add(_ message: KeptMessage) { messages.append(message) }

  /// Removes and returns all messages, in the order in which they came.
  func takeAll() -> [KeptMessage] {
    defer {
      messages = []
      smallestBatch = .max
    }
    return messages
  }
}

/// A message that can be sent again unchanged.
@safe struct KeptMessage {
  /// A copy: key and payload have their own memory.
  let message: rd_kafka_message_t
  let timestamp: Int64
  /// Headers of this message only; shared headers are attached again when it is sent.
  let headers: OpaquePointer?
  /// The error that it came back with.
  let error: KafkaError
  private let bytes: UnsafeMutableRawPointer

  init(copying report: UnsafePointer<rd_kafka_message_t>, error: KafkaError) {
    // The report belongs to us until its event is freed.
    let own = unsafe UnsafeMutablePointer(mutating: report)
    // librdkafka returns a message's time only when its error is cleared.
    unsafe own.pointee.err = RD_KAFKA_RESP_ERR_NO_ERROR
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = unsafe max(0, rd_kafka_message_timestamp(own, &kind))
    var list: OpaquePointer?
    unsafe rd_kafka_message_detach_headers(own, &list)
    unsafe self.init(own.pointee, timestamp: timestamp, headers: list, error: error)
  }

  /// - Parameter headers: the copy takes ownership.
  init(
    _ message: rd_kafka_message_t, timestamp: Int64, headers: OpaquePointer?, error: KafkaError
  ) {
    var copy = unsafe message
    self.timestamp = timestamp
    unsafe self.headers = headers
    self.error = error
    unsafe bytes = .allocate(byteCount: max(1, copy.len + copy.key_len), alignment: 1)
    // Key and payload are copied one after the other. `nil` stays `nil`, because null differs from
    // empty.
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

  /// Frees the copy; its headers have another owner by then.
  func free() { unsafe bytes.deallocate() }
}
