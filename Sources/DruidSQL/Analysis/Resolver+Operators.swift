import JavaValues

/// Operand checks and types of the operators.
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
        // The sign belongs to the literal.
        let type =
          value == 1 << 31
          ? SQLType.integer.nullable(false)
          : value == -(1 << 31) ? SQLType.bigint.nullable(false) : operand.type
        return TypedExpression(.constant(.long(-value)), type, range)
      case .double(let value):
        return TypedExpression(
          .constant(.double(value == 0 ? 0 : -value)), operand.type, range)
      default:
        var result = TypedExpression(.operation(.negate, [operand]), operand.type, range)
        result.isWild = operand.isWild
        return result
      }
    }
  }

  func logical(
    _ op: Operator, _ operands: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    for operand in operands
    where operand.type.kind != .boolean && !operand.isNullConstant {
      throw .cannotApply(op.rawValue, operands.map(\.type), at: range)
    }
    if let merged = try checkMultiples(op, operands, at: range) { return merged }
    return TypedExpression(
      .operation(op, operands), .boolean.nullable(operands.contains { $0.type.isNullable }), range)
  }

  func test(
    _ test: Test, _ operand: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let type = SQLType.boolean.nullable(false)
    switch test {
    case .isNull, .isNotNull:
      if operand.type.isComplex { throw .unknown("\(test.rawValue) of this", at: range) }
      return TypedExpression(
        .operation(test == .isNull ? .isNull : .isNotNull, [operand]), type, range)
    case .isTrue, .isNotTrue, .isFalse, .isNotFalse, .isUnknown, .isNotUnknown:
      if test == .isUnknown || test == .isNotUnknown {
        throw SQLFailure(
          "No match found for function signature \(test.rawValue)", at: operand.range)
      }
      guard operand.type.kind == .boolean else { throw .unknown(test.rawValue, at: range) }
      guard let op = test.operation else { throw .unknown(test.rawValue, at: range) }
      return TypedExpression(.operation(op, [operand]), type, range)
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
      guard let comparison = op.operation else { throw .unknown(op.rawValue, at: range) }
      return try compare(comparison, left, right, at: range)
    case .isDistinctFrom, .isNotDistinctFrom:
      if [left, right].contains(where: { $0.isWild || $0.type.kind == .float }) {
        throw .unknown("\(op.rawValue) of reals", at: range)
      }
      guard let comparison = op.operation else { throw .unknown(op.rawValue, at: range) }
      var result = try compare(comparison, left, right, at: range)
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
    if op == .times, one.isInterval || two.isInterval,
      case .long(let length)? = left.constant, case .long(let count)? = right.constant
    {
      let (product, overflows) = length.multipliedReportingOverflow(by: count)
      if overflows { throw .unknown("An interval so long", at: range) }
      return TypedExpression(.constant(.long(product)), one.isInterval ? one : two, range)
    }
    if one.isCharacter && (two.isNumeric || two.isCharacter) || one.isNumeric && two.isCharacter {
      let (first, second) = (
        try number(of: left, beside: two, at: range), try number(of: right, beside: one, at: range)
      )
      return try arithmetic(op, first, second, at: range)
    }
    guard one.isNumeric || one.kind == .null, two.isNumeric || two.kind == .null,
      let operation = op.operation,
      let type = SQLType.arithmetic(operation, left.numericType, right.numericType),
      type.kind != .null
    else {
      if [one, two].contains(where: { $0.isArray || $0.isComplex }) {
        throw .cannotApply(op.rawValue, [one, two], at: range)
      }
      throw .unknown("'\(op.rawValue)' of \(one.sqlName) and \(two.sqlName)", at: range)
    }
    if op == .divide, type.isIntegral, left.isConstant, case .long(0)? = right.constant {
      throw .divisionByZero
    }
    if type.isReal, let same = Self.unchanged(operation, left, right) {
      if same.type.kind == type.kind { return same }
      var cast = TypedExpression(.cast(same), type, range)
      cast.isWild = same.isWild
      return cast
    }
    var result = TypedExpression(.operation(operation, [left, right]), type, range)
    if type.isReal {
      result.isWild = left.isWild || right.isWild
      if op == .divide, !right.isNonZeroConstant { result.isWild = true }
    }
    return result
  }

  /// A text in arithmetic, cast to the type of the number beside it, or to DECIMAL beside a text.
  private func number(
    of operand: TypedExpression, beside other: SQLType, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard operand.type.isCharacter else { return operand }
    if operand.isMultiple { throw .unknown("Arithmetic of a multi-value column", at: range) }
    let type = other.isNumeric ? other : SQLType(.decimal(precision: 19, scale: 9))
    guard let text = operand.text else {
      var cast = TypedExpression(.cast(operand), type.nullable(true), operand.range)
      cast.isWild = type.isReal
      return cast
    }
    if JavaNumber.double(text) != nil { throw .unknown("Arithmetic with '\(text)'", at: range) }
    return TypedExpression(.constant(.null), type.nullable(true), operand.range)
  }

  /// The operand that a sum with zero, a product with one or a quotient by one is equal to. Calcite
  /// leaves the operand as it is, including the sign of a zero.
  private static func unchanged(
    _ op: Operator, _ left: TypedExpression, _ right: TypedExpression
  ) -> TypedExpression? {
    func isNumber(_ expression: TypedExpression, _ number: Double) -> Bool {
      switch expression.constant {
      case .long(let value): Double(value) == number
      case .double(let value): value == number
      default: false
      }
    }
    if left.isConstant && right.isConstant { return nil }
    switch op {
    case .add: return isNumber(right, 0) ? left : isNumber(left, 0) ? right : nil
    case .subtract: return isNumber(right, 0) ? left : nil
    case .multiply: return isNumber(right, 1) ? left : isNumber(left, 1) ? right : nil
    case .divide: return isNumber(right, 1) ? left : nil
    default: return nil
    }
  }

  private func concat(
    _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let isMapped = Function.concat.maps([left, right])
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
      .operation(.concat, [left, right]),
      type.nullable(left.type.isNullable || right.type.isNullable),
      range)
    result.isMultiple = isMapped
    return result
  }

  /// A comparison with the operands cast as Calcite casts them.
  func compare(
    _ op: Operator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let name = op.rawValue
    var (left, right) = (left, right)
    let (one, two) = (left.type, right.type)
    if op == .equal, case .operation(.row, let lefts) = left.node,
      case .operation(.row, let rights) = right.node, lefts.count == rights.count, !lefts.isEmpty
    {
      var parts: [TypedExpression] = []
      for (left, right) in zip(lefts, rights) {
        parts.append(try compare(op, left, right, at: range))
      }
      return parts.count == 1 ? parts[0] : try logical(.and, parts, at: range)
    }
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
        || (one.isArray && one.holdsLike(two) && op.isEquality)
      guard isKnown else {
        let isMixed = [one, two].contains { $0.isCharacter || $0.kind == .boolean || $0.isArray }
        if isMixed || one.isComplex || two.isComplex {
          throw .unknown("'\(name)' of \(one.sqlName) and \(two.sqlName)", at: range)
        }
        throw .cannotApply(name, [one, two], at: range)
      }
    }
    if isFilter, let filter = try filter(op, left, right, at: range) { return filter }
    (left, right) = (left.rounded(beside: right), right.rounded(beside: left))
    // A FLOAT column and a decimal constant: Druid compares one of them as a float, the other as a
    // double.
    let kinds = [left.type.kind, right.type.kind]
    if kinds.contains(.float), kinds.contains(where: { $0 != .float && SQLType($0).isReal }),
      left.isConstant || right.isConstant, [left, right].contains(where: { !$0.isFloatExact })
    {
      throw .unknown("A FLOAT compared with a constant that no float holds", at: range)
    }
    return TypedExpression(
      .operation(op, [left, right]),
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
      .operation(.like, [operand, pattern, escape]), .boolean.nullable(operand.type.isNullable),
      range)
  }
}

