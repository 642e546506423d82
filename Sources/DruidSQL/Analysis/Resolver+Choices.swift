/// COALESCE, GREATEST and LEAST, NULLIF: one of several values.
extension Resolver {
  func coalesce(
    _ name: String, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard !arguments.isEmpty, name == "COALESCE" || arguments.count == 2 else {
      throw .unknown("\(name) with this number of arguments", at: range)
    }
    try refuseMixture(arguments, at: range)
    guard let type = SQLType.leastRestrictive(arguments.map(\.type)), type.kind != .null,
      !arguments.contains(where: \.isMultiple) || Function.coalesce.maps(arguments)
    else { throw .unknown("\(name) of these types", at: range) }
    if type.isArray, !arguments.allSatisfy({ $0.type.kind == type.kind || $0.isNullConstant }) {
      let kinds = arguments.compactMap { $0.type.element }
      guard kinds.count == arguments.count, kinds.allSatisfy(\.isCharacter) else {
        throw .unknown("\(name) of these arrays", at: range)
      }
    }
    var parts = arguments.filter { !$0.isNullConstant }.map { $0.widened(to: type) }
    // What follows a value that is never NULL is dropped.
    if let certain = parts.firstIndex(where: { !$0.type.isNullable && !$0.isConstant }) {
      parts = Array(parts[...certain])
    }
    let result = type.nullable(parts.allSatisfy { $0.type.isNullable })
    if parts.count == 1 {
      var only = parts[0]
      only.type = result
      return only
    }
    var call = TypedExpression(.call(.coalesce, parts), result, range)
    call.isWild = parts.contains(where: \.isWild)
    call.isMultiple = parts.contains(where: \.isMultiple)
    return call
  }

  /// Refuses arrays mixed with strings, which have no common type.
  func refuseMixture(_ values: [TypedExpression], at range: SourceRange) throws(SQLFailure) {
    guard values.contains(where: \.type.isArray), values.contains(where: \.type.isCharacter) else {
      return
    }
    throw SQLFailure("Illegal mixing of types in CASE or COALESCE statement", at: range)
  }

  /// GREATEST and LEAST, which ignore NULLs.
  func extreme(
    _ function: Function, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let name = function.name
    guard arguments.count > 1, !arguments.contains(where: { $0.isMultiple || $0.isWild }) else {
      throw .unknown("This \(name)", at: range)
    }
    let type: SQLType
    let first = arguments.first
    var arguments = arguments.filter { !$0.isNullConstant }
    guard !arguments.isEmpty else { throw .unknown("\(name) of NULL", at: range) }
    if let text = arguments.first(where: { $0.type.isCharacter }) {
      guard text.type.kind == .varchar || arguments.allSatisfy({ $0.type.isCharacter }),
        arguments.allSatisfy({ $0.type.isCharacter || $0.type.isNumeric })
      else { throw .unknown("\(name) of these types", at: range) }
      // Between strings, a number is compared as its text.
      for index in arguments.indices where arguments[index].type.isNumeric {
        arguments[index] = TypedExpression(.operation(.print, [arguments[index]]), .varchar)
      }
      if case .char(let length)? = first?.type.kind {
        type = SQLType(.char(length))
      } else {
        type = .varchar
      }
    } else if arguments.allSatisfy({ $0.type.isIntegral })
      || arguments.allSatisfy({ $0.type.isTime })
    {
      // The result of times is a number of milliseconds.
      type = .bigint
    } else if arguments.allSatisfy({ $0.type.isNumeric }) {
      type = .double
    } else {
      throw .unknown("\(name) of these types", at: range)
    }
    return TypedExpression(.call(function, arguments.map { $0.widened(to: type) }), type, range)
  }

  func nullIf(
    _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard arguments.count == 2 else {
      throw SQLFailure(
        "Invalid number of arguments to function 'NULLIF'. Was expecting 2 arguments", at: range)
    }
    if arguments.contains(where: { $0.isMultiple || $0.isNullConstant }) {
      throw .unknown("NULLIF of this", at: range)
    }
    let equal = try compare(.equal, arguments[0], arguments[1], at: range)
    var result = TypedExpression(
      .conditional(
        [.init(condition: equal, result: TypedExpression(.constant(.null), arguments[0].type))],
        otherwise: arguments[0]), arguments[0].type.nullable(true), range)
    result.isWild = arguments[0].isWild
    return result
  }
}
