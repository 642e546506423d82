import Foundation
import Plumbing
import Synchronization
import TestSupport
import Testing

@testable import EmbeddedDruid

@Suite struct HTTPServerTests {
  static func ask(
    _ sql: String, context: String = "{}", headers: String = "Host: localhost\r\n",
    options: String = "\"resultFormat\":\"csv\""
  ) throws -> RecordedAnswer {
    let query = JSONValue.string(sql).jsonText
    return try send(
      "POST /druid/v2/sql", "{\"query\":\(query),\(options),\"context\":\(context)}",
      headers: headers)
  }

  static func send(
    _ line: String, _ body: String = "",
    headers: String = "Host: localhost\r\n"
  ) throws -> RecordedAnswer {
    let server = try RecordedServer.shared.get().server
    let text =
      "\(line) HTTP/1.1\r\n\(headers)Connection: close\r\nContent-Type: application/json\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    return RecordedAnswer(try RecordedServer.exchange(Array(text.utf8), port: server.port))
  }

  @Test(arguments: [
    ("localhost", 200), ("localhost:8888", 200), ("127.0.0.1:1", 200), ("[::1]:8888", 200),
    ("127.1.2.3", 200), ("druid.localhost", 200), ("evil.example", 403), ("localhost.evil", 403),
    ("127.0.0.1.evil.example", 403), ("evil.example:localhost", 403),
    ("localhost:80@evil.example", 403), ("[::1].evil.example", 403), ("", 403), ("[::2]", 403),
  ])
  func onlyLoopbackNamesAreServed(_ pair: (host: String, status: Int)) throws {
    let answer = try Self.send("GET /status/health", headers: "Host: \(pair.host)\r\n")
    #expect(answer.status == pair.status)
  }

  /// Requests that a page of another origin in a browser on this machine can send are refused.
  @Test(arguments: [
    "Origin: https://evil.example\r\n", "Origin: null\r\n", "Origin: http://localhost:1\r\n",
    "Origin: http://127.0.0.1.evil.example:PORT\r\n", "Origin: https://localhost:PORT\r\n",
    "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
    "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n",
  ])
  func otherOriginsAreRefused(header: String) throws {
    let port = try RecordedServer.shared.get().server.port
    let headers = "Host: localhost\r\n" + header.replacingOccurrences(of: "PORT", with: "\(port)")
    for line in [
      "POST /druid/indexer/v1/supervisor/edge/terminate", "POST /druid/v2/sql", "GET /status",
      "DELETE /druid/v2/sql/x", "GET /druid/indexer/v1/supervisor/edge/terminate/x",
    ] {
      let answer = try Self.send(line, "{\"query\":\"SELECT 1\"}", headers: headers)
      #expect(answer.status == 403, "\(line)")
      #expect(answer.body == "requests of other origins are refused\n")
    }
    #expect(try Self.send("GET /druid/indexer/v1/supervisor").body.contains("edge"))
  }

  @Test func theOwnOriginIsServed() throws {
    let port = try RecordedServer.shared.get().server.port
    for origin in ["http://localhost:\(port)", "http://127.0.0.1:\(port)", "http://[::1]:\(port)"] {
      let answer = try Self.ask(
        "SELECT 1 AS x",
        headers: "Host: localhost\r\nOrigin: \(origin)\r\nSec-Fetch-Site: same-origin\r\n")
      #expect(answer.status == 200)
    }
  }

  @Test func nothingIsChangedByGet() throws {
    let answer = try Self.send("GET /druid/indexer/v1/supervisor/edge/terminate/x")
    #expect(answer.status == 405)
    #expect(try Self.send("GET /druid/indexer/v1/supervisor").body.contains("edge"))
  }

  @Test func largeBodiesAreRefused() throws {
    let body = "{\"query\":\"" + String(repeating: "x", count: 17 << 20) + "\"}"
    #expect(try Self.send("POST /druid/v2/sql", body).status == 413)
  }

