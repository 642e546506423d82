import Foundation
import Glibc
import Plumbing
import Synchronization
import Testing

/// A running kprod, to which the test can write input piece by piece and send signals.
final class RunningKprod {
  private let process = Process()
  private let input = Pipe()
  private let workspace: Commands.Workspace
  private let errors: URL
  private let output: URL
  private let written = Written()

  /// The state shared by the writing thread and the test.
  private final class Written: Sendable {
    let count = Atomic(0)
    let hasEnded = Atomic(false)
  }

  /// The result of a run.
  struct Outcome {
    /// The status as a shell reports it: 128 + n when signal n ended it.
    var status: Int32
    var output: String
    var errors: String

    /// The line of `--summary`, which must be the last one.
    var summary: Summary {
      get throws {
        let last = try #require(errors.split(separator: "\n").last.map(String.init))
        return try JSONDecoder().decode(Summary.self, from: Data(last.utf8))
      }
    }
  }

  struct Summary: Decodable, Equatable {
    var lines: Int
    var bytes: Int
    var delivered: Int
    var failed: Int
    var unknown: Int
    var reasons: [String: Int]
    var seconds: Double
  }

  /// Starts kprod with `--summary` and the test's own arguments.
  init(
    _ arguments: [String], in workspace: Commands.Workspace, environment: [String: String] = [:],
    inputFile: URL? = nil
  ) throws {
    // A kprod that ends before its input must not end the tests.
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    self.workspace = workspace
    errors = workspace.url.appendingPathComponent("errors-\(UUID().uuidString)")
    output = workspace.url.appendingPathComponent("output-\(UUID().uuidString)")
    try Data().write(to: errors)
    try Data().write(to: output)
    process.executableURL = Commands.directory.appendingPathComponent("kprod")
    process.arguments = ["--summary"] + arguments
    process.currentDirectoryURL = workspace.url
    process.environment = ["PATH": "/usr/bin:/bin", "TERM": "dumb"].merging(environment) { $1 }
    if let inputFile {
      process.standardInput = try FileHandle(forReadingFrom: inputFile)
    } else {
      process.standardInput = input
    }
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.runWithOpenSignals()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  /// Writes to kprod's input; blocks while the pipe is full.
  func write(_ text: String) throws {
    try write(Data(text.utf8))
  }

  func write(_ data: Data) throws {
    try input.fileHandleForWriting.write(contentsOf: data)
  }

  /// Writes from another thread, then closes the input; a reader that leaves ends it.
  func writeBehind(_ data: Data, closing: Bool = true) {
    let handle = input.fileHandleForWriting
    let written = written
    Thread.detachNewThread {
      var rest = data[...]
      while !rest.isEmpty {
        let piece = rest.prefix(65536)
        guard (try? handle.write(contentsOf: piece)) != nil else { break }
        written.count.add(piece.count, ordering: .relaxed)
        rest = rest.dropFirst(piece.count)
      }
      written.hasEnded.store(true, ordering: .relaxed)
      if closing { try? handle.close() }
    }
  }

  func closeInput() throws {
    try input.fileHandleForWriting.close()
  }

  func signal(_ number: Int32) {
    kill(process.processIdentifier, number)
  }

  var isRunning: Bool { process.isRunning }
  var hasTakenItsSignals: Bool { process.hasTakenItsSignals }

  /// The peak memory use so far, in bytes.
  var peakMemory: Int {
    let path = "/proc/\(process.processIdentifier)/status"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
  }

  /// How many bytes of ``writeBehind(_:closing:)`` were written to the pipe.
  var handedOver: Int { written.count.load(ordering: .relaxed) }

  /// Whether the writing thread of ``writeBehind(_:closing:)`` is done, or found that the reader
  /// left.
  var writingHasEnded: Bool { written.hasEnded.load(ordering: .relaxed) }

  /// Whether kprod has read more from its input than a pipe holds.
  var hasStartedReading: Bool { handedOver > 4_000_000 }

  /// The text on standard error so far.
  var errorsSoFar: String {
    String(decoding: (try? Data(contentsOf: errors)) ?? Data(), as: UTF8.self)
  }

  /// Waits for the end of kprod; kills it after the time limit.
  func outcome(within seconds: Double = 120) throws -> Outcome {
    let deadline = Date().addingTimeInterval(seconds)
    while process.isRunning, Date() < deadline { usleep(2000) }
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      Issue.record("kprod did not end within \(seconds) s; it said: \(errorsSoFar)")
    }
    process.waitUntilExit()
    let status = process.terminationStatus
    return Outcome(
      status: process.terminationReason == .exit ? status : 128 + status,
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }
}

extension Commands {
  /// Runs kprod with a given input and waits for its end.
  static func kprod(
    _ arguments: [String], input: Data, in workspace: Workspace,
    environment: [String: String] = [:], within seconds: Double = 120
  ) throws -> RunningKprod.Outcome {
    let run = try RunningKprod(arguments, in: workspace, environment: environment)
    run.writeBehind(input)
    return try run.outcome(within: seconds)
  }
}

/// A running devstack, which ends with this object.
final class RunningDevstack {
  private let process = Process()
  private let input = Pipe()
  let brokers: String
  let druid: String

