/// `--help`: one sentence, usage, examples, options, variables and statuses in 80 columns.
extension CommandDescription {
  var helpText: String {
    var out = wrap(summary, indent: 0, width: 79) + "\n\nusage:\n"
    for line in usage { out += wrapUsage(line) + "\n" }
    out += "\nexamples:\n"
    for example in examples {
      out += "  \(example.command)\n" + wrap(example.meaning, indent: 6, width: 79) + "\n"
    }
    out += "\noptions:\n"
    for flag in flags { out += optionText(flag) }
    out += "\nvariables:\n"
    for variable in variables { out += row(variable.name, variable.meaning) }
    out += "\nexit statuses:\n"
    for entry in statuses { out += row(entry.status, entry.meaning, column: 8) }
    return out
  }

  private func wrapUsage(_ line: String) -> String {
    let prefix = "  \(name) "
    let lines = wrap(line, indent: 0, width: 79 - prefix.count).split(separator: "\n")
    let gap = String(repeating: " ", count: prefix.count)
    return prefix + lines.joined(separator: "\n" + gap)
  }

  private func optionText(_ flag: Flag) -> String {
    let letter = flag.letter.map { "-\($0), " } ?? "    "
    let head = letter + flag.spelling + (flag.value.map { " \($0)" } ?? "")
    return row(head, flag.helpWithDefault)
  }

  private func row(_ head: String, _ text: String, column: Int = 27) -> String {
    let body = wrap(text, indent: column, width: 79)
    guard head.count + 4 <= column else { return "  \(head)\n\(body)\n" }
    return "  " + head + body.dropFirst(head.count + 2) + "\n"
  }
}

extension Flag {
  /// The help with the default.
  var helpWithDefault: String {
    var notes: [String] = []
    if let fallback { notes.append("default \(fallback)") }
    if let variable { notes.append(variable) }
    if isRepeatable { notes.append("repeatable") }
    guard !notes.isEmpty else { return help }
    let added = notes.joined(separator: "; ") + ")"
    return help.hasSuffix(")") ? help.dropLast() + "; " + added : help + " (" + added
  }
}

/// Breaks a paragraph at spaces into lines of at most `width` columns, each indented by `indent`
/// spaces.
func wrap(_ text: String, indent: Int, width: Int) -> String {
  let gap = String(repeating: " ", count: indent)
  var lines: [String] = []
  var line = gap
  for word in text.split(separator: " ") {
    if line.count > indent, line.count + 1 + word.count > width {
      lines.append(line)
      line = gap
    }
    line += (line.count > indent ? " " : "") + word
  }
  lines.append(line)
  return lines.joined(separator: "\n")
}
