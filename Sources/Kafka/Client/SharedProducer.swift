internal import CRdkafka
internal import Glibc
internal import Plumbing

/// A librdkafka producer: its threads, its connections, and its queue of events.
@safe final class SharedProducer {
  let handle: OpaquePointer
  private let queue: OpaquePointer
  /// Readable when an event is waiting; ``poll(milliseconds:)`` clears it.
  let wakeDescriptor: Int32
  private let wakeWriteEnd: Int32
  private let settings: ClientSettings
  private let sharedHeaders: SharedHeaders?
  /// The delivery reports of each topic; librdkafka keeps the topic's place here.
  private var reports: [Reports] = []

  /// The last problem that librdkafka reported, until it is read.
  private(set) var trouble: Trouble?
  /// Whether a fatal error makes the producer refuse every further message.
  private(set) var isDead = false
  /// Whether the cluster has assigned the id that an idempotent producer needs to send.
  private(set) var hasProducerID = false
  /// The cluster's error when it did not assign an id.
  private(set) var producerIDTrouble: String?

  struct Trouble {
    let code: Int32
    let words: String
  }

  /// The outcome of messages for one partition. Its event must be destroyed afterwards.
  @unsafe struct Report {
    let event: OpaquePointer
    /// Further messages are read from the event.
    let first: UnsafePointer<rd_kafka_message_t>
    let count: Int
  }

  /// The delivery reports for a topic that its client has not taken yet.
  @safe final class Reports {
    private var list: [Report] = unsafe []

    var isEmpty: Bool { unsafe list.isEmpty }

    func add(_ report: Report) { unsafe list.append(report) }

    func takeAll() -> [Report] {
      defer { unsafe list.removeAll() }
      return unsafe list
    }

    deinit { unsafe list.forEach { unsafe rd_kafka_event_destroy($0.event) } }
  }

