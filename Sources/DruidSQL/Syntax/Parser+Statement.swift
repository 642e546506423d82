extension Parser {
  mutating func statement() throws(ParseStop) -> Statement {
    let start = token.range
    noteStatement()
    var isExplain = false
    let body: Statement.Body
    if at("EXPLAIN") {
      openedFar = -1
      opened = index
      advance()
      try expect("PLAN")
      try explainOptions()
      try expect("FOR")
      isExplain = true
      body = try explained()
    } else {
      body = try bare()
    }
    try expectEnd()
    if let refusal { throw .refused(refusal) }
    if let aliasedStar { throw refuse("Unknown identifier '*'", at: aliasedStar) }
    return Statement(
      isExplain: isExplain, body: body, parameterCount: parameterCount, range: range(from: start))
  }

  private mutating func explainOptions() throws(ParseStop) {
    if accept("EXCLUDING") {
      try expect("ATTRIBUTES")
    } else if accept("INCLUDING") {
      _ = acceptLone("ALL")
      try expect("ATTRIBUTES")
    }
    if accept("WITH") {
      guard acceptLone("TYPE") || acceptLone("IMPLEMENTATION") else { throw .unexpected }
    } else if accept("WITHOUT") {
      try expect("IMPLEMENTATION")
    }
    if accept("AS") {
      guard acceptLone("XML") || acceptLone("JSON") || acceptLone("DOT") else { throw .unexpected }
    }
  }

  private mutating func explained() throws(ParseStop) -> Statement.Body {
    if let kind = dataChange() { return try change(kind) }
    return .query(try topQuery())
  }

  private mutating func bare() throws(ParseStop) -> Statement.Body {
    if let kind = dataChange() { return try change(kind) }
    if accept("SET") { return try setOption() }
    if accept("RESET") {
      if !acceptLone("ALL") { _ = try compoundName() }
      return .other(kind: "SET_OPTION")
    }
    if accept("ALTER") {
      guard acceptLone("SYSTEM") || acceptLone("SESSION") else { throw .unexpected }
      try expect("SET")
      return try setOption()
    }
    for (word, kind) in [("DESCRIBE", "DESCRIBE_TABLE"), ("CALL", "PROCEDURE_CALL")]
    where accept(word) {
      _ = acceptLone("TABLE")
      _ = try compoundName()
      skipRest()
      return .other(kind: kind)
    }
    return .query(try topQuery())
  }

  private mutating func setOption() throws(ParseStop) -> Statement.Body {
    _ = try compoundName()
    try expect("=")
    if !acceptLone("ON") {
      if isIdentifier(token) {
        _ = try identifier()
      } else {
        _ = try literal()
      }
    }
    return .other(kind: "SET_OPTION")
  }

  private mutating func dataChange() -> String? {
    for word in ["INSERT", "UPSERT", "DELETE", "UPDATE", "MERGE"] where at(word) { return word }
    return token.key == "REPLACE" && peek().key == "INTO" ? "REPLACE" : nil
  }

  /// Parses enough of a data-changing statement to report it as unsupported rather than malformed.
  private mutating func change(_ kind: String) throws(ParseStop) -> Statement.Body {
    opened = index
    advance()
    switch kind {
    case "INSERT", "UPSERT", "REPLACE", "MERGE":
      try expect("INTO")
      _ = try compoundName()
    case "DELETE":
      try expect("FROM")
      _ = try compoundName()
    default: _ = try compoundName()
    }
    if kind == "INSERT" {
      if token.key == "(", isIdentifier(peek()) { _ = try identifierList() }
      _ = try topQuery()
    }
    skipRest()
    return .other(kind: kind)
  }

  private mutating func skipRest() {
    while token.kind != .end { advance() }
  }

  private mutating func topQuery() throws(ParseStop) -> Query {
    switch try queryOrExpression(acceptsExpression: false) {
    case .query(let query): return query
    case .expression(let expression):
      if case .subquery(let query) = expression.kind { return query }
      throw nonQuery()
    }
  }
}
