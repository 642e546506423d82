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
    /// Whether the values tell the kind: the type `auto`, and columns that are discovered with their types.
    var isAutomatic = false
  }

  /// A column that is computed while rows are stored.
  struct Metric: Sendable, Equatable {
    enum Function: Sendable, Equatable {
      case count
      case sum
      case least
      case greatest
      case first
      case last
    }

    var name: String
    var kind: ColumnKind
    var function: Function
    var field: String
    /// Which rows count; all when there is none.
    var filter: RowFilter?
  }

  /// Fields that the spec does not name become columns.
  struct Discovery: Sendable, Equatable {
    /// With their types; otherwise all are strings, and what is nested is left out.
    var isTyped: Bool
    var exclusions: [String]
  }

  /// What a message says beside its value.
  struct Envelope: Sendable, Equatable {
    var timestampColumn = "kafka.timestamp"
    var topicColumn = "kafka.topic"
    var headerPrefix = "kafka.header."
    var keyColumn = "kafka.key"
    /// How the key is read; nil when it is left out.
    var keyFormat: KeyFormat?
    var readsHeaders = false

    enum KeyFormat: Sendable, Equatable {
      case json
      case delimited(DelimitedText)
    }

    /// The fields that stand beside a message's own.
    func fields(topic: String, _ beside: RowReader.Beside) -> [FieldValue.Member] {
      var fields: [FieldValue.Member] = []
      func add(_ name: String, _ value: FieldValue) {
        if let index = fields.firstIndex(where: { $0.key == name }) {
          fields[index].value = value
        } else {
          fields.append(FieldValue.Member(key: name, value: value))
        }
      }
      if readsHeaders {
        for header in beside.headers {
          let text = header.value.map { FieldValue.text(String(decoding: $0, as: UTF8.self)) }
          add(headerPrefix + header.name, text ?? .null)
        }
      }
      if let key = keyValue(beside.key) { add(keyColumn, key) }
      // A header of the same name comes first.
      for (name, value) in [
        (timestampColumn, FieldValue.long(beside.sent)), (topicColumn, .text(topic)),
      ] where !fields.contains(where: { $0.key == name }) {
        add(name, value)
      }
      return fields
    }

    /// The first value of the key.
    private func keyValue(_ key: [UInt8]?) -> FieldValue? {
      guard let key, let keyFormat else { return nil }
      switch keyFormat {
      case .json:
        var text = unsafe key.span.bytes.withUnsafeBytes { bytes in unsafe MessageText(bytes) }
        return (try? text.objects())?.first?.first?.value
      case .delimited(let format):
        return format.rows(String(decoding: key, as: UTF8.self)).first?.first?.value
      }
    }
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
  /// Whether fields beside the named ones become columns.
  var discovery: Discovery?
  /// How the time column is to be found; nil when it is known.
  var automaticTime: AutomaticTime?
  /// What devstack made the spec of, without anyone's asking; nil for a spec that was posted or given.
  var automatic: AutomaticDatasource?
  /// Another spec for the datasource takes its place, whatever it has read: the built-in one, and automatic ones.
  var isReplaceable = false
  /// The input formats `csv` and `tsv`; nil for JSON.
  var delimitedText: DelimitedText?
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
  var isPlain: Bool {
    transforms.isEmpty && filter == nil && flattening.isPlain && envelope == nil
      && delimitedText == nil && metrics.allSatisfy { $0.filter == nil }
  }

  /// The spec of a topic that has none.
  init(_ automatic: AutomaticDatasource) throws(SpecFailure) {
    try self.init(automatic.specification())
    self.automatic = automatic
    automaticTime = automatic.time
    isReplaceable = true
  }

  /// The spec once the time column is found.
  func decided(column: String, format: String) -> IngestionSpec? {
    guard let automatic,
      var spec = try? IngestionSpec(automatic.specification(column: column, format: format))
    else { return nil }
    spec.automatic = automatic
    spec.isReplaceable = true
    return spec
  }

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
