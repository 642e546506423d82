import Glibc
import Kafka
import Plumbing

/// Sends lines of standard input or files to a Kafka topic, and accounts for every one of them.
@main
struct KProd: Tool {
  private let settings: ClientSettings
  private let form: RecordForm
  private let paths: Paths
  private let wait: Duration?
  private let drainLimit: Duration
  private let checksOnly: Bool
  private let listsTopics: Bool
  private let isDry: Bool
  private let wantsSummary: Bool

  /// The files named on the command line.
  private struct Paths {
    let inputs: [String]
    let failed: String?
    let reasons: String?
    let acks: String?
    let receipt: String?
    let state: String?
    let metrics: String?
    /// The argument of `--timestamp-field`.
    let timeField: String?

    init(_ arguments: Arguments) {
      inputs = arguments.operands
      failed = arguments.text(.failed)
      reasons = arguments.text(.failedReasons)
      acks = arguments.text(.acks)
      receipt = arguments.text(.receipt)
      state = arguments.text(.state)
      metrics = arguments.text(.metrics)
      timeField = arguments.text(.timestampField)
    }
  }

  init(_ arguments: Arguments) throws {
    form = try RecordForm(arguments)
    settings = try ClientSettings(arguments, form: form)
    paths = Paths(arguments)
    wait = try arguments.duration(.wait)
    drainLimit = try arguments.duration(.drain) ?? .seconds(10)
    checksOnly = arguments.isSet(.check)
    listsTopics = arguments.isSet(.list)
    isDry = arguments.isSet(.dryRun)
    wantsSummary = arguments.isSet(.summary)
    if checksOnly, isDry {
      throw UsageFailure("--check reaches the cluster and --dry-run does not: choose one")
    }
    if checksOnly || listsTopics, form.hasTopics {
      let flag = checksOnly ? Flag.check : .list
      throw UsageFailure(
        "\(flag.spelling) reads no lines, and \(form.isEnvelope ? "--envelope" : "--topic-field") "
          + "looks for topics in them",
        hints: checksOnly ? ["--topic NAME says which topic to look at"] : [])
    }
    if checksOnly || listsTopics, let path = paths.inputs.first {
      let flag = checksOnly ? Flag.check : .list
      throw UsageFailure("\(flag.spelling) reads no lines: \(quoted(path)) would not be sent")
    }
    let records = [Flag.receipt, .acks, .state]
    if isDry, let flag = records.first(where: { arguments.isSet($0) }) {
      throw UsageFailure("\(flag.spelling) reports what was sent, but --dry-run sends nothing")
    }
    if paths.state != nil, paths.inputs.count > 1 {
      throw UsageFailure("--state takes one input file, and \(paths.inputs.count) are given")
    }
    if paths.reasons != nil, paths.failed == nil {
      throw UsageFailure("--failed-reasons needs --failed FILE")
    }
  }

  mutating func run() throws -> ExitStatus {
    if listsTopics || checksOnly { return try look() }
    keepFreedMemory()
    let started = TimePoint.now
    var clusterID: String?
    var deliveries = form.hasTopics ? [] : [TopicDelivery(topic: settings.topic)]
    var ending = Pump.Ending()
    var metrics: MetricsKeeper?
    do {
      metrics = try paths.metrics.map { try MetricsKeeper($0) }
      if let path = paths.receipt { try SmallFile.requireReplaceable(path) }
      let inputs = try openInputs()
      let files = try openFiles()
      let state = try paths.state.map { try openState($0, of: inputs[0]) }
      let connection = isDry || form.hasTopics ? nil : try connect()
      let ledger = Ledger(
        files: files, form: form, wantsReceipt: paths.receipt != nil,
        topic: form.hasTopics ? nil : settings.topic, state: state, metrics: metrics)
      let directory =
        form.hasTopics
        ? TopicDirectory(
          settings, sends: !isDry, wait: wait, isBatchable: form.isBatchable, ledger: ledger,
          drainLimit: drainLimit, limit: form.maximumTopics) : nil
      var pump = Pump(
        from: inputs, as: form, through: connection, directory: directory,
        headers: settings.headers, ledger: ledger, drainLimit: drainLimit,
        from: state?.value.offset, metrics: metrics)
      if paths.receipt != nil { clusterID = connection?.clusterID }
      ending = pump.run()
      if paths.receipt != nil { clusterID = clusterID ?? directory?.clusterID }
      deliveries = ledger.deliveries
    } catch let failure as any ToolFailure {
      // The command line or a file is at fault, before there is anything to report in a receipt.
      if failure is UsageFailure, !wantsSummary { throw failure }
      ending.failure = failure
    }
    if let path = paths.receipt, !(ending.failure is UsageFailure) {
      let receipt = Receipt(
        cluster: clusterID, started: started,
        ended: TimePoint.now, tally: ending.tally,
        timeField: paths.timeField, deliveries: deliveries, hasTopics: form.hasTopics)
      do {
        try SmallFile.replace(path, with: Array((receipt.jsonText + "\n").utf8))
      } catch {
        ending.failure = ending.failure ?? error
      }
    }
    let status = report(ending)
    metrics?.end(ending.tally, deliveries, status: status)
    return status
  }

  /// `--list` and `--check`, which send nothing; the summary stands at the end all the same.
  private func look() throws -> ExitStatus {
    guard wantsSummary else { return try listsTopics ? list() : check() }
    let start = ContinuousClock.now
    var status = ExitStatus.done
    do {
      status = try listsTopics ? list() : check()
    } catch let failure as any ToolFailure
      where (failure as? SystemFailure)?.isReaderGone != true
    {
      Diagnostics.error(failure.message)
      for hint in failure.hints { Diagnostics.hint(hint) }
      status = failure.exitStatus
    }
    Diagnostics.summary(Tally().summary(seconds: start.duration(to: .now).inSeconds))
    return status
  }

