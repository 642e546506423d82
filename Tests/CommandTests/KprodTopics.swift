import CRdkafka
import Foundation
import Testing

/// A message as a consumer reads it.
struct ConsumedMessage: Equatable {
  var partition: Int32
  var offset: Int64
  var key: [UInt8]?
  var value: [UInt8]?
  var timestamp: Int64
  var headers: [String]

  var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

/// Reads topics with a consumer that shares no code with the tool.
@safe enum Topics {
  struct Failure: Error {
    let words: String
  }

  /// Everything in a topic, partition by partition.
  static func everything(
    in topic: String, at brokers: String, within seconds: Double = 120
  ) throws -> [ConsumedMessage] {
    let consumer = unsafe try client(
      RD_KAFKA_CONSUMER,
      [
        "bootstrap.servers": brokers, "group.id": "reader", "enable.partition.eof": "true",
        "fetch.wait.max.ms": "5", "enable.auto.commit": "false", "auto.offset.reset": "earliest",
        "check.crcs": "true",
      ])
    defer {
      unsafe rd_kafka_consumer_close(consumer)
      unsafe rd_kafka_destroy(consumer)
    }
    let count = try unsafe partitionCount(of: topic, at: consumer)
    let list = unsafe rd_kafka_topic_partition_list_new(Int32(count))
    for partition in 0..<Int32(count) {
      unsafe rd_kafka_topic_partition_list_add(list, topic, partition).pointee.offset = 0
    }
    unsafe rd_kafka_assign(consumer, list)
    unsafe rd_kafka_topic_partition_list_destroy(list)

    var messages: [ConsumedMessage] = []
    var finished: Set<Int32> = []
    let deadline = Date().addingTimeInterval(seconds)
    while finished.count < count {
      guard Date() < deadline else { throw Failure(words: "the topic could not be read in time") }
      guard let message = unsafe rd_kafka_consumer_poll(consumer, 100) else { continue }
      defer { unsafe rd_kafka_message_destroy(message) }
      let error = unsafe message.pointee.err
      if error == RD_KAFKA_RESP_ERR__PARTITION_EOF {
        finished.insert(unsafe message.pointee.partition)
      } else if error == RD_KAFKA_RESP_ERR_NO_ERROR {
        messages.append(unsafe content(of: message))
      }
    }
    return messages.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
  }

  static func client(
    _ type: rd_kafka_type_t, _ properties: [String: String]
  ) throws -> OpaquePointer {
    let configuration = unsafe rd_kafka_conf_new()
    var words = [CChar](repeating: 0, count: 256)
    for (name, value) in properties {
      unsafe rd_kafka_conf_set(configuration, name, value, &words, words.count)
    }
    unsafe rd_kafka_conf_set(configuration, "log_level", "0", &words, words.count)
    guard let client = unsafe rd_kafka_new(type, configuration, &words, words.count) else {
      throw Failure(words: "no Kafka client")
    }
    return unsafe client
  }

  /// Re-creates a topic with another number of partitions.
  static func remake(_ topic: String, partitions: Int32, at brokers: String) throws {
    let client = unsafe try client(RD_KAFKA_PRODUCER, ["bootstrap.servers": brokers])
    defer { unsafe rd_kafka_destroy(client) }
    let queue = unsafe rd_kafka_queue_new(client)
    defer { unsafe rd_kafka_queue_destroy(queue) }
    var old = unsafe rd_kafka_DeleteTopic_new(topic)
    defer { unsafe rd_kafka_DeleteTopic_destroy(old) }
    unsafe rd_kafka_DeleteTopics(client, &old, 1, nil, queue)
    unsafe rd_kafka_event_destroy(rd_kafka_queue_poll(queue, 10_000))
    var new = unsafe rd_kafka_NewTopic_new(topic, partitions, 1, nil, 0)
    defer { unsafe rd_kafka_NewTopic_destroy(new) }
    unsafe rd_kafka_CreateTopics(client, &new, 1, nil, queue)
    unsafe rd_kafka_event_destroy(rd_kafka_queue_poll(queue, 10_000))
  }

