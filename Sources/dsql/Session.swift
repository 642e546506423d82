import Druid
import Plumbing

/// Runs statements one after the other, and keeps their SETs, counts and failures.
struct Session: ~Copyable {
  private let settings: Settings
  private var client: DruidClient
  private(set) var output: ResultOutput
  /// The format of rows; `\x` changes it.
  private var format: FormatOptions
  /// Whether `\timing` is on.
  private var showsTime = false
  /// Whether a person reads the answers at a prompt.
  var isPrompt = false
  private var context: [JSONValue.Member]
  private var hasAnswered = false
  private var caughtUpTables = Set<String>()
  private let start = ContinuousClock.now
  /// The time that supervisors' reports must be newer than, by both clocks.
  private var call = (clock: ContinuousClock.now, time: TimePoint.now)
  private var hasUsedParameters = false
  private var usedNames = Set<String>()
  private var statements = 0
  private(set) var totals = AnswerReport()
  private(set) var failed = 0
  private let receipts: ReceiptFile?
  /// The server's default row limit, and the time of the request for it.
  private var serverLimit: (value: ServerRowLimit, asked: ContinuousClock.Instant)?
  /// How long the limit is cached: an operator may change it while a service runs.
  private static let serverLimitAge = Duration.seconds(600)
  /// How long to wait for the server's limit: the answer is there already.
  private static let serverLimitPatience = Duration.seconds(5)
  /// The largest limit that is sent, because a broker reserves memory for that many rows.
  private static let largestSentLimit = 100_000

  /// - Parameter metrics: the file to keep up to date while answers are awaited.
  init(_ settings: Settings, output: ResultOutput, metrics: FollowMetrics? = nil) throws {
    let receipts = try settings.receipt.map {
      try ReceiptFile($0, adding: settings.appends || settings.follow != nil)
    }
    var client = try DruidClient(settings: settings.connection, patience: settings.patience)
    if let metrics {
      client.whileWaiting = {
        metrics.writeIfDue()
        return metrics.timeLeft
      }
    }
    self.settings = settings
    self.output = output
    self.receipts = receipts
    context = settings.context
    format = settings.format
    self.client = client
  }

  /// Applies a SET, which holds for the next statements; false when the statement is not a SET.
  mutating func takeSetting(_ statement: Statement) throws -> Bool {
    guard let setting = try statement.contextSetting() else { return false }
    context.set(setting)
    return true
  }

  /// Runs an item of a script; false when the script ends.
  mutating func run(_ item: ScriptItem) throws -> Bool {
    switch item {
    case .statement(let statement): try run(statement)
    case .command(let command): return try run(command)
    }
    return true
  }

  /// Runs a statement.
  mutating func run(_ statement: Statement) throws {
    if try takeSetting(statement) { return }
    let (statement, names) = statement.takingNames(Set(settings.named.keys))
    let count = names.count { $0 == nil }
    guard count == 0 || count == settings.parameters.count else {
      throw StatementFailure(
        statement, at: nil, "it has \(count) '?', and --param gives \(settings.parameters.count)",
        exitStatus: .usage, hints: [])
    }
    hasUsedParameters = hasUsedParameters || count > 0
    usedNames.formUnion(names.compactMap { $0 })
    try answer(statement, parameters: values(of: names, settings.parameters))
  }

  /// The value of each `?` of a statement: those without a name take the positional values in turn.
  private func values(of names: [String?], _ positional: [QueryParameter]) -> [QueryParameter] {
    var rest = positional[...]
    return names.compactMap { name in
      if let name { settings.named[name] } else { rest.popFirst() }
    }
  }

  /// Warns when values were given that no statement uses: a `?` in quotes is not a parameter.
  func warnOfUnusedParameters() {
    guard statements > 0 else { return }
    if !settings.parameters.isEmpty, !hasUsedParameters {
      Diagnostics.warning("--param is not used: no statement has a '?' outside quotes and comments")
    }
    for name in settings.named.keys.sorted() where !usedNames.contains(name) {
      Diagnostics.warning(
        "--named-param \(name) is not used: no statement has ':\(name)' outside quotes and comments"
      )
    }
  }

