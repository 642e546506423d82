/// What Druid says of names that stand for nothing, or for more than one thing.
///
/// It looks up all names of an expression before it checks the calls in it.
extension SQLFailure {
  /// A column is looked up in its own case in the tables of FROM.
  static func columnNotFound(
    _ name: String, near: String? = nil, at range: SourceRange
  ) -> SQLFailure {
    SQLFailure("Column '\(name)' not found in any table\(hint(near))", at: range)
  }

  /// The same with the name of a table before it.
  static func columnNotInTable(
    _ name: String, in table: String, near: String?, at range: SourceRange
  ) -> SQLFailure {
    SQLFailure("Column '\(name)' not found in table '\(table)'\(hint(near))", at: range)
  }

  /// More than one table of FROM has such a column, or more than one item such a name.
  static func ambiguousColumn(_ name: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Column '\(name)' is ambiguous", at: range)
  }

  /// No item of FROM has the name that qualifies a column.
  static func tableNotFound(_ name: String, near: String?, at range: SourceRange) -> SQLFailure {
    SQLFailure("Table '\(name)' not found\(hint(near))", at: range)
  }

  /// No table or schema of the catalog has that name.
  static func objectNotFound(
    _ name: String, in schema: String? = nil, near: String? = nil, at range: SourceRange
  ) -> SQLFailure {
    let place = schema.map { " within '\($0)'" } ?? ""
    return SQLFailure("Object '\(name)' not found\(place)\(hint(near))", at: range)
  }

  /// APPEND names a datasource that does not exist.
  static func noAppendedTable(_ name: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Table [\(name)] not found", at: range)
  }

  /// Two items of FROM with one name.
  static func duplicateRelation(_ name: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Duplicate relation name '\(name)' in FROM clause", at: range)
  }

  /// A star that stands for no columns, or the name of a type that Druid does not have.
  static func unknownIdentifier(_ name: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Unknown identifier '\(name)'", at: range)
  }

  /// OVER names a window that WINDOW does not define.
  static func windowNotFound(_ name: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Window '\(name)' not found", at: range)
  }

  /// A function or a form of SQL that Druid does not have.
  static func noFunction(_ signature: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("No match found for function signature \(signature)", at: range)
  }

  /// `FROM t AS a (b, c)` with more or fewer names than columns.
  static func aliasCount(
    _ aliases: Int, of columns: Int, at range: SourceRange
  ) -> SQLFailure {
    SQLFailure(
      "List of column aliases must have same degree as table; table has \(columns) columns, whereas "
        + "alias list has \(aliases) columns", at: range)
  }

  /// Whether it says that a column of the name is not grouped.
  func names(_ column: String) -> Bool {
    message == Self.notGrouped(column, at: .none).message
  }

  /// A column that is neither a key of GROUP BY nor inside an aggregate.
  static func notGrouped(_ name: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Expression '\(name)' is not being grouped", at: range)
  }

  /// Counts the parameters of the request from 1.
  static func noParameter(_ number: Int) -> SQLFailure {
    SQLFailure("No value bound for parameter (position [\(number)])", at: nil)
  }

  private static func hint(_ near: String?) -> String {
    near.map { "; did you mean '\($0)'?" } ?? ""
  }
}
