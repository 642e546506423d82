/// How lines become messages.
package struct RecordForm: Sendable, Equatable {
  package enum Key: Sendable, Equatable {
    case none
    /// The same for all.
    case fixed([UInt8])
    /// What stands before the first delimiter; the value is what stands behind it.
    case delimited(by: [UInt8])
    /// A field of the JSON object that the line is.
    case field([String])
  }

  /// What ends a line.
  package var delimiter: [UInt8] = [0x0a]
  package var key = Key.none
  /// The field that holds the time of the message.
  package var timestampField: [String]?
  /// Lines are what `kcat -C -J` prints.
  package var isEnvelope = false
  /// An empty value is sent as null.
  package var emptyIsNull = false
  /// The partition for all messages.
  package var partition: Int32?
  /// Longer lines are bad.
  package var maximumLength = 1_000_000
  /// A last line without its delimiter is bad.
  package var wholeLinesOnly = false
  /// The first bad line ends it all.
  package var stopsAtBadLine = false
  /// Lines a second, at most.
  package var maximumRate: Double?

  package init() {}

  /// Whether the batch call of the library can carry it: it takes no timestamp and no headers of one message.
  var isBatchable: Bool { timestampField == nil && !isEnvelope }

  /// Whether messages of one call can go to different partitions.
  var isPlacedByKey: Bool { key != .none || isEnvelope }
}
