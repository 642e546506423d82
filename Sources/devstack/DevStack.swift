import EmbeddedDruid
import EmbeddedKafka
import Glibc
import Plumbing

/// An embedded Kafka and an embedded Druid in one process, around one command or for a whole shell.
@main
struct DevStack: Tool {
  private let druidPort: UInt16
  private let kafkaPort: UInt16
  private let folder: String
  private let specFiles: [String]
  private let datasources: [AutomaticDatasource]
  private let loads: [Load]
  private let faults: [String]
  private let specification: AutomaticDatasource?
  private let classified: String?
  private let owner: Owner?
  private let command: [String]
  private let environment: [String: String]
  private let wantsSummary: Bool
  private let start = ContinuousClock.now

  init(_ arguments: Arguments) throws {
    folder = arguments.environment("TMPDIR") ?? "/tmp"
    druidPort = UInt16(try arguments.integer(.port, in: 0...65535) ?? 0)
    kafkaPort = UInt16(try arguments.integer(.kafkaPort, in: 0...65535) ?? 0)
    specFiles = arguments.all(.supervisor)
    datasources = try arguments.all(.datasource).map { (text) throws(UsageFailure) in
      try Self.datasource(text, "datasource")
    }
    loads = try arguments.all(.load).map { (text) throws(UsageFailure) in
      try Load(spelling: text)
    }
    faults = arguments.all(.fault)
    // Checked before anything starts.
    for text in faults { _ = try Fault(text, among: Stack.faultKinds) }
    specification = try arguments.text(.spec).map { (text) throws(UsageFailure) in
      try Self.datasource(text, "spec")
    }
    classified = arguments.text(.classify)
    command = arguments.operands
    let ownerID = try arguments.integer(.owner, in: 1...Int(Int32.max))
    guard ownerID == nil || command.isEmpty else {
      throw UsageFailure("option '--owner' can't be used with a command")
    }
    owner = try ownerID.map { (id) throws(UsageFailure) in try Owner(id) }
    environment = currentEnvironment()
    wantsSummary = arguments.isSet(.summary)
  }

  private static func datasource(
    _ text: String, _ option: String
  ) throws(UsageFailure) -> AutomaticDatasource {
    guard let datasource = AutomaticDatasource(spelling: text) else {
      throw UsageFailure("option '--\(option)': \(quoted(text)) is not NAME[=TOPIC][:COLUMN]")
    }
    return datasource
  }

  mutating func run() throws -> ExitStatus {
    if let specification { return try Offline.writeSpecification(of: specification) }
    if let classified {
      return try Offline.classify(
        classified, specifications: try specFiles.map { try SmallFile.readText($0) })
    }
    // Blocked before the servers start threads, so that every signal is delivered to this one.
    let signals = SignalQueue([SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD])
    if command.isEmpty { return try serveShell(signals) }
    let servers = try started()
    let status = runCommand(beside: servers, signals)
    end(servers)
    if status == 0 && servers.lostSomething { return .incomplete }
    // Any number: the command's own.
    exit(status)
  }

  private func started() throws -> Stack {
    try Stack(
      Stack.Settings(
        druidPort: druidPort, kafkaPort: kafkaPort, folder: folder,
        supervisors: try specFiles.map { try SmallFile.readText($0) }, datasources: datasources,
        loads: loads, faults: faults))
  }

  /// Serves until a signal arrives or the owner has ended.
  private func serveShell(_ signals: SignalQueue) throws -> ExitStatus {
    Descriptors.raiseLimit()
    let servers: Stack
    do {
      servers = try started()
      try servers.announce()
    } catch {
      Stack.announceFailure()
      throw error
    }
    let isLast: (Int32) -> Bool = { [SIGINT, SIGTERM, SIGHUP].contains($0) }
    let last =
      if let owner {
        signals.next(isLast, orUntil: { owner.isGone })
      } else {
        Optional(signals.next(isLast))
      }
    end(servers)
    if servers.lostSomething { return .incomplete }
    if let last { SignalQueue.end(by: last) }
    return .done
  }

  private func end(_ servers: Stack) {
    servers.tellSkipped()
    servers.stop()
    if wantsSummary { servers.summarize(after: .now - start) }
  }

  private func runCommand(beside servers: Stack, _ signals: SignalQueue) -> Int32 {
    do throws(CommandFailure) {
      let child = try ChildProcess(
        command, environment: environment.merging(servers.variables) { $1 })
      // After the start, so that the command has the same limit as without devstack.
      Descriptors.raiseLimit()
      return child.wait(forwarding: [SIGTERM, SIGHUP], from: signals)
    } catch {
      Diagnostics.error(error.message)
      return error.exitStatus
    }
  }
}
