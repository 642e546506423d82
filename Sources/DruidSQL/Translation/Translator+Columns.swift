/// Decides which groupings the engine can compute over columns.
extension Translator {
  /// The grouping as a ``ColumnGrouping``; nil when only SQLite can compute it.
  ///
  /// - Parameters:
  ///   - sql: the same grouping as a query for SQLite.
  ///   - dropsEmpty: whether a grouping without keys has no group when no row remains.
  func columnGrouping(
    _ grouping: SelectedRelation.Grouping, _ select: SelectedRelation, _ sql: String,
    dropsEmpty: Bool
  ) -> ColumnGrouping? {
    guard case .table(let table) = select.input.kind, table.kind == .dataSource,
      grouping.sets == [Array(grouping.keys.indices)], grouping.groupings.isEmpty
    else { return nil }
    let reader = ColumnReader(translator: self, relation: select.input.number, table: table)
    var keys: [ColumnGrouping.Value] = []
    for key in grouping.keys {
      // SQLite puts 0.0 and -0.0 into one group, and the query refuses such a group.
      guard !key.type.isReal || key.isColumn, let value = reader.value(key) else { return nil }
      if case .constant = value { return nil }
      keys.append(value)
    }
    var aggregates: [ColumnGrouping.Aggregate] = []
    for item in grouping.aggregates {
      guard case .aggregate(let call) = item.node, let aggregate = reader.aggregate(call) else {
        return nil
      }
      aggregates.append(aggregate)
    }
    var tests: [ColumnGrouping.Test] = []
    if let filter = select.filter {
      guard let test = reader.test(filter) else { return nil }
      if case .all(let parts) = test { tests = parts } else { tests = [test] }
    }
    return ColumnGrouping(
      name: "", sqlite: sql, source: table.sqlite, filter: tests, keys: keys,
      aggregates: aggregates,
      dropsEmpty: grouping.keys.isEmpty && (dropsEmpty || skipsEmptyAnswer(select)))
  }
}

/// Converts expressions over one datasource to those of a ``ColumnGrouping``; nil for unsupported
/// ones.
private struct ColumnReader {
  let translator: Translator
  let relation: Int
  let table: Catalog.Table

  // MARK: Aggregates

  func aggregate(_ call: AggregateCall) -> ColumnGrouping.Aggregate? {
    guard call.orderBy.isEmpty, !call.isDistinct || call.function == .count else { return nil }
    var filter: ColumnGrouping.Test?
    if let condition = call.filter {
      guard let test = test(condition) else { return nil }
      filter = test
    }
    guard let first = call.arguments.first else {
      guard call.function == .count else { return nil }
      return .init(function: .count, argument: nil, filter: filter)
    }
    guard call.arguments.count == 1, let argument = value(first),
      let function = function(call, first)
    else { return nil }
    return .init(function: function, argument: argument, filter: filter)
  }

  private func function(
    _ call: AggregateCall, _ argument: TypedExpression
  ) -> ColumnGrouping.Aggregate.Function? {
    let estimate = ColumnGrouping.Aggregate.Function.estimateDistinct(
      isFloat: argument.type.kind == .float)
    switch call.function.name {
    case "COUNT" where call.isDistinct && translator.approximatesCountDistinct: return estimate
    case "APPROX_COUNT_DISTINCT", "APPROX_COUNT_DISTINCT_BUILTIN": return estimate
    case "COUNT": return call.isDistinct ? .countDistinct : .count
    // Sketches ignore empty strings.
    case "APPROX_COUNT_DISTINCT_DS_HLL", "APPROX_COUNT_DISTINCT_DS_THETA":
      return argument.type.isCharacter ? nil : .countDistinct
    case "SUM": return argument.type.isIntegral ? .sumLongs : .sumReals
    case "AVG": return .average
    case "MIN": return .minimum
    case "MAX": return .maximum
    default: return nil
    }
  }

  // MARK: Values

  func value(_ expression: TypedExpression) -> ColumnGrouping.Value? {
    if expression.isMultiple || expression.type.isArray || expression.type.isComplex { return nil }
    if expression.isConstant {
      guard !expression.type.isCharacter, let text = text(expression) else { return nil }
      return .constant(text, isReal: expression.type.isReal)
    }
    switch expression.node {
    case .column(relation, let index): return .column(index)
    case .cast(let operand) where expression.type.isReal && operand.type.isIntegral:
      return value(operand).map { .real($0) }
    case .cast(let operand)
    where expression.type.isIntegral && (operand.type.isIntegral || operand.type.isTime)
      || expression.type.kind == .timestamp && operand.type.isIntegral:
      return value(operand)
    case .conditional(let branches, let otherwise) where isNumber(expression):
      var parts: [ColumnGrouping.Branch] = []
      for branch in branches {
        guard let test = test(branch.condition), let result = value(branch.result) else {
          return computed(expression)
        }
        parts.append(.init(test: test, result: result))
      }
      guard let last = value(otherwise) else { return computed(expression) }
      return .conditional(parts, otherwise: last)
    case .operation(let op, let operands):
      return arithmetic(op, operands, expression) ?? computed(expression)
    case .call(let function, let operands):
      return floor(function, operands) ?? computed(expression)
    default: return computed(expression)
    }
  }

  private func isNumber(_ expression: TypedExpression) -> Bool {
    expression.type.isNumeric || expression.type.isTime
  }

  private func arithmetic(
    _ op: Operator, _ operands: [TypedExpression], _ whole: TypedExpression
  ) -> ColumnGrouping.Value? {
    let operations: [Operator: ColumnGrouping.Operation] = [
      .add: .add, .subtract: .subtract, .multiply: .multiply, .divide: .divide,
    ]
    guard let operation = operations[op], operands.count == 2, whole.type.isNumeric,
      operation != .divide || whole.type.isReal, let left = value(operands[0]),
      let right = value(operands[1])
    else { return nil }
    return .arithmetic(operation, isReal: whole.type.isReal, left, right)
  }

