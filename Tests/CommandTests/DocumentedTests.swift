import Foundation
import Testing

/// Help, manual page and completions of every command, tested in their environment: a terminal of
/// 80 columns, man, and the three shells.
@Suite struct DocumentedTests {
  static let tools = ["fake-events", "kprod", "dsql", "anomalies", "devstack"]

  static func run(_ script: String) throws -> Commands.Outcome {
    try Commands.run(script, in: Commands.Workspace())
  }

  /// The long options that a help text lists.
  static func options(_ tool: String) throws -> [String] {
    try run("\(tool) --help").output.split(separator: "\n")
      .compactMap { $0.firstMatch(of: /^  (?:-., |    )(--[a-z0-9-]+)/).map { String($0.1) } }
  }

  @Test(arguments: tools)
  func helpFitsATerminalAndSaysItAll(_ tool: String) throws {
    let help = try Self.run("\(tool) --help")
    #expect(help.status == 0 && help.errors == "")
    let lines = help.output.split(separator: "\n", omittingEmptySubsequences: false)
    let wide = lines.filter { $0.count > 80 }
    #expect(wide.isEmpty, "\(tool): \(wide)")
    for heading in ["usage:", "examples:", "options:", "exit statuses:"] {
      #expect(lines.contains { $0 == heading }, "\(tool) --help lacks '\(heading)'")
    }
    #expect(try Self.options(tool).count > 8)
    let version = try Self.run("\(tool) --version")
    let pattern = /[a-z-]+ \d+\.\d+\.\d+( \(commit [0-9a-f]+\+?\))?\n(?:[A-Za-z0-9]+ \S+\n)*/
    #expect(version.status == 0 && version.errors == "")
    #expect(version.output.hasPrefix("\(tool) "))
    #expect(version.output.wholeMatch(of: pattern) != nil, "\(version.output)")
  }

