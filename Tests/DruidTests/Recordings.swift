import Foundation
import Testing

@testable import Druid

/// What a real Druid answered.
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

/// Reads an answer in process.
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

  /// - Parameter pieces: where the body is chopped; the rest comes at the end.
  static func read(
    _ body: [UInt8], _ options: FormatOptions = FormatOptions(format: .csv), pieces: [Int] = []
  ) -> Outcome {
    let output = Output()
    let overflow = Overflow(to: output)
    var reader = AnswerReader(
      formatter: AnswerFormatter(options), maximumRowLength: options.maximumRowLength,
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

/// A generator whose seed is printed with a failure.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

/// Rounds of random input, for as long as `FUZZ_SECONDS` says, from the seed `FUZZ_SEED`.
enum Fuzzing {
  static func run(
    _ what: String, _ round: (inout SeededGenerator) throws -> Void
  ) throws {
    let environment = ProcessInfo.processInfo.environment
    let seconds = environment["FUZZ_SECONDS"].flatMap(Double.init) ?? 2
    let seed =
      environment["FUZZ_SEED"].flatMap(UInt64.init) ?? UInt64(Date().timeIntervalSince1970)
    print("\(what): FUZZ_SEED=\(seed)")
    var generator = SeededGenerator(state: seed)
    let end = ContinuousClock.now + .seconds(seconds)
    repeat { try round(&generator) } while ContinuousClock.now < end
  }
}
