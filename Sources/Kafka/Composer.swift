internal import CRdkafka
internal import Glibc
internal import JSONLines
internal import Plumbing

/// Makes a message of a line: finds its key, its time, and for an envelope all that is in it.
struct Composer: ~Copyable {
  private let form: RecordForm
  /// How many partitions the topic has.
  var partitionCount: Int32
  private let fixedKey: FixedBytes?
  private var json: JSONLine
  private let usesJSON: Bool
  private let timeIndex: Int
  private var envelope = Envelope()
  private let fixedHeaders: [Header]
  private let isPlacedByKey: Bool
  private let hasTimes: Bool
  /// Where the key comes from; `form.key` without what belongs to it, because looking at that counts references.
  private let source: KeySource

  private enum KeySource {
    case none, fixed, delimited, field
  }

  init(_ form: RecordForm, partitionCount: Int32, headers: [Header]) {
    self.form = form
    self.partitionCount = partitionCount
    fixedHeaders = headers
    isPlacedByKey = form.key != .none && form.partition == nil && partitionCount > 0
    hasTimes = form.timestampField != nil
    source =
      switch form.key {
      case .none: .none
      case .fixed: .fixed
      case .delimited: .delimited
      case .field: .field
      }
    var fields: [[String]] = []
    fixedKey = if case .fixed(let key) = form.key { FixedBytes(key) } else { nil }
    if case .field(let path) = form.key { fields.append(path) }
    timeIndex = fields.count
    if let path = form.timestampField { fields.append(path) }
    usesJSON = !fields.isEmpty
    json = JSONLine(fields: fields)
  }

  /// How much of the batch's arena a line can need.
  func arenaNeed(_ length: Int) -> Int {
    // Decoded text is never longer than it was as JSON.
    form.isEnvelope || usesJSON ? length : 0
  }

  /// Says which block the next lines are in; it stays as it is until ``leaveBlock()``.
  func enterBlock(_ block: UnsafeRawBufferPointer) {
    if usesJSON, form.delimiter == [0x0a] { unsafe json.enterBlock(block) }
  }

  func leaveBlock() {
    if usesJSON { json.leaveBlock() }
  }

  /// Fills the batch's next message from a line; the batch has room for it.
  mutating func compose(
    _ line: UnsafeRawBufferPointer, into batch: inout Batch
  ) throws(Unusable) {
    if form.isEnvelope { return try unsafe composeEnvelope(line, into: &batch) }
    // Written where it belongs, field by field: the others stay as the batch made them. A line that turns out to be bad
    // leaves the place to the next one.
    let message = unsafe batch.messages + batch.count
    unsafe message.pointee.payload = UnsafeMutableRawPointer(mutating: line.baseAddress)
    unsafe message.pointee.len = line.count
    if usesJSON {
      let span = unsafe RawSpan(_unsafeBytes: line)
      do throws(JSONLine.Malformed) {
        try json.read(span)
      } catch {
        throw Unusable(.notJSON)
      }
    }
    switch source {
    case .none: break
    case .fixed:
      unsafe message.pointee.key = fixedKey?.start
      unsafe message.pointee.key_len = fixedKey?.count ?? 0
    case .delimited:
      try unsafe splitKey(line, message)
    case .field:
      try unsafe takeKey(line, message, into: &batch)
    }
    if form.emptyIsNull, unsafe message.pointee.len == 0 { unsafe message.pointee.payload = nil }
    unsafe message.pointee.partition = place(message)
    if hasTimes { unsafe batch.timestamps[batch.count] = try timestamp() }
    batch.count += 1
  }

