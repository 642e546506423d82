/// The errors that more than one step of the analysis throws.
extension SQLFailure {
  /// Refuses something that Druid may accept but whose result this module cannot guarantee.
  package static func unknown(_ what: String, at range: SourceRange?) -> SQLFailure {
    SQLFailure(
      "\(what) is not supported here", at: range == SourceRange.none ? nil : range,
      category: .unsupported)
  }

  /// Refuses a query for which Druid's planner finds no plan.
  package static func unplannable(_ reason: String) -> SQLFailure {
    SQLFailure(
      "Query could not be planned. A possible reason is [\(reason)]", at: nil,
      category: .invalidInput, errorCode: "general")
  }

  /// An integer divided by the constant zero.
  static let divisionByZero = SQLFailure(
    "/ by zero", at: nil, category: .uncategorized, errorCode: "general", persona: "ADMIN")

  /// A bare NULL where Druid wants a value.
  static func nullArgument(at range: SourceRange) -> SQLFailure {
    SQLFailure("Illegal use of 'NULL'", at: range)
  }

  /// What Druid's planner fails on by a fault of its own.
  static func uncategorized(_ words: String) -> SQLFailure {
    SQLFailure(
      words, at: nil, category: .uncategorized, errorCode: "general", persona: "ADMIN")
  }

  /// What Druid fails on as it begins to run.
  static func runtime(_ words: String) -> SQLFailure {
    SQLFailure(
      words, at: nil, category: .runtimeFailure, errorCode: "general", persona: "OPERATOR")
  }

  /// What Druid's planner gives up on without a word.
  static let unhandled = SQLFailure(
    "Unhandled Query Planning Failure, see broker logs for details", at: nil,
    category: .unsupported, errorCode: "general", persona: "ADMIN")

  /// What Druid's planner does not take, whatever else the statement holds.
  static func planning(_ words: String) -> SQLFailure {
    SQLFailure(words, at: nil, category: .invalidInput, errorCode: "general")
  }

  package static func nonTimeOrder(_ columns: [String]) -> SQLFailure {
    unplannable(
      "SQL query requires ordering a table by non-time column [[\(columns.joined(separator: ", "))]], "
        + "which is not supported.")
  }

  package static func cannotApply(
    _ name: String, _ types: [SQLType], at range: SourceRange
  ) -> SQLFailure {
    let list = types.map { "<\($0.signature)>" }
    let isOperator = name.allSatisfy { !$0.isLetter }
    let shown =
      isOperator && list.count == 2
      ? "\(list[0]) \(name) \(list[1])" : "\(name)(\(list.joined(separator: ", ")))"
    return SQLFailure("Cannot apply '\(name)' to arguments of type '\(shown)'", at: range)
  }
}
