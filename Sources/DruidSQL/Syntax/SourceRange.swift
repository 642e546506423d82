/// Where a piece of a statement stands: lines and columns from 1, the end included, columns counted in UTF-16 units
/// and tabs as one, as Druid's errors report them.
package struct SourceRange: Equatable, Hashable, Sendable {
  package var line: Int32
  package var column: Int32
  package var endLine: Int32
  package var endColumn: Int32

  package init(line: Int, column: Int, endLine: Int, endColumn: Int) {
    self.line = Int32(clamping: line)
    self.column = Int32(clamping: column)
    self.endLine = Int32(clamping: endLine)
    self.endColumn = Int32(clamping: endColumn)
  }

  /// For nodes that no text stands behind.
  package static let none = SourceRange(line: 0, column: 0, endLine: 0, endColumn: 0)

  /// From the start of this to the end of `other`.
  package func through(_ other: SourceRange) -> SourceRange {
    var whole = self
    whole.endLine = other.endLine
    whole.endColumn = other.endColumn
    return whole
  }

  /// The smallest range that holds both.
  package func joined(_ other: SourceRange) -> SourceRange {
    var whole = self
    if (other.line, other.column) < (line, column) {
      whole.line = other.line
      whole.column = other.column
    }
    if (other.endLine, other.endColumn) > (endLine, endColumn) {
      whole.endLine = other.endLine
      whole.endColumn = other.endColumn
    }
    return whole
  }
}