extension TypedExpression {
  /// A whole number that no double holds, as the double that a real is compared with.
  fileprivate func rounded(beside other: TypedExpression) -> TypedExpression {
    guard other.type.isReal, case .long(let value)? = constant,
      Int64(exactly: Double(value)) != value
    else { return self }
    return TypedExpression(.constant(.double(Double(value))), .double.nullable(false), range)
  }

  /// What arithmetic takes it for: a column that holds nothing but NULL is a DECIMAL.
  fileprivate var numericType: SQLType {
    guard type.kind == .null, constant == nil else { return type }
    return SQLType(.decimal(precision: 19, scale: 9))
  }

  var isNonZeroConstant: Bool {
    switch constant {
    case .long(let value): value != 0
    case .double(let value): value != 0 && value.isFinite
    default: false
    }
  }

  /// Whether a 32-bit float holds the value exactly, if it is a constant.
  var isFloatExact: Bool {
    switch node {
    case .constant(.double(let value)): Double(Float(value)) == value
    case .constant, .column, .call(.floor, _), .call(.ceil, _): true
    default: false
    }
  }
}

extension BinaryOperator {
  /// The typed operator; nil for an unsupported one.
  fileprivate var operation: Operator? {
    switch self {
    case .plus: .add
    case .minus: .subtract
    case .times: .multiply
    case .divide: .divide
    case .concat: .concat
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    case .isDistinctFrom: .isDistinctFrom
    case .isNotDistinctFrom: .isNotDistinctFrom
    default: nil
    }
  }
}

extension Test {
  /// The typed operator; nil for an unsupported one.
  fileprivate var operation: Operator? {
    switch self {
    case .isNull: .isNull
    case .isNotNull: .isNotNull
    case .isTrue: .isTrue
    case .isNotTrue: .isNotTrue
    case .isFalse: .isFalse
    case .isNotFalse: .isNotFalse
    default: nil
    }
  }
}
