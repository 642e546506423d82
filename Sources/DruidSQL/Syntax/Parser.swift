/// Parses one statement of Druid's SQL by recursive descent.
///
/// Druid's parser decides with two tokens of lookahead, and reports an error at the token of its
/// last decision. This parser records that token, so that both report the same position. It parses
/// a text once. Only after a failure does it parse again, and notes which tokens it would accept at
/// the place of the error.
struct Parser {
  var tokens: [Token]
  var index = 0
  var parameterCount = 0
  var nesting = 0
  /// The first bare star with an alias, which the grammar accepts but nothing else does.
  var aliasedStar: SourceRange?
  /// What the validator refuses first, once the whole text is parsed.
  var refusal: SQLFailure?
  /// For each `(`, the index after its `)`.
  let parenthesisEnds: [Int: Int]
  /// The tokens whose decision looks one token ahead, and two tokens ahead.
  var opened = -1
  var openedFar = -1
  /// The token at which a sign or NOT decides together with the token behind it.
  var signed = -1
  /// The nesting of a select item, behind which an alias can stand.
  var aliasNesting = -1
  /// The token at which the second pass takes notes; -1 in the first pass.
  var notedIndex = -1
  var notes: [Int: [String]] = [:]

  /// Maximum nesting of a statement, height of a tree, and number of queries combined by set
  /// operators. A function that walks the tree uses up to 25 kB of stack a level in a debug build,
  /// and a thread's stack has 8 MB.
  static let nestingLimit = 150
  static let depthLimit = 120
  static let setLimit = 250

  private init(tokens: [Token]) {
    self.tokens = tokens
    var open: [Int] = []
    var ends: [Int: Int] = [:]
    for (index, token) in tokens.enumerated() {
      if token.key == "(" { open.append(index) }
      if token.key == ")", let start = open.popLast() { ends[start] = index + 1 }
    }
    self.parenthesisEnds = ends
  }

  /// Parses a statement that is the whole text.
  ///
  /// - Throws: Druid's error, with Druid's position.
  static func parse(_ text: String) throws(SQLFailure) -> Statement {
    try parse(text) { parser throws(ParseStop) in try parser.statement() }
  }

  /// Parses a part of a statement that is the whole text.
  static func parse<Part>(
    _ text: String, as part: (inout Parser) throws(ParseStop) -> Part
  ) throws(SQLFailure) -> Part {
    var parser = Parser(tokens: try Tokenizer.tokens(of: text))
    do throws(ParseStop) {
      return try part(&parser)
    } catch {
      switch error {
      case .refused(let failure): throw failure
      case .unexpected: throw parser.unexpected()
      }
    }
  }
}

/// Why parsing stopped.
enum ParseStop: Error {
  /// The grammar does not allow the current token.
  case unexpected
  /// A rule beyond the grammar refuses the statement.
  case refused(SQLFailure)
}

// MARK: - The cursor

extension Parser {
  var token: Token { tokens[index] }

  var previousRange: SourceRange { tokens[max(0, index - 1)].range }

  func peek(_ distance: Int = 1) -> Token {
    tokens[min(index + distance, tokens.count - 1)]
  }

  mutating func at(_ key: String) -> Bool {
    note(key)
    return tokens[index].key == key
  }

  mutating func at(_ keys: [String]) -> Bool {
    var found = false
    for key in keys where at(key) { found = true }
    return found
  }

  mutating func advance() {
    if index < tokens.count - 1 { index += 1 }
  }

  /// Consumes a token that starts a decision with more lookahead.
  mutating func accept(_ key: String) -> Bool {
    guard at(key) else { return false }
    opened = index
    advance()
    return true
  }

  /// Consumes a word that the parser decided for, and the parenthesis after it.
  mutating func openParenthesis() throws(ParseStop) {
    opened = index
    advance()
    try expect("(")
    openedFar = -1
  }

  /// Makes the next token a decision of its own.
  mutating func startAnew() { (opened, openedFar) = (-1, -1) }

  /// Keeps a refusal that an error of the grammar further on goes before.
  mutating func refuseLater(_ message: String, at range: SourceRange) {
    if refusal == nil { refusal = SQLFailure(message, at: range) }
  }

  /// Consumes a token that is a decision by itself.
  mutating func acceptLone(_ key: String) -> Bool {
    guard at(key) else { return false }
    advance()
    return true
  }

  /// Consumes a required token.
  mutating func expect(_ key: String) throws(ParseStop) {
    guard at(key) else { throw .unexpected }
    advance()
  }

  mutating func expectEnd() throws(ParseStop) {
    note("<EOF>")
    guard token.kind == .end else { throw .unexpected }
  }

  func range(from start: SourceRange) -> SourceRange { start.through(previousRange) }

  func refuse(_ message: String, at range: SourceRange? = nil) -> ParseStop {
    .refused(SQLFailure(message, at: range))
  }

  func tooDeep() -> ParseStop {
    .refused(
      SQLFailure(
        "The statement is nested too deeply", at: token.range, category: .unsupported))
  }

  /// Makes a node, or fails when the tree becomes too high.
  func node(_ kind: Expression.Kind, _ range: SourceRange) throws(ParseStop) -> Expression {
    let expression = Expression(kind, range)
    guard expression.depth <= Self.depthLimit else { throw tooDeep() }
    return expression
  }
}
