/// csv and tsv after RFC 4180, with LF line ends: NULL is an empty cell and the empty text `""`.
///
/// A row whose only cell is NULL is `""` too, as Druid writes it: an empty line would be skipped by most readers, and
/// here it separates two answers.
struct SeparatedFormatter: RowFormatter {
  private let separator: UInt8
  private let options: FormatOptions
  private let nullText: [UInt8]
  private let hasNullText: Bool
  private let hasPlainNumbers: Bool
  private var isSingle = false

  init(separator: UInt8, options: FormatOptions) {
    self.separator = separator
    self.options = options
    hasNullText = !(options.nullText ?? "").isEmpty
    hasPlainNumbers = options.hasPlainNumbers
    nullText = Array((options.nullText ?? "").utf8)
  }

  mutating func begin(_ columns: [Column], into block: inout ByteBlock) {
    isSingle = columns.count == 1
    if options.follows { block.append("\n") }
    if options.hasHeader { appendLine(columns.map(\.name), into: &block) }
    if options.hasTypes { appendLine(columns.map(\.sqlType), into: &block) }
  }

  private func appendLine(_ texts: [String], into block: inout ByteBlock) {
    for (index, text) in texts.enumerated() {
      if index > 0 { block.append(separator) }
      let start = block.count
      block.append(text)
      quoteIfNeeded(from: start, in: &block)
    }
    block.append("\n")
  }

  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    var isFirst = true
    for index in cells.indices {
      let cell = cells[index]
      if !isFirst { block.append(separator) }
      isFirst = false
      if cell.kind == .plainText, cell.start < cell.end, !hasNullText,
        !cell.hasComma || separator != UInt8(ascii: ",")
      {
        block.append(line, from: cell.start, to: cell.end)
      } else if cell.kind == .number, !hasPlainNumbers {
        block.append(line, from: cell.start, to: cell.end)
      } else {
        appendOther(line, cell, into: &block)
      }
    }
    block.append(UInt8(ascii: "\n"))
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
      let start = block.count
      block.append(line, from: cell.start, to: cell.end)
      quoteIfNeeded(from: start, in: &block)
    case .escapedText:
      let start = block.count
      JSONText.decode(line, from: cell.start, to: cell.end, into: &block)
      quoteIfNeeded(from: start, in: &block)
    }
  }

  /// Puts the text that was appended last into quotes when a reader would take it for something else.
  private func quoteIfNeeded(from start: Int, in block: inout ByteBlock) {
    guard needsQuotes(from: start, in: block) else { return }
    var copy = ByteBlock(capacity: block.count - start)
    copy.append(block.bytes, from: start, to: block.count)
    block.truncate(to: start)
    block.append(UInt8(ascii: "\""))
    for place in 0..<copy.count {
      let byte = copy.byte(at: place)
      if byte == UInt8(ascii: "\"") { block.append(byte) }
      block.append(byte)
    }
    block.append(UInt8(ascii: "\""))
  }

  private func needsQuotes(from start: Int, in block: borrowing ByteBlock) -> Bool {
    if block.count == start || isNullText(from: start, in: block) { return true }
    for place in start..<block.count {
      let byte = block.byte(at: place)
      if byte == separator || byte == UInt8(ascii: "\"") || byte == 10 || byte == 13 { return true }
    }
    return false
  }

  private func isNullText(from start: Int, in block: borrowing ByteBlock) -> Bool {
    guard block.count - start == nullText.count else { return false }
    for place in nullText.indices where block.byte(at: start + place) != nullText[place] {
      return false
    }
    return true
  }

  mutating func end(isWhole: Bool, into block: inout ByteBlock) {}
}
