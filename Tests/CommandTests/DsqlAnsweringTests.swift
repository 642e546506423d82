import Foundation
import Testing

/// dsql's handling of answers: their destination, their end, and missing data.
@Suite struct DsqlAnsweringTests {
  static let run = DsqlAskingTests.run

  static func whole() throws -> DsqlStub {
    try DsqlStub { _, _ in [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep] }
  }

  @Test func filesAreWholeOrNotThere() throws {
    let stub = try DsqlStub { request, _ in
      request.sql.hasPrefix("SELECT 1")
        ? [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep]
        : [.send(DsqlAnswer.closeDelimited(String(DsqlAnswer.two.dropLast(2)))), .close]
    }
    defer { stub.stop() }
    let outcome = try Self.run(
      """
      echo old > out; chmod 640 out; ln -s out link
      dsql -f csv -o link -e 'SELECT 2' 2> /dev/null; echo $?; cat out
      dsql -f csv -o link -e 'SELECT 1'; echo $?; cat out; stat -c %a out; readlink link
      dsql -f csv -o new -e 'SELECT 1; SELECT 2' 2> /dev/null; echo $?
      dsql -f csv -o log --append -e 'SELECT 1'; dsql -f csv -o log --append -e 'SELECT 1'; cat log
      ls
      dsql -o nowhere/x -e 'SELECT 1' 2>&1; echo $?
      dsql -o /dev/full -e 'SELECT 1' 2>&1; echo $?
      dsql -e 'SELECT 1' 2>&1 > /dev/full; echo $?
      """, stub, [:])
    #expect(
      outcome.output
        == """
        1
        old
        0
        s,n
        a,1
        "b,""c",
        640
        out
        1
        s,n
        a,1
        "b,""c",

        a,1
        "b,""c",
        link
        log
        out
        dsql: making a file beside 'nowhere/x': no such file or directory
        74
        dsql: writing '/dev/full': no space left on device
        74
        dsql: writing standard output: no space left on device
        74

        """.replacingOccurrences(of: "\"b,\"\"c\",\n\na,1", with: "\"b,\"\"c\",\na,1"))
  }

  @Test func aReaderThatLeavesIsNoFailure() throws {
    let row = Array("[\"row\",1]\n".utf8)
    let stub = try DsqlStub { request, _ in
      guard request.isQuery else { return [.send(DsqlAnswer.error("202 Accepted", "")), .close] }
      let head = DsqlAnswer.closeDelimited(String(DsqlAnswer.body([]).dropLast(1)))
      return [.send(head), .endless(Array(repeating: row, count: 1000).flatMap { $0 })]
    }
    defer { stub.stop() }
    let outcome = try Self.run(
      "{ dsql -f csv -e 'SELECT 1'; echo $? > status; } | head -n 2; cat status", stub, [:])
    #expect(outcome.output == "s,n\nrow,1\n0\n")
    #expect(outcome.errors == "")
    #expect(stub.requests.contains { $0.method == "DELETE" })
  }

  /// - Parameter sendsRows: whether the signal comes in mid-answer or before the first row.
  @Test(arguments: ["INT", "TERM"], [true, false])
  func signalsCancelOnTheServer(signal: String, sendsRows: Bool) throws {
    let stub = try DsqlStub { request, _ in
      guard request.isQuery else { return [.send(DsqlAnswer.error("202 Accepted", "")), .close] }
      let body = String(DsqlAnswer.two.dropLast(1))
      return sendsRows ? [.send(DsqlAnswer.closeDelimited(body)), .stall] : [.stall]
    }
    defer { stub.stop() }
    let child = try DsqlChild(["-f", "csv", "-e", "SELECT 1"], url: stub.url)
    if sendsRows { child.waitForOutput("b,") } else { child.wait { !stub.requests.isEmpty } }
    child.signal(signal == "INT" ? SIGINT : SIGTERM)
    // A shell's loop must end with the command that Ctrl-C ended.
    #expect(child.status == (signal == "INT" ? 128 + SIGINT : 1))
    #expect(child.errors.contains("interrupted: the query is cancelled, cut after"))
    #expect(child.output == (sendsRows ? "s,n\na,1\n\"b,\"\"c\",\n" : ""))
    let query = stub.requests[0].context["sqlQueryId"] as? String ?? "?"
    let cancel = stub.requests.first { $0.method == "DELETE" }
    #expect(cancel?.path == "/druid/v2/sql/\(query)")
  }

  /// Rows are written before the next statement is read. A signal then ends dsql by that signal, or
  /// with 1 when a statement was still to come.
  @Test(arguments: [("", 128 + SIGTERM), ("SELECT ", 1), ("SELECT 2\n", 1), ("-- rest\n", 143)])
  func idleBetweenStatements(rest: String, status: Int32) throws {
    let stub = try Self.whole()
    defer { stub.stop() }
    let child = try DsqlChild(["-f", "csv"], url: stub.url, input: "SELECT 1;\n" + rest)
    child.waitForOutput("b,")
    #expect(child.output.hasSuffix("\"b,\"\"c\",\n"))
    child.signal(SIGTERM)
    #expect(child.status == status)
    #expect(child.errors.contains("a statement without its end is not run") == (status == 1))
    #expect(stub.requests.count == 1)
  }

  /// An answer may arrive byte by byte.
  @Test func slowServers() throws {
    let bytes = DsqlAnswer.chunked(DsqlAnswer.two, pieces: 5)
    let stub = try DsqlStub { _, _ in
      bytes.flatMap { [.send([$0]), .wait(milliseconds: 1)] } + [.keep]
    }
    defer { stub.stop() }
    let slow = try Self.run("dsql -f csv -e 'SELECT 1'", stub, [:])
    #expect(slow.output == "s,n\na,1\n\"b,\"\"c\",\n")
  }

  @Test func timeLimits() throws {
    let stub = try DsqlStub { request, _ in
      guard request.isQuery else { return [.send(DsqlAnswer.error("202 Accepted", "")), .close] }
      return [
        .send(
          DsqlAnswer.error(
            "504 Gateway Timeout",
            #"{"error":"Query timeout","category":"TIMEOUT","errorMessage":"Query [x] timed out!"}"#
          )),
        .keep,
      ]
    }
    defer { stub.stop() }
    let outcome = try Self.run("dsql --timeout 1s -e 'SELECT 1'", stub, [:])
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("Query [x] timed out!"))
    #expect(stub.requests[0].context["timeout"] as? Int == 1000)
  }

  @Test func missingSegments() throws {
    let context = #"{"missingSegments":[{"itvl":"a"},{"itvl":"b"}]}"#
    let stub = try DsqlStub { _, _ in
      let fields = ["X-Druid-Response-Context: \(context)"]
      return [.send(DsqlAnswer.whole(DsqlAnswer.two, fields)), .keep]
    }
    defer { stub.stop() }
    let outcome = try Self.run("dsql -f csv -e 'SELECT 1'", stub, [:])
    #expect(outcome.status == 1)
    #expect(outcome.output == "s,n\na,1\n\"b,\"\"c\",\n")
    #expect(outcome.errors.contains("2 segments are missing from the answer"))
  }

  @Test(arguments: [("[48]", 1), ("", 0), ("[0]", 0)]) func completeness(
    row: String, status: Int32
  ) throws {
    let stub = try DsqlStub { request, _ in
      let count =
        "[\"n\"]\n[\"LONG\"]\n[\"BIGINT\"]\n" + (row.isEmpty ? "" : row + "\n") + "\n"
      return [
        .send(DsqlAnswer.whole(request.sql.contains("sys.segments") ? count : DsqlAnswer.two)),
        .keep,
      ]
    }
    defer { stub.stop() }
    let outcome = try Self.run("dsql --complete -e 'SELECT * FROM ecommerce'", stub, [:])
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains("48 published segments of 'ecommerce'") == (status == 1))
    #expect(stub.requests[1].sql.contains("datasource = 'ecommerce'"))
  }

  @Test func compressedAnswers() throws {
    let file = Commands.root.appendingPathComponent("Tests/DruidTests/Fixtures/wire/gzip.response")
    let answer = Array(try Data(contentsOf: file))
    let stub = try DsqlStub { request, _ in
      [.send(request.sql == "SELECT 2" ? Array(answer.dropLast(20)) : answer), .close]
    }
    defer { stub.stop() }
    let expected = "device,n\ndesktop,3061\nmobile,6656\ntablet,283\n"
    let outcome = try Self.run("dsql --compressed -f csv -e 'SELECT 1'", stub, [:])
    #expect(outcome.output == expected)
    #expect(stub.requests[0].headers.contains("Accept-Encoding: "))
    // A compressed answer is decoded although none was requested; a cut one is reported as cut.
    let unasked = try Self.run("dsql -f csv -e 'SELECT 1'", stub, [:])
    #expect(unasked.output == expected)
    #expect(!stub.requests[1].headers.contains("Accept-Encoding"))
    let cut = try Self.run("dsql -f csv -e 'SELECT 2'", stub, [:])
    #expect(cut.status == 1)
    #expect(cut.errors.contains("cut after"))
  }

  /// On a terminal a table must fit, notes are shown, and errors at the prompt do not end it.
  @Test func onATerminal() throws {
    let stub = try DsqlStub { request, _ in
      request.sql == "bad"
        ? [.send(DsqlAnswer.error("400 Bad Request", DsqlAnswer.unknownTable)), .keep]
        : [.send(DsqlAnswer.whole(DsqlAnswer.body(["[\"a long text for a table\",1]"]))), .keep]
    }
    defer { stub.stop() }
    let narrow = try Self.run(
      "script -qec \"stty cols 20; dsql -e 'SELECT COUNT(DISTINCT x)'\" /dev/null < /dev/null",
      stub, [:])
    #expect(narrow.output.contains("-[ row 1 ]-\r\ns | a long text for a table\r\nn | 1\r\n"))
    #expect(narrow.output.contains("COUNT(DISTINCT ...) is an estimate without --exact"))
    let wide = try Self.run(
      "script -qec \"stty cols 80; dsql -e 'SELECT 1'\" /dev/null < /dev/null", stub, [:])
    #expect(wide.output.contains("a long text for a table | 1\r\n"))
    let prompt = try Self.run(
      "printf 'bad;\\nSELECT ?;\\nSELECT 1;\\n\\004' | script -qec 'stty cols 80; dsql -f csv' /dev/null",
      stub,
      [:])
    #expect(prompt.output.contains("';' ends a statement"))
    #expect(prompt.output.contains("Object 'ecommerce' not found"))
    #expect(prompt.output.contains("it has 1 '?', and --param gives 0"))
    #expect(prompt.output.contains("a long text for a table,1\r\n"))
  }

  @Test func namesThatComeTwice() throws {
    let stub = try DsqlStub { _, _ in
      let body = "[\"c\",\"c\"]\n[\"LONG\",\"LONG\"]\n[\"BIGINT\",\"BIGINT\"]\n[1,2]\n\n"
      return [.send(DsqlAnswer.whole(body)), .keep]
    }
    defer { stub.stop() }
    let quiet = try Self.run("dsql -f ndjson -e 'SELECT 1'", stub, [:])
    #expect(quiet.output == "{\"c\":1,\"c_2\":2}\n")
    #expect(quiet.errors == "")
    let loud = try Self.run("dsql -v -f ndjson -e 'SELECT COUNT(DISTINCT x)'", stub, [:])
    #expect(loud.errors.contains("a second column 'c' has the key 'c_2'"))
    #expect(loud.errors.contains("COUNT(DISTINCT ...) is an estimate"))
  }
}
