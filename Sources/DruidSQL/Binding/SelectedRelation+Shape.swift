extension SelectedRelation {
  /// How Druid runs it, as far as that decides what can be built on it.
  var shape: Relation.Shape {
    var shape = shapeOfRows
    if shape.stage == .union { return shape }
    if shape.stage != .table { shape.isUnion = false }
    if limit != nil || offset != nil || !orderBy.isEmpty {
      shape.stage = .other
      shape.timeColumn = nil
    }
    return shape
  }

  /// How Druid runs it before it sorts and limits the rows.
  var stage: Relation.Shape.Stage { shapeOfRows.stage }

  private var shapeOfRows: Relation.Shape {
    var shape = input.shape
    shape.timeColumn = nil
    shape.mixed = []
    shape.mixedNumbers = []
    let hasWindow = items.contains { $0.hasWindow }
    let hasScalarQuery = (items + [having].compactMap { $0 }).contains {
      $0.contains { if case .scalarQuery = $0.node { true } else { false } }
    }
    shape.timeOutput = nil
    if grouping == nil, let time = input.shape.timeColumn ?? input.shape.timeOutput {
      let number = timeIndex?.relation ?? input.number
      shape.timeOutput = items.firstIndex {
        $0.node == .column(relation: number, index: time)
      }
    }
    if grouping != nil {
      shape.stage = hasWindow ? .windowed : .grouped
      if hasScalarQuery { shape.stage = .other }
    } else if hasWindow {
      shape.stage = .windowed
    } else {
      switch input.shape.stage {
      case .table:
        if let time = input.shape.timeColumn {
          shape.timeColumn = items.firstIndex {
            $0.node == .column(relation: input.number, index: time)
          }
        }
      case .grouped:
        if filter?.readsQuery == true { shape.stage = .other }
      case .windowed: if filter != nil { shape.stage = .other }
      case .other, .constant, .union: break
      }
    }
    return shape
  }
}

extension TypedExpression {
  /// Whether it contains a subquery, which Druid turns into a join.
  var readsQuery: Bool {
    contains {
      switch $0.node {
      case .scalarQuery, .inQuery, .exists: true
      default: false
      }
    }
  }
}

extension SelectedRelation {
  /// The position of the input's `__time` column.
  var timeIndex: (relation: Int, index: Int)? { input.timeIndex }
}

extension Relation {
  fileprivate var timeIndex: (relation: Int, index: Int)? {
    if case .unnest(let input, _) = kind { return input?.timeIndex }
    return columns.isEmpty ? nil : shape.timeColumn.map { (number, $0) }
  }
}
