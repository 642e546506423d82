import Plumbing

/// An answer that is not a valid `arrayLines` answer with three header lines.
struct MalformedAnswer: Error, Equatable, Sendable {
  /// The line of the answer, counted from 1; rows start at line 4.
  let line: Int
  /// The offset in that line, in bytes.
  let offset: Int
  let reason: String
  /// Whether the row exceeds our own length limit.
  var isOverLimit = false
  /// Whether the answer continues after the requested rows.
  var isOverRowLimit = false
}

/// Reads an `arrayLines` answer, in pieces of any size, into a formatter.
///
/// Only the grammar shows whether an answer was cut: three header lines, a line for each row, an
/// empty line, then nothing. A server that fails half-way still ends its body normally; only the
/// empty line is missing. No proper prefix of a row is itself a row, so the last line of a cut
/// answer is a row if and only if it parses as one.
struct AnswerReader: ~Copyable {
  /// More bytes than the names of all columns need.
  private static let maximumHeaderLength = 16 << 20

  /// The bytes after the last newline.
  private var carry = ByteBlock(capacity: 4096)
  private var lines: AnswerLines
  /// - Parameters:
  ///   - limits: the longest row, the most rows, and whether to track times.
  ///   - overflow: receives the text of a row that is too long to be held twice.
  init(
    formatter: any RowFormatter, limits: AnswerLimits = AnswerLimits(), overflow: Overflow? = nil
  ) {
    lines = AnswerLines(formatter: formatter, limits: limits, overflow: overflow)
  }

  var rowCount: Int { lines.rowCount }
  var columns: [Column] { lines.columns }
  /// Whether there are rows beyond the limit; they are read and dropped.
  var hasMore: Bool { lines.surplus > 0 }
  var repairedLines: Int { lines.repairedLines }
  /// The newest `__time` of the rows, if it is tracked.
  var newestTime: String? { lines.newestTime.text }
  /// Whether the complete answer was read, including its end mark.
  var isWhole: Bool { lines.state == .ended && carry.count == 0 }

  /// The number of formatted bytes that are not drained yet.
  var outputCount: Int { lines.output.count }

  /// Writes the formatted bytes to the output.
  mutating func drain(to output: any AnswerOutput) throws(SystemFailure) {
    try lines.drain(to: output)
  }

  /// Reads the next piece.
  mutating func take(_ chunk: RawSpan) throws(MalformedAnswer) {
    var place = 0
    if carry.count > 0 {
      guard let newline = chunk.offsetOfNewline(from: 0) else { return try keep(chunk, from: 0) }
      carry.append(chunk, from: 0, to: newline)
      try lines.take(carry)
      carry.removeAll()
      place = newline + 1
    }
    if let last = chunk.offsetOfLastNewline(from: place, to: chunk.byteCount) {
      try lines.take(linesOf: chunk, from: place, to: last + 1)
      place = last + 1
    }
    try keep(chunk, from: place)
  }

  private mutating func keep(_ chunk: RawSpan, from start: Int) throws(MalformedAnswer) {
    guard start < chunk.byteCount else { return }
    carry.append(chunk, from: start, to: chunk.byteCount)
    if lines.state == .ended { throw lines.failure(0, "data follows the end of the answer") }
    // A row must begin with a bracket, so that a page of HTML is not collected to its end.
    guard carry.bytes.byte(at: 0) == UInt8(ascii: "[") else {
      throw lines.failure(0, "expected '['")
    }
    if lines.state != .rows, carry.count > Self.maximumHeaderLength {
      throw lines.failure(0, "the line has more than \(Self.maximumHeaderLength) bytes")
    }
    do throws(MalformedAnswer) {
      try lines.checkLength(carry.count)
    } catch {
      carry.removeAll()
      throw error
    }
  }

  /// Ends the body: writes the rest, and returns whether the answer is complete.
  mutating func finish(isWhole bodyIsWhole: Bool) -> Bool {
    if carry.count > 0, lines.state == .rows {
      // A last line without a newline is a row if it parses as one.
      try? lines.take(carry)
      carry.removeAll()
    }
    let isWhole = bodyIsWhole && self.isWhole
    lines.end(isWhole: isWhole)
    return isWhole
  }

  /// Lets the formatter write what it holds back.
  mutating func settle() { lines.settle() }
}

