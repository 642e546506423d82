import Druid
import Glibc
import Plumbing

/// Sends SQL to Druid, and writes the complete answer or reports an error.
@main
struct DSQL: Tool {
  private let settings: Settings

  init(_ arguments: Arguments) throws { settings = try Settings(arguments) }

  mutating func run() throws -> ExitStatus {
    let output: ResultOutput
    do {
      output = try settings.openOutput()
    } catch let failure as SystemFailure {
      failure.say()
      settings.summarize(failed: 1)
      return failure.exitStatus
    }
    if let reconciliation = settings.reconciliation { return try reconcile(reconciliation, output) }
    var session: Session
    let metrics: FollowMetrics?
    do {
      metrics = try settings.follow?.metrics.map { try FollowMetrics($0) }
      session = try Session(settings, output: output, metrics: metrics)
    } catch {
      output.abandon()
      throw error
    }
    var status: ExitStatus
    do {
      if let follow = settings.follow {
        try FollowLoop(follow, keepsGoing: settings.keepsGoing, metrics: metrics)
          .run(settings.sources, &session)
      } else if let interval = settings.watch {
        try WatchLoop(interval: interval).run(settings.sources, &session)
      } else {
        try runAll(&session)
        session.warnOfUnusedParameters()
      }
      status = session.failed > 0 ? .incomplete : .done
      if status == .done {
        try output.commit()
      } else {
        if let file = output.replacedFile {
          Diagnostics.warning("\(file) is not written: not every statement was answered")
        }
        output.abandon()
      }
    } catch let failure as any ToolFailure {
      output.abandon()
      status = conclude(failure)
      metrics?.end(status)
      session.summarize(failed: session.failed + (status == .done ? 0 : 1))
      return status
    }
    metrics?.end(status)
    session.summarize(failed: session.failed)
    return status
  }

  private func reconcile(
    _ reconciliation: ReconciliationSettings, _ output: ResultOutput
  ) throws -> ExitStatus {
    let start = ContinuousClock.now
    var totals = ReconciliationTotals()
    var status: ExitStatus
    do {
      var work = try Reconciliation(
        reconciliation, connection: settings.connection, patience: settings.patience)
      status = try work.run(format: settings.format, output: output, &totals)
      // The table is complete, whatever it reports.
      try output.commit()
    } catch let failure as any ToolFailure where settings.summarizes {
      output.abandon()
      status = conclude(failure)
      if status != .done { totals.failed += 1 }
    } catch {
      output.abandon()
      throw error
    }
    if settings.summarizes {
      Diagnostics.summary(totals.summary(seconds: start.duration(to: .now)))
    }
    return status
  }

  /// Ends the run: silently when the reader left, else with the failure's message, which comes
  /// before the summary.
  private func conclude(_ failure: any ToolFailure) -> ExitStatus {
    if let system = failure as? SystemFailure {
      if system.isReaderGone { return .done }
      if system.isInterruption {
        Diagnostics.error("interrupted: the rest of the output is discarded")
        return .incomplete
      }
    }
    failure.say()
    return settings.keepsGoing && failure is StatementFailure ? .incomplete : failure.exitStatus
  }

  private func stopIfInterrupted(before statement: Statement) throws(DruidFailure) {
    guard Interruption.count > 0 else { return }
    throw DruidFailure(.interrupted, "interrupted before \(statement.title)")
  }

  private func runAll(_ session: inout Session) throws {
    for source in settings.sources {
      if source.isPrompt, let prompt = Prompt(history: settings.history) {
        try prompt.run(&session)
        continue
      }
      // At a prompt, an error does not end the session.
      let goesOn = settings.keepsGoing || source.isPrompt
      var isOver = false
      do {
        try source.forEachItem { item in
          if case .statement(let statement) = item { try stopIfInterrupted(before: statement) }
          do {
            isOver = try !session.run(item)
          } catch let failure as any ToolFailure where goesOn && failure.isPassing {
            session.note(failure)
          }
          return !isOver
        }
      } catch let failure as StatementFailure where goesOn {
        session.note(failure)
      }
      if isOver { return }
    }
  }
}

extension ToolFailure {
  /// Whether the next statement may succeed after this failure.
  var isPassing: Bool {
    if let failure = self as? DruidFailure { return failure.kind != .interrupted }
    return self is StatementFailure || self is UnknownCommand
  }
}

extension ScriptSource {
  /// Whether a person types the statements.
  var isPrompt: Bool {
    if case .standardInput = self { Terminal.isTerminal(0) } else { false }
  }
}

extension Settings {
  /// Opens the output for rows when statements have no separate files.
  func openOutput() throws -> ResultOutput {
    guard let output, output != "-", !hasFilePerStatement else {
      return ResultOutput(standardOutput: ())
    }
    return try openOutput(output)
  }

  func openOutput(_ path: String) throws -> ResultOutput {
    appends ? try ResultOutput(appendingTo: path) : try ResultOutput(replacing: path)
  }
}
