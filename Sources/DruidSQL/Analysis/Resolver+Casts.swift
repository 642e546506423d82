extension Resolver {
  func cast(
    _ operand: TypedExpression, to name: TypeName, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let target = try type(name)
    let source = operand.type
    if source.kind == .boolean, target.isNumeric || target.isTime {
      throw SQLFailure(
        "Cast function cannot convert value of type BOOLEAN to type \(target.sqlName)", at: range)
    }
    if operand.isNullConstant { return TypedExpression(.constant(.null), target, range) }
    if operand.isMultiple { throw .unknown("A cast of a multi-value column", at: range) }
    let type = target.nullable(source.isNullable)
    if source.kind == target.kind {
      var same = operand
      same.range = range
      return same
    }
    if let text = operand.text, target.isNumeric {
      // Druid's planner evaluates the cast of a constant, and for a text that is not a number the
      // result differs from a column's.
      let isFine = target.isIntegral ? Int64(text) != nil : isPlainNumber(text)
      if !isFine { throw .unknown("CAST of '\(text)' as a number", at: range) }
    }
    if target.isIntegral, let whole = operand.sameWholeNumber {
      return try cast(whole, to: name, at: range)
    }
    if target.kind == .boolean, source.isIntegral {
      // Calcite compares the number with zero.
      return try compare(
        .notEqual, operand, TypedExpression(.constant(.long(0)), .integer.nullable(false)),
        at: range)
    }
    switch (source.kind, target.kind) {
    case (_, .varchar) where source.isCharacter || source.isNumeric || source.isTime: break
    case (_, .char) where (source.isCharacter || source.isNumeric) && !operand.isConstant: break
    case (.boolean, .varchar): break
    case (_, .bigint) where source.isCharacter || source.isNumeric || source.isTime: break
    case (_, .integer) where source.isCharacter || source.isNumeric: break
    case (_, .double) where source.isCharacter || source.isNumeric: break
    case (_, .float) where source.isCharacter || source.isNumeric: break
    case (_, .decimal) where (source.isCharacter || source.isNumeric) && !operand.isConstant: break
    case (_, .timestamp) where source.isIntegral || source.kind == .date: break
    case (_, .date) where source.kind == .timestamp: break
    case (_, .timestamp) where source.isCharacter, (_, .date) where source.isCharacter:
      return try castText(operand, to: target, at: range)
    default:
      throw .unknown("CAST of \(source.sqlName) as \(target.sqlName)", at: range)
    }
    if source.isReal, operand.isWild, ![.varchar, .bigint, .integer].contains(target.kind),
      !target.isReal
    {
      throw .unknown("CAST of what may be infinite", at: range)
    }
    var result = TypedExpression(
      .cast(operand), source.isCharacter && target.kind != .varchar ? target.nullable(true) : type,
      range)
    result.isWild =
      target.isReal && (operand.isWild || source.isCharacter && !isPlainNumber(operand.text))
    return result
  }

  private func isPlainNumber(_ text: String?) -> Bool {
    guard let text, !text.isEmpty, text.utf8.count < 16 else { return false }
    return text.allSatisfy { $0.isASCII && $0.isNumber || $0 == "." || $0 == "-" }
  }

  private func type(_ name: TypeName) throws(SQLFailure) -> SQLType {
    if !name.isBuiltIn {
      throw SQLFailure("Unknown datatype name '\(name.name)'", at: name.range)
    }
    guard name.collections.isEmpty, name.timeZone == nil, name.interval == nil else {
      throw .unknown("This type", at: name.range)
    }
    switch name.name {
    case "DECIMAL", "NUMERIC":
      let precision = name.precision ?? 19
      guard precision <= 19 else { throw .unknown("This type", at: name.range) }
      return SQLType(.decimal(precision: precision, scale: name.scale ?? 0))
    case "VARCHAR" where name.scale == nil: return .varchar
    case "TIMESTAMP" where name.precision == nil || name.precision == 3: return .timestamp
    default:
      guard name.precision == nil else { throw .unknown("A type with a length", at: name.range) }
    }
    switch name.name {
    case "BOOLEAN": return .boolean
    case "INTEGER": return .integer
    case "BIGINT": return .bigint
    case "FLOAT": return .float
    case "DOUBLE", "DOUBLE PRECISION": return .double
    case "VARCHAR": return .varchar
    case "CHAR": return SQLType(.char(1))
    case "DATE": return .date
    default: throw .unknown("The type \(name.name)", at: name.range)
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
