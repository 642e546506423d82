import Plumbing

/// A supervisor's state for the REST interface and `sys.supervisors`.
struct SupervisorReport {
  private let entry: Supervisors.Entry
  private let follower: Follower.State
  private let ends: [Int64]?

  /// Reads the topic's current offsets, so that lag and `offsetsLastUpdated` are up to date.
  init(_ entry: Supervisors.Entry) {
    self.entry = entry
    ends = entry.follower.ends
    follower = entry.follower.state.read { $0 }
  }

  var topic: String { follower.spec.topic }
  var spec: JSONValue { follower.spec.json }
  var isHealthy: Bool { follower.failure == nil }

  var state: String {
    if entry.isSuspended { return "SUSPENDED" }
    return isHealthy ? "RUNNING" : "UNHEALTHY_SUPERVISOR"
  }

  var detailedState: String {
    if entry.isSuspended { return "SUSPENDED" }
    if !isHealthy { return "LOST_CONTACT_WITH_STREAM" }
    return ends == nil ? "CONNECTING_TO_STREAM" : "RUNNING"
  }

  private func byPartition(_ numbers: [Int64]) -> JSONValue {
    .object(
      numbers.enumerated().map { partition, number in
        .init(key: String(partition), value: .integer(number))
      })
  }

  private var lag: [Int64] {
    (ends ?? []).enumerated().map { partition, end in
      let position =
        partition < follower.positions.count ? follower.positions[partition] ?? 0 : 0
      return max(0, end - position)
    }
  }

  private var errors: JSONValue {
    var reasons = follower.recentErrors
    if let failure = follower.failure { reasons.append(failure) }
    if ends == nil, !entry.isSuspended {
      reasons.append("No partitions found for stream [\(topic)]")
    }
    return .array(
      reasons.map { reason in
        .object([
          "timestamp": .string(TimePoint.now.iso8601),
          "exceptionClass": .string("org.apache.druid.java.util.common.ISE"),
          "message": .string(reason), "streamException": .bool(true),
        ])
      })
  }

  /// `GET .../status`.
  var status: JSONValue {
    let positions = follower.positions.map { $0 ?? 0 }
    let task = JSONValue.object([
      "id": .string(follower.taskID), "startingOffsets": byPartition(follower.starts),
      "startTime": .string(follower.startTime.iso8601), "remainingSeconds": .integer(600),
      "type": .string("ACTIVE"), "currentOffsets": byPartition(positions), "lag": byPartition(lag),
    ])
    let isActive = !entry.isSuspended && ends != nil && isHealthy
    return .object([
      "id": .string(entry.id), "generationTime": .string(TimePoint.now.iso8601),
      "payload": .object([
        "dataSource": .string(entry.id), "stream": .string(topic),
        "partitions": .integer(ends?.count ?? 0), "replicas": .integer(1),
        "durationSeconds": .integer(600), "activeTasks": .array(isActive ? [task] : []),
        "publishingTasks": .array([]), "latestOffsets": byPartition(ends ?? []),
        "minimumLag": byPartition(lag), "aggregateLag": .integer(lag.reduce(0, +)),
        "offsetsLastUpdated": .string(TimePoint.now.iso8601), "suspended": .bool(entry.isSuspended),
        "healthy": .bool(isHealthy), "state": .string(state),
        "detailedState": .string(detailedState), "recentErrors": errors,
      ]),
    ])
  }

  /// `GET .../stats`.
  var stats: JSONValue {
    let counters = follower.counters
    let totals = JSONValue.object([
      "processed": .integer(counters.processed),
      "processedBytes": .integer(counters.processedBytes),
      "processedWithError": .integer(counters.processedWithError),
      "thrownAway": .integer(counters.thrownAway), "unparseable": .integer(counters.unparseable),
    ])
    return .object([
      "0": .object([
        .init(
          key: follower.taskID,
          value: .object([
            "movingAverages": .object([]),
            "totals": .object(["buildSegments": totals]),
          ]))
      ])
    ])
  }

  /// `GET .../parseErrors`: newest first.
  var parseErrors: JSONValue {
    .array(
      follower.parseErrors.reversed().map { error in
        .object([
          "timeOfExceptionMillis": .integer(error.time.milliseconds), "input": .string(error.input),
          "errorType": .string("unparseable"), "details": .array([.string(error.reason)]),
        ])
      })
  }

  /// `GET ...?full` and `?state=true`: an element of the list.
  func summary(full: Bool) -> JSONValue {
    var members: [JSONValue.Member] = [.init(key: "id", value: .string(entry.id))]
    members.append(.init(key: "state", value: .string(state)))
    members.append(.init(key: "detailedState", value: .string(detailedState)))
    members.append(.init(key: "healthy", value: .bool(isHealthy)))
    members.append(.init(key: "suspended", value: .bool(entry.isSuspended)))
    if full { members.append(.init(key: "spec", value: spec)) }
    return .object(members)
  }
}
