extension MarkedLines {
  /// Writes rows as csv, or as tsv.
  package mutating func write(
    _ text: RawSpan, from place: inout Int, limit: Int, columns: Int, byTabs: Bool,
    into block: inout ByteBlock
  ) -> Int {
    byTabs
      ? write(text, from: &place, limit: limit, columns: columns, separator: Tab.self, into: &block)
      : write(
        text, from: &place, limit: limit, columns: columns, separator: Comma.self, into: &block)
  }

  /// Writes rows with the separator after each cell but the last.
  private mutating func write<Separator: CellSeparator>(
    _ text: RawSpan, from place: inout Int, limit: Int, columns: Int, separator: Separator.Type,
    into block: inout ByteBlock
  ) -> Int {
    var direct = unsafe DirectSeparated<Separator>(
      isSingle: columns == 1, tail: block.tail(room: MarkedLines.longestLine))
    let rows = unsafe take(text, from: &place, limit: limit, columns: columns, into: &direct)
    unsafe block.take(direct.tail)
    return rows
  }

  /// Writes rows as objects.
  ///
  /// - Parameter keys: the text before each value, in sequence, followed by ``ByteBlock/slack``
  ///   bytes.
  package mutating func write(
    _ text: RawSpan, from place: inout Int, limit: Int, keys: [UInt8], keyEnds: [Int],
    into block: inout ByteBlock
  ) -> Int {
    unsafe keys.withUnsafeBufferPointer { keys in
      unsafe keyEnds.withUnsafeBufferPointer { keyEnds in
        guard let first = keys.baseAddress, let ends = keyEnds.baseAddress else { return 0 }
        let room = max(65536, MarkedLines.longestLine + keys.count)
        var direct = unsafe DirectObjects(
          keys: first, keyEnds: ends, keysCount: keys.count, tail: block.tail(room: room))
        let rows = unsafe take(
          text, from: &place, limit: limit, columns: keyEnds.count, into: &direct)
        unsafe block.take(direct.tail)
        return rows
      }
    }
  }

  /// Lists the cells of a few rows in sequence, with offsets from the beginning of the first row's
  /// line.
  ///
  /// - Parameter cells: its size limits the number of rows.
  mutating func list(
    _ text: RawSpan, from place: inout Int, limit: Int, columns: Int, into cells: inout [Cell]
  ) -> Int {
    unsafe cells.withUnsafeMutableBufferPointer { cells in
      var list = unsafe CellList(cells, columns: columns)
      return unsafe take(text, from: &place, limit: limit, columns: columns, into: &list)
    }
  }
}

/// The separator of a format.
protocol CellSeparator {
  static var byte: UInt8 { get }
}

enum Comma: CellSeparator {
  static var byte: UInt8 { UInt8(ascii: ",") }
}

enum Tab: CellSeparator {
  static var byte: UInt8 { 9 }
}

/// Writes cells as rows of csv or tsv while they are found. A row takes no more bytes than its
/// line.
@unsafe private struct DirectSeparated<Separator: CellSeparator>: CellReceiver {
  private let isSingle: Bool
  private(set) var tail: BlockTail

  init(isSingle: Bool, tail: BlockTail) {
    unsafe self.isSingle = isSingle
    unsafe self.tail = tail
  }

  @inline(__always)
  mutating func beginRow(_ line: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    unsafe tail.beginRow(upTo: length)
  }

  @inline(__always)
  mutating func takeShortText(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    // In JSON a tab is always escaped.
    if Separator.byte == UInt8(ascii: ",") {
      guard unsafe tail.append(freeOfCommas: text, count) else { return false }
    } else {
      unsafe tail.append(short: text, count)
    }
    unsafe tail.append(Separator.byte)
    return true
  }

  @inline(__always)
  mutating func takeShortNumber(_ token: UnsafePointer<UInt8>, _ length: Int, word: UInt64) {
    unsafe tail.append(word, length)
    unsafe tail.append(Separator.byte)
  }

  mutating func take(_ kind: CellKind, _ token: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    switch kind {
    case .plainText where length > 2:
      for offset in 1..<(length - 1) where unsafe token[offset] == Separator.byte { return false }
      unsafe tail.append(token + 1, length &- 2)
    case .plainText, .number, .boolTrue, .boolFalse:
      // The empty text keeps its quotes.
      unsafe tail.append(token, length)
    case .null:
      if unsafe isSingle { return false }
    case .escapedText, .nested:
      return false
    }
    unsafe tail.append(Separator.byte)
    return true
  }

