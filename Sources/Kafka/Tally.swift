internal import Plumbing

/// What became of the lines: read = delivered + failed + unknown once all is drained.
package struct Tally: Sendable, Equatable {
  /// Lines read.
  package var lines = 0
  /// Their bytes, delimiters not counted.
  package var bytes = 0
  /// Acknowledged by the cluster.
  package var delivered = 0
  /// Certainly not in the topic.
  package var failed = 0
  /// Sent, and never answered: they may be in the topic.
  package var unknown = 0
  package var failures: [Reason: Int] = [:]
  package var doubts: [Reason: Int] = [:]

  package init() {}

  mutating func countFailure(_ reason: Reason, _ count: Int = 1) {
    failed += count
    failures[reason, default: 0] += count
  }

  mutating func countDoubt(_ reason: Reason, _ count: Int = 1) {
    unknown += count
    doubts[reason, default: 0] += count
  }

  /// Whether a broker found lines too large.
  package var hasRefusedSizes: Bool { failures[.kafka(10)] != nil }

  package var isComplete: Bool { failed == 0 && unknown == 0 }

  /// The line that `--summary` asks for.
  package func summary(seconds: Double) -> String {
    let reasons = failures.merging(doubts, uniquingKeysWith: +)
      .map { JSONValue.Member(key: $0.key.name, value: .integer($0.value)) }
      .sorted { $0.key < $1.key }
    let milliseconds = Int64((seconds * 1000).rounded())
    let fraction = String(milliseconds % 1000)
    let padded = String(repeating: "0", count: 3 - fraction.count) + fraction
    return JSONValue.object([
      "lines": .integer(lines), "bytes": .integer(bytes), "delivered": .integer(delivered),
      "failed": .integer(failed), "unknown": .integer(unknown), "reasons": .object(reasons),
      "seconds": .number("\(milliseconds / 1000).\(padded)"),
    ]).jsonText
  }

  /// A sentence for each reason, those that concern most lines first.
  package var explanations: [String] {
    func sentences(_ counts: [Reason: Int], _ word: String) -> [String] {
      counts.sorted { ($1.value, $0.key.name) < ($0.value, $1.key.name) }
        .map { "\(lineCount($0.value)) \(word): \($0.key.words)" }
    }
    return sentences(failures, "failed") + sentences(doubts, "unknown")
  }

  /// All of it in one sentence.
  ///
  /// - Parameter failedPath: the file of `--failed`, whose unknown lines are worth a warning.
  package func verdict(isDry: Bool, failedPath: String?) -> String {
    if isComplete { return "\(lineCount(lines)) \(isDry ? "read" : "delivered")" }
    var text =
      isDry
      ? "\(lines - failed) of \(lineCount(lines)) could be sent"
      : "\(delivered) of \(lineCount(lines)) delivered, \(failed) failed, \(unknown) unknown"
    if let failedPath {
      text +=
        unknown == 0
        ? "; the others are in \(quoted(failedPath))"
        : "; the others are in \(quoted(failedPath)), \(unknown) of them may be doubled when sent again"
    }
    return text
  }
}

private func lineCount(_ count: Int) -> String { count == 1 ? "1 line" : "\(count) lines" }
