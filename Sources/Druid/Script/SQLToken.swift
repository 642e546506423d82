/// A token of a statement, in as much detail as a client needs.
package struct SQLToken: Equatable {
  enum Kind: Equatable {
    /// A keyword or a name without quotes.
    case word
    /// A name in double quotes; its text is without them.
    case quotedName
    /// A string; its text is without quotes, and doubled quotes are decoded.
    case string
    case number
    /// A `?`.
    case parameter
    case symbol
  }

  let kind: Kind
  let text: String
  /// The offset in the statement, in bytes.
  let offset: Int

  func isWord(_ word: String) -> Bool { kind == .word && text.uppercased() == word }
  func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }

  /// The name that this token stands for, if it can be one.
  var name: String? { kind == .word || kind == .quotedName ? text : nil }

  /// The name in `:name`, when the token is its colon.
  static func parameterName(_ tokens: [SQLToken], at index: Int) -> String? {
    guard tokens[index].isSymbol(":"), tokens.indices.contains(index + 1) else { return nil }
    let word = tokens[index + 1]
    guard word.kind == .word, word.offset == tokens[index].offset + 1 else { return nil }
    if index > 0, tokens[index - 1].kind == .string || tokens[index - 1].isSymbol(":") {
      return nil
    }
    return word.text
  }

  /// The tokens of a statement, without comments.
  static func tokens(of text: String) -> [SQLToken] {
    let bytes = Array(text.utf8)
    var tokens: [SQLToken] = []
    var place = 0
    while place < bytes.count {
      let start = place
      let byte = bytes[place]
      if byte <= 32 {
        place += 1
      } else if let end = endOfComment(bytes, place) {
        place = end
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        let (text, end) = quoted(bytes, place)
        place = end
        let kind: Kind = byte == UInt8(ascii: "'") ? .string : .quotedName
        tokens.append(SQLToken(kind: kind, text: text, offset: start))
      } else if isWordByte(byte) || beginsNumber(bytes, place) {
        place += 1
        while place < bytes.count, isWordByte(bytes[place]) || isPartOfNumber(bytes, start, place) {
          place += 1
        }
        let kind: Kind = isDigit(byte) || byte == UInt8(ascii: ".") ? .number : .word
        tokens.append(SQLToken(kind: kind, text: string(bytes[start..<place]), offset: start))
      } else {
        place += 1
        let kind: Kind = byte == UInt8(ascii: "?") ? .parameter : .symbol
        tokens.append(SQLToken(kind: kind, text: string(bytes[start..<place]), offset: start))
      }
    }
    return tokens
  }

  private static func string(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  package static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x24, 0x80...: true
    default: false
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  /// Whether a point begins a number such as `.5`; the point after a name does not.
  private static func beginsNumber(_ bytes: [UInt8], _ place: Int) -> Bool {
    guard bytes[place] == UInt8(ascii: "."), place + 1 < bytes.count, isDigit(bytes[place + 1])
    else { return false }
    return place == 0 || !(isWordByte(bytes[place - 1]) || bytes[place - 1] == UInt8(ascii: "\""))
  }

  /// Whether a point or a sign is inside a number such as `1.5e-3`.
  private static func isPartOfNumber(_ bytes: [UInt8], _ start: Int, _ place: Int) -> Bool {
    guard isDigit(bytes[start]) || bytes[start] == UInt8(ascii: ".") else { return false }
    if bytes[place] == UInt8(ascii: ".") { return true }
    return (bytes[place] == UInt8(ascii: "-") || bytes[place] == UInt8(ascii: "+"))
      && bytes[place - 1] | 0x20 == UInt8(ascii: "e")
  }

  private static func endOfComment(_ bytes: [UInt8], _ place: Int) -> Int? {
    guard place + 1 < bytes.count else { return nil }
    let pair = (bytes[place], bytes[place + 1])
    if pair == (0x2d, 0x2d) || pair == (0x2f, 0x2f) {
      return bytes[place...].firstIndex { $0 == 10 || $0 == 13 } ?? bytes.count
    }
    guard pair == (0x2f, 0x2a) else { return nil }
    var next = place + 2
    while next + 1 < bytes.count {
      if bytes[next] == 0x2a, bytes[next + 1] == 0x2f { return next + 2 }
      next += 1
    }
    return bytes.count
  }

  private static func quoted(_ bytes: [UInt8], _ start: Int) -> (String, Int) {
    let quote = bytes[start]
    let hasEscapes = quote == 0x27 && isEscapePrefix(bytes[..<start])
    var text: [UInt8] = []
    var place = start + 1
    while place < bytes.count {
      if bytes[place] == quote {
        place += 1
        guard place < bytes.count, bytes[place] == quote else { break }
      } else if hasEscapes, bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count {
        place += 1
      }
      text.append(bytes[place])
      place += 1
    }
    return (string(text[...]), place)
  }

  /// Whether the last word is the `E` that allows backslash escapes in the following string.
  static func isEscapePrefix(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let last = bytes.last, last | 0x20 == UInt8(ascii: "e") else { return false }
    guard let before = bytes.dropLast().last else { return true }
    return !isWordByte(before)
  }
}
