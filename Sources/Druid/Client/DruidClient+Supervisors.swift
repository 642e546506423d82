package import Plumbing

/// Reads supervisors and their tasks from the overlord's REST interface.
extension DruidClient {
  private static let supervisors = "/druid/indexer/v1/supervisor"
  /// The maximum number of tasks to search for those that read a message: a week of hourly tasks
  /// and some more.
  private static let maximumTasks = 200

  /// The names of all supervisors.
  func supervisorNames(deadline: ContinuousClock.Instant) throws -> [String] {
    do {
      let list = try fetch(Self.supervisors, deadline: deadline).elements ?? []
      return list.compactMap { $0.text ?? $0["id"]?.text }
    } catch var failure as DruidFailure where failure.kind == .denied {
      failure.hints.append(
        "--caught-up and --reconcile need permission to read supervisors; an authorizer that only "
          + "reads data may hide them")
      throw failure
    }
  }

  /// A supervisor's report; `nil` when it no longer exists.
  func status(ofSupervisor name: String, deadline: ContinuousClock.Instant) throws
    -> SupervisorStatus?
  {
    let path = Self.supervisors + "/" + name.escapedForPath + "/status"
    do {
      return SupervisorStatus(try fetch(path, deadline: deadline), id: name)
    } catch let failure as DruidFailure where failure.status == 404 {
      return nil
    }
  }

  /// The supervisors that read a topic.
  package func supervisors(
    reading topic: String, deadline: ContinuousClock.Instant
  ) throws -> [SupervisorStatus] {
    try supervisorNames(deadline: deadline).compactMap {
      try status(ofSupervisor: $0, deadline: deadline)
    }.filter { $0.reads(topic) }
  }

  /// What the tasks of a supervisor read, back to the first of the wanted messages.
  ///
  /// - Parameter finished: the finished tasks by name; what they read no longer changes.
  package func history(
    of supervisor: SupervisorStatus, topic: String, wanted: [Int: ReadingHistory.Wanted],
    finished: inout [String: ReadingTask], deadline: ContinuousClock.Instant
  ) throws -> ReadingHistory {
    let isOnlyTopic = supervisor.stream == topic
    let path = Self.supervisors + "/" + supervisor.id.escapedForPath
    let counts = Self.counts(try known(path + "/stats", deadline: deadline) ?? .null)
    var tasks = supervisor.runningTasks(of: topic)
    for index in tasks.indices {
      tasks[index].counts =
        try counts[tasks[index].id] ?? self.counts(of: tasks[index].id, deadline)
    }
    var ends = Offsets()
    if supervisor.isCompleted {
      let spec = try known(path, deadline: deadline) ?? .null
      let ioConfig = (spec["spec"] ?? spec)["ioConfig"] ?? .null
      ends = Offsets(
        ioConfig["boundedStreamConfig"]?["endSequenceNumbers"], topic: topic,
        isOnlyTopic: isOnlyTopic)
    }
    var history = ReadingHistory(tasks, ends: ends)
    guard history.isTooShort(for: wanted) else { return history }
    let list =
      try known(
        "/druid/indexer/v1/tasks?state=complete&type=index_kafka&datasource="
          + supervisor.dataSource.escapedForPath, deadline: deadline)?.elements ?? []
    let names = Set(tasks.map(\.id))
    let newestFirst = list.sorted {
      ($0["createdTime"]?.text ?? "") > ($1["createdTime"]?.text ?? "")
    }
    for entry in newestFirst.prefix(Self.maximumTasks) {
      guard let name = entry["id"]?.text, !names.contains(name) else { continue }
      let state = entry["statusCode"]?.text ?? entry["status"]?.text
      let task =
        try finished[name]
        ?? finishedTask(
          name, hasFailed: state != "SUCCESS", topic: topic, isOnlyTopic: isOnlyTopic,
          deadline: deadline)
      guard let task else {
        // A task that failed at once has no report, and read nothing that counts.
        if state == "SUCCESS" { break }
        continue
      }
      finished[name] = task
      tasks.insert(task, at: 0)
      history = ReadingHistory(tasks, ends: ends)
      guard history.isTooShort(for: wanted) else { break }
    }
    return history
  }

  /// A finished task; `nil` when its start is no longer known.
  private func finishedTask(
    _ name: String, hasFailed: Bool, topic: String, isOnlyTopic: Bool,
    deadline: ContinuousClock.Instant
  ) throws -> ReadingTask? {
    let path = "/druid/indexer/v1/task/" + name.escapedForPath
    let report = try known(path + "/reports", deadline: deadline) ?? .null
    var starts = Offsets(
      Self.firstCheckpoint(report), topic: topic, isOnlyTopic: isOnlyTopic)
    if starts.isEmpty {
      let ioConfig = try known(path, deadline: deadline)?["payload"]?["ioConfig"] ?? .null
      let numbers = ioConfig["startSequenceNumbers"]?["partitionSequenceNumberMap"]
      starts = Offsets(
        numbers ?? ioConfig["startPartitions"]?["partitionOffsetMap"], topic: topic,
        isOnlyTopic: isOnlyTopic)
    }
    guard !starts.isEmpty else { return nil }
    return ReadingTask(
      id: name, starts: starts, counts: Self.counts(report: report), hasFailed: hasFailed)
  }

