/// JSON as it stands inside a cell: the text of a string, and whether a text is a JSON value.
enum JSONText {
  /// Appends the text of a string token (`from` and `to` are inside its quotes), escapes undone, or about `limit` bytes
  /// of it; returns where it stopped.
  ///
  /// A lone surrogate has no UTF-8: it becomes U+FFFD. The token was checked when its row was scanned.
  @discardableResult
  static func decode(
    _ line: RawSpan, from: Int, to: Int, upTo limit: Int = .max, into block: inout ByteBlock
  ) -> Int {
    let start = block.count
    var place = from
    while place < to, block.count - start < limit {
      var run = line.offset(of: UInt8(ascii: "\\"), from: place, to: to) ?? to
      if run - place > limit { run = line.letterStart(from: place + limit, to: run) }
      block.append(line, from: place, to: run)
      place = run
      guard place < to, byte(line, place) == UInt8(ascii: "\\") else { continue }
      guard place + 1 < to else {
        block.append(byte(line, place))
        return to
      }
      let letter = byte(line, place + 1)
      place += 2
      switch letter {
      case UInt8(ascii: "b"): block.append(8)
      case UInt8(ascii: "f"): block.append(12)
      case UInt8(ascii: "n"): block.append(10)
      case UInt8(ascii: "r"): block.append(13)
      case UInt8(ascii: "t"): block.append(9)
      case UInt8(ascii: "u"): block.append(letterOf: unicodeEscape(line, &place, to))
      default: block.append(letter)
      }
    }
    return place
  }

  /// The scalar of an escape; `place` stands behind its `\u`, and moves behind a second half as well.
  private static func unicodeEscape(
    _ line: RawSpan, _ place: inout Int, _ to: Int
  ) -> Unicode.Scalar {
    let first = fourDigits(line, place)
    place += 4
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xdc00, place + 6 <= to, byte(line, place) == UInt8(ascii: "\\"),
      byte(line, place + 1) == UInt8(ascii: "u")
    {
      let second = fourDigits(line, place + 2)
      if (0xdc00..<0xe000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
      {
        place += 6
        return scalar
      }
    }
    return "\u{fffd}"
  }

  private static func fourDigits(_ line: RawSpan, _ place: Int) -> UInt32 {
    var value: UInt32 = 0
    for offset in 0..<4 {
      value = value << 4 | (hexadecimalDigit(byte(line, place + offset)) ?? 0)
    }
    return value
  }

  /// The text of a string token.
  static func text(_ line: RawSpan, _ cell: Cell) -> String {
    var block = ByteBlock(capacity: cell.end - cell.start)
    decode(line, from: cell.start, to: cell.end, into: &block)
    return block.bytes.text(from: 0, to: block.count)
  }

  /// Appends text as a JSON string with its quotes: quotes, backslashes and controls escaped, all else as it is.
  static func encode(_ text: RawSpan, into block: inout ByteBlock) {
    block.append(UInt8(ascii: "\""))
    encodeInside(text, into: &block)
    block.append(UInt8(ascii: "\""))
  }

  /// Appends what stands between the quotes.
  static func encodeInside(_ text: RawSpan, into block: inout ByteBlock) {
    var run = 0
    for place in 0..<text.byteCount {
      let next = byte(text, place)
      guard next < 0x20 || next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") else {
        continue
      }
      block.append(text, from: run, to: place)
      run = place + 1
      switch next {
      case 8: block.append("\\b")
      case 9: block.append("\\t")
      case 10: block.append("\\n")
      case 12: block.append("\\f")
      case 13: block.append("\\r")
      case 0..<0x20:
        block.append("\\u00")
        block.append(UInt8(ascii: next < 16 ? "0" : "1"))
        block.append(hexadecimalLetter(next & 15))
      default:
        block.append(UInt8(ascii: "\\"))
        block.append(next)
      }
    }
    block.append(text, from: run, to: text.byteCount)
  }

  /// Whether the text is one JSON value and nothing else.
  static func isValid(_ text: RawSpan) -> Bool {
    var validator = Validator(end: text.byteCount)
    return validator.value(text, depth: 0) && validator.skipSpace(text) && validator.isAtEnd
  }

