extension Resolver {
  /// The keys of GROUP BY and its grouping sets; nil without GROUP BY.
  func groupKeys(
    _ select: Select, in scope: Scope
  ) throws(SQLFailure) -> (expressions: [TypedExpression], sets: [[Int]]?)? {
    guard let groupBy = select.groupBy else { return nil }
    var keys: [TypedExpression] = []
    func index(_ expression: Expression) throws(SQLFailure) -> Int {
      let key = try groupKey(expression, select, in: scope)
      if let known = keys.firstIndex(of: key) { return known }
      keys.append(key)
      return keys.count - 1
    }
    func indices(_ list: [Expression]) throws(SQLFailure) -> [Int] {
      var result: [Int] = []
      for item in list {
        if case .row(let parts) = item.kind {
          for part in parts { result.append(try index(part)) }
        } else {
          result.append(try index(item))
        }
      }
      return result
    }
    /// The sets that one item of GROUP BY stands for.
    func sets(_ item: GroupItem) throws(SQLFailure) -> [[Int]] {
      switch item {
      case .expression(let expression): return [try indices([expression])]
      case .set(let list): return [try indices(list)]
      case .groupingSets(let items):
        var all: [[Int]] = []
        for item in items { all += try sets(item) }
        return all
      case .rollup(let lists):
        var groups: [[Int]] = []
        for list in lists { groups.append(try indices(list)) }
        return Self.distinct(
          (0...groups.count).reversed().map { groups.prefix($0).flatMap { $0 } })
      case .cube(let lists):
        guard lists.count <= 6 else { throw .uncertain(.largeCube, at: groupBy.range) }
        var groups: [[Int]] = []
        for list in lists { groups.append(try indices(list)) }
        return Self.distinct(
          (0..<(1 << groups.count)).reversed().map { mask in
            groups.indices.filter { mask & (1 << (groups.count - 1 - $0)) != 0 }.flatMap {
              groups[$0]
            }
          })
      }
    }
    var product: [[Int]] = [[]]
    var isPlain = true
    for item in groupBy.items {
      switch item {
      case .expression, .set: break
      default: isPlain = false
      }
      let next = try sets(item)
      product = product.flatMap { left in next.map { left + $0 } }
      if product.count > 64 { throw .uncertain(.manySets, at: groupBy.range) }
    }
    if isPlain { return (keys, nil) }
    // What is repeated comes in further runs, unless DISTINCT drops it.
    var left = groupBy.isDistinct ? Self.distinct(product) : product.map { Set($0).sorted() }
    var runs: [[Int]] = []
    while !left.isEmpty {
      let run = Self.distinct(left)
      runs += run.sorted(by: Self.comesFirst)
      for set in run {
        if let first = left.firstIndex(of: set) { left.remove(at: first) }
      }
    }
    return (keys, runs)
  }

  /// The different ones of some sets, each in order.
  private static func distinct(_ sets: [[Int]]) -> [[Int]] {
    var result: [[Int]] = []
    for set in sets.map({ Set($0).sorted() }) where !result.contains(set) { result.append(set) }
    return result
  }

  /// Calcite's order of grouping sets, in which their rows come: by their keys, a set before its
  /// subsets.
  private static func comesFirst(_ left: [Int], _ right: [Int]) -> Bool {
    for (one, two) in zip(left, right) where one != two { return one < two }
    return left.count > right.count
  }

  private func groupKey(
    _ expression: Expression, _ select: Select, in scope: Scope
  ) throws(SQLFailure) -> TypedExpression {
    var source = expression
    if case .literal(.integer(let digits)) = expression.kind {
      guard let ordinal = Int(digits), select.items.indices.contains(ordinal - 1) else {
        throw .invalid(.ordinalOutOfRange, at: expression.range)
      }
      let before = select.items.prefix(ordinal)
      for item in before {
        if case .star = item.expression.kind {
          throw .unknownIdentifier("*", at: item.expression.range)
        }
      }
      source = select.items[ordinal - 1].expression
    }
    var key = try resolve(source, in: scope, .clause("GROUP BY")).withListTests
    if key.isNullConstant { key = key.widened(to: .varchar) }
    try Restrictions.groupKeys.check(GroupKey(key: key, range: expression.range))
    return key
  }
}

extension TypedExpression {
  /// Whether it is a function whose several values GROUP BY turns into one group each.
  var isExplodable: Bool {
    switch node {
    case .call, .operation: isMultiple
    default: false
    }
  }
}

/// Turns expressions over rows into expressions over groups.
struct Grouper {
  let number: Int
  let keys: [TypedExpression]
  let scope: Scope
  private(set) var aggregates: [TypedExpression] = []
  private(set) var groupings: [[Int]] = []

  func grouping(sets: [[Int]]?, isExplicit: Bool) -> SelectedRelation.Grouping {
    SelectedRelation.Grouping(
      number: number, keys: keys, aggregates: aggregates, sets: sets ?? [Array(keys.indices)],
      groupings: groupings, isExplicit: isExplicit)
  }

  /// The group's column for an expression that is known to be a key.
  func key(_ expression: TypedExpression) -> TypedExpression {
    guard let index = keys.firstIndex(of: expression) else { return expression }
    return column(index, like: expression)
  }

  private func column(_ index: Int, like expression: TypedExpression) -> TypedExpression {
    var result = TypedExpression(
      .column(relation: number, index: index), expression.type, expression.range)
    result.isWild = expression.isWild
    return result
  }

  /// - Throws: when the expression names a column that is neither grouped nor aggregated.
  mutating func rewrite(_ expression: TypedExpression) throws(SQLFailure) -> TypedExpression {
    var copy = self
    let result = try expression.rewritten { (part) throws(SQLFailure) -> TypedExpression? in
      // A constant inside an expression stays one, though it is a key as well.
      if !part.isConstant || expression.isConstant, let index = copy.keys.firstIndex(of: part) {
        return copy.column(index, like: part)
      }
      switch part.node {
      case .aggregate:
        let index = copy.aggregates.firstIndex(of: part) ?? copy.aggregates.count
        if index == copy.aggregates.count { copy.aggregates.append(part) }
        return copy.column(copy.keys.count + index, like: part)
      case .grouping(let asked):
        return try copy.groupingColumn(asked, part)
      case .column(let relation, let index):
        if relation == copy.number { return part }
        throw .notGrouped(copy.name(relation, index), at: part.range)
      default: return nil
      }
    }
    self = copy
    return result
  }

  private mutating func groupingColumn(
    _ asked: [TypedExpression], _ part: TypedExpression
  ) throws(SQLFailure) -> TypedExpression {
    if keys.isEmpty, aggregates.isEmpty {
      throw .invalid(.groupingOutside, at: part.range)
    }
    var indices: [Int] = []
    for item in asked {
      guard let index = keys.firstIndex(of: item) else {
        throw .invalid(.groupingOperand, at: item.range)
      }
      indices.append(index)
    }
    let position = groupings.firstIndex(of: indices) ?? groupings.count
    if position == groupings.count { groupings.append(indices) }
    // Negative indices, because further aggregates may follow.
    return TypedExpression(
      .column(relation: number, index: -1 - position), part.type, part.range)
  }

  private func name(_ relation: Int, _ index: Int) -> String {
    for entry in scope.entries where entry.relation.number == relation {
      if entry.relation.columns.indices.contains(index) {
        return entry.relation.columns[index].name
      }
    }
    return "?"
  }
}
