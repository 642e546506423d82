import JavaValues

extension Resolver {
  /// A call of a function, an aggregate or a window function.
  func call(
    _ call: FunctionCall, in scope: Scope, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard call.name.parts.count == 1 else {
      throw .unknown("A function with a qualified name", at: range)
    }
    let name = call.function
    if !call.hasParentheses {
      return try clock(name, call.name, at: range)
    }
    if call.over != nil { return try window(name, call, in: scope, place, at: range) }
    if Self.aggregates.contains(name) {
      return try aggregate(name, call, in: scope, place, at: range)
    }
    if Self.windowFunctions.contains(name) {
      throw SQLFailure("OVER clause is necessary for window functions", at: range)
    }
    guard call.isDistinct == nil, call.orderBy.isEmpty, call.withinGroup.isEmpty,
      call.filter == nil, call.nulls == nil
    else { throw .unknown("This form of \(name)", at: range) }
    if name.hasPrefix("JSON_") || call.json != nil {
      return try jsonCall(name, call, in: scope, place, at: range)
    }
    let arguments = try self.arguments(call, in: scope, place)
    switch name {
    case "COALESCE", "NVL", "IFNULL": return try coalesce(name, arguments, at: range)
    case "GREATEST", "LEAST": return try extreme(name, arguments, at: range)
    case "NULLIF": return try nullIf(arguments, at: range)
    case "CURRENT_TIMESTAMP": return try clock(arguments, at: range)
    case "SCALAR_IN_ARRAY": return try scalarInArray(arguments, at: range)
    default: return try scalar(name, arguments, at: range)
    }
  }

  func arguments(
    _ call: FunctionCall, in scope: Scope, _ place: Place
  ) throws(SQLFailure) -> [TypedExpression] {
    var typed: [TypedExpression] = []
    for argument in call.arguments {
      switch argument {
      case .expression(let expression):
        typed.append(try resolve(expression, in: scope, place))
      case .star(let position): throw .unknown("A star here", at: position.range)
      case .named(let name, _): throw .unknown("A named argument", at: name.range)
      case .query(let query): throw .unknown("A query as an argument", at: query.range)
      case .table(let name): throw .unknown("A table as an argument", at: name.range)
      case .defaultValue(let position): throw .unknown("DEFAULT", at: position.range)
      }
    }
    return typed
  }

  /// CURRENT_TIMESTAMP and its like; other bare words are columns that do not exist.
  private func clock(
    _ word: String, _ name: Name, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    switch word {
    case "CURRENT_TIMESTAMP": return try clock([], at: range)
    case "CURRENT_DATE":
      let now = settings.nowMilliseconds
      guard isUTC else {
        return TypedExpression(
          .call("TIME_FLOOR", [long(now), text("P1D"), null, text(settings.timeZone)]),
          .date.nullable(false), range)
      }
      return TypedExpression(
        .constant(.long(CivilTime.midnight(now))), .date.nullable(false), range)
    case "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "CURRENT_ROLE", "CURRENT_PATH",
      "CURRENT_CATALOG", "CURRENT_SCHEMA":
      throw SQLFailure("Column '\(name.text)' not found in any table", at: range)
    default: throw .unknown(word, at: range)
    }
  }

  /// CURRENT_TIMESTAMP, cut to so many digits of a second.
  private func clock(
    _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var now = settings.nowMilliseconds
    if let digits = arguments.first {
      guard arguments.count == 1, case .long(let count)? = digits.constant else {
        throw .unknown("This CURRENT_TIMESTAMP", at: range)
      }
      guard (0...3).contains(count) else {
        throw SQLFailure(
          "Argument to function 'CURRENT_TIMESTAMP' must be a valid precision between '0' and '3'",
          at: digits.range)
      }
      now -= CivilTime.floorRemainder(now, [1_000, 100, 10, 1][Int(count)])
    }
    return TypedExpression(.constant(.long(now)), .timestamp.nullable(false), range)
  }

  // MARK: Scalar functions

  private func scalar(
    _ given: String, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let name = arrayName(given, arguments)
    guard let signature = FunctionSignature.scalars[name] else {
      if FunctionSignature.unsupported.contains(name) { throw .unknown(name, at: range) }
      let list = arguments.map { "<\($0.type.family)>" }.joined(separator: ", ")
      throw SQLFailure("No match found for function signature \(name)(\(list))", at: range)
    }
    guard signature.accepts(count: arguments.count) else {
      throw SQLFailure(
        "Invalid number of arguments to function '\(name)'. Was expecting "
          + "\(signature.required) arguments", at: range)
    }
    var arguments = arguments
    try refuseNull(name, arguments, at: range)
    for index in arguments.indices {
      arguments[index] = try operand(
        arguments[index], signature.operand(at: index), of: name, arguments, at: range)
    }
    if !Self.readsMultiple.contains(name), arguments.contains(where: \.isMultiple),
      !Self.maps(name, arguments)
    {
      throw .unknown("\(name) of a multi-value column", at: range)
    }
    guard let type = result(signature, arguments) else {
      throw .unknown("\(name) of these types", at: range)
    }
    try checkArrays(name, arguments, at: range)
    if Self.timeFunctions.contains(name) { return try timeCall(name, arguments, type, at: range) }
    return try finished(name, arguments, type, signature, at: range)
  }

