import Druid

/// Formats csv and tsv after RFC 4180, with LF line ends: NULL is an empty cell and the empty text
/// is `""`.
///
/// A row with NULL as its only cell is also `""`, as Druid writes it. Most readers skip an empty
/// line, and here an empty line separates two answers.
struct SeparatedFormatter: RowWriter {
  private let separator: UInt8
  private let options: FormatOptions
  private let nullText: [UInt8]
  private let hasNullText: Bool
  private let hasPlainNumbers: Bool
  private var columnCount = 0
  private var isSingle: Bool { columnCount == 1 }

  init(separator: UInt8, options: FormatOptions) {
    self.separator = separator
    self.options = options
    hasNullText = !(options.nullText ?? "").isEmpty
    hasPlainNumbers = options.hasPlainNumbers
    nullText = Array((options.nullText ?? "").utf8)
  }

  mutating func begin(_ columns: [Column], into block: inout ByteBlock) {
    columnCount = columns.count
    if options.follows { block.append("\n") }
    if options.hasHeader { appendLine(columns.map(\.name), into: &block) }
    if options.hasTypes { appendLine(columns.map(\.sqlType), into: &block) }
  }

  private func appendLine(_ texts: [String], into block: inout ByteBlock) {
    for (index, text) in texts.enumerated() {
      if index > 0 { block.append(separator) }
      append(text: Array(text.utf8).rawSpan, into: &block)
    }
    block.append("\n")
  }

  func rows(
    _ lines: inout MarkedLines, of text: RawSpan, from place: inout Int, limit: Int,
    into block: inout ByteBlock
  ) -> Int {
    guard !hasNullText, !hasPlainNumbers else { return 0 }
    return lines.write(
      text, from: &place, limit: limit, columns: columnCount, byTabs: separator == 9, into: &block)
  }

  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    if line.byteCount > CellPieces.longRow { return longRow(line, cells, into: &block) }
    for index in cells.indices {
      let cell = cells[index]
      if index == 0 {
        append(line, cell, into: &block)
      } else if goesAsItIs(line, cell) {
        block.append(separator, then: line, from: cell.start, to: cell.end)
      } else {
        block.append(separator)
        appendOther(line, cell, into: &block)
      }
    }
    block.append(UInt8(ascii: "\n"))
  }

  /// Whether the output has the same bytes as the token.
  @inline(__always)
  private func goesAsItIs(_ line: RawSpan, _ cell: Cell) -> Bool {
    if cell.kind == .plainText {
      return cell.start < cell.end && !hasNullText
        && line.offset(of: separator, from: cell.start, to: cell.end) == nil
    }
    return cell.kind == .number && !hasPlainNumbers
  }

  @inline(__always)
  private func append(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) {
    if goesAsItIs(line, cell) {
      block.append(line, from: cell.start, to: cell.end)
    } else {
      appendOther(line, cell, into: &block)
    }
  }

  private func appendOther(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) {
    switch cell.kind {
    case .null:
      if isSingle, nullText.isEmpty { block.append("\"\"") }
      block.append(nullText)
    case .number where hasPlainNumbers:
      PlainNumber.append(line, cell, into: &block)
    case .number, .boolTrue, .boolFalse:
      block.append(line, from: cell.start, to: cell.end)
    case .plainText, .nested:
      append(text: line.extracting(cell.start..<cell.end), into: &block)
    case .escapedText:
      var text = ByteBlock(capacity: cell.end - cell.start)
      JSONText.decode(line, from: cell.start, to: cell.end, into: &text)
      append(text: text.bytes, into: &block)
    }
  }

  /// Appends a text, quoted when a reader would misread it otherwise.
  private func append(text: RawSpan, into block: inout ByteBlock) {
    guard text.byteCount == 0 || isNullText(text) || needsQuotes(text) else {
      return block.append(text)
    }
    block.append(UInt8(ascii: "\""))
    appendQuoted(text, into: &block)
    block.append(UInt8(ascii: "\""))
  }

  /// Appends the content of a quoted text: each quote is doubled.
  private func appendQuoted(_ text: RawSpan, into block: inout ByteBlock) {
    var place = 0
    while let quote = text.offset(of: UInt8(ascii: "\""), from: place, to: text.byteCount) {
      block.append(text, from: place, to: quote + 1)
      block.append(UInt8(ascii: "\""))
      place = quote + 1
    }
    block.append(text, from: place, to: text.byteCount)
  }

  private func needsQuotes(_ text: RawSpan) -> Bool {
    for place in 0..<text.byteCount {
      let byte = text.byte(at: place)
      if byte == separator || byte == UInt8(ascii: "\"") || byte == 10 || byte == 13 { return true }
    }
    return false
  }

  private func isNullText(_ text: RawSpan) -> Bool {
    guard text.byteCount == nullText.count else { return false }
    for place in nullText.indices where text.byte(at: place) != nullText[place] { return false }
    return true
  }

  // MARK: Rows that are longer than a block

  @inline(never)
  private func longRow(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    for index in cells.indices {
      if index > 0 { block.append(separator) }
      if cells[index].isLong {
        appendLong(line, cells[index], into: &block)
      } else {
        append(line, cells[index], into: &block)
        block.relieve()
      }
    }
    block.append(UInt8(ascii: "\n"))
  }

  /// Checks first whether quotes are needed, then goes through the text again.
  private func appendLong(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) {
    var piece = ByteBlock(capacity: CellPieces.size + 16)
    var search = CellPieces(cell)
    var isQuoted = false
    while !isQuoted, search.next(of: line, into: &piece) { isQuoted = needsQuotes(piece.bytes) }
    if isQuoted { block.append(UInt8(ascii: "\"")) }
    var pieces = CellPieces(cell)
    while pieces.next(of: line, into: &piece) {
      if isQuoted { appendQuoted(piece.bytes, into: &block) } else { block.append(piece.bytes) }
      block.relieve()
    }
    if isQuoted { block.append(UInt8(ascii: "\"")) }
  }

  mutating func end(isWhole: Bool, into block: inout ByteBlock) {}
}
