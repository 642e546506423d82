/// The ON condition of a join.
struct JoinCondition: Sendable {
  let condition: TypedExpression
  let kind: JoinedRelation.Kind
  let left: Relation
  let right: Relation

  /// The conditions of an outer join that its hash table must answer.
  fileprivate var hashed: [TypedExpression] {
    guard kind != .inner else { return [] }
    return condition.conjuncts.filter { part in
      if case .constant(.boolean) = part.node { return false }
      return !condition.implies(part)
    }
  }
}

/// A join whose sides are bound and whose condition is not.
struct JoinSides {
  let join: Join
  let left: Relation
  let right: Relation
  /// How many tables are joined, and how many of them on the left.
  let tables: Int
  let leftTables: Int
}

extension Restrictions {
  /// What may not be joined.
  static let joinSides: [Restriction<JoinSides>] = [
    Restriction("join with a union of queries", druid: "Has no plan for it.") {
      sides throws(SQLFailure) in
      if sides.left.shape.stage == .union || sides.right.shape.stage == .union {
        throw .unplannable("SQL requires a join with a union, which is not supported.")
      }
    },
    Restriction("join that looks up a union of datasources", druid: "Not recorded.") {
      sides throws(SQLFailure) in
      if sides.right.shape.isUnion {
        throw .unknown("A join with this union", at: sides.join.range)
      }
    },
    Restriction("NATURAL JOIN of more than two tables", druid: "Not recorded.") {
      sides throws(SQLFailure) in
      if sides.join.isNatural, sides.leftTables != 1 || sides.tables != 2 {
        throw .unknown("NATURAL JOIN of joins", at: sides.join.range)
      }
    },
  ]

  /// Which joins have a condition. The names and types in it are checked before.
  static let joinConditions: [Restriction<Join>] = [
    Restriction("join without a condition", druid: "Takes CROSS JOIN and NATURAL without one.") {
      join throws(SQLFailure) in
      if join.condition == nil, join.kind != .cross, join.kind != .comma, !join.isNatural {
        throw SQLFailure(
          "INNER, LEFT, RIGHT or FULL join requires a condition (NATURAL keyword or ON or USING "
            + "clause)", at: join.range)
      }
    },
    Restriction("CROSS JOIN with a condition", druid: "Refuses it at ON or USING.") {
      join throws(SQLFailure) in
      if join.kind == .cross, join.condition != nil {
        throw SQLFailure(
          "Cannot specify condition (NATURAL keyword, or ON or USING clause) following CROSS JOIN",
          at: join.conditionRange)
      }
    },
  ]

  /// Druid's joins hash on equalities between an expression of the left side and one of the right.
  /// Any other condition becomes a filter after an inner join, and is refused for other joins
  /// (`DruidJoinRule.canHandleCondition`).
  static let joins: [Restriction<JoinCondition>] = [
    Restriction(
      "join on a multi-value column or a subquery",
      druid: "Joins on one string that stands for all values, and turns the subquery into a join."
    ) { join throws(SQLFailure) in
      if join.condition.contains(where: { $0.isMultiple || $0.readsQuery }) {
        throw .unknown("This join condition", at: join.condition.range)
      }
    },
    Restriction(
      "join filter on an exploded group key",
      druid: "Moves the condition to the rows, where one matching value keeps all values of a row."
    ) { join throws(SQLFailure) in
      for part in join.condition.conjuncts where !part.isEquality && part.readsExploded(nil) {
        throw .unknown("A test of a grouped multi-value column", at: part.range)
      }
    },
    Restriction(
      "outer join on anything but equalities",
      druid: "Refuses it: SQL requires a join with '<' condition that is not supported."
    ) { join throws(SQLFailure) in
      for part in join.hashed {
        let (name, sides): (String, [TypedExpression])
        switch part.node {
        case .operation(let op, let operands): (name, sides) = (op.rawValue, operands)
        case .call(let function, let operands): (name, sides) = (function.name, operands)
        default: throw .unknown("This join condition", at: part.range)
        }
        if part.isConstant { throw .unknown("This join condition", at: part.range) }
        guard part.equates, sides.count == 2 else {
          throw .unplannable("SQL requires a join with '\(name)' condition that is not supported.")
        }
      }
    },
    Restriction(
      "outer join on an equality within one side",
      druid: "Refuses it: SQL is resulting in a join that has unsupported operand types."
    ) { join throws(SQLFailure) in
      let (lefts, rights) = (join.left.numbers, join.right.numbers)
      for part in join.hashed {
        let used = part.children.map(\.relations)
        guard used.count == 2 else { continue }
        let isSplit =
          (used[0].isSubset(of: lefts) && used[1].isSubset(of: rights) && !used[1].isEmpty)
          || (used[1].isSubset(of: lefts) && used[0].isSubset(of: rights) && !used[0].isEmpty)
        if !isSplit {
          throw .unplannable("SQL is resulting in a join that has unsupported operand types.")
        }
      }
    },
  ]
}

extension TypedExpression {
  /// Whether a part is `x IS NOT NULL` and another part compares x for equality.
  fileprivate func implies(_ part: TypedExpression) -> Bool {
    guard case .operation(.isNotNull, let operands) = part.node else { return false }
    return conjuncts.contains {
      if case .operation(.equal, let sides) = $0.node { sides.contains(operands[0]) } else { false }
    }
  }

  /// Whether it is an equality that Druid's joins hash on.
  fileprivate var equates: Bool {
    if case .operation(let op, _) = node { op == .equal || op == .isNotDistinctFrom } else { false }
  }
}
