/// An option of a command, as data: parsing, help, manual page and completions are derived from it.
package struct Flag: Sendable {
  /// What a shell completes after the option.
  package enum Completion: Sendable, Equatable {
    case nothing
    case file
    case choices([String])
    /// What the command itself prints with these arguments, a word a line, such as the names that a server knows. With
    /// `behind` it stands in a longer text, behind one of these words.
    case answer(String, behind: [String] = [])
  }

  /// The long name, without dashes.
  let name: String
  /// The one-letter name, for the few in daily use.
  let letter: Character?
  /// The placeholder of the value in the help ("N", "FILE"); `nil` for a switch.
  private(set) var value: String?
  /// The environment variable that is read when the option is absent.
  private(set) var variable: String?
  /// The default, when neither the option nor its variable is given.
  private(set) var fallback: String?
  /// Whether it may be given more than once.
  private(set) var isRepeatable = false
  private(set) var completion = Completion.nothing
  /// Whether a shell hands it on when it asks the command for an answer: it names the server.
  var isForAnswers = false
  /// Whether it names a file that the command writes.
  private(set) var isWritten = false
  /// What the option does: one clause without a full stop.
  let help: String

  /// An option without a value.
  package static func toggle(_ name: String, _ letter: Character? = nil, help: String) -> Flag {
    Flag(name: name, letter: letter, help: help)
  }

  /// An option with a value.
  package static func option(
    _ name: String, _ letter: Character? = nil, value: String, variable: String? = nil,
    fallback: String? = nil, isRepeatable: Bool = false, completion: Completion = .nothing,
    help: String
  ) -> Flag {
    Flag(
      name: name, letter: letter, value: value, variable: variable, fallback: fallback,
      isRepeatable: isRepeatable, completion: completion, help: help)
  }

  /// An option whose value is the path of a file.
  package static func file(
    _ name: String, _ letter: Character? = nil, isRepeatable: Bool = false, help: String
  ) -> Flag {
    Flag(
      name: name, letter: letter, value: "FILE", isRepeatable: isRepeatable, completion: .file,
      help: help)
  }

  /// The same option, handed on when a shell asks the command for an answer.
  package var handedOn: Flag {
    var copy = self
    copy.isForAnswers = true
    return copy
  }

  /// The same option, whose file is written.
  package var written: Flag {
    var copy = self
    copy.isWritten = true
    return copy
  }

  /// The name as the user types it.
  package var spelling: String { "--" + name }

  /// The words that are allowed as a value; empty when any value is allowed.
  var choices: [String] {
    if case .choices(let words) = completion { words } else { [] }
  }
}
