import Foundation
import Synchronization

/// A server that sends the given answers, byte for byte, and records its requests.
final class DsqlStub: Sendable {
  struct Request: Sendable {
    let method: String
    let path: String
    let headers: String
    let body: String

    /// The JSON body of a query.
    var fields: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
    }
    var sql: String { fields["query"] as? String ?? "" }
    var context: [String: Any] { fields["context"] as? [String: Any] ?? [:] }
    var isQuery: Bool { path == "/druid/v2/sql" }
    /// Whether dsql requests the server's default context.
    var asksForContext: Bool { sql == "EXPLAIN PLAN FOR SELECT 1" }
    /// Whether dsql requests something for itself: that context, or information about an error.
    var isOwnQuestion: Bool {
      asksForContext || sql.hasSuffix("AND is_active = 1 AND is_published = 1 ")
        || sql.hasSuffix("TABLE_SCHEMA = 'druid'") || sql.contains("INFORMATION_SCHEMA.COLUMNS")
    }
  }

  enum Step: Sendable {
    case send([UInt8])
    case wait(milliseconds: UInt32)
    /// Sends nothing more until the client hangs up.
    case stall
    /// Repeats the same bytes until the client hangs up.
    case endless([UInt8])
    case reset
    case close
    /// Reads the next request on this connection.
    case keep
  }

  typealias Handler = @Sendable (_ request: Request, _ number: Int) -> [Step]

  let port: UInt16
  let isIPv6: Bool
  private let listener: Int32
  private let handler: Handler
  private let seen = Mutex<[Request]>([])
  /// Whether dsql's own queries are handled like any other; otherwise they are refused and not
  /// counted.
  private let takesOwnQuestions: Bool

  var url: String { isIPv6 ? "http://[::1]:\(port)" : "http://127.0.0.1:\(port)" }
  var requests: [Request] { seen.withLock { $0 } }

  struct Unavailable: Error {}

  init(
    port: UInt16 = 0, isIPv6: Bool = false, takesOwnQuestions: Bool = false,
    _ handler: @escaping Handler
  ) throws {
    self.handler = handler
    self.takesOwnQuestions = takesOwnQuestions
    self.isIPv6 = isIPv6
    let listener = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var yes: Int32 = 1
    unsafe setsockopt(
      listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    self.port = try isIPv6 ? Self.bindV6(listener, port) : Self.bindV4(listener, port)
    guard listen(listener, 64) == 0 else { throw Unavailable() }
    Thread.detachNewThread { [self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        Thread.detachNewThread { self.serve(client) }
      }
    }
  }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private static func bindV4(_ descriptor: Int32, _ port: UInt16) throws -> UInt16 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    try bind(descriptor, to: &address)
    return UInt16(bigEndian: address.sin_port)
  }

  private static func bindV6(_ descriptor: Int32, _ port: UInt16) throws -> UInt16 {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    address.sin6_addr = in6addr_loopback
    try bind(descriptor, to: &address)
    return UInt16(bigEndian: address.sin6_port)
  }

  /// Binds the socket, and replaces the address by the one that it got.
  private static func bind<Address>(_ descriptor: Int32, to address: inout Address) throws {
    var size = socklen_t(MemoryLayout<Address>.size)
    try unsafe withUnsafeMutablePointer(to: &address) { pointer in
      try unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard unsafe Foundation.bind(descriptor, generic, size) == 0,
          unsafe getsockname(descriptor, generic, &size) == 0
        else { throw Unavailable() }
      }
    }
  }

  private func serve(_ client: Int32) {
    defer { close(client) }
    var pending: [UInt8] = []
    while let request = read(client, &pending) {
      if request.isOwnQuestion, !takesOwnQuestions {
        guard send(client, DsqlAnswer.error("501 Not Implemented", "not here")) else { return }
        continue
      }
      let number = seen.withLock { requests in
        requests.append(request)
        return requests.count
      }
      var keeps = false
      for step in handler(request, number) {
        switch step {
        case .send(let bytes): if !send(client, bytes) { return }
        case .wait(let milliseconds): usleep(milliseconds * 1000)
        case .stall:
          var waiting = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
          _ = unsafe poll(&waiting, 1, 30_000)
          return
        case .endless(let bytes): while send(client, bytes) {}
        case .reset:
          var lingering = linger(l_onoff: 1, l_linger: 0)
          unsafe setsockopt(
            client, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
          return
        case .close: return
        case .keep: keeps = true
        }
      }
      guard keeps else { return }
    }
  }

  private func send(_ client: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  private func read(_ client: Int32, _ pending: inout [UInt8]) -> Request? {
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      if let request = Self.parse(&pending) { return request }
      let count = unsafe recv(client, &piece, piece.count, 0)
      guard count > 0 else { return nil }
      pending += piece[..<count]
    }
  }

  private static func parse(_ pending: inout [UInt8]) -> Request? {
    let data = Data(pending)
    guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { return nil }
    let headers = String(decoding: data[..<end.lowerBound], as: UTF8.self)
    let lines = headers.components(separatedBy: "\r\n")
    let length =
      lines.lazy.compactMap { line in
        line.lowercased().hasPrefix("content-length:")
          ? Int(line.dropFirst(15).trimmingCharacters(in: .whitespaces)) : nil
      }.first ?? 0
    guard data.count >= end.upperBound + length else { return nil }
    let words = lines[0].components(separatedBy: " ")
    let request = Request(
      method: words[0], path: words.count > 1 ? words[1] : "", headers: headers,
      body: String(decoding: data[end.upperBound..<end.upperBound + length], as: UTF8.self))
    pending = Array(data[(end.upperBound + length)...])
    return request
  }
}

