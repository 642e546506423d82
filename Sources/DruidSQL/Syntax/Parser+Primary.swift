extension Parser {
  static let numberTokens = [
    "<UNSIGNED_INTEGER_LITERAL>", "<DECIMAL_NUMERIC_LITERAL>", "<APPROX_NUMERIC_LITERAL>",
  ]

  /// Whether the token can start an expression.
  func startsExpression(_ other: Token? = nil) -> Bool {
    let token = other ?? self.token
    switch token.kind {
    case .end: return false
    case .word:
      return !Keywords.reserved.contains(token.key) || Self.openings.contains(token.key)
        || Keywords.functionNames.contains(token.key)
        || Keywords.contextVariables.contains(token.key)
    case .symbol: return ["(", "+", "-", "?", "{D", "{T", "{TS", "{FN"].contains(token.key)
    default: return true
    }
  }

  /// Reserved words that start an expression.
  private static let openings: Set<String> = Set(expressionStart.compactMap(\.bare))

  /// Parses an operand without prefix operators.
  mutating func primary() throws(ParseStop) -> Expression {
    let start = token.range
    switch token.kind {
    case .integer, .decimal, .approximate, .string, .binaryString, .prefixedString:
      return try complete(try literal())
    case .unicodeString:
      return try complete(token.image.last == "\"" ? try named() : try literal())
    case .quotedIdentifier: return try named()
    case .end: throw .unexpected
    case .symbol:
      switch token.key {
      case "(": return try parenthesized()
      case "?": return try complete(try parameter())
      case "{D", "{T", "{TS": return try bracedLiteral()
      case "{FN": return try bracedFunction()
      default: throw .unexpected
      }
    case .word: break
    }
    switch token.key {
    case "NULL", "TRUE", "FALSE", "UNKNOWN": return try complete(try literal())
    case "DATE", "TIME", "TIMESTAMP", "DATETIME":
      if peek().kind == .string { return try literal() }
      if ["DATE", "TIMESTAMP"].contains(token.key), peek().key == "(" {
        let name = Name(Identifier(token.text, range: start))
        advance()
        return try call(name)
      }
      throw halfRead("<QUOTED_STRING>")
    case "INTERVAL": return try interval()
    case "CASE": return try conditional()
    case "CAST", "TRY_CAST", "SAFE_CAST": return try cast()
    case "ROW":
      opened = index
      advance()
      let list = try parenthesizedList()
      return try node(.row(list), range(from: start))
    case "ARRAY" where peek().key == "[" || peek().key == "(", "MULTISET":
      return try collection()
    case "MAP" where peek().key == "[": throw refuse("MAP is not supported", at: start)
    case "CURRENT" where peek().key != "VALUE":
      opened = index
      advance()
      throw .unexpected
    case "CURSOR", "PERIOD", "NEW", "SPECIFIC", "NEXT", "CURRENT":
      throw refuse("\(token.key) is not supported", at: start)
    default:
      if peek().key == "(", let special = try specialCall() { return special }
      return try named()
    }
  }

  /// Marks the end of an operand, so that the next token is a new decision.
  private mutating func complete(_ expression: Expression) throws(ParseStop) -> Expression {
    openedFar = -1
    return expression
  }

  /// The error for a reserved word that starts an expression but is followed by the wrong token.
  private mutating func halfRead(_ wanted: String) -> ParseStop {
    opened = index
    advance()
    note(wanted)
    return .unexpected
  }

  mutating func parameter() throws(ParseStop) -> Expression {
    let range = token.range
    advance()
    parameterCount += 1
    return try node(.parameter(index: parameterCount - 1), range)
  }

  /// Parses a name, a name with a star, a call, or a word that is a value.
  private mutating func named() throws(ParseStop) -> Expression {
    let start = token.range
    if token.kind == .word, Keywords.reserved.contains(token.key) {
      let isCall = peek().key == "(" && Keywords.functionNames.contains(token.key)
      guard isCall || Keywords.contextVariables.contains(token.key) else {
        throw startsExpression() ? halfRead("(") : .unexpected
      }
      let name = Name(Identifier(token.text, range: start))
      advance()
      if isCall { return try call(name) }
      openedFar = -1
      guard name.last.uppercased() != "USER" else { return try node(.name(name), start) }
      return try node(.call(FunctionCall(name: name, hasParentheses: false, range: start)), start)
    }
    let name = try compoundName()
    if token.key == "(" { return try call(name) }
    openedFar = -1
    if token.key == ".", peek().key == "*" {
      advance()
      advance()
      return try node(.star(name), range(from: start))
    }
    return try node(.name(name), name.range)
  }

  // MARK: Parentheses

  private mutating func parenthesized() throws(ParseStop) -> Expression {
    let start = token.range
    opened = index
    advance()
    var list: [Expression] = []
    switch try queryOrExpression(acceptsExpression: true) {
    case .query(let query):
      if token.key == ")" {
        advance()
        openedFar = -1
        return try node(.subquery(query), query.range)
      }
      list.append(try node(.subquery(query), query.range))
    case .expression(let expression): list.append(expression)
    }
    while accept(",") { list.append(try expression()) }
    try expect(")")
    openedFar = -1
    if let unit = try qualifierBehindParenthesis() {
      guard let first = list.first, list.count == 1 else {
        throw refuse("Unexpected interval qualifier", at: unit.range)
      }
      return try node(.interval(first, unit.qualifier), range(from: start))
    }
    if let first = list.first, list.count == 1 { return first }
    return try node(.row(list), range(from: start))
  }

  /// Parses the unit of `(a - b) DAY`, which subtracts dates. Only units that are reserved words
  /// can follow.
  private mutating func qualifierBehindParenthesis() throws(ParseStop) -> (
    qualifier: IntervalQualifier, range: SourceRange
  )? {
    guard ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"].contains(token.key),
      peek().key != "("
    else { return nil }
    let start = token.range
    return (try intervalQualifier(), range(from: start))
  }

  mutating func parenthesizedList() throws(ParseStop) -> [Expression] {
    try expect("(")
    var list: [Expression] = []
    switch try queryOrExpression(acceptsExpression: true) {
    case .query(let query): list.append(try node(.subquery(query), query.range))
    case .expression(let expression): list.append(expression)
    }
    while accept(",") { list.append(try expression()) }
    try expect(")")
    return list
  }

  /// Parses ARRAY[...], ARRAY(query), MULTISET[...] or MULTISET(query).
  private mutating func collection() throws(ParseStop) -> Expression {
    let start = token.range
    let word = token.key
    opened = index
    advance()
    if token.key == "(" {
      let query = try parenthesizedQuery()
      return try node(.collection(word, query), range(from: start))
    }
    try expect("[")
    var list: [Expression] = []
    if !at("]") {
      signed = index
      repeat { list.append(try expression()) } while accept(",")
    }
    try expect("]")
    openedFar = -1
    guard word == "ARRAY" else { throw refuse("MULTISET is not supported", at: range(from: start)) }
    return try node(.array(list), range(from: start))
  }

  private mutating func conditional() throws(ParseStop) -> Expression {
    let start = token.range
    opened = index
    advance()
    signed = index
    let operand = at("WHEN") ? nil : try expression()
    var branches: [WhenBranch] = []
    try expect("WHEN")
    repeat {
      let first = try expression()
      var alternatives = [first]
      while operand != nil, accept(",") { alternatives.append(try expression()) }
      try expect("THEN")
      let result = try expression()
      for condition in alternatives {
        branches.append(WhenBranch(condition: condition, result: result))
      }
    } while accept("WHEN")
    let otherwise = accept("ELSE") ? try expression() : nil
    try expect("END")
    openedFar = -1
    return try node(
      .conditional(operand: operand, branches, otherwise: otherwise), range(from: start))
  }
}
