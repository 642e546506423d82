import Plumbing

/// Finds what is unusual in events or rows.
@main
struct Anomalies: Tool {
  static let description = CommandDescription(
    name: "anomalies",
    summary: "Reads events or rows on standard input and writes the incidents in them.",
    usage: ["--time FIELD [option]..."],
    examples: [("fake-events | anomalies --time timestamp --shop", "watch a shop")],
    flags: [], statuses: [], prose: [])

  init(_ arguments: Arguments) throws {}

  mutating func run() throws -> ExitStatus { .done }
}
