/// A command described as data: its help, manual page and completions are generated from this.
package struct CommandDescription: Sendable {
  let name: String
  /// What the command is for: one sentence with a full stop.
  let summary: String
  /// The lines after "usage:", without the command's name.
  let usage: [String]
  /// A command line and what it does.
  let examples: [(command: String, meaning: String)]
  /// The command's own options, in the order of the help; the common options are appended.
  let ownFlags: [Flag]
  /// How an error names the operands ("FILE", "COMMAND"); `nil` when there are none.
  let operand: String?
  /// Whether the first operand ends the options, as it must for a command that runs another.
  let operandsEndOptions: Bool
  /// The exit statuses that the command can return, with their meanings.
  let statuses: [(status: String, meaning: String)]
  /// Environment variables that belong to no option, with their meanings.
  let ownVariables: [(name: String, meaning: String)]
  /// The libraries that it is linked against, for `--version`.
  let libraries: @Sendable () -> [LinkedLibrary]
  /// Paragraphs of the manual page.
  let prose: [String]
  /// Options of similar programs, as typed, with what does the same here.
  let foreignOptions: [String: String]

  package init(
    name: String, summary: String, usage: [String],
    examples: [(command: String, meaning: String)], flags: [Flag], operand: String? = nil,
    operandsEndOptions: Bool = false,
    statuses: [(status: String, meaning: String)],
    variables: [(name: String, meaning: String)] = [],
    libraries: @escaping @Sendable () -> [LinkedLibrary] = { [] }, prose: [String] = [],
    foreignOptions: [String: String] = [:]
  ) {
    self.name = name
    self.summary = summary
    self.usage = usage
    self.examples = examples
    self.ownFlags = flags
    self.operand = operand
    self.operandsEndOptions = operandsEndOptions
    self.statuses = statuses
    self.ownVariables = variables
    self.libraries = libraries
    self.prose = prose
    self.foreignOptions = foreignOptions
  }

  /// All options: the command's own, then the common ones that it does not declare itself.
  var flags: [Flag] {
    ownFlags + Flag.common.filter { common in !ownFlags.contains { $0.name == common.name } }
  }

  /// All environment variables that are read: those of options, the command's own, and those that
  /// every tool reads.
  var variables: [(name: String, meaning: String)] {
    let ofFlags = flags.compactMap { flag in
      flag.variable.map { (name: $0, meaning: "used when \(flag.spelling) is not given") }
    }
    return ofFlags + ownVariables + [
      (name: "NO_COLOR", meaning: "no colours, unless --color says so")
    ]
  }

  /// The tools, as their manual pages refer to each other.
  static let tools = ["anomalies", "devstack", "dsql", "fake-events", "kprod"]

  /// The version of all tools.
  static let version = "0.1.0"
}
