import JavaValues

extension Resolver {
  /// A call of a function, an aggregate or a window function.
  func call(
    _ call: FunctionCall, in scope: Scope, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard call.name.parts.count == 1 else {
      let arguments = try self.arguments(call, in: scope, place)
      throw noFunction(call.name.last, arguments, at: call.name.parts.last?.range ?? range)
    }
    let name = call.function
    if !call.hasParentheses { return try clock(name, call.name, at: range) }
    if call.arguments.isEmpty, name == "CURRENT_TIMESTAMP" || name == "CURRENT_DATE" {
      throw noFunction(call.name.text, [], at: range)
    }
    let function = Function.named(name)
    if let over = call.over { return try window(call, over: over, in: scope, place, at: range) }
    if let function, function.isAggregate {
      return try aggregate(function, call, in: scope, place, at: range)
    }
    if let function, function.isWindow {
      throw .invalid(.noOver, at: range)
    }
    let arguments = try self.arguments(call, in: scope, place)
    guard let function else {
      throw noFunction(call.innerName, arguments, call.innerTypes, at: call.range)
    }
    if call.filter != nil { throw .invalid(.filterOfScalar, at: call.range) }
    if call.isDistinct != nil { throw .quantifier(name, at: call.quantifierRange) }
    guard call.orderBy.isEmpty, call.withinGroup.isEmpty, call.nulls == nil else {
      throw .formOfCall(name, at: range)
    }
    let bound = Function.Call(
      function: function.taking(arguments), name: name, arguments: arguments, json: call.json,
      range: range)
    switch bound.function.binding {
    case .signature: return try scalar(bound)
    case .custom(let bind): return try bind(self, bound)
    case .aggregate, .window, .syntax, .refused: throw .function(name, at: range)
    }
  }

  /// What Druid says of a function that it does not have.
  func noFunction(
    _ name: String, _ arguments: [TypedExpression],
    _ types: (before: [String], behind: [String]) = ([], []), at range: SourceRange
  ) -> SQLFailure {
    let families = types.before + arguments.map(\.type.family) + types.behind
    let list = families.map { "<\($0)>" }.joined(separator: ", ")
    return .noFunction("\(name)(\(list))", at: range)
  }

  func arguments(
    _ call: FunctionCall, in scope: Scope, _ place: Place
  ) throws(SQLFailure) -> [TypedExpression] {
    var typed: [TypedExpression] = []
    for argument in call.arguments {
      guard case .expression(let expression) = argument else {
        throw .argumentForm(argument, of: call)
      }
      typed.append(try resolve(expression, in: scope, place))
    }
    return typed
  }

  /// Resolves CURRENT_TIMESTAMP and similar words. Any other bare word is a column that does not
  /// exist.
  private func clock(
    _ word: String, _ name: Name, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    switch word {
    case "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "CURRENT_TIME", "LOCALTIME":
      return try clock([], at: range)
    case "CURRENT_DATE":
      let now = settings.nowMilliseconds
      guard isUTC else {
        return TypedExpression(
          .call(.timeFloor, [long(now), text("P1D"), null, text(settings.timeZone)]),
          .date.nullable(false), range)
      }
      return TypedExpression(
        .constant(.long(CivilTime.midnight(now))), .date.nullable(false), range)
    case "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "CURRENT_ROLE", "CURRENT_PATH",
      "CURRENT_CATALOG", "CURRENT_SCHEMA":
      throw .columnNotFound(name.text, at: range)
    default: throw .function(word, at: range)
    }
  }

  /// CURRENT_TIMESTAMP, truncated to a number of fractional digits.
  func clock(
    _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var now = settings.nowMilliseconds
    if let digits = arguments.first {
      guard arguments.count == 1, case .long(let count)? = digits.constant else {
        throw .uncertain(.clock, at: range)
      }
      guard (0...3).contains(count) else {
        throw .clockPrecision(at: digits.range)
      }
      now -= CivilTime.floorRemainder(now, [1_000, 100, 10, 1][Int(count)])
    }
    return TypedExpression(.constant(.long(now)), .timestamp.nullable(false), range)
  }

  // MARK: Scalar functions

  /// The arguments of a call, checked and cast as the signature says.
  func checked(_ call: Function.Call) throws(SQLFailure) -> [TypedExpression] {
    let (function, name) = (call.function, call.name)
    let signature = function.signature
    var arguments = call.arguments
    guard signature.accepts(count: arguments.count) else {
      throw .argumentCount(of: name, signature.required, at: call.range)
    }
    for index in arguments.indices {
      arguments[index] = try operand(
        arguments[index], signature.operand(at: index), of: name, arguments, at: call.range)
      if function.traits.contains(.writesNumbers) { arguments[index] = arguments[index].held }
    }
    var checked = call
    checked.arguments = arguments
    try Restrictions.calls.check(checked)
    return arguments
  }

  /// A call by the signature of its function, and by what it asks of its arguments beyond types.
  func scalar(
    _ call: Function.Call, check: Function.Check? = nil
  ) throws(SQLFailure) -> TypedExpression {
    let function = call.function
    let arguments = try checked(call)
    guard let type = function.signature.result(arguments) else {
      throw .operands(of: call.name, at: call.range)
    }
    if case .signature(let check?) = function.binding { try check(self, arguments, call.range) }
    try check?(self, arguments, call.range)
    var result = TypedExpression(.call(function, arguments), type, call.range)
    result.isWild =
      type.isReal
      && (function.traits.contains(.wild) && !isTame(function, arguments)
        || arguments.contains(where: \.isWild))
    result.isMultiple = function.traits.contains(.givesValues) || function.maps(arguments)
    failInPlanning(result)
    return result
  }

