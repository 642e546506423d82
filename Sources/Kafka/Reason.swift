internal import CRdkafka

/// Why a line was not delivered: the key in the summary, and the words for a person.
package enum Reason: Hashable, Sendable {
  case noKey
  case notJSON
  case noTimestamp
  case notAnEnvelope
  case noSuchPartition
  case tooLong
  /// It ended without its delimiter, where that is not allowed or a signal cut it off.
  case torn
  /// We stopped before it could be sent.
  case notSent
  /// It was sent without asking for an answer (`-X acks=0`).
  case unacknowledged
  /// An error of the client library or the broker, by its number.
  case kafka(Int32)

  /// The key under `reasons` in the summary.
  package var name: String {
    switch self {
    case .noKey: "no-key"
    case .notJSON: "not-json"
    case .noTimestamp: "no-timestamp"
    case .notAnEnvelope: "not-an-envelope"
    case .noSuchPartition: "no-such-partition"
    case .tooLong: "too-long"
    case .torn: "torn"
    case .notSent: "not-sent"
    case .unacknowledged: "unacknowledged"
    case .kafka(let code):
      // The name of an error is constant text.
      unsafe String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: code)))
    }
  }

  package var words: String {
    switch self {
    case .noKey: "it has no key"
    case .notJSON: "it is no JSON object"
    case .noTimestamp: "it has no usable timestamp"
    case .notAnEnvelope: "it is no envelope as 'kcat -C -J' prints it"
    case .noSuchPartition: "the topic has no such partition"
    case .tooLong: "it is longer than --max-line allows"
    case .torn: "its end is missing"
    case .notSent: "stopped before it was sent"
    case .unacknowledged: "no acknowledgement was asked for"
    case .kafka(RD_KAFKA_RESP_ERR__PURGE_QUEUE.rawValue): "given up before it was sent"
    case .kafka(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT.rawValue): "given up before it was answered"
    case .kafka(let code):
      lowercasedFirst(kafkaWords(code))
    }
  }
}

/// The library's words for an error number.
func kafkaWords(_ code: Int32) -> String {
  // The words of an error are constant text, or this thread's own.
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