  /// - Throws: ``KafkaFailure/badSetting(_:)`` for a property that librdkafka refuses.
  init(_ settings: ClientSettings) throws {
    self.settings = settings
    guard let configuration = unsafe rd_kafka_conf_new() else {
      throw KafkaFailure.failed("the Kafka client can't start")
    }
    let sharedHeaders =
      settings.headers.isEmpty || !settings.sharesHeaders ? nil : SharedHeaders(settings.headers)
    do {
      for property in settings.all { try unsafe Self.set(property, in: configuration) }
    } catch {
      unsafe rd_kafka_conf_destroy(configuration)
      throw error
    }
    let events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG
    unsafe rd_kafka_conf_set_events(configuration, events)
    if let sharedHeaders { unsafe sharedHeaders.attach(to: configuration) }

    var words = [CChar](repeating: 0, count: 512)
    guard
      let handle = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &words, words.count)
    else {
      unsafe rd_kafka_conf_destroy(configuration)
      throw KafkaFailure.badSetting(lowercasedFirst(text(of: words)))
    }
    // With `log.queue` set, librdkafka's messages come as events; until this call they wait.
    unsafe rd_kafka_set_log_queue(handle, nil)
    guard let queue = unsafe rd_kafka_queue_get_main(handle) else {
      unsafe rd_kafka_destroy(handle)
      throw KafkaFailure.failed("the Kafka client can't start")
    }
    unsafe self.handle = handle
    unsafe self.queue = queue
    self.sharedHeaders = sharedHeaders
    var ends: [Int32] = [-1, -1]
    let isPiped = unsafe pipe(&ends) == 0
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    wakeDescriptor = ends[0]
    wakeWriteEnd = ends[1]
    // All members are set from here on, so `deinit` frees them when this throws.
    guard isPiped else { throw SystemFailure("making a pipe") }
    var byte: UInt8 = 1
    unsafe rd_kafka_queue_io_event_enable(queue, wakeWriteEnd, &byte, 1)
  }

  deinit {
    unsafe rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
    unsafe rd_kafka_queue_destroy(queue)
    // Reports hold messages of the producer.
    reports = []
    unsafe rd_kafka_destroy(handle)
    close(wakeDescriptor)
    close(wakeWriteEnd)
  }

  private static func set(
    _ property: ClientSettings.Property, in configuration: OpaquePointer
  ) throws(KafkaFailure) {
    var words = [CChar](repeating: 0, count: 512)
    let result = unsafe rd_kafka_conf_set(
      configuration, property.name, property.value, &words, words.count)
    guard result == RD_KAFKA_CONF_OK else {
      let reason =
        ClientSettings.isSecret(property.name)
        ? "the client refuses the value of \(quoted(property.name))"
        : lowercasedFirst(text(of: words))
      throw .badSetting("\(property.origin): \(reason)")
    }
  }

  /// Opens a topic: its handle, which the caller must destroy, and the place of its reports. No
  /// name, no handle.
  func open(_ topic: String) throws -> (OpaquePointer?, Reports) {
    let reports = Reports()
    self.reports.append(reports)
    guard !topic.isEmpty else { return (nil, reports) }
    let configuration = unsafe rd_kafka_default_topic_conf_dup(handle) ?? rd_kafka_topic_conf_new()
    unsafe rd_kafka_topic_conf_set_opaque(
      configuration, UnsafeMutableRawPointer(bitPattern: self.reports.count))
    guard let found = unsafe rd_kafka_topic_new(handle, topic, configuration) else {
      unsafe rd_kafka_topic_conf_destroy(configuration)
      throw KafkaFailure.missing("topic \(quoted(topic)) can't be used")
    }
    return unsafe (found, reports)
  }

  /// Takes in all events. Delivery reports wait for the client of their topic; other events are
  /// handled here.
  ///
  /// - Parameter milliseconds: how long to wait for the first one.
  func poll(milliseconds: Int32) {
    var bytes: UInt64 = 0
    while unsafe read(wakeDescriptor, &bytes, 8) == 8 {}
    var patience = milliseconds
    while let event = unsafe rd_kafka_queue_poll(queue, patience) {
      patience = 0
      let kind = unsafe rd_kafka_event_type(event)
      if kind == RD_KAFKA_EVENT_DR {
        // The count is that of the messages which were not read yet.
        let count = unsafe rd_kafka_event_message_count(event)
        if let first = unsafe rd_kafka_event_message_next(event) {
          let place = unsafe Int(bitPattern: rd_kafka_topic_opaque(first.pointee.rkt))
          unsafe reports[place - 1].add(Report(event: event, first: first, count: count))
          continue
        }
      }
      if kind == RD_KAFKA_EVENT_ERROR { unsafe noteError(event) }
      if kind == RD_KAFKA_EVENT_LOG { unsafe takeLog(event) }
      unsafe rd_kafka_event_destroy(event)
    }
  }

  private func noteError(_ event: OpaquePointer) {
    let code = unsafe rd_kafka_event_error(event).rawValue
    let words = unsafe String(cString: rd_kafka_event_error_string(event))
    Diagnostics.verbose(words)
    if unsafe rd_kafka_event_error_is_fatal(event) != 0 { isDead = true }
    // "All brokers are down" says less than the message before it.
    if code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN.rawValue, let earlier = trouble {
      trouble = Trouble(code: earlier.code, words: earlier.words)
    } else {
      trouble = Trouble(code: code, words: words)
    }
  }

  private func takeLog(_ event: OpaquePointer) {
    var facility: UnsafePointer<CChar>?
    var words: UnsafePointer<CChar>?
    var level: Int32 = 0
    guard unsafe rd_kafka_event_log(event, &facility, &words, &level) == 0,
      let words = unsafe words
    else { return }
    let text = unsafe String(cString: words)
    noteProducerID(text)
    // Debug logging is on for the line above; its messages are shown only when the user sets
    // `debug`.
    if level < Self.debugLevel || settings.hasDebug { Diagnostics.verbose(text) }
  }

  /// The syslog level of debug messages.
  private static let debugLevel = 7

  /// librdkafka has no function for the state of the producer id; only its log reports it.
  private func noteProducerID(_ text: String) {
    guard settings.isIdempotent else { return }
    if text.contains("producer state change") {
      // The state changes again when a new epoch is requested, but by then the producer is
      // authorized.
      if text.hasSuffix("-> Assigned") { (hasProducerID, producerIDTrouble) = (true, nil) }
    } else if let name = text.firstRange(of: " PID from broker ") {
      let rest = text[name.upperBound...]
      guard let colon = rest.firstRange(of: ": ") else { return }
      var reason = rest[colon.upperBound...]
      for prefix in ["Broker: ", "Local: "] where reason.hasPrefix(prefix) {
        reason = reason.dropFirst(prefix.count)
      }
      for suffix in [": retrying", ", retrying"] where reason.hasSuffix(suffix) {
        reason = reason.dropLast(suffix.count)
      }
      producerIDTrouble = lowercasedFirst(String(reason))
    }
  }

  /// The requested SASL mechanism.
  var mechanism: String { settings.text(of: "sasl.mechanisms", "sasl.mechanism") ?? "" }

  /// Whether this producer waits for an id before it can send.
  var awaitsProducerID: Bool { settings.isIdempotent && !hasProducerID }

  /// Checks for a fatal error if librdkafka has reported a problem.
  func checkForDeathIfTroubled() {
    if trouble != nil { checkForDeath() }
  }

  func checkForDeath() {
    var words = [CChar](repeating: 0, count: 512)
    if unsafe rd_kafka_fatal_error(handle, &words, words.count) != RD_KAFKA_RESP_ERR_NO_ERROR {
      isDead = true
    }
  }

  /// Why the producer died, when a new producer would be refused for the same reason.
  func refusal(topic: String) -> KafkaFailure? {
    switch unsafe rd_kafka_fatal_error(handle, nil, 0) {
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      // Since Kafka 2.8, write permission on a topic is enough to get a producer id.
      .refused(
        "topic \(quoted(topic)): no permission to write to it, "
          + "or before Kafka 2.8 to use an idempotent producer",
        hint: "before Kafka 2.8 -X enable.idempotence=false does without; "
          + "then a retry may duplicate lines")
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      .refused("topic \(quoted(topic)): no permission to write to it", hint: nil)
    default: nil
    }
  }

  /// Purges all queued and in-flight messages; their reports follow.
  func giveUp() {
    unsafe rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
  }

  func forgetTrouble() { trouble = nil }
}

/// The text in a buffer that C filled.
private func text(of buffer: [CChar]) -> String {
  String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Keeps freed memory in the process for the next messages; to be called before the first client.
///
/// By default the buffer of nearly every batch goes back to the kernel, and half of the system time
/// is spent on getting it again page by page.
package func keepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20)
  mallopt(M_TRIM_THRESHOLD, 64 << 20)
}
