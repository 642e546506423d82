internal import CRdkafka
internal import Glibc
internal import Plumbing

/// A partition as the cluster describes it.
package struct Partition: Sendable, Equatable {
  let number: Int32
  /// The broker that leads it; -1 when it has no leader.
  let leader: Int32
  let replicas: [Int32]
  let inSync: [Int32]

  /// The line that `--check` prints.
  package var line: String {
    func list(_ numbers: [Int32]) -> String { numbers.map(String.init).joined(separator: ",") }
    let words = leader >= 0 ? "leader \(leader)" : "no leader"
    return "partition \(number): \(words), replicas \(list(replicas)), in sync \(list(inSync))"
  }
}

extension Client {
  /// How long to wait for the cluster.
  enum Patience {
    /// A few seconds, the time that a refusal needs.
    case short
    /// As long as the user specified.
    case upTo(Duration)

    var limit: Duration {
      switch self {
      case .short: .milliseconds(4500)
      case .upTo(let limit): limit
      }
    }
  }

  private enum Answer {
    case partitions([Partition])
    /// Worth another attempt.
    case notYet(KafkaFailure)
    case final(KafkaFailure)
  }

  /// Asks the cluster for the topic, to find problems before a line is read.
  ///
  /// - Throws: ``KafkaFailure`` within five seconds, or when the wait is used up.
  func findTopic(
    _ patience: Patience, named name: String, brokers: String, in surroundings: Surroundings
  ) throws -> [Partition] {
    let start = surroundings.now()
    var slice = 250
    var refusedSince: ContinuousClock.Instant?
    var lastAnswer: KafkaFailure?
    while true {
      let left = patience.limit - start.duration(to: surroundings.now())
      let wait = Int32(clamping: min(slice, Int(left.pollMilliseconds)))
      let answer = try ask(for: name, brokers: brokers, milliseconds: max(10, wait))
      var failure: KafkaFailure
      switch answer {
      case .partitions(let list): return list
      case .final(let known): throw known
      case .notYet(let known): failure = known
      }
      if surroundings.signals() > 0 { throw KafkaFailure.interrupted }
      let now = surroundings.now()
      // The last attempt may be too short for an answer; the answer before it still holds.
      if failure.isSilence, let lastAnswer {
        failure = lastAnswer
      } else {
        lastAnswer = failure
      }
      switch patience {
      case .short:
        // The connection is refused, or the topic is not auto-created: 1.5 seconds are enough to be
        // sure.
        if producer.trouble != nil || isMissing(failure) { refusedSince = refusedSince ?? now }
        if let refusedSince, refusedSince.duration(to: now) > .milliseconds(1500) {
          throw failure
        }
        if start.duration(to: now) >= patience.limit { throw failure }
      case .upTo(let limit):
        if start.duration(to: now) >= limit {
          throw KafkaFailure.waitedTooLong(
            limit: words(for: limit), reason: failure.message, hints: failure.hints)
        }
        Diagnostics.progress("waiting: \(failure.message)")
      }
      // A distant broker needs a longer attempt; a refusal needs only another attempt.
      slice = producer.trouble == nil ? min(slice * 2, 2000) : 250
      pause(milliseconds: 10, surroundings)
    }
  }

  private func isMissing(_ failure: KafkaFailure) -> Bool {
    if case .missing = failure { true } else { false }
  }

  /// Asks the cluster for the names of its topics.
  ///
  /// - Throws: ``KafkaFailure`` in less than five seconds, or when the wait is used up.
  func topicNames(
    _ patience: Patience, brokers: String, in surroundings: Surroundings
  ) throws -> [String] {
    let start = surroundings.now()
    while true {
      let left = patience.limit - start.duration(to: surroundings.now())
      var metadata: UnsafePointer<rd_kafka_metadata>?
      let error = unsafe rd_kafka_metadata(
        handle, 1, nil, &metadata, max(10, min(1500, left.pollMilliseconds)))
      producer.poll(milliseconds: 0)
      defer { if let metadata = unsafe metadata { unsafe rd_kafka_metadata_destroy(metadata) } }
      if error == RD_KAFKA_RESP_ERR_NO_ERROR, let found = unsafe metadata?.pointee {
        return unsafe (0..<Int(found.topic_cnt)).compactMap { index in
          unsafe found.topics?[index].topic.map { unsafe String(cString: $0) }
        }.sorted()
      }
      let failure: KafkaFailure
      switch answer(error: error.rawValue, brokers: brokers) {
      case .final(let known): throw known
      case .notYet(let known): failure = known
      case .partitions: return []
      }
      if surroundings.signals() > 0 { throw KafkaFailure.interrupted }
      let waited = start.duration(to: surroundings.now())
      switch patience {
      case .short:
        if waited >= patience.limit || producer.trouble != nil && waited > .milliseconds(1500) {
          throw failure
        }
      case .upTo(let limit):
        if waited >= limit {
          throw KafkaFailure.waitedTooLong(
            limit: words(for: limit), reason: failure.message, hints: failure.hints)
        }
      }
      pause(milliseconds: 100, surroundings)
    }
  }

