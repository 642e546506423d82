/// Items of FROM of which the result is not certain.
extension SQLFailure {
  static func lateral(at range: SourceRange) -> SQLFailure {
    .unknown("LATERAL", at: range)
  }

  static func aliasedJoin(at range: SourceRange) -> SQLFailure {
    .unknown("An alias behind a parenthesised join", at: range)
  }

  static func tableFunction(_ call: FunctionCall) -> SQLFailure {
    .unknown("The table function \(call.function)", at: call.name.range)
  }

  /// A column of strings gives a NULL for a row without values in an inner join as well; of arrays it
  /// is not certain.
  static func leftUnnest(at range: SourceRange) -> SQLFailure {
    .unknown("LEFT JOIN of UNNEST", at: range)
  }

  static func manyUnnested(at range: SourceRange) -> SQLFailure {
    .unknown("UNNEST of several arrays or WITH ORDINALITY", at: range)
  }

  static func unnestedNulls(at range: SourceRange) -> SQLFailure {
    .unknown("UNNEST of nothing but NULL", at: range)
  }

  static func nothingInCommon(at range: SourceRange) -> SQLFailure {
    .unknown("NATURAL JOIN of nothing in common", at: range)
  }

  static func joinCondition(at range: SourceRange) -> SQLFailure {
    .unknown("A join condition that is not a comparison", at: range)
  }

  static func joinedTypes(at range: SourceRange) -> SQLFailure {
    .unknown("USING columns of different types", at: range)
  }
}
