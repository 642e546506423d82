/// Conditions on multi-value columns.
///
/// Calcite treats such a column as a plain string: it merges, negates and simplifies the conditions
/// as if there were one value. Druid then evaluates what is left, which is true when any value
/// satisfies it. Conditions that Calcite may change in this way are refused here.
extension TypedExpression {
  /// The multi-value expressions that it compares, and for each whether the comparison is a
  /// negative one.
  fileprivate var multipleTests: [(subject: TypedExpression, isNegative: Bool)] {
    guard case .operation(let op, let operands) = node else { return [] }
    switch op {
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .isIn:
      return operands.first(where: \.isMultiple).map { [($0, false)] } ?? []
    case .notEqual: return operands.first(where: \.isMultiple).map { [($0, true)] } ?? []
    case .not:
      if case .operation(.isIn, let inner) = operands[0].node {
        return inner.first(where: \.isMultiple).map { [($0, true)] } ?? []
      }
      return operands[0].multipleTests.map { ($0.subject, $0.isNegative) }
    case .and, .or: return operands.flatMap(\.multipleTests)
    default: return []
    }
  }

  /// Its negation as the opposite comparison, which any value may satisfy; nil where the negation
  /// is a NOT.
  fileprivate var mirroredTest: TypedExpression? {
    guard case .operation(let op, let operands) = node else { return nil }
    if op == .anyValue, case .operation(let test, let sides) = operands[0].node,
      let opposite = test.opposite
    {
      var condition = operands[0]
      condition.node = .operation(opposite, sides)
      return TypedExpression(.operation(.anyValue, [condition, operands[1]]), type, range)
    }
    guard operands.contains(where: \.isMultiple), let opposite = op.opposite else { return nil }
    return TypedExpression(.operation(opposite, operands), type, range)
  }

  /// The text that it compares a multi-value with, if it tests for equality alone.
  fileprivate func equalText(of subject: TypedExpression) -> String? {
    guard case .operation(.equal, let operands) = node, operands.count == 2 else { return nil }
    if operands[0] == subject { return operands[1].text }
    return operands[1] == subject ? operands[0].text : nil
  }

  /// A bound of a multi-value by a constant, with the multi-value on the left.
  fileprivate var bound: (name: String, subject: TypedExpression, value: TypedExpression)? {
    guard case .operation(let op, let operands) = node, op.opposite != nil,
      operands[0].isMultiple, operands[1].text != nil
    else { return nil }
    return (op.rawValue, operands[0], operands[1])
  }
}

extension Resolver {
  /// NOT of a condition.
  func negated(_ operand: TypedExpression) throws(SQLFailure) -> TypedExpression {
    if let mirrored = operand.mirroredTest { return mirrored }
    let type = SQLType.boolean.nullable(operand.type.isNullable)
    if case .operation(let op, let operands) = operand.node, !operand.multipleTests.isEmpty,
      op == .and || op == .or
    {
      // Calcite hands NOT on to the operands.
      let parts = try operands.map { (part) throws(SQLFailure) in try negated(part) }
      let mirrored: Operator = op == .and ? .or : .and
      if let known = try checkMultiples(mirrored, parts, at: operand.range) { return known }
      return TypedExpression(.operation(mirrored, parts), type, operand.range)
    }
    if case .operation(.anyBetween, _) = operand.node {
      throw .uncertain(.negatedTests, at: operand.range)
    }
    return TypedExpression(.operation(.not, [operand]), type, operand.range)
  }

