import Druid

/// Formats aligned columns. Widths come from the first rows: 1,000 rows, or those that arrive
/// within a moment on a terminal. A wider cell later, or one wider than any screen, shifts the rest
/// of its line. Rows, columns and cells are never cut: a table that does not fit its terminal is
/// shown vertically, a line for each cell.
struct TableFormatter: RowWriter {
  private enum Shape { case undecided, aligned, vertical }

  /// The maximum number of rows and bytes that are held back to determine the widths.
  private static let heldRows = 1000
  private static let heldBytes = 2 << 20
  /// The maximum width of a column.
  private static let widestColumn = 1000

  private let options: FormatOptions
  private let display: DisplayText
  private let hasPlainNumbers: Bool
  private var columns: [Column] = []
  /// For each column, whether it is right-aligned.
  private var isRight: [Bool] = []
  private var shape: Shape
  private var widths: [Int] = []
  /// The names in the vertical form, and the width of the widest.
  private var names: [(text: [UInt8], width: Int)] = []
  private var nameWidth = 0
  /// The texts of held cells in sequence, and the end and the width of each.
  private var heldText: [UInt8] = []
  private var heldEnds: [Int] = []
  private var heldWidths: [Int] = []
  private var shownRows = 0
  private var hasHeading = false

  init(options: FormatOptions) {
    self.options = options
    hasPlainNumbers = options.hasPlainNumbers
    display = DisplayText(options: options)
    shape = options.format == .vertical ? .vertical : .undecided
  }

  mutating func begin(_ columns: [Column], into block: inout ByteBlock) {
    self.columns = columns
    isRight = columns.map(\.isNumeric)
    widths = columns.map {
      max(headerWidth($0.name), options.hasTypes ? headerWidth($0.sqlType) : 0)
    }
    names = columns.map {
      var text = ByteBlock(capacity: 64)
      let width = EscapedText.append(verticalName($0), into: &text)
      return (text.array, width)
    }
    nameWidth = names.map(\.width).max() ?? 0
  }