  private mutating func run(_ command: MetaCommand) throws -> Bool {
    switch command.kind {
    case .describe:
      let rows = totals.rows
      let question = command.question
      try answer(question, parameters: [])
      guard totals.rows > rows || command.argument.isEmpty else {
        throw StatementFailure(question, at: nil, "there is no table \(quoted(command.argument))")
      }
    case .echo:
      var block = ByteBlock(capacity: command.argument.utf8.count + 1)
      block.append(command.argument + "\n")
      try output.write(block.bytes)
      try output.flush()
    case .expanded:
      let isOn = command.toggled(format.format == .vertical)
      let usual = settings.format.format
      format.format = isOn ? .vertical : usual == .vertical ? .table : usual
      confirm("expanded display", isOn)
    case .timing:
      showsTime = command.toggled(showsTime)
      confirm("timing", showsTime)
    case .help:
      for line in MetaCommand.help.split(separator: "\n") { Diagnostics.detail(String(line)) }
    case .quit: return false
    }
    return true
  }

  /// Makes the next answer the first one: `--watch` shows it in the same place.
  mutating func beginAnew() { hasAnswered = false }

  /// Queries a window, whose ends are the first two values.
  ///
  /// - Parameter closed: when its last row was due.
  mutating func answerWindow(
    _ statement: Statement, from: TimePoint, to: TimePoint, closed: TimePoint
  ) throws {
    // An earlier catch-up may not include all of this window's rows.
    if closed.milliseconds > call.time.milliseconds {
      caughtUpTables = []
      call = (.now, .now)
    }
    let (statement, names) = statement.takingNames(Set(settings.named.keys))
    try answer(
      statement,
      parameters: values(of: names, [.timestamp(from), .timestamp(to)] + settings.parameters),
      continues: settings.format.isSeparated)
  }

  func checkWindowParameters(_ statement: Statement) throws(UsageFailure) {
    let wanted = 2 + settings.parameters.count
    let names = statement.takingNames(Set(settings.named.keys)).names
    let count = names.count { $0 == nil }
    guard count == wanted else {
      throw UsageFailure(
        "\(statement.title): it has \(count) '?', and --follow needs \(wanted)",
        hints: ["the first two are the window's ends: WHERE __time >= ? AND __time < ?"])
    }
  }

  /// Runs the query with these values, and writes the answer to its destination.
  private mutating func answer(
    _ statement: Statement, parameters: [QueryParameter], continues: Bool = false
  ) throws {
    let start = ContinuousClock.now
    var end: ContinuousClock.Instant?
    if settings.hasFilePerStatement, let pattern = settings.output {
      let name = pattern.replacing("%n", with: "\(statements + 1)")
      let file = try settings.openOutput(name)
      do {
        try write(to: file) { session in
          session.hasAnswered = false
          try session.account(for: statement, parameters, continues: continues)
        }
        try file.commit()
      } catch {
        file.abandon()
        throw error
      }
    } else if isPrompt, output.isTerminal {
      let shown = ResultOutput(pager: ())
      defer { shown.leavePager() }
      try write(to: shown) { session in
        try session.account(for: statement, parameters, continues: continues)
        // Reading the pager is not part of it.
        end = .now
      }
    } else {
      try account(for: statement, parameters, continues: continues)
    }
    if showsTime { Diagnostics.detail("time: \(start.duration(to: end ?? .now).inMilliseconds) s") }
  }

  /// Tells a person at the prompt what a switch says now.
  private func confirm(_ what: String, _ isOn: Bool) {
    if isPrompt { Diagnostics.note("\(what) is \(isOn ? "on" : "off")") }
  }

  private mutating func write(
    to other: ResultOutput, _ work: (inout Session) throws -> Void
  ) throws {
    let usual = output
    output = other
    defer { output = usual }
    try work(&self)
  }

  /// Writes the answer, and its receipt when requested.
  private mutating func account(
    for statement: Statement, _ parameters: [QueryParameter], continues: Bool
  ) throws {
    var receipt = Receipt(statement: statement)
    let start = ContinuousClock.now
    output.digest = receipts == nil ? nil : OutputDigest()
    do {
      try answer(statement, parameters, continues: continues, &receipt)
    } catch {
      receipt.failure = error as? any ToolFailure
      if receipt.outcome == .whole { receipt.outcome = .failed }
      receipt.seconds = start.duration(to: .now)
      try writeReceipt(receipt)
      throw error
    }
    receipt.seconds = start.duration(to: .now)
    try writeReceipt(receipt)
  }

