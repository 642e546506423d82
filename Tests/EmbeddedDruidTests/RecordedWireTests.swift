import Foundation
import Plumbing
import Testing

@testable import EmbeddedDruid

/// The exchanges recorded byte by byte from a real Druid's router.
@Suite(.serialized) struct RecordedWireTests {
  /// Not replayed: the broker's own responses (with trailers), and compressed ones.
  static let leftOut: Set<String> = [
    "broker-arraylines", "broker-csv", "cancel-unknown-broker", "gzip", "gzip-broker",
  ]

  /// Their bodies have ids, times or other data of the server, or list the acceptable tokens.
  static let otherBodies: Set<String> = [
    "error-div-zero-rows", "error-syntax", "error-timeout", "status", "supervisor-get",
    "supervisor-list", "supervisor-stats", "supervisor-status", "trailing-semicolon",
  ]

  /// Headers that differ between responses.
  static let otherHeaders: Set<String> = [
    "date", "x-druid-query-id", "x-druid-sql-query-id", "content-length",
  ]

  static let exchanges = (try? RecordedServer.lines("wire.ndjson")) ?? []

  @Test func recordingsAreThere() { #expect(Self.exchanges.count == 59) }

  @Test(arguments: exchanges.compactMap { $0["name"]?.text }.filter { !leftOut.contains($0) })
  func answersAsRecorded(_ name: String) throws {
    let exchange = try #require(Self.exchanges.first { $0["name"]?.text == name })
    let server = try RecordedServer.shared.get().server
    let request = Array(try #require(exchange["request"]?.text).utf8)
    let answer = RecordedAnswer(try RecordedServer.exchange(request, port: server.port))
    #expect(answer.status == exchange["status"]?.integer.map(Int.init))
    var wanted: [String: String] = [:]
    for header in exchange["headers"]?.elements ?? [] {
      let pair = header.elements?.compactMap(\.text) ?? []
      wanted[pair[0].lowercased()] = pair[1]
    }
    // The servlet container's pages: only the status matters.
    if wanted["content-type"]?.hasPrefix("text/html") == true { return }
    #expect(Set(answer.headers.keys) == Set(wanted.keys))
    for (key, value) in wanted where !Self.otherHeaders.contains(key) {
      #expect(answer.headers[key] == value, "\(key)")
    }
    guard let body = exchange["body"]?.text else { return }
    guard Self.otherBodies.contains(name) else {
      #expect(answer.body == body)
      return
    }
    if let recorded = try? JSONValue(parsing: body), let category = recorded["category"] {
      let found = try JSONValue(parsing: answer.body)
      #expect(found["category"] == category)
      #expect(found["context"]?["line"] == recorded["context"]?["line"])
      #expect(found["context"]?["column"] == recorded["context"]?["column"])
    }
  }
}
