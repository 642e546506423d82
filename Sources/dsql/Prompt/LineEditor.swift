import CEdit
import Glibc
import Plumbing
import Synchronization

/// Reads lines that a person types, with editing and history by libedit.
///
/// (Unsafe inside: the handles belong to this class, are used on one thread and freed once.)
@safe final class LineEditor {
  private static let historySize: Int32 = 1000

  private var library: cedit_library
  private let editor: OpaquePointer
  private let history: OpaquePointer
  /// The history file between sessions; `nil` for none.
  private let file: String?

  /// - Parameter file: the history file.
  /// - Returns: `nil` when libedit is not installed, or the terminal lacks a feature that it needs.
  init?(history file: String?) {
    var library = cedit_library()
    guard unsafe cedit_load(&library), let history = unsafe cedit_history(&library) else {
      return nil
    }
    // With this locale, libedit edits characters instead of bytes.
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
  /// - Parameter continues: whether the line continues a statement.
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

  /// Saves the history for the next session, readable only by the user: SQL may contain secrets.
  func saveHistory() {
    guard let file else { return }
    let mask = umask(0o077)
    defer { umask(mask) }
    if unsafe cedit_history_text(&library, history, H_SAVE, file) < 0 {
      Diagnostics.verbose("the history can't be written to \(quoted(file))")
    }
  }
}

/// Callbacks for libedit.
private enum EditorPrompt {
  static let continues = Atomic<Bool>(false)

  static let text: @convention(c) (OpaquePointer?) -> UnsafeMutablePointer<CChar>? = { _ in
    let text: StaticString = continues.load(ordering: .relaxed) ? "   -> " : "dsql> "
    // libedit only reads the text.
    return unsafe UnsafeMutableRawPointer(mutating: text.utf8Start)
      .assumingMemoryBound(to: CChar.self)
  }
}
