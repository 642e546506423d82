extension Parser {
  /// Whether the token is an identifier: quoted, or a word that is not reserved.
  mutating func atIdentifier() -> Bool {
    noteIdentifier()
    return isIdentifier(token)
  }

  func isIdentifier(_ token: Token) -> Bool {
    switch token.kind {
    case .quotedIdentifier: true
    case .unicodeString: token.image.last == "\""
    case .word: !Keywords.reserved.contains(token.key)
    default: false
    }
  }

  mutating func identifier() throws(ParseStop) -> Identifier {
    guard atIdentifier() else { throw .unexpected }
    let first = token
    advance()
    guard first.kind == .unicodeString else {
      return Identifier(first.text, isQuoted: first.kind == .quotedIdentifier, range: first.range)
    }
    let text = try unicodeText(first.text)
    return Identifier(text, isQuoted: true, range: range(from: first.range))
  }

  /// Parses `a`, `a.b` or `a.b.c`. A dot without a following identifier is not consumed.
  mutating func compoundName() throws(ParseStop) -> Name {
    var parts = [try identifier()]
    while at("."), isIdentifier(peek()) {
      advance()
      parts.append(try identifier())
    }
    return Name(parts, range: (parts.first?.range ?? .none).through(previousRange))
  }

  /// `(a, b)` or nothing.
  mutating func identifierListIfAny() throws(ParseStop) -> [Identifier] {
    guard at("(") else { return [] }
    opened = index
    return try identifierList()
  }

  /// `(a, b)`
  mutating func identifierList() throws(ParseStop) -> [Identifier] {
    try expect("(")
    var list = [try identifier()]
    while accept(",") { list.append(try identifier()) }
    try expect(")")
    return list
  }

  /// Decodes the escapes of a `U&` text, and consumes UESCAPE if it follows.
  mutating func unicodeText(_ raw: String) throws(ParseStop) -> String {
    var escape: Character = "\\"
    if accept("UESCAPE") {
      note("<QUOTED_STRING>")
      guard token.kind == .string else { throw .unexpected }
      guard token.text.count == 1, let character = token.text.first,
        !character.isHexDigit, !"+\"' \t\n\r".contains(character)
      else { throw refuse("Unicode escape character must be one character, no hexadecimal digit") }
      escape = character
      advance()
    }
    var units: [UInt16] = []
    var rest = raw[...]
    while let character = rest.popFirst() {
      guard character == escape else {
        units.append(contentsOf: String(character).utf16)
        continue
      }
      if rest.first == escape {
        rest = rest.dropFirst()
        units.append(contentsOf: String(escape).utf16)
        continue
      }
      let width = rest.first == "+" ? 6 : 4
      if width == 6 { rest = rest.dropFirst() }
      let digits = rest.prefix(width)
      guard digits.count == width, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
        let value = UInt32(digits, radix: 16)
      else {
        throw refuse(
          "Unicode escape sequence starting at character 0 is not exactly four hex digits")
      }
      rest = rest.dropFirst(width)
      if let scalar = Unicode.Scalar(value) {
        units.append(contentsOf: String(Character(scalar)).utf16)
      } else {
        units.append(UInt16(truncatingIfNeeded: value))
      }
    }
    return String(decoding: units, as: UTF16.self)
  }
}
