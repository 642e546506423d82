import EmbeddedKafka
import Glibc
import Plumbing

/// A file whose lines are appended to a topic before the command starts: `FILE[=TOPIC]`.
struct Load {
  let path: String
  let topic: String

  /// - Throws: ``UsageFailure`` when the text does not have that form, or the topic's name is not
  ///   valid.
  init(spelling text: String) throws(UsageFailure) {
    let sign = text.lastIndex(of: "=")
    path = String(text[..<(sign ?? text.endIndex)])
    // The file's name up to its first dot.
    let file = path.split(separator: "/").last ?? ""
    topic = sign.map { String(text[text.index(after: $0)...]) } ?? String(file.prefix { $0 != "." })
    guard !path.isEmpty, Broker.isTopicName(topic) else {
      throw UsageFailure(
        "option '--load': \(quoted(text)) is not FILE[=TOPIC]",
        hints: ["a topic's name has letters, digits, '.', '_' and '-'"])
    }
  }

  /// Appends all lines of the file to the topic.
  func fill(_ broker: Broker) throws {
    let file = try InputFile(path)
    defer { file.close() }
    var lines = LineReader(
      from: file.descriptor, named: file.name, maximumLineLength: 1 << 20)
    do {
      var loader = try broker.loader(of: topic)
      while let line = try lines.nextLine() {
        // Empty lines are skipped.
        if line.byteCount > 0 { try loader.append(line) }
      }
      try loader.finish()
    } catch let failure as TopicLoader.Failure {
      throw LoadFailure(path: path, reason: failure)
    }
  }
}

/// Why a file could not be loaded.
struct LoadFailure: ToolFailure {
  let path: String
  let reason: TopicLoader.Failure

  var exitStatus: ExitStatus {
    switch reason {
    case .tooLong: .input
    case .topic, .storage: .system
    }
  }

  var message: String {
    switch reason {
    case .tooLong(let line, let bytes):
      "loading \(path): message \(line) has \(bytes) bytes, more than a topic takes"
    case .topic(let reason), .storage(let reason): "loading \(path): \(reason)"
    }
  }
}
