import Plumbing

/// The row limit that a server applies to every query without its own limit.
package enum ServerRowLimit: Sendable, Equatable {
  case none
  case rows(Int)
  /// The server does not report it.
  case unknown
}

/// Checks for what an answer with status 200 and an end mark may still lack.
extension DruidClient {
  /// The value of `sqlOuterLimit` in the server's default context: an answer that it cut looks
  /// complete. The plan of a constant shows the context that the server uses.
  ///
  /// A query can't lift such a limit safely: 0 means no rows, and for a large number a broker
  /// reserves memory for that many rows.
  ///
  /// - Parameter timeout: how long to wait for the plan; the answer is there already.
  package func serverRowLimit(within timeout: Duration) -> ServerRowLimit {
    do {
      let rows = try small("EXPLAIN PLAN FOR SELECT 1", deadline: .now + timeout)
      guard let plan = rows.first?.compactMap(\.text).joined(separator: "\n"), !plan.isEmpty else {
        return .unknown
      }
      return ServerRowLimit(plan: plan)
    } catch {
      let reason = (error as? any ToolFailure)?.message ?? "\(error)"
      Diagnostics.verbose("the server's default row limit is not known: \(reason)")
      return .unknown
    }
  }

  /// Checks that each published segment of the statement's tables is available: an answer lacks the
  /// rows of a dead server although its status is 200.
  ///
  /// - Parameter timeout: the time limit of each query.
  package func checkCompleteness(of statement: Statement, timeout: Duration?) throws {
    for table in statement.tableNames {
      // When there is nothing to count, Druid returns no row here.
      let missing = try segments(of: table, "AND is_available = 0", timeout: timeout)
      let loading = missing > 0 ? missing : segmentsToLoad(of: table, timeout: timeout)
      guard loading > 0 else { continue }
      let all = (try? segments(of: table, "", timeout: timeout)) ?? .max
      if missing > 0, missing >= all { throw Self.unservedFailure(table, count: missing) }
      throw DruidFailure(
        .missing,
        (loading == 1
          ? "a published segment of \(quoted(table)) is not available: "
          : "\(loading) published segments of \(quoted(table)) are not available: ")
          + "rows are missing from the answer",
        hints: ["a server is down or still loading; see sys.segments"])
    }
  }

  /// The number of a table's published segments that the broker knows.
  private func segments(
    of table: String, _ condition: String, timeout: Duration?,
    deadline: ContinuousClock.Instant? = nil
  ) throws -> Int64 {
    let rows = try small(
      "SELECT COUNT(*) AS n FROM sys.segments WHERE datasource = '\(table.doubling("'"))' "
        + "AND is_active = 1 AND is_published = 1 \(condition)", deadline: deadline,
      timeout: timeout)
    return rows.first?.first?.integer ?? 0
  }

  /// The number of a table's segments that the coordinator still expects to be loaded. From Druid
  /// 37 on the broker checks segments in turns, so `sys.segments` may be older than the answer. A
  /// broker that is queried directly does not know this number.
  private func segmentsToLoad(of table: String, timeout: Duration?) -> Int64 {
    let deadline = ContinuousClock.now + min(timeout ?? .seconds(5), .seconds(5))
    let status = try? fetch("/druid/coordinator/v1/loadstatus?simple", deadline: deadline)
    return status?[table]?.integer ?? 0
  }

  /// Explains an unknown table with published segments: it exists, but no server serves it.
  func unserved(_ failure: DruidFailure, _ statement: Statement) -> DruidFailure? {
    guard case .unknownTable(let table) = failure.kind, statement.tableNames.contains(table) else {
      return nil
    }
    let deadline = ContinuousClock.now + .seconds(5)
    let count = try? segments(of: table, "", timeout: nil, deadline: deadline)
    guard let count, count > 0 else { return nil }
    return Self.unservedFailure(table, count: count)
  }

  private static func unservedFailure(_ table: String, count: Int64) -> DruidFailure {
    DruidFailure(
      .unserved(table),
      count == 1
        ? "no server serves the published segment of \(quoted(table))"
        : "no server serves any of the \(count) published segments of \(quoted(table))",
      hints: ["historical servers are down or still loading; --wait waits for them"])
  }

  /// The names of tables, or of the columns of tables, to suggest for an unknown name. Empty when
  /// the server does not report them, because a hint must not cause an error.
  package func knownNames(columnsOf tables: [String]? = nil) -> [String] {
    let list = (tables ?? []).map { "'" + $0.doubling("'") + "'" }.joined(separator: ", ")
    let sql =
      tables == nil
      ? "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'druid'"
      : "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME IN (\(list))"
    if tables?.isEmpty == true { return [] }
    let rows = (try? small(sql, deadline: .now + .seconds(2))) ?? []
    return rows.compactMap { $0.first?.text }
  }
}

extension ServerRowLimit {
  /// Finds the setting in a plan of any form: JSON, or JSON inside other text.
  init(plan: String) {
    guard let name = plan.firstRange(of: "sqlOuterLimit") else {
      self = .none
      return
    }
    let value = plan[name.upperBound...].drop { "\\\":= ".contains($0) }
    guard let rows = Int(value.prefix { $0.isASCII && $0.isNumber }) else {
      self = value.hasPrefix("null") ? .none : .unknown
      return
    }
    self = .rows(rows)
  }
}
