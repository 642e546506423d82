import EmbeddedDruid
import Glibc
import Plumbing

/// What devstack does without servers: write a specification, classify statements.
enum Offline {
  /// The brokers' addresses for the Druid of docker-compose.yml.
  private static let composeServers = "kafka-1:19092,kafka-2:19092"

  /// Reads a sample of messages from standard input, and prints a specification for their columns.
  static func writeSpecification(of datasource: AutomaticDatasource) throws -> ExitStatus {
    if Terminal.isTerminal(STDIN_FILENO) {
      Diagnostics.note("reading a sample of messages, a line each, from the terminal")
    }
    var sample = SampleReader(datasource)
    var lines = LineReader(from: STDIN_FILENO, named: "standard input")
    while let line = try lines.nextLine() {
      if line.byteCount > 0 { sample.read(line) }
    }
    guard let text = sample.specification(servers: composeServers) else {
      throw UnusableInput(
        sample.firstSkipped.map { "no message of the sample can be a row: \($0.reason)" }
          ?? "the sample holds no message with a field beside its time",
        hints: sample.firstSkipped?.isAboutTime != true
          ? []
          : [
            "--spec '\(datasource.name):COLUMN' names the field with the time, "
              + "'\(datasource.name):message' takes each message's own time"
          ])
    }
    if let first = sample.firstSkipped {
      Diagnostics.warning(
        "\(sample.skipped) of the sample's messages skipped: \(first.reason) (first: message "
          + "\(first.message))")
    }
    try LineWriter.writeToStandardOutput(text)
    return sample.skipped == 0 ? .done : .incomplete
  }

  /// Prints for each statement of a file whether devstack answers it.
  static func classify(_ path: String, specifications: [String]) throws -> ExitStatus {
    let classifier: Classifier
    do throws(EmbeddedDruidFailure) {
      classifier = try Classifier(
        specifications: [DruidServer.ecommerceSpec] + specifications)
    } catch { throw StackFailure(error) }
    let text = try SmallFile.readText(path, limit: 1 << 30)
    var output = LineWriter(to: STDOUT_FILENO, named: "standard output")
    var refused = 0
    for statement in Classifier.statements(of: text) {
      let sql = oneLine(statement.sql)
      switch classifier.classify(statement.sql) {
      case .answered: try output.append("answered\t\(statement.line)\t\(sql)\n")
      case .refused(let reason):
        refused += 1
        try output.append("refused\t\(statement.line)\t\(sql)\t\(oneLine(reason))\n")
      }
    }
    try output.close()
    return refused == 0 ? .done : .incomplete
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: { $0.isNewline || $0 == "\t" }).joined(separator: " ")
  }
}
