/// Functions and operators as SQL for SQLite.
extension Translator {
  func call(
    _ function: Function, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    if function.maps(operands), !isMapping(operands) { return try map(operands, whole) }
    return try function.spelt(
      Function.Spelt(values: try texts(operands), operands: operands, whole: whole, zone: zone))
  }

  func operation(
    _ op: Operator, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    switch op {
    case .and, .or: return Self.balanced((try texts(operands))[...], op.rawValue)
    case .not: return "(NOT \(try text(operands[0])))"
    case .isNull, .isNotNull, .isTrue, .isNotTrue, .isFalse, .isNotFalse:
      return "(\(try text(operands[0])) \(op.rawValue))"
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      return try comparison(op, operands, whole)
    case .isDistinctFrom, .isNotDistinctFrom:
      if operands.contains(where: \.isMultiple) { throw .function(op.rawValue, at: whole.range) }
      let sides = try texts(operands)
      return "(\(sides[0]) \(op == .isDistinctFrom ? "IS NOT" : "IS") \(sides[1]))"
    case .isIn: return try inList(operands)
    case .like: return try kernel("like", operands)
    case .add, .subtract, .multiply, .divide: return try arithmetic(op, operands, whole)
    case .negate: return try kernel(whole.type.isReal ? "negate_double" : "negate_long", operands)
    case .concat:
      if Function.concat.maps(operands), !isMapping(operands) { return try map(operands, whole) }
      return "(" + (try texts(operands)).joined(separator: " || ") + ")"
    case .array: return try kernel("array", operands)
    case .agreed:
      // Druid's filter ignores the CAST of the column, so rows for which that matters are refused.
      let sides = try texts(operands)
      let words = "'A CAST in a filter, which Druid leaves out, is not supported for these values'"
      return
        "CASE WHEN \(sides[0]) IS \(sides[1]) THEN \(sides[0]) ELSE druid_refuse(\(words)) END"
    case .numberLess: return try numbers("<", operands)
    case .numberLessOrEqual: return try numbers("<=", operands)
    case .numberGreater: return try numbers(">", operands)
    case .numberGreaterOrEqual: return try numbers(">=", operands)
    case .anyBetween:
      let subject = try text(operands[0])
      return "CASE WHEN \(subject) IS NULL THEN NULL ELSE \(try kernel("mv_range", operands)) END"
    case .containsInCase: return try listTest("mv_contains", operands, isValue: false)
    case .overlapsInCase: return try listTest("mv_overlap", operands, isValue: false)
    case .containsAsValue: return try listTest("mv_contains", operands, isValue: true)
    case .overlapsAsValue: return try listTest("mv_overlap", operands, isValue: true)
    case .print: return print(operands[0].type, try text(operands[0]))
    case .valuesOfText: return try kernel("mv_to_array", operands)
    case .listText: return try kernel("mv_list", operands)
    case .anyValue: return try anyValue(operands[0], of: operands[1])
    case .isNotNegativeZero:
      return "(druid_double_to_text(\(try text(operands[0]))) <> '-0.0')"
    case .ofOneValue:
      let tests = try operands.dropFirst().map { (column) throws(SQLFailure) in
        "typeof(\(try text(column))) = 'blob'"
      }
      return
        "CASE WHEN \(tests.joined(separator: " OR ")) THEN "
        + "druid_refuse_list(\(quoted(operands[0].type.sqlName))) ELSE \(try text(operands[0])) END"
    case .anyTrue:
      let answers = try text(operands[0])
      return
        "CASE typeof(\(answers)) WHEN 'blob' THEN (SELECT MAX(value) FROM json_each(CAST("
        + "\(answers) AS TEXT))) ELSE \(answers) END"
    case .firstValue: return "druid_mv_offset(\(try text(operands[0])), 0)"
    case .addMonths: return try kernel("add_months", operands)
    case .addMilliseconds:
      if operands[1].constant == nil { return try kernel("add_long", operands) }
      return "(\((try texts(operands)).joined(separator: " + ")))"
    case .millisecondsBetween:
      let values = try texts(operands)
      return "((\(values[1]) - \(values[0])) / \(values[2]))"
    case .monthsBetween:
      let values = try texts(operands)
      return "(druid_months_between(\(values[0]), \(values[1]), \(values[3])) / \(values[2]))"
    case .row: throw .function(op.rawValue, at: whole.range)
    case .unfinished, .unfinishedNull:
      throw .uncertain(.unfinishedAggregate, at: whole.range)
    }
  }

