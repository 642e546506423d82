package import Plumbing

/// The destination of the text of answers.
package protocol AnswerOutput: AnyObject {
  /// Writes bytes that end with a line, unless one row is larger than a block.
  func write(_ bytes: RawSpan) throws(SystemFailure)
  /// Flushes what was written, before an operation that can block.
  func flush() throws(SystemFailure)
}

/// The output for rows that are longer than a block.
final class Overflow {
  static let limit = 65536
  private let output: any AnswerOutput
  private var failure: SystemFailure?
  private var isBroken = false

  init(to output: any AnswerOutput) { self.output = output }

  /// Writes bytes; after a failure, drops them. An output that a signal interrupted keeps what it
  /// has, so it also gets the rest of the row.
  func take(_ bytes: RawSpan) {
    guard !isBroken else { return }
    do throws(SystemFailure) {
      try output.write(bytes)
    } catch {
      isBroken = failure != nil || !error.isInterruption
      failure = error
    }
  }

  /// Throws the failure, once.
  func check() throws(SystemFailure) {
    guard let failure else { return }
    self.failure = nil
    throw failure
  }
}

/// The result of an answer.
package struct AnswerReport: Sendable {
  package var rows = 0
  package var bytes = 0
  package var columns: [Column] = []
  package var retries = 0
  /// The number of segments whose rows are missing, from `X-Druid-Response-Context`.
  package var missingSegments = 0
  /// The query's id on the server.
  package var identifier = ""
  /// The newest `__time` of the rows, if ``AnswerLimits/tracksTime`` is set.
  package var newestTime: String?
  /// Whether there are more rows than ``AnswerLimits/rowLimit`` allows.
  package var hasMore = false
  /// The number of lines that are not UTF-8: invalid bytes are written as U+FFFD.
  package var repairedLines = 0

  package init() {}
}

/// Receives a body as it arrives: rows if the status is 200, else an error's text.
class AnswerSink {
  /// The maximum length of an error's text that is kept.
  private static let maximumErrorBytes = 1 << 20

  fileprivate(set) var errorBody: [UInt8] = []
  /// The number of bytes of a body with status 200.
  fileprivate(set) var byteCount = 0

  var rowCount: Int { 0 }
  /// The number of rows for messages.
  var rowCountText: String { rowCount == 1 ? "1 row" : "\(rowCount) rows" }

  func take(_ bytes: RawSpan, status: Int) throws {
    if status == 200 {
      byteCount += bytes.byteCount
      try takeRows(bytes)
    } else if errorBody.count < Self.maximumErrorBytes, status / 100 != 3 {
      var block = ByteBlock(capacity: bytes.byteCount)
      block.append(bytes)
      errorBody += block.array
    }
  }

  /// Called when no data is available for now: writes what is held back. Returns how long to wait
  /// before the next call.
  func pause() throws -> Duration? { nil }
  func takeRows(_ bytes: RawSpan) throws {}
  /// Ends the body; returns whether the answer is complete.
  func finish(isWhole: Bool) throws -> Bool { isWhole }
  /// Flushes what is written.
  func flush() throws {}
}

/// Collects a small body in memory.
final class CollectingSink: AnswerSink {
  static let maximumBytes = 64 << 20
  private(set) var body: [UInt8] = []

  override func takeRows(_ bytes: RawSpan) throws {
    guard body.count + bytes.byteCount <= Self.maximumBytes else {
      throw DruidFailure(.notDruid, "the answer is longer than \(Self.maximumBytes) bytes")
    }
    var block = ByteBlock(capacity: bytes.byteCount)
    block.append(bytes)
    body += block.array
  }
}

/// Formats rows as they arrive.
final class FormattingSink: AnswerSink {
  /// The number of bytes that are gathered for one write.
  private static var blockSize: Int { 65536 }
  /// How long a table on a terminal waits for more rows to determine its widths.
  private static var settling: Duration { .milliseconds(200) }

  private var reader: AnswerReader
  private let output: any AnswerOutput
  private let overflow: Overflow
  private let settles: Bool
  private var settleTime: ContinuousClock.Instant?

  init(_ formatter: any RowFormatter, limits: AnswerLimits, output: any AnswerOutput) {
    overflow = Overflow(to: output)
    reader = AnswerReader(formatter: formatter, limits: limits, overflow: overflow)
    self.output = output
    settles = formatter.settles
  }

  override var rowCount: Int { reader.rowCount }
  var columns: [Column] { reader.columns }
  var newestTime: String? { reader.newestTime }
  var hasMore: Bool { reader.hasMore }
  var repairedLines: Int { reader.repairedLines }

  override func takeRows(_ bytes: RawSpan) throws {
    do {
      try reader.take(bytes)
    } catch {
      try writeOut()
      throw error
    }
    if reader.outputCount >= Self.blockSize { try writeOut() }
    try overflow.check()
    // With a fast server, libcurl stays in its loop for many megabytes.
    if Interruption.count > 0 { throw DruidFailure(.interrupted, "interrupted") }
  }

  private func writeOut() throws(SystemFailure) {
    try overflow.check()
    try reader.drain(to: output)
  }

  override func pause() throws -> Duration? {
    var wait: Duration?
    if settles, reader.rowCount > 0 {
      let now = ContinuousClock.now
      let due = settleTime ?? now + Self.settling
      settleTime = due
      if due <= now { reader.settle() } else { wait = now.duration(to: due) }
    }
    try writeOut()
    try output.flush()
    return wait
  }

  override func finish(isWhole: Bool) throws -> Bool {
    let isWhole = reader.finish(isWhole: isWhole)
    try writeOut()
    return isWhole
  }

  override func flush() throws { try output.flush() }
}

/// Formats a body in the form of an answer that dsql made itself.
package func format(
  _ body: RawSpan, with formatter: any RowFormatter, output: any AnswerOutput
) throws {
  let sink = FormattingSink(formatter, limits: AnswerLimits(), output: output)
  try sink.takeRows(body)
  _ = try sink.finish(isWhole: true)
  try output.flush()
}
