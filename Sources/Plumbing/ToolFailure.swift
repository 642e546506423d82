import Glibc

/// An error with an exit status and a message for the user.
package protocol ToolFailure: Error {
  var exitStatus: ExitStatus { get }
  /// One line: what failed, then why. No tool name, no capital, no full stop.
  var message: String { get }
  /// Next steps, a line each.
  var hints: [String] { get }
  /// Lines shown as they are between message and hints: a piece of input and a caret under it.
  var details: [String] { get }
}

extension ToolFailure {
  package var hints: [String] { [] }
  package var details: [String] { [] }
}

/// A command line that is not valid.
package struct UsageFailure: ToolFailure, Equatable {
  package let message: String
  package let hints: [String]
  package let details: [String]

  package var exitStatus: ExitStatus { .usage }

  package init(_ message: String, hints: [String] = [], details: [String] = []) {
    self.message = message
    self.hints = hints
    self.details = details
  }

  package init(_ message: String, hint: String?, details: [String] = []) {
    self.init(message, hints: hint.map { [$0] } ?? [], details: details)
  }

  /// A failure at a position of a text, which is shown with a caret under the position.
  ///
  /// - Parameter column: the number of characters before the position.
  package init(_ message: String, hint: String?, in text: String, at column: Int) {
    self.init(
      message, hint: hint,
      details: ["  " + text, "  " + String(repeating: " ", count: column) + "^"])
  }
}

/// Input that can't be used.
package struct UnusableInput: ToolFailure, Equatable {
  package let message: String
  package let hints: [String]

  package var exitStatus: ExitStatus { .input }

  package init(_ message: String, hints: [String] = []) {
    self.message = message
    self.hints = hints
  }
}

/// A system call that failed.
package struct SystemFailure: ToolFailure, Equatable {
  /// What was being done, with the name of the file: "writing standard output".
  let action: String
  /// The value of errno.
  package let code: Int32

  package init(_ action: String, code: Int32 = errno) {
    self.action = action
    self.code = code
  }

  package var exitStatus: ExitStatus { .system }
  package var message: String { "\(action): \(systemErrorText(code))" }

  /// Whether the reader of a pipe went away: the work ends, but this is not a failure.
  package var isReaderGone: Bool { code == EPIPE }
  /// Whether a signal came before everything was written.
  package var isInterruption: Bool { code == EINTR }
}

/// The system's description of an error number, without its capital.
package func systemErrorText(_ code: Int32) -> String {
  // strerror's text for a known number is constant; an unknown one is this thread's own.
  guard let words = unsafe strerror(code) else { return "error \(code)" }
  let text = unsafe String(cString: words)
  return text.prefix(1).lowercased() + text.dropFirst()
}
