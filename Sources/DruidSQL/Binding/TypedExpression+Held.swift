extension TypedExpression {
  /// Whether Druid's expressions hold it as a double although its type is a whole number: FLOOR,
  /// CEIL and TRUNCATE of one, and what is computed from those. It becomes whole where it is a
  /// result, a group key or the argument of an aggregate; as text and in JSON it is a double.
  var isHeldAsDouble: Bool {
    guard type.isIntegral else { return false }
    switch node {
    case .call(let function, let arguments):
      switch function.name {
      case "FLOOR", "CEIL", "TRUNCATE": return true
      case "ABS", "ROUND", "MOD", "SAFE_DIVIDE", "GREATEST", "LEAST":
        return arguments.contains(where: \.isHeldAsDouble)
      default: return false
      }
    case .cast(let operand): return isCutDouble || operand.isHeldAsDouble
    default: return false
    }
  }

  /// The value in the type that Druid's expressions hold it in.
  var held: TypedExpression {
    guard isHeldAsDouble else { return self }
    let double = SQLType.double.nullable(type.isNullable)
    switch node {
    case .cast(let operand): return isCutDouble ? operand : operand.held
    default: return TypedExpression(.cast(self), double, range)
    }
  }

  /// Arithmetic of whole numbers of which Druid's expressions hold one as a double; nil where they
  /// hold none so.
  static func held(
    _ op: Operator, _ operands: [TypedExpression], _ type: SQLType, _ range: SourceRange
  ) -> TypedExpression? {
    guard type.isIntegral, operands.contains(where: \.isHeldAsDouble) else { return nil }
    var double = TypedExpression(
      .operation(op, operands.map(\.heldAsDouble)), .double.nullable(type.isNullable), range)
    double.isWild = op == .divide
    var result = TypedExpression(.cast(double), type, range)
    result.isCutDouble = true
    return result
  }

  /// The value as a double; anything but a whole number as it is.
  var heldAsDouble: TypedExpression {
    if isHeldAsDouble || !type.isIntegral { return held }
    return TypedExpression(.cast(self), .double.nullable(type.isNullable), range)
  }
}
