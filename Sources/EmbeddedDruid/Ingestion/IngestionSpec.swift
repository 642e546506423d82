import Plumbing

/// A Kafka supervisor spec, with the settings that determine the rows.
struct IngestionSpec: Sendable {
  /// A column read from the message.
  struct Dimension: Sendable, Equatable {
    enum MultiValues: String, Sendable {
      case sortedArray = "SORTED_ARRAY"
      case sortedSet = "SORTED_SET"
      case array = "ARRAY"
    }

    var name: String
    var kind: ColumnKind
    var multiValues = MultiValues.sortedArray
    /// Whether the values determine the kind: for the type `auto`, and for discovered columns with
    /// types.
    var isAutomatic = false
  }

  /// A column computed while rows are stored.
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
    /// Which rows count; nil for all.
    var filter: RowFilter?
  }

  /// Whether and how fields that the spec does not name become columns.
  struct Discovery: Sendable, Equatable {
    /// Whether columns have types. Otherwise all are strings, and nested values are skipped.
    var isTyped: Bool
    var exclusions: [String]
  }

  /// The names of columns for a message's metadata.
  struct Envelope: Sendable, Equatable {
    var timestampColumn = "kafka.timestamp"
    var topicColumn = "kafka.topic"
    var headerPrefix = "kafka.header."
    var keyColumn = "kafka.key"
    /// The format of the key; nil when it is not read.
    var keyFormat: KeyFormat?
    var readsHeaders = false

    enum KeyFormat: Sendable, Equatable {
      case json
      case delimited(DelimitedText)
    }

    /// The metadata fields of a message.
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
      // A header with the same name takes precedence.
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
        return FieldValue.objects(of: String(decoding: key, as: UTF8.self))?.first?.first?.value
      case .delimited(let format):
        return format.rows(String(decoding: key, as: UTF8.self)).first?.first?.value
      }
    }
  }

  /// A field computed from other fields.
  struct Transform: Sendable, Equatable {
    var name: String
    var expression: Expression
  }

  var dataSource: String
  var topic: String
  var timestamp: TimestampSpec
  var dimensions: [Dimension]
  var metrics: [Metric]
  /// Whether and how fields that the spec does not name become columns; nil if they do not.
  var discovery: Discovery?
  /// How to find the time column; nil when it is known.
  var automaticTime: AutomaticTime?
  /// The automatic datasource for which devstack made the spec; nil for a submitted spec.
  var automatic: AutomaticDatasource?
  /// Whether another spec may replace it, whatever it has read: true for the built-in spec and
  /// automatic ones.
  var isReplaceable = false
  /// The input formats `csv` and `tsv`; nil for JSON.
  var delimitedText: DelimitedText?
  var flattening = FlattenSpec()
  /// The names of columns for a message's metadata: the input format `kafka`.
  var envelope: Envelope?
  var transforms: [Transform]
  /// Which rows are ingested; nil for all.
  var filter: RowFilter?
  var granularity: QueryGranularity
  var isRolledUp: Bool
  /// The span of a segment, which only `sys.segments` shows.
  var segmentGranularity: QueryGranularity
  var usesEarliestOffset: Bool
  var acceptedTimes = AcceptedTimes()
  /// `bootstrap.servers` of the spec. The embedded broker is read whatever it says.
  var bootstrapServers: String?
  var savedParseExceptions: Int
  var isSuspended: Bool
  /// The whole spec as it was submitted.
  var json: JSONValue

  /// Whether rows only have their message's own fields.
  var isPlain: Bool {
    transforms.isEmpty && filter == nil && flattening.isPlain && envelope == nil
      && delimitedText == nil && metrics.allSatisfy { $0.filter == nil }
  }

  /// The spec for a topic without one.
  init(_ automatic: AutomaticDatasource) throws(SpecFailure) {
    try self.init(automatic.specification())
    self.automatic = automatic
    automaticTime = automatic.time
    isReplaceable = true
  }

  /// The spec after the time column was found.
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

/// A refused spec. The message becomes Druid's `{"error": ...}`.
struct SpecFailure: Error, Equatable {
  var message: String

  init(_ message: String) { self.message = message }

  static func unsupported(_ field: String, _ why: String = "") -> SpecFailure {
    SpecFailure(
      "devstack does not support '\(field)'\(why.isEmpty ? "" : ": \(why)")")
  }

  /// Jackson's message for arguments that a constructor refuses.
  static func construct(_ type: String, _ problem: String) -> SpecFailure {
    SpecFailure("Cannot construct instance of `\(type)`, problem: \(problem)")
  }
}