/// Reads the lines of an answer one by one.
struct AnswerLines: ~Copyable {
  enum State: Equatable { case names, nativeTypes, sqlTypes, rows, ended }

  private(set) var state = State.names
  private(set) var rowCount = 0
  private(set) var columns: [Column] = []
  private(set) var output = ByteBlock()
  /// The number of rows beyond ``rowLimit``.
  private(set) var surplus = 0
  private(set) var newestTime = NewestTime()
  private(set) var repairedLines = 0
  private let formatter: any RowFormatter
  private let maximumRowLength: Int
  private let rowLimit: Int
  private let tracksTime: Bool
  /// The index of the column `__time`, if it is tracked.
  private var timeColumn: Int?
  private var marked = MarkedLines()
  private var cells: [Cell] = []
  /// The cells of a few rows.
  private var listed: [Cell] = []
  private var names: [String] = []
  private var nativeTypes: [String] = []

  init(formatter: any RowFormatter, limits: AnswerLimits, overflow: Overflow?) {
    self.formatter = formatter
    maximumRowLength = limits.maximumRowLength
    rowLimit = limits.rowLimit ?? .max
    tracksTime = limits.tracksTime
    output.overflow = overflow
  }

  func failure(_ offset: Int, _ reason: String) -> MalformedAnswer {
    let line =
      switch state {
      case .names: 1
      case .nativeTypes: 2
      case .sqlTypes: 3
      case .rows, .ended: rowCount + 4
      }
    return MalformedAnswer(line: line, offset: offset, reason: reason)
  }

  @inline(__always)
  func checkLength(_ count: Int) throws(MalformedAnswer) {
    guard count > maximumRowLength, state == .rows else { return }
    var failure = failure(count, "the next row has more than \(maximumRowLength) bytes")
    failure.isOverLimit = true
    throw failure
  }

  mutating func take(_ line: borrowing ByteBlock) throws(MalformedAnswer) {
    try take(line.bytes, padded: line.bytes)
  }

  /// Reads whole lines, from `start` to the newline before `end`.
  mutating func take(linesOf chunk: RawSpan, from start: Int, to end: Int) throws(MalformedAnswer) {
    defer { marked.leave() }
    var place = start
    while place < end {
      if state == .rows, takeMarked(chunk, &place, limit: end) { continue }
      let newline = chunk.offsetOfNewline(from: place) ?? end
      let behind = min(newline + ByteBlock.slack, chunk.byteCount)
      try take(chunk.extracting(place..<newline), padded: chunk.extracting(place..<behind))
      place = newline + 1
    }
  }

  /// Reads rows with the help of simdjson's marks; false when the next line must be read byte by
  /// byte.
  private mutating func takeMarked(_ chunk: RawSpan, _ place: inout Int, limit: Int) -> Bool {
    // A window holds fewer rows than bytes. Near the row limit, rows are counted one by one.
    guard maximumRowLength >= MarkedLines.longestLine,
      rowLimit - rowCount > MarkedLines.longestLine
    else { return false }
    if timeColumn != nil { return takeListed(chunk, &place, limit: limit) }
    let rows = formatter.rows(&marked, of: chunk, from: &place, limit: limit, into: &output)
    rowCount &+= rows
    output.relieve()
    if rows > 0 { return true }
    return takeListed(chunk, &place, limit: limit)
  }

  /// Reads a few rows whose cells the formatter must inspect.
  private mutating func takeListed(_ chunk: RawSpan, _ place: inout Int, limit: Int) -> Bool {
    let count = columns.count
    let start = place
    let rows = marked.list(chunk, from: &place, limit: limit, columns: count, into: &listed)
    let lines = chunk.extracting(start..<min(place + ByteBlock.slack, chunk.byteCount))
    for row in 0..<rows {
      let range = row &* count..<(row &+ 1) &* count
      if let timeColumn { newestTime.take(lines, listed[range.lowerBound + timeColumn]) }
      formatter.row(lines, listed, range, into: &output)
      output.relieve()
    }
    rowCount += rows
    return rows > 0
  }

