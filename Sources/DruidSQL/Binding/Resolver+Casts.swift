import JavaValues

extension Resolver {
  func cast(
    _ operand: TypedExpression, to name: TypeName, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if let failure = Restrictions.typePlans.failure(name) {
      failInPlanning(failure)
      return TypedExpression(.constant(.null), .varchar, range)
    }
    let (source, target) = (operand.type, try type(name))
    let conversion = Conversion(operand: operand, target: target, range: range)
    try Restrictions.casts.check(conversion)
    if source.kind == .null { return TypedExpression(.constant(.null), target, range) }
    let type = target.nullable(source.isNullable)
    if source.isCharacter, target.kind == .varchar, operand.isMultiple {
      var same = operand
      same.range = range
      return same
    }
    if let failure = Restrictions.castPlans.failure(conversion) {
      failInPlanning(failure)
      return TypedExpression(.constant(.null), target, range)
    }
    if source.kind == target.kind {
      var same = operand
      same.range = range
      return same
    }
    if case .char(let length) = target.kind, let text = operand.text {
      // A literal is filled up, and never cut.
      let blanks = String(repeating: " ", count: max(0, length - text.utf16.count))
      return TypedExpression(
        .constant(.text(text + blanks)),
        SQLType(.char(max(length, text.utf16.count))).nullable(false),
        range)
    }
    if target.isIntegral, let whole = operand.sameWholeNumber {
      return try cast(whole, to: name, at: range)
    }
    if target.kind == .boolean, source.isIntegral, !operand.isConstant {
      // Calcite compares the number with zero.
      return try compare(
        .notEqual, operand, TypedExpression(.constant(.long(0)), .integer.nullable(false)),
        at: range)
    }
    if source.isCharacter, target.isTime { return try castText(operand, to: target, at: range) }
    try Restrictions.unknownCasts.check(conversion)
    // A column may hold what spells nothing numeric; of a constant Calcite does not expect it.
    let mayBeNone = source.isCharacter && !target.isCharacter && !operand.isConstant
    var result = TypedExpression(
      .cast(target.isCharacter ? operand.held : operand), mayBeNone ? target.nullable(true) : type,
      range)
    result.isWild =
      target.isReal
      && (operand.isWild
        || source.isCharacter
          && (operand.text.map { JavaNumber.double($0)?.isFinite != true } ?? true))
    return result
  }

  func type(_ name: TypeName) throws(SQLFailure) -> SQLType {
    try Restrictions.types.check(name)
    var type = try element(name)
    for _ in name.collections {
      type = SQLType(.array(type.nullable(false)))
    }
    return type
  }

  /// The type without `ARRAY` behind it. Lengths and scales change nothing but a literal's CHAR.
  private func element(_ name: TypeName) throws(SQLFailure) -> SQLType {
    switch name.name {
    case "BOOLEAN": return .boolean
    case "SMALLINT": return SQLType(.smallint)
    case "TINYINT": return SQLType(.tinyint)
    case "INTEGER": return .integer
    case "BIGINT": return .bigint
    case "FLOAT": return .float
    case "REAL": return SQLType(.real)
    case "DOUBLE": return .double
    case "VARCHAR" where name.scale == nil: return .varchar
    case "CHAR": return SQLType(.char(min(name.precision ?? 1, 1_000_000)))
    case "DATE": return .date
    case "TIMESTAMP" where name.precision == nil || name.precision == 3: return .timestamp
    case "DECIMAL", "NUMERIC":
      return SQLType(.decimal(precision: name.precision ?? 19, scale: name.scale ?? 0))
    default: throw .type(name)
    }
  }
}

extension TypedExpression {
  /// The integer expression that a real stands for, where Calcite sees that only the type differs:
  /// `n * 1.0`, `n + 0.0`, `CAST(n AS DOUBLE)`.
  var sameWholeNumber: TypedExpression? {
    guard type.isReal else { return nil }
    switch node {
    case .cast(let operand): return operand.wholeOrSame
    case .operation(.multiply, let operands):
      if operands[1].isConstant(1) { return operands[0].wholeOrSame }
      return operands[0].isConstant(1) ? operands[1].wholeOrSame : nil
    case .operation(.divide, let operands):
      return operands[1].isConstant(1) ? operands[0].wholeOrSame : nil
    case .operation(.add, let operands):
      if operands[1].isConstant(0) { return operands[0].wholeOrSame }
      return operands[0].isConstant(0) ? operands[1].wholeOrSame : nil
    case .operation(.subtract, let operands):
      return operands[1].isConstant(0) ? operands[0].wholeOrSame : nil
    default: return nil
    }
  }

  private var wholeOrSame: TypedExpression? { type.isIntegral ? self : sameWholeNumber }

  private func isConstant(_ number: Double) -> Bool {
    switch constant {
    case .long(let value): Double(value) == number
    case .double(let value): value == number
    default: false
    }
  }
}