  private func headerWidth(_ text: String) -> Int {
    guard options.hasHeader else { return 0 }
    var scratch = ByteBlock(capacity: 64)
    return EscapedText.append(text, into: &scratch)
  }

  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    switch shape {
    case .aligned: appendAligned(line, cells, into: &block)
    case .vertical: appendVertical(line, cells, into: &block)
    case .undecided: hold(line, cells, into: &block)
    }
  }

  private mutating func hold(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    if line.byteCount > CellPieces.longRow {
      for index in cells.indices {
        widths[index] = max(widths[index], width(line, cells[index]))
      }
      settle(into: &block, hasRows: true)
      return row(line, cells, into: &block)
    }
    var text = ByteBlock(capacity: line.byteCount + 64)
    for index in cells.indices {
      let width = display.append(line, cells[index], into: &text)
      heldEnds.append(heldText.count + text.count)
      heldWidths.append(width)
      widths[index] = max(widths[index], width)
    }
    heldText += text.array
    if heldEnds.count >= Self.heldRows * columns.count || heldText.count >= Self.heldBytes {
      settle(into: &block)
    }
  }

  /// The width of a cell; more than any column's width for a cell in pieces.
  private func width(_ line: RawSpan, _ cell: Cell) -> Int {
    guard !cell.isLong else { return Self.widestColumn + 1 }
    var scratch = ByteBlock(capacity: 64)
    return display.append(line, cell, into: &scratch)
  }

  mutating func settle(into block: inout ByteBlock) {
    settle(into: &block, hasRows: !heldEnds.isEmpty)
  }

  private mutating func settle(into block: inout ByteBlock, hasRows: Bool) {
    guard shape == .undecided else { return }
    let total = widths.reduce(0, +) + 3 * (columns.count - 1)
    if let limit = options.terminalWidth, total > limit, hasRows {
      shape = .vertical
    } else {
      shape = .aligned
    }
    widths = widths.map { min($0, Self.widestColumn) }
    appendHeading(into: &block)
    if shape == .aligned, options.hasHeader { appendHeader(into: &block) }
    appendHeld(into: &block)
  }

  private mutating func appendHeading(into block: inout ByteBlock) {
    guard !hasHeading else { return }
    hasHeading = true
    if options.follows { block.append("\n") }
    guard let heading = options.heading else { return }
    _ = EscapedText.append(heading, into: &block)
    block.append("\n")
  }

  private func appendHeader(into block: inout ByteBlock) {
    appendHeaderLine(columns.map(\.name), into: &block)
    if options.hasTypes { appendHeaderLine(columns.map(\.sqlType), into: &block) }
    for index in columns.indices {
      if index > 0 { block.append("-+-") }
      block.append(repeating: UInt8(ascii: "-"), count: widths[index])
    }
    block.append("\n")
  }

  private func appendHeaderLine(_ texts: [String], into block: inout ByteBlock) {
    for index in texts.indices {
      if index > 0 { block.append(" | ") }
      var text = ByteBlock(capacity: 64)
      let width = EscapedText.append(texts[index], into: &text)
      append(text.bytes, width: width, at: index, into: &block)
    }
    block.append("\n")
  }

  private mutating func appendHeld(into block: inout ByteBlock) {
    let held = heldText
    let text = held.rawSpan
    let ends = heldEnds
    let cellWidths = heldWidths
    heldText = []
    heldEnds = []
    heldWidths = []
    var start = 0
    for place in ends.indices {
      let index = place % columns.count
      if index == 0 { appendRowStart(into: &block) }
      if shape == .vertical { appendVerticalName(index, into: &block) }
      if shape == .aligned, index > 0 { block.append(" | ") }
      let cell = text.extracting(start..<ends[place])
      if shape == .vertical {
        block.append(cell)
        block.append("\n")
      } else {
        append(cell, width: cellWidths[place], at: index, into: &block)
        if index == columns.count - 1 { block.append("\n") }
      }
      start = ends[place]
    }
  }

  /// Appends a cell, padded to its column's width; the last cell needs no padding after it.
  private func append(_ cell: RawSpan, width: Int, at index: Int, into block: inout ByteBlock) {
    let missing = widths[index] - width
    if isRight[index] {
      block.append(repeating: 32, count: missing)
      block.append(cell)
    } else {
      block.append(cell)
      if index < columns.count - 1 { block.append(repeating: 32, count: missing) }
    }
  }

  private func appendAligned(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    if line.byteCount > CellPieces.longRow { return appendLongRow(line, cells, into: &block) }
    let last = cells.count &- 1
    let widths = widths.span
    let isRight = isRight.span
    for index in cells.indices {
      let cell = cells[index]
      if display.isPlain(line, cell) {
        let missing = widths[index] &- (cell.end &- cell.start)
        let (before, after) = isRight[index] ? (missing, 0) : (0, index < last ? missing : 0)
        block.append(
          column: line, from: cell.start, to: cell.end, before: before, after: after,
          isFirst: index == 0)
        continue
      }
      if index > 0 { block.append(" | ") }
      if isRight[index] {
        var text = ByteBlock(capacity: 64)
        let width = display.append(line, cell, into: &text)
        block.append(repeating: 32, count: widths[index] - width)
        block.append(text.bytes)
      } else {
        let width = display.append(line, cell, into: &block)
        if index < last { block.append(repeating: 32, count: widths[index] &- width) }
      }
    }
    block.append(UInt8(ascii: "\n"))
  }

  /// Appends a row with long cells, which most likely exceed their columns; padding follows them.
  @inline(never)
  private func appendLongRow(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    for index in cells.indices {
      if index > 0 { block.append(" | ") }
      if cells[index].isLong {
        let width = display.appendPieces(line, cells[index], into: &block)
        if index < cells.count - 1 { block.append(repeating: 32, count: widths[index] - width) }
      } else {
        var text = ByteBlock(capacity: 64)
        let width = display.append(line, cells[index], into: &text)
        append(text.bytes, width: width, at: index, into: &block)
        block.relieve()
      }
    }
    block.append(UInt8(ascii: "\n"))
  }

  private mutating func appendRowStart(into block: inout ByteBlock) {
    shownRows += 1
    if options.format == .vertical { appendHeading(into: &block) }
    if shape == .vertical { block.append("-[ row \(shownRows) ]-\n") }
  }

  /// Appends `name (TYPE) | `, with names padded to equal width.
  private func appendVerticalName(_ index: Int, into block: inout ByteBlock) {
    guard options.hasHeader else { return }
    let name = names[index]
    block.append(name.text.rawSpan)
    block.append(repeating: 32, count: nameWidth - name.width)
    block.append(" | ")
  }

  private func verticalName(_ column: Column) -> String {
    options.hasTypes ? "\(column.name) (\(column.sqlType))" : column.name
  }

  private mutating func appendVertical(
    _ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock
  ) {
    appendRowStart(into: &block)
    for index in cells.indices {
      appendVerticalName(index, into: &block)
      if cells[index].isLong {
        _ = display.appendPieces(line, cells[index], into: &block)
      } else {
        _ = display.append(line, cells[index], into: &block)
        block.relieve()
      }
      block.append(UInt8(ascii: "\n"))
    }
  }

  mutating func end(isWhole: Bool, into block: inout ByteBlock) {
    settle(into: &block)
    if options.heading != nil { appendHeading(into: &block) }
  }
}
