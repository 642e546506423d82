extension Resolver {
  /// Resolves the names, types and implicit casts of one expression.
  func resolve(
    _ expression: Expression, in scope: Scope, _ place: Place
  ) throws(SQLFailure) -> TypedExpression {
    let (wasFilter, knewNames) = (isFilter, knowsNames)
    isFilter = wasFilter && expression.isCondition
    defer { (isFilter, knowsNames) = (wasFilter, knewNames) }
    if !knowsNames {
      try lookUpNames(expression, in: scope, place)
      knowsNames = true
    }
    var typed: TypedExpression
    do throws(SQLFailure) {
      typed = try dispatch(expression, in: scope, place)
      try refuseRow(in: expression)
    } catch {
      guard wasFilter, error.category == .unsupported,
        let any = anyValue(expression, in: scope, place)
      else { throw error }
      typed = any
    }
    if !typed.isColumn || typed.range == .none { typed.range = expression.range }
    return typed
  }

  /// A condition on a multi-value column as one on any of its values; nil when it is not one.
  private func anyValue(
    _ expression: Expression, in scope: Scope, _ place: Place
  ) -> TypedExpression? {
    switch expression.kind {
    case .call: break
    case .binary(let op, _, _) where op != .isDistinctFrom && op != .isNotDistinctFrom: break
    default: return nil
    }
    var single = scope
    for index in single.entries.indices { single.entries[index].readsOneValue = true }
    guard let typed = try? dispatch(expression, in: single, place), typed.type.kind == .boolean
    else { return nil }
    let columns = scope.entries.flatMap { entry in
      entry.relation.columns.indices.map { entry.column($0, at: expression.range) }
    }.filter { column in column.isMultiple && typed.contains { $0 == column } }
    guard columns.count == 1, let column = columns.first else { return nil }
    func any(_ condition: TypedExpression) -> TypedExpression {
      TypedExpression(.operation(.anyValue, [condition, column]), .boolean, expression.range)
    }
    guard case .operation(.notEqual, let sides) = typed.node else { return any(typed) }
    // To Druid it is the negation of an equality.
    var equal = typed
    equal.node = .operation(.equal, sides)
    return TypedExpression(.operation(.not, [any(equal)]), .boolean, expression.range)
  }

  /// The names of an expression, wherever they stand in it.
  func lookUpNames(
    _ expression: Expression, in scope: Scope, _ place: Place
  ) throws(SQLFailure) {
    if case .name(let name) = expression.kind { _ = try resolve(name, in: scope, place) }
    var children: [Expression] = []
    expression.kind.forEachChild { children.append($0) }
    for child in children { try lookUpNames(child, in: scope, place) }
  }

  /// Resolves a condition that Druid runs as a filter.
  func resolve(
    filter: Expression, in scope: Scope, _ place: Place
  ) throws(SQLFailure) -> TypedExpression {
    let wasFilter = isFilter
    isFilter = true
    defer { isFilter = wasFilter }
    let typed = try resolve(filter, in: scope, place).withAnyValue
    try Restrictions.filters.check(typed)
    return typed.asFilter
  }

  func resolve(
    _ list: [Expression], in scope: Scope, _ place: Place
  ) throws(SQLFailure) -> [TypedExpression] {
    var typed: [TypedExpression] = []
    for item in list { typed.append(try resolve(item, in: scope, place)) }
    return typed
  }

  private func dispatch(
    _ expression: Expression, in scope: Scope, _ place: Place
  ) throws(SQLFailure) -> TypedExpression {
    let range = expression.range
    switch expression.kind {
    case .literal(let literal): return try constant(literal, at: range)
    case .parameter(let index): return try parameter(index, at: range)
    case .name(let name): return try resolve(name, in: scope, place)
    case .star: throw .uncertain(.star, at: range)
    case .prefix(.minus, let operand) where operand.kind.integerDigits == "9223372036854775808":
      return try constant(.integer("-9223372036854775808"), at: range)
    case .prefix(.minus, let operand)
    where operand.kind.integerDigits.map { Int64($0) } == .some(nil):
      throw .numberOutOfRange("-" + (operand.kind.integerDigits ?? ""), at: range)
    case .prefix(let op, let operand):
      return try prefix(op, try resolve(operand, in: scope, place), at: range)
    case .binary(let op, let left, let right):
      return try binary(
        op, try resolve(left, in: scope, place), try resolve(right, in: scope, place), at: range)
    case .logical(let op, let operands):
      let wasAlternative = isAlternative
      isAlternative = wasAlternative || op == .or
      defer { isAlternative = wasAlternative }
      let typed = try resolve(operands, in: scope, place)
      return try logical(op == .and ? .and : .or, typed, at: range)
    case .test(let test, let operand):
      return try self.test(test, try resolve(operand, in: scope, place), at: range)
    case .between(let operand, let low, let high, let isNegated, let isSymmetric):
      let value = try resolve(operand, in: scope, place)
      let bounds = (try resolve(low, in: scope, place), try resolve(high, in: scope, place))
      func between(_ low: TypedExpression, _ high: TypedExpression) throws(SQLFailure)
        -> TypedExpression
      {
        try logical(
          .and,
          [
            try binary(.greaterOrEqual, value, low, at: range),
            try binary(.lessOrEqual, value, high, at: range),
          ], at: range)
      }
      var inside = try between(bounds.0, bounds.1)
      if isSymmetric {
        inside = try logical(.or, [inside, try between(bounds.1, bounds.0)], at: range)
      }
      return isNegated ? try negated(inside) : inside
    case .like(let operand, let pattern, let escape, let isNegated, let isSimilar):
      if isSimilar {
        _ = try resolve([operand, pattern], in: scope, place)
        throw .noFunction((isNegated ? "NOT " : "") + "SIMILAR TO", at: operand.range)
      }
      let like = try self.like(
        try resolve(operand, in: scope, place), try resolve(pattern, in: scope, place),
        try escape.map { (item) throws(SQLFailure) in try resolve(item, in: scope, place) },
        at: range)
      return isNegated ? try negated(like) : like
    case .inList(let operand, let list, let isNegated):
      let value = try resolve(operand, in: scope, place)
      return try inList(value, try resolve(list, in: scope, place), isNegated, at: range)
    case .inQuery(let operand, let query, let isNegated):
      let value = try resolve(operand, in: scope, place)
      return try inQuery(value, query, isNegated, in: scope, at: range)
    case .exists(let query):
      _ = try resolvable(query, in: scope)
      throw .noFunction("EXISTS", at: range)
    case .quantified(let operand, let op, let quantifier, let set):
      let value = try resolve(operand, in: scope, place)
      switch (set, op, quantifier) {
      case (.query(let query), .equal, .some):
        return try inQuery(value, query, false, in: scope, at: range)
      case (.query(let query), .notEqual, .all):
        return try inQuery(value, query, true, in: scope, at: range)
      case (.query(let query), _, _):
        _ = try resolvable(query, in: scope)
        return try quantified(operand, op, quantifier, query, in: scope, place, at: range)
      case (.list(let list), _, _):
        var tests: [TypedExpression] = []
        for item in try resolve(list, in: scope, place) {
          if item.type.isArray != value.type.isArray { throw .incompatibleList(at: range) }
          tests.append(try binary(op, value, item, at: range))
        }
        if tests.count == 1 { return tests[0] }
        return try logical(quantifier == .some ? .or : .and, tests, at: range)
      }
    case .subquery(let query): return try scalarQuery(query, in: scope, at: range)
    case .conditional(let operand, let branches, let otherwise):
      return try conditional(operand, branches, otherwise, in: scope, place, at: range)
    case .cast(let operand, let type, let kind):
      if kind != .cast {
        let value = try resolve(operand, in: scope, place)
        let result = TypedExpression(.constant(.null), try self.type(type))
        throw noFunction(kind.rawValue, [value, result], at: range)
      }
      if isDate(parameter: operand), type.name == "TIMESTAMP" || type.name == "VARCHAR" {
        throw .dateParameter(as: type.name, at: range)
      }
      let value = try resolve(operand, in: scope, place)
      if value.type.isInterval, let qualifier = operand.intervalQualifier {
        return try count(value, in: qualifier, as: type, at: range)
      }
      return try cast(value, to: type, at: range)
    case .extract(let unit, let operand):
      try refuseDate(parameter: operand)
      return try extract(unit, try resolve(operand, in: scope, place), at: range)
    case .round(let direction, let operand, let unit):
      return try round(direction, try resolve(operand, in: scope, place), unit, at: range)
    case .trim(let side, let characters, let operand):
      return try trim(
        side,
        try characters.map { (item) throws(SQLFailure) in try resolve(item, in: scope, place) },
        try resolve(operand, in: scope, place), at: range)
    case .timestampAdd(let unit, let count, let operand):
      try refuseDate(parameter: operand)
      return try timestampAdd(
        unit, try resolve(count, in: scope, place), try resolve(operand, in: scope, place),
        at: range)
    case .timestampDiff(let unit, let from, let to):
      return try timestampDiff(
        unit, try resolve(from, in: scope, place), try resolve(to, in: scope, place), at: range)
    case .interval(let value, let qualifier):
      return try interval(value, qualifier, in: scope, place, at: range)
    case .row(let parts):
      let isCompared = place.clause == "WHERE" || place.clause == "ON"
      let row = try resolve(parts, in: scope, place)
      if !isCompared { failInPlanning(.operatorNotPlanned("ROW")) }
      return TypedExpression(.operation(.row, row), isCompared ? .null : .varchar, range)
    case .array(let elements):
      return try array(try resolve(elements, in: scope, place), at: range)
    case .collection(let word, _): throw .collection(word, at: range)
    case .item(let operand, let index):
      let parts = try resolve([operand, index], in: scope, place)
      guard let element = parts[0].type.element, parts[1].type.isIntegral else {
        throw .uncertain(.item, at: range)
      }
      failInPlanning(.operatorNotPlanned("ITEM"))
      return TypedExpression(.constant(.null), element.nullable(true), range)
    case .field: throw .uncertain(.field, at: range)
    case .call(let call): return try self.call(call, in: scope, place, at: range)
    }
  }

  /// Refuses a row as the operand of anything but a comparison with a row.
  private func refuseRow(in expression: Expression) throws(SQLFailure) {
    func isRow(_ operand: Expression) -> Bool {
      if case .row = operand.kind { true } else { false }
    }
    let name: String
    switch expression.kind {
    case .binary(let op, let left, let right):
      guard isRow(left) != isRow(right) || isRow(left) && !op.isComparison else { return }
      name = op.rawValue
    case .logical(let op, let operands) where operands.contains(where: isRow): name = op.rawValue
    case .prefix(let op, let operand) where isRow(operand): name = op.rawValue
    case .between(let value, _, _, _, _) where isRow(value): name = "BETWEEN ASYMMETRIC"
    case .like(let value, _, _, _, _) where isRow(value): name = "LIKE"
    case .conditional(nil, let branches, _) where branches.contains { isRow($0.condition) }:
      throw .invalid(.notBoolean, at: expression.range)
    case .call(let call):
      if ["COUNT", "MAX", "MIN"].contains(call.function) { return }
      let hasRow = call.arguments.contains { argument in
        if case .expression(let value) = argument { isRow(value) } else { false }
      }
      guard hasRow else { return }
      name = call.function
    default: return
    }
    throw .rowOperand(name, at: expression.range)
  }

  /// Refuses a DATE parameter where no context determines its type.
  func refuseDate(parameter expression: Expression) throws(SQLFailure) {
    if isDate(parameter: expression) { throw .invalid(.dynamicParameter, at: expression.range) }
  }

  private func isDate(parameter expression: Expression) -> Bool {
    guard case .parameter(let index) = expression.kind, parameters.indices.contains(index) else {
      return false
    }
    return parameters[index].type == "DATE" && parameters[index].value != .null
  }

  /// A query of which nothing but its own errors is wanted.
  private func resolvable(_ query: Query, in scope: Scope) throws(SQLFailure) -> Relation? {
    do throws(SQLFailure) {
      return try resolve(query, tables: scope.tables, outer: scope.entries + scope.outer)
    } catch {
      if error.category != .unsupported { throw error }
      return nil
    }
  }

  private func inList(
    _ value: TypedExpression, _ list: [TypedExpression], _ isNegated: Bool, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if case .operation(.row, let parts) = value.node {
      return try inRows(parts, list, isNegated, at: range)
    }
    // Calcite finds no type that a truth and a number have in common.
    if list.contains(where: { $0.type.isTruthBeside(value.type) }) {
      throw .incompatibleList(at: range)
    }
    var list = list.reduce(into: [TypedExpression]()) { unique, item in
      if !item.isConstant || !unique.contains(item) { unique.append(item) }
    }
    // Beside a text in the list, Calcite casts its numbers.
    if value.type.isCharacter, list.contains(where: { $0.text != nil }) {
      list = list.map { $0.spelledNumber ?? $0 }
    }
    if list.count == 1, let only = list.first, only.isConstant, !only.isNullConstant {
      let equal = try compare(.equal, value, only, at: range)
      return isNegated ? try negated(equal) : equal
    }
    let isDouble = !isFilter && value.type.isIntegral && list.contains(where: \.type.isReal)
    let value = isDouble ? value.heldAsDouble : value
    var items: [TypedExpression] = []
    var subject: TypedExpression?
    var hasNull = false
    for item in list {
      if item.isNullConstant {
        items.append(item)
        hasNull = true
        continue
      }
      guard item.isConstant else {
        let equal = try compare(.equal, value, item, at: range)
        items.append(equal)
        continue
      }
      let equal = try compare(.equal, value, item, at: range)
      guard case .operation(let op, let sides) = equal.node, op != .agreed,
        subject == nil || sides[0] == subject
      else {
        throw .uncertain(.list, at: range)
      }
      subject = sides[0]
      items.append(sides[1])
    }
    let isPlain = list.allSatisfy { $0.isConstant }
    var result: TypedExpression
    if isPlain {
      let subject = subject ?? value
      result = TypedExpression(
        .operation(.isIn, [subject] + items),
        .boolean.nullable(hasNull || value.type.isNullable), range)
      if !isFilter, subject.findsZero(among: items[...]) { result = result.asFilter }
    } else {
      guard list.allSatisfy({ !$0.isConstant }) else { throw .uncertain(.list, at: range) }
      result = items.count == 1 ? items[0] : try logical(.or, items, at: range)
    }
    return isNegated ? try negated(result) : result
  }

  /// `(a, b) IN ((1, 2), (3, 4))`
  private func inRows(
    _ values: [TypedExpression], _ list: [TypedExpression], _ isNegated: Bool, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard !isNegated, !values.contains(where: \.isMultiple) else {
      throw .uncertain(.list, at: range)
    }
    var rows: [TypedExpression] = []
    for row in list {
      guard case .operation(.row, let items) = row.node, items.count == values.count,
        items.allSatisfy({ $0.isConstant && !$0.isNullConstant })
      else { throw .uncertain(.list, at: range) }
      var tests: [TypedExpression] = []
      for (value, item) in zip(values, items) {
        tests.append(try compare(.equal, value, item, at: range))
      }
      rows.append(tests.count == 1 ? tests[0] : try logical(.and, tests, at: range))
    }
    return rows.count == 1 ? rows[0] : try logical(.or, rows, at: range)
  }
}

