internal import CRdkafka
package import Plumbing

/// Receives the outcome of each message, and holds the reason why a run ends early.
///
/// Every message that a ``Producer`` gets is reported exactly once.
package protocol DeliveryAccount: AnyObject {
  /// The reason why the run ends early; the first reason is kept.
  var failure: (any ToolFailure)? { get }
  /// Ends the run early for this reason, unless it has one already.
  func end(for failure: any ToolFailure)

  /// A broker acknowledged these messages.
  func delivered(_ batch: borrowing DeliveredBatch)
  /// A message is certainly not in the topic.
  func failed(_ message: Message, for error: KafkaError)
  /// A message was too late to be sent, and is not in the topic.
  func unsent(_ message: Message)
  /// A message was sent and may be in the topic; the error is `nil` when no acknowledgement was
  /// requested.
  func unknown(_ message: Message, for error: KafkaError?)
  /// librdkafka lost track of messages; only their number is known.
  func lost(_ count: Int)
  /// All reports that are available now were passed on.
  func settled()
}

/// Messages of one partition that one response acknowledged, in the order of their offsets. Valid
/// during the call.
@safe package struct DeliveredBatch: ~Copyable {
  package let count: Int
  package let partition: Int32
  /// The offset of the first message; `nil` when none was reported.
  package let firstOffset: Int64?
  private let event: OpaquePointer
  private let first: UnsafePointer<rd_kafka_message_t>

  init(event: OpaquePointer, first: UnsafePointer<rd_kafka_message_t>, count: Int) {
    self.count = count
    unsafe self.event = event
    unsafe self.first = first
    partition = unsafe first.pointee.partition
    let offset = unsafe first.pointee.offset
    firstOffset = offset >= 0 ? offset : nil
  }

  /// The record time of the first message, in milliseconds.
  package var firstTime: Int64 {
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    return unsafe rd_kafka_message_timestamp(first, &kind)
  }

  /// Visits the messages; may be called once.
  package func forEach(
    _ body: (_ token: UnsafeMutableRawPointer?, _ offset: Int64, _ milliseconds: Int64) -> Void
  ) {
    var message: UnsafePointer<rd_kafka_message_t>? = unsafe first
    while let current = unsafe message {
      var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
      let time = unsafe rd_kafka_message_timestamp(current, &kind)
      unsafe body(current.pointee._private, current.pointee.offset, time)
      unsafe message = rd_kafka_event_message_next(event)
    }
  }
}

/// A message that was not delivered. Valid during the call that receives it.
@safe package struct Message {
  let partition: Int32
  /// The value that the sender attached to the message.
  @unsafe package let token: UnsafeMutableRawPointer?
  /// `nil` is null, which is not the same as empty.
  @unsafe package let key: UnsafeRawBufferPointer?
  @unsafe package let value: UnsafeRawBufferPointer?

  init(_ message: rd_kafka_message_t) {
    partition = unsafe message.partition
    unsafe token = message._private
    unsafe key = message.key.map {
      unsafe UnsafeRawBufferPointer(start: $0, count: message.key_len)
    }
    unsafe value = message.payload.map {
      unsafe UnsafeRawBufferPointer(start: $0, count: message.len)
    }
  }

  init(
    partition: Int32 = 0, token: UnsafeMutableRawPointer? = nil,
    key: UnsafeRawBufferPointer? = nil, value: UnsafeRawBufferPointer?
  ) {
    self.partition = partition
    unsafe self.token = token
    unsafe self.key = key
    unsafe self.value = value
  }
}
