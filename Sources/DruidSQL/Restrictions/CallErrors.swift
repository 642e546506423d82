/// What Druid says of calls: how many arguments they have, and which.
extension SQLFailure {
  /// - Parameter count: the fewest arguments that the function takes.
  static func argumentCount(
    of function: String, _ count: Int, at range: SourceRange
  ) -> SQLFailure {
    SQLFailure(
      "Invalid number of arguments to function '\(function)'. Was expecting \(count) arguments",
      at: range)
  }

  /// Druid wants the value when it plans.
  static func notLiteral(_ function: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Argument to function '\(function)' must be a literal", at: range)
  }

  /// Operands of types that the operator or function does not take.
  static func cannotApply(
    _ name: String, _ types: [SQLType], at range: SourceRange
  ) -> SQLFailure {
    let list = types.map { "<\($0.signature)>" }
    let isOperator = name.allSatisfy { !$0.isLetter }
    let shown =
      isOperator && list.count == 2
      ? "\(list[0]) \(name) \(list[1])" : "\(name)(\(list.joined(separator: ", ")))"
    return SQLFailure("Cannot apply '\(name)' to arguments of type '\(shown)'", at: range)
  }

  /// DISTINCT or ALL in front of the arguments of a scalar function.
  static func quantifier(_ function: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("DISTINCT/ALL not allowed with \(function) function", at: range)
  }

  /// `(a, b)` where a single value belongs.
  static func rowOperand(_ name: String, at range: SourceRange) -> SQLFailure {
    SQLFailure("Cannot apply '\(name)' to arguments of type '\(name)(<RECORDTYPE>)'", at: range)
  }

  /// LAG and LEAD look at single rows.
  static func frameOfRank(at range: SourceRange) -> SQLFailure {
    SQLFailure(
      "ROW/RANGE not allowed with RANK, DENSE_RANK, ROW_NUMBER or PERCENTILE_CONT/DISC functions",
      at: range)
  }

  /// CURRENT_TIMESTAMP(n), where n is a number of digits of a second.
  static func clockPrecision(at range: SourceRange) -> SQLFailure {
    SQLFailure(
      "Argument to function 'CURRENT_TIMESTAMP' must be a valid precision between '0' and '3'",
      at: range)
  }

  // MARK: What Druid's planner fails on

  /// Druid has no order in the groups of an aggregate.
  static func withinGroup(_ function: String) -> SQLFailure {
    .unplannable("Aggregation [\(function)() WITHIN GROUP ([0])] is not supported")
  }

  /// The operand that Calcite takes for a literal, counted from 0.
  static func operandNotLiteral(_ index: Int) -> SQLFailure {
    .planning("Calcite assertion violated: [not a literal: $\(index)]")
  }

  /// EARLIEST and LATEST choose by a column that the rows do not have.
  static var noTimeColumn: SQLFailure {
    .unplannable(
      "LATEST and EARLIEST aggregators implicitly depend on the __time column, but the table "
        + "queried doesn't contain a __time column.  Please use LATEST_BY or EARLIEST_BY and "
        + "specify the column explicitly.")
  }

  /// EARLIEST or LATEST that keeps NULL bytes of a text.
  static var lengthOfNull: SQLFailure {
    .uncategorized("Cannot invoke \"java.lang.Number.intValue()\" because \"value\" is null")
  }

  /// EARLIEST, LATEST or ANY_VALUE that keeps fewer than 0 bytes of a text.
  static var negativeLength: SQLFailure { .uncategorized("maxStringBytes must be greater than 0") }

  /// An aggregate that may collect no bytes.
  static var emptyCollection: SQLFailure {
    .uncategorized("Error while applying rule DruidQueryRule(AGGREGATE)")
  }

  /// STRING_AGG and LISTAGG put a text between the others.
  static func nullSeparator(_ function: String) -> SQLFailure {
    .unplannable("Aggregation [\(function)($0, $1)] is not supported")
  }

  /// STRING_AGG and LISTAGG need their separator when they are planned.
  static func computedSeparator(_ function: String) -> SQLFailure {
    .unplannable("the separator of \(function) must be a literal")
  }

  // MARK: What Druid may take, with a result that is not certain

  /// A function that Druid has and this module does not compute.
  static func function(_ name: String, at range: SourceRange) -> SQLFailure {
    .unknown(name, at: range)
  }

  /// An aggregate that Druid computes over windows and this module does not.
  static func windowFunction(_ name: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(name) OVER", at: range)
  }

  /// A scalar function with ORDER BY or a treatment of NULLs.
  static func formOfCall(_ name: String, at range: SourceRange) -> SQLFailure {
    .unknown("This form of \(name)", at: range)
  }

  /// A call with operands for which the result is not recorded.
  static func call(_ name: String, at range: SourceRange) -> SQLFailure {
    .unknown("This \(name)", at: range)
  }

  /// An operand for which the result is not recorded.
  static func operand(of name: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(name) of this", at: range)
  }

  /// Operands that each fit, and together have no type that is certain.
  static func operands(of name: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(name) of these types", at: range)
  }

  /// A type that the function may take, with a result that is not recorded.
  static func operandType(of name: String, _ type: SQLType, at range: SourceRange) -> SQLFailure {
    .unknown("\(name) of \(type.sqlName)", at: range)
  }

  /// A multi-value column that Druid may expand, in an aggregate that reads it as one value.
  static func multiValueOperand(of name: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(name) of a multi-value column", at: range)
  }

  /// A bare NULL where the function wants an array or a truth.
  static func nullOperand(of name: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(name) of NULL", at: range)
  }

  /// A unit, period or pattern that comes from the rows.
  static func computedText(of name: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(name) of a text that is not a literal", at: range)
  }

  /// A query or another form that does not have a value, as an argument.
  static func argument(of name: String, at range: SourceRange) -> SQLFailure {
    .unknown("This argument of \(name)", at: range)
  }

  /// An argument of a scalar function that does not have a value.
  static func argumentForm(_ argument: FunctionCall.Argument, of call: FunctionCall) -> SQLFailure {
    switch argument {
    case .star(let position): .unknownIdentifier("*", at: position.range)
    case .named(let name, _): .unknown("A named argument", at: name.range)
    case .query(let query): .unknown("A query as an argument", at: query.range)
    case .table(let name): .unknown("A table as an argument", at: name.range)
    case .defaultValue(let position): .unknown("DEFAULT", at: position.range)
    case .expression(let expression): .argument(of: call.function, at: expression.range)
    }
  }
}
