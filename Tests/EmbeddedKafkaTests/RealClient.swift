import CRdkafka
import Glibc

/// librdkafka as a client of the broker. (Unsafe inside.)
struct ClientFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  init(_ code: rd_kafka_resp_err_t) {
    description = unsafe String(cString: rd_kafka_err2name(code))
  }
}

/// A message received by a consumer.
struct Message: Equatable {
  let partition: Int32
  let offset: Int64
  let timestamp: Int64
  let payload: [UInt8]

  var text: String { String(decoding: payload, as: UTF8.self) }
}

/// A handle of the library: a producer or a consumer.
@safe
final class RealClient {
  private let handle: OpaquePointer

  init(_ kind: rd_kafka_type_t, port: UInt16, _ settings: [String: String] = [:]) throws {
    let configuration = unsafe rd_kafka_conf_new()
    var all = ["bootstrap.servers": "127.0.0.1:\(port)", "log_level": "0"]
    all.merge(settings) { $1 }
    var words = [CChar](repeating: 0, count: 512)
    for (name, value) in all {
      let outcome = unsafe rd_kafka_conf_set(configuration, name, value, &words, words.count)
      guard outcome == RD_KAFKA_CONF_OK else { throw ClientFailure("\(name)=\(value)") }
    }
    guard let handle = unsafe rd_kafka_new(kind, configuration, &words, words.count) else {
      throw ClientFailure("rd_kafka_new")
    }
    unsafe self.handle = handle
  }

  deinit { unsafe rd_kafka_destroy(handle) }

  // MARK: Producing

  /// Produces to a topic and waits until all messages are delivered. Throws when some are not.
  func produce(
    _ texts: some Sequence<String>, to topic: String, partition: Int32 = -1
  ) throws {
    let target = unsafe rd_kafka_topic_new(handle, topic, nil)
    defer { unsafe rd_kafka_topic_destroy(target) }
    for text in texts {
      while true {
        var payload = Array(text.utf8)
        let outcome = unsafe rd_kafka_produce(
          target, partition, RD_KAFKA_MSG_F_COPY, &payload, payload.count, nil, 0, nil)
        if outcome == 0 { break }
        let code = rd_kafka_last_error()
        guard code == RD_KAFKA_RESP_ERR__QUEUE_FULL else { throw ClientFailure(code) }
        unsafe rd_kafka_poll(handle, 10)
      }
    }
    let code = unsafe rd_kafka_flush(handle, 20_000)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientFailure(code) }
  }

  /// Produces messages with these timestamps to one partition, and waits until all are delivered.
  func produce(times: [Int64], to topic: String, partition: Int32 = 0) throws {
    let target = unsafe rd_kafka_topic_new(handle, topic, nil)
    defer { unsafe rd_kafka_topic_destroy(target) }
    for time in times {
      var payload = Array("the record of \(time)".utf8)
      let failure = unsafe payload.withUnsafeMutableBytes { payload in
        var words = unsafe [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 5)
        unsafe words[0].vtype = RD_KAFKA_VTYPE_RKT
        unsafe words[0].u.rkt = target
        unsafe words[1].vtype = RD_KAFKA_VTYPE_PARTITION
        unsafe words[1].u.i32 = partition
        unsafe words[2].vtype = RD_KAFKA_VTYPE_VALUE
        unsafe words[2].u.mem.ptr = payload.baseAddress
        unsafe words[2].u.mem.size = payload.count
        unsafe words[3].vtype = RD_KAFKA_VTYPE_TIMESTAMP
        unsafe words[3].u.i64 = time
        unsafe words[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS
        unsafe words[4].u.i = RD_KAFKA_MSG_F_COPY
        return unsafe rd_kafka_produceva(handle, &words, words.count)
      }
      if let failure = unsafe failure {
        defer { unsafe rd_kafka_error_destroy(failure) }
        throw ClientFailure(unsafe rd_kafka_error_code(failure))
      }
    }
    try check(unsafe rd_kafka_flush(handle, 20_000))
  }

  /// The library's fatal error, if there is one.
  var fatalError: String? {
    var words = [CChar](repeating: 0, count: 512)
    let code = unsafe rd_kafka_fatal_error(handle, &words, words.count)
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : ClientFailure(code).description
  }

  /// The broker's error for a transactional producer.
  func beginTransactions() -> String? {
    guard let failure = unsafe rd_kafka_init_transactions(handle, 5000) else { return nil }
    defer { unsafe rd_kafka_error_destroy(failure) }
    return unsafe String(cString: rd_kafka_error_name(failure))
  }

  // MARK: Consuming

  func subscribe(_ topic: String) throws {
    let list = unsafe rd_kafka_topic_partition_list_new(1)
    defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
    unsafe rd_kafka_topic_partition_list_add(list, topic, -1)
    try check(unsafe rd_kafka_subscribe(handle, list))
  }

  /// Assigns partitions of a topic, from their start.
  func assign(_ topic: String, partitions: Range<Int32>) throws {
    let list = unsafe rd_kafka_topic_partition_list_new(4)
    defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
    for partition in partitions {
      let entry = unsafe rd_kafka_topic_partition_list_add(list, topic, partition)
      unsafe entry?.pointee.offset = -2
    }
    try check(unsafe rd_kafka_assign(handle, list))
  }

  /// The next message within the limit.
  func poll(milliseconds: Int32) throws -> Message? {
    guard let message = unsafe rd_kafka_consumer_poll(handle, milliseconds) else { return nil }
    defer { unsafe rd_kafka_message_destroy(message) }
    let fields = unsafe message.pointee
    if unsafe fields.err == RD_KAFKA_RESP_ERR__PARTITION_EOF { return nil }
    try check(unsafe fields.err)
    let payload = unsafe UnsafeRawBufferPointer(start: fields.payload, count: fields.len)
    return unsafe Message(
      partition: fields.partition, offset: fields.offset,
      timestamp: rd_kafka_message_timestamp(message, nil), payload: Array(payload))
  }

  /// Up to this many messages, or those that arrive within the limit.
  func messages(_ count: Int, within limit: Duration = .seconds(90)) throws -> [Message] {
    let deadline = ContinuousClock.now + limit
    var messages: [Message] = []
    while messages.count < count && ContinuousClock.now < deadline {
      if let message = try poll(milliseconds: 100) { messages.append(message) }
    }
    return messages
  }

  /// The number of partitions assigned to this member.
  var assignedCount: Int {
    var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    guard unsafe rd_kafka_assignment(handle, &list) == RD_KAFKA_RESP_ERR_NO_ERROR,
      let list = unsafe list
    else { return 0 }
    defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
    return unsafe Int(list.pointee.cnt)
  }

  /// Commits the offsets of polled messages, if there are any.
  func commit() throws {
    let code = unsafe rd_kafka_commit(handle, nil, 0)
    if code != RD_KAFKA_RESP_ERR__NO_OFFSET { try check(code) }
  }

  /// Closes the consumer, which leaves the group.
  func closeConsumer() throws {
    try check(unsafe rd_kafka_consumer_close(handle))
  }

  /// The first offset at `time` or later.
  func offset(of topic: String, _ partition: Int32, at time: Int64) throws -> Int64 {
    let list = unsafe rd_kafka_topic_partition_list_new(1)
    defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
    let entry = unsafe rd_kafka_topic_partition_list_add(list, topic, partition)
    unsafe entry?.pointee.offset = time
    try check(unsafe rd_kafka_offsets_for_times(handle, list, 5000))
    return unsafe entry?.pointee.offset ?? -1
  }

  private func check(_ code: rd_kafka_resp_err_t) throws {
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientFailure(code) }
  }
}
