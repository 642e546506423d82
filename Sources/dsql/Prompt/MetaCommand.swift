import Druid
import Plumbing

/// A line of a script that is a command for dsql: a backslash and a word, as in psql.
struct MetaCommand {
  enum Kind: String, CaseIterable {
    case describe = "d"
    case echo
    case expanded = "x"
    case timing
    case help = "?"
    case quit = "q"
  }

  let kind: Kind
  let argument: String

  /// - Parameters:
  ///   - line: the line, which begins with a backslash.
  ///   - place: how a message names the line.
  init(_ line: String, at place: String) throws {
    let body = line.dropFirst()
    let word = String(body.prefix { !$0.isWhitespace })
    guard let kind = Kind(rawValue: word) else {
      let hint = didYouMean(word, among: Kind.allCases.map(\.rawValue), prefix: "\\")
      throw UnknownCommand(
        message: "\(place): unknown command \(quoted("\\" + word))",
        hints: [hint ?? "\\? lists the commands"])
    }
    self.kind = kind
    var argument = body.dropFirst(word.count).drop(while: \.isWhitespace)
    while argument.last?.isWhitespace == true { argument.removeLast() }
    // Users often type a ';' after a name; it is not part of the name.
    while kind != .echo, argument.hasSuffix(";") { argument.removeLast() }
    self.argument = String(argument)
  }

  static let help = """
    \\d          the tables
    \\d TABLE    a table's columns
    \\x          each cell on a line of its own, or no more (\\x on, \\x off)
    \\timing     how long each statement takes, or no more (\\timing on, \\timing off)
    \\echo TEXT  write TEXT
    \\q          the end, as Ctrl-D is

    """

  /// The statement that answers `\d`.
  var question: Statement {
    guard !argument.isEmpty else {
      return Statement(
        source: "\\d", number: 1,
        text: "SELECT TABLE_SCHEMA AS \"schema\", TABLE_NAME AS \"table\", TABLE_TYPE AS \"type\" "
          + "FROM INFORMATION_SCHEMA.TABLES ORDER BY TABLE_SCHEMA, TABLE_NAME")
    }
    var schema = ""
    var name = argument
    if let point = argument.firstIndex(of: "."), !argument.hasPrefix("\"") {
      schema = String(argument[..<point])
      name = String(argument[argument.index(after: point)...])
    }
    if name.count > 1, name.hasPrefix("\""), name.hasSuffix("\"") {
      name = String(name.dropFirst().dropLast())
    }
    let inSchema = schema.isEmpty ? "" : " AND TABLE_SCHEMA = \(Self.literal(schema))"
    return Statement(
      source: "\\d", number: 1,
      text: "SELECT COLUMN_NAME AS \"column\", DATA_TYPE AS \"type\", IS_NULLABLE AS \"nullable\" "
        + "FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = \(Self.literal(name))\(inSchema) "
        + "ORDER BY TABLE_SCHEMA, ORDINAL_POSITION")
  }

  private static func literal(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// The new state of a switch after `on`, `off` or no argument.
  func toggled(_ state: Bool) -> Bool {
    switch argument {
    case "on": true
    case "off": false
    default: !state
    }
  }
}

/// A line that begins with a backslash and is not a known command.
struct UnknownCommand: ToolFailure {
  let message: String
  let hints: [String]
  var exitStatus: ExitStatus { .input }
}
