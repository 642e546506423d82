@testable import Druid
@testable import dsql

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
      formatter: AnswerFormatter(options), limits: options.limits, overflow: overflow)
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
