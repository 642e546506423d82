/// `--man`: the manual page as roff, for man(1).
extension CommandDescription {
  var manualPage: String {
    var out = ".TH \(roff(name.uppercased())) 1 \"\" \"\(roff("streamtools \(Self.version)"))\"\n"
    out += ".SH NAME\n\(roff(name)) \\- \(roff(summaryClause))\n.SH SYNOPSIS\n"
    for (index, line) in usage.enumerated() {
      out += (index > 0 ? ".br\n" : "") + ".B \(roff(name))\n\(roff(line))\n"
    }
    out += ".SH DESCRIPTION\n\(roff(summary))\n"
    for paragraph in prose { out += ".PP\n\(roff(paragraph))\n" }
    out += ".SH OPTIONS\n"
    for flag in flags {
      let names = [flag.letter.map { "-\($0)" }, flag.spelling].compactMap { $0 }
      let bold = names.map { "\\fB\(roff($0))\\fR" }.joined(separator: ", ")
      let value = flag.value.map { " \\fI\(roff($0))\\fR" } ?? ""
      out += ".TP\n\(bold)\(value)\n\(roff(sentence(flag.helpWithDefault)))\n"
    }
    out += ".SH ENVIRONMENT\n"
    for variable in variables {
      out += ".TP\n.B \(roff(variable.name))\n\(roff(sentence(variable.meaning)))\n"
    }
    out += ".SH EXIT STATUS\n"
    for entry in statuses {
      out += ".TP\n.B \(roff(entry.status))\n\(roff(sentence(entry.meaning)))\n"
    }
    out += ".SH EXAMPLES\n"
    for example in examples {
      out += ".TP\n\\fB\(roff(example.command))\\fR\n\(roff(sentence(example.meaning)))\n"
    }
    let others = Self.tools.filter { $0 != name }.map { "\\fB\(roff($0))\\fR(1)" }
    out += ".SH SEE ALSO\n\(others.joined(separator: ",\n"))\n"
    return out
  }

  private var summaryClause: String {
    let clause = summary.hasSuffix(".") ? String(summary.dropLast()) : summary
    return clause.prefix(1).lowercased() + clause.dropFirst()
  }
}

private func sentence(_ text: String) -> String {
  text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
}

/// Escapes text for roff: backslashes, dashes and quotes, and lines that look like requests.
private func roff(_ text: String) -> String {
  let escapes: [Unicode.Scalar: String] = [
    "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti",
  ]
  let out = escaped(text.unicodeScalars) { escapes[$0] }
  return out.hasPrefix(".") ? "\\&" + out : out
}
