/// What Druid's validator refuses in words that are always the same.
enum Invalid: String, CaseIterable {
  // MARK: Clauses

  /// GROUPING without GROUP BY.
  case groupingOutside = "GROUPING operator may only occur in an aggregate query"

  /// GROUPING of something else than a key of GROUP BY.
  case groupingOperand = "Argument to GROUPING operator must be a grouped expression"

  /// QUALIFY filters by window functions.
  case qualifyWithoutWindow = "QUALIFY expression must contain a window function"

  // MARK: Calls

  /// A bare NULL where Druid wants a value.
  case nullArgument = "Illegal use of 'NULL'"

  /// No context gives the type of a DATE parameter, which Druid sends as a number.
  case dynamicParameter = "Illegal use of dynamic parameter"

  /// RANK and the others that compute over a window alone.
  case noOver = "OVER clause is necessary for window functions"

  /// Only aggregates choose rows.
  case filterOfScalar = "FILTER must be applied to aggregate function"

  // MARK: Types

  /// WHEN of something else than a condition.
  case notBoolean = "Expected a boolean type"

  /// Results that are neither all texts, numbers or times.
  case mixedCase = "Illegal mixing of types in CASE or COALESCE statement"

  /// `ARRAY[]`
  case emptyArray = "Require at least 1 argument"

  /// The elements of an array have one type.
  case mixedArray = "Parameters must be of the same type"

  /// Rows of VALUES that differ in width, or in the types of a column.
  case mixedValues = "Values passed to VALUES operator must have compatible types"

  /// Druid sorts NULL first, and last when it descends.
  case nullsLast = "ASCENDING ordering with NULLS LAST is not supported!"

  /// The same for a descending order, in which NULL comes last.
  case nullsFirst = "DESCENDING ordering with NULLS FIRST is not supported!"

  // MARK: Names

  /// A number in GROUP BY or ORDER BY that is the position of no item.
  case ordinalOutOfRange = "Ordinal out of range"

  /// There are no columns that it could stand for.
  case starWithoutFrom = "SELECT * requires a FROM clause"

  /// With DISTINCT, Druid sorts by items alone.
  case notSelected = "Expression is not in the select clause"
}

extension SQLFailure {
  static func invalid(_ what: Invalid, at range: SourceRange?) -> SQLFailure {
    SQLFailure(what.rawValue, at: range, rule: "\(what)")
  }
}