  var port: UInt16 { brokers.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }

  /// - Parameter faults: the failures that it is to show, as `--fault` takes them.
  init(faults: String...) throws {
    process.executableURL = Commands.directory.appendingPathComponent("devstack")
    // It serves until its command ends, which happens when the pipe is closed.
    process.arguments =
      faults.flatMap { ["--fault", $0] }
      + ["--", "sh", "-c", "echo $KAFKA_BROKERS $DRUID_URL; exec cat > /dev/null"]
    process.environment = ["PATH": "/usr/bin:/bin"]
    process.standardInput = input
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.runWithOpenSignals()
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data([10]),
      !byte.isEmpty
    {
      line += byte
    }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
    try #require(words.count == 2, "devstack did not start")
    brokers = words[0]
    druid = words[1]
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}

extension FaultProxy {
  /// Stops, and lets devstack end thereafter.
  func stop(before server: RunningDevstack) { stop() }

  /// devstack, and a proxy in front of its broker.
  static func withDevstack() throws -> (RunningDevstack, FaultProxy) {
    let server = try RunningDevstack()
    return (server, try start(upstreamPort: server.port, rewritingAddress: true))
  }

  /// devstack, a proxy in front of its broker, and a kprod whose first line has arrived.
  static func withKprod(
    _ options: String..., in workspace: Commands.Workspace
  ) throws -> (RunningDevstack, FaultProxy, RunningKprod) {
    let (server, proxy) = try withDevstack()
    let run = try RunningKprod(
      ["-b", "127.0.0.1:\(proxy.port)", "-t", "t", "--failed", "failed"] + options, in: workspace)
    try run.write("first\n")
    try eventually("it is there") {
      (try? Topics.everything(in: "t", at: server.brokers).count) == 1
    }
    return (server, proxy, run)
  }
}

/// A line of the file of `--acks`; the topic is there when the lines name it.
struct Acknowledgement: Decodable {
  var line: Int
  var topic: String?
  var partition: Int32
  var offset: Int64
}

extension Commands.Workspace {
  /// The file `acks`.
  func acknowledgements() throws -> [Acknowledgement] {
    try Data(contentsOf: url.appendingPathComponent("acks")).split(separator: 10).map {
      try JSONDecoder().decode(Acknowledgement.self, from: $0)
    }
  }
}

extension Process {
  /// Starts the process with no signal blocked. Test threads block nearly all signals, and children
  /// inherit that.
  func runWithOpenSignals() throws {
    var open = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&open)
    unsafe pthread_sigmask(SIG_SETMASK, &open, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    try run()
  }
}

/// Waits for a condition; the test fails after a time limit.
func eventually(
  within seconds: Double = 90, _ what: Comment, _ condition: () throws -> Bool
) throws {
  let deadline = Date().addingTimeInterval(seconds)
  while try !condition() {
    if Date() > deadline {
      Issue.record(what)
      return
    }
    usleep(5000)
  }
}