  /// Where the value that starts at `from` ends, `nil` when it is no JSON.
  static func endOfValue(_ text: RawSpan, from: Int) -> Int? {
    var validator = Validator(end: text.byteCount)
    validator.place = from
    return validator.value(text, depth: 0) ? validator.place : nil
  }

  fileprivate static func byte(_ text: RawSpan, _ place: Int) -> UInt8 { text.byte(at: place) }
}

extension ByteBlock {
  /// Appends a letter as UTF-8.
  mutating func append(letterOf scalar: Unicode.Scalar) {
    guard let units = UTF8.encode(scalar) else { return }
    for unit in units { append(unit) }
  }
}

/// The lower-case hexadecimal digit of a number below 16.
func hexadecimalLetter(_ nibble: UInt8) -> UInt8 {
  nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10
}

/// Walks over a JSON value without keeping it; 512 levels deep at most.
private struct Validator {
  let end: Int
  var place = 0

  init(end: Int) { self.end = end }

  var isAtEnd: Bool { place == end }

  private func next(_ text: RawSpan) -> UInt8? { place < end ? JSONText.byte(text, place) : nil }

  mutating func skipSpace(_ text: RawSpan) -> Bool {
    while let byte = next(text), byte == 32 || byte == 9 || byte == 10 || byte == 13 { place += 1 }
    return true
  }

  private mutating func take(_ text: RawSpan, _ character: Unicode.Scalar) -> Bool {
    guard next(text) == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  mutating func value(_ text: RawSpan, depth: Int) -> Bool {
    guard depth < 512, skipSpace(text), let first = next(text) else { return false }
    switch first {
    case UInt8(ascii: "\""): return string(text)
    case UInt8(ascii: "["): return list(text, depth: depth, closing: "]", isObject: false)
    case UInt8(ascii: "{"): return list(text, depth: depth, closing: "}", isObject: true)
    case UInt8(ascii: "t"): return word(text, "true")
    case UInt8(ascii: "f"): return word(text, "false")
    case UInt8(ascii: "n"): return word(text, "null")
    default: return number(text)
    }
  }

  private mutating func list(
    _ text: RawSpan, depth: Int, closing: Unicode.Scalar, isObject: Bool
  ) -> Bool {
    place += 1
    guard skipSpace(text) else { return false }
    if take(text, closing) { return true }
    while true {
      if isObject {
        guard skipSpace(text), string(text), skipSpace(text), take(text, ":") else { return false }
      }
      guard value(text, depth: depth + 1), skipSpace(text) else { return false }
      if take(text, closing) { return true }
      guard take(text, ",") else { return false }
    }
  }

  private mutating func string(_ text: RawSpan) -> Bool {
    guard take(text, "\"") else { return false }
    while let byte = next(text) {
      place += 1
      if byte == UInt8(ascii: "\"") { return true }
      if byte < 0x20 { return false }
      guard byte == UInt8(ascii: "\\") else { continue }
      guard let letter = next(text) else { return false }
      place += 1
      if letter == UInt8(ascii: "u") {
        for _ in 0..<4 {
          guard let digit = next(text), hexadecimalDigit(digit) != nil else { return false }
          place += 1
        }
      } else if !"\"\\/bfnrt".utf8.contains(letter) {
        return false
      }
    }
    return false
  }

  private mutating func word(_ text: RawSpan, _ word: String) -> Bool {
    for byte in word.utf8 {
      guard next(text) == byte else { return false }
      place += 1
    }
    return true
  }

  private mutating func digits(_ text: RawSpan) -> Bool {
    let start = place
    while let byte = next(text), (0x30...0x39).contains(byte) { place += 1 }
    return place > start
  }

  private mutating func number(_ text: RawSpan) -> Bool {
    _ = take(text, "-")
    guard digits(text) else { return false }
    if take(text, "."), !digits(text) { return false }
    if take(text, "e") || take(text, "E") {
      _ = take(text, "+") || take(text, "-")
      return digits(text)
    }
    return true
  }
}
