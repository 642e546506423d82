/// COALESCE, GREATEST and LEAST, NULLIF: one of several values.
extension Resolver {
  func coalesce(
    _ name: String, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard !arguments.isEmpty else {
      throw .uncategorized(
        "Uncategorized calcite error message: [java.lang.IndexOutOfBoundsException: end index (-1) "
          + "must not be negative]")
    }
    guard name == "COALESCE" || arguments.count == 2 else {
      throw .unknown("\(name) with this number of arguments", at: range)
    }
    if name != "COALESCE", SQLType.leastRestrictive(arguments.map(\.type)) == nil {
      let types = arguments.map(\.type.signature).joined(separator: ", ")
      throw .uncategorized(
        "Uncategorized calcite error message: [java.lang.IllegalArgumentException: Cannot infer "
          + "return type for \(name); operand types: [\(types)]]")
    }
    let type = try commonType(arguments, at: range)
    if arguments.allSatisfy(\.isNullConstant) {
      return TypedExpression(.constant(.null), type, range)
    }
    guard !arguments.contains(where: \.isMultiple) || Function.coalesce.maps(arguments)
    else { throw .unknown("\(name) of these types", at: range) }
    if type.isArray, !arguments.allSatisfy({ $0.type.kind == type.kind || $0.isNullConstant }) {
      let kinds = arguments.compactMap { $0.type.element }
      guard kinds.count == arguments.count, kinds.allSatisfy(\.isCharacter) else {
        throw .unknown("\(name) of these arrays", at: range)
      }
    }
    var parts = arguments.filter { !$0.isNullConstant }.map { common($0, type) }
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

  /// GREATEST and LEAST, which ignore NULLs.
  func extreme(
    _ function: Function, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let name = function.name
    let nothing = TypedExpression(.constant(.null), .null, range)
    if arguments.allSatisfy({ $0.type.kind == .null }) { return nothing }
    if let array = arguments.first(where: \.type.isArray) {
      failInPlanning(
        .planning(
          "Function[\(name.lowercased())] does not accept \(array.type.nativeName) types"))
      return nothing
    }
    if arguments.contains(where: { $0.type.kind == .null }) {
      var failure = SQLFailure.planning(
        "Cannot coerce field [v0] from type [java.lang.Integer] to type [NULL]")
      if arguments.allSatisfy(\.isConstant) { failure.category = .overflow }
      failInPlanning(failure)
      return nothing
    }
    guard !arguments.contains(where: { $0.type.isComplex || $0.type.isInterval }),
      !arguments.contains(where: \.isMultiple) || function.maps(arguments)
    else { throw .unknown("This \(name)", at: range) }
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
      throw SQLFailure(
        "Invalid number of arguments to function 'NULLIF'. Was expecting 2 arguments", at: range)
    }
    if arguments.contains(where: \.isMultiple) { throw .unknown("NULLIF of this", at: range) }
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
