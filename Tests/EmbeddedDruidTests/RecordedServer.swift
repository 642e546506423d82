import Foundation
import Plumbing
import TestSupport

@testable import EmbeddedDruid

/// A server with the recorded events and without Kafka. The rows are read from fixture files.
struct RecordedServer {
  let supervisors: Supervisors
  let server: HTTPServer
  let queries: QueryService

  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures")
  /// The folder of the recorded rows, which the command tests use as well.
  static let recorded = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../CommandTests/Fixtures/recorded")

  static func lines(_ name: String) throws -> [JSONValue] {
    try String(contentsOf: fixtures.appending(path: name), encoding: .utf8)
      .split(separator: "\n").map { try JSONValue(parsing: String($0)) }
  }

  /// One for all tests.
  static let shared = Result { try RecordedServer() }

  init() throws {
    let storage = try TemporaryStorage(directory: "/tmp")
    supervisors = Supervisors(offline: storage)
    for (name, file) in [("ecommerce", "events.ndjson"), ("edge", "edge.ndjson")] {
      let text =
        name == "ecommerce"
        ? DruidServer.ecommerceSpec
        : try String(
          contentsOf: Self.recorded.appending(path: "supervisor-\(name).json"), encoding: .utf8)
      let lines = try Data(contentsOf: Self.recorded.appending(path: file)).split(separator: 10)
      try supervisors.hold(lines.map { Array($0) }, as: text, in: storage)
    }
    let queries = QueryService(supervisors)
    self.queries = queries
    let router = Router(supervisors: supervisors, queries: queries)
    server = try HTTPServer(port: 0) { router.answer($0) }
  }

  struct Query: Decodable {
    var sql: String
    var parameters: String?
    var context: String?
  }

  /// The recorded queries that a program made.
  static func randomQueries() throws -> [Query] {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "gzip", "-dc",
      fixtures.appending(path: "../../CommandTests/Fixtures/sets/random.ndjson.gz").path,
    ]
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try bytes.split(separator: 10).map { try JSONDecoder().decode(Query.self, from: $0) }
  }

  /// A socket connected to the server. The caller closes it.
  static func connected(to port: UInt16) throws -> Int32 {
    guard let socket = loopbackSocket(to: port) else { throw SystemFailure("connecting") }
    var limit = timeval(tv_sec: 90, tv_usec: 0)
    _ = unsafe setsockopt(
      socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return socket
  }

  /// Sends bytes to the server and reads until it closes.
  static func exchange(_ request: [UInt8], port: UInt16) throws -> [UInt8] {
    let socket = try connected(to: port)
    defer { close(socket) }
    var sent = 0
    while sent < request.count {
      let count = unsafe request[sent...].withUnsafeBytes { bytes in
        unsafe send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { break }
      sent += count
    }
    var answer: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe room.withUnsafeMutableBytes {
        unsafe recv(socket, $0.baseAddress, $0.count, 0)
      }
      guard count > 0 else { return answer }
      answer += room[..<count]
    }
  }
}

/// A parsed HTTP response.
struct RecordedAnswer {
  var status = 0
  var headers: [String: String] = [:]
  var body = ""

  init(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    body = String(text[end.upperBound...])
  }
}

/// A topic that is never created.
private final class MissingTopic: MessageReader {
  private let interruption = DispatchSemaphore(value: 0)

  func read(
    partition: Int, from offset: Int64, into messages: inout MessageBlock
  ) throws(MessageReaderFailure) { throw .missing }

  func wait(behind positions: [Int64]) { interruption.wait() }

  func interrupt() { interruption.signal() }
}

private struct NoBroker: MessageSource {
  let brokers = "127.0.0.1:9"
  let topicNames: [String] = []

  func endOffsets(topic: String) -> [Int64]? { nil }
  func startOffsets(topic: String) -> [Int64]? { nil }
  func open(topic: String) throws(EmbeddedDruidFailure) -> any MessageReader {
    MissingTopic()
  }
}

/// Messages as a consumer passes them: followed by readable bytes.
extension Supervisors {
  /// Supervisors that reach no broker.
  convenience init(offline storage: TemporaryStorage) {
    self.init(of: NoBroker(), storage: storage, report: { _ in })
  }

  /// Adds a datasource with the rows of these messages.
  func hold(_ messages: [[UInt8]], as specText: String, in storage: TemporaryStorage) throws {
    let spec = try IngestionSpec(JSONValue(parsing: specText))
    _ = try submit(spec)
    var reader = RowReader(spec, storage: storage)
    for message in messages { _ = try Messages.read(message, with: &reader) }
    let snapshot = reader.publish()
    find(spec.dataSource)?.follower.state.change { $0.snapshot = snapshot }
  }
}

enum Messages {
  static func read(_ message: [UInt8], with reader: inout RowReader) throws -> RowReader.Outcome {
    let padded = message + [UInt8](repeating: 0, count: 64)
    return try unsafe padded.withUnsafeBytes { bytes in
      try unsafe reader.read(UnsafeRawBufferPointer(rebasing: bytes[..<message.count]))
    }
  }
}
