import Glibc

/// A request as a handler sees it: whole, and never larger than the server's limit.
struct HTTPRequest: Sendable {
  var method: String
  /// The path without the query string, percent-decoded.
  var path: String
  /// Names in lower case.
  var headers: [String: String] = [:]
  var query: [String: String] = [:]
  var body: [UInt8] = []
  /// Who waits for the answer.
  var client: HTTPClient?

  var pathParts: [String] { path.split(separator: "/").map(String.init) }
}

/// The other end of a connection, as long as its request is worked on.
struct HTTPClient: Sendable {
  let socket: Int32

  /// Whether it has closed the connection, or at least its side of it.
  var hasClosed: Bool {
    var next: UInt8 = 0
    return unsafe recv(socket, &next, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
  }
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
