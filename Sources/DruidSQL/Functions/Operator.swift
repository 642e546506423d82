import JavaValues

/// SQL's operators, and further operators that only the binder creates.
///
/// The raw value is the operator's name in Druid's messages. Those that only the binder creates
/// have a description instead.
enum Operator: String, Hashable, Sendable {
  case and = "AND"
  case or = "OR"
  case not = "NOT"

  case isNull = "IS NULL"
  case isNotNull = "IS NOT NULL"
  case isTrue = "IS TRUE"
  case isNotTrue = "IS NOT TRUE"
  case isFalse = "IS FALSE"
  case isNotFalse = "IS NOT FALSE"

  case equal = "="
  case notEqual = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isDistinctFrom = "IS DISTINCT FROM"
  case isNotDistinctFrom = "IS NOT DISTINCT FROM"
  /// Operands: the value, then the items.
  case isIn = "IN"
  /// Operands: the value, the pattern, and the escape character or an empty text.
  case like = "LIKE"

  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case negate = "unary -"
  case concat = "||"

  case row = "ROW"
  case array = "ARRAY"

  // MARK: Made by the binder

  /// Two comparisons: of a column, and of its CAST. A row in which they differ is refused.
  case agreed = "both of two comparisons"
  /// Compares strings by the numbers that they spell.
  case numberLess = "number <"
  case numberLessOrEqual = "number <="
  case numberGreater = "number >"
  case numberGreaterOrEqual = "number >="
  /// Whether any value lies between two bounds. Operands: a multi-value, the bounds, and the two
  /// comparison operators as text.
  case anyBetween = "any value between"
  /// MV_CONTAINS and MV_OVERLAP as functions of the whole list rather than filters; in a CASE, or
  /// as a value.
  case containsInCase = "contains, in CASE"
  case overlapsInCase = "overlaps, in CASE"
  case containsAsValue = "contains, as value"
  case overlapsAsValue = "overlaps, as value"
  /// A number as Druid's expressions print it.
  case print = "number to text"
  /// The array of a string's values, for a single value or a multi-value.
  case valuesOfText = "text to array"
  /// A multi-value as Java prints a list.
  case listText = "list to text"
  /// A condition on a multi-value column that is true when it holds for any of the values. Operands:
  /// the condition, the column.
  case anyValue = "for any value"
  /// Whether a double is not -0.0. With a second operand, -0.0 is refused.
  case isNotNegativeZero = "is not -0.0"
  /// A value, where the columns that follow have one value each.
  case ofOneValue = "of one value"
  /// Whether any of the answers to a test of a multi-value's values is true.
  case anyTrue = "any of the answers"
  /// The first value of a multi-value.
  case firstValue = "first value"
  /// Operands: a time, a number of months (or milliseconds), a zone.
  case addMonths = "add months"
  case addMilliseconds = "add milliseconds"
  /// Operands: from, to, months per unit, a zone.
  case monthsBetween = "months between"
  /// Operands: from, to, milliseconds per unit, a zone.
  case millisecondsBetween = "milliseconds between"
  /// What a join sees of an aggregate that Druid finalizes only in the outermost query: not known,
  /// or NULL.
  case unfinished = "unfinished"
  case unfinishedNull = "unfinished null"

  var isComparison: Bool { mirrored != nil || self == .equal || self == .notEqual }

  /// Whether it tests equality, whatever it does with NULL.
  var isEquality: Bool {
    switch self {
    case .equal, .notEqual, .isDistinctFrom, .isNotDistinctFrom: true
    default: false
    }
  }

  /// IS TRUE, IS FALSE and their negations.
  var isTestOfTruth: Bool {
    [.isTrue, .isNotTrue, .isFalse, .isNotFalse].contains(self)
  }

  /// Whether it tests single values of its first operand. Any value of a multi-value may match.
  var isTestOfValue: Bool {
    switch self {
    case .isIn, .like, .isNull, .isNotNull, .anyBetween: true
    default: isComparison || isEquality
    }
  }

  /// The comparison with its operands exchanged; nil for operators other than `<`, `<=`, `>`, `>=`.
  var mirrored: Operator? {
    switch self {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    default: nil
    }
  }

  /// The negated comparison; nil for operators other than `<`, `<=`, `>`, `>=`.
  var opposite: Operator? {
    switch self {
    case .less: .greaterOrEqual
    case .lessOrEqual: .greater
    case .greater: .lessOrEqual
    case .greaterOrEqual: .less
    default: nil
    }
  }

  /// The same comparison of the numbers that strings spell.
  var ofNumbers: Operator? {
    switch self {
    case .less: .numberLess
    case .lessOrEqual: .numberLessOrEqual
    case .greater: .numberGreater
    case .greaterOrEqual: .numberGreaterOrEqual
    default: nil
    }
  }
}

