import Foundation
import Testing

/// `--caught-up` and `--follow`.
@Suite struct DsqlWaitingTests {
  static func iso(_ secondsFromNow: Double) -> String {
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    return formatter.string(from: Date(timeIntervalSinceNow: secondsFromNow))
  }

  /// A supervisor's report from a server whose clock is an hour ahead.
  static func report(table: String, lag: String, measured: Double) -> [UInt8] {
    DsqlAnswer.whole(
      #"{"id":"s","generationTime":"\#(iso(3600))","payload":{"dataSource":"\#(table)","#
        + #""aggregateLag":\#(lag),"offsetsLastUpdated":"\#(iso(3600 + measured))","#
        + #""state":"RUNNING","detailedState":"RUNNING","suspended":false}}"#)
  }

  static func stack(_ status: @escaping @Sendable (Int) -> [UInt8]) throws -> DsqlStub {
    try DsqlStub { request, number in
      switch request.path {
      case "/druid/indexer/v1/supervisor": [.send(DsqlAnswer.whole(#"["a b","other"]"#)), .keep]
      case "/druid/indexer/v1/supervisor/a%20b/status": [.send(status(number)), .keep]
      case "/druid/indexer/v1/supervisor/other/status":
        [.send(report(table: "elsewhere", lag: "99", measured: -600)), .keep]
      default:
        request.sql.contains("INFORMATION_SCHEMA")
          ? [
            .send(
              DsqlAnswer.whole(
                "[\"TABLE_NAME\"]\n[\"STRING\"]\n[\"VARCHAR\"]\n[\"ecommerce\"]\n\n")), .keep,
          ]
          : [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep]
      }
    }
  }

  static let ask = "dsql -f csv --caught-up 20s -e 'SELECT * FROM ecommerce'"

  @Test func waitsForAReportNewerThanTheCall() throws {
    // First behind, then caught up but measured before the call, then measured after it.
    let stub = try Self.stack { number in
      switch number {
      case ...3: Self.report(table: "ecommerce", lag: "5", measured: 0)
      case ...6: Self.report(table: "ecommerce", lag: "0", measured: -30)
      default: Self.report(table: "ecommerce", lag: "0", measured: 0)
      }
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(Self.ask, stub)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("s,n\n"))
    #expect(stub.requests.count { $0.path.contains("a%20b") } >= 4)
    #expect(stub.requests.last?.sql == "SELECT * FROM ecommerce")
  }

  /// On a terminal, a progress line shows what is awaited, and is removed before the rows are
  /// written.
  @Test func theProgressLineIsTakenAway() throws {
    let stub = try Self.stack { number in
      Self.report(table: "ecommerce", lag: number <= 3 ? "5" : "0", measured: 0)
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "script -qec \"stty cols 80; \(Self.ask)\" /dev/null < /dev/null",
      stub)
    #expect(outcome.output.contains("is 5 behind"), "\(outcome.output)")
    #expect(outcome.output.contains("\r\u{1b}[Ks,n\r\n"), "\(outcome.output)")
  }

  @Test(
    arguments: [
      ("5", 0.0, "is 5 behind"), ("0", -30, "measured its lag before the call"),
      ("null", 0, "reports no lag yet"),
    ]) func givesUp(lag: String, measured: Double, words: String) throws
  {
    let stub = try Self.stack { _ in
      Self.report(table: "ecommerce", lag: lag, measured: measured)
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "dsql --caught-up 1s -e 'SELECT * FROM ecommerce'", stub)
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("not caught up within 1.0 s"), "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  @Test func whatNobodyFeedsIsNotWaitedFor() throws {
    let stub = try Self.stack { _ in Self.report(table: "x", lag: "7", measured: -30) }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(Self.ask, stub)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  /// A server that hangs on our own queries does not exceed the wait, and a busy one is not retried
  /// beyond it.
  @Test(arguments: ["hangs", "busy"]) func aServerThatHangsIsNotWaitedFor(how: String) throws {
    let stub = try DsqlStub { request, number in
      switch request.path {
      case "/druid/indexer/v1/supervisor": [.send(DsqlAnswer.whole(#"["s"]"#)), .keep]
      case "/druid/indexer/v1/supervisor/s/status":
        [.send(Self.report(table: "ecommerce", lag: "0", measured: 0)), .keep]
      default:
        how == "hangs" ? [.stall] : [.send(DsqlAnswer.error("429 Too Many", "later")), .keep]
      }
    }
    defer { stub.stop() }
    try DsqlAskingTests.expectGivingUp(
      "dsql --caught-up 1s -e 'SELECT * FROM ecommerce'", stub, "not caught up within 1.0 s")
  }

  @Test func completenessHasATimeLimitToo() throws {
    let stub = try DsqlStub { request, _ in
      request.sql.contains("sys.segments")
        ? [.stall] : [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep]
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "dsql -f csv --complete --timeout 100ms -e 'SELECT * FROM t'", stub)
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("no answer within the time limit"), "\(outcome.errors)")
  }

  /// A supervisor that compacts a table has no lag to wait for.
  @Test func compactionIsNotWaitedFor() throws {
    let stub = try Self.stack { _ in
      DsqlAnswer.whole(
        #"{"id":"a b","generationTime":"\#(Self.iso(0))","payload":{"dataSource":"ecommerce","#
          + #""scheduleStatus":"RUNNING","bytesAwaitingCompaction":0,"bytesCompacted":5}}"#)
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "dsql -f csv --caught-up 1s -e 'SELECT * FROM ecommerce'", stub)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  // MARK: --follow

  static let statement = "SELECT COUNT(*) AS n FROM t WHERE __time >= ? AND __time < ?"

  /// The ends of the window that a request asks for.
  static func window(_ request: DsqlStub.Request) -> [String] {
    (request.fields["parameters"] as? [[String: Any]] ?? []).compactMap { $0["value"] as? String }
  }

  /// Answers each window with its start.
  static func windows(failing: Range<Int> = 0..<0) throws -> DsqlStub {
    try DsqlStub { request, number in
      guard request.isQuery else { return [.send(DsqlAnswer.error("202 Accepted", "")), .close] }
      if failing.contains(number) {
        // The answer breaks off.
        return [
          .send(DsqlAnswer.closeDelimited("[\"w\"]\n[\"STRING\"]\n[\"VARCHAR\"]\n[\"x\"]\n")),
          .close,
        ]
      }
      let first = window(request).first ?? ""
      return [
        .send(DsqlAnswer.whole("[\"w\"]\n[\"STRING\"]\n[\"VARCHAR\"]\n[\"\(first)\"]\n\n")), .keep,
      ]
    }
  }

  @Test func everyClosedWindowOnceOverRestarts() throws {
    let stub = try Self.windows()
    defer { stub.stop() }
    let workspace = try Commands.Workspace()
    // Ten windows of an hour; the reader leaves after the third and then after the sixth line.
    let follow =
      "dsql --follow 1h --lag 0s --since -600m --state s -f csv --no-header -e '\(Self.statement)'"
    let outcome = try Commands.run(
      "\(follow) | head -n 3 > one; \(follow) | head -n 3 > two; cat one; echo; cat two",
      in: workspace, environment: ["DRUID_URL": stub.url])
    // A reader that leaves causes no message.
    let warnings = outcome.errors.split(separator: "\n")
    #expect(warnings.allSatisfy { $0.contains("was being answered when the last run") })
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 6)
    #expect(Set(lines).count >= 5, "only the window that was being written may come twice")
    let asked = stub.requests.filter(\.isQuery).map(Self.window)
    #expect(asked.allSatisfy { $0.count == 2 && $0[0].hasSuffix(":00:00.000Z") })
    for (window, next) in zip(asked, asked.dropFirst()) {
      #expect(next[0] == window[1] || next[0] == window[0])
    }
  }

  @Test func aWindowThatFailsLeavesNoRows() throws {
    let stub = try Self.windows(failing: 2..<3)
    defer { stub.stop() }
    let workspace = try Commands.Workspace()
    let follow =
      "dsql --follow 1h --lag 0s --since -3h --state s -f csv --no-header -e '\(Self.statement)'"
    let first = try Commands.run(
      "\(follow); echo $?; cat s", in: workspace, environment: ["DRUID_URL": stub.url])
    let lines = first.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 3, "\(lines)")
    #expect(lines[1] == "1")
    #expect(first.errors.contains("cut after 1 row"))
    let asked = stub.requests.filter(\.isQuery).map(Self.window)
    // The state is the end of the window that was answered, and no window is in progress.
    #expect(lines[2] == "{\"through\":\"\(asked[0][1])\"}")
  }

  @Test func keepsGoingOverAServerThatDies() throws {
    let stub = try Self.windows(failing: 1..<2)
    defer { stub.stop() }
    let child = try DsqlChild(
      [
        "--follow", "500ms", "--lag", "0s", "--since", "-2s", "--keep-going", "-f", "csv", "-e",
        Self.statement,
      ], url: stub.url)
    child.wait { child.output.split(separator: "\n").count >= 5 }
    child.signal(SIGTERM)
    // A window failed, so dsql does not end by the signal.
    #expect(child.status == 1)
    #expect(child.errors.contains("cut after 1 row"))
    let lines = child.output.split(separator: "\n").map(String.init)
    // One header, and each window once.
    #expect(lines.first == "w")
    #expect(Set(lines).count == lines.count)
    #expect(!lines.contains("x"))
  }

  /// A Druid that is restarting may not know the table for a while; a table that it never knew is
  /// an error.
  @Test func keepsGoingOverATableThatIsGoneForAWhile() throws {
    let answers = { @Sendable (forgets: Range<Int>) throws -> DsqlStub in
      try DsqlStub { request, number in
        let answer =
          forgets.contains(number)
          ? DsqlAnswer.error("400 Bad Request", DsqlAnswer.unknownTable)
          : DsqlAnswer.whole("[\"w\"]\n[\"STRING\"]\n[\"VARCHAR\"]\n[\"\(number)\"]\n\n")
        return [.send(answer), .keep]
      }
    }
    let follow =
      "dsql --follow 100ms --lag 0s --since -1s --keep-going -f csv --no-header "
      + "-e '\(Self.statement)'"
    let stub = try answers(2..<4)
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run("\(follow) | head -n 3", stub)
    #expect(outcome.output == "1\n4\n5\n")
    #expect(outcome.errors.contains("Object 'ecommerce' not found"))
    // While it waits, no window is in progress, so a restart has nothing to warn about.
    let always = try answers(2..<999)
    defer { always.stop() }
    let restarted = try DsqlAskingTests.run(
      "timeout 1 \(follow) --state s; timeout 1 \(follow) --state s; cat s", always)
    #expect(!restarted.errors.contains("twice"), "\(restarted.errors)")
    #expect(!restarted.output.contains("running"), "\(restarted.output)")
    let never = try answers(1..<9)
    defer { never.stop() }
    #expect(try DsqlAskingTests.run(follow, never).status == 1)
  }

  @Test func aKillInMidWindowIsSaid() throws {
    let stub = try DsqlStub { _, _ in [.stall] }
    defer { stub.stop() }
    let state = FileManager.default.temporaryDirectory
      .appendingPathComponent("dsql-\(UUID().uuidString)").path
    defer { _ = unsafe unlink(state) }
    let arguments = [
      "--follow", "1h", "--lag", "0s", "--since", "-3h", "--state", state, "-e", Self.statement,
    ]
    let first = try DsqlChild(arguments, url: stub.url)
    first.wait { !stub.requests.isEmpty }
    first.signal(SIGKILL)
    #expect(first.status == 128 + SIGKILL)
    let second = try DsqlChild(arguments, url: stub.url)
    second.wait { stub.requests.count > 1 }
    second.signal(SIGINT)
    #expect(second.status == 128 + SIGINT)
    #expect(second.errors.contains("its rows may come twice"))
    let asked = stub.requests.filter(\.isQuery).map(Self.window)
    #expect(asked[0] == asked[1])
  }

  /// Each window needs a report that is newer than its end; one report covers all windows that
  /// ended long ago.
  @Test(arguments: [("1h", "-3h", "sss??"), ("300ms", "now", "sss?sss?")])
  func followsWhatIsCaughtUp(length: String, since: String, order: String) throws {
    let stub = try Self.stack { _ in Self.report(table: "ecommerce", lag: "0", measured: 0) }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "dsql --follow \(length) --lag 0s --since \(since) --caught-up 9s -f csv --no-header "
        + "-e 'SELECT * FROM ecommerce WHERE ? < ?' | head -n 3", stub)
    #expect(outcome.output == "a,1\n\"b,\"\"c\",\na,1\n")
    let asked = stub.requests.map { $0.isQuery ? $0.sql.contains("?") ? "?" : "t" : "s" }
    let text = asked.filter { $0 != "t" }.joined()
    #expect(text.hasPrefix(order), "\(text)")
  }

  /// The state of a run with another window length: the rest of the old window comes first, and no
  /// row is repeated.
  @Test func aStateInsideAWindow() throws {
    let stub = try Self.windows()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      echo '{"through":"2026-01-31T10:20:00.000Z"}' > s
      dsql --follow 1h --lag 0s --state s -f csv --no-header -e '\(Self.statement)' | head -n 2
      """, stub)
    #expect(outcome.output == "2026-01-31T10:20:00.000Z\n2026-01-31T11:00:00.000Z\n")
    #expect(
      stub.requests.prefix(2).map(Self.window).map(\.last) == [
        "2026-01-31T11:00:00.000Z", "2026-01-31T12:00:00.000Z",
      ])
  }

  @Test func aStateAheadOfTheClock() throws {
    let stub = try Self.windows()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      echo '{"through":"2999-01-31T10:00:00.000Z"}' > s
      timeout 4 dsql --follow 1h --state s -e '\(Self.statement)'
      """, stub)
    #expect(outcome.errors.contains("--state is ahead of the clock"), "\(outcome.errors)")
    #expect(stub.requests.isEmpty)
  }

  /// Two runs with one state would write each window twice.
  @Test func aStateIsUsedByOneRunAtATime() throws {
    let stub = try Self.windows()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      dsql --follow 1h --lag 0s --since -2h --state s -e '\(Self.statement)' > /dev/null & first=$!
      until test -s s; do sleep 0.05; done
      dsql --follow 1h --lag 0s --since -2h --state s -e '\(Self.statement)'; echo $?
      kill $first; wait; grep -c through s
      """, stub)
    #expect(outcome.output == "75\n1\n", "\(outcome.output)")
    #expect(outcome.errors.contains("--state: 's' is used by another run"), "\(outcome.errors)")
  }

  @Test func aStateThatIsNone() throws {
    let stub = try Self.windows()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "echo nonsense > s; dsql --follow 1h --state s -e '\(Self.statement)'", stub)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("'s' is not a state file of dsql"))
  }
}
