import Druid
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

  /// Whether a cell's text is its token, each byte of which takes one column.
  @inline(__always)
  func isPlain(_ line: RawSpan, _ cell: Cell) -> Bool {
    switch cell.kind {
    case .plainText: line.isPrintableASCII(from: cell.start, to: cell.end)
    case .boolTrue, .boolFalse: true
    case .number: !hasPlainNumbers
    default: false
    }
  }

  /// Appends a cell's text and returns its width.
  @inline(__always)
  func append(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) -> Int {
    guard isPlain(line, cell) else { return appendOther(line, cell, into: &block) }
    block.append(line, from: cell.start, to: cell.end)
    return cell.end &- cell.start
  }

  @inline(never)
  private func appendOther(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) -> Int {
    switch cell.kind {
    case .null:
      return EscapedText.append(nullText.rawSpan, into: &block)
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
      EscapedText.append(piece.bytes, width: &width, into: &block)
      block.relieve()
    }
    return width.width
  }
}
