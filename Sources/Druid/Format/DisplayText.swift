import Plumbing

/// Cells for display: control characters and characters that reverse the text direction are
/// escaped.
struct DisplayText {
  private let nullText: [UInt8]
  private let hasPlainNumbers: Bool

  init(options: FormatOptions) {
    nullText = Array((options.nullText ?? "NULL").utf8)
    hasPlainNumbers = options.hasPlainNumbers
  }

  /// Appends a cell's text and returns its width.
  @inline(__always)
  func append(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) -> Int {
    switch cell.kind {
    case .plainText where line.isPrintableASCII(from: cell.start, to: cell.end),
      .boolTrue, .boolFalse,
      .number where !hasPlainNumbers:
      block.append(line, from: cell.start, to: cell.end)
      return cell.end &- cell.start
    default: return appendOther(line, cell, into: &block)
    }
  }

  @inline(never)
  private func appendOther(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) -> Int {
    switch cell.kind {
    case .null:
      return DisplayText.append(nullText.rawSpan, into: &block)
    case .number:
      let start = block.count
      PlainNumber.append(line, cell, into: &block)
      return block.count - start
    default:
      return appendPieces(line, cell, into: &block)
    }
  }

  /// Appends a cell of any length, writing parts of the block in between, and returns the cell's
  /// width.
  func appendPieces(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) -> Int {
    var width = DisplayWidth.Counter()
    var piece = ByteBlock(capacity: min(cell.end - cell.start, CellPieces.size) + 16)
    var pieces = CellPieces(cell)
    while pieces.next(of: line, into: &piece) {
      DisplayText.append(piece.bytes, width: &width, into: &block)
      block.relieve()
    }
    return width.width
  }

  static func append(_ text: String, into block: inout ByteBlock) -> Int {
    append(Array(text.utf8).rawSpan, into: &block)
  }

  /// Appends any text, with cursor and direction controls escaped, and returns its width.
  static func append(_ text: RawSpan, into block: inout ByteBlock) -> Int {
    var width = DisplayWidth.Counter()
    append(text, width: &width, into: &block)
    return width.width
  }

  private static func append(
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
