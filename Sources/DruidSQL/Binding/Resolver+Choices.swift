/// COALESCE, GREATEST and LEAST, NULLIF: one of several values.
extension Resolver {
  func coalesce(
    _ name: String, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let choice = Choice(name: name, arguments: arguments, range: range)
    try Restrictions.choices.check(choice)
    let type = try commonType(arguments, at: range)
    if arguments.allSatisfy(\.isNullConstant) {
      return TypedExpression(.constant(.null), type, range)
    }
    try Restrictions.typedChoices.check(choice)
    var parts = arguments.filter { !$0.isNullConstant }.map { common($0, type) }
    // What follows a value that is never NULL is dropped.
    if let certain = parts.firstIndex(where: { !$0.type.isNullable && !$0.isConstant }) {
      parts = Array(parts[...certain])
    }
    let result = type.nullable(parts.allSatisfy { $0.type.isNullable })
    if parts.count == 1 {
      var only = parts[0]
      // A constant can evaluate to NULL here, even if its type is not nullable.
      only.type = result.nullable(result.isNullable || only.isConstant)
      return only
    }
    var call = TypedExpression(.call(.coalesce, parts), result, range)
    call.isWild = parts.contains(where: \.isWild)
    call.isMultiple = parts.contains(where: \.isMultiple)
    return call
  }

  /// GREATEST and LEAST, which ignore NULLs.
  func extreme(
    _ function: Function, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let name = function.name
    let nothing = TypedExpression(.constant(.null), .null, range)
    if arguments.allSatisfy({ $0.type.kind == .null }) { return nothing }
    if let failure = Restrictions.extremePlans.failure(
      Choice(name: name, arguments: arguments, range: range))
    {
      failInPlanning(failure)
      return nothing
    }
    guard !arguments.contains(where: { $0.type.isComplex || $0.type.isInterval }),
      !arguments.contains(where: \.isMultiple) || function.maps(arguments)
    else { throw .call(name, at: range) }
    let type: SQLType
    var arguments = arguments
    let texts = arguments.filter(\.type.isCharacter)
    if let text = texts.first {
      type = text.type
      arguments = arguments.map {
        // A time is its milliseconds here.
        $0.type.isTime
          ? printed(TypedExpression(.cast($0), .bigint.nullable($0.type.isNullable), $0.range))
          : printed($0)
      }
    } else if arguments.contains(where: \.type.isReal) {
      type = .double
    } else {
      // Of times it is the milliseconds, and of truths 1 or 0.
      type = .bigint
    }
    let nullable = arguments.allSatisfy(\.type.isNullable)
    var result = TypedExpression(
      .call(function, arguments.map { $0.widened(to: type) }), type.nullable(nullable), range)
    result.isWild = type.isReal && arguments.contains(where: \.isWild)
    result.isMultiple = function.maps(arguments)
    return result
  }

  func nullIf(
    _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard arguments.count == 2 else {
      throw .argumentCount(of: "NULLIF", 2, at: range)
    }
    if arguments.contains(where: \.isMultiple) { throw .operand(of: "NULLIF", at: range) }
    if arguments.contains(where: \.isNullConstant) {
      var first = arguments[0]
      first.type.isNullable = true
      return first
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
