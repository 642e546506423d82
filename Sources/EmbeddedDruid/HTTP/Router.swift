import Glibc
import Plumbing

/// Answers requests by path, with the headers of Druid's router.
struct Router: Sendable {
  let supervisors: Supervisors
  let queries: QueryService
  let faults: Faults
  /// All faults that can be requested, including those of Kafka.
  let faultKinds: [FaultKind]
  let log = RequestLog()
  let console: Console
  /// True when the server stops, which ends hanging requests.
  let isStopping = Monitor(false)

  init(
    supervisors: Supervisors, queries: QueryService, faults: Faults = Faults(),
    faultKinds: [FaultKind] = DruidFault.kinds
  ) {
    self.supervisors = supervisors
    self.queries = queries
    self.faults = faults
    self.faultKinds = faultKinds
    console = Console(supervisors: supervisors, faults: faults)
  }

  typealias Headers = [(name: String, value: String)]

  static let json: Headers = [("Content-Type", "application/json")]
  static let vary: Headers = [("Vary", "Accept-Encoding, User-Agent")]
  static let notCached: Headers = [
    ("Cache-Control", "no-cache, no-store, max-age=0"),
    ("Content-Security-Policy", "frame-ancestors 'none'"),
  ]

  /// Answers a request, and logs it unless it is about devstack itself.
  func answer(_ request: HTTPRequest) -> HTTPResponse {
    if let answer = devstack(request, request.pathParts) { return answer }
    let start = ContinuousClock.now
    var entry = RequestLog.Entry(time: TimePoint.now, method: request.method, path: request.path)
    let answer = answer(request, &entry)
    // No status was ever sent for a request that hung.
    if entry.fault?.hasPrefix("hang") != true { entry.status = answer.status }
    entry.milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
    log.add(entry)
    return answer
  }

  private func answer(_ request: HTTPRequest, _ entry: inout RequestLog.Entry) -> HTTPResponse {
    var parts = request.pathParts
    switch (request.method, request.path) {
    case (_, "/druid/v2/sql"), (_, "/druid/v2/sql/"):
      guard request.method == "POST" else { return Self.notAllowed("POST,OPTIONS") }
      return sql(request, &entry)
    case ("GET", "/status"):
      return HTTPResponse(
        200, headers: Self.notCached + Self.json + Self.vary,
        body: .untilClose(Array(Self.status.utf8)))
    case ("GET", "/status/health"):
      return HTTPResponse(
        200, headers: Self.notCached + Self.json + Self.vary, body: .untilClose(Array("true".utf8)))
    case ("GET", "/druid/coordinator/v1/isLeader"), ("GET", "/druid/indexer/v1/isLeader"):
      return Self.found(.object(["leader": .bool(true)]))
    case ("GET", "/druid/broker/v1/loadstatus"):
      return Self.found(.object(["inventoryInitialized": .bool(true)]))
    case ("GET", "/druid/broker/v1/readiness"), ("GET", "/druid/historical/v1/readiness"):
      return HTTPResponse(200, headers: Self.notCached)
    case ("GET", "/druid/coordinator/v1/loadstatus"): return loadStatus(request)
    case ("GET", "/druid/v2/datasources"), ("GET", "/druid/coordinator/v1/datasources"),
      ("GET", "/druid/coordinator/v1/metadata/datasources"):
      // The longer forms list segments, which this server does not have.
      guard request.query["full"] == nil, request.query["simple"] == nil else {
        return HTTPResponse(404, headers: Self.notCached)
      }
      return Self.found(.array(datasources.map { .string($0) }))
    default: break
    }
    if parts.starts(with: ["druid", "indexer", "v1", "supervisor"]) {
      parts.removeFirst(4)
      return supervisor(request, parts)
    }
    if let refusal = refusal(request) { return refusal }
    if parts.starts(with: ["druid", "indexer", "v1"]),
      let answer = tasks(request, Array(parts.dropFirst(3)))
    {
      return answer
    }
    if parts.starts(with: ["druid", "v2", "sql"]), parts.count == 4 {
      guard request.method == "DELETE" else { return Self.notAllowed("DELETE,OPTIONS") }
      let isRunning = queries.cancel(parts[3])
      return HTTPResponse(isRunning ? 202 : 404, headers: Self.notCached + Self.json)
    }
    if parts.starts(with: ["druid", "v2"]), parts.count == 3 {
      return Self.notAllowed("DELETE,OPTIONS")
    }
    return HTTPResponse(404, headers: Self.notCached)
  }

  static func found(_ value: JSONValue) -> HTTPResponse {
    HTTPResponse(200, headers: notCached + json + vary, json: value)
  }

  private static func notAllowed(_ methods: String) -> HTTPResponse {
    HTTPResponse(405, headers: notCached + [("Allow", methods)])
  }

  /// The servlet container's error page, of which only the status matters.
  static func page(_ status: Int, _ message: String) -> HTTPResponse {
    let safe = message.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    let text =
      "<html>\n<head>\n<title>Error \(status) \(safe)</title>\n</head>\n<body>"
      + "<h2>HTTP ERROR \(status) \(safe)</h2>\n</body>\n</html>\n"
    return HTTPResponse(
      status,
      headers: [
        ("Cache-Control", "must-revalidate,no-cache,no-store"),
        ("Content-Type", "text/html;charset=iso-8859-1"),
      ], text: text)
  }

