package import Plumbing

/// What the client library is told, in the order in which it is told: later words win.
package struct ClientSettings: Sendable, Equatable {
  package struct Property: Sendable, Equatable {
    package let name: String
    package let value: String
    /// How an error names the place it came from: `-X` or a line of a file.
    package let origin: String

    package init(name: String, value: String, origin: String) {
      self.name = name
      self.value = value
      self.origin = origin
    }
  }

  package var brokers: String
  package var topic: String
  /// What the user asked for beyond our own settings.
  package var properties: [Property] = []
  package var compression: String?
  /// How long a line may be on its way before it is given up.
  package var timeout: Duration = .seconds(120)
  /// The longest line that is sent.
  package var maximumLineLength = 1_000_000
  /// Headers of every message.
  package var headers: [Header] = []
  /// Whether all messages have these headers and no others; else each brings them along.
  package var sharesHeaders = true

  package init(brokers: String, topic: String) {
    self.brokers = brokers
    self.topic = topic
  }

  /// `name=value`, as `-X` takes it: no secrets, because everybody can see a command line.
  package static func property(argument text: String) throws(UsageFailure) -> Property {
    guard let property = parse(text, origin: "-X") else {
      throw UsageFailure("-X: \(quoted(text)) is no NAME=VALUE")
    }
    if isSecret(property.name) {
      throw UsageFailure(
        "-X: \(quoted(property.name)) is a secret, and a command line is no place for one",
        hints: ["write it into a file of NAME=VALUE lines and give that with -F FILE"])
    }
    try refuseOurs(property)
    return property
  }

  /// A properties file: `name=value` lines, `#` comments, empty lines.
  package static func properties(
    file text: String, named name: String
  ) throws(UsageFailure) -> [Property] {
    var result: [Property] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      let body = line.drop { $0 == " " || $0 == "\t" }
      if body.isEmpty || body.hasPrefix("#") || body.hasPrefix("!") { continue }
      let origin = "\(name), line \(index + 1)"
      guard let property = parse(String(body), origin: origin) else {
        // The line itself may hold a secret, so it is not shown.
        throw UsageFailure("\(origin): not NAME=VALUE")
      }
      try refuseOurs(property)
      result.append(property)
    }
    return result
  }

  private static func parse(_ text: String, origin: String) -> Property? {
    let pieces = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard pieces.count == 2 else { return nil }
    let name = trimmed(pieces[0])
    guard !name.isEmpty else { return nil }
    return Property(name: name, value: trimmed(pieces[1]), origin: origin)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return String(text.drop { $0 == " " || $0 == "\t" })
  }

  static func isSecret(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.contains("password") || name.contains("secret")
      || ["ssl.key.pem", "sasl.oauthbearer.config", "sasl.jaas.config"].contains(name)
  }

  /// Settings that would break the account we keep of every line.
  private static func refuseOurs(_ property: Property) throws(UsageFailure) {
    let ours = [
      "transactional.id": "one transaction around a whole stream is not offered",
      "delivery.report.only.error": "every line is accounted for",
      "log.queue": "messages of the client go through --verbose",
    ]
    if let reason = ours[property.name.lowercased()] {
      throw UsageFailure("\(property.origin): \(quoted(property.name)) can't be set: \(reason)")
    }
  }

  /// The value of a setting that was asked for by one of these names, the last one.
  private func value(of names: String...) -> Int? {
    properties.last { names.contains($0.name) }.flatMap { Int($0.value) }
  }

  /// How long a line may really be on its way; `nil`: without end.
  var patience: Duration? {
    guard let given = value(of: "message.timeout.ms", "delivery.timeout.ms") else { return timeout }
    return given == 0 ? nil : .milliseconds(given)
  }

  /// How often the topic's partitions are looked up again; `nil`: never.
  var refreshInterval: Duration? {
    let given =
      value(of: "topic.metadata.refresh.interval.ms") ?? Self.refreshMilliseconds
    return given < 0 ? nil : .milliseconds(given)
  }

  private static let refreshMilliseconds = 60_000

  /// Has batches made of no more than so many bytes, and at last of one line each.
  mutating func limitBatches(to bytes: Int) {
    properties.append(
      bytes < 1000
        ? Property(name: "batch.num.messages", value: "1", origin: "kprod")
        : Property(name: "batch.size", value: String(bytes), origin: "kprod"))
  }

  /// All properties with our own first.
  var all: [Property] {
    func own(_ name: String, _ value: some CustomStringConvertible) -> Property {
      Property(name: name, value: value.description, origin: "kprod")
    }
    let milliseconds = max(10, Int(timeout.inSeconds * 1000))
    var list = [
      own("client.id", "kprod"),
      own("acks", "all"),
      own("enable.idempotence", true),
      // Five milliseconds batch a burst and hold no slow pipe back.
      own("linger.ms", 5),
      own("socket.nagle.disable", true),
      own("socket.keepalive.enable", true),
      own("reconnect.backoff.ms", 50),
      own("reconnect.backoff.max.ms", 1000),
      // What is on its way stays under 64 MB whatever the cluster does; then standard input waits.
      own("queue.buffering.max.messages", 50_000),
      own("queue.buffering.max.kbytes", 32_768),
      own("message.timeout.ms", milliseconds),
      own("topic.metadata.refresh.interval.ms", Self.refreshMilliseconds),
      // Room for a line of the greatest length with its key and headers; a broker's default limit is 1,048,588.
      own("message.max.bytes", max(1_000_000, maximumLineLength + 40_000)),
      own("log.queue", true),
    ]
    if let compression { list.append(own("compression.codec", compression)) }
    list += properties.filter {
      $0.name != "bootstrap.servers" && $0.name != "metadata.broker.list"
    }
    list.append(own("bootstrap.servers", brokers))
    return list
  }
}

/// A header of a message.
package struct Header: Sendable, Equatable {
  package let name: String
  package let value: [UInt8]

  package init(name: String, value: [UInt8]) {
    self.name = name
    self.value = value
  }
}

/// Whether Kafka takes this as the name of a topic.
package func isTopicName(_ name: String) -> Bool {
  let isAllowed = name.utf8.allSatisfy { byte in
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._-".utf8.contains(byte)
  }
  return isAllowed && (1...249).contains(name.utf8.count) && name != "." && name != ".."
}
