/// What Druid says of clauses, and clauses of which the result is not certain.
extension SQLFailure {
  /// Another statement than SELECT, WITH, VALUES or EXPLAIN.
  static func noQuery(_ kind: String) -> SQLFailure {
    kind == "INSERT" || kind == "REPLACE"
      ? SQLFailure(
        "\(kind) operations are not supported by requested SQL engine [native], consider using "
          + "MSQ.", at: nil)
      : SQLFailure("Non-query expression encountered in illegal context", at: nil)
  }

  /// Without GROUP BY or an aggregate among the items.
  static func sortedAggregate(at range: SourceRange) -> SQLFailure {
    SQLFailure(
      "Aggregate expression is illegal in ORDER BY clause of non-aggregating SELECT", at: range)
  }

  /// GROUPING without GROUP BY.
  static func groupingOutside(at range: SourceRange) -> SQLFailure {
    SQLFailure("GROUPING operator may only occur in an aggregate query", at: range)
  }

  /// GROUPING of something else than a key of GROUP BY.
  static func groupingOperand(at range: SourceRange) -> SQLFailure {
    SQLFailure("Argument to GROUPING operator must be a grouped expression", at: range)
  }

  /// The queries of a set operation return the same number of columns.
  static func columnCount(_ operation: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Column count mismatch in \(operation)", at: range)
  }

  /// TABLE(APPEND(...)) names datasources by constant strings.
  static func appendedLiteral(_ number: Int, at range: SourceRange) -> SQLFailure {
    SQLFailure(
      "All arguments to APPEND should be literal strings. Argument #\(number) is not string",
      at: range)
  }

  // MARK: What Druid's planner fails on

  /// Calcite makes a union of two grouping sets that are alike, whose branches are not scans.
  static var nonScanUnion: SQLFailure {
    .unplannable(
      "SQL requires union between inputs that are not simple table scans and involve a filter "
        + "or aliasing. Or column types of tables being unioned are not of same type.")
  }

  /// A window over a datasource, with no column of it in the query.
  static var scanWithoutColumns: SQLFailure {
    .unplannable("Cannot convert to Scan query without any columns.")
  }

  /// A result of one of Java's smaller integers.
  static func smallInteger(_ column: Relation.Column) -> SQLFailure {
    .planning(
      "Cannot coerce field [\(column.name)] from type [java.lang.Integer] to type "
        + "[\(column.type.sqlName)]")
  }

  // MARK: What Druid may take, with a result that is not certain

  /// A query that reads its own result.
  static func recursive(at range: SourceRange) -> SQLFailure {
    .unknown("WITH RECURSIVE", at: range)
  }

  /// `TABLE t` in the place of a query.
  static func tableQuery(_ name: Name) -> SQLFailure {
    .unknown("TABLE \(name.text)", at: name.range)
  }

  /// A filter on window functions.
  static func qualify(at range: SourceRange) -> SQLFailure {
    .unknown("QUALIFY", at: range)
  }

  /// `(SELECT ...) ORDER BY x`
  static func sortBehindParentheses(at range: SourceRange) -> SQLFailure {
    .unknown("ORDER BY or LIMIT behind parentheses", at: range)
  }

  /// What orders VALUES is known for VALUES in FROM.
  static func sortedValues(at range: SourceRange) -> SQLFailure {
    .unknown("VALUES with ORDER BY or OFFSET", at: range)
  }

  /// A row of VALUES that is computed.
  static func row(at range: SourceRange) -> SQLFailure {
    .unknown("This row", at: range)
  }

  /// A LIMIT or OFFSET other than a number, or less than 0.
  static func limit(at range: SourceRange) -> SQLFailure {
    .unknown("This LIMIT or OFFSET", at: range)
  }

  /// Druid drops it from some queries and refuses others.
  static func constantOrder(at range: SourceRange) -> SQLFailure {
    .unknown("ORDER BY a constant", at: range)
  }

  /// A multi-value column, a sketch or JSON.
  static func order(at range: SourceRange) -> SQLFailure {
    .unknown("ORDER BY this", at: range)
  }

  /// Some of the numbers are converted, depending on the plan.
  static func unionTypes(at range: SourceRange?) -> SQLFailure {
    .unknown("UNION ALL of different types", at: range)
  }

  /// GROUP BY that drops grouping sets that are alike.
  static func groupByDistinct(at range: SourceRange) -> SQLFailure {
    .unknown("GROUP BY DISTINCT", at: range)
  }

  /// More than six expressions.
  static func largeCube(at range: SourceRange) -> SQLFailure {
    .unknown("So large a CUBE", at: range)
  }

  /// More than 64.
  static func manySets(at range: SourceRange) -> SQLFailure {
    .unknown("So many grouping sets", at: range)
  }
}
