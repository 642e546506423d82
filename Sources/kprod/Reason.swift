import Kafka
import Plumbing

/// Why a line was not delivered, with its key in the summary and its description.
enum Reason: Hashable, Sendable {
  case noKey
  case notJSON
  /// A field that is used has half a surrogate pair, so it has no UTF-8.
  case notText
  case noTimestamp
  case notAnEnvelope
  case noSuchPartition
  case noTopic
  case badTopic
  case noSuchTopic
  case tooManyTopics
  case tooLong
  /// The line ends without its delimiter, where that is not allowed or a signal cut it off.
  case torn
  /// The run ended before the line could be sent.
  case notSent
  /// The line was sent without asking for a response (`-X acks=0`).
  case unacknowledged
  /// An error of librdkafka or of the broker.
  case kafka(KafkaError)

  /// The key under `reasons` in the summary.
  var name: String {
    switch self {
    case .noKey: "no-key"
    case .notJSON: "not-json"
    case .notText: "not-text"
    case .noTimestamp: "no-timestamp"
    case .notAnEnvelope: "not-an-envelope"
    case .noSuchPartition: "no-such-partition"
    case .noTopic: "no-topic"
    case .badTopic: "bad-topic"
    case .noSuchTopic: "no-such-topic"
    case .tooManyTopics: "too-many-topics"
    case .tooLong: "too-long"
    case .torn: "torn"
    case .notSent: "not-sent"
    case .unacknowledged: "unacknowledged"
    case .kafka(let error): error.name
    }
  }

  var words: String {
    switch self {
    case .noKey: "it has no key"
    case .notJSON: "it is not a JSON object"
    case .notText: "a field has half a surrogate pair, which no UTF-8 text can hold"
    case .noTimestamp: "it has no usable timestamp"
    case .notAnEnvelope: "it is not an envelope as 'kcat -C -J' prints it"
    case .noSuchPartition: "the topic has no such partition"
    case .noTopic: "it names no topic"
    case .badTopic: "what it names is not a valid topic name"
    case .noSuchTopic: "the cluster has no such topic"
    case .tooManyTopics: "it names one more topic than --max-topics allows"
    case .tooLong: "it is longer than --max-line allows"
    case .torn: "its end is missing"
    case .notSent: "stopped before it was sent"
    case .unacknowledged: "no acknowledgement was asked for"
    case .kafka(.messageTooLarge): "it is larger than the topic accepts"
    case .kafka(.invalidTimestamp): "the topic does not accept its time"
    case .kafka(.invalidRecord): "the topic refuses such a record"
    case .kafka(let error): error.words
    }
  }

  /// Whether the line itself is at fault, so that sending it again would fail again.
  var isAboutLine: Bool {
    switch self {
    case .noKey, .notJSON, .notText, .noTimestamp, .notAnEnvelope, .noSuchPartition, .tooLong,
      .torn, .noTopic, .badTopic, .noSuchTopic, .tooManyTopics:
      true
    case .kafka(let error):
      [.messageTooLarge, .invalidTimestamp, .invalidRecord].contains(error)
    case .notSent, .unacknowledged: false
    }
  }
}

/// A line that can't be sent and ends the input (`--on-bad stop`).
struct BadLine: ToolFailure, Equatable {
  /// Counted from 1.
  let number: Int
  let reason: Reason

  var exitStatus: ExitStatus { .input }
  var message: String { "line \(number): \(reason.words)" }
}
