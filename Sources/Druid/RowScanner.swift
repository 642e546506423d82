/// Finds the cells of a row: `[1,"two",null]`. Strict: what is no JSON array of values is refused, so that a torn row
/// is never taken for a whole one.
///
/// Strings are looked through eight bytes at a time. (Unsafe inside: unchecked loads, each below `line.byteCount`.)
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
      var cell = Cell(start: place)
      let isGood =
        switch byte(line, place) {
        case UInt8(ascii: "\""): string(line, &cell)
        case UInt8(ascii: "-"), 0x30...0x39: number(line, &cell)
        case UInt8(ascii: "n"): word(line, "null", .null, &cell)
        case UInt8(ascii: "t"): word(line, "true", .boolTrue, &cell)
        case UInt8(ascii: "f"): word(line, "false", .boolFalse, &cell)
        case UInt8(ascii: "["), UInt8(ascii: "{"): nested(line, &cell)
        default: false
        }
      guard isGood else { return .failure(cell.end) }
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

  @inline(__always)
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

  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  /// High bits where a byte of `word` is zero; exact up to the lowest one.
  @inline(__always)
  private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

  @inline(__always)
  private static func string(_ line: RawSpan, _ cell: inout Cell) -> Bool {
    let count = line.byteCount
    var place = cell.start &+ 1
    cell.start = place
    var commas: UInt64 = 0
    var seen: UInt64 = 0
    while place &+ 8 <= count {
      let word = UInt64(
        littleEndian: unsafe line.unsafeLoadUnaligned(
          fromUncheckedByteOffset: place, as: UInt64.self))
      let quotes = zeros(word ^ (ones &* 0x22))
      let backslashes = zeros(word ^ (ones &* 0x5c))
      let controls = (word &- (ones &* 0x20)) & ~word & highs
      let comma = zeros(word ^ (ones &* 0x2c))
      let stop = quotes | backslashes | controls
      if stop == 0 {
        commas |= comma
        seen |= word
        place &+= 8
        continue
      }
      // Only what lies below the lowest stop belongs to the text, and only the lowest stop is exact.
      let below = (stop & (0 &- stop)) &- 1
      commas |= comma & below
      seen |= word & (below >> 7)
      place &+= stop.trailingZeroBitCount >> 3
      break
    }
    cell.hasComma = commas != 0
    cell.isASCII = seen & highs == 0
    return restOfString(line, &cell, from: place)
  }

  /// From the first byte that may need care: usually the closing quote.
  @inline(__always)
  private static func restOfString(_ line: RawSpan, _ cell: inout Cell, from start: Int) -> Bool {
    if start < line.byteCount, byte(line, start) == UInt8(ascii: "\"") {
      cell.kind = .plainText
      cell.end = start
      return true
    }
    return careful(line, &cell, from: start)
  }

  @inline(never)
  private static func careful(_ line: RawSpan, _ cell: inout Cell, from start: Int) -> Bool {
    var place = start
    cell.kind = .plainText
    while place < line.byteCount {
      let next = byte(line, place)
      switch next {
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
        if next == UInt8(ascii: ",") { cell.hasComma = true }
        if next >= 0x80 { cell.isASCII = false }
        place += 1
      }
    }
    cell.end = line.byteCount
    return false
  }

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
    cell.end = JSONText.endOfValue(line, from: cell.start) ?? line.byteCount
    return JSONText.endOfValue(line, from: cell.start) != nil
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
