/// Finds the cells of a row: `[1,"two",null]`. It accepts only a JSON array of values without space
/// between them, so that a torn row is never taken for a complete one. ``MarkedLines`` reads most
/// rows, many at a time.
enum RowScanner {
  /// The result of scanning a line.
  enum Result: Equatable {
    /// A complete row with this many cells.
    case row(Int)
    /// Not a row with at most as many cells as there was room for: the offset of the error.
    case failure(Int)
  }

  /// Writes the cells of `line` over those of `cells`.
  static func scan(_ line: RawSpan, into cells: inout MutableSpan<Cell>) -> Result {
    let count = line.byteCount
    guard count >= 2, line.byte(at: 0) == UInt8(ascii: "[") else { return .failure(0) }
    var place = 1
    var found = 0
    if line.byte(at: 1) == UInt8(ascii: "]") { return count == 2 ? .row(0) : .failure(2) }
    while place < count, found < cells.count {
      let start = place
      guard let kind = value(line, &place) else { return .failure(place) }
      let quote = kind == .plainText || kind == .escapedText ? 1 : 0
      cells[found] = Cell(start: start + quote, end: place - quote, kind: kind)
      found += 1
      guard place < count else { return .failure(place) }
      let separator = line.byte(at: place)
      place += 1
      if separator == UInt8(ascii: ",") { continue }
      guard separator == UInt8(ascii: "]") else { return .failure(place - 1) }
      return place == count ? .row(found) : .failure(place)
    }
    return .failure(place)
  }

  /// Reads the value that begins at `place`, which moves past it, or to the byte that makes it
  /// invalid.
  static func value(_ line: RawSpan, _ place: inout Int) -> CellKind? {
    var walker = JSONWalker(from: place)
    let first = line.byte(at: place)
    let isValue = walker.value(line)
    place = walker.place
    guard isValue else { return nil }
    return switch first {
    case UInt8(ascii: "\""): walker.hasEscape ? .escapedText : .plainText
    case UInt8(ascii: "["), UInt8(ascii: "{"): .nested
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "t"): .boolTrue
    case UInt8(ascii: "f"): .boolFalse
    default: .number
    }
  }
}