  private func kernel(
    _ name: String, _ operands: [TypedExpression]
  ) throws(SQLFailure) -> String {
    "druid_\(name)(\((try texts(operands)).joined(separator: ", ")))"
  }

  /// A chain of AND or OR as a balanced tree. SQLite refuses expressions more than a thousand
  /// levels high, and each link of a plain chain is one level.
  private static func balanced(_ parts: ArraySlice<String>, _ name: String) -> String {
    guard parts.count > 64 else { return "(" + parts.joined(separator: " \(name) ") + ")" }
    let middle = parts.startIndex + parts.count / 2
    return "(\(balanced(parts[..<middle], name)) \(name) \(balanced(parts[middle...], name)))"
  }

  // MARK: Functions of each value of a multi-value

  /// Whether the multi-value operand currently stands for one of its values.
  private func isMapping(_ operands: [TypedExpression]) -> Bool {
    guard let mapped else { return false }
    return operands.contains { $0 == mapped.expression }
  }

  /// Calls a function for each value of a multi-value.
  private func map(
    _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    guard let multiple = operands.first(where: \.isMultiple) else {
      throw .untranslated("expression", at: whole.range)
    }
    let outer = mapped
    let subject = try text(multiple)
    maps += 1
    let name = "m\(maps)"
    mapped = (multiple, name + ".value")
    let each = try text(whole)
    mapped = (multiple, subject)
    let single = try text(whole)
    mapped = outer
    return
      "CASE typeof(\(subject)) WHEN 'blob' THEN (SELECT CAST(json_group_array(\(each)) AS BLOB) "
      + "FROM json_each(druid_mv_json(\(subject))) AS \(name)) ELSE \(single) END"
  }

  /// Whether a condition holds for any value of a column.
  private func anyValue(
    _ condition: TypedExpression, of column: TypedExpression
  ) throws(SQLFailure) -> String {
    let subject = try text(column)
    maps += 1
    let name = "m\(maps)"
    let outer = mapped
    mapped = (column, name + ".value")
    let test = try text(condition)
    mapped = outer
    return
      "CASE WHEN \(subject) IS NULL THEN NULL ELSE EXISTS (SELECT 1 FROM "
      + "json_each(druid_mv_json(\(subject))) AS \(name) WHERE \(test)) END"
  }

  // MARK: Comparisons

  private func comparison(
    _ op: Operator, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    guard operands.contains(where: \.isMultiple) else {
      let sides = try texts(operands)
      if op.mirrored != nil, operands.allSatisfy(\.type.isArray) {
        return "(druid_array_order(\(sides[0])) \(op.rawValue) druid_array_order(\(sides[1])))"
      }
      if op.mirrored != nil, tellsZeros(op, operands) {
        return "(druid_compare_double(\(sides[0]), \(sides[1])) \(op.rawValue) 0)"
      }
      return "(\(sides[0]) \(op.rawValue) \(sides[1]))"
    }
    var (column, value, op) = (operands[0], operands[1], op)
    if value.isMultiple {
      (column, value) = (value, column)
      op = op.mirrored ?? op
    }
    let subject = try text(column)
    if !column.type.isCharacter, !value.isMultiple {
      // Of numbers made of several values there is none to compare.
      let other = try text(value)
      return
        "CASE typeof(\(subject)) WHEN 'blob' THEN NULL ELSE (\(subject) \(op.rawValue) \(other)) END"
    }
    guard value.text != nil else {
      throw .uncertain(.comparedValues, at: whole.range)
    }
    let any = op == .notEqual ? .equal : op
    let test = "druid_mv_any(\(subject), '\(any.rawValue)', \(try text(value)))"
    return
      "CASE WHEN \(subject) IS NULL THEN NULL ELSE \(op == .notEqual ? "NOT " : "")\(test) END"
  }

  /// Whether a comparison of doubles can tell -0.0 from 0.0. In Java -0.0 is less than 0.0; `> 0`
  /// and `<= 0` give the same result for both.
  private func tellsZeros(_ op: Operator, _ operands: [TypedExpression]) -> Bool {
    if operands.allSatisfy({ $0.type.isReal && !$0.isConstant }) { return true }
    let isZero = operands.map { $0.constant == .long(0) || $0.constant == .double(0) }
    guard operands.contains(where: { $0.type.isReal && !$0.isConstant }) else { return false }
    return isZero[1] && (op == .less || op == .greaterOrEqual)
      || isZero[0] && (op == .greater || op == .lessOrEqual)
  }

