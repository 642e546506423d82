import Glibc
import JSONLines
import Kafka
import Plumbing

/// Turns a line into a message: finds its key, its time, and all fields of an envelope.
struct Composer: ~Copyable {
  private let form: RecordForm
  /// What the topic takes; with several topics, that of the line that was composed last.
  var terms: Terms
  /// The topics that lines name; `nil` when all lines go to one.
  private let directory: TopicDirectory?
  /// Where lines go that name no topic; empty when there is no such place.
  private let usualTopic: FixedBytes
  private let topicIndex: Int
  /// The current time that lines' times are compared with, in milliseconds since 1970.
  var now: Int64 = 0
  /// The number of lines with a time more than an hour ahead, and the latest of these times.
  private(set) var linesAhead = 0
  private(set) var latestAhead: Int64 = 0
  private let fixedKey: FixedBytes?
  private var json: JSONLine
  private let usesJSON: Bool
  private let timeIndex: Int
  private var envelope = Envelope()
  private let fixedHeaders: [Header]
  private let isPlacedByKey: Bool
  private let hasTimes: Bool
  /// Whether a line's message is the line itself with the key from one of its fields, and nothing else: see
  /// ``quickKey(of:)``.
  let takesOnlyKeys: Bool
  /// The source of the key: `form.key` without its associated values, which would be
  /// reference-counted at every look.
  private let source: KeySource

  private enum KeySource {
    case none, fixed, delimited, field
  }

  /// - Parameters:
  ///   - terms: what the one topic takes.
  ///   - directory: the topics, where lines name them.
  init(
    _ form: RecordForm, terms: Terms, headers: [Header], directory: TopicDirectory? = nil
  ) {
    self.form = form
    self.terms = terms
    self.directory = directory
    usualTopic = FixedBytes(Array((form.usualTopic ?? "").utf8))
    fixedHeaders = headers
    isPlacedByKey = form.key != .none && form.partition == nil
    hasTimes = form.timestampField != nil
    source =
      switch form.key {
      case .none: .none
      case .fixed: .fixed
      case .delimited: .delimited
      case .field: .field
      }
    takesOnlyKeys =
      source == .field && form.isBatchable && !form.emptyIsNull && form.topicField == nil
    var fields: [[String]] = []
    fixedKey = if case .fixed(let key) = form.key { FixedBytes(key) } else { nil }
    if case .field(let path) = form.key { fields.append(path) }
    timeIndex = fields.count
    if let path = form.timestampField { fields.append(path) }
    topicIndex = fields.count
    if let path = form.topicField { fields.append(path) }
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
    /// The place of its topic, where there are several.
    var topic = 0
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
    if terms.needsKey, unsafe message.key == nil { throw Unusable(.kafka(.invalidRecord)) }
    if unsafe (message.value?.count ?? 0) + (message.key?.count ?? 0) > terms.largestPayload {
      throw Unusable(.kafka(.messageTooLarge))
    }
    if unsafe message.timestamp > 0 { try unsafe check(message.timestamp) }
    return unsafe message
  }

  /// The key of a line and its partition, where ``takesOnlyKeys`` holds and the key stands in the line as it is sent;
  /// else ``compose(_:in:)`` decodes it, or says what is wrong.
  @inline(__always)
  mutating func quickKey(
    of line: UnsafeRawBufferPointer
  ) -> (key: UnsafeRawBufferPointer, partition: Int32)? {
    guard let place = unsafe json.readFirst(line), let start = unsafe place.start,
      let lineStart = line.baseAddress, unsafe start >= lineStart && start < lineStart + line.count
    else { return nil }
    switch unsafe place.kind {
    case .string, .number, .true, .false: break
    case .absent, .null, .object, .array: return nil
    }
    let key = unsafe UnsafeRawBufferPointer(start: start, count: place.count)
    guard isPlacedByKey, terms.partitionCount > 0 else { return unsafe (key, form.partition ?? -1) }
    return unsafe (key, javaPartition(of: key, among: terms.partitionCount))
  }

  /// The headers of the last composed message.
  var headers: [Header] { form.isEnvelope ? envelope.headers + fixedHeaders : [] }

  private mutating func check(_ time: Int64) throws(Unusable) {
    let lead = time - now
    if lead > terms.maximumLead || -lead > terms.maximumAge {
      throw Unusable(.kafka(.invalidTimestamp))
    }
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
        throw Unusable(error.holdsHalfSurrogate ? .notText : .notJSON)
      }
    }
    if let directory { unsafe message.topic = try topic(in: directory) }
    switch source {
    case .none: break
    case .fixed: unsafe message.key = fixedKey?.bytes
    case .delimited: try unsafe splitKey(line, &message)
    case .field: unsafe message.key = try key(of: line, in: &batch)
    }
    unsafe message.partition = try place(message.key)
    if hasTimes { unsafe message.timestamp = try timestamp() }
    return unsafe message
  }

  private func place(_ key: UnsafeRawBufferPointer?) throws(Unusable) -> Int32 {
    guard isPlacedByKey, terms.partitionCount > 0, let key = unsafe key else {
      guard directory != nil, let partition = form.partition else { return form.partition ?? -1 }
      return try checked(partition)
    }
    return unsafe javaPartition(of: key, among: terms.partitionCount)
  }

  private func checked(_ partition: Int32) throws(Unusable) -> Int32 {
    guard partition >= 0, terms.partitionCount == 0 || partition < terms.partitionCount else {
      throw Unusable(.noSuchPartition)
    }
    return partition
  }

  /// The place of the topic that the line's field names; its terms hold from then on.
  private mutating func topic(in directory: TopicDirectory) throws(Unusable) -> Int {
    switch json.kind(topicIndex) {
    case .string:
      let place = try json.withBytes(of: topicIndex) { (name) throws(Unusable) in
        try unsafe name.withUnsafeBytes { (name) throws(Unusable) in
          try unsafe directory.place(of: name)
        }
      }
      terms = directory.topics[place].terms
      return place
    case .absent, .null: return try usualPlace(in: directory)
    default: throw Unusable(.noTopic)
    }
  }

  private mutating func usualPlace(in directory: TopicDirectory) throws(Unusable) -> Int {
    guard unsafe !usualTopic.bytes.isEmpty else { throw Unusable(.noTopic) }
    let place = try unsafe directory.place(of: usualTopic.bytes)
    terms = directory.topics[place].terms
    return place
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
    // Kafka has no times before 1970, and librdkafka reads 0 as "now".
    guard let time = json.milliseconds(of: timeIndex), time > 0 else {
      throw Unusable(.noTimestamp)
    }
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
    if let directory {
      guard let name = unsafe envelope.topic else { throw Unusable(.noTopic) }
      let place = try unsafe directory.place(of: UnsafeRawBufferPointer(name))
      unsafe message.topic = place
      terms = directory.topics[place].terms
    }
    if let partition = form.partition ?? envelope.partition {
      unsafe message.partition = try checked(partition)
    } else if let key = unsafe message.key, terms.partitionCount > 0 {
      unsafe message.partition = javaPartition(of: key, among: terms.partitionCount)
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