  private func finished(
    _ name: String, _ arguments: [TypedExpression], _ type: SQLType,
    _ signature: FunctionSignature, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var canonical = name
    switch name {
    case "CHARACTER_LENGTH", "LENGTH", "STRLEN": canonical = "CHAR_LENGTH"
    case "SUBSTR": canonical = "SUBSTRING"
    case "TRUNC": canonical = "TRUNCATE"
    case "CEILING": canonical = "CEIL"
    case "TEXTCAT": canonical = "CONCAT"
    case "DIV": canonical = "/"
    case "MOD":
      if arguments[0].isConstant, case .long(0)? = arguments[1].constant {
        throw SQLFailure(
          "/ by zero", at: nil, category: .uncategorized, errorCode: "general", persona: "ADMIN")
      }
    case "TIME_IN_INTERVAL": return try inInterval(arguments, type, at: range)
    case "REGEXP_LIKE", "REGEXP_EXTRACT":
      try checkPattern(name, arguments[1])
    case "MV_TO_ARRAY":
      // Druid takes a column here and fails on everything else.
      guard arguments[0].isColumn else { throw .unknown("MV_TO_ARRAY of this", at: range) }
    case "STRING_FORMAT":
      guard
        arguments.dropFirst().allSatisfy({
          $0.type.isCharacter || $0.type.isIntegral || $0.type.isReal && !$0.isWild
        })
      else {
        throw .unknown("STRING_FORMAT of these types", at: range)
      }
    case "SUBSTRING":
      guard
        arguments.dropFirst().allSatisfy({
          if case .long(let value)? = $0.constant { value > 0 } else { false }
        })
      else { throw .unknown("SUBSTRING with such bounds", at: range) }
      if arguments[0].type.kind != .varchar {
        // A constant is cut in planning, and NULL has no place there.
        guard case .long(let start)? = arguments[1].constant, let text = arguments[0].text,
          start <= text.utf16.count
        else { throw .unknown("SUBSTRING of this CHAR", at: range) }
      }
    case "REPEAT", "LEFT", "RIGHT", "LPAD", "RPAD":
      guard case .long(let value)? = arguments[1].constant,
        value > 0 || name == "REPEAT" || value == 0 && (name == "LEFT" || name == "RIGHT")
      else {
        throw .unknown("\(name) with such a length", at: range)
      }
    case "ARRAY_QUANTILE":
      guard arguments[0].type.element?.isNumeric == true, arguments[1].isConstant,
        !arguments[1].isWild
      else { throw .unknown("This ARRAY_QUANTILE", at: range) }
    case "SAFE_DIVIDE":
      guard !arguments.contains(where: \.isWild) else {
        throw .unknown("SAFE_DIVIDE of what may be infinite", at: range)
      }
    default: break
    }
    var result = TypedExpression(.call(canonical, arguments), type, range)
    result.isWild =
      type.isReal
      && (signature.isWild && !isTame(name, arguments) || arguments.contains(where: \.isWild))
    if [
      "STRING_TO_MV", "ARRAY_TO_MV", "MV_APPEND", "MV_PREPEND", "MV_CONCAT", "MV_SLICE",
      "MV_FILTER_ONLY", "MV_FILTER_NONE",
    ].contains(name) || Self.maps(name, arguments) {
      result.isMultiple = true
    }
    return result
  }

  /// Whether a function of constants is known to give a plain number.
  private func isTame(_ name: String, _ arguments: [TypedExpression]) -> Bool {
    let values: [Double] = arguments.compactMap {
      switch $0.constant {
      case .long(let value): Double(value)
      case .double(let value): value
      default: nil
      }
    }
    guard values.count == arguments.count, let first = values.first else { return false }
    switch name {
    case "SQRT": return first >= 0
    case "LN", "LOG10": return first > 0
    case "EXP": return first < 700
    case "SIN", "COS", "TAN": return true
    case "COT": return first != 0
    case "ASIN", "ACOS": return abs(first) <= 1
    case "POWER": return (1...1_000).contains(first) && abs(values[1]) <= 100
    default: return false
    }
  }

