import AnomalyDetection
import Glibc
import Plumbing

/// Finds anomalies in events or rows, and the segments that explain them.
@main
struct Anomalies: Tool {
  static let description = CommandDescription(
    name: "anomalies",
    summary: "Reads events or rows on standard input and writes the incidents in them.",
    usage: [
      "--time FIELD --shop [option]... < EVENTS",
      "--time FIELD [--measure MEASURE]... [--by FIELD[:N]]... [option]... < EVENTS",
      "--time FIELD --value FIELD... [--by FIELD] [option]... < ROWS",
      "grade --labels FILE [option]... < INCIDENTS", "backtest [FILE] --time FIELD [option]...",
    ],
    examples: [
      ("fake-events | anomalies --time timestamp --shop", "watch a shop"),
      (
        "anomalies --input csv --time timestamp --value value < series.csv",
        "find what is unusual in one series"
      ),
    ],
    flags: Settings.flags, operand: "COMMAND", statuses: Settings.statuses, prose: Settings.prose)

  private let settings: Settings

  init(_ arguments: Arguments) throws {
    settings = try Settings(arguments)
  }

  mutating func run() throws -> ExitStatus {
    switch settings.mode {
    case .watch: return try watch(STDIN_FILENO, "standard input").status
    case .grade: return try Grading.run(settings)
    case .backtest: return try Backtest.run(settings) { try watch($0, $1) }
    }
  }

  /// The result of a run.
  struct Outcome {
    var status: ExitStatus
    var lines: [IncidentLine]
    var first: Int64
    var last: Int64
    var series: Int
  }

  private func watch(_ descriptor: Int32, _ name: String) throws -> Outcome {
    let began = ContinuousClock.now
    // What can't be written is said before the input is read.
    for path in [settings.statePath, settings.reportPath].compactMap({ $0 }) {
      try SmallFile.requireReplaceable(path)
    }
    var watch = Watch(settings, output: ResultOutput(settings.format))
    if let path = settings.statePath, SmallFile.exists(path) {
      try watch.restore(try SmallFile.read(path), from: path)
    }
    var reader = RowReader(
      from: descriptor, named: name, format: settings.input, fields: settings.plan.fields)
    if Terminal.isTerminal(descriptor) {
      Diagnostics.note("reading rows from the terminal, until Ctrl-D")
    }
    var pace = LivePace(settings, isFile: reader.isFile)
    var hasChecked = false
    var saving = SavePace(from: .now)
    var first = Int64.max
    reading: while !watch.output.isClosed {
      switch try reader.next(upTo: .zero) {
      case .row:
        if !hasChecked {
          hasChecked = true
          try checkColumns(reader)
        }
        let reason = settings.hasValues ? try watch.takeRow(reader) : try watch.takeEvent(reader)
        if let reason { watch.complaints.add(reason, line: reader.lineNumber) }
        if first == .max { first = watch.newest }
        guard watch.rows & 1023 == 0 else { continue }
        pace.look(at: &watch)
      case .bad(let reason):
        watch.complaints.add(reason, line: reader.lineNumber)
        continue
      case .idle:
        pace.look(at: &watch)
        try watch.closeByClock()
        try watch.output.flush()
        var limits = [pace.limit(watch)].compactMap { $0 }
        if !watch.showProgress() { limits.append(Diagnostics.progressPause) }
        if settings.statePath != nil, let rest = saving.limit(line: reader.lineNumber, at: .now) {
          limits.append(rest)
        }
        try reader.awaitInput(upTo: limits.min())
      case .end: break reading
      }
      if settings.statePath != nil, saving.isDue(line: reader.lineNumber, at: .now) {
        try save(&watch)
      }
    }
    Diagnostics.endProgress()
    if settings.hasValues {
      try watch.finishRows(isLast: settings.statePath == nil)
    } else if settings.statePath == nil {
      try watch.finishEvents()
    }
    try watch.output.flush()
    if settings.statePath != nil { try save(&watch) }
    if let path = settings.reportPath { try watch.writeReport(to: path) }
    return finish(watch, reader, first: first, began: began)
  }

  private func checkColumns(_ reader: borrowing RowReader) throws {
    guard let missing = reader.missingColumns.first else { return }
    throw UnusableInput(
      "line 1: there is no column \(quoted(missing))",
      hints: ["the first line of a CSV names its columns"])
  }

