import Druid
import Glibc
import Plumbing

/// A session with a person: lines with editing and history, mistakes that end nothing, and a Ctrl-C that ends a query.
struct Prompt {
  private let editor: LineEditor

  /// - Parameter history: the file of the history.
  /// - Returns: `nil` when there is no terminal for it, or no libedit.
  init?(history: String?) {
    guard Terminal.isTerminal(STDIN_FILENO), Terminal.isTerminal(STDERR_FILENO),
      let editor = LineEditor(history: history)
    else { return nil }
    self.editor = editor
  }

  /// Goes on until the input ends, `\q` comes, or a signal other than Ctrl-C's.
  func run(_ session: inout Session) throws {
    Diagnostics.note("';' ends a statement, \\? lists the commands, Ctrl-D ends the session")
    session.isPrompt = true
    defer {
      session.isPrompt = false
      editor.saveHistory()
    }
    var items = ScriptItems(source: "standard input")
    while true {
      guard let line = editor.nextLine(continues: items.isInsideStatement) else {
        Diagnostics.detail("")
        guard Interruption.firstSignal == SIGINT else { return }
        // Ctrl-C forgets the lines that were typed.
        Interruption.forget()
        items = ScriptItems(source: "standard input")
        continue
      }
      do {
        guard try items.take(Array(line.utf8), isTerminated: true, { try session.run($0) }) else {
          return
        }
      } catch let failure as any ToolFailure {
        items = ScriptItems(source: "standard input")
        try goOn(after: failure, &session)
      }
    }
  }

  private func goOn(after failure: any ToolFailure, _ session: inout Session) throws {
    // Who leaves the pager has seen enough.
    if (failure as? SystemFailure)?.isReaderGone == true { return }
    guard Interruption.count > 0 else { return session.note(failure) }
    guard Interruption.firstSignal == SIGINT else { throw failure }
    session.note(failure)
    Interruption.forget()
  }
}