  /// TIME_FLOOR in UTC, for periods of fixed length.
  private func floor(
    _ function: Function, _ operands: [TypedExpression]
  ) -> ColumnGrouping.Value? {
    guard function == .timeFloor, operands.count == 4, operands[2].isNullConstant,
      let text = operands[1].text, let zone = operands[3].text, zone == "UTC" || zone == "Etc/UTC",
      let period = FixedPeriod(text), period.months == 0
    else { return nil }
    let isWeek = text.uppercased() == "P1W"
    if !isWeek {
      guard period.milliseconds % 604_800_000 != 0, !text.contains("D") || text == "P1D" else {
        return nil
      }
    }
    // 1970-01-05 was a Monday.
    return value(operands[0]).map {
      .floor($0, milliseconds: period.milliseconds, origin: isWeek ? 345_600_000 : 0)
    }
  }

  // MARK: Conditions

  func test(_ expression: TypedExpression) -> ColumnGrouping.Test? {
    guard case .operation(let op, let operands) = expression.node, !expression.isConstant else {
      return condition(expression)
    }
    switch op {
    case .and, .or:
      var parts: [ColumnGrouping.Test] = []
      for operand in operands {
        guard let part = test(operand) else { return nil }
        if op == .and, case .all(let inner) = part { parts += inner } else { parts.append(part) }
      }
      return op == .and ? .all(parts) : .any(parts)
    case .not: return test(operands[0]).map { .not($0) }
    case .isNull, .isNotNull:
      guard isNumber(operands[0]), let operand = value(operands[0]) else {
        return condition(expression)
      }
      return op == .isNull ? .isNull(operand) : .not(.isNull(operand))
    default:
      let comparisons: [Operator: ColumnGrouping.Comparison] = [
        .equal: .equal, .notEqual: .unequal, .less: .less, .lessOrEqual: .atMost,
        .greater: .greater, .greaterOrEqual: .atLeast,
      ]
      guard let comparison = comparisons[op], operands.allSatisfy(isNumber),
        let left = value(operands[0]), let right = value(operands[1])
      else { return condition(expression) }
      return .comparison(comparison, left, right)
    }
  }

  private func condition(_ expression: TypedExpression) -> ColumnGrouping.Test? {
    guard expression.type.kind == .boolean, case .computed(let computed, _)? = computed(expression)
    else { return nil }
    return .computed(computed)
  }

  // MARK: Values that SQLite computes

  private func computed(_ expression: TypedExpression) -> ColumnGrouping.Value? {
    var inputs: [ColumnGrouping.Input] = []
    guard !expression.isMultiple, collect(expression, unit: 1, &inputs), inputs.count <= 3,
      // Times have nearly as many distinct values as there are rows, so SQLite is as fast row by
      // row.
      !inputs.contains(where: { $0.column == 0 && $0.unit == 1 }),
      let text = text(expression)
    else { return nil }
    let columns = inputs.enumerated().map { number, input in
      "?\(number + 1) AS \(table.columns[input.column].sqlite)"
    }
    let from =
      columns.isEmpty ? "" : " FROM (SELECT \(columns.joined(separator: ", "))) AS r\(relation)"
    let type = expression.type
    return .computed(
      .init(sql: "SELECT \(text)\(from)", inputs: inputs),
      kind: type.isReal ? .real : type.isCharacter ? .text : .long)
  }

  /// Collects the columns that an expression reads; false when it reads anything else.
  private func collect(
    _ expression: TypedExpression, unit: Int64, _ inputs: inout [ColumnGrouping.Input]
  ) -> Bool {
    if expression.isMultiple || expression.type.isArray || expression.type.isComplex {
      return false
    }
    switch expression.node {
    case .column(relation, let index):
      let unit = index == 0 ? unit : 1
      if let known = inputs.firstIndex(where: { $0.column == index }) {
        inputs[known].unit = min(inputs[known].unit, unit)
      } else {
        inputs.append(.init(column: index, unit: unit))
      }
      return true
    case .constant: return true
    case .operation(_, let operands):
      return operands.allSatisfy { collect($0, unit: 1, &inputs) }
    case .call(let function, let operands):
      let unit = Self.unit(function, operands)
      return operands.allSatisfy { collect($0, unit: $0.isColumn ? unit : 1, &inputs) }
    case .cast(let operand):
      // A DATE is the start of a day.
      let isDate = expression.type.kind == .date && operand.type.kind == .timestamp
      return collect(operand, unit: isDate && operand.isColumn ? Self.minute : 1, &inputs)
    case .conditional:
      return expression.children.allSatisfy { collect($0, unit: 1, &inputs) }
    case .aggregate, .window, .grouping, .inQuery, .exists, .scalarQuery, .column: return false
    }
  }

  private static let minute: Int64 = 60_000

  /// The time span in milliseconds within which a function of a time has one result
  /// (``ColumnGrouping/Input/unit``).
  private static func unit(_ function: Function, _ operands: [TypedExpression]) -> Int64 {
    switch function {
    case .timeFloor:
      guard let period = operands[1].text?.uppercased(), operands[2].isNullConstant else {
        return 1
      }
      return period.contains("S") ? 1 : minute
    case .timeExtract:
      switch operands[1].text {
      case "MILLISECOND", "MICROSECOND", "EPOCH", nil: return 1
      case "SECOND": return 1_000
      default: return minute
      }
    default: return 1
    }
  }

  private func text(_ expression: TypedExpression) -> String? {
    do throws(SQLFailure) {
      return try translator.text(expression)
    } catch { return nil }
  }
}
