/// One token of a statement.
struct Token: Sendable {
  enum Kind: Sendable {
    case word
    case quotedIdentifier
    case string
    case unicodeString
    case binaryString
    case prefixedString
    case integer
    case decimal
    case approximate
    case symbol
    case end
  }

  var kind: Kind
  /// What the grammar compares: a word in capitals or a symbol; empty for other tokens.
  var key: String
  /// The value: a word as written, or a string or quoted identifier without quotes.
  var text: String
  /// The text as written, for messages.
  var image: String
  var range: SourceRange
}
