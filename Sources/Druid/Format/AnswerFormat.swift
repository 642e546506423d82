/// The output format of an answer.
package enum AnswerFormat: String, Sendable, CaseIterable {
  case table, csv, tsv, ndjson, json, vertical, markdown
}

/// The options of the formats.
package struct FormatOptions: Sendable {
  package var format: AnswerFormat
  /// The text for NULL in csv, tsv, table and vertical; `nil` for the format's own.
  package var nullText: String?
  /// Whether to write a header with the column names.
  package var hasHeader = true
  /// Whether to write the SQL types below the names.
  package var hasTypes = false
  /// Whether to write `1.5E10` as 15000000000.
  package var hasPlainNumbers = false
  /// Whether another answer precedes this one in the same stream.
  package var follows = false
  /// The maximum row length in bytes; a longer row is an error.
  package var maximumRowLength = 1 << 30
  /// The maximum number of rows; further rows are not written.
  package var rowLimit: Int?
  /// Whether to track the newest `__time`.
  package var tracksTime = false
  /// The heading above a table's rows.
  package var heading: String?
  /// The width of the terminal that a table must fit; `nil` without a terminal.
  package var terminalWidth: Int?

  package init(format: AnswerFormat) { self.format = format }
}

/// Formats rows as text.
protocol RowFormatter {
  /// Receives the header lines.
  mutating func begin(_ columns: [Column], into block: inout ByteBlock)
  /// Receives the next row, with the positions of its cells in `line`.
  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock)
  /// Receives the end of the answer, complete or cut.
  mutating func end(isWhole: Bool, into block: inout ByteBlock)
  /// Writes what is held back, because no data came for a while.
  mutating func settle(into block: inout ByteBlock)
}

extension RowFormatter {
  mutating func settle(into block: inout ByteBlock) {}
}

/// The formatter of a format. This is an enumeration of structs and not a type parameter, because a
/// sink is reached through a class, where a type parameter would be looked up for every row.
struct AnswerFormatter: RowFormatter {
  private enum Kind { case separated, json, table, markdown }

  private let kind: Kind
  private var separated: SeparatedFormatter
  private var json: JSONFormatter
  private var table: TableFormatter
  private var markdown: MarkdownFormatter

  init(_ options: FormatOptions) {
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

  mutating func begin(_ columns: [Column], into block: inout ByteBlock) {
    switch kind {
    case .separated: separated.begin(columns, into: &block)
    case .json: json.begin(columns, into: &block)
    case .table: table.begin(columns, into: &block)
    case .markdown: markdown.begin(columns, into: &block)
    }
  }

  /// Writes rows while they are found, when their cells need no closer inspection; returns how many
  /// there were.
  mutating func rows(
    _ lines: inout MarkedLines, of text: RawSpan, from place: inout Int, limit: Int,
    into block: inout ByteBlock
  ) -> Int {
    switch kind {
    case .separated: separated.rows(&lines, of: text, from: &place, limit: limit, into: &block)
    case .json: json.rows(&lines, of: text, from: &place, limit: limit, into: &block)
    case .table, .markdown: 0
    }
  }

  @inline(__always)
  mutating func row(
    _ line: RawSpan, _ cells: [Cell], _ range: Range<Int>, into block: inout ByteBlock
  ) {
    row(line, cells.span.extracting(range), into: &block)
  }

  @inline(__always)
  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    switch kind {
    case .separated: separated.row(line, cells, into: &block)
    case .json: json.row(line, cells, into: &block)
    case .table: table.row(line, cells, into: &block)
    case .markdown: markdown.row(line, cells, into: &block)
    }
  }

  mutating func end(isWhole: Bool, into block: inout ByteBlock) {
    switch kind {
    case .separated: separated.end(isWhole: isWhole, into: &block)
    case .json: json.end(isWhole: isWhole, into: &block)
    case .table: table.end(isWhole: isWhole, into: &block)
    case .markdown: markdown.end(isWhole: isWhole, into: &block)
    }
  }

  mutating func settle(into block: inout ByteBlock) {
    if kind == .table { table.settle(into: &block) }
  }
}
