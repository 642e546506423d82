import JavaValues

extension Resolver {
  /// A SELECT item with the name of its column.
  struct Item {
    var name: String
    var expression: TypedExpression
    /// The name after AS, which HAVING and ORDER BY may use.
    var alias: String?
  }

  func resolve(
    _ select: Select, orderBy: [OrderItem], limit: Int64?, offset: Int64?, tables: CommonTables,
    outer: [Scope.Entry], isTop: Bool
  ) throws(SQLFailure) -> Relation {
    if let condition = select.qualify {
      return try qualified(
        select, by: condition, orderBy: orderBy, limit: limit, offset: offset, tables: tables,
        outer: outer, isTop: isTop)
    }
    var scope = Scope(tables: tables, outer: outer)
    let input =
      try select.from.map { (from) throws(SQLFailure) in try resolve(from: from, into: &scope) }
      ?? Relation(
        number: nextNumber(), kind: .single, columns: [],
        shape: Relation.Shape(stage: .constant))
    scope.isEmpty = input.keepsNothing
    var result = SelectedRelation(input: input, items: [])
    var filters: [TypedExpression] = []
    for condition in scope.unnestConditions {
      filters.append(try resolve(filter: condition, in: scope, .clause("ON")))
    }
    if let filter = select.where {
      let resolved = try resolve(filter: filter, in: scope, .clause("WHERE"))
      if resolved.type.kind != .boolean, !resolved.isNullConstant {
        throw .notCondition("WHERE", at: filter.range)
      }
      filters.append(resolved)
    }
    if let first = filters.first {
      let resolved =
        filters.count == 1
        ? first : TypedExpression(.operation(.and, filters), .boolean, first.range)
      result.filter = resolved
      scope.isEmpty = scope.isEmpty || resolved.neverHolds
      scope.pins = resolved.pins
      let replaced = replaced(resolved, select, orderBy, in: scope)
      for index in scope.entries.indices { scope.entries[index].replaced = replaced }
    }
    let keys = try groupKeys(select, in: scope)
    let having = try having(select, in: scope)
    let ungrouped = refusal(of: having.map { [$0] } ?? [], keys?.expressions, in: scope)
    var items = try self.items(select, in: scope)
    // A name in HAVING that is also an item's stands for the item.
    if let ungrouped, !items.contains(where: { ungrouped.names($0.name) }) { throw ungrouped }
    if keys != nil || having != nil || items.contains(where: { $0.expression.hasAggregate }) {
      if let refusal = self.refusal(of: items.map(\.expression), keys?.expressions, in: scope) {
        throw refusal
      }
    }
    var order = try self.order(orderBy, select, items, in: scope)

    if keys == nil, having == nil, !items.contains(where: { $0.expression.hasAggregate }),
      !select.isDistinct
    {
      for key in order {
        guard let aggregate = key.expression.firstAggregate else { continue }
        throw .sortedAggregate(at: aggregate.range)
      }
    }
    let isGrouped =
      keys != nil || having != nil || items.contains { $0.expression.hasAggregate }
      || order.contains { $0.expression.hasAggregate }
    if isGrouped {
      var grouper = Grouper(number: nextNumber(), keys: keys?.expressions ?? [], scope: scope)
      for index in items.indices {
        items[index].expression = try grouper.rewrite(items[index].expression)
      }
      result.having = try having.map { (item) throws(SQLFailure) in try grouper.rewrite(item) }
      for index in order.indices {
        order[index].expression = try grouper.rewrite(order[index].expression)
      }
      result.grouping = grouper.grouping(sets: keys?.sets, isExplicit: keys != nil)
      if let keys, !keys.expressions.isEmpty {
        result.filter = result.filter?.matchingNegativeZero(keys: keys.expressions)
      }
    }
    if select.isDistinct {
      try makeDistinct(&result, &items, &order, scope, at: select.range)
    }
    let isScan = isTop && result.grouping == nil && scope.isDataSource
    for index in items.indices {
      let item = items[index].expression
      let isList =
        item.isMultiple && !item.type.isCharacter && !item.isExploded && !item.type.isComplex
      if isScan, isList || item.testsValues, !item.hasWindow {
        items[index].expression = item.ofOneValue
        continue
      }
      if isList { failInPlanning(.listForValue(item.type)) }
    }
    if items.contains(where: { $0.expression.hasWindow }), scope.isDataSource,
      result.grouping == nil, result.filter == nil,
      !items.contains(where: { $0.expression.contains { $0.isColumn } })
    {
      failInPlanning(.scanWithoutColumns)
    }
    filterCasesBelow(&result)
    result.items = items.map(\.expression)
    // What sorts a subquery and cuts nothing is dropped by Calcite.
    result.orderBy = isTop || limit != nil || offset != nil ? order : []
    result.limit = limit
    result.offset = offset
    try Restrictions.selects.check(
      BoundSelect(select: result, settings: settings, range: select.range))
    result.isUnordered = isUnordered(result)
    if !result.orderBy.isEmpty {
      try Restrictions.sorts.check(SortedSelect(result, stage: result.stage))
      // VALUES can only be sorted when that is needless.
      if result.stage == .constant { result.orderBy = [] }
    }
    return Relation(
      number: nextNumber(), kind: .select(result), columns: columns(items, result),
      shape: result.shape)
  }