  private var datasources: [String] {
    supervisors.all.filter { $0.follower.state.read { $0.snapshot.rowCount > 0 } }.map(\.id)
      .sorted()
  }

  /// Reports that all segments are loaded.
  private func loadStatus(_ request: HTTPRequest) -> HTTPResponse {
    let isCount = request.query["simple"] != nil || request.query["full"] != nil
    return Self.found(
      .object(
        datasources.map { name in
          .init(key: name, value: .number(isCount ? "0" : "100.0"))
        }))
  }

  // MARK: SQL

  private func sql(_ request: HTTPRequest, _ entry: inout RequestLog.Entry) -> HTTPResponse {
    guard let type = request.headers["content-type"] else { return HTTPResponse(415) }
    let mime = type.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
    let known = ["application/json", "text/plain", "application/x-www-form-urlencoded"]
    guard known.contains(mime) else { return HTTPResponse(415) }
    var headers: Headers = []
    do {
      var query = try SQLRequest(body: request.body) { Self.freshID() }
      entry.sql = String(query.query.prefix(RequestLog.longestStatement))
      entry.queryID = query.id
      let fault = strike(request)
      entry.fault = fault?.text
      if let fault {
        if let answer = meet(fault, &query, for: request.client) { return answer }
      }
      headers = [("X-Druid-Query-Id", query.id), ("X-Druid-SQL-Query-Id", query.id)]
      if query.format.hasHeader { headers.append(("X-Druid-SQL-Header-Included", "yes")) }
      let (result, missing) = try queries.run(query, for: request.client)
      let context =
        missing.isEmpty ? JSONValue.object([]) : .object(["missingSegments": .array(missing)])
      let all = headers + [("X-Druid-Response-Context", context.jsonText)] + Self.json + Self.vary
      if let fault, fault.kind.name == "cut@bytes" {
        let body: any HTTPStream =
          switch result {
          case .whole(let bytes): WholeStream(bytes)
          case .streaming(let answer): answer
          }
        return HTTPResponse(
          200, headers: all, body: .stream(CutStream(body, after: fault.count)))
      }
      switch result {
      case .whole(let bytes): return HTTPResponse(200, headers: all, body: .bytes(bytes))
      case .streaming(let answer): return HTTPResponse(200, headers: all, body: .stream(answer))
      }
    } catch let error as DruidError {
      return HTTPResponse(
        error.status, headers: Self.json + (error.hasQueryID ? headers : []),
        json: error.body)
    } catch let error as HTMLError {
      return Self.page(error.status, error.message)
    } catch {
      return Self.page(500, "\(error)")
    }
  }

  /// The fault that applies to a request. None applies to the console's queries.
  private func strike(_ request: HTTPRequest) -> Fault? {
    guard request.headers["x-devstack-console"] == nil else { return nil }
    return faults.strike(DruidFault.target)
  }

  /// The answer of a fault in place of the query's; nil when the query is to be answered, possibly
  /// changed or delayed.
  private func meet(
    _ fault: Fault, _ query: inout SQLRequest, for client: HTTPClient?
  ) -> HTTPResponse? {
    if let answer = DruidFault.answer(fault, id: query.id) { return answer }
    DruidFault.change(&query, fault)
    switch fault.kind.name {
    case "slow": stall(client, until: .now + fault.span)
    case "hang":
      stall(client, until: nil)
      return HTTPResponse(504)
    default: break
    }
    return nil
  }

  /// Waits until `end`, or until the client has gone or the server stops.
  private func stall(_ client: HTTPClient?, until end: ContinuousClock.Instant?) {
    while ContinuousClock.now < end ?? .now + .seconds(1), client?.hasClosed != true {
      let left = end.map { Int64(($0 - .now) / .milliseconds(1)) + 1 } ?? .max
      if isStopping.wait(milliseconds: max(1, min(left, 100)), until: { $0 }) { return }
    }
  }

