import Plumbing

/// Paths that only devstack has: the console, faults and the request log.
extension Router {
  func devstack(_ request: HTTPRequest, _ parts: [String]) -> HTTPResponse? {
    if parts.isEmpty {
      guard request.method == "GET" || request.method == "HEAD" else { return notAllowed("GET") }
      return console.page
    }
    guard parts.first == "devstack" else { return nil }
    switch (request.method, parts.dropFirst().joined(separator: "/")) {
    case ("GET", "state"): return json(console.state)
    case ("GET", "log"):
      return HTTPResponse(
        200, headers: [("Content-Type", "application/x-ndjson")] + Console.guards,
        text: log.lines)
    case ("GET", "faults"): return json(orders)
    case ("DELETE", "faults"):
      faults.clear()
      return json(orders)
    case ("POST", "faults"): return order(request)
    case (_, "state"), (_, "log"): return notAllowed("GET")
    case (_, "faults"): return notAllowed("GET,POST,DELETE")
    default: return HTTPResponse(404, headers: Console.guards)
    }
  }

  private var orders: JSONValue { .array(faults.all.map { Console.fault($0) }) }

  private func json(_ value: JSONValue, status: Int = 200) -> HTTPResponse {
    HTTPResponse(status, headers: Self.json + Console.guards, json: value)
  }

  private func notAllowed(_ methods: String) -> HTTPResponse {
    HTTPResponse(405, headers: [("Allow", methods)] + Console.guards)
  }

  /// Requests faults, one a line, in the syntax of `--fault`. If one is invalid, none is accepted.
  private func order(_ request: HTTPRequest) -> HTTPResponse {
    var ordered: [Fault] = []
    for line in String(decoding: request.body, as: UTF8.self).split(whereSeparator: \.isNewline) {
      do throws(UsageFailure) {
        ordered.append(try Fault(String(line), among: faultKinds))
      } catch {
        let words = ([error.message] + error.details + error.hints.map { "hint: " + $0 })
        return json(.object(["error": .string(words.joined(separator: "\n"))]), status: 400)
      }
    }
    guard !ordered.isEmpty else {
      return json(
        .object(["error": .string("expected a fault a line, such as slow=2s,x3")]), status: 400)
    }
    for fault in ordered { faults.order(fault) }
    return json(orders)
  }
}
