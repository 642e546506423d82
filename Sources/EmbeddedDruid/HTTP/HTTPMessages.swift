import Glibc
import Plumbing

/// A complete request, within the server's limits.
struct HTTPRequest: Sendable {
  var method: String
  /// The path without the query string, percent-decoded.
  var path: String
  /// The headers, with names in lower case.
  var headers: [String: String] = [:]
  var query: [String: String] = [:]
  var body: [UInt8] = []
  /// The client that waits for the response.
  var client: HTTPClient?

  var pathParts: [String] { path.split(separator: "/").map(String.init) }
}

/// The other end of a connection, valid while its request is handled.
struct HTTPClient: Sendable {
  let socket: Int32

  /// Whether it has closed or reset the connection, or closed its side of it.
  var hasClosed: Bool {
    var next: UInt8 = 0
    let count = unsafe recv(socket, &next, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    return count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
  }
}

/// The response to a request.
struct HTTPResponse {
  enum Body {
    case bytes([UInt8])
    /// A body that ends with the connection, as that of Druid's status pages.
    case untilClose([UInt8])
    /// A body that is sent in chunks as it is made.
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

  init(_ status: Int, headers: [(name: String, value: String)], text: String) {
    self.init(status, headers: headers, body: .bytes(Array(text.utf8)))
  }

  /// - Parameter headers: with the content type.
  init(_ status: Int, headers: [(name: String, value: String)], json: JSONValue) {
    self.init(status, headers: headers, text: json.jsonText)
  }
}

/// A body that is made while it is sent, on the connection's thread. It is freed when the client
/// has received all of it or is gone.
protocol HTTPStream: AnyObject {
  /// The next bytes; nil at the end.
  func next() -> [UInt8]?
}

/// A body in memory, as a stream.
final class WholeStream: HTTPStream {
  private var bytes: [UInt8]?

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func next() -> [UInt8]? {
    defer { bytes = nil }
    return bytes
  }
}