  /// The offsets at which a task began: the first of the checkpoints in its context, which are JSON
  /// inside a string.
  private static func firstCheckpoint(_ report: JSONValue) -> JSONValue? {
    guard let text = report["taskContext"]?["payload"]?["checkpoints"]?.text,
      let checkpoints = try? JSONValue(parsing: text)
    else { return nil }
    return checkpoints.members?.min { (Int($0.key) ?? .max) < (Int($1.key) ?? .max) }?.value
  }

  private static func counts(report: JSONValue) -> RowCounts? {
    RowCounts(report["ingestionStatsAndErrors"]?["payload"]?["rowStats"]?["buildSegments"])
  }

  /// The counts of a supervisor's running tasks, by task group.
  private static func counts(_ stats: JSONValue) -> [String: RowCounts] {
    var counts: [String: RowCounts] = [:]
    for task in (stats.members ?? []).flatMap({ $0.value.members ?? [] }) {
      counts[task.key] = RowCounts(task.value["totals"]?["buildSegments"])
    }
    return counts
  }

  /// The counts of a running task's own report.
  private func counts(
    of task: String, _ deadline: ContinuousClock.Instant
  ) throws -> RowCounts? {
    let path = "/druid/indexer/v1/task/" + task.escapedForPath + "/reports"
    return Self.counts(report: try known(path, deadline: deadline) ?? .null)
  }

  /// Whether a supervisor rolls its rows up, and the granularity of their times; `nil` when its
  /// specification does not say.
  package func rollup(
    of supervisor: SupervisorStatus, deadline: ContinuousClock.Instant
  ) throws -> (isOn: Bool, granularity: Duration)? {
    let path = Self.supervisors + "/" + supervisor.id.escapedForPath
    guard let spec = try known(path, deadline: deadline),
      let schema = (spec["spec"] ?? spec)["dataSchema"]
    else { return nil }
    let granularity = schema["granularitySpec"] ?? .null
    let query = granularity["queryGranularity"] ?? .null
    guard let span = Self.spans[(query.text ?? query["type"]?.text ?? "none").lowercased()] else {
      return nil
    }
    return (granularity["rollup"]?.bool ?? true, span)
  }

  private static let spans: [String: Duration] = [
    "none": .zero, "second": .seconds(1), "minute": .seconds(60), "five_minute": .seconds(300),
    "ten_minute": .seconds(600), "fifteen_minute": .seconds(900), "thirty_minute": .seconds(1800),
    "hour": .seconds(3600), "six_hour": .seconds(21600), "eight_hour": .seconds(28800),
    "day": .seconds(86400),
  ]

  /// The number of a table's rows between two times, both included.
  package func count(
    of table: String, from: TimePoint, through: TimePoint, deadline: ContinuousClock.Instant
  ) throws -> Int64? {
    let name = "\"" + table.doubling("\"") + "\""
    let rows = try small(
      "SELECT COUNT(*) AS n FROM \(name) WHERE __time >= ? AND __time <= ?",
      parameters: [.timestamp(from), .timestamp(through)], deadline: deadline)
    return rows.first?.first?.integer
  }

  /// A JSON answer; `nil` when this server does not have it, because of its version or because it
  /// is gone.
  private func known(_ path: String, deadline: ContinuousClock.Instant) throws -> JSONValue? {
    do {
      return try fetch(path, deadline: deadline)
    } catch let failure as DruidFailure where failure.status != 0 && failure.kind != .busy {
      Diagnostics.verbose(failure.message)
      return nil
    }
  }

  /// A JSON answer to a GET.
  func fetch(_ path: String, deadline: ContinuousClock.Instant) throws -> JSONValue {
    let sink = CollectingSink()
    let head: HTTPHead
    do {
      head = try connection.exchange(HTTPRequest(path: path), deadline: deadline, to: sink)
    } catch let failure as TransferFailure {
      throw self.failure(of: failure)
    }
    guard head.status == 200 else {
      throw ServerError(status: head.status, body: sink.errorBody).failure(url: settings.url)
    }
    do {
      return try JSONValue(parsing: sink.body)
    } catch {
      throw DruidFailure(
        .notDruid, "\(settings.url)\(path) does not answer as Druid does: \(error.reason)")
    }
  }
}

extension String {
  /// Doubles the quotes, for use inside a quoted SQL string or name.
  func doubling(_ quote: Character) -> String {
    split(separator: quote, omittingEmptySubsequences: false).joined(separator: "\(quote)\(quote)")
  }
}
