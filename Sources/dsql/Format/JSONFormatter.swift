import Druid

/// Formats ndjson (an object per line) and json (an array of objects, left open when the answer was
/// cut).
///
/// Every value is the token that Druid sent, except that escaped characters are decoded and that
/// the JSON text in an ARRAY or COMPLEX<json> cell becomes JSON. A repeated name gets a number:
/// `c`, `c_2`.
struct JSONFormatter: RowWriter {
  private let isArray: Bool
  private let hasPlainNumbers: Bool
  /// `{"name":`, then `,"name":` for each column, in sequence, followed by spare bytes.
  private var keys: [UInt8] = []
  private var keyEnds: [Int] = []
  /// For each column, whether it holds JSON text.
  private var holdsJSON: [Bool] = []
  private var isDirect = false
  private var hasRows = false

  init(isArray: Bool, options: FormatOptions) {
    self.isArray = isArray
    hasPlainNumbers = options.hasPlainNumbers
  }

  mutating func begin(_ columns: [Column], into block: inout ByteBlock) {
    var key = ByteBlock(capacity: 256)
    for (index, name) in distinctNames(columns.map(\.name)).enumerated() {
      key.append(index == 0 ? "{" : ",")
      JSONText.encode(Array(name.utf8).rawSpan, into: &key)
      key.append(":")
      keyEnds.append(key.count)
    }
    holdsJSON = columns.map(\.holdsJSON)
    isDirect = !isArray && !hasPlainNumbers && !holdsJSON.contains(true)
    keys = key.array + Array(repeating: 0, count: ByteBlock.slack)
  }

  func rows(
    _ lines: inout MarkedLines, of text: RawSpan, from place: inout Int, limit: Int,
    into block: inout ByteBlock
  ) -> Int {
    guard isDirect else { return 0 }
    return lines.write(
      text, from: &place, limit: limit, keys: keys, keyEnds: keyEnds, into: &block)
  }

  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    if isArray { block.append(hasRows ? ",\n" : "[\n") }
    hasRows = true
    if line.byteCount > CellPieces.longRow { return longRow(line, cells, into: &block) }
    let keys = keys.rawSpan
    let ends = keyEnds.span
    let holdsJSON = holdsJSON.span
    var start = 0
    for index in cells.indices {
      block.append(keys, from: start, to: ends[index])
      start = ends[index]
      append(line, cells[index], holdsJSON: holdsJSON[index], into: &block)
    }
    appendEnd(into: &block)
  }

  private func appendEnd(into block: inout ByteBlock) {
    block.append(UInt8(ascii: "}"))
    if !isArray { block.append(UInt8(ascii: "\n")) }
  }

  @inline(__always)
  private func append(
    _ line: RawSpan, _ cell: Cell, holdsJSON: Bool, into block: inout ByteBlock
  ) {
    if cell.kind == .plainText, !holdsJSON {
      block.append(line, from: cell.start - 1, to: cell.end + 1)
    } else if cell.kind == .number, !hasPlainNumbers {
      block.append(line, from: cell.start, to: cell.end)
    } else {
      appendOther(line, cell, holdsJSON: holdsJSON, into: &block)
    }
  }

  private func appendOther(
    _ line: RawSpan, _ cell: Cell, holdsJSON: Bool, into block: inout ByteBlock
  ) {
    switch cell.kind {
    case .number where hasPlainNumbers: PlainNumber.append(line, cell, into: &block)
    case .null, .boolTrue, .boolFalse, .number, .nested:
      block.append(line, from: cell.start, to: cell.end)
    case .plainText, .escapedText:
      var text = ByteBlock(capacity: cell.end - cell.start)
      JSONText.decode(line, from: cell.start, to: cell.end, into: &text)
      if holdsJSON, JSONText.isValid(text.bytes) {
        appendJSON(text.bytes, into: &block)
      } else {
        JSONText.encode(text.bytes, into: &block)
      }
    }
  }

  /// White space between values may be a newline; strings can't contain one.
  private func appendJSON(_ text: RawSpan, into block: inout ByteBlock) {
    for place in 0..<text.byteCount { block.append(max(32, text.byte(at: place))) }
  }

  // MARK: Rows that are longer than a block

  @inline(never)
  private func longRow(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    var start = 0
    for index in cells.indices {
      block.append(keys.rawSpan, from: start, to: keyEnds[index])
      start = keyEnds[index]
      let holdsJSON = holdsJSON[index]
      if cells[index].isLong {
        appendLong(line, cells[index], holdsJSON: holdsJSON, into: &block)
      } else {
        append(line, cells[index], holdsJSON: holdsJSON, into: &block)
        block.relieve()
      }
    }
    appendEnd(into: &block)
  }

  private func appendLong(
    _ line: RawSpan, _ cell: Cell, holdsJSON: Bool, into block: inout ByteBlock
  ) {
    var piece = ByteBlock(capacity: CellPieces.size + 16)
    let isJSON = holdsJSON && cell.isText && isValidJSON(line, cell)
    if cell.isText, !isJSON { block.append(UInt8(ascii: "\"")) }
    var pieces = CellPieces(cell)
    while pieces.next(of: line, into: &piece) {
      if isJSON {
        appendJSON(piece.bytes, into: &block)
      } else if cell.kind == .escapedText {
        JSONText.encodeInside(piece.bytes, into: &block)
      } else {
        block.append(piece.bytes)
      }
      block.relieve()
    }
    if cell.isText, !isJSON { block.append(UInt8(ascii: "\"")) }
  }

  /// Validates a long text as JSON, which takes all of its decoded text.
  private func isValidJSON(_ line: RawSpan, _ cell: Cell) -> Bool {
    if cell.kind == .plainText { return JSONText.isValid(line.extracting(cell.start..<cell.end)) }
    var text = ByteBlock(capacity: cell.end - cell.start)
    JSONText.decode(line, from: cell.start, to: cell.end, into: &text)
    return JSONText.isValid(text.bytes)
  }

  mutating func end(isWhole: Bool, into block: inout ByteBlock) {
    guard isArray else { return }
    if !hasRows { block.append("[") }
    if isWhole { block.append(hasRows ? "\n]" : "]") }
    block.append("\n")
  }
}

/// The keys for column names: the second `c` becomes `c_2`, or the next free number.
///
/// Names are compared byte by byte, because a String treats é and e with a combining accent as
/// equal.
func distinctNames(_ names: [String]) -> [String] {
  let all = Set(names.map { Array($0.utf8) })
  var taken = Set<[UInt8]>()
  var numbers: [[UInt8]: Int] = [:]
  return names.map { name in
    let bytes = Array(name.utf8)
    var candidate = bytes
    var number = numbers[bytes] ?? 2
    while taken.contains(candidate) || (candidate != bytes && all.contains(candidate)) {
      candidate = Array("\(name)_\(number)".utf8)
      number += 1
    }
    numbers[bytes] = number
    taken.insert(candidate)
    return String(decoding: candidate, as: UTF8.self)
  }
}
