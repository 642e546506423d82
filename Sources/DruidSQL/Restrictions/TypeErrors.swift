/// What Druid says of values whose types do not fit together, or do not fit their place.
extension SQLFailure {
  /// WHERE, HAVING or FILTER of something else than a condition.
  static func notCondition(_ clause: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("\(clause) clause must be a condition", at: range)
  }

  /// WHEN of something else than a condition.
  static func notBoolean(at range: SourceRange) -> SQLFailure {
    SQLFailure("Expected a boolean type", at: range)
  }

  /// Results that are neither all texts, numbers or times.
  static func mixedCase(at range: SourceRange) -> SQLFailure {
    SQLFailure("Illegal mixing of types in CASE or COALESCE statement", at: range)
  }

  /// `ARRAY[]`
  static func emptyArray(at range: SourceRange) -> SQLFailure {
    SQLFailure("Require at least 1 argument", at: range)
  }

  /// The elements of an array have one type.
  static func mixedArray(at range: SourceRange) -> SQLFailure {
    SQLFailure("Parameters must be of the same type", at: range)
  }

  /// Rows of VALUES that differ in width, or in the types of a column.
  static func mixedValues(at range: SourceRange) -> SQLFailure {
    SQLFailure("Values passed to VALUES operator must have compatible types", at: range)
  }

  /// Druid sorts NULL first, and last when it descends.
  static func nullsLast(at range: SourceRange) -> SQLFailure {
    SQLFailure("ASCENDING ordering with NULLS LAST is not supported!", at: range)
  }

  /// The same for a descending order, in which NULL comes last.
  static func nullsFirst(at range: SourceRange) -> SQLFailure {
    SQLFailure("DESCENDING ordering with NULLS FIRST is not supported!", at: range)
  }

  // MARK: What Druid's planner fails on

  /// An operator of Calcite's that Druid has no expression for: ROW, ITEM.
  static func operatorNotPlanned(_ name: String) -> SQLFailure {
    .unplannable("SQL query requires '\(name)' operator that is not supported.")
  }

  /// A list of values in the place of one.
  static func listForValue(_ type: SQLType) -> SQLFailure {
    .planning(
      "Cannot coerce field [v0] from type [java.util.ArrayList] to type [\(type.sqlName)]")
  }

  /// A `+` before a text.
  static var signOfText: SQLFailure {
    .uncategorized("Uncategorized calcite error message: [java.lang.ClassCastException]")
  }

  /// An array of constant arrays.
  static var nestedArray: SQLFailure { .uncategorized("class java.util.ArrayList cannot be cast") }

  /// `||` of two arrays.
  static var joinedArrays: SQLFailure {
    .uncategorized(
      "Cannot invoke \"org.apache.druid.segment.column.TypeSignature.is"
        + "(org.apache.druid.segment.column.TypeDescriptor)\"")
  }

  /// LIKE with a pattern that is computed, as a filter and as a value.
  static func computedPattern(isFilter: Bool) -> SQLFailure {
    isFilter
      ? .operandNotLiteral(2) : .uncategorized("Function[like] pattern argument must be a literal")
  }

  /// ESCAPE of more than one character, or of none.
  static var longEscape: SQLFailure {
    .uncategorized("Function[like] escape must be null or a single character")
  }

  // MARK: What Druid may take, with a result that is not certain

  /// Operands of an operator that Druid may compare or join, with a result that is not recorded.
  static func operandTypes(
    _ op: String, _ left: SQLType, _ right: SQLType, at range: SourceRange
  ) -> SQLFailure {
    .unknown("'\(op)' of \(left.sqlName) and \(right.sqlName)", at: range)
  }

  /// `-INTERVAL ...`
  static func signOfInterval(at range: SourceRange) -> SQLFailure {
    .unknown("A sign before this", at: range)
  }

  /// Whether the text is read as a time or an interval is not certain.
  static func timeAndText(_ op: String, at range: SourceRange) -> SQLFailure {
    .unknown("'\(op)' of a time and a string", at: range)
  }

  /// In a zone other than UTC the day of the sum depends on where Druid adds.
  static func dateAndInterval(at range: SourceRange) -> SQLFailure {
    .unknown("A date and an interval", at: range)
  }

  /// The same by a function.
  static func dateInZone(at range: SourceRange) -> SQLFailure {
    .unknown("TIMESTAMPADD to a DATE in this zone", at: range)
  }

  /// A sum that overflows 64 bits of milliseconds.
  static func farTime(at range: SourceRange) -> SQLFailure {
    .unknown("A time so far away", at: range)
  }

  /// `FLOOR(NULL TO DAY)`
  static func roundedNull(_ direction: RoundDirection, at range: SourceRange) -> SQLFailure {
    .unknown("\(direction.rawValue)(NULL TO ...)", at: range)
  }

  /// `EXTRACT(DAY FROM NULL)`
  static func extractedNull(at range: SourceRange) -> SQLFailure {
    .unknown("EXTRACT from NULL", at: range)
  }

  /// An interval that is computed of rows.
  static func extractedInterval(at range: SourceRange) -> SQLFailure {
    .unknown("EXTRACT from this interval", at: range)
  }

  /// To anything but a whole number of one unit.
  static func castInterval(at range: SourceRange) -> SQLFailure {
    .unknown("CAST of an interval", at: range)
  }

  /// A CASE whose conditions or results are multi-value columns: Druid evaluates it for each value.
  static func multiValueCase(at range: SourceRange) -> SQLFailure {
    .unknown("A CASE over a multi-value column", at: range)
  }

  /// In an expression, Druid converts each of the values.
  static func multiValueNumber(at range: SourceRange) -> SQLFailure {
    .unknown("A multi-value column as a number", at: range)
  }

  /// Beside another condition Druid compares each of the values.
  static func severalNumbers(at range: SourceRange) -> SQLFailure {
    .unknown("A comparison of several numbers", at: range)
  }

  /// Calcite negates each of the tests, of which any value may satisfy each.
  static func negatedTests(at range: SourceRange) -> SQLFailure {
    .unknown("NOT of several tests of a multi-value column", at: range)
  }

  /// Calcite merges them as if there were one value.
  static func severalTests(at range: SourceRange) -> SQLFailure {
    .unknown("Several tests of one multi-value column", at: range)
  }

  /// NaN and the floats that only doubles tell apart.
  static func distinctReals(_ op: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(op) of reals", at: range)
  }

  /// Druid compares a FLOAT column with some constants as a float, with others as a double.
  static func inexactFloat(at range: SourceRange) -> SQLFailure {
    .unknown("A FLOAT compared with a constant that no float holds", at: range)
  }

  /// Druid may have turned the integer into 2 or 2.0 by then.
  static func textAsDouble(at range: SourceRange) -> SQLFailure {
    .unknown("A string as DOUBLE compared with a whole number", at: range)
  }

  /// A filter compares the number, an expression the text, and only some texts spell both.
  static func numberAsText(_ text: String, at range: SourceRange) -> SQLFailure {
    .unknown("A number as VARCHAR compared with '\(text)'", at: range)
  }

  /// Constants beside computed values, rows with NOT, and constants that a filter and an expression
  /// compare in two ways.
  static func list(at range: SourceRange) -> SQLFailure {
    .unknown("This IN list", at: range)
  }

  /// Of arrays, sketches or multi-value columns.
  static func array(at range: SourceRange) -> SQLFailure {
    .unknown("This ARRAY", at: range)
  }

  /// An interval of several units, or of a number that is none.
  static func interval(at range: SourceRange) -> SQLFailure {
    .unknown("This INTERVAL", at: range)
  }
}
