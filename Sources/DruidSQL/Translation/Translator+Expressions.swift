extension Translator {
  /// A result column: like ``text(_:)``, but converted to the range of its SQL type.
  ///
  /// - Parameters:
  ///   - isLiteral: whether Druid's planner evaluates it and writes the result as a literal.
  ///   - pins: the columns that WHERE restricts to one value.
  func output(
    _ item: TypedExpression, isLiteral: Bool = false, pins: TypedExpression.Pins = [:]
  ) throws(SQLFailure) -> String {
    var text = try self.text(item)
    let isLiteral = isLiteral && (!item.readsQuery || item.isQueryOfLiterals)
    let isComputed = item.isConstant && item.constant == nil
    if !isLiteral, item.type.isTime, !item.isColumn, item.isSettled(by: pins) {
      let kind = item.type.kind == .date ? "DATE" : "TIMESTAMP"
      return "druid_planned_time(\(text), '\(kind)', \(quoted(zone)))"
    }
    if !isLiteral, item.type.isArray, item.isConstant, item.type.element?.kind != .null,
      !item.children.isEmpty
    {
      return "druid_planned_array(\(text), \(item.isSliceOfLiterals ? 1 : 0))"
    }
    if isLiteral, item.type.isTime {
      let kind = item.type.kind == .date ? "DATE" : "TIMESTAMP"
      return "druid_constant_time(\(text), '\(kind)', \(quoted(zone)))"
    }
    if isLiteral, item.type.isArray { return "druid_constant_array(\(text))" }
    if isComputed, item.type.element?.kind == .null { return "druid_planned_array(\(text), 0)" }
    if isComputed, !item.type.isNullable, !item.type.isTime, !item.isChoice {
      text = "druid_required(\(text))"
    }
    // Calcite fills a constant up to the length of its type.
    if isComputed, case .char(let length) = item.type.kind {
      return "druid_pad(\(text), \(length))"
    }
    if item.isConstant && item.type.isReal && !item.isNullConstant {
      if item.constant == nil { return "(\(text) + 0.0)" }
    }
    if item.type.element?.kind == .null {
      throw .uncertain(.arrayOfNulls, at: item.range)
    }
    switch item.type.kind {
    case .integer where item.constant == nil && !item.isColumn:
      return item.isConstant ? "druid_integer(\(text))" : "druid_int(\(text))"
    case .float where !item.isColumn: return "druid_double_to_float(\(text))"
    default: return text
    }
  }

  /// The expression as SQL for SQLite, safe to use inside any other expression.
  func text(_ expression: TypedExpression) throws(SQLFailure) -> String {
    if let mapped, mapped.expression == expression { return mapped.text }
    // Druid's planner evaluates constants without limiting their size, but refuses infinite ones.
    if !isInConstant, !expression.children.isEmpty, expression.isConstant {
      isInConstant = true
      defer { isInConstant = false }
      let text = try self.text(expression)
      if case .call(.jsonQueryArray, _) = expression.node { return "druid_constant_json(\(text))" }
      return expression.type.isReal ? "druid_constant(\(text))" : text
    }
    switch expression.node {
    case .column(let relation, let index): return column(relation, index)
    case .constant(let constant): return self.constant(constant)
    case .operation(let op, let operands): return try operation(op, operands, expression)
    case .call(let function, let operands): return try call(function, operands, expression)
    case .cast(let operand): return try cast(operand, to: expression.type)
    case .conditional(let branches, let otherwise):
      var sql = "CASE"
      for branch in branches {
        sql += " WHEN \(try text(branch.condition)) THEN \(try text(branch.result))"
      }
      return sql + " ELSE \(try text(otherwise)) END"
    case .window(let call): return try window(call)
    case .inQuery(let operand, let relation):
      // The unary plus stops SQLite from using an index, which would change the order of the rows.
      if case .operation(.row, let parts) = operand.node {
        let values = (try texts(parts)).map { "+" + $0 }.joined(separator: ", ")
        return "((\(values)) IN (\(try query(relation))))"
      }
      if case .select(let select) = relation.kind, select.isCorrelated {
        return "EXISTS (SELECT 1 FROM (\(try query(relation))) WHERE c0 = \(try text(operand)))"
      }
      return "(+\(try text(operand)) IN (\(try query(relation))))"
    case .scalarQuery(let relation): return try scalar(relation)
    case .aggregate, .grouping, .exists:
      throw .untranslated("expression", at: expression.range)
    }
  }

  /// The value of a query of one row.
  private func scalar(_ relation: Relation) throws(SQLFailure) -> String {
    guard case .select(let select) = relation.kind else { return "(\(try query(relation)))" }
    if select.isCorrelated { return try correlated(relation, select) }
    if select.isSingle { return "(\(try query(relation)))" }
    return "(SELECT druid_single_value(c0) FROM (\(try query(relation))))"
  }

  /// An aggregate of the rows that belong to a row of the enclosing query. Those of which a column is
  /// equal to a value of that row are grouped once, as Druid joins them.
  private func correlated(
    _ relation: Relation, _ select: SelectedRelation
  ) throws(SQLFailure) -> String {
    var inner = select
    var keys: [TypedExpression] = []
    var values: [TypedExpression] = []
    var rest: [TypedExpression] = []
    for part in select.filter?.conjuncts ?? [] {
      if let (key, value) = part.lookup(in: select.input.number) {
        keys.append(key)
        values.append(value)
      } else {
        rest.append(part)
      }
    }
    inner.filter =
      rest.isEmpty ? nil : TypedExpression(.operation(.and, rest), .boolean, rest[0].range)
    let isCount = select.grouping?.aggregates.first?.isCount == true
    guard var grouping = inner.grouping, !keys.isEmpty, !inner.isCorrelated else {
      return "(\(try query(relation)))"
    }
    // The aggregate follows the keys.
    inner.items = inner.items.map { item in
      guard case .column(grouping.number, let index) = item.node else { return item }
      var item = item
      item.node = .column(relation: grouping.number, index: index + keys.count)
      return item
    }
    grouping.keys = keys
    grouping.sets = [Array(keys.indices)]
    grouping.isExplicit = true
    inner.grouping = grouping
    inner.items += keys.indices.map { index in
      TypedExpression(.column(relation: grouping.number, index: index), keys[index].type)
    }
    let groups = try self.query(
      Relation(
        number: relation.number, kind: .select(inner), columns: relation.columns,
        shape: relation.shape))
    var tests: [String] = []
    for (index, value) in values.enumerated() {
      tests.append("c\(index + 1) = \(try text(value))")
    }
    let name = "m\(relation.number)"
    let lookup =
      "(WITH \(name) AS MATERIALIZED (\(groups)) SELECT c0 FROM \(name) "
      + "WHERE \(tests.joined(separator: " AND ")))"
    return isCount ? "COALESCE(\(lookup), 0)" : lookup
  }

  func texts(_ list: [TypedExpression]) throws(SQLFailure) -> [String] {
    var texts: [String] = []
    for item in list { texts.append(try text(item)) }
    return texts
  }

  func quoted(_ text: String) -> String { Self.quoted(text) }

  static func quoted(_ text: String) -> String {
    if text.utf8.contains(0) {
      let digits = text.utf8.map { byte in
        let hex = String(byte, radix: 16)
        return hex.count == 1 ? "0" + hex : hex
      }
      return "CAST(x'\(digits.joined())' AS TEXT)"
    }
    return "'"
      + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
      + "'"
  }

  private func constant(_ constant: TypedExpression.Constant) -> String {
    switch constant {
    case .null: "NULL"
    case .text(let text): quoted(text)
    case .long(.min): "(-9223372036854775807 - 1)"
    case .long(let value): value < 0 ? "(\(value))" : String(value)
    case .double(let value): value < 0 ? "(\(value))" : String(value)
    case .boolean(let value): value ? "1" : "0"
    case .localTime(let text): "druid_local_time(\(quoted(text)), \(quoted(zone)))"
    }
  }

  private func cast(_ operand: TypedExpression, to target: SQLType) throws(SQLFailure) -> String {
    let value = try text(operand)
    let source = operand.type
    switch target.kind {
    case .varchar, .char:
      if source.isCharacter { return value }
      switch source.kind {
      case .timestamp: return "druid_time_to_text(\(value), \(quoted(zone)))"
      case .date: return "druid_date_to_text(\(value), \(quoted(zone)))"
      case .float where !operand.isConstant: return "druid_float_print(\(value))"
      default:
        return source.isReal ? "druid_double_to_text(\(value))" : "CAST(\(value) AS TEXT)"
      }
    case .boolean:
      if source.isCharacter { return "druid_text_to_boolean(\(value))" }
      return source.isReal ? "(druid_double_to_long(\(value)) > 0)" : "(\(value) > 0)"
    case .array(let element):
      let kind =
        element.isCharacter ? "VARCHAR" : element.isReal ? "DOUBLE" : "BIGINT"
      return "druid_cast_array(\(value), '\(kind)')"
    case .smallint, .tinyint, .integer, .bigint:
      if source.isReal { return "druid_double_to_long(\(value))" }
      return source.isCharacter ? "druid_text_to_long(\(value))" : value
    case .float, .real, .double, .decimal:
      if source.isReal { return value }
      return source.isCharacter ? "druid_text_to_double(\(value))" : "CAST(\(value) AS REAL)"
    case .timestamp:
      if source.isReal { return "druid_double_to_long(\(value))" }
      return source.isCharacter ? "druid_text_to_time(\(value), \(quoted(zone)))" : value
    case .date:
      if source.isCharacter { return "druid_text_to_date(\(value), \(quoted(zone)))" }
      return Self.floor(value, period: "P1D", origin: "NULL", zone: zone)
    default: return value
    }
  }
}

