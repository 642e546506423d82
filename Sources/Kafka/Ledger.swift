internal import CRdkafka
internal import Plumbing

/// Keeps the account of every line, and writes those that were not delivered into the file of `--failed`.
@safe final class Ledger {
  var tally = Tally()
  private var file: FailedFile?
  /// How a line is put together again from its message.
  private let form: RawForm
  /// Messages of batches that were too large for a broker: neither delivered nor failed yet.
  let refused = RefusedMessages()
  /// How long the cluster may acknowledge nothing before that is hopeless; `nil`: for ever.
  var patience: Duration?
  /// Whether a message was given up, and in all its time the cluster acknowledged no other.
  private(set) var isStuck = false
  /// Whether the cluster forbids to write to the topic.
  private(set) var isForbidden = false
  private var lastDelivery = ContinuousClock.now

  enum RawForm: Equatable {
    /// The value is the line.
    case value
    /// Key, delimiter, value.
    case keyed([UInt8])
    /// The message carries a copy of its line.
    case kept
  }

  init(file: consuming FailedFile?, form: RawForm) {
    self.file = file
    self.form = form
  }

  var writeFailure: SystemFailure? { file?.failure }

  /// A line that never became a message, or whose message could not be handed over.
  func fail(_ reason: Reason, line: RawSpan) {
    tally.countFailure(reason)
    file?.append(line)
  }

  /// A part of a line that is too long to be held; the last part counts it.
  func failPart(_ reason: Reason, part: RawSpan, isLast: Bool) {
    file?.append(part, isLast: isLast)
    if isLast { tally.countFailure(reason) }
  }

  /// A message that the library did not take.
  func fail(_ reason: Reason, message: rd_kafka_message_t) {
    tally.countFailure(reason)
    unsafe write(message)
  }

  /// Messages that are gone without a report; only their number is known.
  func lose(_ count: Int) {
    if count > 0 {
      tally.countDoubt(.kafka(RD_KAFKA_RESP_ERR__DESTROY.rawValue), count)
    }
  }

  /// Books a batch of reports, and returns their number.
  func settle(_ event: OpaquePointer) -> Int {
    let count = unsafe rd_kafka_event_message_count(event)
    let error = unsafe rd_kafka_event_error(event)
    let before = tally.delivered
    defer { noteTime(error, hasDelivered: tally.delivered > before) }
    if error == RD_KAFKA_RESP_ERR_NO_ERROR, form != .kept {
      // One answer of a broker, one fate: the first message tells of all of them.
      guard let first = unsafe rd_kafka_event_message_next(event) else { return count }
      if unsafe rd_kafka_message_status(first) == RD_KAFKA_MSG_STATUS_PERSISTED {
        tally.delivered += count
        return count
      }
      unsafe settle(first)
    }
    // A broker takes a batch or none of it. A message that was alone in one can't be sent in a smaller one.
    let isDivisible = error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && count > 1
    var bytes = 0
    while let message = unsafe rd_kafka_event_message_next(event) {
      unsafe bytes += message.pointee.len + message.pointee.key_len
      if isDivisible,
        unsafe rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
      {
        unsafe refused.add(message)
      } else {
        unsafe settle(message)
      }
    }
    if isDivisible { refused.noteBatch(bytes: bytes) }
    file?.flush()
    return count
  }

  private func noteTime(_ error: rd_kafka_resp_err_t, hasDelivered: Bool) {
    if hasDelivered {
      lastDelivery = .now
      isStuck = false
    } else if error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, let patience {
      // The clocks of the library are coarse.
      if lastDelivery.duration(to: .now) > patience * 0.9 { isStuck = true }
    } else if error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED {
      isForbidden = true
    }
  }

  private func settle(_ message: UnsafePointer<rd_kafka_message_t>) {
    let content = unsafe message.pointee
    let status = unsafe rd_kafka_message_status(message)
    let error = unsafe content.err
    if error == RD_KAFKA_RESP_ERR_NO_ERROR, status == RD_KAFKA_MSG_STATUS_PERSISTED {
      tally.delivered += 1
    } else if status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED {
      tally.countFailure(.kafka(error.rawValue))
      unsafe write(content)
    } else {
      let isSilent = error == RD_KAFKA_RESP_ERR_NO_ERROR
      tally.countDoubt(isSilent ? .unacknowledged : .kafka(error.rawValue))
      unsafe write(content)
    }
    unsafe KeptLine.release(content._private)
  }

  private func write(_ message: rd_kafka_message_t) {
    guard file != nil else { return }
    switch form {
    case .value: break
    case .keyed(let delimiter):
      unsafe file?.append(span(message.key, message.key_len), isLast: false)
      unsafe file?.append(delimiter.span.bytes, isLast: false)
    case .kept:
      if let line = unsafe message._private {
        unsafe file?.append(KeptLine.bytes(line))
        return
      }
    }
    unsafe file?.append(span(message.payload, message.len))
  }

  func flush() { file?.flush() }
}

/// Bytes of a message as a span; the message must outlive it.
@_lifetime(immortal)
func span(_ start: UnsafeMutableRawPointer?, _ count: Int) -> RawSpan {
  guard let start = unsafe start else { return RawSpan() }
  let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: count)
  return unsafe _overrideLifetime(span, borrowing: ())
}

/// A copy of a line that travels with its message: its length, then its bytes.
enum KeptLine {
  static func keep(_ line: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: 8 + line.count, alignment: 8)
    unsafe copy.storeBytes(of: line.count, as: Int.self)
    if let start = line.baseAddress {
      unsafe (copy + 8).copyMemory(from: start, byteCount: line.count)
    }
    return unsafe copy
  }

  @_lifetime(immortal)
  static func bytes(_ copy: UnsafeMutableRawPointer) -> RawSpan {
    unsafe span(copy + 8, copy.load(as: Int.self))
  }

  static func release(_ copy: UnsafeMutableRawPointer?) {
    unsafe copy?.deallocate()
  }
}
