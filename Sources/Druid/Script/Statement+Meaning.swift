package import Plumbing

/// What a client needs to understand of a statement; the server interprets the rest.
extension Statement {
  /// The setting of `SET name = literal`; `nil` for any other statement.
  ///
  /// - Throws: ``StatementFailure`` for an invalid SET.
  package func contextSetting() throws(StatementFailure) -> JSONValue.Member? {
    let tokens = SQLToken.tokens(of: text)
    guard let first = tokens.first, first.isWord("SET") else { return nil }
    func refusal(_ index: Int, _ reason: String) -> StatementFailure {
      let offset = tokens.indices.contains(index) ? tokens[index].offset : text.utf8.count
      return StatementFailure(self, at: place(ofByte: offset), reason)
    }
    guard tokens.count > 1, let name = tokens[1].name else {
      throw refusal(1, "SET needs the name of a context parameter")
    }
    guard tokens.count > 2, tokens[2].isSymbol("=") else {
      throw refusal(2, "SET \(name) needs '=' and a value")
    }
    var index = 3
    var sign = ""
    if tokens.count > index, tokens[index].isSymbol("-") || tokens[index].isSymbol("+") {
      sign = tokens[index].isSymbol("-") ? "-" : ""
      index += 1
    }
    guard tokens.count > index, let value = tokens[index].literal(sign: sign) else {
      throw refusal(index, "SET takes a literal: a string, a number, TRUE, FALSE or NULL")
    }
    guard tokens.count == index + 1 else {
      throw refusal(index + 1, "unexpected text after the value of SET \(name)")
    }
    return JSONValue.Member(key: name, value: value)
  }

  /// Hints for constructs of other databases, with Druid's equivalents.
  package var hintsForRefusal: [String] {
    let tokens = SQLToken.tokens(of: text)
    var hints: [String] = []
    let isForeign =
      text.hasPrefix("\\d")
      || tokens.first.map { token in
        ["SHOW", "DESCRIBE", "DESC"].contains { token.isWord($0) }
      } ?? false
    if isForeign {
      hints.append(
        "tables and columns are in INFORMATION_SCHEMA.TABLES and INFORMATION_SCHEMA.COLUMNS")
    }
    if let name = tokens.indices.lazy.compactMap({ SQLToken.parameterName(tokens, at: $0) }).first {
      hints.append("-P \(name)=VALUE gives :\(name) a value")
    }
    for (token, next) in zip(tokens, tokens.dropFirst()) {
      if token.isWord("NOW"), next.isSymbol("(") {
        hints.append("CURRENT_TIMESTAMP is the time of the query")
      }
      if token.isWord("LIMIT"), next.kind == .number, Int(next.text) == nil {
        hints.append("LIMIT takes digits alone: write LIMIT 10000 for LIMIT 10k")
      }
    }
    return hints
  }

  /// Whether the statement contains this name in double quotes.
  package func quotes(_ name: String) -> Bool {
    SQLToken.tokens(of: text).contains { $0.kind == .quotedName && $0.text == name }
  }

  /// The statement's own row limit: its outermost `LIMIT n`, or `FETCH FIRST n ROWS ONLY`.
  ///
  /// - Parameter parameters: the values of its `?`.
  package func ownLimit(parameters: [QueryParameter]) -> Int? {
    let tokens = SQLToken.tokens(of: text)
    var depth = 0
    var parameterIndex = 0
    var limit: Int?
    func value(_ index: Int) -> Int? {
      guard tokens.indices.contains(index) else { return nil }
      if tokens[index].kind == .number { return Int(tokens[index].text) }
      guard tokens[index].kind == .parameter, parameters.indices.contains(parameterIndex) else {
        return nil
      }
      return parameters[parameterIndex].value.integer.map { Int($0) }
    }
    for (index, token) in tokens.enumerated() {
      if token.isSymbol("(") { depth += 1 }
      if token.isSymbol(")") { depth -= 1 }
      if token.kind == .parameter { parameterIndex += 1 }
      guard depth == 0 else { continue }
      if token.isWord("LIMIT") {
        // In `LIMIT start, count` the second number is the count.
        let isPair = tokens.indices.contains(index + 2) && tokens[index + 2].isSymbol(",")
        limit = value(isPair ? index + 3 : index + 1)
      } else if token.isWord("FETCH") {
        limit = value(index + 2) ?? 1
      }
    }
    return limit
  }

