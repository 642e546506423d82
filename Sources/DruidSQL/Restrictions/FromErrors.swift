/// Items of FROM of which the result is not certain.
extension SQLFailure {
  /// `FROM a, LATERAL (SELECT ...)`
  static func lateral(at range: SourceRange) -> SQLFailure {
    .unknown("LATERAL", at: range)
  }

  /// `FROM (a JOIN b ON ...) AS c`
  static func aliasedJoin(at range: SourceRange) -> SQLFailure {
    .unknown("An alias behind a parenthesised join", at: range)
  }

  /// TABLE(f(...)) of anything but APPEND, such as EXTERN.
  static func tableFunction(_ call: FunctionCall) -> SQLFailure {
    .unknown("The table function \(call.function)", at: call.name.range)
  }

  /// A column of strings gives a NULL for a row without values in an inner join as well; of arrays it
  /// is not certain.
  static func leftUnnest(at range: SourceRange) -> SQLFailure {
    .unknown("LEFT JOIN of UNNEST", at: range)
  }

  /// UNNEST makes one column of one array here.
  static func manyUnnested(at range: SourceRange) -> SQLFailure {
    .unknown("UNNEST of several arrays or WITH ORDINALITY", at: range)
  }

  /// The elements have no type.
  static func unnestedNulls(at range: SourceRange) -> SQLFailure {
    .unknown("UNNEST of nothing but NULL", at: range)
  }

  /// Without a column that both sides have, NATURAL joins on nothing.
  static func nothingInCommon(at range: SourceRange) -> SQLFailure {
    .unknown("NATURAL JOIN of nothing in common", at: range)
  }

  /// A bare column or NULL, which Druid may read as a truth.
  static func joinCondition(at range: SourceRange) -> SQLFailure {
    .unknown("A join condition that is not a comparison", at: range)
  }

  /// Which of the two types the merged column has is not certain.
  static func joinedTypes(at range: SourceRange) -> SQLFailure {
    .unknown("USING columns of different types", at: range)
  }
}
