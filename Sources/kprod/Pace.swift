import Plumbing

/// A limit of lines per second.
struct Pace {
  private let perSecond: Double
  private var next = ContinuousClock.now
  private var credit = 0

  init(perSecond: Double) { self.perSecond = perSecond }

  /// How long the next line must wait; `nil` when it can be sent now.
  var pause: Duration? {
    mutating get {
      if credit > 0 { return nil }
      let now = ContinuousClock.now
      guard next <= now else { return now.duration(to: next) }
      // Unused allowance expires after 20 ms, so a pause causes no burst.
      next = max(next, now - .milliseconds(20))
      credit = max(1, Int(next.duration(to: now).inSeconds * perSecond))
      return nil
    }
  }

  mutating func count() {
    credit -= 1
    next += .seconds(1 / perSecond)
  }
}
