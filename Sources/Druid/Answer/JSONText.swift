/// JSON inside a cell: the text of a string, and whether a text is valid JSON.
package enum JSONText {
  /// Appends the decoded text of a string token (`from` and `to` are inside its quotes), or about
  /// `limit` bytes of it; returns where it stopped.
  ///
  /// A lone surrogate can't be encoded in UTF-8: it becomes U+FFFD. The token was validated when
  /// its row was scanned.
  @discardableResult
  package static func decode(
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

  /// The scalar of an escape; `place` is after its `\u`, and moves past a second surrogate as well.
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

  /// The decoded text of a string token.
  static func text(_ line: RawSpan, _ cell: Cell) -> String {
    var block = ByteBlock(capacity: cell.end - cell.start)
    decode(line, from: cell.start, to: cell.end, into: &block)
    return block.bytes.text(from: 0, to: block.count)
  }

  /// Appends text as a quoted JSON string; only quotes, backslashes and control characters are
  /// escaped.
  package static func encode(_ text: RawSpan, into block: inout ByteBlock) {
    block.append(UInt8(ascii: "\""))
    encodeInside(text, into: &block)
    block.append(UInt8(ascii: "\""))
  }

  /// Appends the content of a JSON string, without quotes.
  package static func encodeInside(_ text: RawSpan, into block: inout ByteBlock) {
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

  /// Whether the text is exactly one JSON value.
  package static func isValid(_ text: RawSpan) -> Bool {
    var walker = JSONWalker(from: 0)
    walker.skipSpace(text)
    guard walker.value(text) else { return false }
    walker.skipSpace(text)
    return walker.place == text.byteCount
  }

  private static func byte(_ text: RawSpan, _ place: Int) -> UInt8 { text.byte(at: place) }
}

extension ByteBlock {
  /// Appends a character as UTF-8.
  mutating func append(letterOf scalar: Unicode.Scalar) {
    guard let units = UTF8.encode(scalar) else { return }
    for unit in units { append(unit) }
  }
}

/// The lower-case hexadecimal digit of a number below 16.
func hexadecimalLetter(_ nibble: UInt8) -> UInt8 {
  nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10
}
