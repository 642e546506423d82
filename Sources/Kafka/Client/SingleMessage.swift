internal import CRdkafka

/// The call for one message with all of its fields.
enum SingleMessage {
  static func produce(
    _ client: Client, _ message: rd_kafka_message_t, to partition: Int32, timestamp: Int64,
    headers: OpaquePointer?
  ) -> rd_kafka_resp_err_t {
    var words = unsafe (
      rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t(),
      rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t()
    )
    unsafe words.0.vtype = RD_KAFKA_VTYPE_RKT
    unsafe words.0.u.rkt = client.topic
    unsafe words.1.vtype = RD_KAFKA_VTYPE_PARTITION
    unsafe words.1.u.i32 = partition
    unsafe words.2.vtype = RD_KAFKA_VTYPE_VALUE
    unsafe words.2.u.mem.ptr = unsafe message.payload
    unsafe words.2.u.mem.size = unsafe message.len
    unsafe words.3.vtype = RD_KAFKA_VTYPE_KEY
    unsafe words.3.u.mem.ptr = unsafe message.key
    unsafe words.3.u.mem.size = unsafe message.key_len
    unsafe words.4.vtype = RD_KAFKA_VTYPE_MSGFLAGS
    unsafe words.4.u.i = RD_KAFKA_MSG_F_COPY
    unsafe words.5.vtype = RD_KAFKA_VTYPE_TIMESTAMP
    unsafe words.5.u.i64 = timestamp
    unsafe words.6.vtype = RD_KAFKA_VTYPE_OPAQUE
    unsafe words.6.u.ptr = unsafe message._private
    unsafe words.7.vtype = RD_KAFKA_VTYPE_HEADERS
    unsafe words.7.u.headers = headers
    let count = unsafe headers == nil ? 7 : 8
    // A tuple of equal elements has the memory layout of an array.
    let error = unsafe withUnsafePointer(to: &words) { pointer in
      unsafe pointer.withMemoryRebound(to: rd_kafka_vu_t.self, capacity: 8) {
        unsafe rd_kafka_produceva(client.handle, $0, count)
      }
    }
    guard let error = unsafe error else { return RD_KAFKA_RESP_ERR_NO_ERROR }
    defer { unsafe rd_kafka_error_destroy(error) }
    return unsafe rd_kafka_error_code(error)
  }
}
