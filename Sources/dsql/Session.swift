import Druid
import Plumbing

/// Runs statements one after the other: what SET changed, what was counted, what failed.
struct Session: ~Copyable {
  private let settings: Settings
  private var client: DruidClient
  let output: ResultOutput
  private var context: [JSONValue.Member]
  private var hasAnswered = false
  private var caughtUpTables = Set<String>()
  private let start = ContinuousClock.now
  /// What reports about supervisors have to be newer than, by both clocks.
  private var call = (clock: ContinuousClock.now, time: TimePoint.now)
  private var hasUsedParameters = false
  private var statements = 0
  private var totals = AnswerReport()
  private(set) var failed = 0

  init(_ settings: Settings, output: ResultOutput) throws {
    self.settings = settings
    self.output = output
    context = settings.context
    client = try DruidClient(settings: settings.connection, patience: settings.patience)
  }

  /// Takes a SET, which holds for the next statements; false when the statement is none.
  mutating func takeSetting(_ statement: Statement) throws -> Bool {
    guard let setting = try statement.contextSetting() else { return false }
    context.set(setting)
    return true
  }

  /// Runs a statement.
  mutating func run(_ statement: Statement) throws {
    if try takeSetting(statement) { return }
    let count = statement.parameterCount
    guard count == 0 || count == settings.parameters.count else {
      throw StatementFailure(
        statement, at: nil, "it has \(count) '?', and --param gives \(settings.parameters.count)",
        exitStatus: .usage, hints: [])
    }
    hasUsedParameters = hasUsedParameters || count > 0
    try answer(statement, parameters: count == 0 ? [] : settings.parameters)
  }

  /// Says it when values were given for nothing: a `?` in quotes looks like a place for one.
  func warnOfUnusedParameters() {
    guard statements > 0, !settings.parameters.isEmpty, !hasUsedParameters else { return }
    Diagnostics.warning("--param is not used: no statement has a '?' outside quotes and comments")
  }

  /// Asks for a window: its ends are the first two values.
  ///
  /// - Parameter closed: when its last row was due.
  mutating func answerWindow(
    _ statement: Statement, from: TimePoint, to: TimePoint, closed: TimePoint
  ) throws {
    // What was caught up with before that is not all of this window's rows.
    if closed.milliseconds > call.time.milliseconds {
      caughtUpTables = []
      call = (.now, .now)
    }
    try answer(
      statement, parameters: [.timestamp(from), .timestamp(to)] + settings.parameters,
      continues: settings.format.isSeparated)
  }

  func checkWindowParameters(_ statement: Statement) throws(UsageFailure) {
    let wanted = 2 + settings.parameters.count
    let count = statement.parameterCount
    guard count == wanted else {
      throw UsageFailure(
        "\(statement.title): it has \(count) '?', and --follow needs \(wanted)",
        hints: ["the first two are the window's ends: WHERE __time >= ? AND __time < ?"])
    }
  }

  /// Asks with these values, and writes the answer.
  private mutating func answer(
    _ statement: Statement, parameters: [QueryParameter], continues: Bool = false
  ) throws {
    var query = Query(statement)
    query.context = context
    query.parameters = parameters
    query.isExplained = settings.isExplained
    query.timeout = settings.timeout
    for reason in settings.isExplained ? [] : statement.approximations(context: context) {
      Diagnostics.note("\(statement.title): \(reason)")
    }
    var format = settings.format
    format.follows = hasAnswered && !continues
    if continues, hasAnswered { format.hasHeader = false }
    if output.hasContent, format.isSeparated { format.hasHeader = false }
    if output.isTerminal { format.terminalWidth = Terminal.width(1) }
    statements += 1
    // A window that fails leaves nothing, not even a header.
    hasAnswered = hasAnswered || !continues
    var report = AnswerReport()
    defer {
      totals.rows += report.rows
      totals.bytes += report.bytes
      totals.retries += report.retries
    }
    do {
      try waitUntilCaughtUp(statement)
      try client.run(query, format: format, output: output, report: &report)
      // The next statement may be long in coming.
      try output.flushWhole()
      hasAnswered = true
      noteNames(report.columns)
      if report.missingSegments > 0 {
        throw DruidFailure(
          .missing, "\(report.missingSegments) segments are missing from the answer",
          hints: ["a server is down or still loading; see sys.segments"])
      }
      if settings.isComplete {
        try client.checkCompleteness(of: statement, timeout: settings.timeout)
      }
    } catch let failure as DruidFailure {
      throw placed(failure, in: statement)
    }
  }

  private mutating func waitUntilCaughtUp(_ statement: Statement) throws {
    guard let limit = settings.caughtUp else { return }
    let tables = statement.tableNames.filter { !caughtUpTables.contains($0) }
    try client.waitUntilCaughtUp(with: tables, since: call.clock, within: limit)
    caughtUpTables.formUnion(tables)
  }

  private func noteNames(_ columns: [Column]) {
    guard settings.format.format == .json || settings.format.format == .ndjson else { return }
    let names = columns.map(\.name)
    for (name, key) in zip(names, distinctNames(names)) where name != key {
      Diagnostics.note("a second column \(quoted(name)) has the key \(quoted(key))")
    }
  }

  /// A failure of the statement, with its place in the user's file.
  private func placed(_ failure: DruidFailure, in statement: Statement) -> any Error {
    switch failure.kind {
    case .refused, .unknownTable:
      let missesTable = if case .unknownTable = failure.kind { true } else { false }
      return StatementFailure(
        statement, at: failure.place, failure.message, exitStatus: failure.exitStatus,
        hints: failure.hints + (statement.hintForRefusal.map { [$0] } ?? []),
        missesTable: missesTable)
    case .cut, .missing, .cancelled:
      return StatementFailure(
        statement, at: nil, failure.message, exitStatus: failure.exitStatus, hints: failure.hints)
    default: return failure
    }
  }

  /// Says what failed and goes on.
  mutating func note(_ failure: any ToolFailure) {
    failed += 1
    failure.say()
  }

  /// The line that `--summary` asks for.
  func summarize(failed: Int) {
    settings.summarize(
      statements: statements, totals, failed: failed, seconds: start.duration(to: .now))
  }
}

extension Settings {
  /// The line that `--summary` asks for.
  func summarize(
    statements: Int = 0, _ totals: AnswerReport = AnswerReport(), failed: Int,
    seconds span: Duration = .zero
  ) {
    guard summarizes else { return }
    let milliseconds = Int64(span.inSeconds * 1000)
    let tail = String(milliseconds % 1000)
    let seconds =
      "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - tail.count) + tail
    let object = JSONValue.object([
      "statements": .integer(statements), "rows": .integer(totals.rows),
      "bytes": .integer(totals.bytes), "failed": .integer(failed),
      "retries": .integer(totals.retries), "seconds": .number(seconds),
    ])
    Diagnostics.summary(object.jsonText)
  }
}

extension ToolFailure {
  /// Tells the person at the shell.
  func say() {
    Diagnostics.endProgress()
    Diagnostics.error(message)
    for line in details { Diagnostics.detail(line) }
    for hint in hints { Diagnostics.hint(hint) }
  }
}

extension FormatOptions {
  var isSeparated: Bool { format == .csv || format == .tsv }
}
