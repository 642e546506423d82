/// Splits a script into statements at each `;` outside of strings, quoted names and comments.
///
/// The script may come in pieces of any size. The result does not depend on the pieces, because all
/// state is kept between bytes.
package struct StatementSplitter {
  private enum State: Equatable {
    case between
    case dash
    case slash
    case lineComment
    case blockComment
    case blockCommentStar
    /// Inside quotes; `escapes`: a backslash escapes the next byte (`E'it\'s'`).
    case quoted(UInt8, escapes: Bool)
    case escaped(UInt8)
    /// After a quote that ends the text, unless it is doubled.
    case quoteEnd(UInt8, escapes: Bool)

    var isComment: Bool {
      self == .lineComment || self == .blockComment || self == .blockCommentStar
    }
  }

  /// Maximum statement length, in bytes.
  package static let maximumLength = 64 << 20
  /// The maximum length of a line's prefix that is kept for messages; a script may be one line of
  /// megabytes.
  private static let maximumPrefix = 4096

  private let source: String
  private var state = State.between
  private var number = 0
  /// The statement's bytes so far; empty between statements.
  private var bytes: [UInt8] = []
  /// The length up to the end of the last token: comments and space after it are not sent.
  private var tokenEnd = 0
  private var line = 1
  private var endsWithCarriageReturn = false
  /// The current line so far, and how many characters before it are dropped.
  private var linePrefix: [UInt8] = []
  private var columnsSkipped = 0
  /// The same for the beginning of the statement.
  private var statementLine = 1
  private var statementPrefix: [UInt8] = []
  private var statementColumnsSkipped = 0
  /// The offset in the statement at which the open quotes or comment begin.
  private var openOffset = 0

  package init(source: String) { self.source = source }

  /// Whether a statement has begun and not ended.
  package var isInsideStatement: Bool { !bytes.isEmpty || state != .between }

  /// Reads the next piece of the script and returns the statements that end in it.
  ///
  /// - Throws: ``StatementFailure`` for a statement that is not UTF-8 or is too long.
  package mutating func take(_ piece: RawSpan) throws(StatementFailure) -> [Statement] {
    var statements: [Statement] = []
    for place in 0..<piece.byteCount {
      if let statement = try take(piece.byte(at: place)) { statements.append(statement) }
    }
    return statements
  }

  /// Ends the script: the last statement needs no `;`.
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
      // A comment before the first token is not kept.
      let text = bytes.isEmpty ? "/*" : String(decoding: bytes.dropFirst(markLength), as: UTF8.self)
      let statement = statement(text)
      throw StatementFailure(
        statement, at: statement.place(ofByte: max(0, openOffset - markLength)),
        "\(open) begins here and is not closed")
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
    pass(byte)
    return statement
  }

  /// Counts lines and columns.
  private mutating func pass(_ byte: UInt8) {
    if byte == 10 || byte == 13 {
      if byte == 13 || !endsWithCarriageReturn { line += 1 }
      linePrefix.removeAll(keepingCapacity: true)
      columnsSkipped = 0
    } else {
      linePrefix.append(byte)
      if linePrefix.count > 2 * Self.maximumPrefix { forgetHalfOfLine() }
    }
    endsWithCarriageReturn = byte == 13
  }

  private mutating func forgetHalfOfLine() {
    func isContinued(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }
    let tail = linePrefix[Self.maximumPrefix...].drop(while: isContinued)
    columnsSkipped += linePrefix[..<tail.startIndex].count { !isContinued($0) }
    linePrefix = Array(tail)
  }

  /// Decides what a `-` or `/` was: a token, or the start of a comment.
  private mutating func settleSign() {
    if !state.isComment {
      tokenEnd = bytes.count
    } else if tokenEnd == 0 {
      // A comment before the first token is not part of the statement.
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

  private mutating func noteOpening() { openOffset = bytes.count }

  /// Adds a byte to the statement; space and comments before its first token are not part of it.
  private mutating func keep(_ byte: UInt8, before: State) throws(StatementFailure) {
    let isSpace = state == .between && (byte <= 32 || before.isComment)
    if bytes.isEmpty {
      if isSpace || state.isComment { return }
      statementLine = line
      statementPrefix = linePrefix
      statementColumnsSkipped = columnsSkipped
    }
    guard bytes.count < Self.maximumLength else {
      throw StatementFailure(
        statement(String(decoding: bytes.prefix(Self.maximumPrefix), as: UTF8.self)),
        at: .init(line: 1, column: 1),
        "the statement that begins here is longer than \(Self.maximumLength) bytes")
    }
    bytes.append(byte)
    if !isSpace, !state.isComment, state != .dash, state != .slash { tokenEnd = bytes.count }
  }

  private mutating func close() throws(StatementFailure) -> Statement? {
    defer {
      bytes.removeAll(keepingCapacity: true)
      tokenEnd = 0
    }
    let tokens = bytes[..<tokenEnd].dropFirst(markLength)
    guard tokens.contains(where: { $0 > 32 }) else { return nil }
    defer { number += 1 }
    guard let text = String(validating: tokens, as: UTF8.self) else {
      throw StatementFailure(
        statement(String(decoding: tokens, as: UTF8.self)), at: .init(line: 1, column: 1),
        "the statement that begins here is not UTF-8")
    }
    return statement(text)
  }

  /// Skips the byte-order mark that some editors write at the beginning of a file.
  private var markLength: Int {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    return statementLine == 1 && statementPrefix.isEmpty && bytes.starts(with: mark) ? 3 : 0
  }

  /// A statement with the current statement's position.
  private func statement(_ text: String) -> Statement {
    Statement(
      source: source, number: number + 1, text: text, line: statementLine,
      linePrefix: String(decoding: statementPrefix, as: UTF8.self),
      columnsSkipped: statementColumnsSkipped)
  }
}
