/// A key of GROUP BY.
struct GroupKey {
  let key: TypedExpression
  /// Where it stands in GROUP BY; a number stands for an item.
  let range: SourceRange
}

/// An item of SELECT, as it is written and as it is bound.
struct BoundItem {
  let written: Expression
  let typed: TypedExpression
}

extension Restrictions {
  /// What may not be a key of GROUP BY.
  static let groupKeys: [Restriction<GroupKey>] = [
    Restriction(
      "group key of a type without order", druid: "Not recorded for sketches, intervals and NULL."
    ) { group throws(SQLFailure) in
      let type = group.key.type
      if type.isComplex || type.isInterval || type.kind == .null || type.element?.kind == .float {
        throw .unknown("GROUP BY \(type.sqlName)", at: group.range)
      }
    },
    Restriction(
      "group key that computes with a multi-value column",
      druid: "Makes a group of each value of some functions; of others it is not recorded."
    ) { group throws(SQLFailure) in
      let key = group.key
      if key.isMultiple, !key.isColumn, !key.isExplodable || key.fillsOneColumn {
        throw .unknown("GROUP BY this multi-value expression", at: group.range)
      }
    },
  ]

  /// The items that Druid's planner fails on.
  static let itemPlans: [Restriction<BoundItem>] = [
    Restriction("interval as a result", druid: "Has no such type of results.") {
      item throws(SQLFailure) in
      if item.typed.type.isInterval {
        throw .planning("Cannot handle literal of unsupported type [\(item.typed.type.sqlName)].")
      }
    },
    Restriction("CURRENT_TIME as a result", druid: "Takes it in comparisons alone.") {
      item throws(SQLFailure) in
      if item.written.isClockTime {
        throw .planning(
          "Calcite assertion violated: [Conversion to relational algebra failed to preserve "
            + "datatypes]")
      }
    },
  ]
}

extension TypedExpression {
  /// Whether COALESCE replaces the missing values of a single column. Druid then leaves a row
  /// without values as it is, unlike a row with one NULL; this module does not tell the two apart.
  fileprivate var fillsOneColumn: Bool {
    var columns: Set<TypedExpression> = []
    func collect(_ expression: TypedExpression) {
      if expression.isColumn { columns.insert(expression) }
      expression.children.forEach(collect)
    }
    collect(self)
    return columns.count < 2
      && contains {
        if case .call(.coalesce, _) = $0.node { $0.isMultiple } else { false }
      }
  }
}

extension Expression {
  /// CURRENT_TIME and LOCALTIME, which can be asked about and not shown.
  fileprivate var isClockTime: Bool {
    guard case .call(let call) = kind, !call.hasParentheses else { return false }
    return call.function == "CURRENT_TIME" || call.function == "LOCALTIME"
  }
}
