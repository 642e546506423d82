internal import Plumbing

/// Text for display: control characters and characters that reverse the text direction are escaped.
package enum EscapedText {
  package static func append(_ text: String, into block: inout ByteBlock) -> Int {
    append(Array(text.utf8).rawSpan, into: &block)
  }

  /// Appends any text, with cursor and direction controls escaped, and returns its width.
  package static func append(_ text: RawSpan, into block: inout ByteBlock) -> Int {
    var width = DisplayWidth.Counter()
    append(text, width: &width, into: &block)
    return width.width
  }

  package static func append(
    _ text: RawSpan, width: inout DisplayWidth.Counter, into block: inout ByteBlock
  ) {
    var place = 0
    while place < text.byteCount {
      let start = place
      while place < text.byteCount, isPlain(text.byte(at: place)) { place += 1 }
      block.append(text, from: start, to: place)
      width.add(narrow: place - start)
      let other = place
      while place < text.byteCount, !isPlain(text.byte(at: place)) { place += 1 }
      if other < place { append(text.text(from: other, to: place), &width, into: &block) }
    }
  }

  /// Whether a byte is a character of width one that needs no escape.
  private static func isPlain(_ byte: UInt8) -> Bool { byte &- 0x20 < 0x5f }

  private static func append(
    _ text: String, _ width: inout DisplayWidth.Counter, into block: inout ByteBlock
  ) {
    for scalar in text.unicodeScalars {
      if let escape = shownEscape(of: scalar) {
        block.append(escape)
        width.add(narrow: escape.utf8.count)
      } else {
        width.add(scalar)
        block.append(letterOf: scalar)
      }
    }
  }
}
