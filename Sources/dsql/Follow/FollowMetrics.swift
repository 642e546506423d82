import Druid
import Plumbing

/// Keeps the file of `--metrics` up to date while windows are followed.
final class FollowMetrics {
  private var file: MetricsFile
  private var numbers = Numbers()

  /// What the file tells.
  struct Numbers {
    var started = TimePoint.now
    var windows = 0
    var failures = 0
    var totals = AnswerReport()
    /// The end of the last window that was answered, and when that was.
    var through: TimePoint?
    var answered: TimePoint?
    /// How the run ended; `nil` while it goes on.
    var status: ExitStatus?
  }

  /// - Throws: ``SystemFailure`` when the file can't be written.
  init(_ path: String) throws {
    file = try MetricsFile(path, Self.text(numbers))
  }

  /// How long the file may stay as it is.
  var timeLeft: Duration { file.timeLeft }

  func noteWindow(through milliseconds: Int64, _ totals: AnswerReport) {
    numbers.windows += 1
    numbers.totals = totals
    numbers.through = TimePoint(milliseconds: milliseconds)
    numbers.answered = .now
    writeIfDue()
  }

  func noteFailure(_ totals: AnswerReport) {
    numbers.failures += 1
    numbers.totals = totals
    writeIfDue()
  }

  func writeIfDue() {
    if file.timeLeft <= .zero { file.write(Self.text(numbers)) }
  }

  /// Writes the last numbers.
  func end(_ status: ExitStatus) {
    numbers.status = status
    file.write(Self.text(numbers))
  }

  static func text(_ numbers: Numbers) -> String {
    var metrics = MetricsText()
    metrics.add(
      "dsql_up", .gauge, "Whether dsql is running.", [.init(numbers.status == nil ? 1 : 0)])
    metrics.add(
      "dsql_start_time_seconds", .gauge, "When this run began.",
      [.init(milliseconds: numbers.started.milliseconds)])
    metrics.add(
      "dsql_windows_total", .counter, "Windows that were answered.", [.init(numbers.windows)])
    metrics.add(
      "dsql_failed_windows_total", .counter,
      "Attempts that failed; with --keep-going a window is asked for again.",
      [.init(numbers.failures)])
    metrics.add(
      "dsql_rows_total", .counter, "Rows that were written.", [.init(numbers.totals.rows)])
    metrics.add(
      "dsql_bytes_total", .counter, "Bytes of the answers.", [.init(numbers.totals.bytes)])
    metrics.add(
      "dsql_retries_total", .counter, "Requests that were sent again.",
      [.init(numbers.totals.retries)])
    metrics.add(
      "dsql_window_end_time_seconds", .gauge, "The end of the last window that was answered.",
      numbers.through.map { [.init(milliseconds: $0.milliseconds)] } ?? [])
    metrics.add(
      "dsql_last_answer_time_seconds", .gauge, "When the last window was answered.",
      numbers.answered.map { [.init(milliseconds: $0.milliseconds)] } ?? [])
    metrics.add(
      "dsql_exit_status", .gauge, "The status that this run ended with.",
      numbers.status.map { [.init($0.rawValue)] } ?? [])
    return metrics.text
  }
}
