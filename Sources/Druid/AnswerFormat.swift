/// How an answer is shown.
package enum AnswerFormat: String, Sendable, CaseIterable {
  case table, csv, tsv, ndjson, json, vertical, markdown
}

/// What the formats can be told.
package struct FormatOptions: Sendable {
  package var format: AnswerFormat
  /// What stands for NULL in csv, tsv, table and vertical, instead of their own way.
  package var nullText: String?
  /// Whether names stand over the columns.
  package var hasHeader = true
  /// Whether SQL types stand under the names.
  package var hasTypes = false
  /// Whether `1.5E10` is written 15000000000.
  package var hasPlainNumbers = false
  /// Whether an answer stands before this one in the same stream.
  package var follows = false
  /// A longer row is an error.
  package var maximumRowLength = 1 << 30
  /// Rows beyond these are not written.
  package var rowLimit: Int?
  /// Whether the newest `__time` is looked for.
  package var tracksTime = false
  /// What stands above the rows of a table.
  package var heading: String?
  /// The width of the terminal that a table has to fit; `nil` when there is none.
  package var terminalWidth: Int?

  package init(format: AnswerFormat) { self.format = format }
}

/// Turns rows into text.
protocol RowFormatter {
  /// The header lines came.
  mutating func begin(_ columns: [Column], into block: inout ByteBlock)
  /// The next row: where its cells stand in `line`.
  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock)
  /// The answer is over, whole or cut.
  mutating func end(isWhole: Bool, into block: inout ByteBlock)
  /// Nothing came for a while: what is held back goes out.
  mutating func settle(into block: inout ByteBlock)
}

extension RowFormatter {
  mutating func settle(into block: inout ByteBlock) {}
}

/// The formatter of a format: a choice of structs rather than a type parameter, since a sink is reached through a
/// class, and behind that a type parameter would be looked up for every row.
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

  /// Writes rows as they are found, where their cells need no closer look; how many there were.
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
