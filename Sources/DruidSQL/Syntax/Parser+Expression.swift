/// Operators with Calcite's precedences; a higher one binds tighter.
private enum Infix {
  case binary(BinaryOperator, Int, width: Int)
  case logical(LogicalOperator, Int)
  case inside(isNegated: Bool)
  case between(isNegated: Bool)
  case like(isNegated: Bool, isSimilar: Bool)
  /// An operator of the grammar that no function stands for.
  case missing
  case test(Test, width: Int)
  case item

  var precedence: Int {
    switch self {
    case .binary(_, let precedence, _), .logical(_, let precedence): precedence
    case .inside, .between, .like, .missing: 32
    case .test: 28
    case .item: 100
    }
  }
}

extension Parser {
  mutating func expression() throws(ParseStop) -> Expression { try expression(above: 0) }

  /// Parses the longest expression whose operators bind tighter than `minimum`.
  private mutating func expression(above minimum: Int) throws(ParseStop) -> Expression {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingLimit else { throw tooDeep() }
    var left = try operand()
    while let infix = try infix(), infix.precedence > minimum {
      left = try applied(infix, to: left)
    }
    noteOperators()
    return left
  }

  /// Parses an operand with its prefix operators.
  private mutating func operand() throws(ParseStop) -> Expression {
    let start = token.range
    noteExpression()
    switch token.key {
    case "NOT", "-", "+":
      let word = token.key
      if signed == index { opened = index }
      advance()
      if word == "NOT" { return try prefixed(.not, start, 26) }
      return try prefixed(word == "-" ? .minus : .plus, start, 80)
    case "EXISTS":
      advance()
      noteExpression()
      try expect("(")
      guard case .query(let query) = try queryOrExpression(acceptsExpression: true) else {
        try expect(")")
        throw nonQuery()
      }
      try expect(")")
      return try node(.exists(query), range(from: start))
    case "UNIQUE": throw refuse("UNIQUE is not supported", at: start)
    default:
      var value = try primary()
      while token.key == ".", isIdentifier(peek()) {
        advance()
        let field = try identifier()
        value = try node(.field(value, field), range(from: value.range))
      }
      return value
    }
  }

  private mutating func prefixed(
    _ operation: PrefixOperator, _ start: SourceRange, _ precedence: Int
  ) throws(ParseStop) -> Expression {
    let value = try expression(above: precedence - 1)
    return try node(.prefix(operation, value), start.through(value.range))
  }

  mutating func parenthesizedQuery() throws(ParseStop) -> Query {
    try expect("(")
    let query = try query()
    try expect(")")
    return query
  }

  // MARK: Operators

  private mutating func infix() throws(ParseStop) -> Infix? {
    switch token.key {
    case "": return nil
    case "OR": return .logical(.or, 22)
    case "AND": return .logical(.and, 24)
    case "=": return .binary(.equal, 30, width: 1)
    case "<>", "!=": return .binary(.notEqual, 30, width: 1)
    case "<": return .binary(.less, 30, width: 1)
    case "<=": return .binary(.lessOrEqual, 30, width: 1)
    case ">": return .binary(.greater, 30, width: 1)
    case ">=": return .binary(.greaterOrEqual, 30, width: 1)
    case "+": return .binary(.plus, 40, width: 1)
    case "-": return .binary(.minus, 40, width: 1)
    case "*": return .binary(.times, 60, width: 1)
    case "/": return .binary(.divide, 60, width: 1)
    case "||": return .binary(.concat, 60, width: 1)
    case "%": throw percent()
    case "[": return .item
    case "IN": return .inside(isNegated: false)
    case "BETWEEN": return .between(isNegated: false)
    case "LIKE": return .like(isNegated: false, isSimilar: false)
    case "SIMILAR": return peek().key == "TO" ? .like(isNegated: false, isSimilar: true) : nil
    case "NOT": return negatedInfix()
    case "IS": return try testInfix()
    case "ILIKE", "RLIKE": return startsExpression(peek()) ? .missing : nil
    default: return periodInfix()
    }
  }

