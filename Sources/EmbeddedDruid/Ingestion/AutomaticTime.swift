import Plumbing

/// Finds the time column of a topic without a specification, in the first message that has one.
struct AutomaticTime: Sendable, Equatable {
  /// The fields to try, in this order.
  static let usualColumns = ["timestamp", "ts", "time", "__time", "@timestamp"]

  var columns = usualColumns

  /// The column and format of a message's time; nil when it has no readable one.
  func find(in fields: [FieldValue.Member]) -> (column: String, format: String)? {
    for column in columns {
      guard let value = fields.first(where: { $0.key == column })?.value else { continue }
      if let format = Self.format(of: value) { return (column, format) }
    }
    return nil
  }

  /// The `timestampSpec` format that reads a value: `auto` for ISO text; for numbers, by their
  /// size.
  static func format(of value: FieldValue) -> String? {
    switch value {
    case .long(let number): return format(of: Double(number))
    case .double(let number): return format(of: number)
    case .text(let text):
      if let number = Int64(text) { return format(of: Double(number)) }
      return TimePoint(rfc3339: text) == nil ? nil : "auto"
    default: return nil
    }
  }

  /// The unit of a number: seconds up to the year 5138, then milliseconds, microseconds,
  /// nanoseconds.
  private static func format(of number: Double) -> String {
    switch number.magnitude {
    case ..<1e11: "posix"
    case ..<1e14: "millis"
    case ..<1e17: "micro"
    default: "nano"
    }
  }

  /// Why a message can't become a row.
  var reason: String {
    columns.count == 1
      ? "no usable time in the field '\(columns[0])'"
      : "no usable time in any of the fields \(columns.joined(separator: ", "))"
  }
}

/// A datasource that devstack makes of a topic without a specification: `NAME[=TOPIC][:COLUMN]`.
package struct AutomaticDatasource: Sendable, Equatable {
  package var name: String
  var topic: String
  /// The time column; nil to find it, `message` for the message's own time.
  var timeColumn: String?
  /// Whether it was requested by name. It then exists before its topic does.
  var isNamed = false

  init(name: String, topic: String) {
    self.name = name
    self.topic = topic
  }

  /// - Returns: nil for an invalid form.
  package init?(spelling text: String) {
    let sign = text.firstIndex(of: "=")
    let colon = text[(sign ?? text.startIndex)...].firstIndex(of: ":")
    name = String(text[..<(sign ?? colon ?? text.endIndex)])
    topic = sign.map { String(text[text.index(after: $0)..<(colon ?? text.endIndex)]) } ?? name
    timeColumn = colon.map { String(text[text.index(after: $0)...]) }
    isNamed = true
    guard IngestionSpec.isValid(dataSource: name), !topic.isEmpty, timeColumn != "" else {
      return nil
    }
  }

  var usesMessageTime: Bool { timeColumn == "message" }

  /// How to find the time column; nil for the message's own time.
  var time: AutomaticTime? {
    usesMessageTime
      ? nil : AutomaticTime(columns: timeColumn.map { [$0] } ?? AutomaticTime.usualColumns)
  }

  /// The specification, as for `POST /druid/indexer/v1/supervisor`.
  ///
  /// - Parameter dimensions: the columns; empty for schema discovery.
  func specification(
    column: String = "timestamp", format: String = "auto", dimensions: [JSONValue] = [],
    servers: String? = nil
  ) -> JSONValue {
    let json = JSONValue.object(["type": .string("json")])
    var dimensionsSpec: [JSONValue.Member] = [
      .init(key: "dimensions", value: .array(dimensions))
    ]
    if dimensions.isEmpty {
      dimensionsSpec.append(.init(key: "useSchemaDiscovery", value: .bool(true)))
      if usesMessageTime {
        dimensionsSpec.append(
          .init(key: "dimensionExclusions", value: .array([.string("kafka.topic")])))
      }
    }
    let consumer = servers.map { [JSONValue.Member(key: "bootstrap.servers", value: .string($0))] }
    return .object([
      "type": .string("kafka"),
      "spec": .object([
        "dataSchema": .object([
          "dataSource": .string(name),
          "timestampSpec": .object([
            "column": .string(usesMessageTime ? "kafka.timestamp" : column),
            "format": .string(usesMessageTime ? "millis" : format),
          ]),
          "dimensionsSpec": .object(dimensionsSpec),
          "metricsSpec": .array([]),
          "granularitySpec": .object([
            "type": .string("uniform"), "segmentGranularity": .string("HOUR"),
            "queryGranularity": .string("NONE"), "rollup": .bool(false),
          ]),
        ]),
        "ioConfig": .object([
          "type": .string("kafka"), "topic": .string(topic),
          "inputFormat": usesMessageTime
            ? .object(["type": .string("kafka"), "valueFormat": json]) : json,
          "consumerProperties": .object(consumer ?? []), "useEarliestOffset": .bool(true),
          "taskCount": .integer(1), "replicas": .integer(1), "taskDuration": .string("PT10M"),
        ]),
        "tuningConfig": .object([
          "type": .string("kafka"), "logParseExceptions": .bool(true),
          "maxSavedParseExceptions": .integer(10),
        ]),
      ]),
    ])
  }
}