  /// What refuses expressions that are neither grouped nor aggregated, before the clauses that
  /// follow are read.
  private func refusal(
    of expressions: [TypedExpression], _ keys: [TypedExpression]?, in scope: Scope
  ) -> SQLFailure? {
    var grouper = Grouper(number: -1, keys: keys ?? [], scope: scope)
    do throws(SQLFailure) {
      for expression in expressions { _ = try grouper.rewrite(expression) }
      return nil
    } catch { return error }
  }

  private func having(
    _ select: Select, in scope: Scope
  ) throws(SQLFailure) -> TypedExpression? {
    guard let having = select.having else { return nil }
    var place = Place()
    for item in select.items {
      guard let alias = item.alias, having.mentions(alias.text) else { continue }
      place.aliases[alias.text] = try resolve(item.expression, in: scope, .select)
    }
    place.prefersAliases = !having.hasAggregateCall
    let resolved = try resolve(filter: having, in: scope, place)
    if resolved.type.kind != .boolean {
      throw .notCondition("HAVING", at: having.range)
    }
    return resolved
  }

  private func items(_ select: Select, in scope: Scope) throws(SQLFailure) -> [Item] {
    var place = Place.select
    place.windows = select.windows
    var items: [Item] = []
    var used: Set<String> = []
    for window in select.windows {
      let keys = window.specification.orderBy.map(\.expression)
      for key in window.specification.partitionBy + keys {
        try lookUpNames(key, in: scope, place)
      }
    }
    for item in select.items {
      if case .star(let qualifier) = item.expression.kind {
        for entry in scope.entries where qualifier == nil {
          var names: Set<ExactText> = []
          for column in entry.relation.columns
          where !column.isHidden && !names.insert(ExactText(column.name)).inserted {
            throw .ambiguousColumn(column.name, at: item.expression.range)
          }
        }
        for column in try expand(star: qualifier, at: item.expression.range, in: scope) {
          var name = column.name
          var attempt = 0
          while used.contains(name) {
            name = column.name + String(attempt)
            attempt += 1
          }
          used.insert(name)
          items.append(Item(name: name, expression: column.expression))
        }
        continue
      }
      let expression = try resolve(item.expression, in: scope, place).withListTests
      try refuseDate(parameter: item.expression)
      let bound = BoundItem(written: item.expression, typed: expression)
      if let failure = Restrictions.itemPlans.failure(bound) { failInPlanning(failure) }
      var name = item.alias?.text ?? "EXPR$\(items.count)"
      if item.alias == nil, case .name(let column) = item.expression.kind { name = column.last }
      used.insert(name)
      items.append(Item(name: name, expression: expression, alias: item.alias?.text))
    }
    return items
  }

  private func order(
    _ orderBy: [OrderItem], _ select: Select, _ items: [Item], in scope: Scope
  ) throws(SQLFailure) -> [OrderKey] {
    var place = Place.select
    place.windows = select.windows
    place.prefersAliases = true
    for item in items.reversed() {
      if let alias = item.alias { place.aliases[alias] = item.expression }
    }
    let isGrouped = select.hasGrouping || items.contains { $0.expression.hasAggregate }
    var keys: [OrderKey] = []
    for item in orderBy {
      let isDescending = try self.isDescending(item)
      let expression: TypedExpression
      if case .name(let name) = item.expression.kind, name.parts.count == 1,
        items.count(where: { $0.name == name.last }) > 1
      {
        throw .ambiguousColumn(name.last, at: item.expression.range)
      }
      if case .literal(.integer(let digits)) = item.expression.kind {
        guard let ordinal = Int(digits), items.indices.contains(ordinal - 1) else {
          throw .invalid(.ordinalOutOfRange, at: item.expression.range)
        }
        expression = items[ordinal - 1].expression
      } else {
        expression = try resolve(item.expression, in: scope, place)
      }
      if expression.isConstant {
        // It sorts nothing.
        if select.groupBy != nil || select.from == nil { continue }
        if isGrouped { continue }
        guard scope.isDataSource else { throw .uncertain(.constantOrder, at: item.range) }
        failInPlanning(.nonTimeOrder(["v0"]))
        continue
      }
      if expression.isMultiple, !isGrouped, scope.isDataSource {
        failInPlanning(.nonTimeOrder(["v0"]))
        continue
      }
      if expression.isMultiple && !select.hasGrouping || expression.type.isComplex {
        throw .uncertain(.order, at: item.range)
      }
      if keys.contains(where: { $0.expression == expression }) { continue }
      keys.append(OrderKey(expression: expression, isDescending: isDescending))
    }
    return keys
  }

