import Foundation
import Testing

/// How dsql detects that a normal-looking answer is incomplete, and the receipts of answers.
@Suite struct DsqlReceiptTests {
  /// A server whose default context limits every answer, with the recorded form of its plan.
  static func limited(to limit: String, rows: Int, tells: Bool = true) throws -> DsqlStub {
    let plan =
      #"[{"query":{"queryType":"scan","dataSource":{"type":"inline"},"context":{"queryId":"x","#
      + #""sqlOuterLimit":\#(limit),"sqlQueryId":"x"}},"signature":[]}]"#
    let cells = [plan, "[]", #"{"statementType":"SELECT"}"#].map { cell in
      "\"" + cell.replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }
    let explained =
      #"["PLAN","RESOURCES","ATTRIBUTES"]"# + "\n" + #"["STRING","STRING","STRING"]"# + "\n"
      + #"["VARCHAR","VARCHAR","VARCHAR"]"# + "\n[" + cells.joined(separator: ",") + "]\n\n"
    return try DsqlStub(takesOwnQuestions: true) { request, _ in
      if request.asksForContext {
        return tells
          ? [.send(DsqlAnswer.whole(explained)), .keep]
          : [.send(DsqlAnswer.error("501 Not Implemented", "no EXPLAIN")), .keep]
      }
      guard request.isQuery else { return [.send(DsqlAnswer.error("202 Accepted", "")), .close] }
      let asked = request.context["sqlOuterLimit"] as? Int ?? Int(limit) ?? rows
      let body = DsqlAnswer.body((0..<min(rows, asked)).map { "[\"r\",\($0)]" })
      return [.send(DsqlAnswer.whole(body)), .keep]
    }
  }