  @Test func longAnswersAreChunkedAndWhole() throws {
    let answer = try Self.ask("SELECT * FROM ecommerce")
    #expect(answer.status == 200)
    #expect(answer.headers["transfer-encoding"] == "chunked")
    #expect(answer.headers["content-length"] == nil)
    #expect(answer.body.hasSuffix("\r\n0\r\n\r\n"))
  }

  @Test func timeIsLimited() throws {
    let answer = try Self.ask(
      "SELECT COUNT(*) FROM ecommerce a, ecommerce b WHERE a.price < b.price",
      context: "{\"timeout\":50}")
    #expect(answer.status == 504)
    #expect(answer.body.contains("\"category\":\"TIMEOUT\""))
  }

  /// Repeated, because the time between planning and running is short. An accepted cancellation
  /// ends a query at any point.
  @Test(arguments: 0..<30) func queriesAreCancelled(round: Int) throws {
    // Its own thread, because other tests may block all threads of the test library.
    let answer = Mutex<Result<RecordedAnswer, any Error>?>(nil)
    let answered = DispatchSemaphore(value: 0)
    DispatchQueue.global().async {
      let result = Result {
        try Self.ask(
          "SELECT COUNT(*) FROM ecommerce a, ecommerce b WHERE a.price < b.price",
          context: "{\"sqlQueryId\":\"long-\(round)\"}")
      }
      answer.withLock { $0 = result }
      answered.signal()
    }
    usleep(UInt32(round) * 300)
    var status = 404
    let end = ContinuousClock.now + .seconds(60)
    while status == 404, ContinuousClock.now < end {
      status = try Self.send("DELETE /druid/v2/sql/long-\(round)").status
    }
    #expect(status == 202)
    answered.wait()
    let cancelled = try #require(try answer.withLock { try $0?.get() })
    #expect(cancelled.status == 500)
    #expect(cancelled.body.contains("\"category\":\"CANCELED\""))
    #expect(try Self.send("DELETE /druid/v2/sql/long-\(round)").status == 404)
  }

