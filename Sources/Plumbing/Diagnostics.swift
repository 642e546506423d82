import Glibc
import Synchronization

/// The only writer of standard error: messages of one line each, a progress line on a terminal, and
/// the summary.
///
/// Every line is one `write` and may come from any thread. A line that can't be written is dropped,
/// because there is no other place to report it.
package enum Diagnostics {
  /// How much is shown.
  enum Level: Int, Sendable {
    case errorsOnly, normal, everything
  }

  private struct State {
    var tool = ""
    var level = Level.normal
    var isColored = false
    var isTerminal = false
    var hasProgress = false
    var lastProgress: ContinuousClock.Instant?
  }

  private static let state = Mutex(State())

  /// Sets name, level and colour; called once, when the command starts.
  static func configure(tool: String, level: Level, isColored: Bool) {
    let isTerminal = Terminal.isTerminal(STDERR_FILENO)
    state.withLock { state in
      state.tool = tool
      state.level = level
      state.isColored = isColored
      state.isTerminal = isTerminal
    }
  }

  /// Reports a failure; always shown.
  package static func error(_ message: String) {
    say(message, from: .errorsOnly, color: "31")
  }

  /// Reports something that the user should know, though the work goes on.
  package static func warning(_ message: String) {
    say("warning: " + message, from: .normal, color: "33")
  }

  /// Suggests a next step after an error or a warning.
  package static func hint(_ message: String) {
    say("hint: " + message, from: .normal, color: "36")
  }

  /// Reports something useful; shown on a terminal or with `--verbose`.
  package static func note(_ message: String) {
    let level = state.withLock { $0.isTerminal ? Level.normal : .everything }
    say(message, from: level, color: nil)
  }

  /// Reports a detail, such as a library's own message; shown only with `--verbose`.
  package static func verbose(_ message: String) {
    say(message, from: .everything, color: nil)
  }

  /// Shows a line as it is, at the level of an error: a piece of input, a caret.
  package static func detail(_ line: String) {
    state.withLock { state in
      write(shown(line, keepingTabs: true) + "\n", &state)
    }
  }

  /// Writes the JSON object of `--summary`; it must be the last line.
  package static func summary(_ json: String) {
    state.withLock { state in
      write(json + "\n", &state)
    }
  }

  /// Writes the JSON object of `--summary` for a tool that counts lines and bytes.
  package static func summary(lines: Int, bytes: Int, after time: Duration) {
    summary("{\"lines\":\(lines),\"bytes\":\(bytes),\"seconds\":\(time.inRoundedSeconds)}")
  }

  /// Replaces the progress line: only on a terminal and without `--quiet`, at most ten times a
  /// second.
  ///
  /// - Returns: false when it came too soon after the last one and is not shown.
  @discardableResult
  package static func progress(_ text: @autoclosure () -> String) -> Bool {
    let now = ContinuousClock.now
    return state.withLock { state in
      guard state.isTerminal, state.level != .errorsOnly else { return true }
      if let last = state.lastProgress, last.duration(to: now) < progressPause { return false }
      state.lastProgress = now
      let width = Terminal.width(STDERR_FILENO) ?? 80
      let line = String(
        shown(state.tool + ": " + text(), keepingTabs: true).prefix(max(1, width - 1)))
      write("\r\u{1b}[K" + line, &state, isProgress: true)
      return true
    }
  }

  /// The time between two progress lines.
  package static let progressPause = Duration.milliseconds(100)

  /// Removes the progress line at the end of the work.
  package static func endProgress() {
    state.withLock { write("", &$0) }
  }

  /// Whether standard error is a terminal.
  package static var isTerminal: Bool { state.withLock { $0.isTerminal } }

  /// Whether `--verbose` was given.
  package static var isVerbose: Bool { state.withLock { $0.level == .everything } }

  private static func say(_ message: String, from level: Level, color: String?) {
    state.withLock { state in
      guard state.level.rawValue >= level.rawValue else { return }
      var name = state.tool + ":"
      if state.isColored, let color { name = "\u{1b}[1;\(color)m\(name)\u{1b}[0m" }
      write(name + " " + shown(message, keepingTabs: true) + "\n", &state)
    }
  }

  private static func write(_ text: String, _ state: inout State, isProgress: Bool = false) {
    var text = text
    if state.hasProgress, !isProgress { text = "\r\u{1b}[K" + text }
    state.hasProgress = isProgress
    guard !text.isEmpty else { return }
    text.withUTF8 { bytes in
      // A message is lost only when standard error itself fails.
      _ = unsafe writeFully(bytes, to: STDERR_FILENO)
    }
  }
}
