/// How lines become messages.
struct RecordForm: Sendable, Equatable {
  enum Key: Sendable, Equatable {
    case none
    /// The same key for all messages.
    case fixed([UInt8])
    /// The key is the text before the first delimiter, and the value is the text after it.
    case delimited(by: [UInt8])
    /// The key is a field of the line's JSON object.
    case field([String])
  }

  /// The delimiter that ends a line.
  var delimiter: [UInt8] = [0x0a]
  var key = Key.none
  /// The field with the time of the message.
  var timestampField: [String]?
  /// The field that names the topic.
  var topicField: [String]?
  /// Whether the envelope names the topic.
  var hasEnvelopeTopics = false
  /// The topic of lines that name none.
  var usualTopic: String?
  /// How many topics lines may name.
  var maximumTopics = 20
  /// Whether lines have the format of `kcat -C -J`.
  var isEnvelope = false
  /// Whether an empty value is sent as null.
  var emptyIsNull = false
  /// The partition for all messages.
  var partition: Int32?
  /// The maximum line length in bytes; longer lines are bad.
  var maximumLength = 1_000_000
  /// Whether a last line without its delimiter is bad.
  var wholeLinesOnly = false
  /// Whether the first bad line ends the run.
  var stopsAtBadLine = false
  /// The maximum number of lines per second.
  var maximumRate: Double?
  /// The field whose times give the rhythm, and how many of its seconds pass in one.
  var paceField: [String]?
  var speed = 1.0

  /// Whether lines name their topics.
  var hasTopics: Bool { topicField != nil || hasEnvelopeTopics }

  /// Whether lines wait for their turn.
  var isPaced: Bool { maximumRate != nil || paceField != nil }

  /// Whether librdkafka's batch call can be used: it takes no timestamps and no headers per
  /// message.
  var isBatchable: Bool { timestampField == nil && !isEnvelope }
}