  /// The refusal of `%` between two operands. Without the second one it is an error of the grammar.
  private mutating func percent() -> ParseStop {
    let isSigned = ["+", "-"].contains(peek().key)
    guard startsExpression(peek()), !isSigned || startsExpression(peek(2)) else {
      openedFar = index
      for _ in 0..<(isSigned ? 2 : 1) { advance() }
      noteExpression()
      return .unexpected
    }
    return refuse("Percent remainder '%' is not allowed under the current SQL conformance level")
  }

  private func negatedInfix() -> Infix? {
    switch peek().key {
    case "IN": .inside(isNegated: true)
    case "BETWEEN": .between(isNegated: true)
    case "LIKE": .like(isNegated: true, isSimilar: false)
    case "SIMILAR": .like(isNegated: true, isSimilar: true)
    default: nil
    }
  }

  private func periodInfix() -> Infix? {
    switch token.key {
    case "CONTAINS": .binary(.contains, 30, width: 1)
    case "OVERLAPS": .binary(.overlaps, 30, width: 1)
    case "EQUALS": .binary(.equals, 30, width: 1)
    case "PRECEDES": .binary(.precedes, 30, width: 1)
    case "SUCCEEDS": .binary(.succeeds, 30, width: 1)
    case "MEMBER": peek().key == "OF" ? .binary(.memberOf, 30, width: 2) : nil
    case "SUBMULTISET": peek().key == "OF" ? .binary(.submultisetOf, 30, width: 2) : nil
    case "IMMEDIATELY":
      switch peek().key {
      case "PRECEDES": .binary(.immediatelyPrecedes, 30, width: 2)
      case "SUCCEEDS": .binary(.immediatelySucceeds, 30, width: 2)
      default: nil
      }
    case "MULTISET":
      switch peek().key {
      case "UNION": .binary(.multisetUnion, 14, width: 2)
      case "INTERSECT": .binary(.multisetIntersect, 18, width: 2)
      case "EXCEPT": .binary(.multisetExcept, 14, width: 2)
      default: nil
      }
    default: nil
    }
  }

  private mutating func testInfix() throws(ParseStop) -> Infix? {
    let isNegated = peek().key == "NOT"
    let offset = isNegated ? 2 : 1
    if peek(offset).key == "DISTINCT", peek(offset + 1).key == "FROM" {
      return .binary(
        isNegated ? .isNotDistinctFrom : .isDistinctFrom, 40, width: offset + 2)
    }
    var words = peek(offset).key
    var width = offset + 1
    if words == "A", peek(offset + 1).key == "SET" {
      words = "A SET"
      width += 1
    } else if words == "JSON" {
      let kind = peek(offset + 1).key
      if ["VALUE", "OBJECT", "ARRAY", "SCALAR"].contains(kind) {
        words = "JSON " + kind
        width += 1
      } else {
        words = "JSON VALUE"
      }
    }
    if let test = Test(rawValue: (isNegated ? "IS NOT " : "IS ") + words) {
      return .test(test, width: width)
    }
    if isNegated {
      advance()
      startAnew()
      throw .unexpected
    }
    return nil
  }

  private mutating func applied(
    _ infix: Infix, to left: Expression
  ) throws(ParseStop) -> Expression {
    switch infix {
    case .logical(let operation, let precedence):
      return try logical(operation, precedence, left)
    case .binary(let operation, let precedence, let width):
      openedFar = index
      for _ in 0..<width { advance() }
      if operation.isComparison, let quantifier = quantifier() {
        return try quantified(left, operation, quantifier)
      }
      let right = try expression(above: precedence)
      return try node(.binary(operation, left, right), left.range.joined(right.range))
    case .test(let test, let width):
      for _ in 0..<width { advance() }
      return try node(.test(test, left), range(from: left.range))
    case .inside(let isNegated): return try inside(left, isNegated: isNegated)
    case .between(let isNegated): return try between(left, isNegated: isNegated)
    case .like(let isNegated, let isSimilar):
      return try like(left, isNegated: isNegated, isSimilar: isSimilar)
    case .missing:
      refuseLater("No match found for function signature \(token.key)", at: left.range)
      return try like(left, isNegated: false, isSimilar: false)
    case .item:
      opened = index
      advance()
      let key = try expression()
      try expect("]")
      return try node(.item(left, index: key), range(from: left.range))
    }
  }