  @Test(
    arguments: [
      // As many rows as the limit of the server's default context.
      ("SELECT n FROM t", "", 1), ("SELECT n FROM t LIMIT 10", "", 1),
      ("SELECT n FROM (SELECT n FROM t LIMIT 3) AS x", "", 1),
      // The statement's own limit is the reason.
      ("SELECT n FROM t LIMIT 3", "", 0),
      ("SELECT n FROM t FETCH FIRST 3 ROWS ONLY", "", 0),
      ("SELECT n FROM t LIMIT ?", "-p int:3", 0),
      // Fewer rows than the server's limit, or another limit in its place.
      ("SELECT n FROM t", "-c sqlOuterLimit=2", 0),
      ("SET sqlOuterLimit = 3; SELECT n FROM t", "", 0),
    ])
  func aServersOwnLimit(sql: String, flags: String, status: Int32) throws {
    let stub = try Self.limited(to: "3", rows: 7)
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "echo old > out; dsql -f csv -o out --receipt r \(flags) -e '\(sql)'; echo $?; cat out; cat r",
      stub)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first == "\(status)", "\(outcome.errors)")
    #expect(lines.dropFirst().first == (status == 0 ? "s,n" : "old"))
    let receipt = try #require(lines.last)
    let state =
      status == 1 ? "cut" : flags.contains("-c") || sql.contains("SET") ? "limited" : "whole"
    #expect(receipt.contains("\"answer\":\"\(state)\""), "\(receipt)")
    #expect(
      outcome.errors.contains(
        "the answer is cut after 3 rows: the server's default context holds sqlOuterLimit 3")
        == (status == 1), "\(outcome.errors)")
  }

  /// The context is requested once per session, and only after an answer with two rows; with
  /// `--complete`, always.
  @Test func theContextIsAskedForOnce() throws {
    func questions(_ flags: String, rows: Int) throws -> Int {
      let stub = try Self.limited(to: "100", rows: rows)
      defer { stub.stop() }
      let outcome = try DsqlAskingTests.run(
        "dsql -f csv \(flags) -e 'SELECT 1; SELECT 2; SELECT 3'", stub)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return stub.requests.count(where: \.asksForContext)
    }
    #expect(try questions("", rows: 1) == 0)
    #expect(try questions("", rows: 2) == 1)
    #expect(try questions("--complete", rows: 1) == 3)
    #expect(try questions("-c sqlOuterLimit=9", rows: 2) == 0)
  }

  @Test func completeSeesALimitOfOne() throws {
    let stub = try Self.limited(to: "1", rows: 7)
    defer { stub.stop() }
    #expect(try DsqlAskingTests.run("dsql -e 'SELECT n'", stub).status == 0)
    #expect(try DsqlAskingTests.run("dsql --complete -e 'SELECT n'", stub).status == 1)
  }

  /// A server that refuses to explain causes no message.
  @Test func aServerThatDoesNotTell() throws {
    let stub = try Self.limited(to: "3", rows: 7, tells: false)
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run("dsql -f csv -e 'SELECT n'", stub)
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    #expect(stub.requests.count(where: \.asksForContext) == 1)
  }

  @Test(arguments: ["table", "csv", "tsv", "ndjson", "json", "vertical"])
  func rowLimit(format: String) throws {
    let stub = try Self.limited(to: "null", rows: 7)
    defer { stub.stop() }
    func run(_ flags: String) throws -> Commands.Outcome {
      try DsqlAskingTests.run("dsql -f \(format) \(flags) -e 'SELECT n'", stub)
    }
    let expected = try run("-c sqlOuterLimit=3").output
    let outcome = try run("--row-limit 3")
    #expect(outcome.status == 1)
    #expect(outcome.output == expected)
    #expect(
      outcome.errors.contains("-e: statement 1: there are more rows than the 3 of --row-limit"))
    #expect(stub.requests.last?.context["sqlOuterLimit"] as? Int == 4)
    let whole = try run("--row-limit 7")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output == (try run("").output))
  }

  /// A limit that is too large to be sent, and a statement's own context: the rest is not read.
  @Test func rowLimitWithoutTheServersHelp() throws {
    let stub = try Self.limited(to: "null", rows: 150_000)
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "dsql -f csv --row-limit 120000 -e 'SELECT n' > out; echo $?; wc -l < out", stub)
    #expect(outcome.output == "1\n120001\n")
    #expect(outcome.errors.contains("more rows than the 120000"))
    #expect(stub.requests.contains { $0.method == "DELETE" })
    #expect(stub.requests.first?.context["sqlOuterLimit"] == nil)
  }

  @Test func receipts() throws {
    let stub = try DsqlStub { request, _ in
      switch request.sql {
      case "SELECT 1": return [.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep]
      case "SELECT 2":
        let body =
          "[\"__time\",\"n\"]\n[\"LONG\",\"LONG\"]\n[\"TIMESTAMP\",\"BIGINT\"]\n"
          + ["09", "11", "10"].map { "[\"2026-01-01T\($0):00:00.000Z\",1]\n" }.joined() + "\n"
        return [
          .send(
            DsqlAnswer.whole(
              body, [#"X-Druid-Response-Context: {"missingSegments":[{"s":1},{"s":2}]}"#])), .keep,
        ]
      case "SELECT 3":
        return [.send(DsqlAnswer.closeDelimited(String(DsqlAnswer.two.dropLast(2)))), .close]
      default: return [.send(DsqlAnswer.error("400 Bad Request", DsqlAnswer.unknownTable)), .keep]
      }
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      printf 'SELECT 1;\nSELECT 2;SELECT 3;\n\nSELECT 4' > q.sql; echo stale > r
      dsql -k -f csv --receipt r q.sql > out 2> errors; echo $?
      for n in 1 2 3; do
        from=$(jq -s "[.[:$((n - 1))][].bytes] | add // 0" r); count=$(jq -s ".[$((n - 1))].bytes" r)
        tail -c +$((from + 1)) out | head -c $count | sha256sum | cut -d ' ' -f 1
      done
      jq -r .sha256 r; stat -c %s out; jq -s 'map(.bytes) | add' r; cat r
      """, stub)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 14, "\(outcome.output) \(outcome.errors)")
    #expect(lines[0] == "1")
    #expect(Array(lines[1...3]) == Array(lines[4...6]), "hash of each part of the output")
    #expect(
      lines[7] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "nothing was written")
    #expect(lines[8] == lines[9])
    let receipts = lines[10...].map { line in
      (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] ?? [:]
    }
    #expect(receipts.map { $0["answer"] as? String } == ["whole", "failed", "cut", "failed"])
    #expect(receipts.map { $0["line"] as? Int } == [1, 2, 2, 4])
    #expect(receipts.map { $0["statement"] as? Int } == [1, 2, 3, 4])
    #expect(receipts.map { $0["rows"] as? Int } == [2, 3, 2, 0])
    #expect(receipts.map { $0["missing_segments"] as? Int } == [0, 2, 0, 0])
    #expect(receipts.map { $0["status"] as? Int } == [0, 1, 1, 65])
    #expect(receipts[1]["newest_time"] as? String == "2026-01-01T11:00:00.000Z")
    #expect(receipts[0]["newest_time"] is NSNull)
    #expect(receipts[0]["version"] as? Int == 1)
    #expect(receipts[0]["error"] is NSNull)
    #expect((receipts[3]["error"] as? String)?.contains("Object 'ecommerce' not found") == true)
    let columns = receipts[0]["columns"] as? [[String: String]]
    #expect(columns == [["name": "s", "type": "VARCHAR"], ["name": "n", "type": "BIGINT"]])
    let identifiers = receipts.compactMap { $0["query_id"] as? String }
    #expect(Set(identifiers).count == 4 && identifiers.allSatisfy { $0.hasPrefix("dsql-") })
  }

  @Test func aReceiptThatEndsInsideALine() throws {
    let stub = try Self.limited(to: "10", rows: 1)
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      printf '{"version":1,"to' > r
      dsql -f csv --append -o out --receipt r -e 'SELECT 1'
      head -n 1 r; tail -n +2 r | jq -r .answer
      """, stub)
    #expect(outcome.output == "{\"version\":1,\"to\nwhole\n")
    #expect(
      outcome.errors == "dsql: warning: 'r' ends inside a line: new lines begin on a new line\n")
  }

  @Test func aReceiptThatCannotBeWritten() throws {
    let stub = try DsqlAskingTests.answering([.send(DsqlAnswer.whole(DsqlAnswer.two)), .keep])
    defer { stub.stop() }
    let full = try DsqlAskingTests.run("dsql -f csv --receipt /dev/full -e 'SELECT 1'", stub)
    #expect(full.status == 74, "\(full.errors)")
    let none = try DsqlAskingTests.run("dsql --receipt no/where -e 'SELECT 1'", stub)
    #expect(none.status == 74, "\(none.errors)")
  }
}
