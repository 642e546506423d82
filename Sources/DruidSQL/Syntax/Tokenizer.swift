/// Splits a statement into tokens by the lexical rules of Druid's parser, with double quotes around
/// identifiers.
struct Tokenizer {
  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  private var column = 1
  /// The position of the last byte read, which errors at the end of the text report.
  private var last = SourceRange(line: 1, column: 1, endLine: 1, endColumn: 1)

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// All tokens, the last of them `.end`.
  static func tokens(of text: String) throws(SQLFailure) -> [Token] {
    var tokenizer = Tokenizer(text)
    var tokens: [Token] = []
    tokens.reserveCapacity(text.utf8.count / 4 + 8)
    while let token = try tokenizer.next() { tokens.append(token) }
    tokens.append(
      Token(kind: .end, key: "", text: "", image: "<EOF>", range: tokenizer.last))
    return tokens
  }

  private func peek(_ distance: Int = 0) -> UInt8 {
    index + distance < bytes.count ? bytes[index + distance] : 0
  }

  /// Advances by one character.
  private mutating func step() {
    let byte = bytes[index]
    last = SourceRange(line: line, column: column, endLine: line, endColumn: column)
    index += 1
    switch byte {
    case UInt8(ascii: "\n"):
      line += 1
      column = 1
    case UInt8(ascii: "\r"):
      if peek() == UInt8(ascii: "\n") {
        column += 1
      } else {
        line += 1
        column = 1
      }
    case 0xF0...:
      last.endColumn += 1
      column += 2
      skipContinuation()
    case 0xC0...:
      column += 1
      skipContinuation()
    default: column += 1
    }
  }

  private mutating func skipContinuation() {
    while index < bytes.count, bytes[index] & 0xC0 == 0x80 { index += 1 }
  }

