import JavaValues

/// What Druid says of literals, parameters and constant texts that stand for times.
extension SQLFailure {
  /// A number of more digits than Druid holds.
  static func numberOutOfRange(_ digits: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Numeric literal '\(digits)' out of range", at: range)
  }

  /// DATE, TIME or TIMESTAMP with a text of another form.
  static func timeLiteral(
    _ kind: String, _ text: String, form: String, at range: SourceRange
  ) -> SQLFailure {
    SQLFailure("Illegal \(kind) literal '\(text)': not in format '\(form)'", at: range)
  }

  /// INTERVAL with a text that does not have the fields that its units name.
  static func intervalLiteral(_ literal: IntervalLiteral, at range: SourceRange) -> SQLFailure {
    let until = literal.qualifier.until.map { " TO " + $0.rawValue } ?? ""
    return SQLFailure(
      "Illegal interval literal format '\(literal.text)' for INTERVAL "
        + literal.qualifier.from.rawValue + until, at: range)
  }

  /// Whether it refuses the text of an INTERVAL.
  var isWrongInterval: Bool { rule.hasPrefix("intervalLiteral") }

  /// The text of TIME_IN_INTERVAL behind the slash.
  static func intervalEnd(_ text: Substring, at range: SourceRange) -> SQLFailure {
    SQLFailure(
      "Function 'TIME_IN_INTERVAL' second argument is not a valid ISO8601 interval: "
        + "Invalid format: \"\(text)\"", at: range)
  }

  // MARK: What Druid's planner fails on

  /// Druid reads X'...' and has no such values.
  static func binaryLiteral(_ digits: String) -> SQLFailure {
    .planning(
      "Cannot handle literal [X'\(digits)':BINARY(\(digits.count / 2))] of unsupported type "
        + "[BINARY].")
  }

  /// Druid reads TIME '...' and has no such values.
  static func clockLiteral(_ text: String) -> SQLFailure {
    .planning("Cannot handle literal [\(text)] of unsupported type [TIME].")
  }

  /// A text that does not spell a time, in the place of one.
  static func timeConstant(_ text: String, _ kind: SQLType.Kind) -> SQLFailure {
    let (name, type) = kind == .date ? ("DATE", "DATE") : ("TIMESTAMP", "TIMESTAMP(3)")
    return .planning("Illegal \(name) constant [CAST('\(text)'):\(type) NOT NULL]")
  }

  /// TIME_FLOOR, TIME_CEIL and TIME_SHIFT of a text that does not spell a period.
  static func period(_ text: String, of function: String) -> SQLFailure {
    function == "TIME_SHIFT"
      ? .uncategorized("Invalid format: \"\(text)\"")
      : .planning(
        "Invalid period['\(text)'] specified for expression: [Invalid format: \"\(text)\"]")
  }

  /// A period such as P0D.
  static var zeroPeriod: SQLFailure {
    .uncategorized("zero period is not acceptable in PeriodGranularity!")
  }

  /// FLOOR or CEIL to a unit that has no period.
  static var unitWithoutPeriod: SQLFailure { .uncategorized("args") }

  /// TIME_EXTRACT of a unit that Java does not name.
  static func extractedUnit(_ unit: String) -> SQLFailure {
    .uncategorized(
      "No enum constant org.apache.druid.query.expression.TimestampExtractExprMacro.Unit." + unit)
  }

  /// DATE_TRUNC to a word other than a unit.
  static func truncatedUnit(_ unit: String) -> SQLFailure {
    .planning("Operator[DATE_TRUNC] cannot truncate to[\(unit)]")
  }

  /// A wrong INTERVAL in the FILTER of an aggregate, where Calcite's validator does not look.
  static var intervalInFilter: SQLFailure { .runtime("while converting the condition of FILTER") }

  /// The text of TIME_IN_INTERVAL, which the planner finds as it reduces constants.
  static func invalidInterval(of call: SourceRange) -> SQLFailure {
    SQLFailure(
      "From line \(call.line), column \(call.column) to line \(call.endLine), column "
        + "\(call.endColumn): Function 'TIME_IN_INTERVAL' second argument is not a valid ISO8601 "
        + "interval", at: nil, category: .runtimeFailure, errorCode: "general")
  }

  // MARK: What Druid may take, with a result that is not certain

  /// Druid breaks the answer off, or gives a number for a text.
  static func dateParameter(as type: String, at range: SourceRange) -> SQLFailure {
    .unknown("CAST of a DATE parameter as \(type)", at: range)
  }

  /// An SQL type that has no values in this module.
  static func type(_ name: TypeName) -> SQLFailure {
    .unknown("The type \(name.name)", at: name.range)
  }

  /// A text that names a time zone, in a query with another zone.
  static func time(_ text: String, at range: SourceRange) -> SQLFailure {
    .unknown("The time '\(text)'", at: range)
  }

  /// The same as a DATE, which starts at midnight in the zone of the query.
  static func timeAsDate(_ text: String, at range: SourceRange) -> SQLFailure {
    .unknown("The time '\(text)' as a date", at: range)
  }
}
