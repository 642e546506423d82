import Foundation
import Testing

/// dsql's requests, and its handling of errors.
@Suite struct DsqlAskingTests {
  static func run(
    _ script: String, _ stub: DsqlStub, _ more: [String: String] = [:]
  ) throws -> Commands.Outcome {
    try Commands.run(
      script, in: Commands.Workspace(), environment: ["DRUID_URL": stub.url].merging(more) { $1 })
  }

  /// Expects a status and words of dsql for an answer that is an error.
  static func expect(
    _ exit: Int32, _ words: String, for status: String, _ body: String
  ) throws {
    let stub = try Self.answering([.send(DsqlAnswer.error(status, body)), .keep])
    defer { stub.stop() }
    let outcome = try Self.run("dsql --retry 0s -e 'SELECT 1'", stub)
    #expect(outcome.status == exit, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  /// Expects that a limit of a second ends the command, and what it says.
  static func expectGivingUp(_ script: String, _ stub: DsqlStub, _ words: String) throws {
    let start = ContinuousClock.now
    let outcome = try run(script, stub)
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(start.duration(to: .now) < .seconds(60))
  }

  static func answering(_ steps: [DsqlStub.Step]) throws -> DsqlStub {
    try DsqlStub { _, _ in steps }
  }

  @Test(arguments: [
    ("dsql <&-", "bad file descriptor"), ("dsql < /", "is a directory"),
  ])
  func standardInputThatCannotBeRead(_ script: String, _ reason: String) throws {
    let stub = try Self.answering([.keep])
    defer { stub.stop() }
    let outcome = try Self.run(script, stub)
    #expect(outcome.status == 74)
    #expect(outcome.errors == "dsql: reading standard input: \(reason)\n")
  }

  @Test func statementsSettingsAndParameters() throws {
    let stub = try DsqlStub { _, _ in [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep] }
    defer { stub.stop() }
    let outcome = try Self.run(
      """
      printf 'SELECT 1;\\nSET a = 2; -- SET b = 3;\\nSELECT ?, ? FROM t;;' > q.sql
      dsql -c a=1 -c 'l=[1,2]' --exact --time-zone Europe/Berlin --timeout 1500ms \\
        -p int:7 -p "it's" -f csv --no-header q.sql - < /dev/null
      """, stub)
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    #expect(outcome.output == "a,1\n\"b,\"\"c\",\n\na,1\n\"b,\"\"c\",\n")
    let requests = stub.requests
    #expect(requests.map(\.sql) == ["SELECT 1", "SELECT ?, ? FROM t"])
    #expect(requests.allSatisfy { $0.headers.contains("Content-Type: application/json") })
    let first = requests[0].context
    #expect(first["a"] as? Int == 1)
    #expect(first["l"] as? [Int] == [1, 2])
    #expect(first["useApproximateCountDistinct"] as? Bool == false)
    #expect(first["useApproximateTopN"] as? Bool == false)
    #expect(first["sqlTimeZone"] as? String == "Europe/Berlin")
    #expect(first["timeout"] as? Int == 1500)
    #expect(requests[0].fields["parameters"] == nil)
    #expect(requests[1].context["a"] as? Int == 2)
    #expect(requests[1].context["b"] == nil)
    let parameters = requests[1].fields["parameters"] as? [[String: Any]]
    #expect(parameters?[0]["value"] as? Int == 7)
    #expect(parameters?[1]["value"] as? String == "it's")
    let identifiers = requests.compactMap { $0.context["sqlQueryId"] as? String }
    #expect(Set(identifiers).count == 2)
    #expect(requests[0].fields["resultFormat"] as? String == "arrayLines")
    #expect(requests[0].fields["sqlTypesHeader"] as? Bool == true)
  }

  /// No proxy reaches the addresses of this machine, where devstack is.
  @Test func noProxyIsAskedForThisMachine() throws {
    let body = "[\"a\"]\n[\"LONG\"]\n[\"BIGINT\"]\n[1]\n\n"
    let stub = try Self.answering([.send(DsqlAnswer.whole(body))])
    defer { stub.stop() }
    let outcome = try Self.run(
      "http_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 dsql --csv -e 'SELECT 1'", stub)
    #expect(outcome.output == "a\n1\n", "\(outcome.errors)")
  }

  @Test(
    arguments: [
      ("dsql -e 'SELECT ?'", 64, "it has 1 '?', and --param gives 0"),
      ("dsql -p int:x -e 'SELECT ?'", 64, "'x' is not a valid whole number"),
      ("dsql -f xml -e 'SELECT 1'", 64, "'xml' is not one of"),
      ("dsql -c broken -e 'SELECT 1'", 64, "'broken' is not NAME=VALUE"),
      ("dsql -c 'SELECT 1'", 64, "hint: -e takes SQL"),
      ("dsql 'SELECT 1'", 74, "hint: -e takes SQL, and operands are files"),
      ("dsql -u localhost -e 'SELECT 1'", 64, "'localhost' is not an http or https address"),
      ("dsql -u db:8082 -e 'SELECT 1'", 64, "hint: write http://db:8082"),
      (
        "http_proxy=http://127.0.0.1:1 dsql -u http://d.test:8888 -e 'SELECT 1'", 69,
        "hint: http_proxy names a proxy: no_proxy=d.test goes around it"
      ),
      ("dsql -u http://me:secret@localhost -e 'SELECT 1'", 64, "a URL with credentials"),
      ("dsql -u me:secret@localhost:8888 -e 'SELECT 1'", 64, "a URL with credentials"),
      ("dsql -u \"$DRUID_URL/?a=b\" -e 'SELECT 1'", 64, "is not the address of a server"),
      ("dsql -u http:// -e 'SELECT 1'", 64, "'http://' is not the address of a server"),
      ("dsql -e \"$(printf \"SELECT '\\377'\")\"", 64, "argument 2 is not UTF-8"),
      ("dsql -o '' -e 'SELECT 1'", 64, "--output: a file needs a name"),
      ("ln -s a a; dsql -o a -e 'SELECT 1'", 74, "too many levels of symbolic links"),
      ("dsql -o none/a --summary -e 'SELECT 1'", 74, "\"failed\":1"),
      ("dsql --append -e 'SELECT 1'", 64, "--append needs --output"),
      ("dsql --lag 1s -e 'SELECT 1'", 64, "--lag needs --follow"),
      ("dsql --follow 1m -o x -e 'SELECT 1'", 64, "--follow never ends"),
      ("dsql --follow 1m -e 'SELECT 1'", 64, "it has 0 '?', and --follow needs 2"),
      ("dsql --types -f json -e 'SELECT 1'", 64, "--types cannot be used with json"),
      ("dsql nowhere.sql", 74, "opening 'nowhere.sql': no such file"),
      ("dsql -e \"SELECT 'x\"", 65, "-e: line 1, column 8 (statement 1): a string begins here"),
      ("dsql -e 'SET a = b'", 65, "SET takes a literal"),
      ("DRUID_PASSWORD_FILE=none DRUID_USER=u dsql -e 'SELECT 1'", 74, "opening 'none'"),
      (
        "DRUID_USER=u dsql -e 'SELECT 1'", 64,
        "DRUID_USER needs DRUID_PASSWORD or DRUID_PASSWORD_FILE"
      ),
      ("DRUID_PASSWORD=p dsql -e 'SELECT 1'", 64, "DRUID_PASSWORD needs DRUID_USER"),
    ]) func refusedHere(command: String, status: Int32, words: String) throws
  {
    let stub = try Self.answering([.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep])
    defer { stub.stop() }
    let outcome = try Self.run(command, stub)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(stub.requests.isEmpty)
  }

  @Test func placesOfErrors() throws {
    let stub = try DsqlStub { request, _ in
      [
        .send(
          request.sql.contains("FROM nope")
            ? DsqlAnswer.error(
              "400 Bad Request",
              #"{"error":"druidException","category":"INVALID_INPUT","errorMessage":"Object 'nope'"#
                + #" not found (line [2], column [6])","context":{"line":"2","column":"6"}}"#)
            : DsqlAnswer.whole(DsqlAnswer.two)), .keep,
      ]
    }
    defer { stub.stop() }
    let script = "printf 'SELECT 1;\\n\\nSELECT *\\nFROM nope; SELECT 3' > q.sql; "
    let stops = try Self.run(script + "dsql -f csv q.sql", stub)
    #expect(stops.status == 65)
    #expect(
      stops.errors == """
        dsql: q.sql: line 4, column 6 (statement 2): Object 'nope' not found
          FROM nope
               ^

        """)
    #expect(stub.requests.count == 2)
    // An output file is complete or unchanged, and a message says so.
    let file = try Self.run(script + "dsql -k -o out q.sql; echo $?; ls", stub)
    #expect(file.output == "1\nq.sql\n")
    #expect(file.errors.contains("warning: 'out' is not written: not every statement was"))
    let goesOn = try Self.run(script + "dsql -f ndjson --keep-going --summary q.sql", stub)
    #expect(goesOn.status == 1)
    #expect(goesOn.output.split(separator: "\n").count == 4)
    let summary = goesOn.errors.split(separator: "\n").last ?? ""
    #expect(summary.hasPrefix(#"{"statements":3,"rows":4,"#))
    #expect(summary.contains(#""failed":1,"#))
  }

  @Test(
    arguments: [
      ("401 Unauthorized", "<html><title>no</title>", 77, "no (status 401)"),
      ("403 Forbidden", #"{"Access-Check-Result":"not yours"}"#, 77, "not yours"),
      ("404 Not Found", "", 69, "does not answer as Druid does: status 404"),
      ("504 Gateway Timeout", "<html>late", 75, "<html>late"),
      (
        "500 Server Error", #"{"error":"x","category":"UNCATEGORIZED","errorMessage":"/ by zero"}"#,
        65, "/ by zero"
      ),
      ("200 OK", "<html>login</html>", 69, "does not answer as Druid does: byte 0"),
      ("200 OK", "\0\0\0\0\0\0", 69, "does not answer as Druid does"),
      ("302 Found", "", 69, "does not answer as Druid does: status 302"),
    ]) func answersThatAreNone(status: String, body: String, exit: Int32, words: String) throws
  {
    try Self.expect(exit, words, for: status, body)
  }

  @Test func linksAndTornFiles() throws {
    let stub = try Self.answering([.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep])
    defer { stub.stop() }
    let outcome = try Self.run(
      """
      mkdir d; ln -s d/new link; printf 'kept\\nto' > log
      dsql -f tsv --no-header -o link -e 'SELECT 1'; readlink link; head -n 1 d/new; ls -A d
      dsql -f tsv --append -o log -e 'SELECT 1'; dsql -f tsv --append -o log -e 'SELECT 1'; cat log
      """, stub)
    let rows = "a\t1\n\"b,\"\"c\"\t\n"
    #expect(
      outcome.output == "d/new\na\t1\nnew\nkept\nto\n" + rows + rows)
    #expect(
      outcome.errors
        == "dsql: warning: 'log' ends inside a line: new rows begin on a new line\n")
  }

