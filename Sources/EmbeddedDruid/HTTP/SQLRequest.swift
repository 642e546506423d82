import DruidSQL
import Plumbing

/// The body of `POST /druid/v2/sql`, checked as Druid checks it.
struct SQLRequest {
  var query: String
  var format = AnswerFormat()
  var parameters: [PlanParameter] = []
  /// `sqlQueryId`, or a new one.
  var id: String
  /// The timeout; nil for none.
  var timeoutMilliseconds: Int64? = 300_000
  /// Whether `vectorize` is `force`, which is not possible for queries over rows of a streaming
  /// task.
  var forcesVectors = false
  var timeZone = "UTC"
  var approximatesCountDistinct = true
  var outerLimit: Int?
  /// `sqlCurrentTimestamp`, for CURRENT_TIMESTAMP; nil for the clock.
  var nowMilliseconds: Int64?
  var approximatesTopN = true
  /// `skipEmptyBuckets`; nil for the planner's default.
  var skipsEmptyBuckets: Bool?
  /// `groupByEnableMultiValueUnnesting`
  var groupsMultipleValues = true
  /// The settings of the context, as received.
  var context: [JSONValue.Member] = []
  /// The effects of a fault on the query.
  var fault = QueryFault()

  private static let source =
    "\n at [Source: (org.eclipse.jetty.server.HttpInputOverHTTP); line: 1, column: "

