/// The time and memory that one query may use.
///
/// Not Sendable: each query has one, used by the thread that runs it. Another thread watches the
/// time.
package final class QueryLimits {
  private let isOver: () -> Bool
  private var work = 0
  private var bytes = 0

  /// Maximum memory for the texts and collections of one query, in bytes.
  static let byteLimit = 256 << 20
  /// Amount of work between two checks of the time, in bytes processed: less than a millisecond.
  private static let workBetweenChecks = 1 << 18

  /// - Parameter isOver: whether the time is up or the client is gone.
  package init(isOver: @escaping () -> Bool) { self.isOver = isOver }

  /// Adds work, in bytes processed. Returns whether the query must end, which it checks from time
  /// to time.
  func mustEnd(after bytes: Int) -> Bool {
    work += bytes
    guard work >= Self.workBetweenChecks else { return false }
    work = 0
    return isOver()
  }

  /// Adds work. - Throws: `interrupted` when the query must end.
  package func check(_ bytes: Int) throws(ValueFailure) {
    if mustEnd(after: bytes) { throw .interrupted }
  }

  /// Takes memory from the query's budget, or returns it when negative. - Throws: `unsupported`
  /// when the budget is used up.
  package func charge(_ count: Int) throws(ValueFailure) {
    bytes += count
    guard count <= 0 || bytes <= Self.byteLimit else {
      throw .unsupported(
        "The query needs more than its budget of \(Self.byteLimit >> 20) MiB for texts and arrays")
    }
  }

  /// Returns memory to the budget.
  package func release(_ count: Int) { bytes -= count }
}
