/// What signs and words between operands ask of them, and what they become.
extension Resolver {
  func prefix(
    _ op: PrefixOperator, _ operand: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    switch op {
    case .not:
      guard operand.type.kind == .boolean || operand.isNullConstant else {
        throw .cannotApply("NOT", [operand.type], at: range)
      }
      return try negated(operand)
    case .minus, .plus:
      guard operand.type.isNumeric else {
        if operand.type.isCharacter || operand.type.kind == .null || operand.type.isInterval {
          throw .unknown("A sign before this", at: range)
        }
        throw .cannotApply(op.rawValue, [operand.type], at: range)
      }
      if op == .plus { return operand }
      switch operand.constant {
      case .long(let value) where value != .min:
        return TypedExpression(.constant(.long(-value)), operand.type, range)
      case .double(let value):
        return TypedExpression(
          .constant(.double(value == 0 ? 0 : -value)), operand.type, range)
      default:
        var result = TypedExpression(.call("NEGATE", [operand]), operand.type, range)
        result.isWild = operand.isWild
        return result
      }
    }
  }

  func logical(
    _ name: String, _ operands: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    for operand in operands
    where operand.type.kind != .boolean && !operand.isNullConstant {
      throw .cannotApply(name, operands.map(\.type), at: range)
    }
    if let merged = try checkMultiples(name, operands, at: range) { return merged }
    return TypedExpression(
      .call(name, operands), .boolean.nullable(operands.contains { $0.type.isNullable }), range)
  }

  func test(
    _ test: Test, _ operand: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let type = SQLType.boolean.nullable(false)
    switch test {
    case .isNull, .isNotNull:
      if operand.type.isComplex { throw .unknown("\(test.rawValue) of this", at: range) }
      return TypedExpression(.call(test.rawValue, [operand]), type, range)
    case .isTrue, .isNotTrue, .isFalse, .isNotFalse, .isUnknown, .isNotUnknown:
      guard operand.type.kind == .boolean else { throw .unknown(test.rawValue, at: range) }
      let name =
        test == .isUnknown ? "IS NULL" : test == .isNotUnknown ? "IS NOT NULL" : test.rawValue
      return TypedExpression(.call(name, [operand]), type, range)
    default: throw .unknown(test.rawValue, at: range)
    }
  }

  func binary(
    _ op: BinaryOperator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    switch op {
    case .plus, .minus, .times, .divide: return try arithmetic(op, left, right, at: range)
    case .remainder:
      throw SQLFailure(
        "Percent remainder '%' is not allowed under the current SQL conformance level", at: range)
    case .concat: return try concat(left, right, at: range)
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      return try compare(op.rawValue, left, right, at: range)
    case .isDistinctFrom, .isNotDistinctFrom:
      if [left, right].contains(where: { $0.isWild || $0.type.kind == .float }) {
        throw .unknown("\(op.rawValue) of reals", at: range)
      }
      var result = try compare(op.rawValue, left, right, at: range)
      result.type.isNullable = false
      return result
    default: throw .unknown(op.rawValue, at: range)
    }
  }

  private func arithmetic(
    _ op: BinaryOperator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let (one, two) = (left.type, right.type)
    if one.isTime || two.isTime {
      return try timeArithmetic(op, left, right, at: range)
    }
    guard one.isNumeric || one.kind == .null, two.isNumeric || two.kind == .null,
      let type = SQLType.arithmetic(op.rawValue, one, two), type.kind != .null
    else {
      if [one, two].contains(where: { $0.isArray || $0.isComplex }) {
        throw .cannotApply(op.rawValue, [one, two], at: range)
      }
      throw .unknown("'\(op.rawValue)' of \(one.sqlName) and \(two.sqlName)", at: range)
    }
    if op == .divide, type.isIntegral, left.isConstant, case .long(0)? = right.constant {
      throw SQLFailure(
        "/ by zero", at: nil, category: .uncategorized, errorCode: "general", persona: "ADMIN")
    }
    var result = TypedExpression(.call(op.rawValue, [left, right]), type, range)
    if type.isReal {
      result.isWild = left.isWild || right.isWild
      if op == .divide, !right.isNonZeroConstant { result.isWild = true }
    }
    return result
  }