  private func inList(_ operands: [TypedExpression]) throws(SQLFailure) -> String {
    let subject = try text(operands[0])
    let items = try texts(Array(operands.dropFirst()))
    guard operands[0].isMultiple else {
      return "(\(subject) IN (\(items.joined(separator: ", "))))"
    }
    return
      "CASE WHEN \(subject) IS NULL THEN NULL ELSE druid_mv_in(\(subject), druid_array(\(items.joined(separator: ", ")))) END"
  }

  /// Compares strings by the numbers that they spell.
  private func numbers(
    _ sign: String, _ operands: [TypedExpression]
  ) throws(SQLFailure) -> String {
    "(\(try kernel("compare_numbers", operands)) \(sign) 0)"
  }

  private func listTest(
    _ name: String, _ operands: [TypedExpression], isValue: Bool
  ) throws(SQLFailure) -> String {
    let values = try texts(operands)
    let second = operands[1].type.isArray ? values[1] : "druid_array(\(values[1]))"
    let call = "druid_\(name)(\(values[0]), \(second))"
    // As a value it is false for what has none.
    return isValue ? "CASE WHEN \(values[0]) IS NULL THEN 0 ELSE \(call) END" : call
  }

  // MARK: Arithmetic

  private func arithmetic(
    _ op: Operator, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    let word =
      switch op {
      case .add: "add"
      case .subtract: "subtract"
      case .multiply: "multiply"
      default: "divide"
      }
    guard whole.type.isReal else {
      return "druid_\(word)_long(\((try chain(op, operands)).joined(separator: ", ")))"
    }
    let sides = try texts(operands)
    let isPlain =
      !operands.contains(where: \.isWild) && (op != .divide || operands[1].isNonZeroConstant)
    if isPlain { return "(\(sides[0]) \(op.rawValue) \(sides[1]))" }
    return "druid_\(word)_double(\(sides[0]), \(sides[1]))"
  }

  /// The operands of `a + b + c` in one list, because SQLite's parser limits the depth of nested
  /// calls.
  private func chain(
    _ op: Operator, _ operands: [TypedExpression]
  ) throws(SQLFailure) -> [String] {
    guard case .operation(op, let inner) = operands[0].node, operands[0].type.isIntegral,
      inner.count == 2, mapped?.expression != operands[0]
    else { return try texts(operands) }
    return try chain(op, inner) + [try text(operands[1])]
  }

  /// A number as Druid's expressions print it, with floats as doubles.
  private func print(_ type: SQLType, _ value: String) -> String {
    type.isReal ? "druid_double_to_text(\(value))" : "CAST(\(value) AS TEXT)"
  }
}

// MARK: - Times in integer arithmetic

extension Translator {
  /// TIME_FLOOR, in integer arithmetic where the period has a fixed length in UTC.
  static func floor(_ time: String, period: String, origin: String, zone: String) -> String {
    if isUTC(zone), origin == "NULL", let length = FixedPeriod(period), length.months == 0 {
      if length.milliseconds % 604_800_000 == 0 {
        if period.uppercased() == "P1W" {
          // 1970-01-05 was a Monday.
          return "(\(time) - (((\(time) - 345600000) % 604800000 + 604800000) % 604800000))"
        }
      } else if !period.contains("D") || period == "P1D" {
        let size = length.milliseconds
        return "(\(time) - ((\(time) % \(size) + \(size)) % \(size)))"
      }
    }
    return "druid_time_floor(\(time), \(quoted(period)), \(origin), \(quoted(zone)))"
  }

  /// TIME_EXTRACT, in integer arithmetic where the unit has a fixed length in UTC.
  static func extract(_ time: String, _ unit: String, zone: String) -> String {
    if isUTC(zone) {
      switch unit {
      case "HOUR": return "((\(time) % 86400000 + 86400000) % 86400000 / 3600000)"
      case "MINUTE": return "((\(time) % 3600000 + 3600000) % 3600000 / 60000)"
      case "SECOND": return "((\(time) % 60000 + 60000) % 60000 / 1000)"
      default: break
      }
    }
    return "druid_time_extract(\(time), \(quoted(unit)), \(quoted(zone)))"
  }

  private static func isUTC(_ zone: String) -> Bool { zone == "UTC" || zone == "Etc/UTC" }
}
