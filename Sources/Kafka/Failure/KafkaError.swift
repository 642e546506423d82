internal import CRdkafka

/// An error code of librdkafka or of a broker.
package struct KafkaError: Hashable, Sendable {
  let code: Int32

  init(code: Int32) { self.code = code }

  init(_ code: rd_kafka_resp_err_t) { self.code = code.rawValue }

  /// The name in the library and in the protocol: `MSG_SIZE_TOO_LARGE`, `_TRANSPORT`.
  package var name: String {
    // The name of an error is a constant string.
    unsafe String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: code)))
  }

  /// A description for the user, without a capital.
  package var words: String {
    switch self {
    case .purgedFromQueue: "given up before a broker took it"
    case .purgedInFlight: "given up before it was answered"
    default: lowercasedFirst(kafkaWords(code))
    }
  }

  package static let messageTooLarge = KafkaError(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
  package static let invalidTimestamp = KafkaError(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
  package static let invalidRecord = KafkaError(RD_KAFKA_RESP_ERR_INVALID_RECORD)
  package static let destroyed = KafkaError(RD_KAFKA_RESP_ERR__DESTROY)
  static let listTooLarge = KafkaError(RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
  static let purgedFromQueue = KafkaError(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
  static let purgedInFlight = KafkaError(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
  static let queueFull = KafkaError(RD_KAFKA_RESP_ERR__QUEUE_FULL)

  /// Whether a batch was refused for its size, so a smaller one may be accepted.
  var isAboutSize: Bool { self == .messageTooLarge || self == .listTooLarge }

  /// Whether a batch was refused for a problem that only some of its records may have.
  var isAboutRecords: Bool { self == .invalidTimestamp || self == .invalidRecord }

  /// Whether the topic or the partition seems not to exist.
  var isAboutTopic: Bool {
    [
      RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    ].contains { KafkaError($0) == self }
  }

  /// Whether the error can be fatal to an idempotent producer.
  var endsProducer: Bool {
    [
      RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
      RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
      RD_KAFKA_RESP_ERR__PURGE_QUEUE,
    ].contains { KafkaError($0) == self }
  }

  /// Whether the error is transient: a leader moved, a connection broke.
  var isPassing: Bool {
    [
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__PURGE_QUEUE,
    ].contains { KafkaError($0) == self }
  }
}

/// librdkafka's description of an error code.
func kafkaWords(_ code: Int32) -> String {
  // The description is a constant string, or belongs to this thread.
  let text = unsafe String(cString: rd_kafka_err2str(rd_kafka_resp_err_t(rawValue: code)))
  for prefix in ["Local: ", "Broker: "] where text.hasPrefix(prefix) {
    let bare = text.dropFirst(prefix.count)
    return prefix == "Broker: " ? "the broker says: " + bare : String(bare)
  }
  return text
}

func lowercasedFirst(_ text: String) -> String {
  let second = text.dropFirst().first
  return second?.isUppercase == true ? text : text.prefix(1).lowercased() + text.dropFirst()
}
