extension SelectedRelation {
  /// The number of groups that a TopN keeps until its last step, whatever its LIMIT:
  /// `druid.query.topN.minTopNThreshold`.
  ///
  /// `TopNQueryQueryToolChest.ThresholdAdjustingQueryRunner` requests this many groups from every
  /// segment and applies the LIMIT itself. Each intermediate list is sorted by the metric and then
  /// by the dimension, ascending, NULL first (`TopNNumericResultBuilder.build`). Up to this many
  /// groups nothing is dropped before the LIMIT, and the dimension decides ties. With more groups,
  /// the result depends on what the queue of a segment dropped.
  static let topNThreshold = 1000

  /// Whether Druid runs the query as a TopN: one key, one order, a limit, no HAVING.
  ///
  /// `DruidQuery.computeQuery` tries GroupBy first when the query reads a subquery. `toTopNQuery`
  /// checks the other conditions.
  var isTopN: Bool {
    guard let limit, (1...100_000).contains(limit), offset == nil, orderBy.count == 1,
      having == nil, !isDistinct, !items.contains(where: { $0.hasWindow })
    else { return false }
    if let grouping {
      if case .select = input.kind, input.shape.stage != .table { return false }
      return grouping.keys.count == 1 && grouping.sets.count == 1
        && !grouping.keys[0].type.isArray
    }
    guard filter == nil, input.shape.stage == .grouped, case .select(let inner) = input.kind,
      let grouping = inner.grouping
    else { return false }
    return grouping.keys.count == 1 && inner.having == nil
  }

  /// What to add to ORDER BY when rows tie: the name of the grouped column, if it has one.
  var tieBreaker: String {
    if let key = grouping?.keys.first, case .column(input.number, let index) = key.node,
      input.columns.indices.contains(index)
    {
      return "'\(input.columns[index].name)'"
    }
    return grouping == nil ? "a column that tells them apart" : "the grouped expression"
  }
}

extension Relation {
  /// The indices of the columns that are its group keys, if all keys are shown.
  var keyColumns: [Int]? {
    guard case .select(let select) = kind, !select.isDistinct, select.limit == nil,
      select.offset == nil
    else { return nil }
    return select.keyPlaces
  }
}

extension SelectedRelation {
  /// The positions of its group keys among its columns, if all keys are shown.
  var keyPlaces: [Int]? {
    var keys: [TypedExpression.Node]
    if let grouping {
      guard grouping.sets.count == 1 else { return nil }
      keys = grouping.keys.indices.map { .column(relation: grouping.number, index: $0) }
    } else {
      guard input.shape.stage == .grouped, let inner = input.keyColumns else { return nil }
      keys = inner.map { .column(relation: input.number, index: $0) }
    }
    var columns: [Int] = []
    for key in keys {
      guard let index = items.firstIndex(where: { $0.node == key }) else { return nil }
      columns.append(index)
    }
    return columns
  }
}
