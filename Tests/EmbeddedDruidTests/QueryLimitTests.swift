import Foundation
import Plumbing
import TestSupport
import Testing

@testable import EmbeddedDruid
@testable import JavaValues

/// Limits of a query: its timeout applies inside functions, and so does its memory budget.
@Suite(.serialized) struct QueryLimitTests {
  /// Each of these runs for many seconds unless it is stopped.
  static let slow = [
    "SELECT COUNT(*) FROM ecommerce a WHERE STRPOS(REPEAT(country, 1000000), 'zzzz') > 0",
    "SELECT COUNT(*) FROM ecommerce WHERE REPEAT(country, 1000000) LIKE '%a%a%a%a%zz%'",
    "SELECT COUNT(*) FROM ecommerce WHERE REPEAT(country, 1000000) LIKE '%a_a%_a_%_zz%'",
    "SELECT REGEXP_LIKE(REPEAT(city, 1000000), '.*zz') FROM ecommerce",
    "SELECT ARRAY_OVERLAP(STRING_TO_ARRAY(REPEAT(country || ',', 30000), ','), "
      + "STRING_TO_ARRAY(REPEAT('b,', 30000), ',')) FROM ecommerce",
    "SELECT MAX(CHAR_LENGTH(UPPER(REPEAT(country || CAST(user_id AS VARCHAR), 1000000)))) "
      + "FROM ecommerce",
  ]

  @Test(arguments: slow)
  func theTimeLimitHoldsInsideFunctions(sql: String) throws {
    let start = ContinuousClock.now
    let answer = try HTTPServerTests.ask(sql, context: "{\"timeout\":300}")
    #expect(answer.status == 504 || answer.status == 501)
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  /// SQLite makes thousands of rows between two looks at the clock, however long they are. The answer
  /// is cut when the time is over, its transfer ends well, and its end mark is missing.
  @Test(arguments: ["REPEAT('a', 100000)", "REPEAT(country, 50000)"])
  func theTimeLimitHoldsWhileRowsAreSent(text: String) throws {
    let start = ContinuousClock.now
    let answer = try HTTPServerTests.ask(
      "SELECT \(text) AS x FROM ecommerce", context: "{\"timeout\":1000}")
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(answer.status == 200)
    #expect(answer.body.hasSuffix("\r\n0\r\n\r\n"))
    #expect(!answer.body.hasSuffix("\n\n\r\n0\r\n\r\n"))
  }

  /// The text of a collection would be larger than a text may be: it is refused before the memory
  /// is taken.
  @Test(arguments: [
    "STRING_AGG(REPEAT(country, 100000), ',', 1000000000)",
    "STRING_AGG('a', '\(String(repeating: "b", count: 10_000))', 1000000000)",
    "ARRAY_AGG(REPEAT(country, 100000), 1000000000)",
  ])
  func aCollectionIsRefusedBeforeItIsLarge(aggregate: String) throws {
    let answer = try HTTPServerTests.ask("SELECT \(aggregate) AS a FROM ecommerce")
    // The budget of a query is larger: it would be refused under that name if it had come so far.
    #expect(answer.status == 501 && answer.body.contains("A text of more than 16 MiB"))
  }

  private static var peakKilobytes: Int {
    var usage = rusage()
    _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }

  @Test(arguments: [
    "REPLACE(REPLACE(REPEAT('a', 16000000), 'a', 'bb'), 'b', 'cc')",
    "REGEXP_REPLACE(REPEAT('a', 10000000), 'a', 'bb')",
    "REPEAT('a', 10000000) || REPEAT('b', 10000000)",
    "JSON_MERGE('[\"' || REPEAT('a', 9000000) || '\"]', '[\"' || REPEAT('b', 9000000) || '\"]')",
    "TO_JSON_STRING(REPEAT('\"', 12000000))",
    "LPAD(country, 16000000) || LPAD(country, 16000000)",
    (0..<30).map { "CHAR_LENGTH(REPEAT(UPPER(REPEAT(country, 2000000)), \($0 % 2 + 1)))" }
      .joined(separator: " + "),
  ])
  func memoryIsRefusedByName(expression: String) throws {
    let sql = "SELECT \(expression) AS a FROM ecommerce WHERE country = 'DE' LIMIT 1"
    let answer = try HTTPServerTests.ask(sql)
    #expect(answer.status == 501 || answer.status == 200)
    if answer.status == 501 {
      let body = answer.body
      #expect(body.contains("MiB") || body.contains("too long"))
    }
    #expect(Self.peakKilobytes < 1_500_000)
  }

  @Test func textsAreChargedForAsLongAsTheyAreHeld() throws {
    let limits = QueryLimits { false }
    try limits.charge(QueryLimits.byteLimit)
    #expect(throws: ValueFailure.self) { try limits.charge(1) }
    limits.release(QueryLimits.byteLimit + 1)
    try limits.charge(QueryLimits.byteLimit)
  }

  /// Also without a timeout, because nobody would read the answer.
  @Test func aQueryEndsWhenItsClientHasGone() throws {
    let server = try RecordedServer.shared.get()
    let body =
      "{\"query\":\"SELECT COUNT(*) FROM ecommerce a, ecommerce b WHERE a.price * b.price < -1\","
      + "\"context\":{\"timeout\":0,\"sqlQueryId\":\"abandoned\"}}"
    let text =
      "POST /druid/v2/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    let socket = try RecordedServer.connected(to: server.server.port)
    let bytes = Array(text.utf8)
    let sent = unsafe bytes.withUnsafeBytes { unsafe send(socket, $0.baseAddress, $0.count, 0) }
    #expect(sent == bytes.count)
    #expect(Self.waits { server.queries.isUnderWay("abandoned") })
    close(socket)
    #expect(Self.waits { !server.queries.isUnderWay("abandoned") })
  }

  /// A request that a fault holds back frees its thread as soon as its client goes.
  @Test(arguments: ["hang", "slow=10m"])
  func whoHangsAndLeavesIsForgotten(fault: String) throws {
    let supervisors = try RecordedServer.shared.get().supervisors
    var ends: [Int32] = [-1, -1]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { close(ends[0]) }
    let faults = Faults()
    faults.order(try Fault(fault, among: DruidFault.kinds))
    let router = Router(
      supervisors: supervisors, queries: QueryService(supervisors), faults: faults)
    var request = HTTPRequest(method: "POST", path: "/druid/v2/sql")
    request.headers["content-type"] = "application/json"
    request.body = Array(#"{"query":"SELECT 1"}"#.utf8)
    request.client = HTTPClient(socket: ends[0])
    let other = ends[1]
    Thread {
      usleep(200_000)
      close(other)
    }.start()
    let start = ContinuousClock.now
    _ = router.answer(request)
    #expect(ContinuousClock.now - start > .milliseconds(150))
    #expect(ContinuousClock.now - start < .seconds(60))
    let status = try JSONValue(parsing: Array(router.log.lines.utf8.dropLast()))["status"]
    #expect(status == (fault == "hang" ? .null : .integer(200)))
  }

  /// Whether the condition holds within ten seconds.
  private static func waits(_ condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
      if condition() { return true }
      usleep(10_000)
    }
    return false
  }
}
