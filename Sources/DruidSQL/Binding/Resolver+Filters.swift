import JavaValues

/// Comparisons in Druid's filters. Unlike expressions, filters compare a column with a constant in
/// the column's type.
extension Resolver {
  /// Makes numbers of a string and a number that are compared: a constant string is parsed, any
  /// other string is cast.
  func numbers(
    _ left: TypedExpression, _ right: TypedExpression
  ) throws(SQLFailure) -> (TypedExpression, TypedExpression) {
    if left.type.isCharacter { return (try number(left, beside: right), right) }
    return (left, try number(right, beside: left))
  }

  private func number(
    _ operand: TypedExpression, beside value: TypedExpression
  ) throws(SQLFailure) -> TypedExpression {
    let other = value.type
    if operand.isMultiple { throw .uncertain(.multiValueNumber, at: operand.range) }
    let kind: SQLType.Kind = other.isIntegral ? .bigint : .double
    guard let text = operand.text else {
      var cast = TypedExpression(
        .cast(operand), SQLType(kind, isNullable: true), operand.range)
      cast.isWild = kind == .double
      return cast
    }
    let constant: TypedExpression.Constant? =
      kind == .bigint
      ? JavaNumber.long(text).map { .long($0) }
      : JavaNumber.double(text).flatMap { $0.isFinite ? .double($0) : nil }
    guard let constant else {
      // What spells no number is NULL; between constants Calcite does not expect it.
      return TypedExpression(
        .constant(.null), SQLType(kind, isNullable: !value.isConstant), operand.range)
    }
    return TypedExpression(
      .constant(constant), SQLType(other.isReal ? other.kind : kind, isNullable: false),
      operand.range)
  }