  private func place(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Int32 {
    guard isPlacedByKey else { return form.partition ?? -1 }
    return unsafe javaPartition(
      of: UnsafeRawBufferPointer(start: message.pointee.key, count: message.pointee.key_len),
      among: partitionCount)
  }

  private func splitKey(
    _ line: UnsafeRawBufferPointer, _ message: UnsafeMutablePointer<rd_kafka_message_t>
  ) throws(Unusable) {
    guard case .delimited(let delimiter) = form.key,
      let length = unsafe position(of: delimiter, in: line, from: 0),
      let start = unsafe UnsafeMutableRawPointer(mutating: line.baseAddress)
    else { throw Unusable(.noKey) }
    unsafe message.pointee.key = start
    unsafe message.pointee.key_len = length
    unsafe message.pointee.payload = start + length + delimiter.count
    unsafe message.pointee.len = line.count - length - delimiter.count
  }

  private func takeKey(
    _ line: UnsafeRawBufferPointer, _ message: UnsafeMutablePointer<rd_kafka_message_t>,
    into batch: inout Batch
  ) throws(Unusable) {
    switch json.kind(0) {
    case .string, .number, .true, .false: break
    case .absent, .null, .object, .array: throw Unusable(.noKey)
    }
    json.withBytes(of: 0) { bytes in
      unsafe bytes.withUnsafeBytes { source in
        unsafe message.pointee.key = unsafe stable(source, of: line, in: &batch)
        unsafe message.pointee.key_len = source.count
      }
    }
  }

  /// Bytes that stay where they are until the batch is sent: those of the line itself, or a copy.
  @inline(__always)
  private func stable(
    _ bytes: UnsafeRawBufferPointer, of line: UnsafeRawBufferPointer, in batch: inout Batch
  ) -> UnsafeMutableRawPointer? {
    guard let start = bytes.baseAddress, let lineStart = line.baseAddress else { return nil }
    if unsafe start >= lineStart && start < lineStart + line.count {
      return unsafe UnsafeMutableRawPointer(mutating: start)
    }
    let copy = unsafe batch.reserve(bytes.count)
    unsafe copy.copyMemory(from: start, byteCount: bytes.count)
    return unsafe copy
  }

  private func timestamp() throws(Unusable) -> Int64 {
    let time: Int64? =
      switch json.kind(timeIndex) {
      case .number:
        json.withBytes(of: timeIndex) { bytes in
          unsafe bytes.withUnsafeBytes { unsafe epochMilliseconds(number: $0) }
        }
      case .string: TimePoint(rfc3339: json.text(of: timeIndex))?.milliseconds
      default: nil
      }
    // Kafka has no time before 1970, and its client library takes 0 for "now".
    guard let time, time > 0 else { throw Unusable(.noTimestamp) }
    return time
  }

  private mutating func composeEnvelope(
    _ line: UnsafeRawBufferPointer, into batch: inout Batch
  ) throws(Unusable) {
    let room = unsafe UnsafeMutableRawBufferPointer(
      start: batch.reserve(line.count), count: line.count)
    let used = try unsafe envelope.read(line, decodingInto: room)
    batch.giveBack(line.count - used)
    var message = unsafe rd_kafka_message_t()
    unsafe message.payload = envelope.payload?.baseAddress
    unsafe message.len = envelope.payload?.count ?? 0
    unsafe message.key = envelope.key?.baseAddress
    unsafe message.key_len = envelope.key?.count ?? 0
    if let partition = form.partition ?? envelope.partition {
      guard partition >= 0, partitionCount == 0 || partition < partitionCount else {
        throw Unusable(.noSuchPartition)
      }
      unsafe message.partition = partition
    } else if unsafe message.key != nil, partitionCount > 0 {
      unsafe message.partition = javaPartition(
        of: UnsafeRawBufferPointer(start: message.key, count: message.key_len),
        among: partitionCount)
    } else {
      unsafe message.partition = -1
    }
    unsafe message._private = KeptLine.keep(line)
    unsafe batch.timestamps[batch.count] = max(0, envelope.timestamp ?? 0)
    unsafe batch.headers[batch.count] = headerList()
    unsafe batch.messages[batch.count] = unsafe message
    batch.count += 1
  }

  /// The envelope's own headers, then those for all.
  private func headerList() -> OpaquePointer? {
    let count = envelope.headers.count + fixedHeaders.count
    guard count > 0, let list = unsafe rd_kafka_headers_new(count) else { return nil }
    for header in envelope.headers { unsafe addHeader(header.name, header.value, to: list) }
    for header in fixedHeaders { unsafe addHeader(header.name, header.value, to: list) }
    return unsafe list
  }
}

/// A line that can't become a message.
struct Unusable: Error {
  let reason: Reason

  init(_ reason: Reason) { self.reason = reason }
}

/// Bytes that stay where they are.
@safe final class FixedBytes {
  let start: UnsafeMutableRawPointer
  let count: Int

  init(_ bytes: [UInt8]) {
    count = bytes.count
    unsafe start = .allocate(byteCount: max(1, bytes.count), alignment: 1)
    for (index, byte) in bytes.enumerated() {
      unsafe start.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
  }

  deinit { unsafe start.deallocate() }
}

/// A number of JSON as a time: below 10^11 in size it counts seconds, else milliseconds; `nil` beyond the year 9999.
func epochMilliseconds(number: UnsafeRawBufferPointer) -> Int64? {
  var whole: Int64 = 0
  // Most are whole and short, and need no floating point.
  if number.count < 16, unsafe number.allSatisfy({ (0x30...0x39).contains($0) }) {
    for index in number.indices { whole = whole * 10 + Int64(unsafe number[index] - 0x30) }
    let time = whole < 100_000_000_000 ? whole * 1000 : whole
    return time <= 253_402_300_799_999 ? time : nil
  }
  guard let value = Double(unsafe String(decoding: number, as: UTF8.self)) else { return nil }
  let time = (value.magnitude < 1e11 ? value * 1000 : value).rounded()
  return time.magnitude <= 253_402_300_799_999 ? Int64(time) : nil
}
