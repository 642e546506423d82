/// A query or an expression. Both can start with a parenthesis, and only the following tokens tell
/// them apart.
enum QueryOrExpression {
  case query(Query)
  case expression(Expression)
}

extension Parser {
  private static let setWords = ["UNION", "INTERSECT", "EXCEPT", "MINUS"]

  /// Parses a query with its ORDER BY and LIMIT, in a place where only a query is valid.
  mutating func query() throws(ParseStop) -> Query {
    switch try queryOrExpression(acceptsExpression: false) {
    case .query(let query): return query
    case .expression(let expression):
      if case .subquery(let query) = expression.kind { return query }
      throw nonQuery()
    }
  }

  mutating func queryOrExpression(
    acceptsExpression: Bool, allowsOrder: Bool = false
  ) throws(ParseStop) -> QueryOrExpression {
    signed = index
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingLimit else { throw tooDeep() }
    let start = token.range
    let (with, isRecursive) = try withList()
    let first = try leaf(acceptsExpression: acceptsExpression && with.isEmpty)
    let isSet = at(Self.setWords)
    let isOrdered = at(["ORDER", "LIMIT", "OFFSET", "FETCH"])
    if case .expression(let expression) = first, with.isEmpty, !isSet {
      guard isOrdered else { return first }
      guard case .subquery = expression.kind else {
        return try ordered(expression, allowsOrder: allowsOrder)
      }
    }
    let body = try setOperations(over: try queryBody(first), minimum: 0)
    var orderBy: [OrderItem] = []
    if accept("ORDER") {
      try expect("BY")
      orderBy = try orderItems()
    }
    let (offset, limit) = try limits()
    return .query(
      Query(
        with: with, isRecursive: isRecursive, body: body, orderBy: orderBy, offset: offset,
        limit: limit, range: range(from: start)))
  }

  /// An expression with ORDER BY, LIMIT or OFFSET behind it, which only a query can have.
  private mutating func ordered(
    _ expression: Expression, allowsOrder: Bool
  ) throws(ParseStop) -> QueryOrExpression {
    let place = token.range
    if token.key == "ORDER" {
      if !allowsOrder, peek().key == "BY" { throw refuse("ORDER BY unexpected") }
      return .expression(expression)
    }
    _ = try limits()
    if refusal == nil {
      refusal = SQLFailure(
        "LIMIT behind an expression is not supported here", at: place, category: .unsupported)
    }
    return .expression(expression)
  }

  private func queryBody(_ leaf: QueryOrExpression) throws(ParseStop) -> QueryBody {
    switch leaf {
    case .query(let query): return query.body
    case .expression(let expression):
      if case .subquery(let query) = expression.kind { return .nested(query) }
      throw nonQuery()
    }
  }

  /// Parses SELECT, VALUES, TABLE, a parenthesized query, or an expression.
  private mutating func leaf(acceptsExpression: Bool) throws(ParseStop) -> QueryOrExpression {
    let start = token.range
    if at("SELECT") { return .query(wrap(.select(try select()), start)) }
    if token.key == "VALUE", acceptsExpression { return .expression(try expression()) }
    if at(["VALUES", "VALUE"]) {
      opened = index
      let isAllowed = token.key == "VALUES"
      advance()
      if !isAllowed {
        throw refuse("VALUE is not allowed under the current SQL conformance level")
      }
      var rows = [try valuesRow()]
      while accept(",") { rows.append(try valuesRow()) }
      return .query(wrap(.values(Values(rows: rows, range: range(from: start))), start))
    }
    if accept("TABLE") { return .query(wrap(.table(try compoundName()), start)) }
    if !acceptsExpression, index > 0, tokens[index - 1].key == "(", isIdentifier(token),
      isIdentifier(peek())
    {
      // In parentheses they are a table and its alias.
      for _ in 0..<2 { advance() }
      startAnew()
      throw .unexpected
    }
    if !acceptsExpression, index == 0 { try passParentheses() }
    if !acceptsExpression, token.key != "(" {
      noteExpression()
      guard startsExpression() else { throw .unexpected }
      if !["NOT", "+", "-", "EXISTS"].contains(token.key) { _ = try primary() }
      throw nonQuery()
    }
    return .expression(try expression())
  }

  /// Goes to the first operand of a statement that is an expression in parentheses.
  private mutating func passParentheses() throws(ParseStop) {
    var depth = 0
    while peek(depth).key == "(" { depth += 1 }
    let isQuery = ["SELECT", "WITH", "VALUES", "VALUE", "TABLE"].contains(peek(depth).key)
    guard depth > 0, !isQuery, startsExpression(peek(depth)) else { return }
    for _ in 0..<depth { advance() }
  }