  private func ask(for name: String, brokers: String, milliseconds: Int32) throws -> Answer {
    var metadata: UnsafePointer<rd_kafka_metadata>?
    let error = unsafe rd_kafka_metadata(handle, 0, topic, &metadata, milliseconds)
    producer.poll(milliseconds: 0)
    defer { if let metadata = unsafe metadata { unsafe rd_kafka_metadata_destroy(metadata) } }
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe metadata else {
      return answer(error: error.rawValue, brokers: brokers)
    }
    let answer = unsafe metadata.pointee
    guard unsafe answer.topic_cnt > 0, let topics = unsafe answer.topics else {
      return .notYet(.missing("the cluster's answer does not name topic \(quoted(name))"))
    }
    let found = unsafe topics[0]
    let code = unsafe found.err
    switch code {
    case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
      let list = unsafe partitions(of: found)
      if !list.isEmpty, list.contains(where: { $0.leader >= 0 }) { return .partitions(list) }
      return .notYet(.missing("topic \(quoted(name)) has no leader for any partition"))
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return .notYet(.missing("no topic \(quoted(name)) on \(brokers)"))
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return .final(.refused("topic \(quoted(name)): no permission to use it", hint: nil))
    default:
      return .final(
        .missing("topic \(quoted(name)): \(lowercasedFirst(kafkaWords(code.rawValue)))"))
    }
  }

  /// The topic's state, as the cluster describes it now.
  enum Look {
    case partitions([Partition])
    case missing
    /// No immediate answer, or an answer without information.
    case unknown
  }

  func look() -> Look {
    var metadata: UnsafePointer<rd_kafka_metadata>?
    let error = unsafe rd_kafka_metadata(handle, 0, topic, &metadata, 500)
    defer { if let metadata = unsafe metadata { unsafe rd_kafka_metadata_destroy(metadata) } }
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer = unsafe metadata?.pointee,
      unsafe answer.topic_cnt > 0, let topics = unsafe answer.topics
    else { return .unknown }
    let found = unsafe topics[0]
    if unsafe found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART { return .missing }
    let list = unsafe partitions(of: found)
    return list.isEmpty ? .unknown : .partitions(list)
  }

  /// The cluster's id; `nil` when the cluster does not report it.
  var clusterID: String? {
    guard let text = unsafe rd_kafka_clusterid(handle, 500) else { return nil }
    defer { unsafe rd_kafka_mem_free(handle, text) }
    let name = unsafe String(cString: text)
    return name.isEmpty ? nil : name
  }

  /// The meaning of a request that the cluster did not answer.
  private func answer(error code: Int32, brokers: String) -> Answer {
    let code = producer.trouble?.code ?? code
    let words = producer.trouble.map { shortened($0.words) } ?? "no answer"
    switch rd_kafka_resp_err_t(rawValue: code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return .final(refusedCredentials(brokers, words))
    default:
      return .notYet(unreachable(brokers, words))
    }
  }

