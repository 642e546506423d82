package import Plumbing

/// Offsets by partition.
typealias Offsets = [Int: Int64]

/// A supervisor's report: `GET /druid/indexer/v1/supervisor/ID/status`.
package struct SupervisorStatus: Sendable {
  package let id: String
  package let dataSource: String
  /// The topic that it reads, or a pattern of topics.
  let stream: String
  /// The more detailed of its two states, for messages.
  let state: String
  package let isSuspended: Bool
  /// Whether it has read everything it was to read, and ended: a bounded supervisor of Druid 38 and
  /// later.
  package let isCompleted: Bool
  /// Whether it reads a stream; one that compacts a table never has a lag.
  let isReader: Bool
  let lag: Int64?
  /// The time of the report, by the server's clock.
  package let generated: TimePoint?
  /// The time at which its offsets and lag were measured, by the same clock.
  package let measured: TimePoint?
  private let tasks: [JSONValue]

  init(_ report: JSONValue, id: String) {
    let payload = report["payload"] ?? .null
    self.id = id
    dataSource = payload["dataSource"]?.text ?? id
    stream = payload["stream"]?.text ?? ""
    let basicState = payload["state"]?.text
    state = payload["detailedState"]?.text ?? basicState ?? "unknown"
    isSuspended = payload["suspended"]?.bool == true
    isCompleted = basicState == "COMPLETED" || state == "COMPLETED"
    isReader =
      ["stream", "aggregateLag", "offsetsLastUpdated", "suspended"].contains { payload[$0] != nil }
    lag = payload["aggregateLag"]?.integer
    generated = report["generationTime"]?.time
    measured = payload["offsetsLastUpdated"]?.time
    tasks = ["publishingTasks", "activeTasks"].flatMap { payload[$0]?.elements ?? [] }
  }

  /// Whether it reads a topic, perhaps among others.
  func reads(_ topic: String) -> Bool {
    guard isReader else { return false }
    return stream == topic || tasks.contains { !startingOffsets(of: $0, topic).isEmpty }
  }

  /// The tasks that are reading or publishing, the older ones first.
  func runningTasks(of topic: String) -> [ReadingTask] {
    tasks.compactMap { task in
      guard let id = task["id"]?.text else { return nil }
      let starts = startingOffsets(of: task, topic)
      let reached = offsets(task["currentOffsets"], topic)
      // A task that has just begun does not report its position: it is at its start.
      return ReadingTask(id: id, starts: starts, reached: starts.merging(reached) { $1 })
    }
  }

  private func startingOffsets(of task: JSONValue, _ topic: String) -> Offsets {
    offsets(task["startingOffsets"], topic)
  }

  private func offsets(_ value: JSONValue?, _ topic: String) -> Offsets {
    Offsets(value, topic: topic, isOnlyTopic: stream == topic)
  }
}

/// What a task read of a topic.
package struct ReadingTask: Sendable, Equatable {
  let id: String
  /// The first offset of each partition.
  var starts: Offsets
  /// The next offset to read; `nil` for a finished task, whose successor shows it.
  var reached: Offsets?
  /// The outcome of what it read; `nil` when unknown.
  var counts: RowCounts?
  /// Whether it failed, so that its messages were read again.
  var hasFailed = false
}

/// The outcome of the messages that a task read.
package struct RowCounts: Sendable, Equatable {
  package var processed: Int64 = 0
  package var withErrors: Int64 = 0
  package var unparseable: Int64 = 0
  package var thrownAway: Int64 = 0

  package var total: Int64 { processed + withErrors + unparseable + thrownAway }

  package init() {}

  /// Reads `rowStats.buildSegments`, or a supervisor's `totals.buildSegments`.
  init?(_ value: JSONValue?) {
    guard let processed = value?["processed"]?.integer else { return nil }
    self.processed = processed
    withErrors = value?["processedWithError"]?.integer ?? 0
    unparseable = value?["unparseable"]?.integer ?? 0
    thrownAway = value?["thrownAway"]?.integer ?? 0
  }

  static func + (a: RowCounts, b: RowCounts) -> RowCounts {
    var sum = a
    sum.processed += b.processed
    sum.withErrors += b.withErrors
    sum.unparseable += b.unparseable
    sum.thrownAway += b.thrownAway
    return sum
  }
}

extension Offsets {
  /// Reads `{"0":17}`; a supervisor of several topics writes `{"topic:0":17}`.
  init(_ value: JSONValue?, topic: String, isOnlyTopic: Bool) {
    self.init()
    for member in value?.members ?? [] {
      guard let offset = member.value.integer else { continue }
      if isOnlyTopic, let partition = Int(member.key) {
        self[partition] = offset
      } else if member.key.hasPrefix(topic + ":"),
        let partition = Int(member.key.dropFirst(topic.count + 1))
      {
        self[partition] = offset
      }
    }
  }
}

extension JSONValue {
  fileprivate var time: TimePoint? { text.flatMap { TimePoint(rfc3339: $0) } }
}
