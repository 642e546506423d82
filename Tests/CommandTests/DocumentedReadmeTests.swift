import Foundation
import Testing

/// The examples of the README and of the pages in `docs`, run as they are written: every block
/// marked `sh`, in a folder with druid.sql, inside devstack. `sh NAME` needs a program of that
/// name, or the server of `sh postgresql`; without it, the block is skipped with a note. Blocks
/// marked `text` need a real stack, a clock or a person.
@Suite struct DocumentedReadmeTests {
  /// A page of the documentation, by its path from the project's folder.
  struct Page: Sendable {
    let path: String
    let text: String
    /// The folder that its links are relative to.
    var folder: URL { Commands.root.appendingPathComponent(path).deletingLastPathComponent() }

    init(_ path: String) throws {
      self.path = path
      text = try String(contentsOf: Commands.root.appendingPathComponent(path), encoding: .utf8)
    }
  }

  static let pages: [Page] = {
    let docs = Commands.root.appendingPathComponent("docs").path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: docs)) ?? []
    let paths = ["README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    return paths.compactMap { try? Page($0) }
  }()

  struct Example: Sendable, CustomTestStringConvertible {
    let page: String
    let line: Int
    let script: String
    /// The program that it needs besides the tools.
    let need: String?
    var testDescription: String { "\(page):\(line)" }
  }

  static var examples: [Example] {
    pages.flatMap { page in
      page.text.matches(of: /(?m)^```sh(?: ([a-z]+))?\n((?:(?!^```).*\n)+)```$/).map { match in
        let line = page.text[..<match.range.lowerBound].count { $0 == "\n" } + 1
        return Example(
          page: page.path, line: line, script: String(match.2), need: match.1.map(String.init))
      }
    }
  }

  @Test func thereAreExamples() {
    #expect(Set(Self.examples.map(\.page)).count >= 5)
    #expect(Self.examples.count >= 15)
  }

  @Test(arguments: examples)
  func exampleRuns(_ example: Example) throws {
    let workspace = try Commands.Workspace()
    try workspace.write(example.script, to: "example.sh")
    let beside = example.need == "postgresql" ? "\"$FIXTURES/with-postgresql\" " : ""
    if let need = example.need {
      let search =
        need == "postgresql" ? "ls /usr/lib/postgresql/*/bin/initdb" : "command -v \(need)"
      guard try Commands.run(search, in: workspace).status == 0 else {
        print("documented: \(example.testDescription) was not run: there is no \(need) here")
        return
      }
    }
    let outcome = try Commands.run(
      // Quiet, because some examples fill topics that can't be queried.
      "cp \"$ROOT/druid.sql\" . && \(beside)devstack -q -- sh -eu example.sh", in: workspace)
    #expect(outcome.status == 0, "\(example.script)\(outcome.errors)")
    #expect(outcome.errors == "", "\(example.script)")
  }

  /// The README is an introduction; explanations belong on the pages of `docs`.
  @Test func theReadmeIsShort() throws {
    #expect(try Page("README.md").text.split(whereSeparator: \.isWhitespace).count <= 1500)
  }

  @Test func whatTheyNameIsThere() {
    for page in Self.pages {
      for match in page.text.matches(of: /scripts\/[a-z-]+(?:\.[a-z]+)?/) {
        let path = Commands.root.appendingPathComponent(String(match.output)).path
        #expect(FileManager.default.fileExists(atPath: path), "\(page.path): \(match.output)")
      }
      for match in page.text.matches(of: /\]\(([A-Za-z.][A-Za-z.\/_-]*)(?:#[a-z-]+)?\)/) {
        let path = page.folder.appendingPathComponent(String(match.1)).path
        #expect(FileManager.default.fileExists(atPath: path), "\(page.path): \(match.1)")
      }
    }
  }

  /// The options on the pages exist: each is in the help of a tool, or in the short list of other
  /// programs' options.
  @Test func theirOptionsExist() throws {
    let known = try DocumentedTests.run(
      """
      for tool in fake-events kprod dsql anomalies devstack; do $tool --help; done
      cat "$ROOT"/scripts/* 2> /dev/null; true
      """
    ).output
    let foreign: Set = [
      "--filter", "--version", "--help", "--unbuffered", "--line-buffered",
      "--records-per-batch", "--arg", "--slurpfile", "--json", "--jvstack", "--ojsonl", "--icsv",
      "--data-binary", "--no-install-recommends",
    ]
    for page in Self.pages {
      for match in page.text.matches(of: /(?:[ `(])(--[a-z][a-z-]+)/) {
        let option = String(match.1)
        #expect(known.contains(option) || foreign.contains(option), "\(page.path): \(option)")
      }
    }
  }
}
