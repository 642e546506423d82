import JavaValues

/// Operand checks and types of the operators.
extension Resolver {
  func prefix(
    _ op: PrefixOperator, _ operand: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    switch op {
    case .not:
      guard operand.type.kind == .boolean || operand.type.kind == .null else {
        throw .cannotApply("NOT", [operand.type], at: range)
      }
      if operand.type.kind == .null { return TypedExpression(.constant(.null), .boolean, range) }
      return try negated(operand)
    case .minus, .plus:
      if operand.type.isCharacter {
        if op == .plus {
          throw .signOfText
        }
        var number = self.number(of: operand)
        number.type.isNullable = true
        return try prefix(op, number, at: range)
      }
      if operand.type.kind == .null { return TypedExpression(.constant(.null), .null, range) }
      guard operand.type.isNumeric else {
        if operand.type.isInterval { throw .uncertain(.signOfInterval, at: range) }
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
        if let held = TypedExpression.held(.negate, [operand], operand.type, range) { return held }
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
      if operand.type.isComplex, operand.type.kind != .complex("json") {
        throw .operand(of: test.rawValue, at: range)
      }
      return TypedExpression(
        .operation(test == .isNull ? .isNull : .isNotNull, [operand]), type, range)
    case .isTrue, .isNotTrue, .isFalse, .isNotFalse, .isUnknown, .isNotUnknown:
      if test == .isUnknown || test == .isNotUnknown {
        throw .noFunction(test.rawValue, at: operand.range)
      }
      guard operand.type.kind == .boolean else {
        if operand.isNullConstant { throw .function(test.rawValue, at: range) }
        throw .cannotApply(test.rawValue, [operand.type], at: range)
      }
      guard let op = test.operation else { throw .function(test.rawValue, at: range) }
      return TypedExpression(.operation(op, [operand]), type, range)
    default:
      throw .noFunction(test.rawValue, at: operand.range)
    }
  }

  func binary(
    _ op: BinaryOperator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    switch op {
    case .plus, .minus, .times, .divide: return try arithmetic(op, left, right, at: range)
    case .concat: return try concat(left, right, at: range)
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard let comparison = op.operation else { throw .function(op.rawValue, at: range) }
      if isFilter, isAlternative,
        [left, right].contains(where: { $0.isMultiple && $0.type.isNumeric })
      {
        throw .uncertain(.severalNumbers, at: range)
      }
      return try compare(comparison, left, right, at: range)
    case .isDistinctFrom, .isNotDistinctFrom:
      if [left, right].contains(where: { $0.isWild || $0.type.kind == .float }) {
        throw .distinctReals(op.rawValue, at: range)
      }
      guard let comparison = op.operation else { throw .function(op.rawValue, at: range) }
      if let test = try distinctMultiple(comparison, left, right, at: range) { return test }
      var result = try compare(comparison, left, right, at: range)
      if left.isConstant, right.isConstant, !left.isNullConstant, !right.isNullConstant,
        result.children.contains(where: \.isNullConstant)
      {
        failInPlanning(.planning(SQLFailure.nullForNotNull))
      }
      result.type.isNullable = false
      return result
    default: throw .noFunction(op.rawValue, at: left.range)
    }
  }

  /// IS DISTINCT FROM of a multi-value column and a constant: whether none of its values is that, those of no row too.
  private func distinctMultiple(
    _ op: Operator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression? {
    guard left.isMultiple || right.isMultiple, left.text != nil || right.text != nil else {
      return nil
    }
    let equal = try compare(.equal, left, right, at: range)
    let type = SQLType.boolean.nullable(false)
    let test = TypedExpression(
      .operation(op == .isDistinctFrom ? .isNotTrue : .isTrue, [equal]), type, range)
    return test
  }

  private func arithmetic(
    _ op: BinaryOperator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let (one, two) = (left.type, right.type)
    if one.isTime || two.isTime {
      return try timeArithmetic(op, left, right, at: range)
    }
    if let interval = intervalArithmetic(op, left, right, at: range) { return interval }
    if one.kind == .null, two.kind == .null {
      return TypedExpression(.constant(.null), .null, range)
    }
    for (side, isLeft) in [(left, true), (right, false)]
    where side.type.kind == .null && !side.isNullConstant {
      // A column of NULLs, which is a decimal to Calcite.
      return try arithmetic(
        op, isLeft ? number(of: side) : left, isLeft ? right : number(of: side), at: range)
    }
    if one.isCharacter || two.isCharacter, let cast = numbersOfTexts(left, right) {
      return try arithmetic(op, cast.0, cast.1, at: range)
    }
    guard one.isNumeric || one.kind == .null, two.isNumeric || two.kind == .null,
      let operation = op.operation, var type = SQLType.arithmetic(operation, one, two),
      type.kind != .null
    else {
      if one.isInterval != two.isInterval, one.isNumeric || two.isNumeric {
        throw .cannotApply(op.rawValue, [one, two], at: range)
      }
      if one.isInterval || two.isInterval {
        throw .operandTypes(op.rawValue, one, two, at: range)
      }
      throw .cannotApply(op.rawValue, [one, two], at: range)
    }
    // A text may be no number, a literal as well.
    if left.isCastOfText || right.isCastOfText { type.isNullable = true }
    if op == .divide, type.isIntegral, left.isConstant, case .long(0)? = right.constant {
      throw .divisionByZero
    }
    if let held = TypedExpression.held(operation, [left, right], type, range) { return held }
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

  /// Intervals multiplied, divided, added and subtracted; nil for anything else.
  private func intervalArithmetic(
    _ op: BinaryOperator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) -> TypedExpression? {
    let (one, two) = (left.type, right.type)
    switch op {
    case .times:
      if one.isInterval, two.isNumeric { return times(right, left, one, at: range) }
      return one.isNumeric && two.isInterval ? times(left, right, two, at: range) : nil
    case .divide:
      guard one.isInterval, two.isNumeric, right.isNonZeroConstant else { return nil }
      if two.isIntegral {
        return TypedExpression(.operation(.divide, [left, right]), one, range)
      }
      let reciprocal = TypedExpression(
        .operation(.divide, [TypedExpression(.constant(.double(1)), .double), right]),
        .double.nullable(two.isNullable), range)
      return times(reciprocal, left, one, at: range)
    case .plus, .minus:
      guard one.isInterval, one.kind == two.kind else { return nil }
      let type = one.nullable(one.isNullable || two.isNullable)
      if case .long(let first)? = left.constant, case .long(let second)? = right.constant {
        let sum = op == .plus ? first &+ second : first &- second
        return TypedExpression(.constant(.long(sum)), type, range)
      }
      return TypedExpression(
        .operation(op == .plus ? .add : .subtract, [left, right]), type, range)
    default: return nil
    }
  }

  /// The operands of arithmetic with texts as numbers of the other side's type, of two texts as decimals; nil where
  /// neither side is a number.
  private func numbersOfTexts(
    _ left: TypedExpression, _ right: TypedExpression
  ) -> (TypedExpression, TypedExpression)? {
    func cast(_ text: TypedExpression, _ other: SQLType) -> TypedExpression {
      guard other.isNumeric else { return number(of: text) }
      var result = number(of: text)
      result.type = other.nullable(true)
      result.isWild = result.isWild && other.isReal
      return result
    }
    func isFit(_ expression: TypedExpression) -> Bool {
      (expression.type.isCharacter && !expression.isMultiple) || expression.type.isNumeric
        || expression.type.kind == .null
    }
    guard isFit(left), isFit(right) else { return nil }
    return (
      left.type.isCharacter ? cast(left, right.type) : left,
      right.type.isCharacter ? cast(right, left.type) : right
    )
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
    if left.type.isArray, right.type.isArray {
      failInPlanning(.joinedArrays)
      return TypedExpression(.constant(.null), left.type, range)
    }
    for type in [left.type, right.type] where type.isArray || type.isComplex || type.isInterval {
      throw .cannotApply("||", [left.type, right.type], at: range)
    }
    let (one, two) = (printed(left), printed(right))
    let isMapped = Function.concat.maps([one, two])
    guard one.type.isCharacter, two.type.isCharacter,
      isMapped || !one.isMultiple && !two.isMultiple
    else {
      throw .operandTypes("||", left.type, right.type, at: range)
    }
    var type = SQLType.varchar
    if case .char(let first) = left.type.kind {
      if case .char(let second) = right.type.kind { type = SQLType(.char(first + second)) }
      if right.isNullConstant { type = left.type }
    }
    var result = TypedExpression(
      .operation(.concat, [one, two]),
      type.nullable(one.type.isNullable || two.type.isNullable), range)
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
    if op == .equal || op == .notEqual, case .operation(.row, let lefts) = left.node,
      case .operation(.row, let rights) = right.node, lefts.count == rights.count, !lefts.isEmpty
    {
      var parts: [TypedExpression] = []
      for (left, right) in zip(lefts, rights) {
        parts.append(try compare(op, left, right, at: range))
      }
      if parts.count == 1 { return parts[0] }
      return try logical(op == .equal ? .and : .or, parts, at: range)
    }
    if one.isTime && two.isCharacter {
      right = try castText(right, to: one, at: range)
    } else if one.isCharacter && two.isTime {
      left = try castText(left, to: two, at: range)
    } else if one.isCharacter && two.isNumeric || one.isNumeric && two.isCharacter {
      (left, right) = try numbers(left, right)
    } else if one.kind == .boolean && two.isCharacter {
      right = truth(right)
    } else if one.isCharacter && two.kind == .boolean {
      left = truth(left)
    } else if op.isEquality, one.isTruthBeside(two) {
      // A truth is 1 or 0.
    } else {
      let isKnown =
        (one.isNumeric && two.isNumeric) || (one.isCharacter && two.isCharacter)
        || (one.isTime && two.isTime) || (one.kind == .boolean && two.kind == .boolean)
        || one.kind == .null || two.kind == .null
        || (one.isArray && one.holdsLike(two)) || (one.isInterval && one.kind == two.kind)
        || (one.kind == .complex("json") && two.kind == one.kind && op.isEquality)
      guard isKnown else {
        if one.isArray != two.isArray, !one.isComplex, !two.isComplex {
          throw .cannotApply(name, [one, two], at: range)
        }
        let isMixed = [one, two].contains { $0.isCharacter || $0.isArray }
        if isMixed || one.isComplex || two.isComplex {
          throw .operandTypes(name, one, two, at: range)
        }
        throw .cannotApply(name, [one, two], at: range)
      }
    }
    if isFilter, let filter = try filter(op, left, right, at: range) { return filter }
    // A whole number beside a real is compared as a double, but for a filter's constants.
    if left.isHeldAsDouble || right.isHeldAsDouble
      || left.type.isNumeric && right.type.isNumeric && left.type.isReal != right.type.isReal,
      !isFilter || !left.isConstant && !right.isConstant
    {
      if left.constant == nil { left = left.heldAsDouble }
      if right.constant == nil { right = right.heldAsDouble }
    }
    (left, right) = (left.rounded(beside: right), right.rounded(beside: left))
    let kinds = [left.type.kind, right.type.kind]
    if [left, right].contains(where: { $0.isColumn && $0.type.kind == .float }),
      kinds.contains(where: { $0 != .float && SQLType($0).isReal }),
      left.isConstant || right.isConstant, [left, right].contains(where: { !$0.isFloatExact })
    {
      throw .uncertain(.inexactFloat, at: range)
    }
    return TypedExpression(
      .operation(op, [left, right]),
      .boolean.nullable(left.type.isNullable || right.type.isNullable), range)
  }

  /// A text beside a truth, as the truth that it spells.
  private func truth(_ operand: TypedExpression) -> TypedExpression {
    guard let text = operand.text else {
      return TypedExpression(.cast(operand), .boolean, operand.range)
    }
    let isTrue = Operator.truth(text)
    return TypedExpression(
      .constant(isTrue.isNull ? .null : .boolean(isTrue == .boolean(true))),
      .boolean.nullable(isTrue.isNull), operand.range)
  }

  func like(
    _ operand: TypedExpression, _ pattern: TypedExpression, _ escape: TypedExpression?,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if operand.type.isArray || operand.type.isComplex {
      throw .cannotApply("LIKE", [operand.type, pattern.type], at: range)
    }
    let operand = printed(operand)
    let unknown = TypedExpression(.constant(.null), .boolean, range)
    if pattern.isNullConstant { return unknown }
    let pattern = pattern.spelledNumber ?? pattern
    guard pattern.text != nil, pattern.type.isCharacter else {
      if pattern.isConstant { throw .call("LIKE", at: range) }
      failInPlanning(.computedPattern(isFilter: isFilter))
      return unknown
    }
    if let escape, escape.text?.utf16.count != 1 {
      guard escape.text != nil else { throw .call("LIKE", at: range) }
      failInPlanning(.longEscape)
      return unknown
    }
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

  /// The text of a number, as Calcite casts it where a text belongs.
  var spelledNumber: TypedExpression? {
    let spelling: String
    switch constant {
    case .long(let value) where type.isIntegral: spelling = String(value)
    case .double(let value): spelling = JavaNumber.text(value)
    default: return nil
    }
    return TypedExpression(.constant(.text(spelling)), .varchar.nullable(false), range)
  }

  var isNonZeroConstant: Bool {
    switch constant {
    case .long(let value): value != 0
    case .double(let value): value != 0 && value.isFinite
    default: false
    }
  }

  /// Whether it is a text read as a number.
  var isCastOfText: Bool {
    if case .cast(let operand) = node { return operand.type.isCharacter && type.isNumeric }
    return false
  }

  /// Whether a 32-bit float holds the value exactly, if it is a constant.
  var isFloatExact: Bool {
    switch node {
    case .constant(.double(let value)): Double(Float(value)) == value
    case .constant, .column, .cast, .call(.floor, _), .call(.ceil, _): true
    default: false
    }
  }
}

extension BinaryOperator {
  /// The typed operator, which has the same name; nil for an unsupported one.
  fileprivate var operation: Operator? { Operator(rawValue: rawValue) }
}

extension Test {
  /// The typed operator, which has the same name; nil for an unsupported one.
  fileprivate var operation: Operator? { Operator(rawValue: rawValue) }
}
