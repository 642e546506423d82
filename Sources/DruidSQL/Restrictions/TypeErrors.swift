/// What Druid says of values whose types do not fit together, or do not fit their place.
extension SQLFailure {
  /// WHERE, HAVING or FILTER of something else than a condition.
  static func notCondition(_ clause: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("\(clause) clause must be a condition", at: range)
  }

  /// IN of values whose types have nothing in common.
  static func incompatibleList(at range: SourceRange) -> SQLFailure {
    SQLFailure("Values passed to IN operator must have compatible types", at: range)
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

  /// Whether the text is read as a time or an interval is not certain.
  static func timeAndText(_ op: String, at range: SourceRange) -> SQLFailure {
    .unknown("'\(op)' of a time and a string", at: range)
  }

  /// NaN and the floats that only doubles tell apart.
  static func distinctReals(_ op: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(op) of reals", at: range)
  }

  /// A filter compares the number, an expression the text, and only some texts spell both.
  static func numberAsText(_ text: String, at range: SourceRange) -> SQLFailure {
    .unknown("A number as VARCHAR compared with '\(text)'", at: range)
  }
}
