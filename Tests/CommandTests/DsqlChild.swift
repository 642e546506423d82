import Foundation

/// dsql as a child process that a test can signal.
final class DsqlChild {
  private let process = Process()
  private let workspace: Commands.Workspace
  private let outputFile: URL
  private let errorFile: URL
  private let input = Pipe()

  init(_ arguments: [String], url: String, input text: String = "", output: Pipe? = nil) throws {
    workspace = try Commands.Workspace()
    outputFile = workspace.url.appendingPathComponent("1")
    errorFile = workspace.url.appendingPathComponent("2")
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    process.executableURL = Commands.directory.appendingPathComponent("dsql")
    process.arguments = arguments
    process.environment = ["DRUID_URL": url, "HOME": workspace.url.path, "PATH": "/usr/bin:/bin"]
    process.standardInput = input
    process.standardOutput = try output ?? FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    // A test's thread may block signals, and a child inherits that.
    var none = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&none)
    unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

  /// Waits for a condition, for at most 90 s.
  func wait(_ condition: () -> Bool) {
    let end = Date(timeIntervalSinceNow: 90)
    while !condition(), Date() < end, process.isRunning { usleep(2000) }
  }

  var hasTakenItsSignals: Bool { process.hasTakenItsSignals }

  func waitForOutput(_ text: String) { wait { output.contains(text) } }
  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// The status as a shell reports it.
  var status: Int32 {
    wait { false }
    guard !process.isRunning else { return -1 }
    return process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
  }
}
