/// Binding rules of single functions that the signature alone does not describe.
extension Resolver {
  /// SCALAR_IN_ARRAY: whether an array contains a value.
  func scalarInArray(
    _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard arguments.count == 2 else {
      throw .argumentCount(of: "SCALAR_IN_ARRAY", 2, at: range)
    }
    let (value, array) = (arguments[0], arguments[1])
    guard value.type.isCharacter || value.type.isNumeric, array.type.isArray else {
      if value.isNullConstant, case .operation(.array, let elements) = array.node,
        elements.allSatisfy({ $0.constant != nil && $0.constant != .null })
      {
        return TypedExpression(.constant(.null), .boolean, range)
      }
      if value.type.kind == .null || array.type.kind == .null {
        throw .nullOperand(of: "SCALAR_IN_ARRAY", at: range)
      }
      throw .cannotApply("SCALAR_IN_ARRAY", arguments.map(\.type), at: range)
    }
    let holdsNull: Bool
    if case .operation(.array, let elements) = array.node {
      holdsNull = elements.contains { $0.type.isNullable || $0.isNullConstant }
    } else if case .call(let function, _) = array.node {
      holdsNull = function.name != "STRING_TO_ARRAY"
    } else {
      holdsNull = true
    }
    // Not known: the effect of a NULL among the values, and how floats compare with doubles.
    guard !holdsNull, !value.isMultiple, !value.isWild, value.type.kind != .float else {
      throw .call("SCALAR_IN_ARRAY", at: range)
    }
    try Function.ofOneKind("ARRAY_CONTAINS")(self, [array, value], range)
    return TypedExpression(
      .call(.scalarInArray, [array, value]), .boolean.nullable(value.type.isNullable), range)
  }
}
