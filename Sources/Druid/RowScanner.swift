/// Finds the cells of a row: `[1,"two",null]`. Strict: what is no JSON array of values is refused, so that a torn row
/// is never taken for a whole one. Rows without escapes and nested values are read by ``MarkedLines``, many at a time.
///
/// (Unsafe inside: unchecked loads, each below `line.byteCount`.)
enum RowScanner {
  /// A line, looked at.
  enum Result: Equatable {
    /// A whole row with this many cells.
    case row(Int)
    /// No row of as many cells as there was room for: the offset where it stops being one.
    case failure(Int)
  }

  /// Writes the cells of `line` over those of `cells`.
  static func scan(_ line: RawSpan, into cells: inout MutableSpan<Cell>) -> Result {
    let count = line.byteCount
    guard count >= 2, byte(line, 0) == UInt8(ascii: "[") else { return .failure(0) }
    var place = 1
    var found = 0
    if byte(line, 1) == UInt8(ascii: "]") { return count == 2 ? .row(0) : .failure(2) }
    while place < count, found < cells.count {
      var cell = Cell(start: place, end: place, kind: .null)
      guard value(line, &cell) else { return .failure(cell.end) }
      place = cell.isText ? cell.end &+ 1 : cell.end
      cells[found] = cell
      found &+= 1
      guard place < count else { return .failure(place) }
      let separator = byte(line, place)
      place &+= 1
      if separator == UInt8(ascii: ",") { continue }
      guard separator == UInt8(ascii: "]") else { return .failure(place &- 1) }
      return place == count ? .row(found) : .failure(place)
    }
    return .failure(place)
  }

  /// Reads the value that starts where `cell` does, which is inside the line; false leaves the cell's end where it stops
  /// being one.
  static func value(_ line: RawSpan, _ cell: inout Cell) -> Bool {
    switch byte(line, cell.start) {
    case UInt8(ascii: "\""): string(line, &cell)
    case UInt8(ascii: "-"), 0x30...0x39: number(line, &cell)
    case UInt8(ascii: "n"): word(line, "null", .null, &cell)
    case UInt8(ascii: "t"): word(line, "true", .boolTrue, &cell)
    case UInt8(ascii: "f"): word(line, "false", .boolFalse, &cell)
    case UInt8(ascii: "["), UInt8(ascii: "{"): nested(line, &cell)
    default: false
    }
  }

  @inline(__always)
  private static func byte(_ line: RawSpan, _ place: Int) -> UInt8 {
    unsafe line.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self)
  }

  private static func word(
    _ line: RawSpan, _ word: StaticString, _ kind: CellKind, _ cell: inout Cell
  ) -> Bool {
    let length = word.utf8CodeUnitCount
    guard cell.start + length <= line.byteCount else {
      cell.end = line.byteCount
      return false
    }
    for offset in 0..<length {
      // The static text has `length` bytes.
      guard unsafe byte(line, cell.start + offset) == word.utf8Start[offset] else {
        cell.end = cell.start + offset
        return false
      }
    }
    cell.kind = kind
    cell.end = cell.start + length
    return true
  }

  private static func number(_ line: RawSpan, _ cell: inout Cell) -> Bool {
    let count = line.byteCount
    var place = cell.start
    if byte(line, place) == UInt8(ascii: "-") { place &+= 1 }
    let whole = place
    while place < count, byte(line, place) &- 0x30 < 10 { place &+= 1 }
    // JSON knows no leading zeros.
    var isGood = place == whole &+ 1 || (place > whole && byte(line, whole) != 0x30)
    if isGood, place < count, byte(line, place) == UInt8(ascii: ".") {
      place &+= 1
      let fraction = place
      while place < count, byte(line, place) &- 0x30 < 10 { place &+= 1 }
      isGood = place > fraction
    }
    if isGood, place < count, byte(line, place) | 0x20 == UInt8(ascii: "e") {
      place &+= 1
      if place < count, byte(line, place) == 0x2b || byte(line, place) == 0x2d { place &+= 1 }
      let exponent = place
      while place < count, byte(line, place) &- 0x30 < 10 { place &+= 1 }
      isGood = place > exponent
    }
    cell.kind = .number
    cell.end = place
    return isGood
  }

  private static func string(_ line: RawSpan, _ cell: inout Cell) -> Bool {
    cell.kind = .plainText
    cell.start += 1
    var place = cell.start
    while place < line.byteCount {
      switch byte(line, place) {
      case UInt8(ascii: "\""):
        cell.end = place
        return true
      case UInt8(ascii: "\\"):
        cell.kind = .escapedText
        guard let length = escapeLength(line, place) else {
          cell.end = place
          return false
        }
        place += length
      case 0..<0x20:
        cell.end = place
        return false
      default:
        place += 1
      }
    }
    cell.end = line.byteCount
    return false
  }

  /// Whether all escapes in a part of a string are some that JSON has.
  static func hasGoodEscapes(_ text: RawSpan, from start: Int, to end: Int) -> Bool {
    var place = start
    while let backslash = text.offset(of: UInt8(ascii: "\\"), from: place, to: end) {
      guard let length = escapeLength(text, backslash), backslash + length <= end else {
        return false
      }
      place = backslash + length
    }
    return true
  }

  @inline(__always)
  private static func escapeLength(_ line: RawSpan, _ place: Int) -> Int? {
    guard place + 1 < line.byteCount else { return nil }
    switch byte(line, place + 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    case UInt8(ascii: "u"):
      guard place + 6 <= line.byteCount else { return nil }
      for offset in 2..<6 where hexadecimalDigit(byte(line, place + offset)) == nil { return nil }
      return 6
    default:
      return nil
    }
  }

  /// An array or object inside a cell: brackets must match, strings must be strings; what stands between is looked at
  /// by `JSONText.isValid` where it matters.
  private static func nested(_ line: RawSpan, _ cell: inout Cell) -> Bool {
    cell.kind = .nested
    let end = JSONText.endOfValue(line, from: cell.start)
    cell.end = end ?? line.byteCount
    return end != nil
  }
}

/// The value of a hexadecimal digit.
func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
  switch byte {
  case 0x30...0x39: UInt32(byte - 0x30)
  case 0x41...0x46: UInt32(byte - 0x41 + 10)
  case 0x61...0x66: UInt32(byte - 0x61 + 10)
  default: nil
  }
}