  /// `--list`: the names of the cluster's topics on standard output.
  private func list() throws -> ExitStatus {
    let names = try topicNames(settings, wait: wait)
    try LineWriter.writeToStandardOutput(names.map { $0 + "\n" }.joined())
    return .done
  }

  private func openInputs() throws -> [InputFile] {
    let inputs = try paths.inputs.isEmpty ? [.standardInput] : paths.inputs.map(InputFile.init)
    if inputs.contains(where: { $0.descriptor == STDIN_FILENO }),
      Terminal.isTerminal(STDIN_FILENO)
    {
      Diagnostics.note("reading lines from the terminal, until Ctrl-D")
    }
    return inputs
  }

  /// Finds where the last run stopped, and moves the input to that position.
  private func openState(
    _ path: String, of input: InputFile
  ) throws -> (value: ReadingState, file: HeldFile) {
    // The hash of the beginning is taken anew: the file may have been shorter than that in the last run.
    var state = try ReadingState(beginning: input.descriptor, named: input.name)
    let file = try HeldFile(path, of: .state)
    if let earlier = try ReadingState(file.content, from: path) {
      if earlier.fits(input.descriptor) {
        (state.offset, state.lines) = (earlier.offset, earlier.lines)
      } else {
        Diagnostics.warning(
          "\(input.name) is not the file of the last run, or was shortened: "
            + "it is read from the beginning")
      }
    }
    guard lseek(input.descriptor, off_t(state.offset), SEEK_SET) >= 0 else {
      throw SystemFailure("seeking in \(input.name)")
    }
    if state.offset > 0 { Diagnostics.note("continues after line \(state.lines)") }
    // A file that can't be written would only be noticed when lines were sent, and a file that was replaced would be
    // reported by each run until it has a line.
    try state.write(to: file)
    return (state, file)
  }

  private func openFiles() throws -> Ledger.Files {
    Ledger.Files(
      failed: try paths.failed.map { try AppendedFile(path: $0, delimiter: form.delimiter) },
      reasons: try paths.reasons.map { try AppendedFile(path: $0, delimiter: [0x0a]) },
      acks: try paths.acks.map { try AppendedFile(path: $0, delimiter: [0x0a]) })
  }

  private func connect() throws -> Connection {
    let connection = try Connection(settings, wait: wait, partition: form.partition)
    if connection.limits.isCompacted, form.key == .none, !form.isEnvelope {
      throw UsageFailure(
        "topic \(quoted(settings.topic)) is compacted: every message needs a key",
        hints: ["--key, --key-delimiter or --key-field gives it one"])
    }
    return connection
  }

  /// `--check`: prints the topic's partitions on standard output.
  private func check() throws -> ExitStatus {
    var settings = settings
    settings.createsTopics = false
    let connection = try Connection(settings, wait: wait, partition: form.partition)
    let lines = connection.partitions.map { $0.line + "\n" }
    try LineWriter.writeToStandardOutput(lines.joined())
    try connection.checkPermission()
    return .done
  }

  // MARK: - The report

  /// Reports the result, and ends with the summary when requested.
  private func report(_ ending: Pump.Ending) -> ExitStatus {
    let tally = ending.tally
    for words in tally.explanations(form) { Diagnostics.error(words) }
    if !tally.isComplete {
      Diagnostics.error(
        tally.verdict(isDry: isDry, failedPath: ending.keptAll ? paths.failed : nil))
      for hint in hints(for: tally, hasFailed: ending.failure != nil) { Diagnostics.hint(hint) }
    }
    if ending.linesAhead > 0, !isDry {
      Diagnostics.warning(
        "\(ending.linesAhead == 1 ? "1 line has a time" : "\(ending.linesAhead) lines have times") "
          + "more than an hour ahead, up to \(ending.latestAhead.iso8601): "
          + "Kafka refuses such times unless message.timestamp.after.max.ms allows them")
    }
    if let failure = ending.failure {
      Diagnostics.error(failure.message)
      for hint in failure.hints { Diagnostics.hint(hint) }
    } else if tally.isComplete {
      Diagnostics.note(
        tally.verdict(isDry: isDry, failedPath: nil)
          + " in \(roundedSeconds(ending.duration)) s")
    }
    if wantsSummary {
      Diagnostics.summary(tally.summary(seconds: ending.duration.inSeconds))
    }
    return ending.failure?.exitStatus ?? (tally.isComplete ? .done : .incomplete)
  }

  /// Hints about the lines that were not delivered.
  private func hints(for tally: Tally, hasFailed: Bool) -> [String] {
    var hints: [String] = []
    if tally.has(.kafka(.messageTooLarge)) {
      hints.append("the topic's max.message.bytes is less than such a line")
    }
    if tally.has(.kafka(.invalidTimestamp)) {
      hints.append(
        "the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms "
          + "say which times it accepts")
    }
    if tally.has(.kafka(.invalidRecord)) {
      hints.append(
        "a compacted topic takes no message without a key: "
          + "--key, --key-delimiter or --key-field gives it one")
    }
    if tally.has(.tooLong) { hints.append("--max-line allows longer lines") }
    if tally.has(.tooManyTopics) { hints.append("--max-topics allows more topics") }
    if paths.failed == nil, !hasFailed, tally.isWorthKeeping {
      hints.append(
        tally.hasBadLinesOnly
          ? "--failed FILE keeps such lines"
          : "--failed FILE keeps such lines, ready to be sent again"
      )
    }
    return hints
  }

  private func roundedSeconds(_ span: Duration) -> String {
    let tenths = Int((span.inSeconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
