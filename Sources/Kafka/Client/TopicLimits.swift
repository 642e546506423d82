internal import CRdkafka
internal import Plumbing

/// The limits of a topic, as far as the cluster reports them; `nil` is unknown.
package struct TopicLimits: Sendable, Equatable {
  /// The maximum size of a batch in bytes, as it arrives at the broker.
  var maximumBatch: Int?
  /// Whether a record needs a key.
  package var isCompacted = false
  /// How far a record's time may be before and after the broker's clock, in milliseconds.
  package var maximumAge: Int64?
  package var maximumLead: Int64?
  /// How many replicas must have a record before it is acknowledged.
  var minimumInSync: Int?

  init() {}

  /// The smallest overhead of a batch with one record, in bytes, beside key and value.
  private static let leastOverhead = 61 + 7

  /// The size in bytes of the largest key and value that the topic accepts; `nil` with compression,
  /// which makes it unpredictable.
  func largestPayload(isCompressed: Bool) -> Int? {
    isCompressed ? nil : maximumBatch.map { $0 - Self.leastOverhead }
  }

  /// Reads a setting of the topic.
  mutating func note(_ name: String, _ value: String) {
    switch name {
    case "max.message.bytes": maximumBatch = Int(value)
    case "cleanup.policy": isCompacted = value.split(separator: ",").contains("compact")
    case "message.timestamp.after.max.ms": maximumLead = Int64(value)
    case "message.timestamp.before.max.ms": maximumAge = Int64(value)
    // Before Kafka 3.6, one setting covers both.
    case "message.timestamp.difference.max.ms":
      maximumLead = maximumLead ?? Int64(value)
      maximumAge = maximumAge ?? Int64(value)
    case "min.insync.replicas": minimumInSync = Int(value)
    default: break
    }
  }

  /// Removes the time limits, because the broker sets the times itself.
  mutating func forgetTimes() { (maximumAge, maximumLead) = (nil, nil) }
}

extension Client {
  /// Requests the topic's settings. They stay unknown when the cluster does not permit it or does
  /// not answer in time.
  func topicLimits(named name: String, within limit: Duration) -> TopicLimits {
    guard let queue = unsafe rd_kafka_queue_new(handle),
      let resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name)
    else { return TopicLimits() }
    defer {
      unsafe rd_kafka_ConfigResource_destroy(resource)
      unsafe rd_kafka_queue_destroy(queue)
    }
    let options = unsafe rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)
    defer { unsafe rd_kafka_AdminOptions_destroy(options) }
    var words = [CChar](repeating: 0, count: 256)
    unsafe rd_kafka_AdminOptions_set_request_timeout(options, 1000, &words, words.count)
    var resources: [OpaquePointer?] = unsafe [resource]
    unsafe rd_kafka_DescribeConfigs(handle, &resources, 1, options, queue)
    guard let event = unsafe rd_kafka_queue_poll(queue, limit.pollMilliseconds) else {
      return TopicLimits()
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    var count = 0
    guard unsafe rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR,
      let result = unsafe rd_kafka_event_DescribeConfigs_result(event),
      let found = unsafe rd_kafka_DescribeConfigs_result_resources(result, &count), count > 0,
      let topic = unsafe found[0],
      unsafe rd_kafka_ConfigResource_error(topic) == RD_KAFKA_RESP_ERR_NO_ERROR
    else { return TopicLimits() }
    return unsafe limits(in: topic)
  }

  private func limits(in topic: OpaquePointer) -> TopicLimits {
    var limits = TopicLimits()
    var isBrokersTime = false
    var count = 0
    let entries = unsafe rd_kafka_ConfigResource_configs(topic, &count)
    for index in 0..<count {
      guard let entry = unsafe entries?[index],
        let name = unsafe rd_kafka_ConfigEntry_name(entry),
        let value = unsafe rd_kafka_ConfigEntry_value(entry)
      else { continue }
      let text = unsafe String(cString: value)
      let title = unsafe String(cString: name)
      limits.note(title, text)
      if title == "message.timestamp.type" { isBrokersTime = text == "LogAppendTime" }
    }
    if isBrokersTime { limits.forgetTimes() }
    return limits
  }
}