  /// The broker refuses the credentials, or a step before authentication fails.
  private func refusedCredentials(_ brokers: String, _ words: String) -> KafkaFailure {
    // A listener without SASL offers no mechanism.
    let signs = ["current SASL state", "Handshake not supported by broker"]
    if words.hasSuffix("supported mechanisms: ") || signs.contains(where: words.contains) {
      return .unreachable(
        brokers: brokers, reason: "the listener does not support SASL",
        hint: "set security.protocol to plaintext or ssl, or use another port")
    }
    if producer.mechanism.uppercased().hasPrefix("SCRAM"), !Self.hasSCRAM {
      let version = unsafe String(cString: rd_kafka_version_str())
      return .refused(
        "\(brokers) refuses the credentials: librdkafka \(version) can't do SCRAM with Kafka 4 "
          + "(it sends a wrong nonce): \(words)",
        hint: "use PLAIN over TLS or client certificates, or librdkafka 2.6.1 or later "
          + "(Debian 13 has 2.8.0; PKG_CONFIG_PATH names another one to the build)")
    }
    return .refused(
      "\(brokers) refuses the credentials: \(words)",
      hint: "user and password come from the file of -F FILE")
  }

  /// Before 2.6.1, librdkafka's last SCRAM message holds its nonce twice, which Kafka 3.8.1 and 3.9
  /// accept.
  private static var hasSCRAM: Bool { rd_kafka_version() >= 0x0206_01ff }

  /// No answer, with a hint about the cause; librdkafka passes on OpenSSL's words for TLS errors.
  private func unreachable(_ brokers: String, _ words: String) -> KafkaFailure {
    if words.contains("certificate verify failed") {
      return .unreachable(
        brokers: brokers, reason: "its certificate can't be verified",
        hint: "ssl.ca.location=FILE in the file of -F names its certificate authority; "
          + "a certificate that is expired or made for another host is refused as well")
    }
    if words.contains("alert") && (words.contains("certificate") || words.contains("handshake")) {
      return .unreachable(
        brokers: brokers, reason: "it asks for a client certificate, or refuses the one it got",
        hint: "ssl.certificate.location and ssl.key.location in the file of -F name your "
          + "certificate and key")
    }
    let signs = ["security.protocol", "SSL routines", "SSL handshake", "SSL listener"]
    if signs.contains(where: { words.contains($0) }) {
      return .unreachable(
        brokers: brokers, reason: "it uses another protocol, or closes the connection",
        hint:
          "set security.protocol as on the broker: plaintext, ssl, sasl_plaintext or sasl_ssl")
    }
    if words.contains("nvalid response size") {
      return .unreachable(brokers: brokers, reason: "the server there is not a Kafka broker")
    }
    return .unreachable(brokers: brokers, reason: words)
  }

  /// The central part of librdkafka's message: "connection refused" out of "localhost:1/bootstrap:
  /// Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)".
  func shortened(_ words: String) -> String {
    var text = words[...]
    if let end = firstRange(of: " (after ", in: text) { text = text[..<end.lowerBound] }
    if let start = firstRange(of: "failed: ", in: text) {
      text = text[start.upperBound...]
    } else if let start = firstRange(of: "/bootstrap: ", in: text) {
      text = text[start.upperBound...]
    }
    return lowercasedFirst(String(text))
  }

  private func firstRange(of part: String, in text: Substring) -> Range<Substring.Index>? {
    text.firstRange(of: part)
  }

  private func partitions(of topic: rd_kafka_metadata_topic) -> [Partition] {
    // The arrays belong to the answer, which outlives this call.
    guard let list = unsafe topic.partitions else { return [] }
    return unsafe (0..<Int(topic.partition_cnt)).map { index in
      let partition = unsafe list[index]
      return Partition(
        number: unsafe partition.id, leader: unsafe partition.leader,
        replicas: unsafe numbers(partition.replicas, partition.replica_cnt),
        inSync: unsafe numbers(partition.isrs, partition.isr_cnt))
    }.sorted { $0.number < $1.number }
  }

  private func numbers(_ list: UnsafeMutablePointer<Int32>?, _ count: Int32) -> [Int32] {
    unsafe Array(UnsafeBufferPointer(start: list, count: Int(count)))
  }

  /// Sleeps; a signal ends the sleep early.
  private func pause(milliseconds: Int32, _ surroundings: Surroundings) {
    var signal = pollfd(fd: surroundings.signalDescriptor, events: Int16(POLLIN), revents: 0)
    _ = unsafe poll(&signal, 1, milliseconds)
  }
}

/// A span of time in words: "10 s", "250 ms".
func words(for span: Duration) -> String {
  let seconds = span.inSeconds
  if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
  return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
}
