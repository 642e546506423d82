/// How lines become messages.
struct RecordForm: Sendable, Equatable {
  enum Key: Sendable, Equatable {
    case none
    /// The same for all.
    case fixed([UInt8])
    /// What stands before the first delimiter; the value is what stands behind it.
    case delimited(by: [UInt8])
    /// A field of the JSON object that the line is.
    case field([String])
  }

  /// What ends a line.
  var delimiter: [UInt8] = [0x0a]
  var key = Key.none
  /// The field that holds the time of the message.
  var timestampField: [String]?
  /// Lines are what `kcat -C -J` prints.
  var isEnvelope = false
  /// An empty value is sent as null.
  var emptyIsNull = false
  /// The partition for all messages.
  var partition: Int32?
  /// Longer lines are bad.
  var maximumLength = 1_000_000
  /// A last line without its delimiter is bad.
  var wholeLinesOnly = false
  /// The first bad line ends it all.
  var stopsAtBadLine = false
  /// Lines a second, at most.
  var maximumRate: Double?

  /// Whether the batch call of the library can carry it: it takes no timestamp and no headers of one message.
  var isBatchable: Bool { timestampField == nil && !isEnvelope }

  /// Whether messages of one call can go to different partitions.
  var isPlacedByKey: Bool { key != .none || isEnvelope }
}
