/// CASE and ARRAY, whose expressions must have a common type.
extension Resolver {
  func conditional(
    _ operand: Expression?, _ branches: [WhenBranch], _ otherwise: Expression?, in scope: Scope,
    _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let value = try operand.map { (item) throws(SQLFailure) in
      try resolve(item, in: scope, place)
    }
    var resolved: [TypedExpression.Branch] = []
    for branch in branches {
      var condition = try resolve(branch.condition, in: scope, place)
      if let value {
        condition = try compare(.equal, value, condition, at: branch.condition.range)
      } else if condition.type.kind != .boolean && !condition.isNullConstant {
        throw .invalid(.notBoolean, at: range)
      }
      resolved.append(
        .init(condition: condition, result: try resolve(branch.result, in: scope, place)))
    }
    let last =
      try otherwise.map { (item) throws(SQLFailure) in try resolve(item, in: scope, place) }
      ?? TypedExpression(.constant(.null), .null)
    return try conditional(resolved, last, at: range)
  }

  func conditional(
    _ branches: [TypedExpression.Branch], _ otherwise: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let results = branches.map(\.result) + [otherwise]
    let type = try commonType(results, at: range)
    if results.contains(where: \.isMultiple)
      || branches.contains(where: { $0.condition.isMultiple })
    {
      throw .uncertain(.multiValueCase, at: range)
    }
    let cast = branches.map {
      TypedExpression.Branch(condition: $0.condition, result: common($0.result, type))
    }
    var result = TypedExpression(
      .conditional(cast, otherwise: common(otherwise, type)), type, range)
    result.isWild = results.contains(where: \.isWild)
    return result
  }

  /// The type that the values of a CASE or COALESCE have together: among texts all are text, and among times numbers are
  /// times.
  func commonType(
    _ values: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> SQLType {
    let types = values.map(\.type)
    if let type = SQLType.leastRestrictive(types) { return type }
    let nullable = types.contains { $0.isNullable || $0.kind == .null }
    let hasText = types.contains(where: \.isCharacter)
    let isPlain = types.allSatisfy {
      $0.isCharacter || $0.isNumeric || $0.isTime || $0.kind == .null
        || $0.kind == .boolean && hasText
    }
    guard isPlain else {
      throw .invalid(.mixedCase, at: range)
    }
    if hasText { return .varchar.nullable(nullable) }
    return .timestamp.nullable(nullable)
  }

  /// A value of a CASE or COALESCE in the type of all.
  func common(_ value: TypedExpression, _ type: SQLType) -> TypedExpression {
    if type.isCharacter, !value.type.isCharacter, !value.isNullConstant { return printed(value) }
    if type.isTime, value.type.isReal {
      return TypedExpression(.cast(value), type.nullable(value.type.isNullable), value.range)
    }
    return value.widened(to: type)
  }

  func array(
    _ elements: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if elements.isEmpty { throw .invalid(.emptyArray, at: range) }
    guard let element = SQLType.leastRestrictive(elements.map(\.type)) else {
      throw .invalid(.mixedArray, at: range)
    }
    if element.isArray, elements.allSatisfy(\.isConstant) {
      failInPlanning(.nestedArray)
      return TypedExpression(.constant(.null), SQLType(.array(element)), range)
    }
    guard !elements.contains(where: { $0.isMultiple || $0.type.isArray || $0.type.isComplex })
    else { throw .uncertain(.array, at: range) }
    return TypedExpression(
      .operation(.array, elements.map { $0.widened(to: element) }),
      SQLType(.array(element), isNullable: false), range)
  }
}
