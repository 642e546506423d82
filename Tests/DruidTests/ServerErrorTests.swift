import Foundation
import Plumbing
import TestSupport
import Testing

@testable import Druid

@Suite struct ServerErrorTests {
  static func failure(_ status: Int, _ body: String) -> DruidFailure {
    ServerError(status: status, body: Array(body.utf8)).failure(url: "http://d")
  }

  /// The recorded errors: their meaning does not depend on the HTTP status alone.
  @Test func recordedErrors() throws {
    var refused = 0
    for recording in try Recording.all() where recording.status != 200 {
      let failure = Self.failure(recording.status, recording.body)
      #expect(failure.exitStatus == .input, "\(recording.name): \(failure.message)")
      #expect(!failure.message.contains("druidException"), "\(recording.name)")
      #expect(!failure.message.contains("acceptable options"), "\(recording.name)")
      #expect(!failure.message.contains("\n"), "\(recording.name)")
      #expect(failure.message.utf8.count < 700, "\(recording.name)")
      #expect(!failure.isWorthRetrying, "\(recording.name)")
      refused += 1
    }
    #expect(refused > 20)
  }

  @Test(
    arguments: [
      ("error-unknown-table", DruidFailure.Kind.unknownTable("nowhere")),
      ("error-timeout", .timedOut), ("error-div-zero-rows", .refused),
      ("params-bad-type", .serverFailure), ("not-found", .notDruid), ("no-content-type", .notDruid),
    ]) func recordedExchanges(name: String, kind: DruidFailure.Kind) throws
  {
    let file = Recording.folder.appendingPathComponent("wire/\(name).response")
    let data = try Data(contentsOf: file)
    let end = try #require(data.range(of: Data("\r\n\r\n".utf8)))
    let head = String(decoding: data[..<end.lowerBound], as: UTF8.self)
    let body = String(decoding: data[end.upperBound...], as: UTF8.self)
    let status = Int(head.split(separator: " ")[1]) ?? 0
    #expect(Self.failure(status, body).kind == kind)
  }

  @Test func placesInTheWordsAlone() throws {
    let recording = try #require(try Recording.all().first { $0.name == "reserved_alias" })
    let failure = Self.failure(recording.status, recording.body)
    #expect(failure.message == "Incorrect syntax near the keyword 'AS'")
    #expect(failure.place == Statement.Place(line: 1, column: 10))
    #expect(failure.hints.count == 1)
  }

  @Test func placesAndTables() {
    let failure = Self.failure(
      400,
      #"{"error":"druidException","category":"INVALID_INPUT","errorMessage":"Object 'x' not found","#
        + #""context":{"line":"2","column":"15"}}"#)
    #expect(failure.place == Statement.Place(line: 2, column: 15))
    #expect(failure.kind == .unknownTable("x"))
  }

  @Test(
    arguments: [
      (429, "<title>Too Many Requests</title>", DruidFailure.Kind.busy, true),
      (503, "", .busy, true), (504, "<html>", .timedOut, false),
      (502, "bad gateway", .serverFailure, false),
      (401, "", .denied, false), (403, #"{"Access-Check-Result":"no"}"#, .denied, false),
      (404, "", .notDruid, false), (400, "<html>", .notDruid, false), (302, "", .notDruid, false),
      (
        500,
        #"{"error":"Unknown exception","errorMessage":"Faulty channel in resource pool","category":"RUNTIME_FAILURE"}"#,
        .serverFailure, true
      ),
      (500, #"{"error":"Query cancelled","category":"CANCELED"}"#, .cancelled, false),
      (400, #"{"error":"SQL parse failed","errorMessage":"Encountered x"}"#, .refused, false),
      (
        500, #"{"error":"druidException","category":"UNCATEGORIZED","errorMessage":"/ by zero"}"#,
        .refused, false
      ),
    ] as [(Int, String, DruidFailure.Kind, Bool)]) func otherErrors(
      status: Int, body: String, kind: DruidFailure.Kind, retry: Bool
    )
  {
    let failure = Self.failure(status, body)
    #expect(failure.kind == kind)
    #expect(failure.isWorthRetrying == retry)
    #expect(!failure.message.isEmpty)
  }
}
