import Plumbing

/// Waiting until what was sent to Kafka can be asked for.
extension DruidClient {
  /// Waits until every supervisor that feeds one of the tables reports no lag, in a report newer than the call.
  ///
  /// A report says when its lag was measured (`offsetsLastUpdated`); that moment is compared with the server's own
  /// clock, since ours may differ.
  ///
  /// - Parameter start: the moment of the call.
  /// - Throws: ``DruidFailure/Kind/timedOut`` when the time is up.
  package func waitUntilCaughtUp(
    with tables: [String], since start: ContinuousClock.Instant, within limit: Duration
  ) throws {
    guard !tables.isEmpty else { return }
    let deadline = ContinuousClock.now + limit
    var pause = Duration.milliseconds(50)
    /// The moment of the call by each server clock that answered first.
    var call: [String: TimePoint] = [:]
    var waited: String?
    while true {
      do {
        waited = try firstBehind(tables, since: start, &call, deadline: deadline)
      } catch let failure as DruidFailure where failure.isTransient {
        waited = failure.message
      } catch let failure as DruidFailure where failure.kind == .timedOut {
        // The last request ran into the deadline: what was seen before says more.
        waited = waited ?? failure.message
      }
      guard let reason = waited else { return Diagnostics.endProgress() }
      let now = ContinuousClock.now
      guard now < deadline else {
        throw DruidFailure(
          .timedOut, "not caught up within \(limit.inSeconds) s: \(reason)",
          hints: ["ask the supervisor's status, or wait longer with --caught-up"])
      }
      Diagnostics.progress("waiting: \(reason)")
      try sleep(min(pause, now.duration(to: deadline)))
      pause = min(pause * 2, .seconds(1))
    }
  }

  /// Why the tables are not caught up; `nil` when they are.
  private func firstBehind(
    _ tables: [String], since start: ContinuousClock.Instant, _ call: inout [String: TimePoint],
    deadline: ContinuousClock.Instant
  ) throws -> String? {
    let path = "/druid/indexer/v1/supervisor"
    let names = try fetch(path, deadline: deadline).elements ?? []
    var feeds = Set<String>()
    for name in names {
      guard let identifier = name.text ?? name["id"]?.text else { continue }
      let sent = ContinuousClock.now
      let report = try fetch(
        path + "/" + identifier.escapedForPath + "/status", deadline: deadline)
      let payload = report["payload"] ?? .null
      let table = payload["dataSource"]?.text ?? identifier
      guard tables.contains(table), payload.isOfReader else { continue }
      feeds.insert(table)
      if call[identifier] == nil, let time = report.time("generationTime") {
        let since = Int64(start.duration(to: sent).inSeconds * 1000)
        call[identifier] = TimePoint(milliseconds: time.milliseconds - since)
      }
      if let reason = behind(identifier, payload, since: call[identifier]) { return reason }
    }
    return try missingTable(tables.filter(feeds.contains), deadline: deadline)
  }

  private func behind(_ name: String, _ payload: JSONValue, since call: TimePoint?) -> String? {
    let state = payload["detailedState"]?.text ?? payload["state"]?.text ?? "unknown"
    if payload["suspended"]?.bool == true { return "supervisor \(quoted(name)) is suspended" }
    guard let lag = payload["aggregateLag"]?.integer else {
      return "supervisor \(quoted(name)) reports no lag yet (\(state))"
    }
    guard lag <= 0 else { return "supervisor \(quoted(name)) is \(lag) behind (\(state))" }
    guard let measured = payload.time("offsetsLastUpdated") else {
      return "supervisor \(quoted(name)) has not measured its lag yet (\(state))"
    }
    guard let call, measured >= call else {
      return "supervisor \(quoted(name)) measured its lag before the call"
    }
    return nil
  }

  /// A table that is fed but not known to the broker yet: its first rows were read a moment ago.
  private func missingTable(_ tables: [String], deadline: ContinuousClock.Instant) throws -> String?
  {
    guard !tables.isEmpty else { return nil }
    let list = tables.map {
      "'"
        + $0.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "''") + "'"
    }
    let rows = try small(
      "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME IN ("
        + list.joined(separator: ", ") + ")", deadline: deadline)
    let known = Set(rows.compactMap { $0.first?.text })
    return tables.first { !known.contains($0) }.map { "table \(quoted($0)) is not known yet" }
  }

  /// A JSON answer to a GET.
  private func fetch(_ path: String, deadline: ContinuousClock.Instant) throws -> JSONValue {
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

  /// The rows of a small question of our own.
  ///
  /// - Parameters:
  ///   - deadline: when to give up, for a caller who asks again by itself.
  ///   - timeout: the time limit of each attempt, for a caller who does not.
  private func small(
    _ sql: String, deadline: ContinuousClock.Instant? = nil, timeout: Duration? = nil
  ) throws -> [[JSONValue]] {
    var query = Query(Statement(source: "dsql", number: 1, text: sql))
    query.timeout = timeout
    let output = CollectedOutput()
    var report = AnswerReport()
    var format = FormatOptions(format: .json)
    format.hasHeader = false
    if let deadline {
      try attempt(query, format: format, output: output, report: &report, deadline: deadline)
    } else {
      try run(query, format: format, output: output, report: &report)
    }
    let rows = try? JSONValue(parsing: output.bytes)
    return rows?.elements?.map { row in (row.members ?? []).map(\.value) } ?? []
  }

  /// Checks that each published segment of the statement's tables is available: a dead server's rows vanish from an
  /// answer whose status is 200.
  ///
  /// - Parameter timeout: the time limit of each question.
  package func checkCompleteness(of statement: Statement, timeout: Duration?) throws {
    for table in statement.tableNames {
      let name = table.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "''")
      // With nothing to count Druid gives no row here.
      let rows = try small(
        "SELECT COUNT(*) AS n FROM sys.segments WHERE datasource = '\(name)' AND is_active = 1 "
          + "AND is_published = 1 AND is_available = 0", timeout: timeout)
      guard let missing = rows.first?.first?.integer, missing > 0 else { continue }
      throw DruidFailure(
        .missing,
        "\(missing) published segments of \(quoted(table)) are not available: "
          + "rows are missing from the answer",
        hints: ["a server is down or still loading; see sys.segments"])
    }
  }
}

/// Keeps what is written.
private final class CollectedOutput: AnswerOutput {
  private var block = ByteBlock(capacity: 4096)
  var bytes: [UInt8] { block.array }

  func write(_ bytes: RawSpan) { block.append(bytes) }
  func flush() {}
}

extension JSONValue {
  /// Whether this report is of a supervisor that reads a stream: one that compacts a table has no lag, ever.
  fileprivate var isOfReader: Bool {
    ["stream", "aggregateLag", "offsetsLastUpdated", "suspended"].contains { self[$0] != nil }
  }

  fileprivate func time(_ key: String) -> TimePoint? {
    self[key]?.text.flatMap { TimePoint(rfc3339: $0) }
  }
}

extension DruidFailure {
  /// Whether a server that is just starting may say so.
  fileprivate var isTransient: Bool {
    switch kind {
    case .unreachable: isWorthRetrying || isWorthWaitingFor
    case .notDruid, .serverFailure, .busy, .unknownTable: true
    default: false
    }
  }
}
