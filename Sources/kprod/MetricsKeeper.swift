import Plumbing

/// Keeps the file of `--metrics` up to date.
final class MetricsKeeper {
  private var file: MetricsFile
  private let started = TimePoint.now.milliseconds
  private var lastDelivery: Int64?

  /// - Throws: ``SystemFailure`` when the file can't be written.
  init(_ path: String) throws {
    file = try MetricsFile(
      path, Self.text(Tally(), [], started: started, lastDelivery: nil, status: nil))
  }

  /// How long the file may stay as it is.
  var timeLeft: Duration { file.timeLeft }

  func noteDelivery() { lastDelivery = TimePoint.now.milliseconds }

  func writeIfDue(_ tally: Tally, _ deliveries: [TopicDelivery]) {
    guard file.timeLeft <= .zero else { return }
    write(tally, deliveries, status: nil)
  }

  /// Writes the last numbers.
  func end(_ tally: Tally, _ deliveries: [TopicDelivery], status: ExitStatus) {
    write(tally, deliveries, status: status)
  }

  private func write(_ tally: Tally, _ deliveries: [TopicDelivery], status: ExitStatus?) {
    file.write(
      Self.text(tally, deliveries, started: started, lastDelivery: lastDelivery, status: status))
  }

  /// - Parameter status: how the run ended; `nil` while it goes on.
  static func text(
    _ tally: Tally, _ deliveries: [TopicDelivery], started: Int64, lastDelivery: Int64?,
    status: ExitStatus?
  ) -> String {
    var metrics = MetricsText()
    metrics.add(
      "kprod_up", .gauge, "Whether kprod is running.", [.init(status == nil ? 1 : 0)])
    metrics.add(
      "kprod_start_time_seconds", .gauge, "When this run began.", [.init(milliseconds: started)])
    metrics.add("kprod_lines_total", .counter, "Lines that were read.", [.init(tally.lines)])
    metrics.add(
      "kprod_bytes_total", .counter, "Bytes of these lines, without their ends.",
      [.init(tally.bytes)])
    metrics.add(
      "kprod_delivered_lines_total", .counter, "Lines that the cluster acknowledged.",
      deliveries.map { .init($0.count, labels: [("topic", $0.topic)]) })
    metrics.add(
      "kprod_failed_lines_total", .counter, "Lines that are certainly not in the topic.",
      [.init(tally.failed)])
    metrics.add(
      "kprod_unknown_lines_total", .counter, "Lines that were sent and never acknowledged.",
      [.init(tally.unknown)])
    let reasons =
      tally.failures.map { ("failed", $0.key.name, $0.value) }
      + tally.doubts.map { ("unknown", $0.key.name, $0.value) }
    metrics.add(
      "kprod_line_reasons_total", .counter, "Why lines failed or are unknown.",
      reasons.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { fate, reason, count in
        .init(count, labels: [("fate", fate), ("reason", reason)])
      })
    metrics.add(
      "kprod_pending_lines", .gauge, "Lines that were read and have no fate yet.",
      [.init(max(0, tally.lines - tally.delivered - tally.failed - tally.unknown))])
    metrics.add(
      "kprod_last_delivery_time_seconds", .gauge, "When the cluster acknowledged a line last.",
      lastDelivery.map { [.init(milliseconds: $0)] } ?? [])
    metrics.add(
      "kprod_exit_status", .gauge, "The status that this run ended with.",
      status.map { [.init($0.rawValue)] } ?? [])
    return metrics.text
  }
}
