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
    case .operation(let op, let operands):
      return [.add, .subtract, .multiply, .divide, .negate].contains(op)
        && operands.contains(where: \.isHeldAsDouble)
    case .cast(let operand): return operand.isHeldAsDouble
    default: return false
    }
  }

  /// The value in the type that Druid's expressions hold it in.
  var held: TypedExpression {
    guard isHeldAsDouble else { return self }
    let double = SQLType.double.nullable(type.isNullable)
    switch node {
    case .operation(let op, let operands):
      return TypedExpression(.operation(op, operands.map(\.heldAsDouble)), double, range)
    case .cast(let operand): return operand.held
    default: return TypedExpression(.cast(self), double, range)
    }
  }

  private var heldAsDouble: TypedExpression {
    isHeldAsDouble
      ? held : TypedExpression(.cast(self), .double.nullable(type.isNullable), range)
  }
}