  private mutating func next() throws(SQLFailure) -> Token? {
    try skipBlanks()
    guard index < bytes.count else { return nil }
    let start = index
    let from = (line, column)
    let byte = peek()
    var kind = Token.Kind.symbol
    if byte == UInt8(ascii: "'"), let end = quoteEnd(from: index, quote: byte) {
      kind = .string
      advance(to: end)
    } else if byte == UInt8(ascii: "\""), let end = quoteEnd(from: index, quote: byte) {
      kind = .quotedIdentifier
      advance(to: end)
    } else if isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(peek(1))) {
      kind = number()
    } else if let prefixed = prefixedString() {
      kind = prefixed
    } else if isLetter() {
      kind = .word
      while index < bytes.count, isLetter() || isDigit(peek()) { step() }
      if index == start + 1, byte == UInt8(ascii: "$") { kind = .symbol }
    } else {
      let width = symbolWidth()
      guard width > 0 else { throw lexicalError(at: from) }
      for _ in 0..<width { step() }
    }
    let range = SourceRange(
      line: from.0, column: from.1, endLine: Int(last.endLine), endColumn: Int(last.endColumn))
    return token(kind, image: String(decoding: bytes[start..<index], as: UTF8.self), range)
  }

  private func token(_ kind: Token.Kind, image: String, _ range: SourceRange) -> Token {
    switch kind {
    case .word:
      return Token(kind: kind, key: image.uppercased(), text: image, image: image, range: range)
    case .symbol:
      let key = image.first == "{" ? image.filter { $0 != " " }.uppercased() : image
      return Token(kind: kind, key: key, text: image, image: image, range: range)
    case .string, .quotedIdentifier, .unicodeString, .binaryString, .prefixedString:
      return Token(kind: kind, key: "", text: unquoted(image), image: image, range: range)
    case .integer, .decimal, .approximate, .end:
      return Token(kind: kind, key: "", text: image, image: image, range: range)
    }
  }

  /// The text between the outer quotes, with doubled quotes replaced by single ones.
  private func unquoted(_ image: String) -> String {
    let bytes = Array(image.utf8)
    guard let quote = bytes.last, let open = bytes.firstIndex(of: quote) else { return image }
    var value: [UInt8] = []
    value.reserveCapacity(bytes.count)
    var position = open + 1
    while position < bytes.count - 1 {
      value.append(bytes[position])
      position += bytes[position] == quote ? 2 : 1
    }
    return String(decoding: value, as: UTF8.self)
  }

  private mutating func advance(to end: Int) {
    while index < end { step() }
  }

  /// The index after the closing quote; nil when there is none, or when an identifier is empty or
  /// spans lines.
  private func quoteEnd(from start: Int, quote: UInt8) -> Int? {
    var position = start + 1
    while position < bytes.count {
      let byte = bytes[position]
      if byte == quote {
        guard position + 1 < bytes.count, bytes[position + 1] == quote else {
          return quote == UInt8(ascii: "\"") && position == start + 1 ? nil : position + 1
        }
        position += 2
      } else if quote == UInt8(ascii: "\""), byte == 10 || byte == 13 {
        return nil
      } else {
        position += 1
      }
    }
    return nil
  }

  private mutating func number() -> Token.Kind {
    var kind = Token.Kind.integer
    while isDigit(peek()) { step() }
    if peek() == UInt8(ascii: "."), !(peek(1) == UInt8(ascii: ".")) {
      kind = .decimal
      step()
      while isDigit(peek()) { step() }
    }
    if peek() | 0x20 == UInt8(ascii: "e") {
      let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-") ? 1 : 0
      if isDigit(peek(1 + sign)) {
        kind = .approximate
        for _ in 0...sign { step() }
        while isDigit(peek()) { step() }
      }
    }
    return kind
  }

  /// Reads `x'..'`, `U&'..'`, `U&".."`, `N'..'` or `_charset'..'`.
  private mutating func prefixedString() -> Token.Kind? {
    let quote = UInt8(ascii: "'")
    var width = 1
    var kind = Token.Kind.prefixedString
    switch peek() | 0x20 {
    case UInt8(ascii: "x"): kind = .binaryString
    case UInt8(ascii: "n"): break
    case UInt8(ascii: "u") where peek(1) == UInt8(ascii: "&"):
      width = 2
      kind = .unicodeString
      if peek(2) == UInt8(ascii: "\""),
        let end = quoteEnd(from: index + 2, quote: UInt8(ascii: "\""))
      {
        advance(to: end)
        return .unicodeString
      }
    default:
      guard peek() == UInt8(ascii: "_") else { return nil }
      while isCharacterSetByte(peek(width)) { width += 1 }
    }
    guard peek(width) == quote, let end = quoteEnd(from: index + width, quote: quote) else {
      return nil
    }
    advance(to: end)
    return kind
  }

  private func isCharacterSetByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || isLatin(byte) || [0x3A, 0x2E, 0x2D, 0x5F].contains(byte)
  }

  private func symbolWidth() -> Int {
    let byte = peek()
    let second = peek(1)
    switch byte {
    case UInt8(ascii: "<"):
      if second == UInt8(ascii: "=") { return peek(2) == UInt8(ascii: ">") ? 3 : 2 }
      return second == UInt8(ascii: ">") ? 2 : 1
    case UInt8(ascii: ">"): return second == UInt8(ascii: "=") ? 2 : 1
    case UInt8(ascii: "="): return second == UInt8(ascii: ">") ? 2 : 1
    case UInt8(ascii: "!"): return second == UInt8(ascii: "=") ? 2 : 0
    case UInt8(ascii: "|"): return second == byte ? 2 : 1
    case UInt8(ascii: "."): return second == byte ? 2 : 1
    case UInt8(ascii: "/"):
      return second == UInt8(ascii: "*") && peek(2) == UInt8(ascii: "+") ? 3 : 1
    case UInt8(ascii: "*"): return second == UInt8(ascii: "/") ? 2 : 1
    case UInt8(ascii: "{"): return braceWidth()
    default:
      return "()[]};,?:+-%'\"^$".utf8.contains(byte) ? 1 : 0
    }
  }

  /// The length of a `{d`, `{t`, `{ts` or `{fn` token.
  private func braceWidth() -> Int {
    var width = 1
    while peek(width) == UInt8(ascii: " ") { width += 1 }
    switch (peek(width) | 0x20, peek(width + 1) | 0x20) {
    case (UInt8(ascii: "t"), UInt8(ascii: "s")), (UInt8(ascii: "f"), UInt8(ascii: "n")):
      return width + 2
    case (UInt8(ascii: "d"), _), (UInt8(ascii: "t"), _): return width + 1
    default: return 1
    }
  }

  private mutating func skipBlanks() throws(SQLFailure) {
    while index < bytes.count {
      switch peek() {
      case 9, 10, 12, 13, 32: step()
      case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"),
        UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        while index < bytes.count, peek() != 10, peek() != 13 { step() }
      case UInt8(ascii: "/")
      where peek(1) == UInt8(ascii: "*") && peek(2) != UInt8(ascii: "+"):
        step()
        step()
        while !(peek() == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) {
          guard index < bytes.count else {
            throw SQLFailure(
              "Lexical error at line \(last.line), column \(last.column).  "
                + "Encountered: <EOF> after : \"\"", at: nil)
          }
          step()
        }
        step()
        step()
      default: return
      }
    }
  }

  private func lexicalError(at position: (line: Int, column: Int)) -> SQLFailure {
    let scalar = String(decoding: bytes[index...].prefix(4), as: UTF8.self).unicodeScalars.first
    let shown = scalar.map { $0.isASCII ? String($0) : "\\u" + hex($0.value) } ?? ""
    return SQLFailure(
      "Lexical error at line \(position.line), column \(position.column).  Encountered: "
        + "\"\(shown)\" (\(scalar?.value ?? 0)), after : \"\"", at: nil)
  }

  private func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  private func isLatin(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }

  /// Whether the current character can be part of an identifier: a Latin letter, `_`, `$`, or a
  /// non-ASCII letter that Calcite lists.
  private func isLetter() -> Bool {
    let byte = peek()
    guard byte >= 0x80 else {
      return isLatin(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
    }
    guard
      let scalar = String(decoding: bytes[index...].prefix(4), as: UTF8.self).unicodeScalars.first
    else { return false }
    switch scalar.value {
    case 0xC0...0xD6, 0xD8...0xF6, 0xF8...0xFF, 0x100...0x1FFF, 0x3040...0x318F,
      0x3300...0x337F, 0x3400...0x3D2D, 0x4E00...0x9FFF, 0xF900...0xFAFF:
      return true
    default: return false
    }
  }
}
