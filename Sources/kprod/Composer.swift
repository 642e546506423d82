import Glibc
import JSONLines
import Kafka
import Plumbing

/// Turns a line into a message: finds its key, its time, and all fields of an envelope.
struct Composer: ~Copyable {
  private let form: RecordForm
  /// The number of the topic's partitions; 0 when unknown.
  var partitionCount: Int32
  /// The current time that lines' times are compared with, in milliseconds since 1970.
  var now: Int64 = 0
  /// The number of lines with a time more than an hour ahead, and the latest of these times.
  private(set) var linesAhead = 0
  private(set) var latestAhead: Int64 = 0
  /// The size of the largest key and value that the topic accepts, in bytes.
  private let largestPayload: Int
  private let needsKey: Bool
  private let maximumLead: Int64
  private let maximumAge: Int64
  private let fixedKey: FixedBytes?
  private var json: JSONLine
  private let usesJSON: Bool
  private let timeIndex: Int
  private var envelope = Envelope()
  private let fixedHeaders: [Header]
  private let isPlacedByKey: Bool
  private let hasTimes: Bool
  /// The source of the key: `form.key` without its associated values, which would be
  /// reference-counted at every look.
  private let source: KeySource

  private enum KeySource {
    case none, fixed, delimited, field
  }

  /// - Parameter largestPayload: the size of the largest key and value that the topic accepts, in
  ///   bytes.
  init(
    _ form: RecordForm, partitionCount: Int32, headers: [Header], limits: TopicLimits,
    largestPayload: Int
  ) {
    self.form = form
    self.partitionCount = partitionCount
    self.largestPayload = largestPayload
    needsKey = limits.isCompacted
    maximumLead = limits.maximumLead ?? .max
    maximumAge = limits.maximumAge ?? .max
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

  /// How many bytes of the batch's arena a line can need.
  func arenaNeed(_ length: Int) -> Int {
    // Decoded text is never longer than its JSON.
    form.isEnvelope || usesJSON ? length : 0
  }

  /// Announces the block of the next lines; it must not change until ``leaveBlock()``.
  func enterBlock(_ block: UnsafeRawBufferPointer) {
    if usesJSON, form.delimiter == [0x0a] { unsafe json.enterBlock(block) }
  }

  func leaveBlock() {
    if usesJSON { json.leaveBlock() }
  }

  /// The result of composing a line.
  @unsafe struct Composed {
    var value: UnsafeRawBufferPointer?
    var key: UnsafeRawBufferPointer?
    var partition: Int32 = -1
    var timestamp: Int64 = 0
  }

  /// Composes a message from a line. Its bytes stay in place until the batch is sent: in the line,
  /// or in the batch's arena, which has room for the line.
  mutating func compose(
    _ line: UnsafeRawBufferPointer, in batch: inout Batch
  ) throws(Unusable) -> Composed {
    var message =
      unsafe form.isEnvelope
      ? try composeEnvelope(line, in: &batch) : try composeLine(line, in: &batch)
    if form.emptyIsNull, unsafe message.value?.count == 0 { unsafe message.value = nil }
    if needsKey, unsafe message.key == nil { throw Unusable(.kafka(.invalidRecord)) }
    if unsafe (message.value?.count ?? 0) + (message.key?.count ?? 0) > largestPayload {
      throw Unusable(.kafka(.messageTooLarge))
    }
    if unsafe message.timestamp > 0 { try unsafe check(message.timestamp) }
    return unsafe message
  }

  /// The headers of the last composed message.
  var headers: [Header] { form.isEnvelope ? envelope.headers + fixedHeaders : [] }

  private mutating func check(_ time: Int64) throws(Unusable) {
    let lead = time - now
    if lead > maximumLead || -lead > maximumAge { throw Unusable(.kafka(.invalidTimestamp)) }
    if lead > 3_600_000 {
      linesAhead += 1
      latestAhead = max(latestAhead, time)
    }
  }

  private mutating func composeLine(
    _ line: UnsafeRawBufferPointer, in batch: inout Batch
  ) throws(Unusable) -> Composed {
    var message = unsafe Composed(value: line)
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
    case .fixed: unsafe message.key = fixedKey?.bytes
    case .delimited: try unsafe splitKey(line, &message)
    case .field: unsafe message.key = try key(of: line, in: &batch)
    }
    unsafe message.partition = place(message.key)
    if hasTimes { unsafe message.timestamp = try timestamp() }
    return unsafe message
  }

  private func place(_ key: UnsafeRawBufferPointer?) -> Int32 {
    guard isPlacedByKey else { return form.partition ?? -1 }
    guard let key = unsafe key else { return -1 }
    return unsafe javaPartition(of: key, among: partitionCount)
  }