  /// - Throws: ``DruidError`` in Druid's form, or ``HTMLError`` where Druid sends its servlet
  ///   container's page.
  init(body: [UInt8], newID: () -> String) throws {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: body)
    } catch {
      throw DruidError.badRequest(
        Self.words(for: error, in: body),
        errorClass: error.offset >= body.count
          ? "com.fasterxml.jackson.core.io.JsonEOFException"
          : "com.fasterxml.jackson.core.JsonParseException")
    }
    guard case .object = json else {
      throw DruidError.badRequest(
        "Cannot deserialize value of type `org.apache.druid.sql.http.SqlQuery`" + Self.source
          + "1]", errorClass: "com.fasterxml.jackson.databind.exc.MismatchedInputException")
    }
    guard let query = try Self.text(json, "query") else {
      throw Self.invalid("query", at: body.count)
    }
    self.query = query
    id = newID()
    if let word = try Self.text(json, "resultFormat") {
      guard let format = ResultFormat(spelling: word) else {
        throw DruidError.badRequest(
          "Cannot construct instance of `org.apache.druid.sql.http.ResultFormat`, problem: "
            + "No enum constant org.apache.druid.sql.http.ResultFormat.\(word.uppercased())"
            + Self.source + "\(Self.column(of: word, in: body))] (through reference chain: "
            + "org.apache.druid.sql.http.SqlQuery[\"resultFormat\"])",
          errorClass: "com.fasterxml.jackson.databind.exc.ValueInstantiationException")
      }
      self.format.format = format
    }
    format.hasHeader = try Self.truth(json, "header")
    format.hasTypes = try Self.truth(json, "typesHeader")
    format.hasSQLTypes = try Self.truth(json, "sqlTypesHeader")
    if !format.hasHeader, format.hasTypes || format.hasSQLTypes {
      let field = format.hasTypes ? "typesHeader" : "sqlTypesHeader"
      throw Self.invalid("Cannot include '\(field)' without 'header'", at: body.count)
    }
    if let list = json["parameters"], !list.isNull {
      guard let elements = list.elements else {
        throw Self.invalid("parameters", at: body.count)
      }
      parameters = try elements.map { try SQLParameter.read($0) }
    }
    if let context = json["context"], !context.isNull { try read(context: context) }
  }

  /// The column of the last occurrence of the string, from 1.
  private static func column(of word: String, in body: [UInt8]) -> Int {
    let quoted = Array("\"\(word)\"".utf8)
    let starts = stride(from: body.count - quoted.count, through: 0, by: -1)
    return (starts.first { body[$0...].starts(with: quoted) } ?? body.count - 1) + 1
  }

  private static func words(for error: JSONValue.Malformed, in body: [UInt8]) -> String {
    if error.offset >= body.count {
      let place = "\(source)\(body.count + 1)]"
      return body.isEmpty
        ? "No content to map due to end-of-input" + place
        : "Unexpected end-of-input within/between Object entries" + place
    }
    let rest = body[error.offset...]
    let token = rest.prefix { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "_")
    }
    let word = String(decoding: token.isEmpty ? rest.prefix(1) : token, as: UTF8.self)
    return "Unrecognized token '\(word)': was expecting "
      + "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
      + "\(source)\(error.offset + token.count + 2)]"
  }

  private static func invalid(_ problem: String, at column: Int) -> DruidError {
    .badRequest(
      "Cannot construct instance of `org.apache.druid.sql.http.SqlQuery`, problem: \(problem)"
        + "\(source)\(column)]",
      errorClass: "com.fasterxml.jackson.databind.exc.ValueInstantiationException")
  }

  /// Reads a text. Like Jackson, it accepts numbers and booleans as well.
  private static func text(_ json: JSONValue, _ key: String) throws -> String? {
    switch json[key] {
    case nil, .null: return nil
    case .string(let text): return text
    case .number(let text): return text
    case .bool(let truth): return truth ? "true" : "false"
    case .array, .object: throw mismatch(key)
    }
  }

  private static func truth(_ json: JSONValue, _ key: String) throws -> Bool {
    switch json[key] {
    case nil, .null: return false
    case .bool(let truth): return truth
    case .string("true"), .string("True"), .string("TRUE"): return true
    case .string("false"), .string("False"), .string("FALSE"), .string(""): return false
    case .number(let text) where Int64(text) != nil: return Int64(text) != 0
    default: throw mismatch(key)
    }
  }

  private static func mismatch(_ key: String) -> DruidError {
    .badRequest(
      "Cannot deserialize value (through reference chain: "
        + "org.apache.druid.sql.http.SqlQuery[\"\(key)\"])",
      errorClass: "com.fasterxml.jackson.databind.exc.MismatchedInputException")
  }

  private mutating func read(context: JSONValue) throws {
    guard case .object(let members) = context else { throw Self.mismatch("context") }
    if let word = context["sqlQueryId"] ?? context["queryId"], !word.isNull {
      guard let text = word.text else {
        throw HTMLError(message: "class java.lang.Integer cannot be cast to class java.lang.String")
      }
      id = text
    }
    self.context = members
    for member in members { try read(setting: member.key, member.value) }
  }

  private mutating func read(setting name: String, _ value: JSONValue) throws {
    switch name {
    case "timeout":
      guard let limit = Self.integer(value), limit >= 0 else { throw Self.unparsable(name, value) }
      timeoutMilliseconds = limit == 0 ? nil : limit
    case "sqlTimeZone":
      // A value of another type is an unknown zone, which is UTC.
      if let zone = value.text { timeZone = zone }
    case "useApproximateCountDistinct":
      approximatesCountDistinct = try Self.setting(name, value)
    case "useApproximateTopN": approximatesTopN = try Self.setting(name, value)
    case "skipEmptyBuckets": skipsEmptyBuckets = try Self.setting(name, value)
    case "groupByEnableMultiValueUnnesting":
      groupsMultipleValues = try Self.setting(name, value)
    case "sqlCurrentTimestamp":
      guard let now = value.integer ?? value.text.flatMap(Self.time) else {
        throw Self.unparsable(name, value)
      }
      nowMilliseconds = now
    case "vectorize":
      let word = value.text ?? value.jsonText
      guard ["true", "false", "force"].contains(word.lowercased()) else {
        throw DruidError.invalidInput(
          "Expected key [vectorize] to be referring to one of the values [FALSE,TRUE,FORCE] of "
            + "enum [Vectorize], but got [\(word)]")
      }
      forcesVectors = word.lowercased() == "force"
    case "sqlStringifyArrays": format.stringifiesArrays = try Self.setting(name, value)
    case "sqlOuterLimit":
      guard let limit = Self.integer(value) else {
        if case .string(let word) = value {
          throw DruidError.uncategorized(
            "Expected key [\(name)] to be in long format, but got [\(word)]")
        }
        throw Self.unparsable(name, value)
      }
      guard limit >= 0 else { throw DruidError.uncategorized("limit == null || limit >= 0") }
      outerLimit = Int(limit)
    case "maxSubqueryRows", "maxSubqueryBytes":
      // Queries that the limit would not stop are answered. Bytes may also be "auto" or "disabled".
      let isWord = name == "maxSubqueryBytes" && Self.integer(value) == nil
      let selects = query.uppercased().split(separator: "SELECT", omittingEmptySubsequences: false)
      guard isWord || Self.integer(value) ?? 0 >= 100_000 || selects.count <= 2 else {
        throw DruidError.unsupported("\(name) of \(value.jsonText) is not supported here")
      }
    case "maxNumericInFilters":
      guard Self.integer(value) == -1 else {
        throw DruidError.unsupported("\(name) of \(value.jsonText) is not supported here")
      }
    default: break
    }
  }

  private static func integer(_ value: JSONValue) -> Int64? {
    value.integer ?? value.text.flatMap { Int64($0) }
  }

  /// Parses an ISO 8601 time, in UTC unless it names a zone.
  private static func time(_ text: String) -> Int64? {
    (TimePoint(rfc3339: text) ?? TimePoint(spelling: text, now: TimePoint(milliseconds: 0)))?
      .milliseconds
  }

  private static func setting(_ name: String, _ value: JSONValue) throws -> Bool {
    if let truth = value.bool { return truth }
    guard let text = value.text else { throw unparsable(name, value) }
    return text.lowercased() == "true"
  }

  private static func unparsable(_ name: String, _ value: JSONValue) -> DruidError {
    .invalidInput(
      "Query context parse failed: Expected key [\(name)] in [context] to be of another type, "
        + "got [\(value.text ?? value.jsonText)]")
  }
}

/// The servlet container's error page, of which only the status matters.
struct HTMLError: Error {
  var status = 500
  var message: String

  static let overflow = HTMLError(
    message: "javax.servlet.ServletException: java.lang.StackOverflowError")
}