  private func concat(
    _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let isMapped = Self.maps("||", [left, right])
    guard left.type.isCharacter, right.type.isCharacter,
      isMapped || !left.isMultiple && !right.isMultiple
    else {
      throw .unknown("'||' of \(left.type.sqlName) and \(right.type.sqlName)", at: range)
    }
    var type = SQLType.varchar
    if case .char(let one) = left.type.kind, case .char(let two) = right.type.kind {
      type = SQLType(.char(one + two))
    }
    var result = TypedExpression(
      .call("||", [left, right]), type.nullable(left.type.isNullable || right.type.isNullable),
      range)
    result.isMultiple = isMapped
    return result
  }

  /// A comparison, its operands cast as Calcite casts them.
  func compare(
    _ name: String, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var (left, right) = (left, right)
    let (one, two) = (left.type, right.type)
    if one.isTime && two.isCharacter {
      right = try castText(right, to: one, at: range)
    } else if one.isCharacter && two.isTime {
      left = try castText(left, to: two, at: range)
    } else if one.isCharacter && two.isNumeric || one.isNumeric && two.isCharacter {
      (left, right) = try numbers(left, right)
    } else {
      let isKnown =
        (one.isNumeric && two.isNumeric) || (one.isCharacter && two.isCharacter)
        || (one.isTime && two.isTime) || (one.kind == .boolean && two.kind == .boolean)
        || one.kind == .null || two.kind == .null
        || (one.isArray && one.holdsLike(two)
          && ["=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"].contains(name))
      guard isKnown else {
        let isMixed = [one, two].contains { $0.isCharacter || $0.kind == .boolean || $0.isArray }
        if isMixed || one.isComplex || two.isComplex {
          throw .unknown("'\(name)' of \(one.sqlName) and \(two.sqlName)", at: range)
        }
        throw .cannotApply(name, [one, two], at: range)
      }
    }
    if isFilter, let filter = try filter(name, left, right, at: range) { return filter }
    // A float column against a decimal constant: Druid compares one as float, the other as double.
    let kinds = [left.type.kind, right.type.kind]
    if kinds.contains(.float), kinds.contains(where: { $0 != .float && SQLType($0).isReal }),
      left.isConstant || right.isConstant, [left, right].contains(where: { !$0.isFloatExact })
    {
      throw .unknown("A FLOAT compared with a constant that no float holds", at: range)
    }
    return TypedExpression(
      .call(name, [left, right]),
      .boolean.nullable(left.type.isNullable || right.type.isNullable), range)
  }

  func like(
    _ operand: TypedExpression, _ pattern: TypedExpression, _ escape: TypedExpression?,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard operand.type.isCharacter, pattern.text != nil,
      escape.map({ $0.text?.utf16.count == 1 }) ?? true
    else { throw .unknown("This LIKE", at: range) }
    let escape =
      escape ?? TypedExpression(.constant(.text("")), SQLType(.char(0), isNullable: false))
    return TypedExpression(
      .call("LIKE", [operand, pattern, escape]), .boolean.nullable(operand.type.isNullable), range)
  }
}

extension TypedExpression {
  var isNonZeroConstant: Bool {
    switch constant {
    case .long(let value): value != 0
    case .double(let value): value != 0 && value.isFinite
    default: false
    }
  }

  /// Whether a constant, if it is one, is the same as a 32-bit float.
  var isFloatExact: Bool {
    switch node {
    case .constant(.double(let value)): Double(Float(value)) == value
    case .constant, .column, .call("FLOOR", _), .call("CEIL", _): true
    default: false
    }
  }
}
