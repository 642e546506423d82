internal import Glibc
package import Plumbing

/// The client's properties in the order in which they are set: later ones override earlier ones.
package struct ClientSettings: Sendable, Equatable {
  package struct Property: Sendable, Equatable {
    package let name: String
    package let value: String
    /// How an error names the source of the property: `-X` or a line of a file.
    let origin: String
  }

  var brokers: String
  package var topic: String
  /// The properties that the user set.
  package var properties: [Property] = []
  package var compression: String?
  /// The longest time without any acknowledgement before everything is given up.
  package var timeout: Duration = .seconds(120)
  /// The maximum line length in bytes.
  package var maximumLineLength = 1_000_000
  /// Headers of every message.
  package var headers: [Header] = []
  /// Whether all messages have exactly these headers; if not, each message has its own.
  package var sharesHeaders = true

  /// Whether asking for a topic may create it, where the cluster auto-creates topics.
  package var createsTopics = true

  /// How many kilobytes of messages may be on their way, and at least as many as one message needs.
  var queueKilobytes = 32_768

  package init(brokers: String, topic: String) {
    self.brokers = brokers
    self.topic = topic
  }

  /// Parses `name=value`, as `-X` takes it. Secrets are refused, because other users can see a
  /// command line.
  package static func property(argument text: String) throws(UsageFailure) -> Property {
    guard let property = parse(text, origin: "-X") else {
      throw UsageFailure("-X: \(quoted(text)) is not NAME=VALUE")
    }
    if isSecret(property.name) {
      throw UsageFailure(
        "-X: \(quoted(property.name)) is a secret, and everybody can see a command line",
        hints: ["write it into a file of NAME=VALUE lines and give that with -F FILE"])
    }
    try refuseOurs(property)
    return property
  }

  /// Parses a properties file: `name=value` lines, `#` comments, empty lines.
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

  /// Refuses properties that would break the accounting of every line.
  private static func refuseOurs(_ property: Property) throws(UsageFailure) {
    let ours = [
      "transactional.id": "transactions are not supported",
      "delivery.report.only.error": "the report of every message is needed",
      "log.queue": "messages of the client go through --verbose",
    ]
    if let reason = ours[property.name.lowercased()] {
      throw UsageFailure("\(property.origin): \(quoted(property.name)) can't be set: \(reason)")
    }
  }

  /// The last value that was set under one of these names.
  private func value(of names: String...) -> Int? {
    properties.last { names.contains($0.name) }.flatMap { Int($0.value) }
  }

  /// librdkafka's own limit for a message, taken as `timeout` instead. With it, librdkafka would
  /// give up single messages while others go on, begin a new epoch, and resend unanswered batches
  /// under the new epoch, which duplicates lines.
  private static let messageLimits = ["message.timeout.ms", "delivery.timeout.ms"]

  /// The longest time without any acknowledgement; `nil` for no limit.
  var patience: Duration? {
    let given = properties.last { Self.messageLimits.contains($0.name) }.flatMap { Int($0.value) }
    guard let given else { return timeout }
    return given == 0 ? nil : .milliseconds(given)
  }

  /// The time that a request may go unanswered. A leader that hangs blocks its partitions for this
  /// long, even if another broker takes over earlier.
  private var requestMilliseconds: Int {
    let half = patience.map { Int($0.inSeconds * 500) } ?? .max
    return max(10, min(15_000, half))
  }

  /// Whether librdkafka numbers the batches, so that a retry duplicates nothing.
  var isIdempotent: Bool {
    let given = properties.last { $0.name == "enable.idempotence" }?.value.lowercased()
    return given.map { ["true", "t", "1"].contains($0) } ?? true
  }

  /// Whether batches are compressed.
  var isCompressed: Bool {
    let names = ["compression.codec", "compression.type"]
    let given = properties.last { names.contains($0.name) }?.value ?? compression
    return given != nil && given != "none"
  }

  /// Whether the user enabled librdkafka's debug log.
  var hasDebug: Bool { properties.contains { $0.name == "debug" } }

  /// The last value of a property that the user set, as text.
  func text(of names: String...) -> String? {
    properties.last { names.contains($0.name) }?.value
  }

  /// The same settings for a producer that sends each message in its own batch, with one attempt.
  func forSingleMessages() -> ClientSettings {
    var copy = self
    for (name, value) in [
      ("enable.idempotence", "false"), ("message.send.max.retries", "0"),
      ("batch.num.messages", "1"), ("linger.ms", "0"),
    ] {
      copy.properties.append(Property(name: name, value: value, origin: "kprod"))
    }
    return copy
  }

  /// How often the topic's partitions are refreshed; `nil`: never.
  var refreshInterval: Duration? {
    let given =
      value(of: "topic.metadata.refresh.interval.ms") ?? Self.refreshMilliseconds
    return given < 0 ? nil : .milliseconds(given)
  }

  private static let refreshMilliseconds = 60_000

  /// The maximum batch size in bytes, if set.
  var batchSize: Int { value(of: "batch.size") ?? 1_000_000 }

  /// Limits batches to this many bytes; a limit below 1,000 means one line per batch.
  mutating func limitBatches(to bytes: Int) {
    properties.append(
      bytes < 1000
        ? Property(name: "batch.num.messages", value: "1", origin: "kprod")
        : Property(name: "batch.size", value: String(bytes), origin: "kprod"))
  }

  /// Finds security settings for which librdkafka would report a misleading cause.
  ///
  /// - Throws: ``KafkaFailure/badSetting(_:)``.
  package func checkSecurity() throws(KafkaFailure) {
    let usesSASL = text(of: "security.protocol")?.lowercased().hasPrefix("sasl") == true
    let mechanism = text(of: "sasl.mechanisms", "sasl.mechanism")
    if usesSASL, mechanism == nil {
      throw .badSetting(
        "security.protocol asks for SASL, and sasl.mechanisms is not set "
          + "(PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI)")
    }
    let hasTokens = ["sasl.oauthbearer.method", "enable.sasl.oauthbearer.unsecure.jwt"]
    if usesSASL, mechanism?.uppercased() == "OAUTHBEARER",
      !properties.contains(where: { hasTokens.contains($0.name) && $0.value != "false" })
    {
      throw .badSetting(
        "sasl.mechanisms=OAUTHBEARER needs a source of tokens: sasl.oauthbearer.method=oidc "
          + "with client id, client secret and token endpoint")
    }
    for property in properties where Self.fileNames.contains(property.name) {
      if property.value == "probe" { continue }
      do { try SmallFile.requireReadable(property.value) } catch {
        throw .badSetting("\(property.origin): \(property.name): \(error.message)")
      }
    }
  }

  /// Settings that name a file that must exist.
  private static let fileNames = [
    "ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.keystore.location",
    "ssl.crl.location",
  ]

  /// Whether the value is a limit that librdkafka refuses in its own words.
  private func isMalformedLimit(_ property: Property) -> Bool {
    Self.messageLimits.contains(property.name) && Int(property.value) == nil
  }

  /// All properties, starting with our own.
  var all: [Property] {
    func own(_ name: String, _ value: some CustomStringConvertible) -> Property {
      Property(name: name, value: value.description, origin: "kprod")
    }
    var list = [
      own("client.id", "kprod"),
      own("acks", "all"),
      own("enable.idempotence", true),
      // Five milliseconds batch a burst and do not delay a slow pipe.
      own("linger.ms", 5),
      own("socket.nagle.disable", true),
      own("socket.keepalive.enable", true),
      own("reconnect.backoff.ms", 50),
      own("reconnect.backoff.max.ms", 1000),
      // At most 64 MB are queued, whatever the cluster does; then the tool stops reading standard
      // input.
      own("queue.buffering.max.messages", 50_000),
      own("queue.buffering.max.kbytes", queueKilobytes),
      own("message.timeout.ms", 0),
      own("socket.timeout.ms", requestMilliseconds),
      own("request.timeout.ms", requestMilliseconds),
      own("topic.metadata.refresh.interval.ms", Self.refreshMilliseconds),
      // Room for a line of the maximum length with its key and headers; a broker's default limit is
      // 1,048,588.
      own("message.max.bytes", max(1_000_000, maximumLineLength + 40_000)),
      own("log.queue", true),
    ]
    // Logs the state of the producer id, and little else.
    if isIdempotent, !hasDebug { list.append(own("debug", "eos")) }
    if !createsTopics { list.append(own("allow.auto.create.topics", false)) }
    if let compression { list.append(own("compression.codec", compression)) }
    let replaced = ["bootstrap.servers", "metadata.broker.list"] + Self.messageLimits
    list += properties.filter { !replaced.contains($0.name) || isMalformedLimit($0) }
    list.append(own("bootstrap.servers", brokers))
    return list
  }
}

/// A header of a message.
package struct Header: Sendable, Equatable {
  let name: String
  /// `nil` is a header without a value.
  let value: [UInt8]?

  package init(name: String, value: [UInt8]?) {
    self.name = name
    self.value = value
  }
}

/// Whether the name is a valid topic name.
package func isTopicName(_ name: String) -> Bool {
  let isAllowed = name.utf8.allSatisfy { byte in
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._-".utf8.contains(byte)
  }
  return isAllowed && (1...249).contains(name.utf8.count) && name != "." && name != ".."
}