  /// Reads a line that simdjson did not mark, and so did not validate as UTF-8. Invalid bytes
  /// become U+FFFD, because the formats can't represent them.
  private mutating func take(_ line: RawSpan, padded: RawSpan) throws(MalformedAnswer) {
    if line.isUTF8 { return try takeText(line, padded: padded) }
    repairedLines += 1
    var repaired = ByteBlock(capacity: line.byteCount + 64)
    repaired.append(line.text(from: 0, to: line.byteCount))
    try takeText(repaired.bytes, padded: repaired.bytes)
  }

  /// - Parameter padded: the line, and the bytes of the chunk that follow it, so that its cells can
  ///   be copied quickly.
  private mutating func takeText(_ line: RawSpan, padded: RawSpan) throws(MalformedAnswer) {
    guard state == .rows, line.byteCount > 0 else { return try takeOther(line) }
    try checkLength(line.byteCount)
    switch AnswerLines.scan(line, into: &cells) {
    case .row(let count) where count == columns.count: break
    case .row(let count):
      throw failure(0, "the row has \(count) cells for \(columns.count) columns")
    case .failure(let offset):
      throw failure(offset, "this is not a row of \(columns.count) JSON values")
    }
    guard rowCount < rowLimit else { return try drop() }
    if let timeColumn { newestTime.take(padded, cells[timeColumn]) }
    formatter.row(padded, cells, cells.indices, into: &output)
    rowCount &+= 1
    output.relieve()
  }

  /// Skips a row beyond the limit. The first is expected, because the request is for one row more
  /// than the limit. A second row means that the limit was not applied, and the rest is not worth
  /// its transfer.
  private mutating func drop() throws(MalformedAnswer) {
    surplus += 1
    guard surplus > 1 else { return }
    var failure = failure(0, "more rows than requested")
    failure.isOverRowLimit = true
    throw failure
  }

  private static func scan(_ line: RawSpan, into cells: inout [Cell]) -> RowScanner.Result {
    var span = cells.mutableSpan
    return RowScanner.scan(line, into: &span)
  }

  private mutating func takeOther(_ line: RawSpan) throws(MalformedAnswer) {
    switch state {
    case .names:
      names = try texts(line)
      state = .nativeTypes
    case .nativeTypes:
      nativeTypes = try texts(line)
      state = .sqlTypes
    case .sqlTypes:
      let sqlTypes = try texts(line)
      guard nativeTypes.count == names.count, sqlTypes.count == names.count else {
        throw failure(0, "the header lines do not have the same number of cells")
      }
      columns = names.indices.map {
        Column(name: names[$0], nativeType: nativeTypes[$0], sqlType: sqlTypes[$0])
      }
      let cell = Cell(start: 0, end: 0, kind: .null)
      cells = Array(repeating: cell, count: columns.count)
      listed = Array(repeating: cell, count: 16 * columns.count)
      if tracksTime { timeColumn = columns.firstIndex { $0.name == "__time" } }
      formatter.begin(columns, into: &output)
      state = .rows
    case .rows:
      state = .ended
    case .ended:
      throw failure(0, "data follows the end of the answer")
    }
  }

  private mutating func texts(_ line: RawSpan) throws(MalformedAnswer) -> [String] {
    // A cell takes at least two bytes.
    cells = Array(repeating: Cell(start: 0, end: 0, kind: .null), count: line.byteCount / 2 + 1)
    guard case .row(let count) = AnswerLines.scan(line, into: &cells), count > 0 else {
      throw failure(0, "this is not a header line")
    }
    var result: [String] = []
    for cell in cells[..<count] {
      guard cell.isText || cell.kind == .null else {
        throw failure(cell.start, "a header line must hold names or types")
      }
      result.append(cell.kind == .null ? "" : JSONText.text(line, cell))
    }
    return result
  }

  mutating func drain(to receiver: any AnswerOutput) throws(SystemFailure) {
    guard output.count > 0 else { return }
    // The receiver keeps what it can't write at once.
    defer { output.removeAll() }
    try output.send(to: receiver)
  }

  mutating func end(isWhole: Bool) {
    // An answer that ends before its header lines has nothing to show.
    guard state == .rows || state == .ended else { return }
    formatter.end(isWhole: isWhole, into: &output)
  }

  mutating func settle() {
    guard state == .rows else { return }
    formatter.settle(into: &output)
  }
}

extension ByteBlock {
  fileprivate borrowing func send(to receiver: any AnswerOutput) throws(SystemFailure) {
    try receiver.write(bytes)
  }
}
