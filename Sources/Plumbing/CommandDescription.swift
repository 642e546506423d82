/// What a command is, as data: its help, its manual page and its completions are written from this.
package struct CommandDescription: Sendable {
  package let name: String
  /// One sentence with a full stop: what it is for.
  package let summary: String
  /// The lines behind "usage:", without the command's name.
  package let usage: [String]
  /// A command line and what it does.
  package let examples: [(command: String, meaning: String)]
  /// The command's own options, in the order of the help; the common ones follow by themselves.
  package let ownFlags: [Flag]
  /// What stands for operands in an error ("FILE", "COMMAND"); `nil` when there are none.
  package let operand: String?
  /// Whether the first operand ends the options, as it must for a command that runs another.
  package let operandsEndOptions: Bool
  /// What a shell offers for an operand.
  package let operandCompletion: Flag.Completion
  /// The exit statuses that it can return, and what they mean here.
  package let statuses: [(status: String, meaning: String)]
  /// Variables of the environment that stand for no option, and what they do here.
  let ownVariables: [(name: String, meaning: String)]
  /// The libraries that it is linked against, for `--version`.
  let libraries: @Sendable () -> [LinkedLibrary]
  /// Paragraphs for the manual page.
  package let prose: [String]
  /// Options of programs that people come from, as they are typed, and what does the same here.
  let foreignOptions: [String: String]

  package init(
    name: String, summary: String, usage: [String],
    examples: [(command: String, meaning: String)], flags: [Flag], operand: String? = nil,
    operandsEndOptions: Bool = false, operandCompletion: Flag.Completion = .file,
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
    self.operandCompletion = operandCompletion
    self.statuses = statuses
    self.ownVariables = variables
    self.libraries = libraries
    self.prose = prose
    self.foreignOptions = foreignOptions
  }

  /// All options: the command's own, then those of every tool that it did not declare itself.
  package var flags: [Flag] {
    ownFlags + Flag.common.filter { common in !ownFlags.contains { $0.name == common.name } }
  }

  /// All variables of the environment that are read: those of options, the command's own, and the one of every tool.
  var variables: [(name: String, meaning: String)] {
    let ofFlags = flags.compactMap { flag in
      flag.variable.map { (name: $0, meaning: "used when \(flag.spelling) is not given") }
    }
    return ofFlags + ownVariables + [
      (name: "NO_COLOR", meaning: "no colours, unless --color says so")
    ]
  }

  /// The version of the whole tool set; this line is the one place where it stands.
  package static let version = "0.1.0"
}
