extension Resolver {
  /// How Druid runs a SELECT, as far as it decides what may be sorted; refuses the sorts that Druid refuses.
  func shape(_ select: SelectedRelation) throws(SQLFailure) -> Relation.Shape {
    let input = select.input.shape
    var shape = input
    shape.isComputed = false
    shape.timeColumn = nil
    shape.mixed = []
    shape.mixedNumbers = []
    let hasWindow = select.items.contains { $0.hasWindow }
    let hasScalarQuery = (select.items + [select.having].compactMap { $0 }).contains {
      $0.contains { if case .scalarQuery = $0.node { true } else { false } }
    }
    let isComputed =
      select.items.contains { !$0.isPassedOn } || hasScalarQuery
    if select.grouping != nil {
      shape.stage = hasWindow ? .windowed : .grouped
      if hasScalarQuery { shape.stage = .other }
    } else if hasWindow {
      shape.stage = .windowed
      shape.isComputed = false
    } else {
      switch input.stage {
      case .table:
        if let time = input.timeColumn {
          shape.timeColumn = select.items.firstIndex {
            $0.node == .column(relation: select.input.number, index: time)
          }
        }
        shape.isComputed = input.isComputed || isComputed
      case .grouped:
        if let filter = select.filter, filter.readsQuery {
          shape.stage = .other
          shape.isComputed = isComputed
        }
      case .windowed where select.filter == nil: break
      case .windowed, .other:
        shape.stage = .other
        shape.isComputed = input.isComputed || isComputed
      case .constant: shape.isComputed = true
      case .union: break
      }
    }
    // LIMIT 0 leaves nothing to be sorted.
    if !select.orderBy.isEmpty, select.limit != 0 {
      try checkOrder(select, shape, isComputed: isComputed)
    }
    if shape.stage == .union { return shape }
    if shape.stage != .table { shape.isUnion = false }
    if select.limit != nil || select.offset != nil || !select.orderBy.isEmpty {
      shape.stage = .other
      shape.isComputed = false
      shape.timeColumn = nil
    }
    return shape
  }

  private func checkOrder(
    _ select: SelectedRelation, _ shape: Relation.Shape, isComputed: Bool
  ) throws(SQLFailure) {
    if shape.readsSystem { return }
    func refusal() -> SQLFailure {
      let names = select.orderBy.map { key -> String in
        if case .column(select.input.number, let index) = key.expression.node,
          select.input.columns.indices.contains(index)
        {
          return select.input.columns[index].name
        }
        return "v0"
      }
      return .nonTimeOrder(names)
    }
    switch shape.stage {
    case .grouped, .windowed: return
    case .table:
      guard select.orderBy.count == 1, let key = select.orderBy.first, let time = select.timeIndex,
        key.expression.node == .column(relation: time.relation, index: time.index)
      else { throw refusal() }
    case .other:
      // The leftmost table of a join keeps its time.
      if select.orderBy.count == 1, let time = select.input.leftmostTime,
        select.orderBy[0].expression.node == time
      {
        return
      }
      if shape.joinsTable || shape.isComputed
        || select.orderBy.contains(where: { !$0.expression.isColumn })
      {
        throw refusal()
      }
    case .constant, .union: throw refusal()
    }
  }
}

extension TypedExpression {
  /// Whether a subquery stands in it, which Druid joins.
  var readsQuery: Bool {
    contains {
      switch $0.node {
      case .scalarQuery, .inQuery, .exists: true
      default: false
      }
    }
  }
}

extension Relation {
  /// `__time` of the datasource that is leftmost in a join.
  fileprivate var leftmostTime: TypedExpression.Node? {
    guard case .join(let join) = kind else { return nil }
    if case .table(let table) = join.left.kind, table.kind == .dataSource,
      let index = join.left.shape.timeColumn
    {
      return .column(relation: join.left.number, index: index)
    }
    return join.left.leftmostTime
  }
}

extension SelectedRelation {
  /// Where the input's `__time` is found.
  var timeIndex: (relation: Int, index: Int)? { input.timeIndex }
}

extension Relation {
  fileprivate var timeIndex: (relation: Int, index: Int)? {
    if case .unnest(let input, _) = kind { return input?.timeIndex }
    return columns.isEmpty ? nil : shape.timeColumn.map { (number, $0) }
  }
}
