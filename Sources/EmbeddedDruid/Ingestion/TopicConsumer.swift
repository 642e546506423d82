import CRdkafka
import Glibc

/// Reads one topic from given offsets, all partitions into one queue, without a consumer group.
@safe
struct TopicConsumer: ~Copyable {
  /// A message, lent for the time of a call.
  @safe struct Message {
    let partition: Int
    let offset: Int64
    /// Milliseconds since 1970, as the producer or the broker set it.
    let sent: Int64
    /// Nil for an empty record.
    let payload: UnsafeRawBufferPointer?
  }

  /// What the client says of a partition.
  struct Trouble: Equatable {
    let partition: Int
    let reason: String
    /// The offset to go on from does not exist: rows are lost.
    let isGap: Bool
  }

  private let client: OpaquePointer
  private let topic: OpaquePointer
  private let queue: OpaquePointer
  private let batch: UnsafeMutableBufferPointer<UnsafeMutablePointer<rd_kafka_message_t>?>
  private var started: Set<Int> = []

  private static let settings: [(String, String)] = [
    ("fetch.wait.max.ms", "100"), ("fetch.error.backoff.ms", "20"),
    ("fetch.message.max.bytes", "4194304"), ("queued.max.messages.kbytes", "16384"),
    ("queued.min.messages", "10000000"), ("topic.metadata.refresh.fast.interval.ms", "20"),
    ("reconnect.backoff.ms", "20"), ("reconnect.backoff.max.ms", "500"),
    ("auto.offset.reset", "error"), ("enable.partition.eof", "false"),
    ("isolation.level", "read_uncommitted"), ("client.id", "devstack"),
  ]

  init(brokers: String, topic name: String) throws(EmbeddedDruidFailure) {
    let configuration = unsafe rd_kafka_conf_new()
    for (key, value) in [("bootstrap.servers", brokers)] + Self.settings {
      guard unsafe rd_kafka_conf_set(configuration, key, value, nil, 0) == RD_KAFKA_CONF_OK else {
        unsafe rd_kafka_conf_destroy(configuration)
        throw .consumer(reason: "librdkafka does not know \(key)")
      }
    }
    // What it has to say comes as errors of messages.
    unsafe rd_kafka_conf_set_log_cb(configuration) { _, _, _, _ in }
    guard let client = unsafe rd_kafka_new(RD_KAFKA_CONSUMER, configuration, nil, 0) else {
      unsafe rd_kafka_conf_destroy(configuration)
      throw .consumer(reason: "librdkafka has no client for us")
    }
    guard let topic = unsafe rd_kafka_topic_new(client, name, nil),
      let queue = unsafe rd_kafka_queue_new(client)
    else {
      unsafe rd_kafka_destroy(client)
      throw .consumer(reason: "librdkafka has no topic '\(name)' for us")
    }
    unsafe self.client = client
    unsafe self.topic = topic
    unsafe self.queue = queue
    unsafe batch = .allocate(capacity: 4096)
  }

  deinit {
    for partition in started { unsafe rd_kafka_consume_stop(topic, Int32(partition)) }
    unsafe rd_kafka_queue_destroy(queue)
    unsafe rd_kafka_topic_destroy(topic)
    unsafe rd_kafka_destroy(client)
    unsafe batch.deallocate()
  }

  /// Begins to read a partition, once.
  mutating func start(partition: Int, at offset: Int64) {
    guard started.insert(partition).inserted else { return }
    unsafe rd_kafka_consume_start_queue(topic, Int32(partition), offset, queue)
  }

  /// Hands over what has arrived, waiting for it if need be; how many messages (and errors) there were.
  func receive<Failure: Error>(
    withinMilliseconds limit: Int32, _ body: (Message) throws(Failure) -> Void,
    trouble: (Trouble) -> Void
  ) throws(Failure) -> Int {
    let count = Int(
      unsafe rd_kafka_consume_batch_queue(queue, limit, batch.baseAddress, batch.count))
    guard count > 0 else { return 0 }
    var failure: Failure?
    for index in 0..<count {
      guard let message = unsafe batch[index] else { continue }
      if failure == nil {
        let error = unsafe message.pointee.err
        if error == RD_KAFKA_RESP_ERR_NO_ERROR {
          let payload = unsafe message.pointee.payload.map { start in
            unsafe UnsafeRawBufferPointer(start: start, count: message.pointee.len)
          }
          do {
            try body(
              unsafe Message(
                partition: Int(message.pointee.partition), offset: message.pointee.offset,
                sent: rd_kafka_message_timestamp(message, nil), payload: payload))
          } catch { failure = error }
        } else if error != RD_KAFKA_RESP_ERR__PARTITION_EOF {
          trouble(
            Trouble(
              partition: Int(unsafe message.pointee.partition),
              reason: unsafe String(cString: rd_kafka_err2str(error)),
              isGap: error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
                || error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET))
        }
      }
      unsafe rd_kafka_message_destroy(message)
    }
    if let failure { throw failure }
    return count
  }
}

/// The version of librdkafka.
var consumerLibraryVersion: String { unsafe String(cString: rd_kafka_version_str()) }
