import Foundation
import Testing

/// Answers cut at every byte, through the built tool.
@Suite struct DsqlCutTests {
  static let bodies = [
    DsqlAnswer.body([]), DsqlAnswer.body(["[\"a\",1]"]),
    DsqlAnswer.body(["[\"x\\n\\n\",-1.5E3]", "[null,2]"]),
  ]

  enum Framing: String, CaseIterable {
    case chunked, closeDelimited, withLength

    func frame(_ body: String) -> [UInt8] {
      switch self {
      case .chunked: DsqlAnswer.chunked(body, pieces: 3)
      case .closeDelimited: DsqlAnswer.closeDelimited(body)
      case .withLength: DsqlAnswer.whole(body)
      }
    }
  }

  /// A cut answer is never taken for a complete one: each statement of a long script gets an answer
  /// that ends one byte later. Every one of them fails, with as many rows as arrived completely.
  @Test(arguments: ["table", "csv", "tsv", "ndjson", "json", "vertical"], Framing.allCases)
  func everyByte(format: String, framing: Framing) throws {
    let answers = Self.bodies.map { framing.frame($0) }
    let cuts = answers.enumerated().flatMap { index, bytes in
      // libcurl accepts "0 CR LF CR" as the end of chunks: at that last byte the answer is already
      // complete.
      (0..<bytes.count - (framing == .chunked ? 1 : 0)).map { (answer: index, length: $0) }
    }
    let stub = try DsqlStub { request, _ in
      guard let number = Int(request.sql.dropFirst(7)), cuts.indices.contains(number) else {
        return [.send(DsqlAnswer.whole(DsqlAnswer.body([]))), .close]
      }
      let cut = cuts[number]
      return [.send(Array(answers[cut.answer][..<cut.length])), .close]
    }
    defer { stub.stop() }
    let workspace = try Commands.Workspace()
    let script = cuts.indices.map { "SELECT \($0);\n" }.joined()
    try workspace.write(script, to: "q.sql")
    let outcome = try Commands.run(
      "dsql -f \(format) --keep-going --retry 0s q.sql", in: workspace,
      environment: ["DRUID_URL": stub.url])
    #expect(outcome.status == 1)
    let errors = outcome.errors.split(separator: "\n").filter { !$0.contains("hint:") }
    #expect(errors.count == cuts.count, "one failure for each cut")
    for (number, cut) in cuts.enumerated() where number < errors.count {
      let headEnd = answers[cut.answer].firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? 0
      let error = errors[number]
      // Before the first byte of the body there is no answer; after it there is a cut answer.
      if cut.length <= headEnd { continue }
      #expect(
        error.contains("cut after") || framing == .chunked && cut.length < headEnd + 6,
        "byte \(cut.length) of \(answers[cut.answer].count): \(error)")
    }
  }

  /// The same answers, complete, to prove that only the cuts made them fail.
  @Test(arguments: Framing.allCases) func wholeAnswers(framing: Framing) throws {
    let stub = try DsqlStub { _, number in
      [.send(framing.frame(Self.bodies[number % 3])), .close]
    }
    defer { stub.stop() }
    let outcome = try Commands.run(
      "dsql -f csv -e 'SELECT 1; SELECT 2; SELECT 3'", in: Commands.Workspace(),
      environment: ["DRUID_URL": stub.url])
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
    #expect(outcome.output == "s,n\na,1\n\ns,n\n\"x\n\n\",-1.5E3\n,2\n\ns,n\n")
  }

  @Test func trailersTell() throws {
    let cut = String(DsqlAnswer.two.dropLast(2))
    let stub = try DsqlStub { request, _ in
      switch request.sql {
      case "SELECT 1":
        let trailers = [
          "X-Druid-Response-Complete: false", "X-Error-Message: url[http://h] timed out",
        ]
        return [.send(DsqlAnswer.chunked(cut, trailers: trailers)), .keep]
      case "SELECT 2":
        let trailers = ["X-Druid-Response-Complete: false", "X-Error-Message: disk failed"]
        return [.send(DsqlAnswer.chunked(DsqlAnswer.two, trailers: trailers)), .keep]
      default: return [.send(DsqlAnswer.chunked(cut)), .keep]
      }
    }
    defer { stub.stop() }
    let environment = ["DRUID_URL": stub.url]
    let timeout = try Commands.run(
      "dsql -e 'SELECT 1'", in: Commands.Workspace(), environment: environment)
    #expect(timeout.status == 75)
    #expect(timeout.errors.contains("cut after 2 rows: url[http://h] timed out"))
    let other = try Commands.run(
      "dsql -e 'SELECT 2'", in: Commands.Workspace(), environment: environment)
    #expect(other.status == 1)
    #expect(other.errors.contains("cut after 2 rows: disk failed"))
    let silent = try Commands.run(
      "dsql -f json -e 'SELECT 3'", in: Commands.Workspace(), environment: environment)
    #expect(silent.status == 1)
    #expect(silent.errors == "dsql: -e: statement 1: the answer is cut after 2 rows\n")
    #expect(silent.output == "[\n{\"s\":\"a\",\"n\":1},\n{\"s\":\"b,\\\"c\",\"n\":null}\n")
  }
}
