extension Parser {
  /// Parses the functions of SQL/JSON, with the clauses among their arguments.
  mutating func jsonCall() throws(ParseStop) -> Expression {
    let word = token.key
    let name = try begin()
    var call = FunctionCall(name: name)
    var json = JSONClauses()
    switch word {
    case "JSON_OBJECT", "JSON_OBJECTAGG": try pairs(&call, &json)
    case "JSON_ARRAY", "JSON_ARRAYAGG": try elements(&call, &json)
    default: try pathCall(&call, &json)
    }
    try expect(")")
    let whole = range(from: name.range)
    call.json = json
    call.range = whole
    return try node(.call(call), whole)
  }

  private mutating func pathCall(
    _ call: inout FunctionCall, _ json: inout JSONClauses
  ) throws(ParseStop) {
    call.arguments.append(.expression(try expression()))
    try expect(",")
    call.arguments.append(.expression(try expression()))
    if accept("RETURNING") { json.returning = try typeName() }
    if accept("WITHOUT") {
      _ = acceptLone("ARRAY")
      try expect("WRAPPER")
      json.wrapper = "WITHOUT ARRAY WRAPPER"
    } else if accept("WITH") {
      let isConditional = acceptLone("CONDITIONAL")
      if !isConditional { _ = acceptLone("UNCONDITIONAL") }
      _ = acceptLone("ARRAY")
      try expect("WRAPPER")
      json.wrapper = isConditional ? "WITH CONDITIONAL ARRAY WRAPPER" : "WITH ARRAY WRAPPER"
    }
    while let behaviour = try behaviour() {
      try expect("ON")
      if acceptLone("EMPTY") {
        json.onEmpty = behaviour
      } else {
        try expect("ERROR")
        json.onError = behaviour
      }
    }
  }

  private mutating func behaviour() throws(ParseStop) -> JSONClauses.Behaviour? {
    if accept("ERROR") { return .error }
    if accept("NULL") { return .null }
    if accept("DEFAULT") { return .defaultValue(try expression()) }
    for word in ["TRUE", "FALSE", "UNKNOWN"] where accept(word) { return .boolean(word) }
    if accept("EMPTY") {
      if acceptLone("ARRAY") { return .emptyArray }
      try expect("OBJECT")
      return .emptyObject
    }
    return nil
  }

  /// Parses `KEY a VALUE b`, `a VALUE b` or `a : b`; only in Druid's JSON_OBJECT.
  private mutating func pairs(
    _ call: inout FunctionCall, _ json: inout JSONClauses
  ) throws(ParseStop) {
    json.hasPairs = true
    if !at(")"), !atNullClause() {
      repeat {
        let hasWord = token.key == "KEY" && !["VALUE", ":", ","].contains(peek().key)
        if hasWord { advance() }
        let key = index
        call.arguments.append(.expression(try expression()))
        if index == key + 1, call.arguments.count == 1, !hasWord { opened = key }
        guard acceptLone("VALUE") || acceptLone(":") || acceptLone(",") else {
          throw .unexpected
        }
        call.arguments.append(.expression(try expression()))
      } while accept(",")
    }
    json.absentOnNull = try nullClause()
  }

  private mutating func elements(
    _ call: inout FunctionCall, _ json: inout JSONClauses
  ) throws(ParseStop) {
    if !at(")"), !atNullClause() {
      repeat { call.arguments.append(.expression(try expression())) } while accept(",")
    }
    if accept("ORDER") {
      try expect("BY")
      call.orderBy = try orderItems()
    }
    json.absentOnNull = try nullClause()
  }

  private func atNullClause() -> Bool {
    ["NULL", "ABSENT"].contains(token.key) && peek().key == "ON"
  }

  private mutating func nullClause() throws(ParseStop) -> Bool? {
    guard atNullClause() else { return nil }
    let isAbsent = token.key == "ABSENT"
    advance()
    advance()
    try expect("NULL")
    return isAbsent
  }
}