  @Test(arguments: [
    ("{\"sqlQueryId\":1}", 500), ("{\"timeout\":\"abc\"}", 400),
    ("{\"sqlTimeZone\":\"../x\"}", 200),
    ("{\"sqlOuterLimit\":2}", 200), ("{\"unknown\":[1]}", 200), ("[]", 400),
  ])
  func contextsAreChecked(_ pair: (context: String, status: Int)) throws {
    #expect(
      try Self.ask("SELECT device FROM ecommerce", context: pair.context).status == pair.status)
  }

  @Test func arraysAndZonesAndDuplicates() throws {
    let native = try Self.ask(
      "SELECT ARRAY['a', 'b'] AS x, 1 AS x FROM edge WHERE id = 0",
      context: "{\"sqlStringifyArrays\":false}", options: "\"resultFormat\":\"object\"")
    #expect(native.body == "[{\"x\":[\"a\",\"b\"],\"x\":1}]\n")
    let zoned = try Self.ask(
      "SELECT TIMESTAMP '2026-07-01 00:00:00' AS t FROM edge WHERE id = 0",
      context: "{\"sqlTimeZone\":\"Europe/Berlin\"}")
    #expect(zoned.body == "2026-07-01T00:00:00.000+02:00\n\n")
  }

  /// Damaged bodies of every kind are answered, and the server does not crash.
  @Test func bodiesAreFuzzed() throws {
    let good = Array(
      """
      {"query":"SELECT ? AS a, device FROM ecommerce LIMIT 3","resultFormat":"arrayLines","header":true,\
      "parameters":[{"type":"TIMESTAMP","value":"2026-01-01 12:00:00"}],"context":{"timeout":5000}}
      """.utf8)
    let supervisors = try RecordedServer.shared.get().supervisors
    let router = Router(supervisors: supervisors, queries: QueryService(supervisors))
    Fuzzing.run("bodies") { random in
      let body = Self.damaged(good, with: "[{\"\\u0000,:}]", &random)
      var request = HTTPRequest(method: "POST", path: "/druid/v2/sql")
      request.headers["content-type"] = "application/json"
      request.body = body
      let answer = router.answer(request)
      #expect([200, 400, 500, 501, 504].contains(answer.status), "seed \(Fuzzing.seed)")
    }
  }

  /// Some bytes changed, taken out, cut off, or put in from the end of `words`.
  private static func damaged(
    _ good: [UInt8], with words: String, _ random: inout SeededGenerator
  ) -> [UInt8] {
    var body = good
    for _ in 0...random.below(4) {
      let place = random.below(body.count)
      switch random.below(4) {
      case 0: body[place] = UInt8(random.below(256))
      case 1: body.remove(at: place)
      case 2: body.insert(contentsOf: words.utf8.dropFirst(random.below(5)), at: place)
      default: body.replaceSubrange(place..., with: body.prefix(random.below(body.count)))
      }
      if body.isEmpty { body = [0] }
    }
    return body
  }

  /// Damaged orders are refused as a whole, with words that are JSON.
  @Test func ordersOfFaultsAreFuzzed() throws {
    let supervisors = try RecordedServer.shared.get().supervisors
    let good = Array(
      "cut@rows=10,x3,p=0.5,seed=7\n503+Retry-After=2,after=5s\nslow=1ms,on=sql\n".utf8)
    Fuzzing.run("orders of faults", share: 0.5) { random in
      let router = Router(supervisors: supervisors, queries: QueryService(supervisors))
      let body = Self.damaged(good, with: "=,\n\u{301}x", &random)
      var request = HTTPRequest(method: "POST", path: "/devstack/faults")
      request.body = body
      let answer = router.answer(request)
      guard case .bytes(let bytes) = answer.body else {
        Issue.record("seed \(Fuzzing.seed)")
        return
      }
      let json = try? JSONValue(parsing: bytes)
      #expect(
        answer.status == 200
          ? json?.elements?.count == router.faults.all.count && !router.faults.all.isEmpty
          : answer.status == 400 && json?["error"]?.text?.isEmpty == false
            && router.faults.all.isEmpty,
        "seed \(Fuzzing.seed)")
    }
  }

  @Test(arguments: [
    "POST /druid/v2", "POST /druid/v2/", "POST /druid/v2/sql/avatica/", "POST /druid/v2/sql/task",
    "POST /druid/v2/sql/statements", "GET /druid/v2/sql/statements/x",
    "POST /druid/indexer/v1/task",
  ])
  func saysWhatIsNotServed(_ line: String) throws {
    let answer = try Self.send(line, "{}")
    #expect(answer.status == 501)
    #expect(answer.body.contains("\"category\":\"UNSUPPORTED\""))
    #expect(answer.body.contains("devstack does not serve"))
  }

  @Test func tellsOfItsTasks() throws {
    let tasks = try Self.send("GET /druid/indexer/v1/tasks?state=running&datasource=edge")
    #expect(tasks.status == 200)
    let listed = try #require(try JSONValue(parsing: tasks.body).elements)
    #expect(listed.map { $0["dataSource"]?.text } == ["edge"])
    let id = try #require(listed.first?["id"]?.text)
    let status = try Self.send("GET /druid/indexer/v1/task/\(id)/status")
    #expect(try JSONValue(parsing: status.body)["status"]?["statusCode"]?.text == "RUNNING")
    #expect(try Self.send("GET /druid/indexer/v1/task/nope/status").status == 404)
    for path in [
      "pendingTasks", "completeTasks", "tasks?state=complete", "runningTasks?type=compact",
    ] {
      #expect(try Self.send("GET /druid/indexer/v1/\(path)").body == "[]")
    }
  }
}
