extension Parser {
  /// Parses a call from its `(` on, after its name, with all following clauses.
  mutating func call(_ name: Name) throws(ParseStop) -> Expression {
    try followed(try callArguments(of: name))
  }

  /// Parses the argument list only.
  mutating func callArguments(of name: Name) throws(ParseStop) -> FunctionCall {
    var call = FunctionCall(name: name)
    opened = index
    try expect("(")
    startAnew()
    if token.key == "*" {
      call.arguments = [.star(Position(token.range))]
      note("*")
      advance()
    } else if !at(")") {
      call.quantifierRange = token.range
      if acceptLone("DISTINCT") {
        call.isDistinct = true
      } else if acceptLone("ALL") {
        call.isDistinct = false
      }
      let isOrdered = Self.orderedAggregates.contains(name.last.uppercased())
      repeat {
        let isFirst = call.arguments.isEmpty
        call.arguments.append(try argument(isFirst: isFirst, allowsOrder: isOrdered))
      } while accept(",")
      let place = token.range
      call.nulls = try nullTreatment()
      call.nullsRange = place
      if isOrdered, accept("ORDER") {
        try expect("BY")
        call.orderBy = try orderItems()
      }
    }
    try expect(")")
    call.range = range(from: name.range)
    return call
  }

  /// Aggregates that take ORDER BY behind their arguments.
  private static let orderedAggregates: Set<String> = [
    "ARRAY_AGG", "ARRAY_CONCAT_AGG", "GROUP_CONCAT", "STRING_AGG",
  ]

  private mutating func argument(
    isFirst: Bool, allowsOrder: Bool
  ) throws(ParseStop) -> FunctionCall.Argument {
    if token.key == "DEFAULT" {
      let position = Position(token.range)
      advance()
      return .defaultValue(position)
    }
    if isIdentifier(token), peek().key == "=>" {
      let name = try identifier()
      advance()
      return .named(name, try expression())
    }
    if token.key == "TABLE", isIdentifier(peek()) || peek().key == "(" {
      advance()
      let isParenthesized = acceptLone("(")
      let name = try compoundName()
      if isParenthesized { try expect(")") }
      return .table(name)
    }
    guard isFirst || ["SELECT", "WITH", "VALUES"].contains(token.key) else {
      signed = index
      return .expression(try expression())
    }
    switch try queryOrExpression(acceptsExpression: true, allowsOrder: allowsOrder) {
    case .query(let query): return .query(query)
    case .expression(let expression): return .expression(expression)
    }
  }

  private mutating func nullTreatment() throws(ParseStop) -> FunctionCall.NullTreatment? {
    if token.key == "IGNORE", peek().key == "NULLS" {
      advance()
      advance()
      return .ignore
    }
    if token.key == "RESPECT", peek().key == "NULLS" {
      advance()
      advance()
      return .respect
    }
    return nil
  }

  /// Parses the clauses after the parentheses: WITHIN GROUP, FILTER, OVER.
  private mutating func followed(_ plain: FunctionCall) throws(ParseStop) -> Expression {
    var call = plain
    let word = token.range
    if let nulls = try nullTreatment() {
      call.nulls = nulls
      call.nullsRange = word
    }
    if at("WITHIN") {
      opened = index
      advance()
      try expect("GROUP")
      try expect("(")
      try expect("ORDER")
      try expect("BY")
      call.withinGroup = try orderItems()
      try expect(")")
    }
    if at("FILTER") {
      noteIdentifier()
      opened = index
      advance()
      try expect("(")
      try expect("WHERE")
      call.filter = try expression()
      try expect(")")
    }
    if at("OVER") {
      opened = index
      advance()
      call.over = try window()
    }
    openedFar = -1
    return try node(.call(call), range(from: call.range))
  }

  private mutating func window() throws(ParseStop) -> WindowReference {
    if atIdentifier() { return .name(try identifier()) }
    return .specification(try windowSpecification())
  }

  mutating func windowSpecification() throws(ParseStop) -> WindowSpecification {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingLimit else { throw tooDeep() }
    let start = token.range
    try expect("(")
    let base = atIdentifier() ? try identifier() : nil
    var partitionBy: [Expression] = []
    if accept("PARTITION") {
      try expect("BY")
      repeat { partitionBy.append(try expression()) } while accept(",")
    }
    var orderBy: [OrderItem] = []
    if accept("ORDER") {
      try expect("BY")
      orderBy = try orderItems()
    }
    let frame = try windowFrame()
    var allowsPartial: Bool?
    if accept("ALLOW") {
      try expect("PARTIAL")
      allowsPartial = true
    } else if accept("DISALLOW") {
      try expect("PARTIAL")
      allowsPartial = false
    }
    try expect(")")
    return WindowSpecification(
      base: base, partitionBy: partitionBy, orderBy: orderBy, frame: frame,
      allowsPartial: allowsPartial, range: range(from: start))
  }

  private mutating func windowFrame() throws(ParseStop) -> WindowFrame? {
    let start = token.range
    let unit: WindowFrame.Unit
    if accept("ROWS") {
      unit = .rows
    } else if accept("RANGE") {
      unit = .range
    } else {
      return nil
    }
    guard accept("BETWEEN") else {
      let place = token.range
      return WindowFrame(
        unit: unit, start: try frameBound(), end: nil, startRange: place,
        range: range(from: start))
    }
    let before = token.range
    let first = try frameBound()
    try expect("AND")
    let behind = token.range
    let last = try frameBound()
    return WindowFrame(
      unit: unit, start: first, end: last, startRange: before, endRange: behind,
      range: range(from: start))
  }

  private mutating func frameBound() throws(ParseStop) -> WindowFrame.Bound {
    if at("CURRENT"), peek().key == "ROW" {
      advance()
      advance()
      return .currentRow
    }
    if at("UNBOUNDED"), ["PRECEDING", "FOLLOWING"].contains(peek().key) {
      advance()
      let bound: WindowFrame.Bound =
        token.key == "PRECEDING" ? .unboundedPreceding : .unboundedFollowing
      advance()
      return bound
    }
    if token.key == "CURRENT" { noteExpression() }
    let offset = try expression()
    if acceptLone("PRECEDING") { return .preceding(offset) }
    try expect("FOLLOWING")
    return .following(offset)
  }
}
