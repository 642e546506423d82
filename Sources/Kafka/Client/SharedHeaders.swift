internal import CRdkafka

/// The fixed headers of all messages, as one list for the whole run.
///
/// librdkafka's batch call takes no headers. The call that does needs a separate list for every
/// message, which costs more than all the rest. So an interceptor lends this one list to each new
/// message, and another takes it back when the message is done, before librdkafka would free it. In
/// between, librdkafka only reads the list.
@safe final class SharedHeaders {
  private let list: OpaquePointer

  init(_ headers: [Header]) {
    guard let list = unsafe rd_kafka_headers_new(headers.count) else {
      preconditionFailure("out of memory")
    }
    unsafe self.list = list
    for header in headers { unsafe addHeader(header.name, header.value, to: list) }
  }

  deinit { unsafe rd_kafka_headers_destroy(list) }

  /// Makes the producer that is created from `configuration` lend the list to every message.
  ///
  /// The list must outlive the producer; one owner holds both.
  func attach(to configuration: OpaquePointer) {
    unsafe rd_kafka_conf_interceptor_add_on_new(
      configuration, "headers", beginLending, UnsafeMutableRawPointer(list))
  }
}

/// Adds a header; `nil` is a header without a value.
func addHeader(_ name: String, _ value: [UInt8]?, to list: OpaquePointer) {
  // librdkafka copies both before it returns.
  unsafe rd_kafka_header_add(list, name, name.utf8.count, value, value?.count ?? -1)
}

// The callbacks; the library calls them on its own threads.

private func beginLending(
  client: OpaquePointer?, configuration: OpaquePointer?, list: UnsafeMutableRawPointer?,
  words: UnsafeMutablePointer<CChar>?, size: Int
) -> rd_kafka_resp_err_t {
  let error = unsafe rd_kafka_interceptor_add_on_send(client, "headers", lend, list)
  guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { return error }
  return unsafe rd_kafka_interceptor_add_on_acknowledgement(client, "headers", takeBack, list)
}

private func lend(
  client: OpaquePointer?, message: UnsafeMutablePointer<rd_kafka_message_t>?,
  list: UnsafeMutableRawPointer?
) -> rd_kafka_resp_err_t {
  if let message = unsafe message, let list = unsafe list {
    unsafe rd_kafka_message_set_headers(message, OpaquePointer(list))
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR
}

private func takeBack(
  client: OpaquePointer?, message: UnsafeMutablePointer<rd_kafka_message_t>?,
  list: UnsafeMutableRawPointer?
) -> rd_kafka_resp_err_t {
  var taken: OpaquePointer?
  if let message = unsafe message { unsafe rd_kafka_message_detach_headers(message, &taken) }
  return RD_KAFKA_RESP_ERR_NO_ERROR
}