  /// Turns DISTINCT into a GROUP BY of all columns, except over groups or windows.
  private func makeDistinct(
    _ result: inout SelectedRelation, _ items: inout [Item], _ order: inout [OrderKey],
    _ scope: Scope, at range: SourceRange
  ) throws(SQLFailure) {
    func isSelected(_ expression: TypedExpression) -> Bool {
      items.contains { $0.expression == expression }
    }
    for key in order where !isSelected(key.expression) {
      var place = key.expression.range
      _ = key.expression.contains { part in
        guard part.isColumn, !isSelected(part) else { return false }
        place = part.range
        return true
      }
      throw .invalid(.notSelected, at: place)
    }
    if result.grouping != nil || items.contains(where: { $0.expression.hasWindow }) {
      result.isDistinct = true
      return
    }
    var unique: [TypedExpression] = []
    for item in items where !unique.contains(item.expression) { unique.append(item.expression) }
    let grouper = Grouper(number: nextNumber(), keys: unique, scope: scope)
    for index in items.indices {
      items[index].expression = grouper.key(items[index].expression)
    }
    for index in order.indices { order[index].expression = grouper.key(order[index].expression) }
    result.grouping = grouper.grouping(sets: nil, isExplicit: true)
  }

  private func columns(
    _ items: [Item], _ select: SelectedRelation
  ) -> [Relation.Column] {
    let lookedUp = select.input.lookedUp
    return items.map { item in
      Relation.Column(
        name: item.name, type: item.expression.type,
        hasMultipleValues: item.expression.isMultiple, isWild: item.expression.isWild,
        isExploded: select.limit == nil && select.offset == nil
          && item.expression.readsExploded(select.grouping),
        unfinished: unfinished(item.expression, select),
        isLookedUp: lookedUp.contains(item.expression.node))
    }
  }

  /// What a join sees of a column; see ``Relation/Unfinished``.
  private func unfinished(
    _ expression: TypedExpression, _ select: SelectedRelation
  ) -> Relation.Unfinished? {
    guard !expression.hasWindow else { return nil }
    if let grouping = select.grouping {
      guard case .column(grouping.number, let index) = expression.node else {
        let uses = expression.contains {
          if case .column(grouping.number, let index) = $0.node {
            self.unfinished(index, grouping) != nil
          } else {
            false
          }
        }
        return uses ? .unknown : nil
      }
      return unfinished(index, grouping)
    }
    guard select.input.shape.stage == .grouped else { return nil }
    if case .column(select.input.number, let index) = expression.node {
      return select.input.columns[index].unfinished
    }
    let uses = expression.contains {
      if case .column(select.input.number, let index) = $0.node {
        select.input.columns[index].unfinished != nil
      } else {
        false
      }
    }
    return uses ? .unknown : nil
  }

  private func unfinished(
    _ index: Int, _ grouping: SelectedRelation.Grouping
  ) -> Relation.Unfinished? {
    let position = index - grouping.keys.count
    guard grouping.aggregates.indices.contains(position),
      case .aggregate(let call) = grouping.aggregates[position].node
    else { return nil }
    let traits = call.function.traits
    if call.function == .count, call.isDistinct, settings.approximatesCountDistinct { return .null }
    return traits.contains(.unfinishedNull) ? .null : traits.contains(.unfinished) ? .unknown : nil
  }
}

extension Select {
  var hasGrouping: Bool { groupBy != nil || isDistinct }
}

extension Expression {
  /// Whether it contains an aggregate, not counting subqueries and windows.
  var hasAggregateCall: Bool {
    contains {
      guard case .call(let call) = $0.kind, call.over == nil else { return false }
      return Function.named(call.function)?.isAggregate == true
    }
  }
}

extension Expression {
  /// Whether it contains a bare name.
  func mentions(_ word: String) -> Bool {
    contains {
      guard case .name(let name) = $0.kind else { return false }
      return name.parts.count == 1 && name.last == word
    }
  }
}

extension TypedExpression {
  /// Whether it holds a comparison of a multi-value column, which Druid makes for each of the values.
  fileprivate var testsValues: Bool {
    var isCertain = true
    let tests = contains {
      guard case .operation(let op, let operands) = $0.node else { return false }
      return op.isTestOfValue && operands.contains(where: \.isMultiple)
    }
    _ = contains {
      if case .call = $0.node, $0.isMultiple || $0.children.contains(where: \.isMultiple) {
        isCertain = false
      }
      return false
    }
    return tests && isCertain
  }

  /// Itself in a row whose columns have one value at most, or whose own value is one where the list comes
  /// from a call. Of several Druid makes a list, and cannot show that.
  fileprivate var ofOneValue: TypedExpression {
    var columns: [TypedExpression] = []
    _ = contains {
      if $0.isColumn, $0.isMultiple, !columns.contains($0) { columns.append($0) }
      return false
    }
    let lists = columns.isEmpty ? [self] : columns
    return TypedExpression(.operation(.ofOneValue, [self] + lists), type, range)
  }
}
