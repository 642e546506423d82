import Druid
import Glibc
import Plumbing

/// An interactive session: lines with editing and history. An error does not end it, and Ctrl-C
/// ends only the query.
struct Prompt {
  private let editor: LineEditor

  /// - Parameter history: the history file.
  /// - Returns: `nil` without a suitable terminal, or without libedit.
  init?(history: String?) {
    guard Terminal.isTerminal(STDIN_FILENO), Terminal.isTerminal(STDERR_FILENO),
      let editor = LineEditor(history: history)
    else { return nil }
    self.editor = editor
  }

  /// Runs until the input ends, `\q` comes, or a signal other than Ctrl-C comes.
  func run(_ session: inout Session) throws {
    Diagnostics.note("';' ends a statement, \\? lists the commands, Ctrl-D ends the session")
    session.isPrompt = true
    defer {
      session.isPrompt = false
      editor.saveHistory()
    }
    var items = ScriptItems(source: "")
    while true {
      guard let line = editor.nextLine(continues: items.isInsideStatement) else {
        Diagnostics.detail("")
        guard Interruption.firstSignal == SIGINT else { return }
        // Ctrl-C discards the lines typed so far.
        Interruption.forget()
        items = ScriptItems(source: "")
        continue
      }
      // An empty line between statements is not the first line of the next.
      if !items.isInsideStatement, line.allSatisfy(\.isWhitespace) { continue }
      do {
        var hasRun = false
        let goesOn = try items.take(Array(line.utf8), isTerminated: true) { item in
          hasRun = true
          return try session.run(item)
        }
        guard goesOn else { return }
        // Lines are counted from the statement's first, not from the session's.
        if hasRun, !items.isInsideStatement { items = ScriptItems(source: "") }
      } catch let failure as any ToolFailure {
        items = ScriptItems(source: "")
        try goOn(after: failure, &session)
      }
    }
  }

  private func goOn(after failure: any ToolFailure, _ session: inout Session) throws {
    // The user left the pager early.
    if (failure as? SystemFailure)?.isReaderGone == true { return }
    guard Interruption.count > 0 else { return session.note(failure) }
    guard Interruption.firstSignal == SIGINT else { throw failure }
    session.note(failure)
    Interruption.forget()
  }
}
