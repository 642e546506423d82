import Foundation
import Testing

/// dsql between a server that sends much and a reader that takes little.
@Suite struct DsqlPressureTests {
  /// Endless rows for every query; other requests get `rest`.
  static func endless(_ rest: [DsqlStub.Step]) throws -> DsqlStub {
    let row = Array("[\"row\",1]\n".utf8)
    return try DsqlStub { request, _ in
      guard request.isQuery else { return rest }
      let head = DsqlAnswer.closeDelimited(String(DsqlAnswer.body([]).dropLast(1)))
      return [.send(head), .endless(Array(repeating: row, count: 1000).flatMap { $0 })]
    }
  }

  /// dsql in the middle of an endless answer, with a full pipe behind it.
  ///
  /// - Parameter end: what the server answers when the query is cancelled.
  private static func blocked(
    _ end: [DsqlStub.Step]
  ) throws -> (stub: DsqlStub, pipe: Pipe, child: DsqlChild) {
    let stub = try endless(end)
    let pipe = Pipe()
    let child = try DsqlChild(["-f", "csv", "-e", "SELECT 1"], url: stub.url, output: pipe)
    child.wait { pipe.isFull }
    return (stub, pipe, child)
  }

  static func isCancelled(_ stub: DsqlStub) -> Bool {
    stub.requests.contains { $0.method == "DELETE" }
  }

  /// A server without an end to its answer to dsql's own question costs neither memory nor time.
  @Test func anEndlessAnswerToItsOwnQuestion() throws {
    let row = Array("[\"\(String(repeating: "x", count: 1000))\",1]\n".utf8)
    let stub = try DsqlStub(takesOwnQuestions: true) { request, _ in
      guard request.asksForContext else { return DsqlFaultTests.rows("a", ["1", "2"]) }
      let head = DsqlAnswer.closeDelimited(String(DsqlAnswer.body([]).dropLast(1)))
      return [.send(head), .endless(Array(repeating: row, count: 1000).flatMap { $0 })]
    }
    defer { stub.stop() }
    let start = Date()
    let outcome = try DsqlAskingTests.run(
      "ulimit -v 1000000; dsql -v --csv -e 'SELECT a FROM t'", stub)
    #expect(outcome.status == 0 && outcome.output == "a\n1\n2\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("the server's default row limit is not known: reading"))
    #expect(Date().timeIntervalSince(start) < 90)
  }

  /// The reader neither reads nor leaves: the first signal cancels the query on the server, and
  /// dsql ends soon.
  @Test func aSignalEndsAWriteThatNobodyTakes() throws {
    let (stub, stuck, child) = try Self.blocked([
      .send(DsqlAnswer.error("202 Accepted", "")), .close,
    ])
    defer { stub.stop() }
    child.signal(SIGTERM)
    #expect(child.status == 1)
    #expect(Self.isCancelled(stub))
    #expect(child.errors == "dsql: interrupted: the rest of the output is discarded\n")
    withExtendedLifetime(stuck) {}
  }

  /// A reader that continues meanwhile gets whole lines, as many as the message says.
  @Test func aSlowReaderGetsWholeLinesAfterASignal() throws {
    let (stub, slow, child) = try Self.blocked([
      .send(DsqlAnswer.error("202 Accepted", "")), .close,
    ])
    defer { stub.stop() }
    child.signal(SIGINT)
    let text = String(
      decoding: try slow.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(child.status == 128 + SIGINT)
    #expect(Self.isCancelled(stub))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.first == "s,n" && lines.last == "")
    #expect(lines.dropFirst().dropLast().allSatisfy { $0 == "row,1" })
    #expect(child.errors.contains("the query is cancelled, cut after \(lines.count - 2) rows"))
  }

  /// The server does not respond to the cancellation either: the second signal ends dsql at once.
  @Test func theSecondSignalGivesUp() throws {
    let (stub, stuck, child) = try Self.blocked([.stall])
    defer { stub.stop() }
    child.signal(SIGTERM)
    // Two signals that are pending at once would count as one.
    child.wait { Self.isCancelled(stub) && child.hasTakenItsSignals }
    child.signal(SIGTERM)
    #expect(child.status == 1)
    #expect(child.errors.contains("interrupted: the rest of the output is discarded"))
    withExtendedLifetime(stuck) {}
  }

  // MARK: Long rows

  /// Rows of 16 MB: a text without and with what needs quotes or escapes, and JSON.
  static let units: [String: (type: String, start: String, unit: String, end: String)] = [
    "plain": ("VARCHAR", "", "0123456789abcde ", ""),
    "quoted": ("VARCHAR", "", "a,b\\\"c\\n012345", ""),
    "json": ("COMPLEX<json>", "[", "{\\\"a\\\":1},", "2]"),
  ]

  @Test(
    arguments: [
      ("plain", "csv"), ("quoted", "ndjson"), ("json", "ndjson"), ("plain", "table"),
    ])
  func aLongRowIsHeldOnce(kind: String, format: String) throws {
    let (type, start, unit, end) = try #require(Self.units[kind])
    let piece = Array(String(repeating: unit, count: (1 << 20) / unit.utf8.count).utf8)
    let header = "[\"s\",\"n\"]\n[\"\(type)\",\"LONG\"]\n[\"\(type)\",\"BIGINT\"]\n[\"\(start)"
    let stub = try DsqlStub { _, _ in
      [.send(DsqlAnswer.closeDelimited(header))] + Array(repeating: .send(piece), count: 16)
        + [.send(Array("\(end)\",1]\n[\"2\",987654321]\n\n".utf8)), .close]
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      python3 -c 'import resource, subprocess, sys
      status = subprocess.call(["dsql", "-f", "\(format)", "-e", "SELECT 1"], stdout=open("out", "w"))
      print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)'
      wc -c < out; tail -c 200 out | grep -c 987654321
      """, stub)
    let words = outcome.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(words.count == 4, "\(outcome.errors)")
    #expect(words[0] == 0)
    #expect(words[1] < (kind == "json" ? 57 : 44), "MiB of memory")
    #expect(words[2] > 13_000_000)
    #expect(words[3] == 1, "the next row came as well")
  }

  @Test func aRowOverTheLimit() throws {
    let text = String(repeating: "x", count: 1000)
    let stub = try DsqlStub { _, _ in
      [.send(DsqlAnswer.whole(DsqlAnswer.body(["[\"a\",1]", "[\"\(text)\",2]"]))), .keep]
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run("dsql -f csv --max-row 500 -e 'SELECT 1'", stub)
    #expect(outcome.status == 1)
    #expect(outcome.output == "s,n\na,1\n")
    #expect(
      outcome.errors == """
        dsql: -e: statement 1: the answer is cut after 1 row: the next row has more than 500 bytes
        dsql: hint: raise --max-row

        """)
  }
}
