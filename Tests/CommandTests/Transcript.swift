import Foundation

/// A shell session as a file: the commands, and everything that they returned.
///
///     # prose, kept as it is
///     $ fake-events --cuont 3
///     2> fake-events: unknown option '--cuont'
///     ? 64
///
/// Output comes first, unchanged; then standard error, each line after `2> `; then the status after
/// `? `, unless it is 0. A line of output that is empty or would be read as one of these has `1> `
/// before it. A command continues in lines that begin with `> `. Exchanges end at an empty line or
/// at the next `$ `; all exchanges of a file share one directory.
struct Transcript {
  struct Exchange {
    var prose: [String] = []
    var command: String
    var answer: [String] = []
  }

  var exchanges: [Exchange] = []
  /// The prose after the last exchange.
  var ending: [String] = []

  init(parsing text: String) {
    var prose: [String] = []
    var isAnswer = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("$ ") {
        exchanges.append(Exchange(prose: prose, command: String(line.dropFirst(2))))
        prose = []
        isAnswer = true
      } else if isAnswer, line.hasPrefix("> "), exchanges[exchanges.count - 1].answer.isEmpty {
        exchanges[exchanges.count - 1].command += "\n" + line.dropFirst(2)
      } else if isAnswer, !line.isEmpty, !line.hasPrefix("#") {
        exchanges[exchanges.count - 1].answer.append(line)
      } else {
        isAnswer = false
        prose.append(line)
      }
    }
    ending = prose
  }

  /// The transcript as a file again.
  var text: String {
    var lines: [String] = []
    for exchange in exchanges {
      lines += exchange.prose
      let typed = exchange.command.split(separator: "\n", omittingEmptySubsequences: false)
      lines += typed.enumerated().map { ($0 == 0 ? "$ " : "> ") + $1 }
      lines += exchange.answer
    }
    return (lines + ending).joined(separator: "\n")
  }

  /// The same session with the current answers of the commands.
  func played() throws -> Transcript {
    let workspace = try Commands.Workspace()
    var result = self
    for index in exchanges.indices {
      // A guard against hanging alone: the demo takes minutes on a machine with much else to do.
      let outcome = try Commands.run(exchanges[index].command, in: workspace, within: 600)
      result.exchanges[index].answer = Self.answer(outcome)
    }
    return result
  }

  static func answer(_ outcome: Commands.Outcome) -> [String] {
    let output = lines(of: outcome.output).map { line in
      let isAmbiguous =
        line.isEmpty || ["$ ", "> ", "1> ", "2> ", "? ", "#"].contains { line.hasPrefix($0) }
      return isAmbiguous ? "1> " + line : line
    }
    let errors = lines(of: outcome.errors).map { "2> " + $0 }
    return output + errors + (outcome.status == 0 ? [] : ["? \(outcome.status)"])
  }

  /// The lines of a text; a last line without a newline is marked.
  private static func lines(of text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" {
      lines.removeLast()
    } else if !lines.isEmpty {
      lines[lines.count - 1] += "\\ no newline"
    }
    return lines
  }
}
