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
  /// What the grammar compares: a word in capitals, a symbol as it is; empty for all else.
  var key: String
  /// The value: a word as written, a string or quoted identifier without quotes.
  var text: String
  /// As written, for messages.
  var image: String
  var range: SourceRange
}
