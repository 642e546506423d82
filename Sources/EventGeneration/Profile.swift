/// Multipliers of the rate over time, interpolated linearly between given points: a load test's
/// ramps and steps.
package struct Profile: Equatable, Sendable {
  struct Point: Equatable, Sendable {
    /// Seconds since the start of the run.
    let offset: Int64
    let multiplier: Double
  }

  private let offsets: [Int64]
  private let levels: [Int64]

  /// - Parameter points: at least one, with ascending offsets.
  init(_ points: [Point]) {
    offsets = points.map(\.offset)
    levels = points.map { Int64(($0.multiplier * Double(FixedPoint.one)).rounded()) }
  }

  /// The multiplier in Q32; before the first point and after the last one, their multipliers hold.
  func level(at offset: Int64) -> Int64 {
    guard let next = offsets.firstIndex(where: { $0 > offset }) else { return levels.last ?? 0 }
    if next == 0 { return levels[0] }
    let (start, end) = (offsets[next - 1], offsets[next])
    let share = (offset - start) * 65_536 / (end - start)
    return levels[next - 1] + (levels[next] - levels[next - 1]) / 65_536 * share
  }
}
