package import Plumbing

/// A failure to get a complete answer from Druid, with its exit status.
package struct DruidFailure: ToolFailure, Equatable {
  package enum Kind: Sendable, Equatable {
    /// No server answers. 69
    case unreachable
    /// A server answers, but not as Druid does. 69
    case notDruid
    /// The server failed at something that is not the statement's fault. 69
    case serverFailure
    /// The statement itself is wrong, whatever the HTTP status. 65
    case refused
    /// A table that the server does not know, but may know later. 65
    case unknownTable(String)
    /// No server serves the published segments of a table. 75
    case unserved(String)
    /// The server has no capacity for the query now. 75
    case busy
    /// A time limit is used up. 75
    case timedOut
    /// Credentials or permission. 77
    case denied
    /// The answer ends before its end mark. 1, or 75 when a time limit cut it.
    case cut(rows: Int, byTimeout: Bool)
    /// The answer is complete, but data were missing on the server. 1
    case missing
    /// The answer contains bytes that are not UTF-8. 1
    case garbled
    /// There are more rows than the user allowed. 1
    case limited
    /// A signal came. 1
    case interrupted
    /// The query was cancelled on the server. 1
    case cancelled
    /// A file in the settings can't be used. 74
    case unusableFile
  }

  package var kind: Kind
  package var message: String
  package var hints: [String]
  package var details: [String] = []
  /// The position in the statement that the server reported.
  package var place: Statement.Place?
  /// The HTTP status of the answer; 0 when there was none.
  var status = 0
  /// Whether a retry may help, before a byte of the answer came.
  var isWorthRetrying = false
  /// The minimum time before a retry that the server requested.
  var retryAfter = Duration.zero
  /// Whether the server is down but may start.
  var isWorthWaitingFor = false

  package init(_ kind: Kind, _ message: String, hints: [String] = []) {
    self.kind = kind
    self.message = message
    self.hints = hints
  }

  /// The column in "Column 'x' not found in any table".
  package var missingColumn: String? {
    guard let start = message.firstRange(of: "Column '"),
      let end = message[start.upperBound...].firstRange(of: "' not found in ")
    else { return nil }
    return String(message[start.upperBound..<end.lowerBound])
  }

  package var exitStatus: ExitStatus {
    switch kind {
    case .unreachable, .notDruid, .serverFailure: .unavailable
    case .refused, .unknownTable: .input
    case .busy, .timedOut, .unserved: .temporary
    case .denied: .permission
    case .cut(_, let byTimeout): byTimeout ? .temporary : .incomplete
    case .missing, .garbled, .limited, .interrupted, .cancelled: .incomplete
    case .unusableFile: .system
    }
  }
}
