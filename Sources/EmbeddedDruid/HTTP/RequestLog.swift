import Plumbing
import Synchronization

/// The last requests and their results, for `GET /devstack/log`.
final class RequestLog: Sendable {
  /// A request and its result.
  struct Entry {
    var time: TimePoint
    var method: String
    var path: String
    var sql: String?
    var queryID: String?
    var fault: String?
    var status = 0
    var milliseconds = 0

    /// The entry as a line of NDJSON, without its newline.
    var json: String {
      var members: [JSONValue.Member] = [
        .init(key: "time", value: .string(time.iso8601)),
        .init(key: "method", value: .string(method)), .init(key: "path", value: .string(path)),
      ]
      if let sql { members.append(.init(key: "sql", value: .string(sql))) }
      if let queryID { members.append(.init(key: "queryId", value: .string(queryID))) }
      if let fault { members.append(.init(key: "fault", value: .string(fault))) }
      // A request that hangs has no status.
      members.append(.init(key: "status", value: status == 0 ? .null : .integer(status)))
      members.append(.init(key: "milliseconds", value: .integer(milliseconds)))
      return JSONValue.object(members).jsonText
    }
  }

  /// Maximum number of requests.
  static let limit = 10_000
  /// Maximum length of a stored statement, in characters.
  static let longestStatement = 4096

  private let entries = Mutex<[Entry]>([])

  func add(_ entry: Entry) {
    entries.withLock { entries in
      // Removes many entries at once, so that most requests move nothing.
      if entries.count >= 2 * Self.limit { entries.removeFirst(Self.limit) }
      entries.append(entry)
    }
  }

  /// The last requests, oldest first.
  var lines: String {
    entries.withLock { entries in
      entries.suffix(Self.limit).map { $0.json + "\n" }.joined()
    }
  }
}
