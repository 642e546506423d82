/// The kinds of refusal, by the form that Druid gives them.
///
/// `rule` is the name of what refuses: the function or property that calls.
extension SQLFailure {
  /// Refuses something that Druid may accept but whose result this module cannot guarantee.
  static func unknown(
    _ what: String, at range: SourceRange?, rule: String = #function
  ) -> SQLFailure {
    SQLFailure(
      "\(what) is not supported here", at: range == SourceRange.none ? nil : range,
      category: .unsupported, rule: rule)
  }

  /// What the translator has no SQL for. The binder lets it through nowhere that is known.
  static func untranslated(_ part: String, at range: SourceRange?) -> SQLFailure {
    .unknown("This \(part)", at: range)
  }

  /// More than 200 queries in one statement.
  static var manyQueries: SQLFailure { .unknown("So many queries in one", at: nil) }

  /// Refuses a query for which Druid's planner finds no plan.
  static func unplannable(_ reason: String, rule: String = #function) -> SQLFailure {
    SQLFailure(
      "Query could not be planned. A possible reason is [\(reason)]", at: nil,
      category: .invalidInput, errorCode: "general", rule: rule)
  }

  /// An integer divided by the constant zero.
  static var divisionByZero: SQLFailure { .uncategorized("/ by zero") }

  /// What Druid's planner fails on by a fault of its own.
  static func uncategorized(_ words: String, rule: String = #function) -> SQLFailure {
    SQLFailure(
      words, at: nil, category: .uncategorized, errorCode: "general", persona: "ADMIN", rule: rule)
  }

  /// What Druid fails on as it begins to run.
  static func runtime(_ words: String, rule: String = #function) -> SQLFailure {
    SQLFailure(
      words, at: nil, category: .runtimeFailure, errorCode: "general", persona: "OPERATOR",
      rule: rule)
  }

  /// What Druid's planner gives up on without a word.
  static var unhandled: SQLFailure {
    SQLFailure(
      "Unhandled Query Planning Failure, see broker logs for details", at: nil,
      category: .unsupported, errorCode: "general", persona: "ADMIN")
  }

  /// What Druid's planner does not take, whatever else the statement holds.
  static func planning(_ words: String, rule: String = #function) -> SQLFailure {
    SQLFailure(words, at: nil, category: .invalidInput, errorCode: "general", rule: rule)
  }

  /// Druid sorts a scan by `__time` alone.
  static func nonTimeOrder(_ columns: [String]) -> SQLFailure {
    unplannable(
      "SQL query requires ordering a table by non-time column [[\(columns.joined(separator: ", "))]], "
        + "which is not supported.")
  }
}
