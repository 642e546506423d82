import Druid
import Glibc
import Plumbing

/// An item of a script.
enum ScriptItem {
  case statement(Statement)
  case command(MetaCommand)
}

/// A source of SQL.
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

  /// Passes each statement to `use` as soon as its `;` is read, and each command as soon as its
  /// line is read, until `use` returns false.
  ///
  /// - Throws: what `use` throws; ``StatementFailure`` for a script with an unclosed string or
  ///   comment; ``DruidFailure`` when a signal ended the reading inside a statement, which is not
  ///   run then.
  func forEachItem(_ use: (ScriptItem) throws -> Bool) throws {
    var items = ScriptItems(source: name)
    switch self {
    case .text(let text, _):
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() {
        let isTerminated = index + 1 < lines.count
        guard try items.take(Array(line.utf8), isTerminated: isTerminated, use) else { return }
      }
    case .file(let path):
      let descriptor: Int32
      do { descriptor = try openFile(path, O_RDONLY) } catch {
        if error.code == ENOENT, path.contains(" ") { throw UnopenedScript(failure: error) }
        throw error
      }
      defer { _ = close(descriptor) }
      guard try read(descriptor, named: quoted(path), &items, use) else { return }
    case .standardInput:
      if Terminal.isTerminal(STDIN_FILENO) {
        Diagnostics.note("reading SQL from the terminal: ';' ends a statement, Ctrl-D the input")
      }
      guard try read(STDIN_FILENO, named: name, &items, use) else { return }
    }
    guard Interruption.count == 0 else {
      guard items.isInsideStatement else { return }
      throw DruidFailure.tornStatement
    }
    try items.finish(use)
  }

  private func read(
    _ descriptor: Int32, named name: String, _ items: inout ScriptItems,
    _ use: (ScriptItem) throws -> Bool
  ) throws -> Bool {
    var reader = LineReader(
      from: descriptor, named: name, maximumLineLength: StatementSplitter.maximumLength)
    func nextLine() throws -> [UInt8]? {
      guard let line = try reader.nextLine() else { return nil }
      var block = ByteBlock(capacity: line.byteCount)
      block.append(line)
      return block.array
    }
    while let line = try nextLine() {
      guard try items.take(line, isTerminated: reader.lineIsTerminated, use) else {
        return false
      }
    }
    if reader.leavesRest {
      throw DruidFailure(.interrupted, "interrupted: the rest of \(name) is not run")
    }
    if reader.tornByteCount > 0 { throw DruidFailure.tornStatement }
    return true
  }
}

/// Splits lines into statements and commands.
struct ScriptItems {
  private let source: String
  private var splitter: StatementSplitter
  private var lineNumber = 0
  /// The title that `-- title: …` sets for the next statement.
  private var heading: String?

  init(source: String) {
    self.source = source
    splitter = StatementSplitter(source: source)
  }

  var isInsideStatement: Bool { splitter.isInsideStatement }

  /// Takes a line without its newline; returns false when `use` wants no more items.
  ///
  /// - Parameter isTerminated: whether a newline ended the line.
  mutating func take(
    _ line: [UInt8], isTerminated: Bool, _ use: (ScriptItem) throws -> Bool
  ) throws -> Bool {
    lineNumber += 1
    let start = line.drop { $0 <= 32 }
    let isBetween = !splitter.isInsideStatement
    if isBetween, start.first == UInt8(ascii: "\\") {
      let text = String(decoding: start, as: UTF8.self)
      let place = source.isEmpty ? "line \(lineNumber)" : "\(source): line \(lineNumber)"
      guard try use(.command(MetaCommand(text, at: place))) else { return false }
    } else {
      if isBetween { heading = Self.heading(start) ?? heading }
      for var statement in try splitter.take(unsafe line.span.bytes) {
        statement.heading = heading
        heading = nil
        guard try use(.statement(statement)) else { return false }
      }
    }
    // The newline does not end a statement, but it ends a comment.
    if isTerminated { _ = try splitter.take(unsafe [UInt8(ascii: "\n")].span.bytes) }
    return true
  }

  /// Ends the script: its last statement needs no `;`.
  mutating func finish(_ use: (ScriptItem) throws -> Bool) throws {
    guard var statement = try splitter.finish() else { return }
    statement.heading = heading
    _ = try use(.statement(statement))
  }

  private static func heading(_ line: ArraySlice<UInt8>) -> String? {
    guard line.starts(with: Array("--".utf8)) else { return nil }
    let comment = String(decoding: line.dropFirst(2), as: UTF8.self).drop(while: \.isWhitespace)
    guard comment.lowercased().hasPrefix("title:") else { return nil }
    var text = comment.dropFirst(6).drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}

extension DruidFailure {
  fileprivate static let tornStatement = DruidFailure(
    .interrupted, "interrupted: a statement without its end is not run")
}

/// A file that can't be opened and whose name looks like SQL.
private struct UnopenedScript: ToolFailure {
  let failure: SystemFailure

  var exitStatus: ExitStatus { failure.exitStatus }
  var message: String { failure.message }
  var hints: [String] { ["-e takes SQL, and operands are files"] }
}