  private func splitKey(
    _ line: UnsafeRawBufferPointer, _ message: inout Composed
  ) throws(Unusable) {
    guard case .delimited(let delimiter) = form.key,
      let length = unsafe position(of: delimiter, in: line, from: 0)
    else { throw Unusable(.noKey) }
    unsafe message.key = UnsafeRawBufferPointer(rebasing: line[..<length])
    unsafe message.value = UnsafeRawBufferPointer(rebasing: line[(length + delimiter.count)...])
  }

  private func key(
    of line: UnsafeRawBufferPointer, in batch: inout Batch
  ) throws(Unusable) -> UnsafeRawBufferPointer {
    switch json.kind(0) {
    case .string, .number, .true, .false: break
    case .absent, .null, .object, .array: throw Unusable(.noKey)
    }
    return unsafe json.withBytes(of: 0) { bytes in
      unsafe bytes.withUnsafeBytes { unsafe stable($0, of: line, in: &batch) }
    }
  }

  /// Bytes that stay in place until the batch is sent: those of the line, or a copy.
  @inline(__always)
  private func stable(
    _ bytes: UnsafeRawBufferPointer, of line: UnsafeRawBufferPointer, in batch: inout Batch
  ) -> UnsafeRawBufferPointer {
    // An empty key is not the same as no key, so it needs an address too.
    guard let start = bytes.baseAddress, let lineStart = line.baseAddress else {
      return unsafe UnsafeRawBufferPointer(rebasing: line[..<0])
    }
    if unsafe start >= lineStart && start < lineStart + line.count { return unsafe bytes }
    let copy = unsafe batch.reserve(bytes.count)
    unsafe copy.copyMemory(from: start, byteCount: bytes.count)
    return unsafe UnsafeRawBufferPointer(start: copy, count: bytes.count)
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
    // Kafka has no times before 1970, and librdkafka reads 0 as "now".
    guard let time, time > 0 else { throw Unusable(.noTimestamp) }
    return time
  }

  private mutating func composeEnvelope(
    _ line: UnsafeRawBufferPointer, in batch: inout Batch
  ) throws(Unusable) -> Composed {
    let room = unsafe UnsafeMutableRawBufferPointer(
      start: batch.reserve(line.count), count: line.count)
    let used = try unsafe envelope.read(line, decodingInto: room)
    batch.giveBack(line.count - used)
    var message = unsafe Composed(
      value: envelope.payload.map { UnsafeRawBufferPointer($0) },
      key: envelope.key.map { UnsafeRawBufferPointer($0) },
      timestamp: max(0, envelope.timestamp ?? 0))
    if let partition = form.partition ?? envelope.partition {
      guard partition >= 0, partitionCount == 0 || partition < partitionCount else {
        throw Unusable(.noSuchPartition)
      }
      unsafe message.partition = partition
    } else if let key = unsafe message.key, partitionCount > 0 {
      unsafe message.partition = javaPartition(of: key, among: partitionCount)
    }
    return unsafe message
  }
}

/// A line that can't be turned into a message.
struct Unusable: Error {
  let reason: Reason

  init(_ reason: Reason) { self.reason = reason }
}

/// Bytes that stay in place.
@safe final class FixedBytes {
  let bytes: UnsafeRawBufferPointer
  private let storage: UnsafeMutableRawBufferPointer

  init(_ bytes: [UInt8]) {
    unsafe storage = .allocate(byteCount: max(1, bytes.count), alignment: 1)
    unsafe storage.copyBytes(from: bytes)
    unsafe self.bytes = UnsafeRawBufferPointer(rebasing: storage[..<bytes.count])
  }

  deinit { unsafe storage.deallocate() }
}

/// Converts a JSON number to a time: below 10^11 in size it counts seconds, else milliseconds;
/// `nil` beyond the year 9999.
func epochMilliseconds(number: UnsafeRawBufferPointer) -> Int64? {
  var whole: Int64 = 0
  // Most are short whole numbers, which need no floating point.
  if number.count < 16, unsafe number.allSatisfy({ (0x30...0x39).contains($0) }) {
    for index in number.indices { whole = whole * 10 + Int64(unsafe number[index] - 0x30) }
    let time = whole < 100_000_000_000 ? whole * 1000 : whole
    return time <= 253_402_300_799_999 ? time : nil
  }
  guard let value = Double(unsafe String(decoding: number, as: UTF8.self)) else { return nil }
  let time = (value.magnitude < 1e11 ? value * 1000 : value).rounded()
  return time.magnitude <= 253_402_300_799_999 ? Int64(time) : nil
}
