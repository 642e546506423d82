import Plumbing

/// The overlord's tasks. Each running supervisor has one task, which does not end.
extension Router {
  /// `/druid/indexer/v1/tasks` and its variants, and `/task/ID/status`.
  func tasks(_ request: HTTPRequest, _ parts: [String]) -> HTTPResponse? {
    guard request.method == "GET" else { return nil }
    switch (parts.first, parts.count) {
    case ("tasks", 1):
      let state = request.query["state"].map { $0.isEmpty ? "running" : $0 } ?? "running"
      guard ["pending", "waiting", "running", "complete"].contains(state) else {
        return HTTPResponse(404, headers: Self.notCached)
      }
      return Self.found(.array(state == "running" ? running(request) : []))
    case ("runningTasks", 1): return Self.found(.array(running(request)))
    case ("pendingTasks", 1), ("waitingTasks", 1), ("completeTasks", 1):
      return Self.found(.array([]))
    case ("task", 2...3):
      guard let entry = reading.first(where: { Self.task(of: $0).id == parts[1] }) else {
        return nil
      }
      let id = JSONValue.Member(key: "task", value: .string(parts[1]))
      guard parts.count == 3 else { return nil }
      switch parts[2] {
      case "status":
        return Self.found(.object([id, .init(key: "status", value: status(of: entry))]))
      default: return nil
      }
    default: return nil
    }
  }

  private var reading: [Supervisors.Entry] { supervisors.active.filter { !$0.isSuspended } }

  private static func task(of entry: Supervisors.Entry) -> (id: String, start: TimePoint) {
    entry.follower.state.read { ($0.taskID, $0.startTime) }
  }

  private func running(_ request: HTTPRequest) -> [JSONValue] {
    guard request.query["type"].map({ $0 == "index_kafka" }) ?? true else { return [] }
    return reading.filter { request.query["datasource"].map { [id = $0.id] in id == $0 } ?? true }
      .map { status(of: $0) }
  }

  private func status(of entry: Supervisors.Entry) -> JSONValue {
    let task = Self.task(of: entry)
    return .object([
      "id": .string(task.id), "groupId": .string("index_kafka_\(entry.id)"),
      "type": .string("index_kafka"), "createdTime": .string(task.start.iso8601),
      "queueInsertionTime": .string("1970-01-01T00:00:00.000Z"),
      "statusCode": .string("RUNNING"), "status": .string("RUNNING"),
      "runnerStatusCode": .string("RUNNING"), "duration": .integer(-1),
      "location": .object([
        "host": .string("127.0.0.1"), "port": .integer(8100), "tlsPort": .integer(-1),
      ]),
      "dataSource": .string(entry.id), "errorMsg": .null,
    ])
  }

  /// Refuses what a real Druid supports and this one does not, because a plain 404 would look like
  /// a wrong address.
  func refusal(_ request: HTTPRequest) -> HTTPResponse? {
    let path = request.path.hasSuffix("/") ? String(request.path.dropLast()) : request.path
    let what: String?
    switch path {
    case "/druid/v2", "/druid/v2/candidates": what = "native queries"
    case "/druid/v2/sql/avatica", "/druid/v2/sql/avatica-protobuf": what = "JDBC (Avatica)"
    case "/druid/v2/sql/task": what = "tasks made of SQL"
    case "/druid/indexer/v1/task", "/druid/indexer/v1/sampler": what = "tasks"
    default: what = path.hasPrefix("/druid/v2/sql/statements") ? "statements without waiting" : nil
    }
    guard let what, request.method == "POST" || path.hasPrefix("/druid/v2/sql/statements") else {
      return nil
    }
    let error = DruidError.unsupported("devstack does not serve \(what); POST /druid/v2/sql does")
    return HTTPResponse(error.status, headers: Self.json, json: error.body)
  }

  /// `POST /druid/indexer/v1/supervisor/suspendAll` and similar.
  func changeAll(_ action: String) -> HTTPResponse? {
    guard ["suspendAll", "resumeAll", "terminateAll"].contains(action) else { return nil }
    for entry in supervisors.active {
      if action == "terminateAll" {
        _ = supervisors.terminate(entry.id)
      } else {
        _ = supervisors.set(entry.id, suspended: action == "suspendAll")
      }
    }
    return Self.found(.object(["status": .string("success")]))
  }
}
