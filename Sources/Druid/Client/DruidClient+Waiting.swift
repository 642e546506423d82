import Glibc
import Plumbing

/// Waits until messages sent to Kafka can be queried.
extension DruidClient {
  /// Waits until every supervisor that feeds one of the tables reports no lag, in a report newer than the call.
  ///
  /// A report contains the time of its lag measurement (`offsetsLastUpdated`). That time is
  /// compared with the server's own clock, because ours may differ.
  ///
  /// - Parameter start: the moment of the call.
  /// - Throws: ``DruidFailure/Kind/timedOut`` when the time is up.
  package func waitUntilCaughtUp(
    with tables: [String], since start: ContinuousClock.Instant, within limit: Duration
  ) throws {
    guard !tables.isEmpty else { return }
    let deadline = ContinuousClock.now + limit
    var pause = Duration.milliseconds(50)
    /// The time of the call, by the clock of each server that answered first.
    var call: [String: TimePoint] = [:]
    var waited: String?
    while true {
      do {
        waited = try firstBehind(tables, since: start, &call, deadline: deadline)
      } catch let failure as DruidFailure where failure.isTransient {
        waited = failure.message
      } catch let failure as DruidFailure where failure.kind == .timedOut {
        // The last request ran into the deadline, so the reason before it is more informative.
        waited = waited ?? failure.message
      }
      guard let reason = waited else { return Diagnostics.endProgress() }
      let now = ContinuousClock.now
      guard now < deadline else {
        throw DruidFailure(
          .timedOut, "not caught up within \(limit.inSeconds) s: \(reason)",
          hints: ["check the supervisor's status, or wait longer with --caught-up"])
      }
      Diagnostics.progress("waiting: \(reason)")
      try sleep(min(pause, now.duration(to: deadline)))
      pause = min(pause * 2, .seconds(1))
    }
  }

  /// The reason why the tables are not caught up; `nil` when they are.
  private func firstBehind(
    _ tables: [String], since start: ContinuousClock.Instant, _ call: inout [String: TimePoint],
    deadline: ContinuousClock.Instant
  ) throws -> String? {
    var feeds = Set<String>()
    for name in try supervisorNames(deadline: deadline) {
      let sent = ContinuousClock.now
      // A supervisor that was removed meanwhile feeds nothing.
      guard let status = try status(ofSupervisor: name, deadline: deadline),
        tables.contains(status.dataSource), status.isReader
      else { continue }
      feeds.insert(status.dataSource)
      if status.isCompleted { continue }
      if call[name] == nil, let time = status.generated {
        let since = Int64(start.duration(to: sent).inSeconds * 1000)
        call[name] = TimePoint(milliseconds: time.milliseconds - since)
      }
      if let reason = behind(status, since: call[name]) { return reason }
    }
    return try missingTable(tables.filter(feeds.contains), deadline: deadline)
  }

  private func behind(_ status: SupervisorStatus, since call: TimePoint?) -> String? {
    let name = "supervisor \(quoted(status.id))"
    if status.isSuspended { return "\(name) is suspended" }
    guard let lag = status.lag else { return "\(name) reports no lag yet (\(status.state))" }
    guard lag <= 0 else { return "\(name) is \(lag) behind (\(status.state))" }
    guard let measured = status.measured else {
      return "\(name) has not measured its lag yet (\(status.state))"
    }
    guard let call, measured >= call else { return "\(name) measured its lag before the call" }
    return nil
  }

  /// A table that a supervisor feeds but the broker does not know yet, because its first rows are
  /// new.
  private func missingTable(_ tables: [String], deadline: ContinuousClock.Instant) throws -> String?
  {
    guard !tables.isEmpty else { return nil }
    let list = tables.map { "'" + $0.doubling("'") + "'" }
    let rows = try small(
      "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME IN ("
        + list.joined(separator: ", ") + ")", deadline: deadline)
    let known = Set(rows.compactMap { $0.first?.text })
    return tables.first { !known.contains($0) }.map { "table \(quoted($0)) is not known yet" }
  }

  /// The rows of a small query of our own.
  ///
  /// - Parameters:
  ///   - parameters: the values of its `?`.
  ///   - deadline: when to give up, for a caller that retries by itself.
  ///   - timeout: the time limit of each attempt, for other callers.
  func small(
    _ sql: String, parameters: [QueryParameter] = [], deadline: ContinuousClock.Instant? = nil,
    timeout: Duration? = nil
  ) throws -> [[JSONValue]] {
    var query = Query(Statement(source: "dsql", number: 1, text: sql))
    query.timeout = timeout
    query.parameters = parameters
    var report = AnswerReport()
    let output = TooMuch()
    var rows = CollectedRows()
    if let deadline {
      try attempt(
        query, limits: AnswerLimits(), output: output, report: &report, formatter: rows,
        deadline: deadline)
    } else {
      try run(query, limits: AnswerLimits(), output: output, report: &report) {
        rows = CollectedRows()
        return rows
      }
    }
    return rows.rows
  }
}

/// Collects the answer to one of dsql's own questions.
private final class CollectedRows: RowFormatter {
  /// A larger answer, in bytes, is not one to such a question.
  private static let limit = 16 << 20

  private(set) var rows: [[JSONValue]] = []
  private var size = 0

  func begin(_ columns: [Column], into block: inout ByteBlock) {}
  func rows(
    _ lines: inout MarkedLines, of text: RawSpan, from place: inout Int, limit: Int,
    into block: inout ByteBlock
  ) -> Int { 0 }
  func row(_ line: RawSpan, _ cells: [Cell], _ range: Range<Int>, into block: inout ByteBlock) {
    for index in range { size += cells[index].end - cells[index].start }
    // What is written ends the reading.
    guard size <= Self.limit else { return block.append(UInt8(ascii: "\n")) }
    var row: [JSONValue] = []
    for index in range {
      let cell = cells[index]
      if cell.isText {
        row.append(.string(JSONText.text(line, cell)))
      } else {
        row.append((try? JSONValue(parsing: line.text(from: cell.start, to: cell.end))) ?? .null)
      }
    }
    rows.append(row)
  }
  func end(isWhole: Bool, into block: inout ByteBlock) {}
  func settle(into block: inout ByteBlock) {}
  var settles: Bool { false }
}

/// Is written to only when an answer is too large.
private final class TooMuch: AnswerOutput {
  func write(_ bytes: RawSpan) throws(SystemFailure) {
    throw SystemFailure("reading the answer to a question of dsql's own", code: EMSGSIZE)
  }
  func flush() {}
}

extension DruidFailure {
  /// Whether a server that is still starting may return this failure.
  package var isTransient: Bool {
    switch kind {
    case .unreachable: isWorthRetrying || isWorthWaitingFor
    case .notDruid, .serverFailure, .busy, .unknownTable: true
    default: false
    }
  }
}
