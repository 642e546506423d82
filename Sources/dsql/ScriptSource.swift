import Druid
import Glibc
import Plumbing

/// Where SQL comes from.
enum ScriptSource {
  case text(String, name: String)
  case file(String)
  case standardInput

  private var name: String {
    switch self {
    case .text(_, let name): name
    case .file(let path): path
    case .standardInput: "standard input"
    }
  }

  /// Hands each statement to `use` as soon as its `;` is read.
  ///
  /// - Throws: what `use` throws; ``StatementFailure`` for a script without an end; ``DruidFailure`` when a signal ended
  ///   the reading inside a statement, which then is not run.
  func forEachStatement(_ use: (Statement) throws -> Void) throws {
    var splitter = StatementSplitter(source: name)
    switch self {
    case .text(let text, _):
      var block = ByteBlock(capacity: text.utf8.count)
      block.append(text)
      for statement in try splitter.take(block.bytes) { try use(statement) }
    case .file(let path):
      let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        let failure = SystemFailure("opening \(quoted(path))")
        if failure.code == ENOENT, path.contains(" ") { throw UnopenedScript(failure: failure) }
        throw failure
      }
      defer { _ = close(descriptor) }
      try read(descriptor, &splitter, use)
    case .standardInput:
      if Terminal.isTerminal(STDIN_FILENO) {
        Diagnostics.note("reading SQL from the terminal: ';' ends a statement, Ctrl-D the input")
      }
      try read(STDIN_FILENO, &splitter, use)
    }
    guard Interruption.count == 0 else {
      guard splitter.isInsideStatement else { return }
      throw DruidFailure.tornStatement
    }
    if let statement = try splitter.finish() { try use(statement) }
  }

  private func read(
    _ descriptor: Int32, _ splitter: inout StatementSplitter, _ use: (Statement) throws -> Void
  ) throws {
    var reader = LineReader(
      from: descriptor, named: quoted(name), maximumLineLength: StatementSplitter.maximumLength)
    var newline = ByteBlock(capacity: 1)
    newline.append("\n")
    var isFirst = true
    while let line = try reader.nextLine() {
      // A newline ends no statement: it can wait for the next line.
      if !isFirst { _ = try splitter.take(newline.bytes) }
      isFirst = false
      for statement in try splitter.take(line) { try use(statement) }
    }
    if !isFirst, reader.lineIsTerminated { _ = try splitter.take(newline.bytes) }
    if reader.leavesRest {
      throw DruidFailure(.interrupted, "interrupted: the rest of \(quoted(name)) is not run")
    }
    if reader.tornByteCount > 0 { throw DruidFailure.tornStatement }
  }
}

extension DruidFailure {
  fileprivate static let tornStatement = DruidFailure(
    .interrupted, "interrupted: a statement without its end is not run")
}

/// A name of a file that looks like SQL.
private struct UnopenedScript: ToolFailure {
  let failure: SystemFailure

  var exitStatus: ExitStatus { failure.exitStatus }
  var message: String { failure.message }
  var hints: [String] { ["-e takes SQL, and operands are files"] }
}
