/// The text of a cell that is too long to be held twice: piece by piece, each of whole letters.
struct CellPieces {
  /// Bytes of a piece; a cell that is longer goes out in pieces.
  static let size = 65536
  /// A row over this length may have such cells.
  static let longRow = 4 * size

  private var place: Int
  private let end: Int
  private let isEscaped: Bool

  /// - Parameter isDecoded: whether escapes are undone; else the pieces are those of the token.
  init(_ cell: Cell, isDecoded: Bool = true) {
    place = cell.start
    end = cell.end
    isEscaped = isDecoded && cell.kind == .escapedText
  }

  /// Puts the next piece into the block, in place of what is there; false when there is none.
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
  /// Whether it goes out in pieces.
  var isLong: Bool { end - start > CellPieces.size }
}

extension RawSpan {
  /// The first place at or behind `place`, `end` at most, that is not inside a letter.
  func letterStart(from place: Int, to end: Int) -> Int {
    var place = place
    while place < end, byte(at: place) & 0xc0 == 0x80 { place += 1 }
    return place
  }
}
