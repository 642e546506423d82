import Glibc

/// A command: parse, run, report, exit. Errors travel up to here, where they become messages and an
/// exit status.
package protocol Tool: ~Copyable {
  static var description: CommandDescription { get }
  /// Reads the settings; throws ``UsageFailure`` when they are not valid.
  init(_ arguments: Arguments) throws
  /// Does the work. Returns ``ExitStatus/done``, or ``ExitStatus/incomplete`` when that is already
  /// reported.
  mutating func run() throws -> ExitStatus
}

extension Tool where Self: ~Copyable {
  /// The entry point of a command.
  package static func main() {
    // Skip exit handlers: everything is written, and the process's end frees what the libraries
    // hold.
    _exit(start(words: Array(CommandLine.arguments.dropFirst())))
  }

  private static func start(words: [String]) -> Int32 {
    Interruption.install()
    Diagnostics.configure(tool: description.name, level: .normal, isColored: false)
    do {
      try reserveStandardDescriptors()
      try Interruption.openDescriptor()
      try checkWords()
      let arguments = try Arguments(
        words, of: description, environment: environmentVariable)
      if let text = try requestedText(arguments) {
        return try show(text)
      }
      configureDiagnostics(arguments)
      try arguments.checkFiles(of: description.flags)
      var tool = try Self(arguments)
      let status = try tool.run()
      Diagnostics.endProgress()
      return finish(status)
    } catch {
      return finish(report(error))
    }
  }

  /// After SIGINT the tool always ends by that signal, so that a shell's loop ends as well. After
  /// another signal it does so only when everything was done; otherwise its exit status reports
  /// what was not.
  private static func finish(_ status: ExitStatus) -> Int32 {
    let isLoopEnding = Interruption.firstSignal == SIGINT
    if Interruption.count > 0, status == .done || isLoopEnding { Interruption.raiseAgain() }
    return status.rawValue
  }

  private static func report(_ error: any Error) -> ExitStatus {
    guard let failure = error as? any ToolFailure else {
      Diagnostics.error("internal error: \(error)")
      return .internalError
    }
    if let system = failure as? SystemFailure, system.isReaderGone {
      Diagnostics.endProgress()
      return .done
    }
    Diagnostics.error(failure.message)
    for line in failure.details { Diagnostics.detail(line) }
    for hint in failure.hints { Diagnostics.hint(hint) }
    return failure.exitStatus
  }

  private static func requestedText(_ arguments: Arguments) throws(UsageFailure) -> String? {
    if arguments.isSet(.help) { return description.helpText }
    if arguments.isSet(.version) { return description.versionText }
    if arguments.isSet(.manual) { return description.manualPage }
    switch arguments.text(.completionScript) {
    case "bash": return description.bashCompletion
    case "zsh": return description.zshCompletion
    case "fish": return description.fishCompletion
    default: return nil
    }
  }

  private static func show(_ text: String) throws(SystemFailure) -> Int32 {
    try LineWriter.writeToStandardOutput(text)
    return ExitStatus.done.rawValue
  }

  private static func configureDiagnostics(_ arguments: Arguments) {
    let isDumb = arguments.environment("TERM") == "dumb"
    let isColored =
      switch arguments.text(.color) {
      case "always": true
      case "never": false
      default:
        Terminal.isTerminal(STDERR_FILENO) && arguments.environment("NO_COLOR") == nil && !isDumb
      }
    let level: Diagnostics.Level =
      arguments.isSet(.verbose) ? .everything : arguments.isSet(.quiet) ? .errorsOnly : .normal
    Diagnostics.configure(tool: description.name, level: level, isColored: isColored)
  }
}

/// Refuses arguments that are not UTF-8: Swift repairs them, so they would differ from what the
/// user wrote.
private func checkWords() throws(UsageFailure) {
  for (index, word) in CommandLine.arguments.enumerated().dropFirst() {
    guard let bytes = unsafe CommandLine.unsafeArgv[index],
      unsafe String(validatingCString: bytes) == nil
    else { continue }
    throw UsageFailure("argument \(index) is not UTF-8: \(quoted(word))")
  }
}

/// Opens /dev/null for descriptors 0, 1 and 2 that are closed at the start, so that a file opened
/// later does not get their number. Standard input can't be read then and standard output can't be
/// written, so that using them is an error.
private func reserveStandardDescriptors() throws(SystemFailure) {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    let mode = descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY
    guard unsafe open("/dev/null", mode) == descriptor else {
      throw SystemFailure("opening /dev/null")
    }
  }
}

/// A variable of the environment.
@Sendable package func environmentVariable(_ name: String) -> String? {
  // Nothing here changes the environment.
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