  private func save(_ watch: inout Watch) throws {
    guard let path = settings.statePath else { return }
    // The output must be written before the state that says so.
    try watch.output.flush()
    try SmallFile.replace(path, with: watch.stateFile)
  }

  private func finish(
    _ watch: borrowing Watch, _ reader: borrowing RowReader, first: Int64,
    began: ContinuousClock.Instant
  ) -> Outcome {
    watch.complaints.report()
    if watch.evicted > 0 {
      Diagnostics.warning(
        "\(watch.evicted) keys were forgotten: more than \(settings.maximumKeys) were seen (--max-keys)"
      )
    }
    if settings.summarizes {
      let summary = JSONValue.object([
        "lines": .integer(reader.lineNumber), "bytes": .integer(reader.byteCount),
        "rows": .integer(watch.rows), "late": .integer(watch.late),
        "failed": .integer(watch.complaints.total), "reasons": watch.complaints.json,
        "series": .integer(watch.liveCount * watch.measureCount),
        "incidents": .integer(watch.incidents.raised), "forgotten": .integer(watch.evicted),
        "seconds": .number("\(began.duration(to: .now).inRoundedSeconds)"),
      ])
      if settings.mode == .watch { Diagnostics.summary(summary.jsonText) }
    }
    return Outcome(
      status: watch.complaints.total > 0 ? .incomplete : .done, lines: watch.incidents.lines,
      first: first, last: watch.newest, series: watch.liveCount * watch.measureCount)
  }
}

/// When the state is saved while the input goes on: each minute, if there are new lines.
struct SavePace {
  private static let interval = Duration.seconds(60)
  private var saved: ContinuousClock.Instant
  private var savedLine = 0

  init(from start: ContinuousClock.Instant) { saved = start }

  /// How long to wait for input until the state is due; nil when nothing is new.
  func limit(line: Int, at now: ContinuousClock.Instant) -> Duration? {
    line > savedLine ? max(.milliseconds(1), Self.interval - saved.duration(to: now)) : nil
  }

  /// Whether the state is due at this line of the input. It is then considered saved.
  mutating func isDue(line: Int, at now: ContinuousClock.Instant) -> Bool {
    guard line > savedLine, saved.duration(to: now) >= Self.interval else { return false }
    saved = now
    savedLine = line
    return true
  }
}

/// Whether the clock closes buckets, and how long to wait for input.
struct LivePace {
  private let wanted: Bool?
  private let isFile: Bool
  private let lag: Int64
  /// The rows so far, and since when there were that many: with `--live`, the clock does not wait
  /// for times near it once rows have stopped coming.
  private var rows = 0
  private var since = TimePoint.now.milliseconds
  /// A row time is near the clock when they differ by less than this, in milliseconds, or by less
  /// than two buckets and the lag.
  private static let near: Int64 = 600_000

  init(_ settings: Settings, isFile: Bool) {
    wanted = settings.isLive
    lag = settings.lag
    self.isFile = isFile
  }

  /// Starts to use the clock once the rows have caught up with it, so that a backlog is not late.
  mutating func look(at watch: inout Watch) {
    guard wanted ?? !isFile else { return }
    let now = TimePoint.now.milliseconds
    if watch.clock == .min {
      if watch.rows != rows { (rows, since) = (watch.rows, now) }
      let near = max(Self.near, 2 * watch.every + lag)
      let isPresent = watch.newest > .min && abs(now - watch.newest) < near
      guard isPresent || (wanted == true && now - since >= quiet(watch)) else { return }
    }
    watch.clock = now
  }

  /// How long no row must come, in milliseconds.
  private func quiet(_ watch: borrowing Watch) -> Int64 { max(1000, watch.every) }

  /// How long to wait for input until the next bucket is due; nil for no limit.
  func limit(_ watch: borrowing Watch) -> Duration? {
    if watch.clock == .min, wanted == true {
      return .milliseconds(min(60_000, max(1, since + quiet(watch) - TimePoint.now.milliseconds)))
    }
    guard watch.clock > .min, let due = watch.nextDue else { return nil }
    return .milliseconds(min(60_000, max(1, due - TimePoint.now.milliseconds)))
  }
}
