import Druid

/// The output format of an answer.
enum AnswerFormat: String, Sendable, CaseIterable {
  case table, csv, tsv, ndjson, json, vertical, markdown
}

/// The options of the formats.
struct FormatOptions: Sendable {
  var format: AnswerFormat
  /// The text for NULL in csv, tsv, table and vertical; `nil` for the format's own.
  var nullText: String?
  /// Whether to write a header with the column names.
  var hasHeader = true
  /// Whether to write the SQL types below the names.
  var hasTypes = false
  /// Whether to write `1.5E10` as 15000000000.
  var hasPlainNumbers = false
  /// Whether another answer precedes this one in the same stream.
  var follows = false
  /// What is read of an answer.
  var limits = AnswerLimits()
  /// The heading above a table's rows.
  var heading: String?
  /// The width of the terminal that a table must fit; `nil` without a terminal.
  var terminalWidth: Int?

  init(format: AnswerFormat) { self.format = format }
}

/// The steps that the formats have in common.
protocol RowWriter {
  mutating func begin(_ columns: [Column], into block: inout ByteBlock)
  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock)
  mutating func end(isWhole: Bool, into block: inout ByteBlock)
}

/// The formatter of a format.
final class AnswerFormatter: RowFormatter {
  private enum Kind { case separated, json, table, markdown }

  private let kind: Kind
  let settles: Bool
  private var separated: SeparatedFormatter
  private var json: JSONFormatter
  private var table: TableFormatter
  private var markdown: MarkdownFormatter

  init(_ options: FormatOptions) {
    settles = options.terminalWidth != nil && options.format == .table
    kind =
      switch options.format {
      case .csv, .tsv: .separated
      case .json, .ndjson: .json
      case .table, .vertical: .table
      case .markdown: .markdown
      }
    separated = SeparatedFormatter(
      separator: options.format == .tsv ? UInt8(ascii: "\t") : UInt8(ascii: ","), options: options)
    json = JSONFormatter(isArray: options.format == .json, options: options)
    table = TableFormatter(options: options)
    markdown = MarkdownFormatter(options: options)
  }

  func begin(_ columns: [Column], into block: inout ByteBlock) {
    switch kind {
    case .separated: separated.begin(columns, into: &block)
    case .json: json.begin(columns, into: &block)
    case .table: table.begin(columns, into: &block)
    case .markdown: markdown.begin(columns, into: &block)
    }
  }

  /// Writes rows while they are found, when their cells need no closer inspection; returns how many
  /// there were.
  func rows(
    _ lines: inout MarkedLines, of text: RawSpan, from place: inout Int, limit: Int,
    into block: inout ByteBlock
  ) -> Int {
    switch kind {
    case .separated: separated.rows(&lines, of: text, from: &place, limit: limit, into: &block)
    case .json: json.rows(&lines, of: text, from: &place, limit: limit, into: &block)
    case .table, .markdown: 0
    }
  }

  func row(_ line: RawSpan, _ cells: [Cell], _ range: Range<Int>, into block: inout ByteBlock) {
    let cells = cells.span.extracting(range)
    switch kind {
    case .separated: separated.row(line, cells, into: &block)
    case .json: json.row(line, cells, into: &block)
    case .table: table.row(line, cells, into: &block)
    case .markdown: markdown.row(line, cells, into: &block)
    }
  }

  func end(isWhole: Bool, into block: inout ByteBlock) {
    switch kind {
    case .separated: separated.end(isWhole: isWhole, into: &block)
    case .json: json.end(isWhole: isWhole, into: &block)
    case .table: table.end(isWhole: isWhole, into: &block)
    case .markdown: markdown.end(isWhole: isWhole, into: &block)
    }
  }

  func settle(into block: inout ByteBlock) {
    if kind == .table { table.settle(into: &block) }
  }
}
