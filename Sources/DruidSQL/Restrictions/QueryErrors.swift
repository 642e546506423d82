/// What Druid says of statements and their clauses.
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

  /// UNNEST is joined to the rows of the left side, and there are none without them.
  static func unnestJoin(_ kind: Join.Kind) -> SQLFailure {
    .runtime("Unknown join type \(kind == .right ? "RIGHT" : "FULL")")
  }

  // MARK: What Druid's planner fails on

  /// QUALIFY over groups.
  static var qualifiedGroups: SQLFailure {
    .runtime(
      "class org.apache.calcite.rel.logical.LogicalAggregate cannot be cast to class "
        + "org.apache.calcite.rel.logical.LogicalProject")
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

  /// `TABLE t` in the place of a query.
  static func tableQuery(_ name: Name) -> SQLFailure {
    .unknown("TABLE \(name.text)", at: name.range)
  }

  /// ARRAY(SELECT ...), MULTISET(SELECT ...)
  static func collection(_ word: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(word)(query)", at: range)
  }

  /// TABLE(f(...)) of anything but APPEND, such as EXTERN.
  static func tableFunction(_ call: FunctionCall) -> SQLFailure {
    .unknown("The table function \(call.function)", at: call.name.range)
  }
}