  @Test func valuesForNothing() throws {
    let stub = try Self.answering([.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep])
    defer { stub.stop() }
    let quoted = try Self.run("dsql -f csv -p x -e \"SELECT '?'; SELECT 2 -- ?\"", stub)
    #expect(quoted.status == 0)
    #expect(quoted.errors.hasPrefix("dsql: warning: --param is not used"))
    let used = try Self.run("dsql -f csv -p x -e 'SELECT ?; SELECT 2'", stub)
    #expect(used.status == 0)
    #expect(used.errors == "")
  }

  @Test func explainsWhatIsExplainedAlready() throws {
    let stub = try Self.answering([.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep])
    defer { stub.stop() }
    let outcome = try Self.run(
      "dsql -f csv --explain -e 'explain plan for SELECT 1; SELECT 2'", stub)
    #expect(outcome.status == 0)
    #expect(stub.requests.map(\.sql) == ["explain plan for SELECT 1", "EXPLAIN PLAN FOR SELECT 2"])
  }

  @Test func whatSpeaksNoHTTP() throws {
    let stub = try Self.answering([.send(Array("SSH-2.0-OpenSSH\r\n".utf8)), .close])
    defer { stub.stop() }
    let outcome = try Self.run("dsql -e 'SELECT 1'", stub)
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("does not answer as Druid does: it does not speak HTTP"))
  }

  /// A host that accepts the connection but sends no TLS is waited for, but not longer than the
  /// limit.
  @Test func aConnectionThatComesToNothing() throws {
    let stub = try Self.answering([.stall])
    defer { stub.stop() }
    try Self.expectGivingUp(
      "dsql --wait 1s --retry 0 -u https://127.0.0.1:\(stub.port) -e 'SELECT 1'", stub,
      "gave up waiting: cannot reach")
  }

  /// Nothing was sent yet, so nothing is cancelled or waited for.
  @Test func aSignalWhileConnecting() throws {
    let stub = try Self.answering([.stall])
    defer { stub.stop() }
    let child = try DsqlChild(["-e", "SELECT 1"], url: "https://127.0.0.1:\(stub.port)")
    child.wait { child.hasTakenItsSignals }
    usleep(200_000)
    let start = ContinuousClock.now
    child.signal(SIGTERM)
    #expect(child.status == 1)
    #expect(child.errors == "dsql: interrupted before the query was sent\n")
    #expect(start.duration(to: .now) < .seconds(20))
  }

  @Test func nobodyThere() throws {
    let stub = try Self.answering([.close])
    stub.stop()
    let outcome = try Self.run("dsql -e 'SELECT 1'", stub)
    #expect(outcome.status == 69)
    #expect(outcome.errors.hasPrefix("dsql: cannot reach \(stub.url): "))
    let waits = try Self.run("dsql --wait 300ms -e 'SELECT 1'", stub)
    #expect(waits.status == 75)
    #expect(waits.errors.contains("gave up waiting"))
  }

  @Test func headersWithoutEnd() throws {
    let stub = try Self.answering([
      .send(Array("HTTP/1.1 200 OK\r\n".utf8)), .endless(Array("X-More: and more\r\n".utf8)),
    ])
    defer { stub.stop() }
    let outcome = try Self.run("dsql --retry 0s -e 'SELECT 1'", stub)
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("too many headers"))
  }

  @Test func redirections() throws {
    let elsewhere = try Self.answering([.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep])
    defer { elsewhere.stop() }
    let target = elsewhere.url
    let stub = try DsqlStub { request, _ in
      func to(_ address: String) -> [DsqlStub.Step] {
        let answer = DsqlAnswer.head("307 Temporary Redirect", ["Location: \(address)"])
        return [.send(Array((answer + "Content-Length: 2\r\n\r\n..").utf8)), .keep]
      }
      if request.path.hasPrefix("/loop") { return to("/loop/again") }
      return request.path == "/druid/v2/sql"
        ? to("/other") : to(target + "/druid/v2/sql")
    }
    defer { stub.stop() }
    let outcome = try Self.run(
      "printf 'secret\\r\\nnot this' > p; dsql -f csv -e 'SELECT 1'", stub,
      ["DRUID_USER": "ada", "DRUID_PASSWORD_FILE": "p"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("s,n\n"))
    // The request stays a POST with its body, and the credentials are not sent to the other host.
    let basic = "Authorization: Basic " + Data("ada:secret".utf8).base64EncodedString()
    #expect(stub.requests.count == 2)
    #expect(stub.requests.allSatisfy { $0.headers.contains(basic) && $0.sql == "SELECT 1" })
    #expect(elsewhere.requests.map(\.sql) == ["SELECT 1"])
    #expect(elsewhere.requests.allSatisfy { !$0.headers.contains("Authorization") })
    let loop = try Self.run("dsql -u \(stub.url)/loop -e 'SELECT 1'", stub)
    #expect(loop.status == 69)
    #expect(loop.errors.contains("redirected more than 5 times"))
  }

  @Test func netrc() throws {
    let stub = try Self.answering([.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep])
    defer { stub.stop() }
    let outcome = try Self.run(
      "printf 'machine 127.0.0.1 login ada password pw\\n' > .netrc; dsql -e 'SELECT 1'", stub)
    #expect(outcome.status == 0)
    #expect(
      stub.requests[0].headers.contains(
        "Authorization: Basic " + Data("ada:pw".utf8).base64EncodedString()))
  }

  @Test func overIPv6() throws {
    guard
      let stub = try? DsqlStub(
        isIPv6: true,
        { _, _ in
          [.send(DsqlAnswer.whole(DsqlAnswer.two)), .close]
        })
    else { return }  // a machine without IPv6
    defer { stub.stop() }
    #expect(try Self.run("dsql -e 'SELECT 1'", stub).status == 0)
  }

  @Test func retriesWhatIsWorthIt() throws {
    let busy = DsqlAnswer.error("503 Service Unavailable", "")
    let faulty = DsqlAnswer.error(
      "500 Server Error",
      #"{"error":"Unknown exception","category":"RUNTIME_FAILURE","#
        + #""errorMessage":"Faulty channel in resource pool"}"#)
    let stub = try DsqlStub { _, number in
      switch number {
      case 1: [.send(busy), .close]
      case 2: [.send(faulty), .close]
      case 3: [.reset]
      default: [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep]
      }
    }
    defer { stub.stop() }
    let outcome = try Self.run("dsql -f csv --summary -e 'SELECT 1'", stub)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("\"retries\":3"))
    #expect(outcome.output == "s,n\na,1\n\"b,\"\"c\",\n")
    // A refusal is final.
    let refusal = try Self.answering([
      .send(DsqlAnswer.error("400 Bad Request", DsqlAnswer.unknownTable)), .keep,
    ])
    defer { refusal.stop() }
    #expect(try Self.run("dsql -e 'SELECT * FROM ecommerce'", refusal).status == 65)
    #expect(refusal.requests.count == 1)
  }

  @Test func waitsForTables() throws {
    let stub = try DsqlStub { _, number in
      number < 3
        ? [.send(DsqlAnswer.error("400 Bad Request", DsqlAnswer.unknownTable)), .keep]
        : [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep]
    }
    defer { stub.stop() }
    let outcome = try Self.run("dsql --wait 20s -f csv -e 'SELECT * FROM ecommerce'", stub)
    #expect(outcome.status == 0)
    #expect(stub.requests.count == 3)
    // Another name in the message is not a table of this statement.
    let other = try Self.answering([
      .send(DsqlAnswer.error("400 Bad Request", DsqlAnswer.unknownTable)), .keep,
    ])
    defer { other.stop() }
    #expect(try Self.run("dsql --wait 20s -e 'SELECT * FROM other'", other).status == 65)
  }

  /// A proxy answers for a Druid that is not up yet.
  @Test func waitsBehindAProxy() throws {
    let stub = try DsqlStub { _, number in
      number < 3
        ? [.send(DsqlAnswer.error("502 Bad Gateway", "<html>")), .keep]
        : [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep]
    }
    defer { stub.stop() }
    let outcome = try Self.run("dsql --wait 20s -f csv -e 'SELECT * FROM ecommerce'", stub)
    #expect(outcome.status == 0)
    #expect(stub.requests.count == 3)
    let impatient = try Self.answering([
      .send(DsqlAnswer.error("502 Bad Gateway", "<html>")), .keep,
    ])
    defer { impatient.stop() }
    #expect(try Self.run("dsql -e 'SELECT 1'", impatient).status == 69)
    #expect(impatient.requests.count == 1)
  }
}