/// Answers in Druid's format.
enum DsqlAnswer {
  static func head(
    _ status: String = "200 OK", _ fields: [String] = ["X-Druid-Response-Context: {}"]
  ) -> String {
    (["HTTP/1.1 \(status)", "Content-Type: application/json"] + fields).joined(separator: "\r\n")
      + "\r\n"
  }

  /// A complete answer with its length.
  static func whole(_ body: String, _ fields: [String] = ["X-Druid-Response-Context: {}"])
    -> [UInt8]
  {
    Array((head("200 OK", fields) + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8)
  }

  static func error(_ status: String, _ body: String) -> [UInt8] {
    Array((head(status, []) + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8)
  }

  /// An answer in chunks, the last of them empty, followed by trailers.
  static func chunked(_ body: String, trailers: [String] = [], pieces: Int = 2) -> [UInt8] {
    let bytes = Array(body.utf8)
    var out = Array((head() + "Transfer-Encoding: chunked\r\n\r\n").utf8)
    let size = max(1, (bytes.count + pieces - 1) / pieces)
    for start in stride(from: 0, to: bytes.count, by: size) {
      let piece = bytes[start..<min(bytes.count, start + size)]
      out += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
    }
    return out + Array(("0\r\n" + trailers.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
  }

  /// An answer that ends with the connection.
  static func closeDelimited(_ body: String) -> [UInt8] {
    Array((head() + "Connection: close\r\n\r\n" + body).utf8)
  }

  /// Columns `s` (VARCHAR) and `n` (BIGINT) and these rows.
  static func body(_ rows: [String]) -> String {
    (["[\"s\",\"n\"]", "[\"STRING\",\"LONG\"]", "[\"VARCHAR\",\"BIGINT\"]"] + rows)
      .joined(separator: "\n") + "\n\n"
  }

  static let two = body(["[\"a\",1]", "[\"b,\\\"c\",null]"])
  static let unknownTable =
    #"{"error":"druidException","errorCode":"invalidInput","persona":"USER","#
    + #""category":"INVALID_INPUT","errorMessage":"Object 'ecommerce' not found (line [1], "#
    + #"column [15])","context":{"sourceType":"sql","line":"1","column":"15"}}"#
}
