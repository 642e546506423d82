package import Plumbing

/// Whatever keeps a question to Druid from its whole answer, and how the process should end.
package struct DruidFailure: ToolFailure, Equatable {
  package enum Kind: Sendable, Equatable {
    /// Nobody answers there. 69
    case unreachable
    /// Somebody answers, but not as Druid does. 69
    case notDruid
    /// The server failed at something that is not the statement's fault. 69
    case serverFailure
    /// The statement itself is at fault, whatever the HTTP status. 65
    case refused
    /// A table that the server does not know: it may still come. 65
    case unknownTable(String)
    /// No server serves the published segments of a table. 75
    case unserved(String)
    /// No room for the query now. 75
    case busy
    /// A time limit is used up. 75
    case timedOut
    /// Credentials or permission. 77
    case denied
    /// The answer ends before its end mark. 1, or 75 when a time limit cut it
    case cut(rows: Int, byTimeout: Bool)
    /// The answer is whole as it stands, but data were missing on the server. 1
    case missing
    /// The answer has bytes that are not UTF-8. 1
    case garbled
    /// There are more rows than the caller wanted. 1
    case limited
    /// A signal came. 1
    case interrupted
    /// Somebody cancelled the query. 1
    case cancelled
    /// A file that the settings name can't be used. 74
    case unusableFile
  }

  package var kind: Kind
  package var message: String
  package var hints: [String]
  package var details: [String] = []
  /// The place in the statement that the server named.
  package var place: Statement.Place?
  /// The HTTP status of the answer that it comes from; 0 when there was none.
  package var status = 0
  /// Whether asking again may help, before a byte of the answer came.
  package var isWorthRetrying = false
  /// How long the server wants to be left alone.
  package var retryAfter = Duration.zero
  /// Whether the server is down but may start.
  package var isWorthWaitingFor = false

  package init(_ kind: Kind, _ message: String, hints: [String] = []) {
    self.kind = kind
    self.message = message
    self.hints = hints
  }

  /// The column of "Column 'x' not found in any table".
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
