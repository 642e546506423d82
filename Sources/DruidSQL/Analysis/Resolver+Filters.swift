import JavaValues

/// Comparisons in Druid's filters. Unlike expressions, filters compare a column with a constant in
/// the column's type.
extension Resolver {
  /// Makes numbers of a string and a number that are compared: a constant string is parsed, any
  /// other string is cast.
  func numbers(
    _ left: TypedExpression, _ right: TypedExpression
  ) throws(SQLFailure) -> (TypedExpression, TypedExpression) {
    if left.type.isCharacter { return (try number(left, beside: right.type), right) }
    return (left, try number(right, beside: left.type))
  }

  private func number(
    _ operand: TypedExpression, beside other: SQLType
  ) throws(SQLFailure) -> TypedExpression {
    if operand.isMultiple { throw .unknown("A multi-value column as a number", at: operand.range) }
    let kind: SQLType.Kind = other.isIntegral ? .bigint : .double
    guard let text = operand.text else {
      var cast = TypedExpression(
        .cast(operand), SQLType(kind, isNullable: true), operand.range)
      cast.isWild = kind == .double
      return cast
    }
    let constant: TypedExpression.Constant? =
      kind == .bigint
      ? JavaNumber.digits(text).map { .long($0) }
      : JavaNumber.double(text).flatMap { $0.isFinite ? .double($0) : nil }
    guard let constant else { throw .unknown("'\(text)' as a number", at: operand.range) }
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
    if left.type.isIntegral, op.mirrored != nil, case .long(let value) = constant,
      left.isStoredOrAggregated
    {
      // Druid converts the bound of a range to a double and back.
      var bound = right
      bound.node = .constant(.long(JavaNumber.long(Double(value))))
      return TypedExpression(
        .operation(op, [left, bound]), .boolean.nullable(left.type.isNullable), range)
    }
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
      // Druid may have turned the integer into 2 or 2.0 by then; which is not known.
      if isEquality, left.type.isReal, case .long = constant {
        throw .unknown("A string as DOUBLE compared with a whole number", at: range)
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
        throw .unknown("A number as VARCHAR compared with '\(text)'", at: range)
      }
    }
    return nil
  }

  /// Calcite turns the CASE of an aggregate into a filter, which compares strings and floats in
  /// another way.
  func refuseFilterCase(_ expression: TypedExpression) throws(SQLFailure) {
    let isMixed = expression.contains {
      guard case .conditional(let branches, _) = $0.node else { return false }
      return branches.contains { branch in branch.condition.contains(where: \.comparesCast) }
    }
    if isMixed { throw .unknown("A CASE that compares a string as a number", at: expression.range) }
  }
}

extension TypedExpression {
  /// The condition with its range bounds converted as a filter converts them.
  var withFilterBounds: TypedExpression {
    rewritten { (part) -> TypedExpression? in
      guard case .operation(let op, let operands) = part.node, op.mirrored != nil,
        operands[0].isColumn, operands[0].type.isIntegral,
        case .long(let value)? = operands[1].constant
      else { return nil }
      var (changed, bound) = (part, operands[1])
      bound.node = .constant(.long(JavaNumber.long(Double(value))))
      changed.node = .operation(op, [operands[0], bound])
      return changed
    }
  }

  /// Whether a filter can look up its value: a column or the result of an aggregate.
  fileprivate var isStoredOrAggregated: Bool {
    if case .aggregate = node { return true }
    return isColumn
  }

  /// Whether it compares a cast column with a constant. A filter ignores such a cast.
  fileprivate var comparesCast: Bool {
    guard case .operation(let op, let operands) = node, op.isComparison || op == .isIn,
      case .cast(let column) = operands[0].node, column.isColumn
    else { return false }
    return column.type.isCharacter && operands[0].type.isNumeric
      && operands.dropFirst().allSatisfy(\.isConstant)
  }
}
