import Druid
import Glibc
import Plumbing

/// Runs a script periodically. On a terminal, the answers stay in the same place, and the last
/// successful answers stay visible when a run fails.
struct WatchLoop {
  let interval: Duration

  /// Runs until a signal comes or the reader leaves.
  func run(_ sources: [ScriptSource], _ session: inout Session) throws {
    var items: [ScriptItem] = []
    for source in sources {
      try source.forEachItem { item in
        items.append(item)
        return true
      }
    }
    let isTerminal = session.output.isTerminal
    var hasAnswered = false
    /// The failure of the last run, which is said once.
    var said: String?
    while Interruption.count == 0 {
      session.output.hold()
      if isTerminal { session.beginAnew() }
      do {
        for item in items { _ = try session.run(item) }
        if isTerminal {
          try session.output.releaseOverScreen(
            "every \(interval.inSeconds) s, last at \(TimePoint.now.iso8601)")
        } else {
          try session.output.release()
        }
        hasAnswered = true
        said = nil
      } catch let failure as any ToolFailure where hasAnswered && failure.isPassing {
        _ = session.output.discard()
        session.note(failure, isKnown: failure.message == said)
        said = failure.message
      }
      try wait()
    }
  }

  private func wait() throws {
    let end = ContinuousClock.now + interval
    while Interruption.count == 0 {
      let left = ContinuousClock.now.duration(to: end)
      guard left > .zero else { return }
      Interruption.wait(left)
    }
  }
}
