import Kafka
import Plumbing

/// The outcome of the lines: read = delivered + failed + unknown once everything is drained.
struct Tally: Sendable, Equatable {
  /// Lines read.
  var lines = 0
  /// The number of their bytes, without delimiters.
  var bytes = 0
  /// Acknowledged by the cluster.
  var delivered = 0
  /// Certainly not in the topic.
  private(set) var failed = 0
  /// Sent without a response: they may be in the topic.
  private(set) var unknown = 0
  private(set) var failures: [Reason: Int] = [:]
  private(set) var doubts: [Reason: Int] = [:]
  /// The first line that failed for each reason, where known.
  private(set) var firstLines: [Reason: Int] = [:]
  /// The length of a line that a signal cut off; it is written nowhere.
  var cutBytes: Int?

  mutating func countFailure(_ reason: Reason, _ count: Int = 1, line: Int? = nil) {
    failed += count
    failures[reason, default: 0] += count
    if let line { firstLines[reason] = min(firstLines[reason] ?? line, line) }
  }

  mutating func countDoubt(_ reason: Reason, _ count: Int = 1) {
    unknown += count
    doubts[reason, default: 0] += count
  }

  var isComplete: Bool { failed == 0 && unknown == 0 }

  /// Whether any line failed for this reason.
  func has(_ reason: Reason) -> Bool { failures[reason] != nil }

  /// Whether there are lines that `--failed` would keep.
  var isWorthKeeping: Bool { failed + unknown > (cutBytes == nil ? 0 : 1) }

  /// Whether every failed line is itself bad.
  var hasBadLinesOnly: Bool { unknown == 0 && failures.keys.allSatisfy(\.isAboutLine) }

  /// The JSON object of reasons and counts.
  var reasons: JSONValue {
    let members = failures.merging(doubts, uniquingKeysWith: +)
      .map { JSONValue.Member(key: $0.key.name, value: .integer($0.value)) }
    return .object(members.sorted { $0.key < $1.key })
  }

  /// The JSON object of `--summary`.
  func summary(seconds: Double) -> String {
    let milliseconds = Int64((seconds * 1000).rounded())
    let fraction = String(milliseconds % 1000)
    let padded = String(repeating: "0", count: 3 - fraction.count) + fraction
    return JSONValue.object([
      "lines": .integer(lines), "bytes": .integer(bytes), "delivered": .integer(delivered),
      "failed": .integer(failed), "unknown": .integer(unknown), "reasons": reasons,
      "seconds": .number("\(milliseconds / 1000).\(padded)"),
    ]).jsonText
  }

  /// A sentence for each reason, most lines first.
  ///
  /// - Parameter form: names the field that a line lacks.
  func explanations(_ form: RecordForm) -> [String] {
    func sentences(_ counts: [Reason: Int], _ word: String) -> [String] {
      counts.sorted { ($1.value, $0.key.name) < ($0.value, $1.key.name) }
        .map { "\(lineCount($0.value)) \(word): \($0.key.words)\(place(of: $0.key, form))" }
    }
    return sentences(failures, "failed") + sentences(doubts, "unknown")
  }

  /// Where to find a bad line: the field, and the number of the first line.
  private func place(of reason: Reason, _ form: RecordForm) -> String {
    var notes: [String] = []
    if reason == .noKey, case .field(let path) = form.key {
      notes.append("field \(quoted(path.joined(separator: ".")))")
    }
    if reason == .noTimestamp, let path = form.timestampField {
      notes.append("field \(quoted(path.joined(separator: ".")))")
    }
    if reason == .noTopic || reason == .badTopic, let path = form.topicField {
      notes.append("field \(quoted(path.joined(separator: ".")))")
    }
    if reason == .torn, let cutBytes { notes.append("\(cutBytes) bytes") }
    if let line = firstLines[reason], reason != .torn {
      notes.append(failures[reason] == 1 ? "line \(line)" : "the first is line \(line)")
    }
    return notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"
  }

  /// The result in one sentence.
  ///
  /// - Parameter failedPath: the file of `--failed`; unknown lines in it need a warning.
  func verdict(isDry: Bool, failedPath: String?) -> String {
    if isComplete { return "\(lineCount(lines)) \(isDry ? "read" : "delivered")" }
    var text =
      isDry
      ? "\(lines - failed) of \(lineCount(lines)) could be sent"
      : "\(delivered) of \(lineCount(lines)) delivered, \(failed) failed, \(unknown) unknown"
    if let failedPath, isWorthKeeping {
      text += "; the others are in \(quoted(failedPath))"
      if unknown > 0 { text += ", \(unknown) of them may be duplicated when sent again" }
    }
    if let cutBytes { text += "; a signal cut the last line after \(cutBytes) bytes" }
    return text
  }
}

private func lineCount(_ count: Int) -> String { count == 1 ? "1 line" : "\(count) lines" }