  private mutating func logical(
    _ operation: LogicalOperator, _ precedence: Int, _ left: Expression
  ) throws(ParseStop) -> Expression {
    var operands = [left]
    if case .logical(operation, let earlier) = left.kind { operands = earlier }
    while token.key == operation.rawValue {
      openedFar = index
      advance()
      operands.append(try expression(above: precedence))
    }
    return try node(.logical(operation, operands), range(from: left.range))
  }

  private mutating func quantifier() -> Quantifier? {
    switch token.key {
    case "SOME", "ANY": return .some
    case "ALL": return .all
    default: return nil
    }
  }

  private mutating func quantified(
    _ left: Expression, _ operation: BinaryOperator, _ quantifier: Quantifier
  ) throws(ParseStop) -> Expression {
    advance()
    startAnew()
    let set: QuantifiedSet =
      switch try listOrQuery() {
      case .query(let query): .query(query)
      case .list(let list): .list(list)
      }
    return try node(
      .quantified(left, operation, quantifier, set), range(from: left.range))
  }

  private mutating func inside(
    _ left: Expression, isNegated: Bool
  ) throws(ParseStop) -> Expression {
    let start = index
    if !isNegated, nesting == aliasNesting { noteIdentifier() }
    advance()
    if isNegated { advance() }
    startAnew()
    if !isNegated, token.key != "(" { openedFar = start }
    switch try listOrQuery() {
    case .query(let query):
      return try node(.inQuery(left, query, isNegated: isNegated), range(from: left.range))
    case .list(let list):
      return try node(.inList(left, list, isNegated: isNegated), range(from: left.range))
    }
  }

  private enum ListOrQuery {
    case list([Expression])
    case query(Query)
  }

  /// `(query)` or `(a, b, ...)`
  private mutating func listOrQuery() throws(ParseStop) -> ListOrQuery {
    try expect("(")
    var list: [Expression] = []
    switch try queryOrExpression(acceptsExpression: true) {
    case .query(let query):
      guard at(",") else {
        try expect(")")
        return .query(query)
      }
      list.append(try node(.subquery(query), query.range))
    case .expression(let first):
      if case .subquery(let query) = first.kind, token.key == ")" {
        advance()
        return .query(query)
      }
      list.append(first)
    }
    while accept(",") { list.append(try expression()) }
    try expect(")")
    return .list(list)
  }

  private mutating func between(
    _ left: Expression, isNegated: Bool
  ) throws(ParseStop) -> Expression {
    let start = index
    advance()
    if isNegated { advance() }
    startAnew()
    if !isNegated { opened = start }
    let isSymmetric = acceptLone("SYMMETRIC")
    if !isSymmetric { _ = acceptLone("ASYMMETRIC") }
    let low = try expression(above: 24)
    // An AND without an operand behind it is none.
    guard token.key == "AND", startsExpression(peek()) else {
      throw refuse("BETWEEN operator has no terminating AND")
    }
    openedFar = index
    advance()
    let high = try expression(above: 32)
    return try node(
      .between(left, low: low, high: high, isNegated: isNegated, isSymmetric: isSymmetric),
      left.range.joined(high.range))
  }

  private mutating func like(
    _ left: Expression, isNegated: Bool, isSimilar: Bool
  ) throws(ParseStop) -> Expression {
    opened = index
    advance()
    if isNegated { advance() }
    if isSimilar { try expect("TO") }
    if isNegated || isSimilar { startAnew() }
    let pattern = try expression(above: 32)
    var escape: Expression?
    if accept("ESCAPE") {
      noteExpression()
      escape = try primary()
    }
    return try node(
      .like(left, pattern: pattern, escape: escape, isNegated: isNegated, isSimilar: isSimilar),
      range(from: left.range))
  }
}
