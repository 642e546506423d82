/// Counters and gauges in the text format of Prometheus, as node_exporter's textfile collector reads it.
package struct MetricsText {
  package enum Kind: String {
    case counter, gauge
  }

  /// A number and the labels that tell it from others of the same name.
  package struct Sample {
    let labels: [(name: String, value: String)]
    let number: String

    package init(_ number: some BinaryInteger, labels: [(name: String, value: String)] = []) {
      self.number = String(number)
      self.labels = labels
    }

    /// - Parameter milliseconds: written in seconds, as Prometheus counts time.
    package init(milliseconds: Int64, labels: [(name: String, value: String)] = []) {
      let rest = String(milliseconds.magnitude % 1000)
      let padding = String(repeating: "0", count: 3 - rest.count)
      let sign = milliseconds < 0 ? "-" : ""
      number = "\(sign)\(milliseconds.magnitude / 1000).\(padding)\(rest)"
      self.labels = labels
    }
  }

  package private(set) var text = ""

  package init() {}

  /// - Parameter samples: none leaves the metric out.
  package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
      text += name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}")
      text += " \(sample.number)\n"
    }
  }

  private static func escaped(_ value: String) -> String {
    value.map { character in
      switch character {
      case "\\": "\\\\"
      case "\"": "\\\""
      case "\n", "\r\n": "\\n"
      default: String(character)
      }
    }.joined()
  }
}

/// The file of `--metrics`: replaced as a whole now and then, so that a reader finds the numbers of one moment.
package struct MetricsFile {
  /// How old the numbers get.
  static let interval = Duration.seconds(15)

  private let path: String
  private var lastWrite: ContinuousClock.Instant
  private var isFailing = false

  /// - Parameter text: the numbers at the start: a file that can't be written is said at once.
  /// - Throws: ``SystemFailure``.
  package init(_ path: String, _ text: String) throws(SystemFailure) {
    self.path = path
    lastWrite = .now
    try SmallFile.replace(path, with: Array(text.utf8))
  }

  /// How long the file may stay as it is.
  package var timeLeft: Duration {
    max(.zero, Self.interval - lastWrite.duration(to: .now))
  }

  /// Writes the numbers. A failure does not end the work: a warning tells of the first one, and the next write tries again.
  package mutating func write(_ text: String) {
    lastWrite = .now
    do throws(SystemFailure) {
      try SmallFile.replace(path, with: Array(text.utf8))
      isFailing = false
    } catch {
      if !isFailing { Diagnostics.warning("--metrics: \(error.message)") }
      isFailing = true
    }
  }
}
