import Druid
import Glibc
import Plumbing

/// The settings of `--follow`.
struct FollowSettings {
  let windowMilliseconds: Int64
  let lagMilliseconds: Int64
  let since: TimePoint
  let state: String?
  let metrics: String?

  init?(_ arguments: Arguments) throws {
    guard let window = try arguments.duration(.follow) else {
      for flag in [Flag.lag, .since, .state, .metrics] where arguments.isSet(flag) {
        throw UsageFailure("\(flag.spelling) needs --follow")
      }
      return nil
    }
    windowMilliseconds = Int64(window.inSeconds * 1000)
    guard windowMilliseconds > 0 else {
      throw UsageFailure("--follow: the window must be longer than 0")
    }
    lagMilliseconds = Int64((try arguments.duration(.lag) ?? .seconds(60)).inSeconds * 1000)
    let text = arguments.text(.since) ?? "now"
    guard let since = TimePoint(spelling: text, now: .now) else {
      throw UsageFailure(
        "--since: \(quoted(text)) is not a valid time",
        hints: ["write 2026-01-31, 2026-01-31T12:00:00Z, -7d or now"])
    }
    self.since = since
    state = arguments.text(.state)
    metrics = arguments.text(.metrics)
  }
}

/// Runs a statement for each closed window in turn.
struct FollowLoop {
  private let settings: FollowSettings
  private let keepsGoing: Bool
  private let metrics: FollowMetrics?

  init(_ settings: FollowSettings, keepsGoing: Bool, metrics: FollowMetrics?) {
    self.metrics = metrics
    self.settings = settings
    self.keepsGoing = keepsGoing
  }

  /// Runs until a signal comes, the reader leaves or a window fails.
  func run(_ sources: [ScriptSource], _ session: inout Session) throws {
    let statement = try self.statement(sources, &session)
    let length = settings.windowMilliseconds
    var state = try settings.state.map { try FollowState(in: $0) }
    // The last run may have ended inside a window of this length; the rest of that window comes
    // first.
    var next = state?.through ?? floored(settings.since.milliseconds)
    if let running = state?.running, running > next {
      Diagnostics.warning(
        "the window from \(iso(next)) to \(iso(running)) was being answered when the last run "
          + "ended: its rows may come twice")
    }
    if let through = state?.through, through > TimePoint.now.milliseconds {
      Diagnostics.warning("--state is ahead of the clock: the next window begins at \(iso(next))")
    }
    var failedWindow: Int64?
    var hasAnswered = false
    while Interruption.count == 0 {
      let end = floored(next) + length
      guard end <= TimePoint.now.milliseconds - settings.lagMilliseconds else {
        try wait(until: end + settings.lagMilliseconds)
        continue
      }
      try state?.save(through: next, running: end)
      do {
        try answer(statement, from: next, to: end, &session)
      } catch let failure as any ToolFailure
        where keepsGoing && failure.mayPass(hasAnswered: hasAnswered)
      {
        metrics?.noteFailure(session.totals)
        // The same window is tried again, at most one window length later; its failure is reported
        // once.
        if failedWindow != next { session.note(failure) }
        failedWindow = next
        try state?.save(through: next, running: nil)
        try wait(until: TimePoint.now.milliseconds + min(length, 60_000))
        continue
      } catch {
        metrics?.noteFailure(session.totals)
        // No rows of this window were written, or they were reported as cut.
        try state?.save(through: next, running: nil)
        throw error
      }
      hasAnswered = true
      next = end
      metrics?.noteWindow(through: end, session.totals)
      try state?.save(through: next, running: nil)
    }
  }

  /// Writes a window's rows when the answer is complete, so that a failed window can be queried
  /// again.
  private func answer(
    _ statement: Statement, from: Int64, to: Int64, _ session: inout Session
  ) throws {
    session.output.hold()
    do {
      try session.answerWindow(
        statement, from: TimePoint(milliseconds: from), to: TimePoint(milliseconds: to),
        closed: TimePoint(milliseconds: to + settings.lagMilliseconds))
      try session.output.release()
    } catch {
      // A reader that left does not need the rest.
      let isReaderGone = (error as? SystemFailure)?.isReaderGone ?? false
      if !session.output.discard(), !isReaderGone {
        Diagnostics.warning(
          "rows of the window from \(iso(from)) to \(iso(to)) may be written already, "
            + "and will be written again"
        )
      }
      throw error
    }
  }

  /// The only statement of the script, after its SETs.
  private func statement(
    _ sources: [ScriptSource], _ session: inout Session
  ) throws -> Statement {
    var found: Statement?
    for source in sources {
      try source.forEachItem { item in
        guard case .statement(let statement) = item else {
          throw UsageFailure("--follow runs one statement, and no commands")
        }
        if try session.takeSetting(statement) { return true }
        guard found == nil else {
          throw UsageFailure("\(statement.title): --follow runs one statement")
        }
        found = statement
        return true
      }
    }
    guard let found else { throw UsageFailure("--follow needs a statement") }
    try session.checkWindowParameters(found)
    return found
  }

  private func floored(_ milliseconds: Int64) -> Int64 {
    milliseconds.floorDivided(by: settings.windowMilliseconds) * settings.windowMilliseconds
  }

  private func iso(_ milliseconds: Int64) -> String {
    TimePoint(milliseconds: milliseconds).iso8601
  }

  private func wait(until milliseconds: Int64) throws {
    while Interruption.count == 0 {
      let left = milliseconds - TimePoint.now.milliseconds
      guard left > 0 else { return }
      // The clock may be changed during the wait, so it is read again after a minute at most.
      Interruption.wait(min(.milliseconds(left), metrics?.timeLeft ?? .seconds(60), .seconds(60)))
      metrics?.writeIfDue()
    }
  }
}

extension ToolFailure {
  /// Whether the same statement may succeed later. A Druid that lost a server, or is starting, may
  /// not know a table that it knew before.
  fileprivate func mayPass(hasAnswered: Bool) -> Bool {
    if hasAnswered, (self as? StatementFailure)?.missesTable == true { return true }
    return isPassing && exitStatus != .input
  }
}

/// The progress of `--follow`, in a small JSON file that is replaced atomically.
struct FollowState {
  private let file: HeldFile
  /// The end of the last window that was answered.
  private(set) var through: Int64?
  /// The end of the window in progress.
  private(set) var running: Int64?

  /// Reads the state of an earlier run, and keeps other runs from using it.
  init(in path: String) throws {
    file = try HeldFile(path, of: .state)
    if file.content.isEmpty { return }
    let value = try? JSONValue(parsing: file.content)
    func time(_ key: String) -> Int64? {
      value?[key]?.text.flatMap { TimePoint(rfc3339: $0)?.milliseconds }
    }
    through = time("through")
    running = time("running")
    guard through != nil else {
      throw UsageFailure(
        "--state: \(quoted(path)) is not a state file of dsql",
        hints: ["remove it to start at --since"])
    }
  }

  /// Replaces the file atomically: after a crash it holds the old state or the new one.
  mutating func save(through: Int64, running: Int64?) throws {
    self.through = through
    self.running = running
    var members = [
      JSONValue.Member(
        key: "through", value: .string(TimePoint(milliseconds: through).iso8601))
    ]
    if let running {
      members.append(
        .init(key: "running", value: .string(TimePoint(milliseconds: running).iso8601)))
    }
    try file.replace(with: Array((JSONValue.object(members).jsonText + "\n").utf8))
  }
}