  private static let timeFunctions: Set<String> = [
    "TIME_FLOOR", "TIME_CEIL", "TIME_SHIFT", "TIME_EXTRACT", "TIME_PARSE", "TIME_FORMAT",
    "DATE_TRUNC",
  ]

  /// Functions that take a multi-value column as it is.
  private static let readsMultiple: Set<String> = [
    "MV_LENGTH", "MV_CONTAINS", "MV_OVERLAP", "MV_TO_STRING", "MV_OFFSET", "MV_ORDINAL",
    "MV_FILTER_ONLY", "MV_FILTER_NONE", "MV_TO_ARRAY", "MV_APPEND", "MV_PREPEND", "MV_CONCAT",
    "MV_SLICE", "MV_OFFSET_OF", "MV_ORDINAL_OF",
  ]

  /// Whether a function is one that Druid maps over the values of its one multi-value operand.
  static func maps(_ name: String, _ arguments: [TypedExpression]) -> Bool {
    let known: Set<String> = [
      "||", "CONCAT", "TEXTCAT", "UPPER", "LOWER", "REPLACE", "REVERSE", "LTRIM", "RTRIM", "BTRIM",
      "SUBSTRING", "SUBSTR", "LEFT", "RIGHT", "LPAD", "RPAD", "REPEAT", "REGEXP_EXTRACT",
      "REGEXP_REPLACE", "COALESCE",
    ]
    guard known.contains(name), let first = arguments.first(where: \.isMultiple) else {
      return false
    }
    return arguments.allSatisfy { $0 == first || !$0.isMultiple }
  }

  private func operand(
    _ value: TypedExpression, _ operand: FunctionSignature.Operand, of name: String,
    _ all: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let type = value.type
    if type.kind == .null && operand != .multiple && operand != .array && operand != .arrayOrText {
      if operand == .constantText || operand == .constantInteger || operand == .time {
        return value
      }
      throw .unknown("\(name) of NULL", at: range)
    }
    let fits: Bool
    switch operand {
    case .any: fits = true
    case .number: fits = type.isNumeric
    case .integer: fits = type.isIntegral
    case .string: fits = type.isCharacter
    case .time:
      if type.isCharacter { return try castText(value, to: .timestamp, at: range) }
      fits = type.isTime
    case .boolean: fits = type.kind == .boolean
    case .array: fits = type.isArray
    case .json: fits = type.kind == .complex("json")
    case .constantText: fits = value.text != nil
    case .constantInteger:
      if case .long? = value.constant { fits = type.isIntegral } else { fits = false }
    case .multiple: fits = type.isCharacter
    case .scalar: fits = type.isCharacter || type.isNumeric
    case .arrayOrText:
      if type.isCharacter {
        return TypedExpression(
          .call("TEXT AS ARRAY", [value]),
          SQLType(.array(.varchar), isNullable: type.isNullable), value.range)
      }
      fits = type.isArray
    case .printable:
      if type.isIntegral || type.isApproximate {
        return TypedExpression(.call("PRINT", [value]), .varchar.nullable(type.isNullable))
      }
      fits = type.isCharacter
    case .address: fits = type.isCharacter || type.isIntegral && !type.isNullable
    }
    if fits { return value }
    // Calcite casts strings and numbers to each other here; Druid's own functions check more. Not known case by case.
    let mayBeCast =
      type.isCharacter || type.isNumeric || type.kind == .boolean || operand == .constantText
    if operand == .printable || operand == .arrayOrText || operand == .address {
      throw .unknown("\(name) of \(type.sqlName)", at: range)
    }
    if name.hasPrefix("HUMAN_READABLE_") { throw .cannotApply(name, all.map(\.type), at: range) }
    if mayBeCast || operand == .constantInteger || operand == .multiple || operand == .array {
      throw .unknown("\(name) of \(type.sqlName)", at: range)
    }
    throw .cannotApply(name, all.map(\.type), at: range)
  }

  private func result(
    _ signature: FunctionSignature, _ arguments: [TypedExpression]
  ) -> SQLType? {
    let nullable = signature.isNullable || arguments.contains { $0.type.isNullable }
    let type: SQLType?
    switch signature.result {
    case .boolean: type = .boolean
    case .integer: type = .integer
    case .bigint: type = .bigint
    case .double: type = .double
    case .varchar: type = .varchar
    case .timestamp: type = .timestamp
    case .json: type = .json
    case .argument(let index): type = arguments[index].type
    case .arrayOf(let index): type = SQLType(.array(arguments[index].type))
    case .elementOf(let index): type = arguments[index].type.element
    case .varcharArray: type = SQLType(.array(.varchar))
    case .common: type = SQLType.leastRestrictive(arguments.map(\.type))
    case .custom(let rule): return rule(arguments)
    }
    return type?.nullable(nullable)
  }
}
