import JSONLines
import Plumbing

/// Lets lines go in the rhythm of the times that they hold: the first at once, each other as long after it as its time
/// says. A line without a time, or with an earlier one than a line before it, goes with that one.
struct Replay: ~Copyable {
  /// A longer pause is reported.
  private static let longPause = Duration.seconds(60)

  private var json: JSONLine
  private let speed: Double
  private var origin: (time: Int64, moment: ContinuousClock.Instant)?
  /// When the line that was looked at last may go; `nil` before the next line is looked at.
  private var due: ContinuousClock.Instant?

  /// - Parameters:
  ///   - field: where a line holds its time.
  ///   - speed: how many of its seconds pass in one.
  init(by field: [String], speed: Double) {
    json = JSONLine(fields: [field])
    self.speed = speed
  }

  /// How long a line has to wait; `nil` when it may go. Until ``next()`` it is always about the same line.
  ///
  /// - Parameter line: with readable bytes behind it, as `JSONLine` needs them.
  mutating func pause(for line: UnsafeRawBufferPointer) -> Duration? {
    let now = ContinuousClock.now
    if due == nil {
      let due = unsafe moment(of: line, now: now)
      self.due = due
      if now.duration(to: due) > Self.longPause {
        Diagnostics.note(
          "the next line is due in \(Int(now.duration(to: due).inSeconds.rounded())) s")
      }
    }
    guard let due, due > now else { return nil }
    return now.duration(to: due)
  }

  /// How long the line that was looked at last has to wait.
  var pause: Duration { due.map { max(.zero, ContinuousClock.now.duration(to: $0)) } ?? .zero }

  /// The line was taken.
  mutating func next() { due = nil }

  private mutating func moment(
    of line: UnsafeRawBufferPointer, now: ContinuousClock.Instant
  ) -> ContinuousClock.Instant {
    let span = unsafe RawSpan(_unsafeBytes: line)
    do throws(JSONLine.Malformed) { try json.read(span) } catch { return now }
    guard let time = json.milliseconds(of: 0) else { return now }
    guard let origin else {
      origin = (time, now)
      return now
    }
    return origin.moment + .seconds(Double(time - origin.time) / 1000 / speed)
  }
}

extension JSONLine {
  /// A field as a time in milliseconds since 1970: a number of seconds or milliseconds, or RFC 3339.
  func milliseconds(of index: Int) -> Int64? {
    switch kind(index) {
    case .number:
      withBytes(of: index) { bytes in
        unsafe bytes.withUnsafeBytes { unsafe epochMilliseconds(number: $0) }
      }
    case .string: TimePoint(rfc3339: text(of: index))?.milliseconds
    default: nil
    }
  }
}
