/// Where the scale of a series with negative values begins.
///
/// The flow lens judges amounts, which are never negative. Values such as temperatures or normalized
/// figures are judged as their distance from an origin far below them, so that the profile of hours
/// is nearly a sum and the spread does not depend on the value. A series of sales that returned goods
/// make negative once in a while keeps 0 as its origin, and such a value counts as 0.
struct Origin: Sendable {
  /// The distance below zero.
  private(set) var depth = 0.0
  /// Values below the origin since it was moved, and the one closest to zero of them.
  private var count = 0
  private var least = Double.infinity

  /// The distance of the origin from the values, as a multiple of their usual size.
  private static let margin = 8.0
  private static let largestDepth = 1e17

  init() {}

  /// Takes a value below the origin.
  ///
  /// - Parameters:
  ///   - known: the number of values of the series.
  ///   - usual: their usual distance from the origin.
  mutating func take(_ value: Double, known: Int, usual: Double) {
    count += 1
    least = min(least, -value)
    guard Double(count) > TallyRules.toleratedNegatives(of: known) else { return }
    let next = max(2 * depth, Self.margin * max(least, min(usual, 1000 * least)))
    guard next < Self.largestDepth else { return }
    depth = next
    count = 0
    least = .infinity
  }

  func encode(to bytes: inout StateWriter) {
    bytes.put(depth)
    bytes.put(count)
    bytes.put(least)
  }

  init(from bytes: inout StateReader) throws(StateDamage) {
    depth = try bytes.double()
    count = try bytes.integer()
    least = try bytes.double()
    guard depth >= 0, depth < Self.largestDepth, count >= 0 else { throw StateDamage() }
  }
}
