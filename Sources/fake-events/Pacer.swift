import EventGeneration
import Glibc
import Plumbing

/// Paces event time: deadlines are absolute, so that delays do not add up.
struct Pacer {
  /// Lines that are due within this many milliseconds are written together.
  private static let tick: Int32 = 16

  private let pace: Plan.Pace
  private let start: Int64
  private let began = Pacer.now
  private var reported = Pacer.now
  private var linesReported = 0

  init(_ pace: Plan.Pace, from start: Int64) {
    self.pace = pace
    self.start = start
  }

  /// The current time of the clock.
  static var now: Moment {
    let (second, nanosecond) = WallClock.reading
    return Moment(second: second, fraction: (UInt64(nanosecond) << 32) / 1_000_000_000)
  }

  /// The current event time.
  var due: Moment {
    switch pace {
    case .unlimited: return .distantFuture
    case .clock: return Pacer.now
    case .times(let speed):
      let passed = Pacer.seconds(from: began, to: Pacer.now) * speed
      guard passed < 1e15 else { return .distantFuture }
      let whole = passed.rounded(.down)
      return Moment(
        second: start + Int64(whole), fraction: UInt64((passed - whole) * 4_294_967_296))
    }
  }

  /// Reports, once a second and with `--verbose`, the rate of lines and their delay.
  mutating func report(_ lines: Int, reached second: Int64) {
    guard Diagnostics.isVerbose else { return }
    let now = Pacer.now
    let passed = Pacer.seconds(from: reported, to: now)
    guard passed >= 1 else { return }
    let rate = Int((Double(lines - linesReported) / passed).rounded())
    let lag = pace == .unlimited ? 0 : max(0, due.second - second)
    Diagnostics.verbose("\(lines) lines, \(rate) a second, \(lag) s behind")
    reported = now
    linesReported = lines
  }

  private static func seconds(from earlier: Moment, to later: Moment) -> Double {
    Double(later.second) - Double(earlier.second)
      + (Double(later.fraction) - Double(earlier.fraction)) / 4_294_967_296
  }

  /// Sleeps until a moment of event time; `false` after a signal, or when the reader closed the
  /// pipe.
  func wait(for moment: Moment) -> Bool {
    let now = Pacer.now
    let rest =
      switch pace {
      case .unlimited: 0.0
      case .clock: Pacer.seconds(from: now, to: moment)
      case .times(let speed):
        Pacer.seconds(from: Moment(second: start, fraction: 0), to: moment) / speed
          - Pacer.seconds(from: began, to: now)
      }
    // At most a minute; then the clock is read again, because it may have been set.
    let milliseconds = max(Pacer.tick, Int32((min(60, max(0, rest)) * 1000).rounded(.up)))
    var waits = [
      pollfd(fd: Interruption.descriptor, events: Int16(POLLIN), revents: 0),
      // Without requested events, poll still reports a reader that closes the pipe.
      pollfd(fd: STDOUT_FILENO, events: 0, revents: 0),
    ]
    let count = unsafe poll(&waits, 2, milliseconds)
    if count > 0, waits[1].revents & Int16(POLLERR) != 0 { return false }
    return Interruption.count == 0
  }
}