  /// A random version 4 UUID.
  private static func freshID() -> String {
    func hexadecimal(_ bits: UInt64, _ digits: Int) -> String {
      let text = String(bits, radix: 16)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    let high = UInt64.random(in: .min ... .max)
    let low = UInt64.random(in: .min ... .max)
    return [
      hexadecimal(high >> 32, 8), hexadecimal(high >> 16 & 0xffff, 4),
      hexadecimal(high & 0xfff | 0x4000, 4), hexadecimal(low >> 48 & 0x3fff | 0x8000, 4),
      hexadecimal(low & 0xffff_ffff_ffff, 12),
    ].joined(separator: "-")
  }

  // MARK: Supervisors

  private func supervisor(_ request: HTTPRequest, _ parts: [String]) -> HTTPResponse {
    switch (request.method, parts.count) {
    case ("POST", 0): return submit(request)
    case ("GET", 0):
      let entries = supervisors.active
      let isFull = request.query["full"] != nil
      let isState = request.query["state"].map { $0 == "true" || $0.isEmpty } ?? false
      guard isFull || isState else { return Self.found(.array(entries.map { .string($0.id) })) }
      return Self.found(.array(entries.map { SupervisorReport($0).summary(full: isFull) }))
    case ("GET", 1), ("GET", 2):
      guard let entry = supervisors.find(parts[0]) else { return Self.unknown(parts[0]) }
      let report = SupervisorReport(entry)
      switch parts.dropFirst().first {
      case nil: return Self.found(report.spec)
      case "status":
        catchUp(entry)
        return Self.found(SupervisorReport(entry).status)
      case "health":
        return HTTPResponse(
          report.isHealthy ? 200 : 503, headers: Self.notCached + Self.json + Self.vary,
          json: .object(["healthy": .bool(report.isHealthy)]))
      case "stats":
        catchUp(entry)
        return Self.found(SupervisorReport(entry).stats)
      case "parseErrors":
        catchUp(entry)
        return Self.found(SupervisorReport(entry).parseErrors)
      default: return HTTPResponse(404, headers: Self.notCached)
      }
    case ("POST", 2) where parts[1] == "resetOffsets": return resetOffsets(parts[0], request)
    case ("POST", 2): return change(parts[0], parts[1])
    case ("POST", 1):
      return changeAll(parts[0]) ?? Self.notAllowed("GET,OPTIONS")
    default: return Self.notAllowed("GET,POST,OPTIONS")
    }
  }

  /// Waits until all acknowledged messages are ingested, so that a report includes them.
  private func catchUp(_ entry: Supervisors.Entry) {
    guard !entry.isSuspended else { return }
    _ = entry.follower.catchUp(withinMilliseconds: 30_000)
  }

  private static func unknown(_ id: String) -> HTTPResponse {
    HTTPResponse(
      404, headers: notCached + [("Content-Type", "text/plain")],
      text: "Cannot find any supervisor with id: [\(id)]")
  }

  private static func refused(_ message: String) -> HTTPResponse {
    HTTPResponse(400, headers: json, json: .object(["error": .string(message)]))
  }

  private func submit(_ request: HTTPRequest) -> HTTPResponse {
    guard request.headers["content-type"]?.hasPrefix("application/json") ?? false else {
      return HTTPResponse(415)
    }
    let json: JSONValue
    do {
      json = try JSONValue(parsing: request.body)
    } catch {
      return Self.page(
        500,
        "javax.servlet.ServletException: com.fasterxml.jackson.core.JsonParseException: "
          + "\(error.reason) at byte \(error.offset)")
    }
    do {
      let id = try supervisors.submit(try IngestionSpec(json))
      return HTTPResponse(
        200, headers: Self.json + Self.vary, json: .object(["id": .string(id)]))
    } catch {
      return Self.refused(error.message)
    }
  }

  private func change(_ id: String, _ action: String) -> HTTPResponse {
    let done: Bool?
    switch action {
    case "suspend", "resume":
      done = supervisors.set(id, suspended: action == "suspend")
      if done == false {
        return Self.refused("[\(id)] is already \(action == "suspend" ? "suspended" : "running")")
      }
      if done == true, let entry = supervisors.find(id) {
        return Self.found(SupervisorReport(entry).spec)
      }
    case "terminate", "shutdown": done = supervisors.terminate(id) ? true : nil
    case "reset":
      done = supervisors.reset(id) ? true : nil
    default: return HTTPResponse(404, headers: Self.notCached)
    }
    guard done != nil else { return Self.unknown(id) }
    return Self.found(.object(["id": .string(id)]))
  }

  /// Continues reading at the offsets in the request, and keeps the existing rows.
  private func resetOffsets(_ id: String, _ request: HTTPRequest) -> HTTPResponse {
    guard let entry = supervisors.find(id) else { return Self.unknown(id) }
    let partitions = (try? JSONValue(parsing: request.body))?["partitions"]
    let topic = entry.follower.state.read { $0.spec.topic }
    guard let partitions, let wishes = partitions["partitionOffsetMap"]?.members, !wishes.isEmpty,
      (partitions["stream"] ?? partitions["topic"])?.text == topic
    else {
      return Self.refused("partitions of stream [\(topic)] with a partitionOffsetMap are wanted")
    }
    var offsets: [Int: Int64] = [:]
    for wish in wishes {
      guard let partition = Int(wish.key), let offset = wish.value.integer, offset >= 0,
        partition < entry.follower.ends?.count ?? 0
      else {
        return Self.refused("partition [\(wish.key)] can't be read from \(wish.value.jsonText)")
      }
      offsets[partition] = offset
    }
    guard supervisors.reset(id, to: offsets) else { return Self.unknown(id) }
    return Self.found(.object(["id": .string(id)]))
  }

  /// `GET /status`: the version that the answers follow.
  private static let status = """
    {"version":"33.0.0","modules":[],"memory":{"maxMemory":268435456,"totalMemory":134217728,\
    "freeMemory":45939904,"usedMemory":88277824,"directMemory":134217728}}
    """
}
