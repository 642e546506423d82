/// The position of a part of a statement, as in Druid's errors. Lines and columns start at 1, the
/// end is inclusive, columns count UTF-16 units, and a tab is one column.
package struct SourceRange: Equatable, Hashable, Sendable {
  var line: Int32
  var column: Int32
  var endLine: Int32
  var endColumn: Int32

  init(line: Int, column: Int, endLine: Int, endColumn: Int) {
    self.line = Int32(clamping: line)
    self.column = Int32(clamping: column)
    self.endLine = Int32(clamping: endLine)
    self.endColumn = Int32(clamping: endColumn)
  }

  /// The range of nodes that have no text.
  static let none = SourceRange(line: 0, column: 0, endLine: 0, endColumn: 0)

  /// The range from the start of this one to the end of `other`.
  func through(_ other: SourceRange) -> SourceRange {
    var whole = self
    whole.endLine = other.endLine
    whole.endColumn = other.endColumn
    return whole
  }

  /// The smallest range that contains both.
  func joined(_ other: SourceRange) -> SourceRange {
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

/// Where a part of the tree stands. Equality and hash ignore it, so that the same text in two places
/// makes equal parts.
@propertyWrapper
struct Position: Hashable, Sendable {
  var range: SourceRange

  var wrappedValue: SourceRange {
    get { range }
    set { range = newValue }
  }

  init(_ range: SourceRange) { self.range = range }

  init(wrappedValue: SourceRange) { self.range = wrappedValue }

  static func == (left: Position, right: Position) -> Bool { true }

  func hash(into hasher: inout Hasher) {}
}
