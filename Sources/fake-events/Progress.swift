import EventGeneration
import Glibc
import Plumbing

/// A progress line while many events are written at full speed: the number so far, and the expected
/// size.
struct Progress {
  private let part: EventStream.Part
  private let isShown: Bool
  private let began = ContinuousClock.now

  /// Shows nothing for paced events, or when standard output is a terminal.
  init(_ part: EventStream.Part, _ pace: Plan.Pace) {
    self.part = part
    isShown = pace == .unlimited && Diagnostics.isTerminal && isatty(STDOUT_FILENO) == 0
  }

  func show(_ lines: Int, bytes: Int, reached second: Int64) {
    guard isShown, lines > 0, ContinuousClock.now - began >= .milliseconds(500) else { return }
    var text = "\(lines) events, \(Self.size(Double(bytes)))"
    if let share = share(lines, second), share > 0.001 {
      text += " of about \(Self.size(Double(bytes) / share)), \(Int(share * 100)) %"
    }
    Diagnostics.progress(text)
  }

  private func share(_ lines: Int, _ second: Int64) -> Double? {
    if let count = part.count { return min(1, Double(lines) / Double(max(1, count))) }
    guard let end = part.end else { return nil }
    return min(1, Double(second - part.start) / Double(max(1, end - part.start)))
  }

  private static func size(_ bytes: Double) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var value = bytes
    var unit = 0
    while value >= 1000, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return unit == 0 || tenths >= 1000
      ? "\(Int(value.rounded())) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
