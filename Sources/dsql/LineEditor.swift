import CEdit
import Glibc
import Plumbing
import Synchronization

/// Lines that a person types: editing and history by libedit.
///
/// (Unsafe inside: the handles are libedit's, ours alone, used on one thread and freed once.)
@safe final class LineEditor {
  private static let historySize: Int32 = 1000

  private var library: cedit_library
  private let editor: OpaquePointer
  private let history: OpaquePointer
  /// Where lines are kept between sessions; `nil` for nowhere.
  private let file: String?

  /// - Parameter file: the file of the history.
  /// - Returns: `nil` where libedit is not installed, or the terminal can't do what it needs.
  init?(history file: String?) {
    var library = cedit_library()
    guard unsafe cedit_load(&library), let history = unsafe cedit_history(&library) else {
      return nil
    }
    // It edits letters and not bytes.
    _ = unsafe setlocale(LC_CTYPE, "C.UTF-8")
    guard
      let editor = unsafe cedit_open(&library, EditorPrompt.text, history, Self.historySize)
    else {
      unsafe cedit_end(&library, nil, history)
      return nil
    }
    self.library = library
    unsafe self.editor = editor
    unsafe self.history = history
    self.file = file
    if let file { _ = unsafe cedit_history_text(&self.library, history, H_LOAD, file) }
  }

  deinit { unsafe cedit_end(&library, editor, history) }

  /// The next line without its newline; `nil` at the end of the input, or when a signal came.
  ///
  /// - Parameter continues: whether a statement goes on.
  func nextLine(continues: Bool) -> String? {
    EditorPrompt.continues.store(continues, ordering: .relaxed)
    var count: Int32 = 0
    guard let text = unsafe cedit_gets(&library, editor, &count), count > 0 else { return nil }
    var line = unsafe String(cString: text)
    if line.hasSuffix("\n") { line.removeLast() }
    if line.contains(where: { !$0.isWhitespace }) {
      _ = unsafe cedit_history_text(&library, history, H_ENTER, line)
    }
    return line
  }

  /// Keeps the lines for the next session, readable by nobody else: SQL may hold secrets.
  func saveHistory() {
    guard let file else { return }
    let mask = umask(0o077)
    defer { umask(mask) }
    if unsafe cedit_history_text(&library, history, H_SAVE, file) < 0 {
      Diagnostics.verbose("the history can't be written to \(quoted(file))")
    }
  }
}

/// What libedit asks for.
private enum EditorPrompt {
  static let continues = Atomic<Bool>(false)

  static let text: @convention(c) (OpaquePointer?) -> UnsafeMutablePointer<CChar>? = { _ in
    let text: StaticString = continues.load(ordering: .relaxed) ? "   -> " : "dsql> "
    // libedit only reads it.
    return unsafe UnsafeMutableRawPointer(mutating: text.utf8Start)
      .assumingMemoryBound(to: CChar.self)
  }
}