  private func wrap(_ body: QueryBody, _ start: SourceRange) -> Query {
    Query(body: body, range: range(from: start))
  }

  private mutating func valuesRow() throws(ParseStop) -> Expression {
    let start = token.range
    if token.key == "ROW" { return try expression() }
    let value = try expression()
    if case .row = value.kind { return value }
    return try node(.row([value]), range(from: start))
  }

  /// Parses set operators by precedence climbing. INTERSECT binds tighter than the others.
  private mutating func setOperations(
    over first: QueryBody, minimum: Int
  ) throws(ParseStop) -> QueryBody {
    var left = first
    var count = 0
    while at(Self.setWords) {
      let word = token.key
      let precedence = word == "INTERSECT" ? 2 : 1
      guard precedence > minimum else { break }
      count += 1
      guard count <= Self.setLimit else { throw tooDeep() }
      advance()
      startAnew()
      let isAll = acceptLone("ALL")
      if !isAll { _ = acceptLone("DISTINCT") }
      if word == "MINUS" {
        throw refuse("MINUS is not allowed under the current SQL conformance level")
      }
      let leaf = try leaf(acceptsExpression: false)
      let right = try setOperations(over: try queryBody(leaf), minimum: precedence)
      let kind: SetOperation.Kind =
        switch word {
        case "UNION": .union
        case "INTERSECT": .intersect
        default: .except
        }
      left = .setOperation(
        SetOperation(
          kind: kind, isAll: isAll, left: left, right: right,
          range: left.range.through(right.range)))
    }
    return left
  }

  private mutating func withList() throws(ParseStop) -> ([CommonTable], Bool) {
    guard accept("WITH") else { return ([], false) }
    let isRecursive = acceptLone("RECURSIVE")
    var tables: [CommonTable] = []
    repeat {
      let name = try identifier()
      let columns = try identifierListIfAny()
      try expect("AS")
      try expect("(")
      let query = try query()
      try expect(")")
      tables.append(CommonTable(name: name, columns: columns, query: query))
    } while accept(",")
    return (tables, isRecursive)
  }

  mutating func orderItems() throws(ParseStop) -> [OrderItem] {
    var items: [OrderItem] = []
    repeat {
      let start = token.range
      let expression = try expression()
      var isDescending = false
      if acceptLone("DESC") {
        isDescending = true
      } else {
        _ = acceptLone("ASC")
      }
      var nulls: OrderItem.Nulls?
      if accept("NULLS") {
        if acceptLone("FIRST") {
          nulls = .first
        } else {
          try expect("LAST")
          nulls = .last
        }
      }
      items.append(
        OrderItem(
          expression: expression, isDescending: isDescending, nulls: nulls,
          range: range(from: start)))
    } while accept(",")
    return items
  }

  private mutating func limits() throws(ParseStop) -> (offset: Expression?, limit: Expression?) {
    var offset: Expression?
    var limit: Expression?
    if at("LIMIT") {
      limit = try limitClause()
      offset = try offsetClause()
    } else if at("OFFSET") {
      offset = try offsetClause()
      if at("LIMIT") {
        limit = try limitClause()
        throw refuse(
          "'OFFSET start LIMIT count' is not allowed under the current SQL conformance level")
      }
    }
    if accept("FETCH") {
      guard acceptLone("FIRST") || acceptLone("NEXT") else { throw .unexpected }
      limit = try count()
      guard acceptLone("ROW") || acceptLone("ROWS") else { throw .unexpected }
      try expect("ONLY")
    }
    return (offset, limit)
  }

  private mutating func limitClause() throws(ParseStop) -> Expression? {
    _ = accept("LIMIT")
    if acceptLone("ALL") { return nil }
    let limit = try count()
    if accept(",") {
      _ = try count()
      throw refuse("'LIMIT start, count' is not allowed under the current SQL conformance level")
    }
    return limit
  }

  private mutating func offsetClause() throws(ParseStop) -> Expression? {
    guard accept("OFFSET") else { return nil }
    let offset = try count()
    _ = acceptLone("ROW") || acceptLone("ROWS")
    return offset
  }

  /// Parses an unsigned number or a parameter.
  private mutating func count() throws(ParseStop) -> Expression {
    for name in Self.numberTokens { note(name) }
    switch token.kind {
    case .integer, .decimal, .approximate: return try literal()
    default:
      guard at("?") else { throw .unexpected }
      return try parameter()
    }
  }
}
