/// A request as a handler sees it: whole, and never larger than the server's limit.
struct HTTPRequest: Sendable {
  var method: String
  /// The path without the query string, percent-decoded.
  var path: String
  /// Names in lower case.
  var headers: [String: String] = [:]
  var query: [String: String] = [:]
  var body: [UInt8] = []

  var pathParts: [String] { path.split(separator: "/").map(String.init) }
}

/// An answer to a request.
struct HTTPResponse {
  enum Body {
    case bytes([UInt8])
    /// The connection's end is the body's end, as Druid's status pages have it.
    case untilClose([UInt8])
    /// Sent in chunks as it comes.
    case stream(any HTTPStream)
  }

  var status: Int
  var headers: [(name: String, value: String)]
  var body: Body

  init(_ status: Int, headers: [(name: String, value: String)] = [], body: Body = .bytes([])) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// A body that is made while it is sent, on the connection's thread; freed when the client has it all or has gone.
protocol HTTPStream: AnyObject {
  /// The next bytes; nil at the end.
  func next() -> [UInt8]?
}
