import Foundation
import Testing

/// The README's examples, run as they stand: every block marked `sh`, in a folder that holds druid.sql, inside devstack.
/// Blocks marked `text` need a real stack, a clock or a person.
@Suite struct DocumentedReadmeTests {
  static let readme =
    (try? String(contentsOf: Commands.root.appendingPathComponent("README.md"), encoding: .utf8))
    ?? ""

  static var examples: [String] {
    readme.matches(of: /(?m)^```sh\n((?:(?!^```).*\n)+)```$/).map { String($0.1) }
  }

  @Test func thereAreExamples() {
    #expect(Self.examples.count >= 5)
  }

  @Test(arguments: examples)
  func exampleRuns(_ example: String) throws {
    let workspace = try Commands.Workspace()
    try example.write(
      to: workspace.url.appendingPathComponent("example.sh"), atomically: true, encoding: .utf8)
    let outcome = try Commands.run(
      "cp \"$ROOT/druid.sql\" . && exec devstack -- sh -eu example.sh", in: workspace)
    #expect(outcome.status == 0, "\(example)\(outcome.errors)")
    #expect(outcome.errors == "", "\(example)")
  }

  @Test func whatItNamesIsThere() {
    let named =
      Self.readme.matches(of: /scripts\/[a-z-]+(?:\.[a-z]+)?/).map { String($0.output) }
      + Self.readme.matches(of: /\]\(([A-Za-z][A-Za-z.\/_-]*)\)/).map { String($0.1) }
    #expect(named.count > 5)
    for name in Set(named) where !name.hasPrefix("http") {
      let path = Commands.root.appendingPathComponent(name).path
      #expect(FileManager.default.fileExists(atPath: path), "\(name)")
    }
  }

  /// The options, statuses and ports that it speaks of are those of the programs.
  @Test func itsOptionsExist() throws {
    let known = try DocumentedTests.tools.map { try DocumentedTests.run("\($0) --help").output }
      .joined()
    let foreign: Set = ["--static-swift-stdlib", "--filter", "--version", "--help"]
    for match in Self.readme.matches(of: /(?:[ `(])(--[a-z][a-z-]+)/) {
      let option = String(match.1)
      #expect(known.contains(option) || foreign.contains(option), "README names \(option)")
    }
  }
}