  /// The comparison as a filter evaluates it; nil when a filter evaluates it as an expression does.
  func filter(
    _ op: Operator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression? {
    if left.constant != nil {
      if right.constant != nil { return nil }
      return try filter(op.mirrored ?? op, right, left, at: range)
    }
    guard let constant = right.constant, constant != .null else { return nil }
    let isEquality = op.isEquality
    if let whole = left.sameWholeNumber {
      switch constant {
      case .long(let value):
        var bound = right
        bound.node = .constant(.long(JavaNumber.long(Double(value))))
        return try compare(op, whole, bound, at: range)
      case .double(let value):
        if let exact = Int64(exactly: value) {
          var bound = right
          bound.node = .constant(.long(exact))
          bound.type = SQLType.bigint.nullable(false)
          return try compare(op, whole, bound, at: range)
        }
      default: break
      }
    }
    let type = SQLType.boolean.nullable(left.type.isNullable)
    if left.isColumn, left.type.kind == .float, case .double(let value) = constant {
      var cut = right
      if isEquality { cut.node = .constant(.double(Double(Float(value)))) }
      return TypedExpression(.operation(op, [left, cut]), type, range)
    }
    guard case .cast(let column) = left.node, column.isColumn else { return nil }
    if column.type.kind == .float, left.type.kind == .double {
      return try filter(op, column, right, at: range)
    }
    if column.type.isReal, left.type.isIntegral, case .long = constant {
      let plain = TypedExpression(.operation(op, [column, right]), type, range)
      let cast = TypedExpression(.operation(op, [left, right]), type, range)
      return TypedExpression(.operation(.agreed, [plain, cast]), type, range)
    }
    if column.type.isCharacter && left.type.isNumeric {
      let text: String
      switch constant {
      case .long(let value): text = String(value)
      case .double(let value): text = JavaNumber.text(value)
      default: return nil
      }
      if isEquality, left.type.isReal, case .long = constant {
        throw .uncertain(.textAsDouble, at: range)
      }
      return TypedExpression(
        .operation(op.ofNumbers ?? op, [column, self.text(text)]), type, range)
    }
    if column.type.isNumeric, left.type.isCharacter, isEquality, case .text(let text) = constant,
      let value = JavaNumber.double(text)
    {
      let isCanonical =
        column.type.isIntegral
        ? JavaNumber.digits(text).map(String.init) == text : JavaNumber.text(value) == text
      if !isCanonical || column.type.kind == .float {
        throw .numberAsText(text, at: range)
      }
    }
    return nil
  }
}

extension TypedExpression {
  /// The condition as Druid's filters evaluate it. The bound of a range is converted to a double and
  /// back, unless both bounds are the same value. `= 0` and `IN (0)` do not match -0.0; see
  /// ``matchingNegativeZero(keys:)``.
  var asFilter: TypedExpression {
    var copy = self
    switch node {
    case .operation(.and, let operands):
      var parts = operands
      for (low, part) in operands.enumerated() {
        guard case .operation(.greaterOrEqual, let bounds) = part.node, part.boundsWholeNumbers,
          let high = operands.firstIndex(where: { $0.node == .operation(.lessOrEqual, bounds) })
        else { continue }
        parts[low].node = .operation(.equal, bounds)
        parts[high].node = .operation(.equal, bounds)
      }
      copy.node = .operation(.and, parts.map(\.asFilter))
    case .operation(let op, let operands) where op == .or || op == .not || op.isTestOfTruth:
      copy.node = .operation(op, operands.map(\.asFilter))
    case .operation(let op, let operands) where boundsWholeNumbers:
      guard case .long(let value)? = operands[1].constant else { return self }
      var bound = operands[1]
      bound.node = .constant(.long(JavaNumber.long(Double(value))))
      copy.node = .operation(op, [operands[0], bound])
    case .operation(.isIn, let operands)
    where operands[0].isColumn && operands[0].type.isIntegral
      && operands.contains { if case .double? = $0.constant { true } else { false } }:
      // The values become whole numbers.
      copy.node = .operation(
        .isIn,
        operands.map { operand in
          guard case .double(let value)? = operand.constant else { return operand }
          return TypedExpression(
            .constant(.long(JavaNumber.long(value))), .bigint.nullable(false), operand.range)
        })
    case .operation(.isIn, let operands) where operands[0].findsZero(among: operands.dropFirst()):
      return and(TypedExpression(.operation(.isNotNegativeZero, [operands[0]]), type, range))
    case .operation(let op, let operands)
    where [.equal, .notEqual, .isNotDistinctFrom].contains(op) && operands[0].isZero
      && !operands[1].isZero:
      copy.node = .operation(op, [operands[1], operands[0]])
      return copy.asFilter
    case .operation(let op, let operands)
    where (op == .equal || op == .isNotDistinctFrom) && operands[1].isZero
      && operands[0].isComputedReal:
      return and(TypedExpression(.operation(.isNotNegativeZero, [operands[0]]), type, range))
    case .operation(let op, let operands)
    where (op == .equal || op == .isNotDistinctFrom)
      && operands[0].findsZero(among: operands.dropFirst()):
      return and(TypedExpression(.operation(.isNotNegativeZero, operands), type, range))
    case .operation(.notEqual, let operands)
    where operands[0].findsZero(among: operands.dropFirst()):
      copy.node = .operation(.equal, operands)
      return TypedExpression(.operation(.not, [copy.asFilter]), type, range)
    case .conditional(let branches, let otherwise):
      copy.node = .conditional(
        branches.map { Branch(condition: $0.condition.asFilter, result: $0.result) },
        otherwise: otherwise)
    case .operation(let op, let operands) where op.isComparison:
      copy.node = .operation(
        op, operands.map { if case .conditional = $0.node { $0.asFilter } else { $0 } })
    default: break
    }
    return copy
  }

  /// The filter of a query with these group keys: there, `= 0` of a column that is not a key matches
  /// -0.0.
  func matchingNegativeZero(keys: [TypedExpression]) -> TypedExpression {
    rewritten { part in
      guard case .operation(.and, let tests) = part.node, tests.count == 2,
        case .operation(.isNotNegativeZero, let operands) = tests[1].node, operands.count > 1,
        !keys.contains(operands[0])
      else { return nil }
      return tests[0]
    }
  }

  private func and(_ other: TypedExpression) -> TypedExpression {
    TypedExpression(.operation(.and, [self, other]), type, range)
  }

  /// Whether it compares the order of a stored or aggregated integer and a constant.
  private var boundsWholeNumbers: Bool {
    guard case .operation(let op, let operands) = node, op.mirrored != nil,
      operands[0].isStoredOrAggregated, operands[0].type.isIntegral,
      case .long? = operands[1].constant
    else { return false }
    return true
  }

  /// Whether it is a column of doubles and 0 is one of the values.
  func findsZero(among values: ArraySlice<TypedExpression>) -> Bool {
    isColumn && type.isReal && values.contains(where: \.isZero)
  }

  /// The constant 0, cast or not.
  var isZero: Bool {
    if case .cast(let operand) = node, type.isNumeric { return operand.isZero }
    return constant == .long(0) || constant == .double(0)
  }

  private var isComputedReal: Bool {
    if case .operation = node { return type.isReal && !isConstant }
    return false
  }

  /// Whether a filter can look up its value: a column or the result of an aggregate.
  fileprivate var isStoredOrAggregated: Bool {
    if case .aggregate = node { return true }
    return isColumn
  }
}
