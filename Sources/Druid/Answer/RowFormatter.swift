/// Formats rows as text.
///
/// This is a class and not a type parameter, because a sink is reached through a class, where a type
/// parameter would be looked up for every row.
package protocol RowFormatter: AnyObject {
  /// Receives the header lines.
  func begin(_ columns: [Column], into block: inout ByteBlock)
  /// Writes rows while they are found, when their cells need no closer inspection; returns how many
  /// there were.
  func rows(
    _ lines: inout MarkedLines, of text: RawSpan, from place: inout Int, limit: Int,
    into block: inout ByteBlock
  ) -> Int
  /// Receives the next row, with the positions of its cells in `line`, which are a part of `cells`.
  func row(_ line: RawSpan, _ cells: [Cell], _ range: Range<Int>, into block: inout ByteBlock)
  /// Receives the end of the answer, complete or cut.
  func end(isWhole: Bool, into block: inout ByteBlock)
  /// Writes what is held back, because no data came for a while.
  func settle(into block: inout ByteBlock)
  /// Whether rows may be held back until ``settle(into:)``, for a person who waits for them.
  var settles: Bool { get }
}

/// What is read of an answer.
package struct AnswerLimits: Sendable {
  /// The maximum row length in bytes; a longer row is an error.
  package var maximumRowLength = 1 << 30
  /// The maximum number of rows; further rows are not written.
  package var rowLimit: Int?
  /// Whether to track the newest `__time`.
  package var tracksTime = false

  package init() {}
}
