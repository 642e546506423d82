import DruidSQL
import Plumbing

/// An error as Druid sends it: a status, and a JSON body in one of three forms.
struct DruidError: Error, Equatable {
  var status: Int
  var body: JSONValue
  /// Whether the answer has the query's ids. Requests that could not be parsed have none.
  var hasQueryID = true

  /// A statement refused by parser, resolver or translator.
  init(_ failure: SQLFailure) {
    self = .druidException(
      failure.category, code: failure.errorCode, persona: failure.persona, failure.errorMessage,
      context: failure.context.map { JSONValue.Member(key: $0.key, value: .string($0.value)) })
  }

  private init(status: Int, body: JSONValue, hasQueryID: Bool = true) {
    self.status = status
    self.body = body
    self.hasQueryID = hasQueryID
  }

  /// The same error with more text after its message.
  func saying(_ words: String) -> DruidError {
    guard case .object(let members) = body else { return self }
    var error = self
    error.body = .object(
      members.map { member in
        member.key == "errorMessage"
          ? .init(key: member.key, value: .string((member.value.text ?? "") + words)) : member
      })
    return error
  }

  /// A request that this server does not support, in the form of a `druidException`.
  static func unsupported(_ message: String) -> DruidError {
    druidException(.unsupported, code: "unsupported", message)
  }

  static func invalidInput(_ message: String) -> DruidError {
    druidException(.invalidInput, code: "invalidInput", message)
  }

  static func uncategorized(_ message: String) -> DruidError {
    druidException(.uncategorized, code: "general", persona: "ADMIN", message)
  }

  /// The query's timeout passed before its first row.
  static func timeout(_ id: String) -> DruidError {
    legacy(
      504, name: "Query timeout", errorClass: "org.apache.druid.query.QueryTimeoutException",
      category: "TIMEOUT", message: "Query [\(id)] timed out!")
  }

  /// The server runs too many queries at once.
  static func capacityExceeded() -> DruidError {
    legacy(
      429, name: "Query capacity exceeded",
      errorClass: "org.apache.druid.query.QueryCapacityExceededException",
      category: "CAPACITY_EXCEEDED",
      message: "Too many concurrent queries, total query capacity of 1 exceeded. "
        + "Please try your query again later.")
  }

  static func cancelled() -> DruidError {
    legacy(
      500, name: "Query cancelled", errorClass: "org.apache.druid.query.QueryInterruptedException",
      category: "CANCELED", message: "Query cancelled")
  }

  /// An error while rows were computed.
  static func runtime(_ message: String, errorClass: String) -> DruidError {
    legacy(
      500, name: "Unknown exception", errorClass: errorClass, category: "RUNTIME_FAILURE",
      message: message)
  }

  /// A request body that is not a query: the old form, without a category.
  static func badRequest(_ message: String, errorClass: String) -> DruidError {
    DruidError(
      status: 400,
      body: .object([
        "error": .string("Unknown exception"), "errorMessage": .string(message),
        "errorClass": .string(errorClass), "host": .null,
      ]), hasQueryID: false)
  }

  private static func legacy(
    _ status: Int, name: String, errorClass: String, category: String, message: String
  ) -> DruidError {
    DruidError(
      status: status,
      body: .object([
        "error": .string(name), "errorClass": .string(errorClass), "host": .null,
        "errorCode": .string("legacyQueryException"), "persona": .string("OPERATOR"),
        "category": .string(category), "errorMessage": .string(message),
        "context": .object([
          "host": .null, "errorClass": .string(errorClass), "legacyErrorCode": .string(name),
        ]),
      ]))
  }

  private static func druidException(
    _ category: SQLFailure.Category, code: String, persona: String = "USER", _ message: String,
    context: [JSONValue.Member] = []
  ) -> DruidError {
    let status =
      switch category {
      case .invalidInput: 400
      case .unsupported: 501
      case .defensive, .runtimeFailure, .uncategorized, .overflow: 500
      }
    return DruidError(
      status: status,
      body: .object([
        "error": .string("druidException"), "errorCode": .string(code),
        "persona": .string(persona), "category": .string(category.rawValue),
        "errorMessage": .string(message), "context": .object(context),
      ]))
  }
}