extension TypedExpression {
  /// Whether it is a subquery whose value Druid's planner computes.
  fileprivate var isQueryOfLiterals: Bool {
    guard case .scalarQuery(let relation) = node, case .select(let select) = relation.kind else {
      return false
    }
    return select.isOfLiterals
  }

  /// Whether it is COALESCE, of which Calcite takes a NULL for the type of its first operand.
  fileprivate var isChoice: Bool {
    if case .call(.coalesce, _) = node { return true }
    return false
  }

  /// Whether it is a slice of an array of literals, whose type in Calcite is NOT NULL.
  fileprivate var isSliceOfLiterals: Bool {
    guard case .call(let function, let operands) = node, function.name == "ARRAY_SLICE",
      case .operation(.array, let elements)? = operands.first?.node
    else { return false }
    return elements.allSatisfy { $0.constant != nil }
  }
}

extension SelectedRelation {
  /// Whether its filter or its items read a column of an enclosing query.
  fileprivate var isCorrelated: Bool {
    let known = input.numbers
    let parts = (filter.map { [$0] } ?? []) + (grouping == nil ? items : [])
    return parts.contains { !$0.relations.isSubset(of: known) }
  }
}

extension TypedExpression {
  fileprivate var isCount: Bool {
    if case .aggregate(let call) = node { return call.function == .count }
    return false
  }

  /// For a column of a relation that is equal to a value from elsewhere: the column and the value.
  fileprivate func lookup(
    in relation: Int
  ) -> (key: TypedExpression, value: TypedExpression)? {
    guard case .operation(.equal, let sides) = node, sides.count == 2 else { return nil }
    for (key, value) in [(sides[0], sides[1]), (sides[1], sides[0])] {
      guard case .column(relation, _) = key.node, !key.isMultiple, !value.isMultiple,
        !value.relations.isEmpty, !value.relations.contains(relation),
        key.type.isCharacter && value.type.isCharacter
          || key.type.isIntegral && value.type.isIntegral
          || key.type.kind == .timestamp && value.type.kind == .timestamp
      else { continue }
      return (key, value)
    }
    return nil
  }
}
