/// How far time has come in a stream of events, some of which may have wrong clocks.
///
/// Time goes on with each event that is not far ahead. A time far ahead is believed when three events in a
/// row are as far, so that the wrong clock of one phone does not make all others late. Until then such an
/// event waits in the bucket of its own time.
struct Horizon {
  /// Times far ahead, sorted: those of the latest events in a row, and those that others contradicted.
  private(set) var run: [Int64] = []
  private(set) var contradicted: [Int64] = []
  private let lag: Int64
  /// Whether there has been no second event. The first one may have the wrong clock as well.
  private(set) var isAtStart = true

  /// What is further ahead than this is far: gaps may be long in streams that no clock accompanies.
  private static let longestStep: Int64 = 3_600_000
  private static let enough = 3
  /// At most this many events wait. Each may need a bucket.
  private static let most = 64

  /// - Parameter lag: how late events may be, in milliseconds. In whatever order they come, they are
  ///   then not far from each other.
  init(lag: Int64) { self.lag = lag }

  /// Takes the time of an event.
  ///
  /// - Parameters:
  ///   - newest: the newest time that is believed; `Int64.min` before the first event.
  ///   - clock: the clock, if it is in use; else `Int64.min`.
  /// - Returns: whether the event can be used; false when too many wait already.
  mutating func take(_ time: Int64, newest: inout Int64, clock: Int64) -> Bool {
    guard newest > .min else {
      newest = time
      return true
    }
    // By the clock, what is ahead by the lag at most makes no other late.
    let limit = clock > .min ? lag : max(Self.longestStep, lag)
    if isAtStart {
      isAtStart = false
      // The first one is put aside when the second one is far behind it.
      if time < newest &- limit {
        run = [newest]
        newest = time
      }
    }
    if time <= max(newest, clock) &+ limit {
      advance(to: time, &newest, limit)
      if !run.isEmpty {
        contradicted = (contradicted + run).sorted()
        run = []
      }
      return true
    }
    guard run.count + contradicted.count < Self.most else { return false }
    run.append(time)
    run.sort()
    if run.count >= Self.enough { advance(to: run[0], &newest, limit) }
    return true
  }

  /// Goes on to a time, and to those that are then no longer far ahead.
  private mutating func advance(to time: Int64, _ newest: inout Int64, _ limit: Int64) {
    newest = max(newest, time)
    while let next = run.first, next <= newest &+ limit {
      newest = max(newest, next)
      run.removeFirst()
    }
    while let next = contradicted.first, next <= newest &+ limit {
      newest = max(newest, next)
      contradicted.removeFirst()
    }
  }

  /// At the end of the input, nothing contradicts the latest events any more.
  mutating func finish(newest: inout Int64) {
    newest = max(newest, run.last ?? .min)
    run = []
  }

  /// Restores what a state file has.
  mutating func restore(run: [Int64], contradicted: [Int64], isAtStart: Bool) {
    self.run = run.sorted()
    self.contradicted = contradicted.sorted()
    self.isAtStart = isAtStart
  }
}
