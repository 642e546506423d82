/// The refusal of a statement, in the terms of Druid's errors. Parser, resolver and translator
/// throw it.
package struct SQLFailure: Error, Equatable, Sendable {
  /// Druid's error categories. Each has its HTTP status.
  package enum Category: String, Sendable {
    case invalidInput = "INVALID_INPUT"
    case unsupported = "UNSUPPORTED"
    case defensive = "DEFENSIVE"
    case runtimeFailure = "RUNTIME_FAILURE"
    case uncategorized = "UNCATEGORIZED"
    /// The planner overflows its stack, and the container answers with a page of its own.
    case overflow = "OVERFLOW"
  }

  package var category: Category
  /// `invalidInput`, `general`, ...
  package var errorCode: String
  package var persona: String
  /// The message without the position, which Druid appends as ` (line [1], column [8])`.
  var message: String
  var range: SourceRange?
  /// For an unexpected token: its text. `expected` has the acceptable tokens.
  var token: String?
  var expected: String?
  /// What refuses the statement: the name of a restriction or an error in `Restrictions`. Druid has
  /// no such name; tests tell by it which rule a statement meets.
  var rule: String

  package init(
    _ message: String, at range: SourceRange?, category: Category = .invalidInput,
    errorCode: String = "invalidInput", persona: String = "USER", rule: String = #function
  ) {
    self.category = category
    self.errorCode = errorCode
    self.persona = persona
    self.message = message
    self.range = range
    self.rule = rule
  }

  /// The message as Druid sends it, with position and acceptable tokens.
  package var errorMessage: String {
    var text = message
    if let range { text += " (line [\(range.line)], column [\(range.column)])" }
    if let expected { text += ", acceptable options: \(expected)" }
    return text
  }

  /// The members of the error's `context`, all strings, in Druid's order.
  package var context: [(key: String, value: String)] {
    guard errorCode == "invalidInput" else { return [] }
    var pairs = [(key: "sourceType", value: "sql")]
    if let range {
      pairs.append(("line", String(range.line)))
      pairs.append(("column", String(range.column)))
      pairs.append(("endLine", String(range.endLine)))
      pairs.append(("endColumn", String(range.endColumn)))
    }
    if let token { pairs.append(("token", token)) }
    if let expected { pairs.append(("expected", expected)) }
    return pairs
  }
}
