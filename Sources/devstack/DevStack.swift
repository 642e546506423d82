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
    command = arguments.operands
    let ownerID = try arguments.integer(.owner, in: 1...Int(Int32.max))
    guard ownerID == nil || command.isEmpty else {
      throw UsageFailure("option '--owner' goes without a command")
    }
    owner = try ownerID.map { (id) throws(UsageFailure) in try Owner(id) }
    environment = currentEnvironment()
    wantsSummary = arguments.isSet(.summary)
  }

  mutating func run() throws -> ExitStatus {
    // Blocked before the servers' threads start, so that every signal comes to this one.
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
        supervisors: try specFiles.map(readSmallFile)))
  }

  /// Serves until a signal comes or the owner is gone.
  private func serveShell(_ signals: SignalQueue) throws -> ExitStatus {
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
    servers.stop()
    if wantsSummary { Diagnostics.summary(servers.summary(after: .now - start)) }
  }

  private func runCommand(beside servers: Stack, _ signals: SignalQueue) -> Int32 {
    do throws(CommandFailure) {
      let child = try ChildProcess(
        command, environment: environment.merging(servers.variables) { $1 })
      return child.wait(forwarding: [SIGTERM, SIGHUP], from: signals)
    } catch {
      Diagnostics.error(error.message)
      return error.exitStatus
    }
  }
}

extension Flag {
  fileprivate static let owner = Flag.option(
    "owner", value: "PID",
    help: "without a command: end when process PID is gone; $$ is the shell itself")
  fileprivate static let port = Flag.option(
    "port", value: "N", fallback: "0",
    help: "serve Druid on 127.0.0.1:N; 0 lets the system choose")
  fileprivate static let kafkaPort = Flag.option(
    "kafka-port", value: "N", fallback: "0",
    help: "serve Kafka on 127.0.0.1:N; 0 lets the system choose")
  fileprivate static let supervisor = Flag.option(
    "supervisor", value: "FILE", isRepeatable: true, completion: .file,
    help: "a Kafka supervisor spec (JSON) to start with, beside the one for ecommerce")
}

extension DevStack {
  static let description = CommandDescription(
    name: "devstack",
    summary: "Run a command with a Kafka broker and a Druid of its own, in one process.",
    usage: ["[OPTION]... [--] COMMAND [ARGUMENT]...", "[OPTION]..."],
    examples: [
      (
        "devstack -- sh -c 'fake-events -n 1000 | kprod -t ecommerce; dsql druid.sql'",
        "send a thousand events and ask for the tables"
      ),
      (
        "eval \"$(devstack --owner $$ --port 8888 --kafka-port 29092 &)\"",
        "serve this shell, where the real stack would be, as long as the shell lives"
      ),
    ],
    flags: [.port, .kafkaPort, .owner, .supervisor], operand: "COMMAND", operandsEndOptions: true,
    statuses: [
      ("N", "the command's own status"),
      ("1", "the command said 0, but acknowledged records were lost"),
      ("64", "the command line makes no sense"),
      ("65", "a supervisor spec can't be used"),
      ("69", "a port is taken"),
      ("74", "the temporary folder can't be used"),
      ("126", "the command can't be run"),
      ("127", "the command was not found"),
      ("128+N", "signal N killed the command"),
    ],
    variables: [
      ("TMPDIR", "where the files without a name lie (/tmp)"),
      ("KAFKA_BROKERS", "set for the command: where Kafka listens"),
      ("DRUID_URL", "set for the command: where Druid listens"),
    ],
    libraries: { LinkedLibrary.ofEmbeddedDruid },
    prose: [
      "The command finds KAFKA_BROKERS and DRUID_URL in its environment. Both servers listen on"
        + " 127.0.0.1 alone and are gone when the command is; what they keep lies in files"
        + " without a name under TMPDIR (/tmp), so nothing is left behind.",
      "Without a command, devstack prints lines for the shell that export KAFKA_BROKERS,"
        + " DRUID_URL and DEVSTACK_PID as soon as it is ready, and stays until SIGINT or SIGTERM,"
        + " or until the process that --owner names is gone. eval hides a failure to start: devstack"
        + " then unsets the three, so look whether DEVSTACK_PID is set.",
      "Ctrl-C reaches the command by itself; devstack ignores SIGINT and SIGQUIT while the command"
        + " runs, forwards SIGTERM and SIGHUP, and serves until the command is gone.",
      "It is made for trying and testing. There is no replication, no retention, no transactions"
        + " and no TLS in its Kafka, there are no real segments in its Druid, and all ends with"
        + " the process. Topics are made when they are first asked for, with 4 partitions.",
    ])
}