  private static func partitionCount(of topic: String, at client: OpaquePointer) throws -> Int {
    let handle = unsafe rd_kafka_topic_new(client, topic, nil)
    defer { unsafe rd_kafka_topic_destroy(handle) }
    for _ in 0..<50 {
      var metadata: UnsafePointer<rd_kafka_metadata>?
      let error = unsafe rd_kafka_metadata(client, 0, handle, &metadata, 1000)
      guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe metadata else { continue }
      defer { unsafe rd_kafka_metadata_destroy(metadata) }
      if unsafe metadata.pointee.topic_cnt > 0 {
        let count = Int(unsafe metadata.pointee.topics[0].partition_cnt)
        if count > 0 { return count }
      }
    }
    throw Failure(words: "no topic \(topic)")
  }

  private static func content(
    of message: UnsafeMutablePointer<rd_kafka_message_t>
  ) -> ConsumedMessage {
    let raw = unsafe message.pointee
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = unsafe rd_kafka_message_timestamp(message, &kind)
    var headers: [String] = []
    var list: OpaquePointer?
    if unsafe rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR {
      var name: UnsafePointer<CChar>?
      var value: UnsafeRawPointer?
      var size = 0
      while unsafe rd_kafka_header_get_all(list, headers.count, &name, &value, &size)
        == RD_KAFKA_RESP_ERR_NO_ERROR
      {
        let key = unsafe name.map { unsafe String(cString: $0) } ?? ""
        let text = unsafe bytes(value, size).map { String(decoding: $0, as: UTF8.self) } ?? "null"
        headers.append(key + "=" + text)
      }
    }
    return ConsumedMessage(
      partition: unsafe raw.partition, offset: unsafe raw.offset,
      key: unsafe bytes(raw.key, raw.key_len), value: unsafe bytes(raw.payload, raw.len),
      timestamp: timestamp, headers: headers)
  }

  private static func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
    guard let start = unsafe start else { return nil }
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}

/// librdkafka's mock cluster, which can be told to fail.
@safe final class MockCluster {
  private let client: OpaquePointer
  private let cluster: OpaquePointer
  let brokers: String

  init(brokers count: Int32 = 2) throws {
    let client = unsafe try Topics.client(RD_KAFKA_PRODUCER, [:])
    guard let cluster = unsafe rd_kafka_mock_cluster_new(client, count),
      let list = unsafe rd_kafka_mock_cluster_bootstraps(cluster)
    else { throw Topics.Failure(words: "no mock cluster") }
    unsafe self.client = client
    unsafe self.cluster = cluster
    brokers = unsafe String(cString: list)
  }

  deinit {
    unsafe rd_kafka_mock_cluster_destroy(cluster)
    unsafe rd_kafka_destroy(client)
  }

  func createTopic(_ name: String, partitions: Int32) {
    unsafe rd_kafka_mock_topic_create(cluster, name, partitions, 1)
  }

  /// Answers the next produce requests with these errors, in order.
  func answerProduce(_ errors: rd_kafka_resp_err_t...) { answer(api: 0, errors) }

  /// Answers the next requests of an API, given by its key, with these errors.
  func answer(api: Int16, _ errors: [rd_kafka_resp_err_t]) {
    unsafe rd_kafka_mock_push_request_errors_array(cluster, api, errors.count, errors)
  }

  func setTopicError(_ name: String, _ error: rd_kafka_resp_err_t) {
    unsafe rd_kafka_mock_topic_set_error(cluster, name, error)
  }

  func setDown(_ isDown: Bool) {
    if isDown {
      unsafe rd_kafka_mock_broker_set_down(cluster, -1)
    } else {
      unsafe rd_kafka_mock_broker_set_up(cluster, -1)
    }
  }
}
