/// How an answer is shown.
package enum AnswerFormat: String, Sendable, CaseIterable {
  case table, csv, tsv, ndjson, json, vertical
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
  /// The width of the terminal that a table has to fit; `nil` when there is none.
  package var terminalWidth: Int?

  package init(format: AnswerFormat) { self.format = format }
}

/// Turns rows into text.
protocol RowFormatter {
  /// The header lines came.
  mutating func begin(_ columns: [Column], into block: inout ByteBlock)
  /// The next row: where its cells stand in `line`.
  mutating func row(_ line: RawSpan, _ cells: [Cell], into block: inout ByteBlock)
  /// The answer is over, whole or cut.
  mutating func end(isWhole: Bool, into block: inout ByteBlock)
  /// Nothing came for a while: what is held back goes out.
  mutating func settle(into block: inout ByteBlock)
}

extension RowFormatter {
  mutating func settle(into block: inout ByteBlock) {}
}