  @Test(arguments: tools)
  func manualPagePassesMan(_ tool: String) throws {
    let outcome = try Self.run(
      "\(tool) --man > \(tool).1 && man --warnings -E UTF-8 -l -Tutf8 -Z ./\(tool).1 > /dev/null")
    #expect(outcome == Commands.Outcome(output: "", errors: "", status: 0))
    let page = try Self.run("\(tool) --man > p.1 && MANWIDTH=80 man -l ./p.1 | col -b").output
    for option in try Self.options(tool) {
      #expect(page.contains(option), "\(tool).1 lacks \(option)")
    }
    for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
      #expect(page.split(separator: "\n").contains { $0 == section }, "\(tool).1 lacks \(section)")
    }
  }

  /// The table of options in `docs/` says what the manual page says, because both come from the list of flags.
  /// `scripts/golden` writes it anew.
  @Test(arguments: tools)
  func theOptionsOfTheManualAreThoseOfTheTool(_ tool: String) throws {
    let page = try Self.run("\(tool) --man").output
    let start = try #require(page.range(of: ".SH OPTIONS\n")).upperBound
    let end = try #require(page.range(of: ".SH ENVIRONMENT\n")).lowerBound
    let rows = page[start..<end].components(separatedBy: ".TP\n").dropFirst().map { entry in
      let lines = entry.split(separator: "\n", maxSplits: 1)
      let names = lines[0].replacing(/\\f[BI]([^\\]|\\[^f])*\\fR/) {
        "`\($0.0.dropFirst(3).dropLast(3))`"
      }
      return "| \(Self.plain(names.replacing("` `", with: " "))) | \(Self.plain(lines[1])) |\n"
    }
    #expect(rows.count == (try Self.options(tool).count))
    let table = "| option | what it does |\n| --- | --- |\n" + rows.joined()
    let file = Commands.root.appendingPathComponent("docs/\(tool).md")
    var text = try String(contentsOf: file, encoding: .utf8)
    let heading = "## All options\n\n"
    let first = try #require(text.range(of: heading), "docs/\(tool).md lacks its table of options")
    let rest = text[first.upperBound...]
    let last = rest.range(of: "\n\n")?.lowerBound ?? rest.index(before: rest.endIndex)
    let written = rest[..<rest.index(after: last)]
    if TranscriptTests.isRecording {
      text.replaceSubrange(first.upperBound..<rest.index(after: last), with: table)
      try text.write(to: file, atomically: true, encoding: .utf8)
    } else {
      #expect(written == table, "docs/\(tool).md: run scripts/golden")
    }
  }

  /// Text of a manual page as Markdown in a table.
  private static func plain(_ roff: some StringProtocol) -> String {
    var text = roff.trimmingCharacters(in: .newlines)
    for (escape, character) in [
      ("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\&", ""),
      ("\\e", "\\"), ("|", "\\|"), ("<", "&lt;"),
    ] { text = text.replacingOccurrences(of: escape, with: character) }
    return text
  }

  @Test(arguments: tools)
  func bashOffersEveryOption(_ tool: String) throws {
    let outcome = try Self.run(
      #"""
      \#(tool) --completion bash > c && exec bash --norc -uec '
        source ./c
        how=$(complete -p \#(tool)); function=${how#* -F }; function=${function%% *}
        COMP_WORDS=(\#(tool) --); COMP_CWORD=1; COMP_LINE="\#(tool) --"; COMP_POINT=${#COMP_LINE}
        "$function" \#(tool) -- \#(tool); printf "%s\n" "${COMPREPLY[@]}"'
      """#)
    #expect(outcome.errors == "" && outcome.status == 0)
    let offered = Set(outcome.output.split(separator: "\n").map(Self.word))
    #expect(try Self.options(tool).filter { !offered.contains($0) } == [])
  }

  /// Bash passes `--name=value` in three words, and a file's name may contain a space.
  @Test func bashOffersValuesBehindAnEqualsSignAndWholeFileNames() throws {
    let outcome = try Self.run(
      #"""
      dsql --completion bash > c && touch "my script.sql" && exec bash --norc -uec '
        source ./c
        COMP_WORDS=(dsql --format =); COMP_CWORD=2; _dsql dsql "" =; echo "${COMPREPLY[*]}"
        COMP_WORDS=(dsql --format = t); COMP_CWORD=3; _dsql dsql t =; echo "${COMPREPLY[*]}"
        COMP_WORDS=(dsql my); COMP_CWORD=1; _dsql dsql my dsql; echo "${#COMPREPLY[@]} ${COMPREPLY[0]}"'
      """#)
    #expect(outcome.errors == "" && outcome.status == 0)
    #expect(
      outcome.output == "table csv tsv ndjson json vertical markdown\ntable tsv\n1 my script.sql\n")
  }

  @Test(arguments: tools)
  func fishOffersEveryOption(_ tool: String) throws {
    let outcome = try Self.run(
      "\(tool) --completion fish > c.fish && exec fish --no-config -c 'source c.fish; complete -C \"\(tool) --\"'"
    )
    #expect(outcome.errors == "" && outcome.status == 0)
    let offered = Set(outcome.output.split(separator: "\n").map(Self.word))
    #expect(try Self.options(tool).filter { !offered.contains($0) } == [])
  }

  /// zsh completes only in an interactive shell, so one is started on a pseudo-terminal, and Tab is
  /// sent to it.
  @Test(arguments: tools)
  func zshOffersEveryOption(_ tool: String) throws {
    let outcome = try Self.run(
      #"""
      mkdir f && \#(tool) --completion zsh > f/_\#(tool) && zsh -n f/_\#(tool) && exec zsh -f "$ROOT/Tests/CommandTests/Fixtures/complete.zsh" f \#(tool)
      """#)
    #expect(outcome.errors == "" && outcome.status == 0)
    let offered = Set(outcome.output.split(separator: "\n").map(Self.word))
    #expect(try Self.options(tool).filter { !offered.contains($0) } == [], "\(outcome.output)")
  }

  /// The first word of a line, without what some shells append to an option that takes a value.
  private static func word(_ line: Substring) -> String {
    String(line.prefix { $0 != " " && $0 != "\t" && $0 != "=" })
  }
}