// MARK: - SQLite functions of operators and casts

extension Operator {
  static let kernels: [Kernel] = arithmetic + casts + tests + valueLists + checks

  private static let arithmetic: [Kernel] = [
    .longs("add_long", arity: 2...Kernel.mostArguments) { $0 &+ $1 },
    .longs("subtract_long", arity: 2...Kernel.mostArguments) { $0 &- $1 },
    .longs("multiply_long", arity: 2...Kernel.mostArguments) { $0 &* $1 },
    .longs("divide_long", arity: 2...Kernel.mostArguments) { left, right throws(ValueFailure) in
      try Arithmetic.divide(left, right)
    },
    .strict("negate_long", 1) { arguments, _ throws(ValueFailure) in
      .integer(0 &- (try arguments.long(0)))
    },
    .doubles("add_double") { $0 + $1 }, .doubles("subtract_double") { $0 - $1 },
    .doubles("multiply_double") { $0 * $1 }, .doubles("divide_double") { $0 / $1 },
    .double("negate_double") { -$0 },
    .strict("add_months", 3) { arguments, context throws(ValueFailure) in
      var period = Period()
      period.months = 1
      let zone = try context.zone(try arguments.text(2))
      return .integer(
        period.added(to: try arguments.long(0), times: try arguments.long(1), zone: zone))
    },
    .strict("months_between", 3) { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(2))
      return .integer(
        CivilTime.months(
          from: zone.local(try arguments.long(0)), to: zone.local(try arguments.long(1))))
    },
  ]

  private static let casts: [Kernel] = [
    .strict("double_to_long", 1) { arguments, _ throws(ValueFailure) in
      .integer(JavaNumber.long(try arguments.double(0)))
    },
    .strict("double_to_float", 1) { arguments, _ throws(ValueFailure) in
      .double(Double(Float(try arguments.double(0))))
    },
    .strict("double_to_text", 1) { arguments, _ throws(ValueFailure) in
      .text(JavaNumber.text(try arguments.double(0)))
    },
    .strict("float_print", 1) { arguments, _ throws(ValueFailure) in
      let value = try arguments.double(0)
      let text = JavaNumber.text(value)
      guard text == JavaNumber.text(Float(value)) else {
        throw .unsupported("A FLOAT whose text depends on the way of its cast")
      }
      return .text(text)
    },
    .strict("text_to_long", 1) { arguments, _ throws(ValueFailure) in
      JavaNumber.long(try arguments.text(0)).map { .integer($0) } ?? .null
    },
    .strict("text_to_double", 1) { arguments, _ throws(ValueFailure) in
      JavaNumber.double(try arguments.text(0)).map { .double($0) } ?? .null
    },
    // `true` in any case, or a number above 0 when it is cut to a whole one; NULL for what is neither.
    .strict("text_to_boolean", 1) { arguments, _ throws(ValueFailure) in
      truth(try arguments.text(0))
    },
    .strict("cast_array", 2) { arguments, context throws(ValueFailure) in
      let kind = try arguments.text(1)
      let cast = try context.elements(arguments[0]).map { element -> JSONTree in
        switch kind {
        case "BIGINT": element.value.integer.map { .integer($0) } ?? .null
        case "DOUBLE": element.value.double.map { .real($0) } ?? .null
        default: element.value.text.map { .string($0) } ?? .null
        }
      }
      return .text(JSONTree.array(cast).text)
    },
    .strict("time_to_text", 2) { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      return .text(TimeText.sql(try arguments.long(0), zone: zone))
    },
    .strict("date_to_text", 2) { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      return .text(TimeText.date(try arguments.long(0), zone: zone))
    },
    // Operand: a literal's text in the query's time zone.
    .strict("local_time", 2) { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      guard let local = TimeText.parse(try arguments.text(0)) else { return .null }
      return .integer(zone.instant(literal: local))
    },
    .strict("text_to_time", 2) { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      return TimeText.parse(try arguments.text(0), zone: zone).map { .integer($0) } ?? .null
    },
    .strict("text_to_date", 2) { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      guard let time = TimeText.parse(try arguments.text(0), zone: zone) else { return .null }
      return .integer(try context.period("P1D").floor(time, zone: zone))
    },
    // For STRING_FORMAT, which tells a NaN from the text.
    .strict("format_real", 1) { arguments, _ throws(ValueFailure) in
      arguments[0] == .text("NaN") ? JavaFormat.notANumber : arguments[0]
    },
    // The low 32 bits, as Java's intValue.
    .strict("int", 1) { arguments, _ throws(ValueFailure) in
      .integer(Int64(Int32(truncatingIfNeeded: try arguments.long(0))))
    },
  ]

  /// A text as a truth.
  static func truth(_ text: String) -> SQLValue {
    switch text.lowercased() {
    case "true": .boolean(true)
    case "false": .boolean(false)
    default: JavaNumber.double(text).map { .boolean(JavaNumber.long($0) > 0) } ?? .null
    }
  }

  private static let tests: [Kernel] = [
    // The text may be a multi-value, of which any value may match. The escape may be empty.
    .strict("like", 3) { arguments, context throws(ValueFailure) in
      let pattern = context.like(try arguments.text(1), escape: try arguments.text(2))
      if case .text(let text) = arguments[0] {
        return .boolean(try pattern.matches(text, context.limits))
      }
      for text in arguments[0].texts {
        if let text, try pattern.matches(text, context.limits) { return .boolean(true) }
      }
      return .boolean(false)
    },
    // -1, 0 or 1 in Java's order of doubles, in which -0.0 precedes 0.0.
    .strict("compare_double", 2) { arguments, _ throws(ValueFailure) in
      let (one, other) = (try arguments.double(0), try arguments.double(1))
      if one.isNaN || other.isNaN { return .integer((one.isNaN ? 1 : 0) - (other.isNaN ? 1 : 0)) }
      if one != other { return .integer(one < other ? -1 : 1) }
      return .integer(
        (other.sign == .minus ? 1 : 0) - (one.sign == .minus ? 1 : 0))
    },
    // Bytes that sort as Java sorts signed bytes: non-ASCII characters come first.
    .strict("signed_text", 1) { arguments, _ throws(ValueFailure) in
      .blob(try arguments.text(0).utf8.map { $0 ^ 0x80 })
    },
    // The number of groups that tie in the preceding sort keys. Druid can't compare two collections.
    .strict("sole_collection", 1) { arguments, _ throws(ValueFailure) in
      if try arguments.long(0) > 1 {
        throw .invalid(
          "class java.util.ArrayList cannot be cast to class [Ljava.lang.Object; "
            + "(java.util.ArrayList and [Ljava.lang.Object; are in module java.base of loader "
            + "'bootstrap')")
      }
      return .integer(0)
    },
    // -1, 0 or 1 by the numbers that two texts spell. A text that is not a number is less than any
    // number.
    .strict("compare_numbers", 2) { arguments, _ throws(ValueFailure) in
      .integer(JavaNumber.compare(try arguments.text(0), try arguments.text(1)))
    },
    // Operands: a multi-value, an operator, a text. Whether any value satisfies the comparison.
    .lenient("mv_any", 3) { arguments, _ throws(ValueFailure) in
      guard let operation = arguments[1].text, let right = arguments[2].text.map(ExactText.init)
      else { return .boolean(false) }
      let holds = arguments[0].exactTexts.contains { left in
        guard let left else { return false }
        return switch operation {
        case "=": left == right
        case "<": left < right
        case "<=": left <= right
        case ">": left > right
        case ">=": left >= right
        case "<>": left != right
        default: false
        }
      }
      return .boolean(holds)
    },
    // Operands: a multi-value, two bounds, and two operators such as `>=<`. Whether any value lies
    // between.
    .lenient("mv_range", 4) { arguments, _ throws(ValueFailure) in
      let low = ExactText(try arguments.text(1))
      let high = ExactText(try arguments.text(2))
      let operators = try arguments.text(3)
      let (takesLow, takesHigh) = (operators.hasPrefix(">="), operators.hasSuffix("="))
      return .boolean(
        arguments[0].exactTexts.contains { value in
          guard let value else { return false }
          return (takesLow ? value >= low : value > low)
            && (takesHigh ? value <= high : value < high)
        })
    },
    // Operands: a multi-value and an array. Whether the array contains any value.
    .lenient("mv_in", 2) { arguments, context throws(ValueFailure) in
      let wanted = Set(try context.exactTexts(arguments[1]))
      return .boolean(
        arguments[0].exactTexts.contains { $0 != nil && wanted.contains($0) })
    },
  ]

  private static let valueLists: [Kernel] = [
    .scalar("array", 0...Kernel.mostArguments, isStrict: false) {
      arguments, _ throws(ValueFailure) in
      .text(JSONTree.array(arguments.map { JSONTree($0) }).text)
    },
    // A key that sorts as the array does among arrays of its kind.
    .strict("array_order", 1) { arguments, context throws(ValueFailure) in
      .text(try context.elements(arguments[0]).map(\.sortingText).joined())
    },
    // The values of a multi-value for json_each. NULL becomes one NULL.
    .lenient("mv_json", 1) { arguments, context throws(ValueFailure) in
      let values = arguments[0].texts
      return .text(JSONTree(texts: values.isEmpty ? [nil] : values).text)
    },
    .strict("mv_list", 1) { arguments, context throws(ValueFailure) in
      guard case .blob = arguments[0] else { return arguments[0] }
      let words = arguments[0].texts.map { $0 ?? "null" }
      return .text("[" + words.joined(separator: ", ") + "]")
    },
    // A CHAR value, padded with blanks to its length.
    .strict("pad", 2) { arguments, _ throws(ValueFailure) in
      let text = try arguments.text(0)
      let missing = try arguments.long(1).subtractingReportingOverflow(Text.length(text))
        .partialValue
      guard missing > 0 else { return .text(text) }
      return .text(text + (try Text.repeated(" ", missing) ?? ""))
    },
  ]

  /// Kernels that return their argument or fail.
  private static let checks: [Kernel] = [
    .strict("definite", 1) { arguments, _ throws(ValueFailure) in
      guard arguments[0] != .text("NaN") else {
        throw .unsupported("A value that is not a number cannot be compared here")
      }
      return arguments[0]
    },
    // Operands: a time, DATE or TIMESTAMP, a zone. Fails for times that Druid cannot write as a
    // literal.
    .lenient("constant_time", 3) { arguments, context throws(ValueFailure) in
      let isDate = arguments[1].text == "DATE"
      guard let time = arguments[0].integer else {
        let (type, name) = isDate ? ("Date", "date") : ("Timestamp", "timestamp")
        throw .uncategorized(
          "Cannot invoke \"org.apache.calcite.util.\(type)String.toString()\" because "
            + "\"\(name)String\" is null")
      }
      let zone = try context.zone(try arguments.text(2))
      let year = CivilTime.fields(zone.local(time)).year
      guard (0...9999).contains(year) else {
        throw .uncategorized(
          isDate
            ? "Invalid date format: [\(TimeText.date(time, zone: zone))]"
            : TimeText.sql(time, zone: zone))
      }
      return arguments[0]
    },
    // Fails for arrays that Druid cannot write as a literal.
    .lenient("constant_array", 1) { arguments, _ throws(ValueFailure) in
      guard let text = arguments[0].text else {
        throw .invalidConstant(
          "Cannot handle literal [null:VARCHAR ARRAY] of unsupported type [ARRAY].")
      }
      if text == "[]" { throw .uncategorized("types.size >= 1") }
      return arguments[0]
    },
    // A constant array in a query over rows, and whether its type is NOT NULL.
    .lenient("planned_array", 2) { arguments, _ throws(ValueFailure) in
      guard let text = arguments[0].text else {
        if arguments[1].integer == 0 { return .null }
        throw .invalidConstant(
          "Calcite assertion violated: [Cannot add expression of different type to set]")
      }
      if text == "[]" { throw .uncategorized("types.size >= 1") }
      return arguments[0]
    },
    // A time that is constant because of WHERE, DATE or TIMESTAMP, a zone.
    .strict("planned_time", 3) { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(2))
      let time = try arguments.long(0)
      guard (0...9999).contains(CivilTime.fields(zone.local(time)).year) else {
        throw .uncategorized(
          arguments[1].text == "DATE"
            ? "Invalid date format: [\(TimeText.date(time, zone: zone))]"
            : TimeText.sql(time, zone: zone))
      }
      return arguments[0]
    },
    // A constant list of JSON, which Druid's planner does not come to an end with.
    .strict("constant_json", 1) { arguments, _ throws(ValueFailure) in
      if try arguments.text(0) == "[]" { throw .uncategorized("types.size >= 1") }
      throw .overflow
    },
    // The type of what is a list in this row.
    .strict("refuse_list", 1) { arguments, _ throws(ValueFailure) in
      throw .invalidConstant(
        "Cannot coerce field [v0] from type [java.util.ArrayList] to type "
          + "[\(try arguments.text(0))]")
    },
    // A constant that Druid's planner does not expect to be NULL.
    .lenient("required", 1) { arguments, _ throws(ValueFailure) in
      if arguments[0].isNull { throw .invalidConstant(SQLFailure.nullForNotNull) }
      return arguments[0]
    },
    .strict("refuse", 1) { arguments, _ throws(ValueFailure) in
      throw .unsupported(try arguments.text(0))
    },
    .strict("integer", 1) { arguments, _ throws(ValueFailure) in
      // Druid's planner computes constants in 32 bits.
      .integer(Int64(Int32(truncatingIfNeeded: try arguments.long(0))))
    },
    .strict("constant", 1) { arguments, _ throws(ValueFailure) in
      guard let value = arguments[0].double, !value.isFinite else { return arguments[0] }
      throw .invalidConstant(
        "Expression evaluates to an unsupported value [\(JavaNumber.text(value))], expected "
          + "something that can be a Double.  Consider casting with 'CAST(<col> AS BIGINT)'")
    },
  ]
}
