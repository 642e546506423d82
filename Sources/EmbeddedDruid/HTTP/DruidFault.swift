import Plumbing

/// The faults of the SQL endpoint, and their effects.
///
/// `cut@bytes`, `cut@rows`, `dead-historical`, `504` and `outer-limit` follow recordings of a real
/// Druid. `missing-segments` and `429` follow Druid's documentation and source. `503+Retry-After`
/// and `html-proxy-502` are answers of proxies in front of Druid.
enum DruidFault {
  static let kinds: [FaultKind] = [
    FaultKind(
      "cut@bytes", .count(0...1 << 40), targets: targets,
      meaning: "status 200, and the HTTP body ends properly after N bytes"),
    FaultKind(
      "cut@rows", .count(0...1 << 40), targets: targets,
      meaning: "status 200, and the HTTP body ends properly after N rows, without its end mark"),
    FaultKind(
      "missing-segments", targets: targets,
      meaning: "the rows of a segment are missing, and X-Druid-Response-Context says so"),
    FaultKind(
      "dead-historical", targets: targets,
      meaning: "the rows of a segment are missing from a status 200; only sys.segments tells"),
    FaultKind("429", targets: targets, meaning: "too many queries at a time"),
    FaultKind(
      "503+Retry-After", .count(0...86_400, fallback: 1), targets: targets,
      meaning: "a proxy's status 503 that asks to retry after N seconds"),
    FaultKind("504", targets: targets, meaning: "the query's time is over before its first row"),
    FaultKind("slow", .span(), targets: targets, meaning: "the answer comes later"),
    FaultKind("hang", targets: targets, meaning: "no answer ever comes"),
    FaultKind("html-proxy-502", targets: targets, meaning: "a proxy's page instead of an answer"),
    FaultKind(
      "outer-limit", .count(0...1 << 30), targets: targets,
      meaning: "the server's default sqlOuterLimit: N rows, with the end mark in place"),
  ]

  /// The name of the requests that these faults apply to.
  static let target = "sql"
  private static let targets = [target]

  /// The answer that replaces the query's; nil when the query is answered.
  static func answer(_ fault: Fault, id: String) -> HTTPResponse? {
    switch fault.kind.name {
    case "429": return response(.capacityExceeded(), id: id)
    case "504": return response(.timeout(id), id: id)
    case "503+Retry-After":
      return HTTPResponse(
        503,
        headers: [
          ("Server", "nginx"), ("Retry-After", "\(fault.count)"), ("Content-Type", "text/html"),
        ],
        text: page("503 Service Temporarily Unavailable"))
    case "html-proxy-502":
      return HTTPResponse(
        502, headers: [("Server", "nginx"), ("Content-Type", "text/html")],
        text: page("502 Bad Gateway"))
    default: return nil
    }
  }

  private static func response(_ error: DruidError, id: String) -> HTTPResponse {
    HTTPResponse(
      error.status,
      headers: [("X-Druid-Query-Id", id), ("X-Druid-SQL-Query-Id", id)] + Router.json,
      json: error.body)
  }

  private static func page(_ title: String) -> String {
    "<html>\r\n<head><title>\(title)</title></head>\r\n<body>\r\n<center><h1>\(title)</h1></center>\r\n"
      + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
  }

  /// Changes how the query is executed, as the fault says.
  static func change(_ request: inout SQLRequest, _ fault: Fault) {
    switch fault.kind.name {
    case "cut@rows": request.fault.cutRows = fault.count
    case "missing-segments": request.fault.hidesSegment = true
    case "dead-historical":
      request.fault.hidesSegment = true
      request.fault.isSilent = true
    case "outer-limit":
      request.outerLimit = request.outerLimit ?? fault.count
      request.fault.outerLimit = fault.count
    default: break
    }
  }
}

/// The effects of a fault on a query.
struct QueryFault: Equatable {
  /// The number of rows after which the answer ends, without its end mark.
  var cutRows: Int?
  /// Whether the rows of one segment of each datasource are missing.
  var hidesSegment = false
  /// Whether the answer hides that they are missing.
  var isSilent = false
  /// The server's default `sqlOuterLimit`.
  var outerLimit: Int?
}

/// A body that is cut after a number of bytes, with a regular end of the response.
final class CutStream: HTTPStream {
  private var source: (any HTTPStream)?
  private var left: Int

  init(_ source: any HTTPStream, after count: Int) {
    self.source = source
    left = count
  }

  func next() -> [UInt8]? {
    guard left > 0, let bytes = source?.next() else {
      source = nil
      return nil
    }
    defer { left -= bytes.count }
    return bytes.count <= left ? bytes : Array(bytes.prefix(left))
  }
}
