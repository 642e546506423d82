import AnomalyDetection
import Glibc
import Plumbing

/// A bucket of one series, for `--all`.
struct ScoreLine {
  let time: Int64
  let key: String
  let measure: String
  let value: Double
  let exposure: Double
  let verdict: Verdict
  /// The memory in buckets or the lens that gave the score.
  let scale: String
  /// Whether it is a ratio or a mean, whose amount is divided by its exposure.
  let isQuotient: Bool
}

/// One result of the command.
enum ResultLine {
  case score(ScoreLine)
  case incident(IncidentLine)
}

/// Writes results to standard output in the selected format.
struct ResultOutput: ~Copyable {
  private var writer: LineWriter
  /// Whether results and progress share a terminal.
  private let isTerminal = Terminal.isTerminal(STDOUT_FILENO)
  private let format: Settings.OutputFormat
  /// Whether the header is written: once for all runs that share a state.
  var hasHeader = false
  private(set) var lines = 0
  /// Whether the reader of the output is gone, which ends the run.
  private(set) var isClosed = false

  /// - Parameter hasHeader: whether the header exists already, as when a run continues from a
  ///   state.
  init(_ format: Settings.OutputFormat) {
    self.format = format
    writer = LineWriter(to: STDOUT_FILENO, named: "standard output")
  }

  mutating func write(_ line: ResultLine) throws {
    if isClosed { return }
    var text = ""
    switch line {
    case .score(let score):
      if !hasHeader, format != .ndjson { text = score.header(format) + "\n" }
      text += score.text(format)
    case .incident(let incident):
      if !hasHeader, format == .csv { text = IncidentLine.csvHeader + "\n" }
      text += incident.text(format)
    }
    hasHeader = true
    lines += 1
    try send(text + "\n")
  }

  private mutating func send(_ text: String) throws {
    if isTerminal { Diagnostics.endProgress() }
    do {
      try writer.append(text)
    } catch {
      guard error.isReaderGone else { throw error }
      isClosed = true
    }
  }

  /// Writes what is buffered. Call it before anything that can block.
  mutating func flush() throws {
    if isClosed { return }
    do {
      try writer.flush()
    } catch {
      guard error.isReaderGone else { throw error }
      isClosed = true
    }
  }
}

extension ScoreLine {
  private var shownValue: Double { isQuotient && exposure > 0 ? value / exposure : value }
  private var shownExpected: Double {
    isQuotient && exposure > 0 ? verdict.expected / exposure : verdict.expected
  }

  func header(_ format: Settings.OutputFormat) -> String {
    format == .csv
      ? "time,key,measure,value,expected,score,scale,direction"
      : "TIME                      KEY                       MEASURE              VALUE     EXPECTED    SCORE"
  }

  func text(_ format: Settings.OutputFormat) -> String {
    let stamp = TimePoint(milliseconds: time).iso8601
    let isEmpty = !(exposure > 0) || !value.isFinite
    let value = isEmpty ? "" : numberText(shownValue)
    let expected = isEmpty ? "" : numberText(shownExpected)
    let score = isEmpty ? "" : numberText(verdict.score)
    let direction = isEmpty || verdict.lens == .none ? "" : verdict.isUp ? "up" : "down"
    let lens = isEmpty ? "" : scale
    switch format {
    case .csv:
      return [stamp, csvText(key), csvText(measure), value, expected, score, lens, direction]
        .joined(separator: ",")
    case .ndjson:
      var out = "{\"time\":\"\(stamp)\",\"key\":"
      JSONValue.write(key, to: &out)
      out += ",\"measure\":"
      JSONValue.write(measure, to: &out)
      func field(_ name: String, _ text: String, quoted: Bool = false) {
        out += ",\"\(name)\":" + (text.isEmpty ? "null" : quoted ? "\"\(text)\"" : text)
      }
      field("value", value)
      field("expected", expected)
      field("score", score)
      field("scale", lens, quoted: true)
      field("direction", direction, quoted: true)
      return out + "}"
    case .table:
      return padded(stamp, 26) + padded(shown(key), 26) + padded(measure, 16) + aligned(value, 10)
        + " "
        + aligned(expected, 12) + " " + aligned(isEmpty ? "" : rounded(verdict.score, 2), 8)
    }
  }
}

func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}

func aligned(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// A number with nine significant digits, as JSON has it.
func numberText(_ number: Double) -> String {
  guard number.isFinite else { return "null" }
  if number == 0 { return "0" }
  if let whole = Int64(exactly: number), whole.magnitude < 1_000_000_000_000_000 {
    return "\(whole)"
  }
  let digits = 8 - Int(log10(abs(number)).rounded(.down))
  guard digits > 0, digits < 300 else { return "\(number)" }
  return rounded(number, digits)
}

/// A number with up to this many decimals.
func rounded(_ number: Double, _ decimals: Int) -> String {
  guard number.isFinite, decimals < 300 else { return "\(number)" }
  let power = pow(10, Double(min(decimals, 300)))
  let scaled = (number * power).rounded() / power
  if let whole = Int64(exactly: scaled), whole.magnitude < 1 << 53 { return "\(whole)" }
  return scaled.isFinite ? "\(scaled)" : "\(number)"
}

/// A number for a sentence: with two decimals, or two significant digits if it is small.
func shortText(_ number: Double) -> String {
  guard number != 0, abs(number) < 0.1 else { return rounded(number, 2) }
  return rounded(number, 1 - Int(log10(abs(number)).rounded(.down)))
}

/// A CSV cell, quoted if necessary.
func csvText(_ text: String) -> String {
  guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
  return "\""
    + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    + "\""
}