  private mutating func writeReceipt(_ receipt: Receipt) throws {
    var receipt = receipt
    if let digest = output.digest { receipt.output = digest }
    try receipts?.add(receipt)
  }

  private mutating func answer(
    _ statement: Statement, _ parameters: [QueryParameter], continues: Bool,
    _ receipt: inout Receipt
  ) throws {
    var query = Query(statement)
    query.context = context
    query.parameters = parameters
    query.isExplained = settings.isExplained
    query.timeout = settings.timeout
    let sentLimit = limitRows(of: &query)
    for reason in settings.isExplained ? [] : statement.approximations(context: context) {
      Diagnostics.note("\(statement.title): \(reason)")
    }
    var format = format
    format.heading = statement.heading
    format.follows = hasAnswered && !continues && !isPrompt
    if continues, hasAnswered { format.hasHeader = false }
    if output.hasContent, format.isSeparated { format.hasHeader = false }
    if output.isTerminal { format.terminalWidth = Terminal.width(1) }
    statements += 1
    var report = AnswerReport()
    defer {
      // An answer that is cut has written at least its header; a window that fails has written nothing.
      if !continues, !report.columns.isEmpty { hasAnswered = true }
      totals.rows += report.rows
      totals.bytes += report.bytes
      totals.retries += report.retries
      receipt.report = report
    }
    do {
      try waitUntilCaughtUp(statement)
      try client.run(query, limits: format.limits, output: output, report: &report) {
        AnswerFormatter(format)
      }
      // The next statement may take long.
      try output.flushWhole()
      hasAnswered = true
      noteNames(report.columns)
      if report.missingSegments > 0 {
        throw DruidFailure(
          .missing,
          report.missingSegments == 1
            ? "a segment is missing from the answer"
            : "\(report.missingSegments) segments are missing from the answer",
          hints: ["a server is down or still loading; see sys.segments"])
      }
      if report.repairedLines > 0 {
        throw DruidFailure(
          .garbled,
          "\(report.repairedLines) lines of the answer are not UTF-8: the bytes that are not are "
            + "written as U+FFFD")
      }
      if let limit = try checkLimits(statement, parameters, sent: sentLimit, report) {
        receipt.outcome = .limited
        Diagnostics.note(
          "\(statement.title): the context's sqlOuterLimit is \(limit): there may be more rows")
      }
      if settings.isComplete {
        try client.checkCompleteness(of: statement, timeout: settings.timeout)
      }
    } catch let failure as DruidFailure {
      switch failure.kind {
      case .cut: receipt.outcome = .cut
      case .limited: receipt.outcome = .limited
      default: break
      }
      throw placed(failure, in: statement)
    }
  }

  /// Requests one row more than `--row-limit` allows, to find out whether there are more. A
  /// statement's own context takes precedence.
  ///
  /// - Returns: the `sqlOuterLimit` that is sent, if any.
  private func limitRows(of query: inout Query) -> Int? {
    let set = query.context.last { $0.key == "sqlOuterLimit" }?.value
    if let set, !set.isNull {
      return (set.integer ?? set.text.flatMap { Int64($0) }).map { Int($0) }
    }
    guard let limit = settings.rowLimit, limit <= Self.largestSentLimit else { return nil }
    query.context.set(.init(key: "sqlOuterLimit", value: .integer(limit + 1)))
    return limit + 1
  }

