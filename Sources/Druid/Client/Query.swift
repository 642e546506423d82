package import Plumbing

/// A query for Druid's SQL endpoint.
package struct Query: Sendable {
  var statement: Statement
  package var context: [JSONValue.Member] = []
  package var parameters: [QueryParameter] = []
  /// Whether to request the plan instead of the rows.
  package var isExplained = false
  /// The time limit for the server, in the query's context. The client's own limit is a little
  /// later.
  package var timeout: Duration?

  package init(_ statement: Statement) { self.statement = statement }

  private static let explainWords = "EXPLAIN PLAN FOR "

  /// Whether to add EXPLAIN PLAN FOR; the statement may have it already.
  private var isPrefixed: Bool {
    isExplained && SQLToken.tokens(of: statement.text).first?.isWord("EXPLAIN") != true
  }

  /// The id by which the query can be cancelled: the context's own, or else a new one.
  func identifier() -> String {
    for member in context where member.key == "sqlQueryId" {
      let name = member.value.text ?? member.value.jsonText
      if !name.isEmpty, member.value != .null { return name }
    }
    var generator = SystemRandomNumberGenerator()
    return "dsql-" + String(generator.next() as UInt64, radix: 16)
      + String(generator.next() as UInt64, radix: 16)
  }

  /// The body of the request. The three header lines give names and types even when there are no
  /// rows.
  func body(identifier: String) -> [UInt8] {
    var members = context.filter { $0.key != "sqlQueryId" }
    // The router requires a string here; a number causes a ClassCastException.
    members.append(.init(key: "sqlQueryId", value: .string(identifier)))
    if let timeout, !members.contains(where: { $0.key == "timeout" }) {
      members.append(.init(key: "timeout", value: .integer(Int64(timeout.inSeconds * 1000))))
    }
    var fields: [JSONValue.Member] = [
      .init(
        key: "query", value: .string((isPrefixed ? Self.explainWords : "") + statement.text)),
      .init(key: "resultFormat", value: .string("arrayLines")),
      .init(key: "header", value: .bool(true)),
      .init(key: "typesHeader", value: .bool(true)),
      .init(key: "sqlTypesHeader", value: .bool(true)),
      .init(key: "context", value: .object(members)),
    ]
    if !parameters.isEmpty {
      fields.append(.init(key: "parameters", value: .array(parameters.map(\.json))))
    }
    return Array(JSONValue.object(fields).jsonText.utf8)
  }

  /// Converts a position that the server reported to the statement as the user wrote it.
  func place(ofServers place: Statement.Place) -> Statement.Place {
    guard isPrefixed, place.line == 1 else { return place }
    return .init(line: 1, column: max(1, place.column - Self.explainWords.utf16.count))
  }
}

/// A value for a `?`.
package struct QueryParameter: Sendable, Equatable {
  let type: String
  let value: JSONValue

  init(type: String, value: JSONValue) {
    self.type = type
    self.value = value
  }

  var json: JSONValue { .object(["type": .string(type), "value": value]) }

  package static func timestamp(_ point: TimePoint) -> QueryParameter {
    QueryParameter(type: "TIMESTAMP", value: .string(point.iso8601))
  }

  /// Parses `[TYPE:]VALUE`. A known type and a colon set the type; anything else is text, including
  /// the colon. Values that the server would answer with a Java stack trace are refused here.
  ///
  /// - Parameter flag: how a refusal names the option.
  package init(spelling: String, of flag: String = "--param") throws(UsageFailure) {
    let pieces = spelling.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let word = pieces.count == 2 ? String(pieces[0]) : ""
    let text = pieces.count == 2 ? String(pieces[1]) : spelling
    func refusal(_ what: String) -> UsageFailure {
      UsageFailure(
        "\(flag): \(quoted(text)) is not a valid \(what)",
        hints: ["text:VALUE passes any value as text"])
    }
    switch word {
    case "text": self.init(type: "VARCHAR", value: .string(text))
    case "int":
      guard let number = Int64(text) else { throw refusal("whole number of 64 bits") }
      self.init(type: "BIGINT", value: .integer(number))
    case "double":
      guard decimalNumber(text) != nil, case .number? = try? JSONValue(parsing: text) else {
        throw refusal("decimal number")
      }
      self.init(type: "DOUBLE", value: .number(text))
    case "bool":
      guard let truth = ["true": true, "false": false][text.lowercased()] else {
        throw refusal("truth value (true or false)")
      }
      self.init(type: "BOOLEAN", value: .bool(truth))
    case "timestamp":
      guard let value = QueryParameter.timestampText(text) else {
        throw refusal("time (2026-01-31, 2026-01-31T12:00:00Z, milliseconds since 1970)")
      }
      self.init(type: "TIMESTAMP", value: value)
    case "null":
      guard text.isEmpty else { throw refusal("NULL: write 'null:'") }
      self.init(type: "VARCHAR", value: .null)
    default: self.init(type: "VARCHAR", value: .string(spelling))
    }
  }

  /// Milliseconds become a number, and a time with an offset is converted to UTC. The server
  /// interprets a time without an offset in its own zone.
  private static func timestampText(_ text: String) -> JSONValue? {
    if let milliseconds = Int64(text) { return .integer(milliseconds) }
    guard let point = TimePoint(rfc3339: text) else { return nil }
    let time = text.dropFirst(10)
    guard time.contains("Z") || time.contains("z") || time.contains("+") || time.contains("-")
    else {
      return .string(String(point.iso8601.dropLast().map { $0 == "T" ? " " : $0 }))
    }
    return .string(point.iso8601)
  }
}