  /// Whether the function's result for constant arguments is known to be finite.
  private func isTame(_ function: Function, _ arguments: [TypedExpression]) -> Bool {
    let values: [Double] = arguments.compactMap {
      switch $0.constant {
      case .long(let value): Double(value)
      case .double(let value): value
      default: nil
      }
    }
    if function.name == "MOD" { return arguments[1].isNonZeroConstant }
    guard values.count == arguments.count, let first = values.first else { return false }
    switch function.name {
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

  private func operand(
    _ value: TypedExpression, _ operand: FunctionSignature.Operand, of name: String,
    _ all: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let type = value.type
    if operand == .pattern { return try pattern(value, of: name, all, at: range) }
    if type.kind == .null {
      switch operand {
      case .any, .optionalString, .optionalTime, .optionalText, .scalar: return value
      case .printable: return value.isNullConstant ? value : printed(value)
      case .number:
        // Of a column of NULLs it is a decimal, and of the word nothing is known.
        return value.isNullConstant ? value : number(of: value)
      case .multiple, .address:
        return TypedExpression(.constant(.null), .varchar, value.range)
      case .array, .arrayOrText, .boolean: throw .nullOperand(of: name, at: range)
      default: throw .invalid(.nullArgument, at: value.range)
      }
    }
    let fits: Bool
    switch operand {
    case .any: fits = true
    case .number:
      if type.isCharacter { return number(of: value) }
      fits = type.isNumeric
    case .strictNumber: fits = type.isNumeric
    case .integer: fits = type.isIntegral
    case .string, .optionalString: fits = type.isCharacter
    case .time, .optionalTime: fits = type.kind == .timestamp
    case .boolean: fits = type.kind == .boolean
    case .array: fits = type.isArray
    case .constantText, .optionalText:
      if type.isCharacter, value.text == nil {
        if name == "TIME_EXTRACT" {
          failInPlanning(.operandNotLiteral(1))
          return TypedExpression(.constant(.text("DAY")), .varchar, value.range)
        }
        if operand == .optionalText, value.isNullConstant { return value }
        throw .computedText(of: name, at: range)
      }
      fits = type.isCharacter
    case .pattern: fits = value.text != nil
    case .constantInteger:
      if case .long? = value.constant { fits = type.isIntegral } else { fits = false }
      if !fits, type.isIntegral { throw .operandType(of: name, type, at: range) }
    case .multiple:
      if type.isNumeric { return printed(value) }
      fits = type.isCharacter
    case .scalar: fits = type.isCharacter || type.isNumeric
    case .arrayOrText:
      if type.isCharacter {
        return TypedExpression(
          .operation(.valuesOfText, [value]),
          SQLType(.array(.varchar), isNullable: type.isNullable), value.range)
      }
      fits = type.isArray
    case .printable:
      if type.isNumeric || type.isTime || type.kind == .boolean { return printed(value) }
      fits = type.isCharacter
    case .address: fits = type.isCharacter || type.isIntegral
    }
    if fits { return value }
    if operand == .arrayOrText || operand == .array {
      throw .operandType(of: name, type, at: range)
    }
    throw .cannotApply(name, all.map(\.type), at: range)
  }

  /// A value as Druid's expressions turn it into text.
  func printed(_ value: TypedExpression) -> TypedExpression {
    if value.type.isCharacter { return value }
    let value = value.held
    let type = SQLType.varchar.nullable(value.type.isNullable)
    if value.type.isNumeric {
      return TypedExpression(.operation(.print, [value]), type, value.range)
    }
    if value.isNullConstant { return TypedExpression(.constant(.null), .varchar, value.range) }
    return TypedExpression(.cast(value), type, value.range)
  }

  /// A text as the number that it spells, a decimal to Calcite.
  func number(of value: TypedExpression) -> TypedExpression {
    var result = TypedExpression(
      .cast(value),
      SQLType(.decimal(precision: 19, scale: 9), isNullable: value.type.isNullable), value.range)
    result.isWild = value.text.map { JavaNumber.double($0)?.isFinite != true } ?? true
    return result
  }

  /// The pattern of one of Druid's own search functions: a literal other than a bare NULL.
  private func pattern(
    _ value: TypedExpression, of name: String, _ all: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if value.isNullConstant { throw .invalid(.nullArgument, at: value.range) }
    if !value.isConstant {
      throw .notLiteral(name, at: value.range)
    }
    if value.text != nil { return value }
    if value.constant != nil, !value.type.isCharacter {
      throw .cannotApply(name, all.map(\.type), at: range)
    }
    throw .operandType(of: name, value.type, at: range)
  }
}

extension Function {
  /// Whether Druid calls the function for each value of its only multi-value argument.
  func maps(_ arguments: [TypedExpression]) -> Bool {
    guard traits.contains(.mapsValues), let first = arguments.first(where: \.isMultiple) else {
      return false
    }
    return arguments.allSatisfy { $0 == first || !$0.isMultiple }
  }

  /// A function of multi-values that is called with an array of strings is the ARRAY_ function of
  /// that name.
  fileprivate func taking(_ arguments: [TypedExpression]) -> Function {
    guard traits.contains(.takesArrays), arguments.first?.type.element?.isCharacter == true else {
      return self
    }
    return Function.named("ARRAY_" + name.dropFirst(3)) ?? self
  }
}