  /// Checks AND and OR: at most one operand may test a multi-value column, unless all operands are
  /// the same kind of test.
  func checkMultiples(
    _ op: Operator, _ operands: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression? {
    var asked: [TypedExpression: [Bool]] = [:]
    for operand in operands {
      let tests = operand.multipleTests
      for subject in Set(tests.map(\.subject)) {
        let mine = tests.filter { $0.subject == subject }
        asked[subject, default: []].append(mine.allSatisfy(\.isNegative))
      }
    }
    for (subject, kinds) in asked where kinds.count > 1 {
      if op == .and {
        if kinds.allSatisfy({ $0 }) { continue }
        let texts = operands.filter { operand in
          operand.multipleTests.contains { $0.subject == subject }
        }.map { $0.equalText(of: subject) }
        // To Calcite a column is never equal to two texts.
        if texts.allSatisfy({ $0 != nil }), Set(texts).count > 1 {
          return TypedExpression(.constant(.boolean(false)), .boolean.nullable(false), range)
        }
        if operands.count == 2, let one = operands[0].bound, let other = operands[1].bound,
          one.subject == other.subject, one.name.first != other.name.first
        {
          let (low, high) = one.name.hasPrefix(">") ? (one, other) : (other, one)
          return TypedExpression(
            .operation(
              .anyBetween, [low.subject, low.value, high.value, text(low.name + high.name)]),
            .boolean, range)
        }
      } else if operands.allSatisfy(\.isPlainTest), kinds.allSatisfy({ !$0 }) {
        continue
      }
      throw .uncertain(.severalTests, at: range)
    }
    return nil
  }
}

extension Relation {
  /// The multi-value columns that its joins look up, as expressions name them.
  var lookedUp: Set<TypedExpression.Node> {
    switch kind {
    case .join(let join): join.left.lookedUp.union(join.right.multiples(where: { _ in true }))
    case .unnest(let input, _): input?.lookedUp ?? []
    default: multiples(where: \.isLookedUp)
    }
  }

  private func multiples(where isWanted: (Column) -> Bool) -> Set<TypedExpression.Node> {
    switch kind {
    case .join(let join):
      join.left.multiples(where: isWanted).union(join.right.multiples(where: isWanted))
    case .unnest(let input, _): input?.multiples(where: isWanted) ?? []
    default:
      Set(
        columns.indices.filter { columns[$0].hasMultipleValues && isWanted(columns[$0]) }
          .map { .column(relation: number, index: $0) })
    }
  }
}

extension TypedExpression {
  /// Whether it is a single comparison.
  fileprivate var isPlainTest: Bool {
    if case .operation(.and, _) = node { return multipleTests.isEmpty }
    if case .operation(.not, _) = node { return multipleTests.isEmpty }
    return true
  }
}

extension TypedExpression {
  /// The expression with MV_CONTAINS and MV_OVERLAP as functions of the whole list rather than
  /// filters.
  ///
  /// For a row without values it is not known whether the result is NULL or false. CASE treats both
  /// alike.
  var withListTests: TypedExpression {
    rewritten { (part) throws(Never) -> TypedExpression? in
      if case .conditional(let branches, let otherwise) = part.node {
        var copy = part
        copy.node = .conditional(
          branches.map {
            Branch(
              condition: $0.condition.listTest(inCase: true) ?? $0.condition.withListTests,
              result: $0.result.withListTests)
          }, otherwise: otherwise.withListTests)
        return copy
      }
      return part.listTest(inCase: false)
    }
  }

  private func listTest(inCase: Bool) -> TypedExpression? {
    guard case .call(let function, let operands) = node,
      function == .mvContains || function == .mvOverlap, operands[0].isMultiple,
      !operands[1].isMultiple, !operands[1].type.isNullable, operands[1].type.element?.kind != .null
    else { return nil }
    if case .operation(.array, let elements) = operands[1].node,
      elements.contains(where: { $0.isNullConstant || $0.type.isNullable })
    {
      return nil
    }
    let test: Operator =
      function == .mvContains
      ? inCase ? .containsInCase : .containsAsValue : inCase ? .overlapsInCase : .overlapsAsValue
    return TypedExpression(.operation(test, operands), type, range)
  }
}

extension TypedExpression {
  /// Whether it reads a multi-value expression after GROUP BY, here or in a subquery.
  func readsExploded(_ grouping: SelectedRelation.Grouping?) -> Bool {
    contains {
      if $0.isExploded { return true }
      guard let grouping, case .column(grouping.number, let index) = $0.node else { return false }
      return grouping.keys.indices.contains(index)
        && (grouping.keys[index].isMultiple || grouping.keys[index].isExploded)
    }
  }

  /// Whether it is an equality with a non-constant expression on both sides.
  var isEquality: Bool {
    guard case .operation(.equal, let sides) = node, sides.count == 2 else { return false }
    return !sides.contains(where: \.isConstant)
  }
}
