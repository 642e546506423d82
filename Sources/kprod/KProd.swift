import Glibc
import Kafka
import Plumbing

/// Lines of standard input to a Kafka topic; every one of them accounted for.
@main
struct KProd: Tool {
  private let settings: ClientSettings
  private let form: RecordForm
  private let failedPath: String?
  private let wait: Duration?
  private let drainLimit: Duration
  private let checksOnly: Bool
  private let isDry: Bool
  private let wantsSummary: Bool

  init(_ arguments: Arguments) throws {
    form = try RecordForm(arguments)
    settings = try ClientSettings(arguments, form: form)
    failedPath = arguments.text(.failed)
    wait = try arguments.duration(.wait)
    drainLimit = try arguments.duration(.drain) ?? .seconds(10)
    checksOnly = arguments.isSet(.check)
    isDry = arguments.isSet(.dryRun)
    wantsSummary = arguments.isSet(.summary)
    if checksOnly, isDry {
      throw UsageFailure("--check reaches the cluster and --dry-run does not: choose one")
    }
  }

  mutating func run() throws -> ExitStatus {
    do {
      if checksOnly { return try check() }
      if Terminal.isTerminal(STDIN_FILENO) {
        Diagnostics.note("reading lines from the terminal, until Ctrl-D")
      }
      let failed = try failedPath.map {
        try FailedFile(path: $0, delimiter: form.delimiter, input: STDIN_FILENO)
      }
      let connection =
        isDry ? nil : try Connection(settings, wait: wait, partition: form.partition)
      var pump = Pump(
        from: STDIN_FILENO, named: "standard input", as: form, through: connection,
        failed: failed, drainLimit: drainLimit)
      return report(pump.run())
    } catch let failure as any ToolFailure where wantsSummary && !checksOnly {
      return report(Pump.Ending(failure: failure))
    }
  }

  /// `--check`: the partitions of the topic on standard output.
  private func check() throws -> ExitStatus {
    let connection = try Connection(settings, wait: wait, partition: form.partition)
    var output = LineWriter(to: STDOUT_FILENO, named: "standard output")
    for partition in connection.partitions { try output.append(partition.line + "\n") }
    try output.close()
    return .done
  }

  /// Says how it went, and ends with the summary when that is wanted.
  private func report(_ ending: Pump.Ending) -> ExitStatus {
    let tally = ending.tally
    for words in tally.explanations { Diagnostics.error(words) }
    if !tally.isComplete {
      Diagnostics.error(tally.verdict(isDry: isDry, failedPath: ending.keptAll ? failedPath : nil))
    }
    if !tally.isComplete, failedPath == nil, ending.failure == nil {
      Diagnostics.hint("--failed FILE keeps such lines, ready to be sent again")
    }
    if tally.hasRefusedSizes {
      Diagnostics.hint("the topic's max.message.bytes is less than such a line")
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

  private func roundedSeconds(_ span: Duration) -> String {
    let tenths = Int((span.inSeconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
