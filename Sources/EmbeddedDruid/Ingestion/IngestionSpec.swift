import Plumbing

/// A Kafka supervisor spec, as far as it decides what rows come out.
struct IngestionSpec: Sendable {
  /// A column that is read from the message.
  struct Dimension: Sendable, Equatable {
    enum MultiValues: String, Sendable {
      case sortedArray = "SORTED_ARRAY"
      case sortedSet = "SORTED_SET"
      case array = "ARRAY"
    }

    var name: String
    var kind: ColumnKind
    var multiValues = MultiValues.sortedArray
  }

  /// A column that is computed while rows are stored.
  struct Metric: Sendable, Equatable {
    enum Function: Sendable, Equatable {
      case count
      case sum
      case least
      case greatest
    }

    var name: String
    var kind: ColumnKind
    var function: Function
    var field: String
  }

  /// What a message says beside its value.
  struct Envelope: Sendable, Equatable {
    var timestampColumn = "kafka.timestamp"
    var topicColumn = "kafka.topic"
  }

  /// A field that is computed from the others.
  struct Transform: Sendable, Equatable {
    var name: String
    var expression: Expression
  }

  var dataSource: String
  var topic: String
  var timestamp: TimestampSpec
  var dimensions: [Dimension]
  var metrics: [Metric]
  var flattening = FlattenSpec()
  /// The names under which a message's own time and topic are seen: the input format `kafka`.
  var envelope: Envelope?
  var transforms: [Transform]
  /// Which rows come in; all when there is none.
  var filter: RowFilter?
  var granularity: QueryGranularity
  var isRolledUp: Bool
  /// What a segment spans; only `sys.segments` shows it.
  var segmentGranularity: QueryGranularity
  var usesEarliestOffset: Bool
  var acceptedTimes = AcceptedTimes()
  /// `bootstrap.servers` of the spec; ours is read whatever it says.
  var bootstrapServers: String?
  var savedParseExceptions: Int
  var isSuspended: Bool
  /// The whole spec as it was submitted.
  var json: JSONValue

  /// Whether a row is no more than its message's own fields.
  var isPlain: Bool { transforms.isEmpty && filter == nil && flattening.isPlain && envelope == nil }

  var schema: TableSchema {
    TableSchema(
      columns: dimensions.map { ColumnDescription(name: $0.name, kind: $0.kind) }
        + metrics.map { ColumnDescription(name: $0.name, kind: $0.kind) })
  }
}

/// A spec that is refused; the message goes into Druid's `{"error": ...}`.
struct SpecFailure: Error, Equatable {
  var message: String

  init(_ message: String) { self.message = message }

  static func unsupported(_ field: String, _ why: String = "") -> SpecFailure {
    SpecFailure(
      "devstack does not support '\(field)'\(why.isEmpty ? "" : ": \(why)")")
  }

  /// As Jackson says that a constructor refused its arguments.
  static func construct(_ type: String, _ problem: String) -> SpecFailure {
    SpecFailure("Cannot construct instance of `\(type)`, problem: \(problem)")
  }
}