  /// Finds out whether a limit cut an answer that ends normally.
  ///
  /// - Returns: the limit that the user set in the context, when the answer has as many rows.
  /// - Throws: ``DruidFailure/Kind/limited`` for `--row-limit`,
  ///   ``DruidFailure/Kind/cut(rows:byTimeout:)`` for a limit of the server's default context.
  private mutating func checkLimits(
    _ statement: Statement, _ parameters: [QueryParameter], sent: Int?, _ report: AnswerReport
  ) throws -> Int? {
    if report.hasMore {
      throw DruidFailure(
        .limited, "there are more rows than the \(report.rows) of --row-limit",
        hints: ["a LIMIT in the statement limits it without this error"])
    }
    /// Whether the statement's own LIMIT explains the number of rows.
    let hasOwnLimit = statement.ownLimit(parameters: parameters).map { $0 <= report.rows } ?? false
    guard !settings.isExplained, !hasOwnLimit else { return nil }
    if let sent {
      return settings.rowLimit.map { $0 + 1 } != sent && report.rows >= sent ? sent : nil
    }
    guard settings.isComplete || report.rows > 1 else { return nil }
    guard case .rows(let limit) = limitOfServer(), report.rows >= limit else { return nil }
    throw DruidFailure(
      .cut(rows: report.rows, byTimeout: false),
      "the answer is cut after \(report.rows == 1 ? "1 row" : "\(report.rows) rows"): "
        + "the server's default context holds sqlOuterLimit \(limit)",
      hints: ["SET sqlOuterLimit = N overrides it; choose N no larger than needed"])
  }

  /// The server's limit: requested once in a session, with `--complete` after each answer.
  private mutating func limitOfServer() -> ServerRowLimit {
    let now = ContinuousClock.now
    if let (value, asked) = serverLimit, !settings.isComplete,
      asked.duration(to: now) < Self.serverLimitAge
    {
      return value
    }
    let value = client.serverRowLimit(
      within: min(settings.timeout ?? Self.serverLimitPatience, Self.serverLimitPatience))
    serverLimit = (value, now)
    return value
  }

  private mutating func waitUntilCaughtUp(_ statement: Statement) throws {
    guard let limit = settings.caughtUp else { return }
    let tables = statement.tableNames.filter { !caughtUpTables.contains($0) }
    try client.waitUntilCaughtUp(with: tables, since: call.clock, within: limit)
    caughtUpTables.formUnion(tables)
  }

  private func noteNames(_ columns: [Column]) {
    guard format.format == .json || format.format == .ndjson else { return }
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
        hints: failure.hints + hints(for: failure, in: statement), missesTable: missesTable)
    case .cut, .limited, .garbled, .missing, .unserved, .cancelled:
      return StatementFailure(
        statement, at: nil, failure.message, exitStatus: failure.exitStatus, hints: failure.hints)
    default: return failure
    }
  }

  /// Hints about what the user may have meant.
  private func hints(for failure: DruidFailure, in statement: Statement) -> [String] {
    if case .unknownTable(let name) = failure.kind {
      let names = client.knownNames().filter { $0 != name }
      return didYouMean(name, among: names).map { [$0] } ?? []
    }
    var hints = statement.hintsForRefusal
    if let name = failure.missingColumn {
      let names = client.knownNames(columnsOf: statement.tableNames).filter { $0 != name }
      if let hint = didYouMean(name, among: names) {
        hints.append(hint)
      } else if statement.quotes(name) {
        hints.append("double quotes are for names, single quotes for text: \(quoted(name))")
      }
    }
    return hints
  }

  /// Counts a failure and continues.
  ///
  /// - Parameter isKnown: whether it was reported already.
  mutating func note(_ failure: any ToolFailure, isKnown: Bool = false) {
    failed += 1
    if !isKnown { failure.say() }
  }

  /// Writes the JSON object of `--summary`.
  func summarize(failed: Int) {
    settings.summarize(
      statements: statements, totals, failed: failed, seconds: start.duration(to: .now))
  }
}

extension Settings {
  /// Writes the JSON object of `--summary`.
  func summarize(
    statements: Int = 0, _ totals: AnswerReport = AnswerReport(), failed: Int,
    seconds span: Duration = .zero
  ) {
    guard summarizes else { return }
    let object = JSONValue.object([
      "statements": .integer(statements), "rows": .integer(totals.rows),
      "bytes": .integer(totals.bytes), "failed": .integer(failed),
      "retries": .integer(totals.retries), "seconds": .number(span.inMilliseconds),
    ])
    Diagnostics.summary(object.jsonText)
  }
}

extension ToolFailure {
  /// Reports the failure to the user.
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
