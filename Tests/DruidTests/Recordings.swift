import Foundation
import Testing

@testable import Druid

/// A real Druid's answer.
struct Recording: Decodable {
  let name: String
  let sql: String
  let status: Int
  let body: String
  let csv: String?
  let objectLines: String?

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  static func all() throws -> [Recording] {
    let text = try String(
      contentsOf: folder.appendingPathComponent("answers.ndjson"), encoding: .utf8)
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(Recording.self, from: Data($0.utf8))
    }
  }

  static func whole() throws -> [Recording] { try all().filter { $0.status == 200 } }
}

/// Formats an answer in this process.
enum Reading {
  struct Outcome: Equatable {
    var text: String
    var isWhole: Bool
    var rows: Int
    var failure: MalformedAnswer?
  }

  final class Output: AnswerOutput {
    var block = ByteBlock(capacity: 1024)
    func write(_ bytes: RawSpan) { block.append(bytes) }
    func flush() {}
  }

  /// - Parameter pieces: where the body is split; the rest comes at the end.
  static func read(
    _ body: [UInt8], _ options: FormatOptions = FormatOptions(format: .csv), pieces: [Int] = []
  ) -> Outcome {
    let output = Output()
    let overflow = Overflow(to: output)
    var reader = AnswerReader(
      formatter: AnswerFormatter(options), limits: options,
      overflow: overflow)
    var failure: MalformedAnswer?
    var start = 0
    do {
      for end in pieces + [body.count] {
        try reader.take(Array(body[start..<end]).rawSpan)
        start = end
      }
    } catch {
      failure = error
    }
    let isWhole = reader.finish(isWhole: failure == nil)
    try? reader.drain(to: output)
    return Outcome(
      text: String(decoding: output.block.array, as: UTF8.self), isWhole: isWhole,
      rows: reader.rowCount, failure: failure)
  }

  static func read(
    _ body: String, _ options: FormatOptions = FormatOptions(format: .csv)
  ) -> Outcome {
    read(Array(body.utf8), options)
  }
}