  /// The datasources after FROM and JOIN, without their schema; they may include names of inner
  /// subqueries.
  package var tableNames: [String] {
    let tokens = SQLToken.tokens(of: text)
    let subqueries = Self.commonSubqueries(tokens)
    var names: [String] = []
    /// For each open parenthesis, whether a comma starts another table.
    var inFrom = [false]
    var expectsTable = false
    var index = 0
    while index < tokens.count {
      let token = tokens[index]
      if token.isSymbol("(") {
        inFrom.append(expectsTable)
        // A parenthesis in place of a table contains tables, or a query.
      } else if token.isSymbol(")") {
        if inFrom.count > 1 { inFrom.removeLast() }
        expectsTable = false
      } else if token.isSymbol(",") {
        expectsTable = inFrom.last ?? false
      } else if token.isWord("FROM") || token.isWord("JOIN") {
        expectsTable = true
        inFrom[inFrom.count - 1] = true
      } else if token.kind == .word, Self.clauseWords.contains(token.text.uppercased()) {
        expectsTable = false
        inFrom[inFrom.count - 1] = false
      } else if expectsTable, token.isWord("TABLE") {
        // In TABLE(APPEND('a', 'b')), the tables are strings.
        let words = tokens[index...].dropFirst(2).prefix { !$0.isSymbol(")") }
        guard words.first?.isWord("APPEND") == true else { index += 1; continue }
        for name in words where name.kind == .string && !names.contains(name.text) {
          names.append(name.text)
        }
        expectsTable = false
      } else if expectsTable, var name = token.name {
        var schema = ""
        while index + 2 < tokens.count, tokens[index + 1].isSymbol("."),
          let next = tokens[index + 2].name
        {
          schema = name.uppercased()
          name = next
          index += 2
        }
        // A WITH defines the name for everything after its own query.
        let isSubquery =
          schema.isEmpty && subqueries.contains { $0.name == name && $0.end <= index }
        if !isSubquery, !names.contains(name), !Self.otherSchemas.contains(schema) {
          names.append(name)
        }
        expectsTable = false
      }
      index += 1
    }
    return names
  }

  /// The subqueries that the statement's own WITH defines, and where their queries end. Those of a
  /// WITH in parentheses are not visible outside of them.
  private static func commonSubqueries(_ tokens: [SQLToken]) -> [(name: String, end: Int)] {
    func endOfParenthesis(_ start: Int) -> Int? {
      guard tokens.indices.contains(start), tokens[start].isSymbol("(") else { return nil }
      var depth = 0
      for index in start..<tokens.count {
        if tokens[index].isSymbol("(") { depth += 1 }
        if tokens[index].isSymbol(")") { depth -= 1 }
        if depth == 0 { return index + 1 }
      }
      return nil
    }
    var found: [(name: String, end: Int)] = []
    guard var index = tokens.firstIndex(where: { $0.isWord("WITH") || $0.isSymbol("(") }),
      tokens[index].isWord("WITH")
    else { return [] }
    repeat {
      guard index + 1 < tokens.count, let name = tokens[index + 1].name else { break }
      let behind = endOfParenthesis(index + 2) ?? index + 2
      guard tokens.indices.contains(behind), tokens[behind].isWord("AS"),
        let end = endOfParenthesis(behind + 1)
      else { break }
      found.append((name, end))
      index = end
    } while tokens.indices.contains(index) && tokens[index].isSymbol(",")
    return found
  }

  /// Tables of these schemas are not datasources.
  private static let otherSchemas: Set<String> = ["SYS", "INFORMATION_SCHEMA", "LOOKUP"]

  /// The keywords that end a list of tables.
  private static let clauseWords: Set<String> = [
    "SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION", "WINDOW",
    "WITH", "INTERSECT", "EXCEPT",
  ]

  /// The reasons why the answer may be approximate, as far as the statement shows them.
  package func approximations(context: [JSONValue.Member]) -> [String] {
    let tokens = SQLToken.tokens(of: text)
    func isOff(_ name: String) -> Bool {
      let value = context.last { $0.key == name }?.value
      return value == .bool(false) || value?.text?.lowercased() == "false"
    }
    var reasons: [String] = []
    let countsDistinct = tokens.indices.contains {
      $0 + 2 < tokens.count && tokens[$0].isWord("COUNT") && tokens[$0 + 1].isSymbol("(")
        && tokens[$0 + 2].isWord("DISTINCT")
    }
    if countsDistinct, !isOff("useApproximateCountDistinct") {
      reasons.append("COUNT(DISTINCT ...) is an estimate without --exact")
    }
    let estimates = tokens.filter {
      $0.kind == .word
        && ($0.text.uppercased().hasPrefix("APPROX_") || $0.text.uppercased().hasPrefix("DS_"))
    }
    if let first = estimates.first { reasons.append("\(first.text.uppercased()) is an estimate") }
    let hasWords = ["GROUP", "ORDER", "LIMIT"].allSatisfy { word in
      tokens.contains { $0.isWord(word) }
    }
    if hasWords, !isOff("useApproximateTopN") {
      reasons.append("GROUP BY with ORDER BY and LIMIT may be ranked approximately without --exact")
    }
    return reasons
  }
}

extension SQLToken {
  /// The value of a literal.
  fileprivate func literal(sign: String) -> JSONValue? {
    switch kind {
    case .string where sign.isEmpty: return .string(text)
    case .number:
      guard case .number(let number)? = try? JSONValue(parsing: sign + numberInJSON) else {
        return nil
      }
      return .number(number)
    case .word where sign.isEmpty:
      return ["TRUE": .bool(true), "FALSE": .bool(false), "NULL": .null][text.uppercased()]
    default: return nil
    }
  }
  /// A number in JSON's syntax; SQL also allows `007`, `.5` and `5.`.
  private var numberInJSON: String {
    let digits = text.drop { $0 == "0" }
    let whole = digits.first?.isNumber == true ? String(digits) : "0" + digits
    guard let point = whole.firstIndex(of: ".") else { return whole }
    let rest = whole[whole.index(after: point)...]
    return rest.first?.isNumber == true ? whole : whole[...point] + "0" + rest
  }
}
