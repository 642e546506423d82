/// Cuts a script into statements at each `;` that stands outside strings, quoted names and comments.
///
/// Takes the script in pieces of any size: what comes out is the same however it is chopped, since the state between
/// two bytes is all there is.
package struct StatementSplitter {
  private enum State: Equatable {
    case between
    case dash
    case slash
    case lineComment
    case blockComment
    case blockCommentStar
    /// Inside quotes; `escapes`: a backslash hides the byte behind it (`E'it\'s'`).
    case quoted(UInt8, escapes: Bool)
    case escaped(UInt8)
    /// Behind a quote that ends the text, unless it is doubled.
    case quoteEnd(UInt8, escapes: Bool)

    var isComment: Bool {
      self == .lineComment || self == .blockComment || self == .blockCommentStar
    }
  }

  /// A longer statement is no statement.
  package static let maximumLength = 64 << 20

  private let source: String
  private var state = State.between
  private var number = 0
  /// From the statement's first byte on; empty between two statements.
  private var bytes: [UInt8] = []
  /// How many of them reach to the end of the last token: comments and space behind it are not sent.
  private var tokenEnd = 0
  private var line = 1
  /// The current line up to here.
  private var linePrefix: [UInt8] = []
  private var statementLine = 1
  private var statementPrefix: [UInt8] = []
  /// Where the open quotes or comment begin.
  private var openLine = 1
  private var openColumn = 1

  package init(source: String) { self.source = source }

  /// Whether a statement is begun and not ended.
  package var isInsideStatement: Bool { !bytes.isEmpty || state != .between }

  /// Takes the next piece of the script and returns the statements that it ends.
  ///
  /// - Throws: ``StatementFailure`` for a statement that is no UTF-8 or has no end.
  package mutating func take(_ piece: RawSpan) throws(StatementFailure) -> [Statement] {
    var statements: [Statement] = []
    for place in 0..<piece.byteCount {
      if let statement = try take(piece.byte(at: place)) { statements.append(statement) }
    }
    return statements
  }

  /// The end of the script: the last statement needs no `;`.
  ///
  /// - Throws: ``StatementFailure`` when quotes or a comment are still open.
  package mutating func finish() throws(StatementFailure) -> Statement? {
    let open: String? =
      switch state {
      case .quoted(UInt8(ascii: "\""), _): "a quoted name"
      case .quoted, .escaped: "a string"
      case .blockComment, .blockCommentStar: "a comment"
      default: nil
      }
    if let open {
      throw failure("\(open) begins here and has no end", line: openLine, column: openColumn)
    }
    if state == .dash || state == .slash { tokenEnd = bytes.count }
    state = .between
    return try close()
  }

  private mutating func take(_ byte: UInt8) throws(StatementFailure) -> Statement? {
    let before = state
    state = next(byte)
    if before == .dash || before == .slash { settleSign() }
    var statement: Statement?
    if state == .between, byte == UInt8(ascii: ";"), !before.isComment {
      statement = try close()
    } else {
      try keep(byte, before: before)
    }
    if byte == 10 {
      line += 1
      linePrefix.removeAll(keepingCapacity: true)
    } else {
      linePrefix.append(byte)
    }
    return statement
  }

  /// What a `-` or `/` was is known now: a token of its own, or the start of a comment.
  private mutating func settleSign() {
    if !state.isComment {
      tokenEnd = bytes.count
    } else if tokenEnd == 0 {
      // A comment in front of the first token is no part of the statement.
      bytes.removeAll(keepingCapacity: true)
    }
  }

  private mutating func next(_ byte: UInt8) -> State {
    switch state {
    case .quoted(let quote, let escapes):
      if byte == quote { return .quoteEnd(quote, escapes: escapes) }
      return escapes && byte == UInt8(ascii: "\\") ? .escaped(quote) : state
    case .escaped(let quote): return .quoted(quote, escapes: true)
    case .quoteEnd(let quote, let escapes) where byte == quote:
      return .quoted(quote, escapes: escapes)
    case .lineComment: return byte == 10 || byte == 13 ? .between : .lineComment
    case .blockComment, .blockCommentStar:
      if byte == UInt8(ascii: "*") { return .blockCommentStar }
      return state == .blockCommentStar && byte == UInt8(ascii: "/") ? .between : .blockComment
    case .dash where byte == UInt8(ascii: "-"), .slash where byte == UInt8(ascii: "/"):
      return .lineComment
    case .slash where byte == UInt8(ascii: "*"): return .blockComment
    case .between, .dash, .slash, .quoteEnd: return begin(byte)
    }
  }

  private mutating func begin(_ byte: UInt8) -> State {
    switch byte {
    case UInt8(ascii: "'"), UInt8(ascii: "\""):
      noteOpening()
      let escapes = byte == UInt8(ascii: "'") && SQLToken.isEscapePrefix(bytes[...])
      return .quoted(byte, escapes: escapes)
    case UInt8(ascii: "-"): return .dash
    case UInt8(ascii: "/"):
      noteOpening()
      return .slash
    default: return .between
    }
  }

  private mutating func noteOpening() {
    openLine = line
    openColumn = linePrefix.count + 1
  }

  /// Adds a byte to the statement; space and comments before its first token are not part of it.
  private mutating func keep(_ byte: UInt8, before: State) throws(StatementFailure) {
    let isSpace = state == .between && (byte <= 32 || before.isComment)
    if bytes.isEmpty {
      if isSpace || state.isComment { return }
      statementLine = line
      statementPrefix = linePrefix
    }
    guard bytes.count < Self.maximumLength else {
      throw failure(
        "the statement that begins here is longer than \(Self.maximumLength) bytes",
        line: statementLine, column: statementPrefix.count + 1)
    }
    bytes.append(byte)
    if !isSpace, !state.isComment, state != .dash, state != .slash { tokenEnd = bytes.count }
  }

  private mutating func close() throws(StatementFailure) -> Statement? {
    defer {
      bytes.removeAll(keepingCapacity: true)
      tokenEnd = 0
    }
    var tokens = bytes[..<tokenEnd]
    // The byte-order mark that some editors put in front of a file is no SQL.
    if statementLine == 1, statementPrefix.isEmpty, tokens.starts(with: [0xef, 0xbb, 0xbf]) {
      tokens = tokens.dropFirst(3)
    }
    guard tokens.contains(where: { $0 > 32 }) else { return nil }
    number += 1
    guard let text = String(validating: tokens, as: UTF8.self) else {
      throw failure(
        "the statement that begins here is not UTF-8", line: statementLine,
        column: statementPrefix.count + 1)
    }
    let prefix = String(decoding: statementPrefix, as: UTF8.self)
    return Statement(
      source: source, number: number, text: text, line: statementLine,
      unitsBefore: prefix.utf16.count, linePrefix: prefix)
  }

  private func failure(_ reason: String, line: Int, column: Int) -> StatementFailure {
    StatementFailure(source: source, line: line, column: column, reason: reason)
  }
}
