import Druid
import Glibc
import Plumbing

/// What a program needs to know about an answer before it relies on it: one JSON line for each
/// answer, in the file of `--receipt`.
struct Receipt {
  /// The completeness of an answer.
  enum Outcome: String {
    /// All rows are there.
    case whole
    /// Rows are missing at its end.
    case cut
    /// It has the rows that `--row-limit` or the context's `sqlOuterLimit` allowed; there may be
    /// more.
    case limited
    /// There is no answer, or segments are missing from it.
    case failed
  }

  static let version = 1

  let statement: Statement
  var outcome = Outcome.whole
  var report = AnswerReport()
  var output = OutputDigest()
  var seconds = Duration.zero
  /// The failure, with its exit status.
  var failure: (any ToolFailure)?

  var json: JSONValue {
    let columns = report.columns.map {
      JSONValue.object(["name": .string($0.name), "type": .string($0.sqlType)])
    }
    return .object([
      "version": .integer(Self.version), "tool": .string("dsql"),
      "source": .string(statement.source.isEmpty ? "standard input" : statement.source),
      "statement": .integer(statement.number),
      "line": .integer(statement.line), "answer": .string(outcome.rawValue),
      "rows": .integer(report.rows), "bytes": .integer(output.count),
      "sha256": .string(output.hash.finish()), "columns": .array(columns),
      "missing_segments": .integer(report.missingSegments),
      "newest_time": report.newestTime.map { .string($0) } ?? .null,
      "query_id": .string(report.identifier), "seconds": .number(seconds.inMilliseconds),
      "status": .integer(failure?.exitStatus.rawValue ?? 0),
      "error": (failure?.message).map { .string($0) } ?? .null,
    ])
  }
}

/// Counts and hashes the bytes of an answer.
struct OutputDigest {
  private(set) var count = 0
  private(set) var hash = SHA256()

  mutating func take(_ bytes: RawSpan) {
    count += bytes.byteCount
    hash.update(bytes)
  }
}

/// The file of `--receipt`: a run replaces it, a service appends to it.
final class ReceiptFile {
  private var writer: LineWriter

  init(_ path: String, adding: Bool) throws(SystemFailure) {
    let descriptor = try openFile(path, O_WRONLY | O_CREAT | (adding ? O_APPEND : O_TRUNC))
    writer = LineWriter(to: descriptor, named: quoted(path), owns: true)
    if adding, endsInsideLine(path) {
      Diagnostics.warning("\(quoted(path)) ends inside a line: new lines begin on a new line")
      try writer.append("\n")
    }
  }

  /// Writes a line, which is kept whatever happens to the next answers.
  func add(_ receipt: Receipt) throws(SystemFailure) {
    try writer.append(receipt.json.jsonText + "\n")
    try writer.flush()
  }
}

extension Duration {
  /// Seconds with three decimals.
  var inMilliseconds: String {
    let milliseconds = Int64(inSeconds * 1000)
    let tail = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - tail.count) + tail
  }
}