extension Expression.Kind {
  /// The digits of an integer literal.
  fileprivate var integerDigits: String? {
    if case .literal(.integer(let digits)) = self { digits } else { nil }
  }
}

extension Expression {
  /// The units of an interval that is written here.
  fileprivate var intervalQualifier: IntervalQualifier? {
    switch kind {
    case .interval(_, let qualifier): qualifier
    case .literal(.interval(let literal)): literal.qualifier
    default: nil
    }
  }

  /// Whether it is a comparison, or several combined: the kind of expression that a filter is made
  /// of.
  fileprivate var isCondition: Bool {
    switch kind {
    case .logical, .inList, .between, .like: true
    case .prefix(let op, _): op == .not
    case .test(let test, _):
      [.isTrue, .isNotTrue, .isFalse, .isNotFalse, .isUnknown, .isNotUnknown].contains(test)
    case .binary(let op, _, _):
      [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual].contains(op)
    default: false
    }
  }
}

extension TypedExpression {
  /// With tests of a multi-value's values, by a function, as the filter that any of them passes.
  fileprivate var withAnyValue: TypedExpression {
    rewritten { (part) throws(Never) -> TypedExpression? in
      guard case .call = part.node, part.isMultiple, part.type.kind == .boolean else { return nil }
      return TypedExpression(.operation(.anyTrue, [part]), part.type, part.range)
    }
  }

  /// The same value, converted to a type that can hold it; for CASE, COALESCE and UNION.
  func widened(to target: SQLType) -> TypedExpression {
    if isNullConstant { return TypedExpression(.constant(.null), target, range) }
    if type.isNumeric && target.isReal && !type.isReal {
      var copy = TypedExpression(.cast(self), target.nullable(type.isNullable), range)
      copy.isMultiple = isMultiple
      return copy
    }
    return self
  }
}
