extension Parser {
  mutating func note(_ key: String) {
    guard notedIndex >= 0, index == notedIndex || index == notedIndex - 1 || index == notedIndex - 2
    else { return }
    if notes[index, default: []].contains(key) { return }
    notes[index, default: []].append(key)
  }

  mutating func noteIdentifier() {
    for name in Self.identifierTokens { note(name) }
  }

  static let identifierTokens = [
    "<IDENTIFIER>", "<HYPHENATED_IDENTIFIER>", "<QUOTED_IDENTIFIER>", "<BACK_QUOTED_IDENTIFIER>",
    "<BIG_QUERY_BACK_QUOTED_IDENTIFIER>", "<BRACKET_QUOTED_IDENTIFIER>",
    "<UNICODE_QUOTED_IDENTIFIER>",
  ]

  /// The error for the token at which parsing stopped.
  func unexpected() -> SQLFailure {
    let failed = index
    var second = Parser(again: self, noting: failed)
    _ = try? second.statement()
    var place = failed
    if opened == failed - 1, opened >= 0 { place = failed - 1 }
    if openedFar >= 0, openedFar == failed - 1 || openedFar == failed - 2 { place = openedFar }
    let found = second.options(from: place, to: failed)
    let options = found.filter { $0 == ["<EOF>"] } + found.filter { $0 != ["<EOF>"] }
    let first = tokens[place]
    if isKeyword(first.image), options.contains(where: { $0.contains("<IDENTIFIER>") }) {
      let list = options.map { "    \($0.joined(separator: " ")) ...\n" }.joined()
      return SQLFailure(
        "Incorrect syntax near the keyword '\(first.image)' at line \(first.range.line), "
          + "column \(first.range.column).\nWas expecting one of:\n\(list)    ", at: nil)
    }
    let width = options.map(\.count).max() ?? 1
    let shown = tokens[place...].prefix(width).map(\.image).joined(separator: " ")
    var failure = SQLFailure("Received an unexpected token [\(shown)]", at: first.range)
    failure.token = shown
    failure.expected =
      "[" + options.map { $0.joined(separator: " ") }.joined(separator: ", ") + "]"
    return failure
  }

  private init(again other: Parser, noting place: Int) {
    self = other
    index = 0
    parameterCount = 0
    nesting = 0
    aliasedStar = nil
    refusal = nil
    opened = -1
    openedFar = -1
    signed = -1
    aliasNesting = -1
    notedIndex = place
    notes = [:]
  }

  /// The tokens that were acceptable at `place`, and sequences of tokens that were looked at
  /// together.
  private func options(from place: Int, to failed: Int) -> [[String]] {
    let here = (notes[place] ?? []).map(shown)
    guard place < failed else { return here.map { [$0] } }
    var result: [[String]] = []
    let head = tokenName(tokens[place])
    var followed = false
    for option in here {
      guard option == head else {
        result.append([option])
        continue
      }
      followed = true
      for next in options(from: place + 1, to: failed) { result.append([option] + next) }
    }
    if !followed {
      for next in options(from: place + 1, to: failed) { result.append([head] + next) }
    }
    return result
  }

  private func shown(_ key: String) -> String {
    key.first == "<" && key.count > 3 && key.last == ">" ? key : "\"\(key)\""
  }

  private func tokenName(_ token: Token) -> String {
    switch token.kind {
    case .word, .symbol: "\"\(token.key)\""
    case .quotedIdentifier: "<QUOTED_IDENTIFIER>"
    case .string: "<QUOTED_STRING>"
    case .unicodeString: "<UNICODE_STRING_LITERAL>"
    case .binaryString: "<BINARY_STRING_LITERAL>"
    case .prefixedString: "<PREFIXED_STRING_LITERAL>"
    case .integer: "<UNSIGNED_INTEGER_LITERAL>"
    case .decimal: "<DECIMAL_NUMERIC_LITERAL>"
    case .approximate: "<APPROX_NUMERIC_LITERAL>"
    case .end: "<EOF>"
    }
  }

  /// Whether the word is a keyword as written. Druid's check is case-sensitive: a word in small
  /// letters is not one.
  private func isKeyword(_ image: String) -> Bool {
    Keywords.reserved.contains(image) || Keywords.nonReserved.contains(image)
  }

  func nonQuery() -> ParseStop {
    refuse("Non-query expression encountered in illegal context")
  }
}
