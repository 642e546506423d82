import JavaValues

extension Resolver {
  func cast(
    _ operand: TypedExpression, to name: TypeName, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard let target = try type(name, of: operand) else {
      return TypedExpression(.constant(.null), .varchar, range)
    }
    let source = operand.type
    try refuseConversion(source, target, at: range)
    if operand.isNullConstant { return TypedExpression(.constant(.null), target, range) }
    let type = target.nullable(source.isNullable)
    if source.isCharacter, target.kind == .varchar, operand.isMultiple {
      var same = operand
      same.range = range
      return same
    }
    if operand.isMultiple {
      failInPlanning(
        .planning(
          "Cannot coerce field [v0] from type [java.util.ArrayList] to type "
            + "[\(target.sqlName)]"))
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
    switch (source.kind, target.kind) {
    case (_, .timestamp) where source.isCharacter, (_, .date) where source.isCharacter:
      return try castText(operand, to: target, at: range)
    case (.array, .array), (.boolean, .varchar), (.boolean, .char): break
    case (_, .varchar), (_, .char), (_, .bigint):
      guard source.isCharacter || source.isNumeric || source.isTime else {
        throw .unknown("CAST of \(source.sqlName) as \(target.sqlName)", at: range)
      }
    case (_, .timestamp) where source.isNumeric || source.kind == .date: break
    case (_, .date) where source.kind == .timestamp: break
    case _ where target.isNumeric || target.kind == .boolean:
      guard source.isCharacter || source.isNumeric else {
        throw .unknown("CAST of \(source.sqlName) as \(target.sqlName)", at: range)
      }
    default:
      throw .unknown("CAST of \(source.sqlName) as \(target.sqlName)", at: range)
    }
    // A column may hold what spells nothing numeric; of a constant Calcite does not expect it.
    let mayBeNone = source.isCharacter && !target.isCharacter && !operand.isConstant
    var result = TypedExpression(
      .cast(operand), mayBeNone ? target.nullable(true) : type, range)
    result.isWild =
      target.isReal
      && (operand.isWild
        || source.isCharacter
          && (operand.text.map { JavaNumber.double($0)?.isFinite != true } ?? true))
    return result
  }

  /// What Calcite's CAST does not know.
  private func refuseConversion(
    _ source: SQLType, _ target: SQLType, at range: SourceRange
  ) throws(SQLFailure) {
    let isRefused =
      source.kind == .boolean && (target.isNumeric || target.isTime)
      || source.isReal && target.kind == .date
      || source.kind != .null && source.isArray != target.isArray
      || source.isComplex && !target.isComplex
    guard isRefused else { return }
    let name = source.isComplex ? source.nativeName : source.signature
    throw SQLFailure(
      "Cast function cannot convert value of type \(name) to type \(target.signature)", at: range)
  }

  /// The type of that name; nil for one that Druid's planner fails on.
  private func type(
    _ name: TypeName, of operand: TypedExpression
  ) throws(SQLFailure) -> SQLType? {
    switch name.name {
    case "TIME", "VARBINARY", "BINARY":
      failInPlanning(.unhandled)
      return nil
    case "ANY":
      failInPlanning(
        .planning("Cannot coerce field [v0] from type [java.lang.Long] to type [ANY]"))
      return nil
    default: return try type(name)
    }
  }

  func type(_ name: TypeName) throws(SQLFailure) -> SQLType {
    if !name.isBuiltIn {
      throw SQLFailure("Unknown identifier '\(name.name)'", at: name.range)
    }
    guard name.timeZone == nil, name.interval == nil else {
      throw .unknown("This type", at: name.range)
    }
    var type = try element(name)
    for word in name.collections {
      guard word == "ARRAY" else { throw .unknown("This type", at: name.range) }
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
      let precision = name.precision ?? 19
      guard precision <= 19 else { throw .unknown("This type", at: name.range) }
      return SQLType(.decimal(precision: precision, scale: name.scale ?? 0))
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
