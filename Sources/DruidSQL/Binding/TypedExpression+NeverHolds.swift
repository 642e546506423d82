/// Conditions that Calcite simplifies to FALSE (`RexSimplify`). What it then makes of the query
/// reads no rows.
extension TypedExpression {
  /// Whether the condition holds for no row, whatever the rows are.
  var neverHolds: Bool {
    switch node {
    case .constant(let value): return value == .boolean(false) || value == .null
    case .operation(.and, let operands):
      return operands.contains(where: \.neverHolds) || Bound.contradict(conjuncts)
    case .operation(.or, let operands): return operands.allSatisfy(\.neverHolds)
    case .operation(.isNull, let operands):
      return operands[0].isColumn && !operands[0].type.isNullable && !operands[0].isMultiple
    case .operation(let op, let operands) where op.isComparison && operands.count == 2:
      if operands[0] == operands[1] {
        return operands[0].isColumn && !operands[0].isMultiple
          && [.notEqual, .less, .greater].contains(op)
      }
      guard let left = operands[0].constant, let right = operands[1].constant else { return false }
      if left == .null || right == .null { return true }
      return left.order(right).map { !op.accepts($0) } ?? false
    default: return false
    }
  }
}

/// The values that some conditions leave for one expression.
private struct Bound {
  typealias Constant = TypedExpression.Constant

  /// The only values, where a list gives them.
  var values: [Constant]?
  var tests: [(op: Operator, value: Constant)] = []
  var isNull = false
  var isTested = false

  /// Whether no value of some expression satisfies all conditions on it.
  static func contradict(_ conditions: [TypedExpression]) -> Bool {
    var bounds: [TypedExpression: Bound] = [:]
    for condition in conditions {
      guard case .operation(let op, let operands) = condition.node, let subject = operands.first,
        subject.constant == nil, !subject.isMultiple
      else { continue }
      let rest = operands.dropFirst()
      let constants = rest.compactMap(\.constant)
      guard constants.count == rest.count, !constants.contains(.null) else { continue }
      var bound = bounds[subject] ?? Bound()
      switch op {
      case .isNull: bound.isNull = true
      case .isIn:
        bound.isTested = true
        bound.values = bound.values.map { $0.filter(constants.contains) } ?? constants
      case _ where op.isComparison && constants.count == 1:
        bound.isTested = true
        bound.tests.append((op, constants[0]))
      default: continue
      }
      bounds[subject] = bound
    }
    return bounds.values.contains(where: \.isEmpty)
  }

  private var isEmpty: Bool {
    if isNull { return isTested }
    func holds(_ value: Constant) -> Bool {
      tests.allSatisfy { test in value.order(test.value).map(test.op.accepts) ?? true }
    }
    if let values { return !values.contains(where: holds) }
    if let equal = tests.first(where: { $0.op == .equal }) { return !holds(equal.value) }
    return tests.contains { low in
      guard low.op == .greater || low.op == .greaterOrEqual else { return false }
      return tests.contains { high in
        guard high.op == .less || high.op == .lessOrEqual, let order = low.value.order(high.value)
        else { return false }
        return order > 0
          || order == 0 && (low.op == .greater || high.op == .less)
      }
    }
  }
}

extension TypedExpression.Constant {
  /// Below, at or above 0 as it is less than, equal to or greater than the other; nil when they are
  /// of different kinds.
  fileprivate func order(_ other: Self) -> Int? {
    switch (self, other) {
    case (.long(let one), .long(let two)): one < two ? -1 : one == two ? 0 : 1
    case (.text(let one), .text(let two)):
      one == two ? 0 : one.utf16.lexicographicallyPrecedes(two.utf16) ? -1 : 1
    case (.boolean(let one), .boolean(let two)): one == two ? 0 : two ? -1 : 1
    case (.long, .double), (.double, .long), (.double, .double):
      number.flatMap { one in other.number.map { one < $0 ? -1 : one == $0 ? 0 : 1 } }
    default: nil
    }
  }

  private var number: Double? {
    switch self {
    case .long(let value): Double(value)
    case .double(let value): value.isFinite ? value : nil
    default: nil
    }
  }
}

extension Operator {
  /// Whether the comparison holds for operands in that order.
  fileprivate func accepts(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    default: order >= 0
    }
  }
}

extension SelectedRelation {
  /// Whether its WHERE, or that of a subquery below, holds for no row.
  var keepsNothing: Bool { filter?.neverHolds == true || input.keepsNothing }
}

extension Relation {
  /// Whether it is a query that returns no rows, whatever its tables hold.
  var keepsNothing: Bool {
    guard case .select(let select) = kind, select.grouping?.isExplicit ?? true else { return false }
    return select.limit == 0 || select.keepsNothing
  }
}
