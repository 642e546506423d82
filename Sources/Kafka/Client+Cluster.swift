internal import CRdkafka
internal import Glibc
internal import Plumbing

/// A partition as the cluster describes it.
package struct Partition: Sendable, Equatable {
  package let number: Int32
  /// The broker that leads it; -1 when none does.
  package let leader: Int32
  package let replicas: [Int32]
  package let inSync: [Int32]

  /// What `--check` prints.
  package var line: String {
    func list(_ numbers: [Int32]) -> String { numbers.map(String.init).joined(separator: ",") }
    let words = leader >= 0 ? "leader \(leader)" : "no leader"
    return "partition \(number): \(words), replicas \(list(replicas)), in sync \(list(inSync))"
  }
}

extension Client {
  /// How long the cluster is waited for.
  enum Patience {
    /// A few seconds, and no longer than a refusal needs.
    case short
    /// As long as the user said.
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
    /// Worth asking again.
    case notYet(KafkaFailure)
    case final(KafkaFailure)
  }

  /// Asks the cluster for the topic, and so finds out what is wrong before a line is read.
  ///
  /// - Throws: ``KafkaFailure`` in under five seconds, or when the wait is used up.
  func findTopic(_ patience: Patience, named name: String, brokers: String) throws -> [Partition] {
    let clock = ContinuousClock()
    let start = clock.now
    var slice = 250
    var refusedSince: ContinuousClock.Instant?
    while true {
      let left = patience.limit - start.duration(to: clock.now)
      let wait = Int32(clamping: min(slice, Int(left.pollMilliseconds)))
      let answer = try ask(for: name, brokers: brokers, milliseconds: max(10, wait))
      let failure: KafkaFailure
      switch answer {
      case .partitions(let list): return list
      case .final(let known): throw known
      case .notYet(let known): failure = known
      }
      if Interruption.count > 0 { throw KafkaFailure.interrupted }
      let now = clock.now
      switch patience {
      case .short:
        // Nobody listens, or the topic is not made on demand: a second and a half is enough to be sure.
        if trouble != nil || isMissing(failure) { refusedSince = refusedSince ?? now }
        if let refusedSince, refusedSince.duration(to: now) > .milliseconds(1500) {
          throw failure
        }
        if start.duration(to: now) >= patience.limit { throw failure }
      case .upTo(let limit):
        if start.duration(to: now) >= limit {
          throw KafkaFailure.waitedInVain(limit: words(for: limit), reason: failure.message)
        }
        Diagnostics.progress("waiting: \(failure.message)")
      }
      // A far broker needs a longer look, a refusal only another one.
      slice = trouble == nil ? min(slice * 2, 2000) : 250
      pause(milliseconds: 10)
    }
  }

  private func isMissing(_ failure: KafkaFailure) -> Bool {
    if case .missing = failure { true } else { false }
  }

  private func ask(for name: String, brokers: String, milliseconds: Int32) throws -> Answer {
    var metadata: UnsafePointer<rd_kafka_metadata>?
    let error = unsafe rd_kafka_metadata(handle, 0, topic, &metadata, milliseconds)
    // Nothing was sent yet, so no report is among the events.
    unsafe takeEvents(milliseconds: 0) { _ in }
    defer { if let metadata = unsafe metadata { unsafe rd_kafka_metadata_destroy(metadata) } }
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe metadata else {
      return answer(error: error.rawValue, brokers: brokers)
    }
    let answer = unsafe metadata.pointee
    guard unsafe answer.topic_cnt > 0, let topics = unsafe answer.topics else {
      return .notYet(.missing("the cluster does not speak of topic \(quoted(name))"))
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

  /// The topic's partitions as they are now; `nil` when the cluster does not say so at once.
  func currentPartitions() -> [Partition]? {
    var metadata: UnsafePointer<rd_kafka_metadata>?
    let error = unsafe rd_kafka_metadata(handle, 0, topic, &metadata, 500)
    defer { if let metadata = unsafe metadata { unsafe rd_kafka_metadata_destroy(metadata) } }
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer = unsafe metadata?.pointee,
      unsafe answer.topic_cnt > 0, let topics = unsafe answer.topics
    else { return nil }
    let list = unsafe partitions(of: topics[0])
    return list.isEmpty ? nil : list
  }

  /// What it means that the cluster gave no answer.
  private func answer(error code: Int32, brokers: String) -> Answer {
    let code = trouble?.code ?? code
    let words = trouble.map { shortened($0.words) } ?? "no answer"
    switch rd_kafka_resp_err_t(rawValue: code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return .final(
        .refused(
          "\(brokers) refuses the credentials: \(words)",
          hint: "user and password come from the file of -F FILE"))
    default:
      return .notYet(unreachable(brokers, words))
    }
  }

  /// No answer, and what to do about it; the library's words for TLS are OpenSSL's.
  private func unreachable(_ brokers: String, _ words: String) -> KafkaFailure {
    if words.contains("certificate verify failed") {
      return .unreachable(
        brokers: brokers, reason: "its certificate can't be verified",
        hint: "ssl.ca.location=FILE in the file of -F names who vouches for it")
    }
    let signs = ["security.protocol", "SSL routines", "SSL handshake", "SSL listener"]
    if signs.contains(where: { words.contains($0) }) {
      return .unreachable(
        brokers: brokers, reason: "it speaks another protocol, or breaks off",
        hint:
          "security.protocol is plaintext, ssl, sasl_plaintext or sasl_ssl, as the broker has it")
    }
    if words.contains("nvalid response size") {
      return .unreachable(brokers: brokers, reason: "what answers there is no Kafka broker")
    }
    return .unreachable(brokers: brokers, reason: words)
  }

  /// The heart of what the library says: "connection refused" out of
  /// "localhost:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)".
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

  /// Sleeps, but for no signal.
  private func pause(milliseconds: Int32) {
    var signal = pollfd(fd: Interruption.descriptor, events: Int16(POLLIN), revents: 0)
    _ = unsafe poll(&signal, 1, milliseconds)
  }
}

/// A span of time in words: "10 s", "250 ms".
func words(for span: Duration) -> String {
  let seconds = span.inSeconds
  if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
  return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
}
