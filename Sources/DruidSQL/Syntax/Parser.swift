/// Reads one statement of Druid's dialect by recursive descent.
///
/// Druid's own parser decides with two tokens of lookahead, and reports an error at the token where it last had to decide:
/// the parser here keeps track of that place, so that both name the same position. It reads a text once; only when that
/// fails does it read again and note what it would have taken at the place of the error.
package struct Parser {
  var tokens: [Token]
  var index = 0
  var parameterCount = 0
  var nesting = 0
  /// The first alias behind a bare star, which the grammar takes and nothing else does.
  var aliasedStar: SourceRange?
  /// For each `(` the index behind its `)`.
  let parenthesisEnds: [Int: Int]
  /// The token whose choice covers one more token, and two more.
  var opened = -1
  var openedFar = -1
  /// Where the second reading takes notes; -1 on the first.
  var notedIndex = -1
  var notes: [Int: [String]] = [:]

  /// What a hostile statement may nest, how high a tree may grow, and how many queries may be set side by side: what a
  /// walker of a debug build, at 25 kB a level, can walk on a thread's 8 MB.
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

  /// The statement that is the whole of the text.
  ///
  /// - Throws: a refusal in Druid's words, at Druid's position.
  package static func parse(_ text: String) throws(SQLFailure) -> Statement {
    var parser = Parser(tokens: try Tokenizer.tokens(of: text))
    do throws(ParseStop) {
      return try parser.statement()
    } catch {
      switch error {
      case .refused(let failure): throw failure
      case .unexpected: throw parser.unexpected()
      }
    }
  }

  /// An expression that is the whole of the text, as tests and tools want it.
  package static func expression(_ text: String) throws(SQLFailure) -> Expression {
    var parser = Parser(tokens: try Tokenizer.tokens(of: text))
    do throws(ParseStop) {
      let expression = try parser.expression()
      try parser.expectEnd()
      return expression
    } catch {
      switch error {
      case .refused(let failure): throw failure
      case .unexpected: throw parser.unexpected()
      }
    }
  }
}

/// Why reading stopped.
enum ParseStop: Error {
  /// At `index` stands what the grammar does not take there.
  case unexpected
  /// Refused by a rule beyond the grammar.
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

  /// Takes a token that opens a choice of more than one token.
  mutating func accept(_ key: String) -> Bool {
    guard at(key) else { return false }
    opened = index
    advance()
    return true
  }

  /// Takes a token that is a choice by itself.
  mutating func acceptLone(_ key: String) -> Bool {
    guard at(key) else { return false }
    advance()
    return true
  }

  /// Takes the token that must stand here.
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

  /// A node, unless its tree grows too high.
  func node(_ kind: Expression.Kind, _ range: SourceRange) throws(ParseStop) -> Expression {
    let expression = Expression(kind, range)
    guard expression.depth <= Self.depthLimit else { throw tooDeep() }
    return expression
  }
}