  @inline(__always)
  mutating func endRow() {
    unsafe tail.removeLast()
    unsafe tail.append(10)
    unsafe tail.endRow()
  }
}

/// Writes cells as objects of ndjson while they are found. A row takes no more bytes than its line
/// and all keys.
@unsafe private struct DirectObjects: CellReceiver {
  /// `{"name":`, then `,"name":` for each column, in sequence.
  private let keys: UnsafePointer<UInt8>
  private let keyEnds: UnsafePointer<Int>
  private let keysCount: Int
  private var next = 0
  private var keyStart = 0
  private(set) var tail: BlockTail

  init(keys: UnsafePointer<UInt8>, keyEnds: UnsafePointer<Int>, keysCount: Int, tail: BlockTail) {
    unsafe self.keys = keys
    unsafe self.keyEnds = keyEnds
    unsafe self.keysCount = keysCount
    unsafe self.tail = tail
  }

  @inline(__always)
  mutating func beginRow(_ line: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    unsafe next = 0
    unsafe keyStart = 0
    return unsafe tail.beginRow(upTo: length &+ keysCount)
  }

  @inline(__always)
  mutating func takeShortText(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    unsafe appendKey()
    unsafe tail.append(UInt8(ascii: "\""))
    unsafe tail.append(short: text, count)
    unsafe tail.append(UInt8(ascii: "\""))
    return true
  }

  @inline(__always)
  mutating func takeShortNumber(_ token: UnsafePointer<UInt8>, _ length: Int, word: UInt64) {
    unsafe appendKey()
    unsafe tail.append(word, length)
  }

  mutating func take(_ kind: CellKind, _ token: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    guard kind != .escapedText, kind != .nested else { return false }
    unsafe appendKey()
    unsafe tail.append(token, length)
    return true
  }

  @inline(__always)
  private mutating func appendKey() {
    let keyEnd = unsafe keyEnds[next]
    let count = unsafe keyEnd &- keyStart
    if count <= 32 {
      unsafe tail.append(short: keys + keyStart, count)
    } else {
      unsafe tail.append(keys + keyStart, count)
    }
    unsafe keyStart = keyEnd
    unsafe next &+= 1
  }

  @inline(__always)
  mutating func endRow() {
    unsafe tail.append(UInt8(ascii: "}"))
    unsafe tail.append(10)
    unsafe tail.endRow()
  }
}

/// Collects the cells of a few rows for formatters that inspect them.
@unsafe private struct CellList: CellReceiver {
  private let cells: UnsafeMutableBufferPointer<Cell>
  private let columns: Int
  private var origin: UnsafePointer<UInt8>?
  private var rowStart = 0
  private var next = 0

  /// - Parameter cells: a buffer for the cells of some rows.
  init(_ cells: UnsafeMutableBufferPointer<Cell>, columns: Int) {
    unsafe self.cells = cells
    unsafe self.columns = columns
  }

  @inline(__always)
  mutating func beginRow(_ line: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    if unsafe origin == nil { unsafe origin = line }
    unsafe next = rowStart
    return unsafe rowStart &+ columns <= cells.count
  }

  @inline(__always)
  mutating func takeShortText(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    unsafe append(.plainText, text, count)
    return true
  }

  @inline(__always)
  mutating func takeShortNumber(_ token: UnsafePointer<UInt8>, _ length: Int, word: UInt64) {
    unsafe append(.number, token, length)
  }

  mutating func take(_ kind: CellKind, _ token: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    switch kind {
    case .plainText, .escapedText: unsafe append(kind, token + 1, length - 2)
    case .nested: return false
    default: unsafe append(kind, token, length)
    }
    return true
  }

  @inline(__always)
  private mutating func append(_ kind: CellKind, _ text: UnsafePointer<UInt8>, _ count: Int) {
    guard let origin = unsafe origin else { return }
    let start = unsafe text - origin
    unsafe cells[next] = Cell(start: start, end: start &+ count, kind: kind)
    unsafe next &+= 1
  }

  @inline(__always)
  mutating func endRow() { unsafe rowStart = next }
}
