import Druid

/// The text of a cell that is too long to be held twice, in pieces of whole characters.
struct CellPieces {
  /// The size of a piece in bytes; a longer cell is written in pieces.
  static let size = 65536
  /// The length from which a row may have such cells, in bytes.
  static let longRow = 4 * size

  private var place: Int
  private let end: Int
  private let isEscaped: Bool

  init(_ cell: Cell) {
    place = cell.start
    end = cell.end
    isEscaped = cell.kind == .escapedText
  }

  /// Replaces the block's content with the next piece; false when there is none.
  mutating func next(of line: RawSpan, into block: inout ByteBlock) -> Bool {
    block.removeAll()
    guard place < end else { return false }
    if isEscaped {
      place = JSONText.decode(line, from: place, to: end, upTo: Self.size, into: &block)
    } else {
      let stop = line.letterStart(from: min(end, place + Self.size), to: end)
      block.append(line, from: place, to: stop)
      place = stop
    }
    return true
  }
}

extension Cell {
  /// Whether the cell is written in pieces.
  var isLong: Bool { end - start > CellPieces.size }
}
