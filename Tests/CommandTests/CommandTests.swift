import Foundation

/// Runs the built executables from a shell, and keeps their output and status.
enum Commands {
  /// The folder of the executables: as the measuring scripts set it, else next to the test bundle.
  static let directory =
    ProcessInfo.processInfo.environment["COMMANDS"].map { URL(fileURLWithPath: $0) }
    ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()

  /// The repository under test.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A browser for the tests of pages; nil if none is installed.
  static let chromium = [
    "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
  ]
  .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// The result of a command.
  struct Outcome: Equatable {
    var output: String
    var errors: String
    /// The status as a shell reports it: 128 + n when signal n ended the command, 124 after a
    /// timeout.
    var status: Int32
  }

  /// A temporary directory for one test, removed with this object.
  final class Workspace: Sendable {
    let url: URL

    init() throws {
      url = FileManager.default.temporaryDirectory
        .appendingPathComponent("streamtools-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
      try? FileManager.default.removeItem(at: url)
    }

    func write(_ text: String, to name: String) throws {
      try text.write(to: url.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
  }

  /// Runs a line of shell in a directory, with the built commands first on the path and otherwise
  /// only the environment of a clean login.
  ///
  /// Output goes to files and not to pipes, so nothing can block on it and no descriptor stays open
  /// elsewhere.
  static func run(
    _ script: String, in workspace: Workspace, environment: [String: String] = [:],
    within seconds: Int = 300
  ) throws -> Outcome {
    let capture = try Workspace()
    let output = capture.url.appendingPathComponent("1")
    let errors = capture.url.appendingPathComponent("2")
    for file in [output, errors] {
      try Data().write(to: file)
    }

    let process = Process()
    // Test threads block every signal, and a child inherits that: env unblocks them.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "--default-signal", "timeout", "--kill-after=5", "\(seconds)", "/bin/sh", "-c", script,
    ]
    process.currentDirectoryURL = workspace.url
    process.environment = [
      "PATH": "\(directory.path):/usr/local/bin:/usr/bin:/bin",
      "HOME": workspace.url.path,
      "LC_ALL": "C.UTF-8",
      "TZ": "UTC",
      "TERM": "dumb",
      "ROOT": root.path,
      "FIXTURES": root.appendingPathComponent("Tests/CommandTests/Fixtures").path,
    ].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()

    let status = process.terminationStatus
    return Outcome(
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self),
      status: process.terminationReason == .exit ? status : 128 + status)
  }
}

extension Process {
  /// Whether no signal is pending for the process. Two signals that are pending at once would count
  /// as one.
  var hasTakenItsSignals: Bool {
    let file = "/proc/\(processIdentifier)/status"
    let status = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    let pending = status.split(separator: "\n").filter {
      $0.hasPrefix("SigPnd:") || $0.hasPrefix("ShdPnd:")
    }
    return pending.count == 2 && pending.allSatisfy { $0.hasSuffix("\t0000000000000000") }
  }
}

extension Pipe {
  /// Whether a writer must wait for a reader.
  var isFull: Bool {
    // The child owns the writing end by now, so a new one is opened for the check.
    let end = unsafe open(
      "/proc/self/fd/\(fileHandleForReading.fileDescriptor)", O_WRONLY | O_CLOEXEC)
    guard end >= 0 else { return false }
    defer { close(end) }
    var room = pollfd(fd: end, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&room, 1, 0) == 0
  }
}
