extension Parser {
  private static let queryTails: Set<String> = [
    ")", "UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT", "OFFSET", "FETCH",
  ]

  mutating func fromClause() throws(ParseStop) -> TableReference {
    var left = try joinedTable()
    var count = 0
    while at(",") {
      count += 1
      guard count <= Self.nestingLimit else { throw tooDeep() }
      let comma = token.range
      advance()
      let right = try joinedTable()
      left = .join(
        Join(
          kind: .comma, isNatural: false, left: left, right: right, condition: nil, range: comma))
    }
    return left
  }

  private mutating func joinedTable() throws(ParseStop) -> TableReference {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingLimit else { throw tooDeep() }
    var left = try tableReference()
    var count = 0
    while true {
      let start = index
      if Self.joinStarts.contains(token.key) { openedFar = start }
      let isNatural = acceptLone("NATURAL")
      guard let kind = try joinKind() else {
        if isNatural { throw .unexpected }
        return left
      }
      openedFar = start
      count += 1
      guard count <= Self.nestingLimit else { throw tooDeep() }
      let position = previousRange
      let right = try tableReference()
      var condition: Join.Condition?
      let word = token.range
      if accept("ON") {
        condition = .on(try expression())
      } else if accept("USING") {
        condition = .using(try identifierList())
      }
      left = .join(
        Join(
          kind: kind, isNatural: isNatural, left: left, right: right, condition: condition,
          conditionRange: condition == nil ? .none : word, range: position))
    }
  }

  private static let joinStarts: Set<String> = ["NATURAL", "INNER", "LEFT", "RIGHT", "FULL"]

  private static let applyRefusal =
    "APPLY operator is not allowed under the current SQL conformance level"

  private mutating func joinKind() throws(ParseStop) -> Join.Kind? {
    if accept("JOIN") { return .inner }
    if accept("INNER") {
      try expect("JOIN")
      return .inner
    }
    for (word, kind) in [("LEFT", Join.Kind.left), ("RIGHT", .right), ("FULL", .full)]
    where accept(word) {
      _ = acceptLone("OUTER")
      try expect("JOIN")
      return kind
    }
    if accept("CROSS") {
      if at("APPLY") { throw refuse(Self.applyRefusal) }
      try expect("JOIN")
      return .cross
    }
    if accept("OUTER") {
      try expect("APPLY")
      throw refuse(Self.applyRefusal)
    }
    return nil
  }

  private mutating func tableReference() throws(ParseStop) -> TableReference {
    let start = token.range
    noteIdentifier()
    if at("UNNEST") { return try unnest(start) }
    let isLateral = accept("LATERAL")
    if at("TABLE") { return try tableFunction(start) }
    if at("(") { return try parenthesizedTable(isLateral: isLateral) }
    if token.key == "UNNEST" { return try unnest(start) }
    let name = try compoundName()
    openedFar = -1
    try skipHints()
    try refusePivot()
    if at("(") {
      let call = try callArguments(of: name)
      let position = Position(range(from: start))
      return .function(call, extend: [], alias: try tableAlias(), range: position)
    }
    if token.key == "FOR", peek().key != "SYSTEM_TIME" {
      noteIdentifier()
      throw .unexpected
    }
    if at("FOR") || at("MATCH_RECOGNIZE") {
      throw refuse("\(token.key) is not supported", at: token.range)
    }
    let alias = try tableAlias()
    // It parses, and no plan has it.
    if at("TABLESAMPLE") { throw .refused(.unhandled) }
    return .table(name, alias: alias)
  }

  private mutating func unnest(_ start: SourceRange) throws(ParseStop) -> TableReference {
    try openParenthesis()
    var arguments: [Expression] = []
    switch try queryOrExpression(acceptsExpression: true) {
    case .expression(let expression): arguments.append(expression)
    case .query(let query): arguments.append(try node(.subquery(query), query.range))
    }
    while accept(",") { arguments.append(try expression()) }
    try expect(")")
    var withOrdinality = false
    if accept("WITH") {
      try expect("ORDINALITY")
      withOrdinality = true
    }
    let position = Position(range(from: start))
    return .unnest(
      arguments, withOrdinality: withOrdinality, alias: try tableAlias(), range: position)
  }

  private mutating func tableFunction(_ start: SourceRange) throws(ParseStop) -> TableReference {
    try openParenthesis()
    let call = try callArguments(of: try compoundName())
    try expect(")")
    var columns: [ColumnDefinition] = []
    let hasExtend = accept("EXTEND")
    if hasExtend || at("(") {
      try expect("(")
      repeat {
        let name = try identifier()
        columns.append(ColumnDefinition(name: name, type: try typeName()))
        if accept("NOT") { try expect("NULL") }
      } while accept(",")
      try expect(")")
    }
    let position = Position(range(from: start))
    return .function(call, extend: columns, alias: try tableAlias(), range: position)
  }

  private mutating func parenthesizedTable(isLateral: Bool) throws(ParseStop) -> TableReference {
    let holdsQuery = parenthesisHoldsQuery()
    opened = index
    advance()
    if holdsQuery {
      let query = try query()
      openedFar = -1
      try expect(")")
      try refusePivot()
      return .query(query, alias: try tableAlias(), isLateral: isLateral)
    }
    noteExpression()
    let inner = try joinedTable()
    openedFar = -1
    guard case .join = inner else {
      startAnew()
      throw token.key == ")" ? nonQuery() : .unexpected
    }
    try expect(")")
    return .parenthesized(inner, alias: try tableAlias())
  }

  /// Refuses PIVOT and UNPIVOT with a parenthesis, in a place where another word would be an alias.
  private func refusePivot() throws(ParseStop) {
    guard token.key == "PIVOT" || token.key == "UNPIVOT", tokens.indices.contains(index + 1),
      tokens[index + 1].key == "(" || tokens[index + 1].key == "INCLUDE"
        || tokens[index + 1].key == "EXCLUDE"
    else { return }
    throw .refused(
      SQLFailure(
        "\(token.key) is not supported here", at: token.range, category: .unsupported))
  }

  /// Whether the parenthesis at this token starts a query rather than a join.
  private func parenthesisHoldsQuery() -> Bool {
    var position = index
    while tokens[position].key == "(", position + 1 < tokens.count {
      switch tokens[position + 1].key {
      case "SELECT", "WITH", "VALUES", "VALUE": return true
      case "TABLE": return position + 2 < tokens.count && tokens[position + 2].key != "("
      case "(":
        guard let end = parenthesisEnds[position + 1], end < tokens.count else { return true }
        guard Self.queryTails.contains(tokens[end].key) else { return false }
        position += 1
      default: return false
      }
    }
    return false
  }

  private mutating func tableAlias() throws(ParseStop) -> TableAlias? {
    let start = token.range
    let isNamed = accept("AS")
    guard isNamed || atIdentifier() else { return nil }
    let name = try identifier()
    let columns = try identifierListIfAny()
    return TableAlias(name: name, columns: columns, range: range(from: start))
  }
}
