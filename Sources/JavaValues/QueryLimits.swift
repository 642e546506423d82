/// What one query may use: time, which somebody else watches, and bytes.
///
/// Not Sendable: one for each query, used by the thread that runs it.
package final class QueryLimits {
  private let isOver: () -> Bool
  private var work = 0
  private var bytes = 0

  /// Bytes that the texts and collections of one query may hold at a time.
  package static let byteLimit = 256 << 20
  /// Work between two looks at the clock, in bytes handled: less than a millisecond.
  private static let workBetweenChecks = 1 << 18

  /// - Parameter isOver: whether the time is up or nobody waits for the answer.
  package init(isOver: @escaping () -> Bool) { self.isOver = isOver }

  /// Counts work, in bytes handled, and says now and then whether the query must end.
  package func mustEnd(after bytes: Int) -> Bool {
    work += bytes
    guard work >= Self.workBetweenChecks else { return false }
    work = 0
    return isOver()
  }

  /// Counts work. - Throws: `interrupted` when the query must end.
  package func check(_ bytes: Int) throws(ValueFailure) {
    if mustEnd(after: bytes) { throw .interrupted }
  }

  /// Takes memory from the query's budget, or gives it back when negative. - Throws: `unsupported` when it is used up.
  package func charge(_ count: Int) throws(ValueFailure) {
    bytes += count
    guard count <= 0 || bytes <= Self.byteLimit else {
      throw .unsupported(
        "The query needs more than its budget of \(Self.byteLimit >> 20) MiB for texts and arrays")
    }
  }

  /// Gives memory back.
  package func release(_ count: Int) { bytes -= count }
}
