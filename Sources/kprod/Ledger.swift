import Kafka
import Plumbing

/// Accounts for every line: the counts, the file of `--failed`, the receipt, and the reason to end
/// early.
@safe final class Ledger: DeliveryAccount {
  var tally = Tally()
  private(set) var failure: (any ToolFailure)?
  /// Whether every line that belongs in the file of `--failed` was written to it.
  private(set) var keptAll = true
  private let files: Files
  /// How to restore a line from its message.
  private let form: RawForm
  private let token: TokenForm
  /// What was acknowledged in each topic.
  private(set) var deliveries: [TopicDelivery] = []
  /// Whether to record offsets and times.
  private let wantsReceipt: Bool
  /// Whether acknowledgements name their topic.
  private let namesTopics: Bool
  private let metrics: MetricsKeeper?
  /// Whether the time of each message is recorded.
  private let wantsEachTime: Bool
  /// How far the input is settled, and the state file that records it.
  private var mark: SettledMark?
  private var state: (value: ReadingState, file: HeldFile)?
  private var lastSave = ContinuousClock.now
  /// The number of this run's lines that the state file covers.
  private var savedLines = 0
  /// Whether a bad line ends the run, so that the next run must read it again.
  private let rereadsBadLines: Bool

  /// The files for lines and for information about them.
  struct Files {
    /// `--failed`
    var failed: AppendedFile?
    /// `--failed-reasons`
    var reasons: AppendedFile?
    /// `--acks`
    var acks: AppendedFile?

    var needsLineNumbers: Bool { reasons != nil || acks != nil }
  }

  enum RawForm: Equatable {
    /// The value is the whole line.
    case value
    /// The line is key, delimiter, value.
    case keyed([UInt8])
    /// The message has a copy of its line.
    case kept
  }

  /// The kinds of token that a message carries.
  enum TokenForm: Equatable {
    case nothing
    /// The number of the line.
    case number
    /// A copy of the line; see ``KeptLine``.
    case line
  }

  /// - Parameters:
  ///   - wantsReceipt: whether to record offsets and times.
  ///   - topic: the topic of all lines; `nil` when each names its own.
  ///   - state: where this run begins, and the file that is kept up to date.
  init(
    files: Files, form: RecordForm, wantsReceipt: Bool, topic: String? = nil,
    state: (value: ReadingState, file: HeldFile)? = nil, metrics: MetricsKeeper? = nil
  ) {
    self.wantsReceipt = wantsReceipt
    self.metrics = metrics
    namesTopics = form.hasTopics
    if let topic { deliveries = [TopicDelivery(topic: topic)] }
    let needsNumbers = files.needsLineNumbers || state != nil
    token = form.isEnvelope ? .line : needsNumbers ? .number : .nothing
    self.state = state
    mark = state.map { SettledMark(offset: $0.value.offset) }
    rereadsBadLines = form.stopsAtBadLine
    self.files = files
    self.form =
      if form.isEnvelope {
        .kept
      } else if case .delimited(let delimiter) = form.key {
        .keyed(delimiter)
      } else {
        .value
      }
    wantsEachTime = wantsReceipt && !form.isBatchable
  }

  /// The token for the message of a line.
  @inline(__always)
  func token(for line: UnsafeRawBufferPointer, number: Int) -> UnsafeMutableRawPointer? {
    switch token {
    case .nothing: nil
    case .number: unsafe UnsafeMutableRawPointer(bitPattern: number)
    case .line: unsafe KeptLine.keep(line, number: number)
    }
  }

  private func number(of token: UnsafeMutableRawPointer?) -> Int? {
    guard let token = unsafe token else { return nil }
    return switch self.token {
    case .nothing: nil
    case .number: Int(bitPattern: token)
    case .line: unsafe KeptLine.number(token)
    }
  }

  private func release(_ token: UnsafeMutableRawPointer?) {
    if self.token == .line { unsafe KeptLine.release(token) }
  }

  /// Opens the account of one more topic; returns its place.
  func addTopic(_ name: String) -> Int {
    deliveries.append(TopicDelivery(topic: name))
    return deliveries.count - 1
  }

  func end(for failure: any ToolFailure) {
    if self.failure == nil { self.failure = failure }
  }

  // MARK: - The state of the input

  /// Notes that lines up to this number were read, the last of which ends at this byte of the
  /// input.
  ///
  /// - Parameter bytes: those of all lines so far.
  func noteRead(lastLine: Int, bytes: Int, end: Int) {
    (tally.lines, tally.bytes) = (lastLine, bytes)
    mark?.note(lastLine: lastLine, end: end)
  }

  private func settle(_ number: Int?) {
    if mark != nil, let number { mark?.settle(number) }
  }

  /// Writes to the state file how far the input is settled.
  func saveState() {
    guard let mark, let state, keptAll, mark.offset > state.value.offset else { return }
    var next = state.value
    next.offset = mark.offset
    next.lines += mark.lines - savedLines
    do throws(SystemFailure) {
      try next.write(to: state.file)
      self.state?.value = next
      savedLines = mark.lines
    } catch {
      end(for: error)
    }
  }

  // MARK: - Lines

  /// Counts a line that never became a message.
  func fail(_ reason: Reason, line: RawSpan, number: Int) {
    tally.countFailure(reason, line: number)
    write(to: files.failed) { (file) throws(SystemFailure) in try file.append(line) }
    explain(reason, isFailed: true, number)
    // A line that could not be sent is read again by the next run, unless it is kept.
    if !rereadsBadLines, reason.isAboutLine || files.failed != nil { settle(number) }
  }

  /// Writes a part of a line that is too long for memory; the last part counts the line.
  func failPart(_ part: RawSpan, isLast: Bool, number: Int) {
    write(to: files.failed) { (file) throws(SystemFailure) in try file.append(part, isLast: isLast)
    }
    guard isLast else { return }
    tally.countFailure(.tooLong, line: number)
    explain(.tooLong, isFailed: true, number)
    if !rereadsBadLines { settle(number) }
  }

  /// Counts the part of a line that a signal cut off. It is written nowhere, because it is not a
  /// complete line.
  func failCut(byteCount: Int, number: Int) {
    tally.countFailure(.torn, line: number)
    tally.cutBytes = byteCount
  }

  // MARK: - Messages

  func delivered(_ batch: borrowing DeliveredBatch) { delivered(batch, topic: 0) }

  /// - Parameter topic: the place of its account.
  func delivered(_ batch: borrowing DeliveredBatch, topic: Int) {
    tally.delivered += batch.count
    if topic < deliveries.count { deliveries[topic].count += batch.count }
    metrics?.noteDelivery()
    guard wantsReceipt || token != .nothing else { return }
    let partition = batch.partition
    if wantsReceipt {
      deliveries[topic].offsets.note(
        partition: partition, firstOffset: batch.firstOffset, count: batch.count,
        milliseconds: batch.firstTime)
    }
    guard token != .nothing || wantsEachTime else { return }
    unsafe batch.forEach { token, offset, milliseconds in
      if wantsEachTime { deliveries[topic].offsets.noteTime(milliseconds, in: partition) }
      if let number = unsafe number(of: token) {
        acknowledge(number, namesTopics ? deliveries[topic].topic : nil, partition, offset)
        settle(number)
      }
      unsafe release(token)
    }
  }

  private func acknowledge(_ number: Int, _ topic: String?, _ partition: Int32, _ offset: Int64) {
    guard files.acks != nil else { return }
    write(to: files.acks) { (file) throws(SystemFailure) in
      try file.append(
        // The name of a topic holds nothing that JSON escapes.
        text: "{\"line\":\(number)," + (topic.map { "\"topic\":\"\($0)\"," } ?? "")
          + "\"partition\":\(partition),"
          + "\"offset\":\(offset >= 0 ? String(offset) : "null")}")
    }
  }

  func failed(_ message: Message, for error: KafkaError) {
    set(aside: message, for: .kafka(error), isFailed: true)
  }

  func unsent(_ message: Message) {
    set(aside: message, for: .notSent, isFailed: true)
  }

  func unknown(_ message: Message, for error: KafkaError?) {
    set(aside: message, for: error.map { .kafka($0) } ?? .unacknowledged, isFailed: false)
  }

  func lost(_ count: Int) {
    if count > 0 { tally.countDoubt(.kafka(.destroyed), count) }
  }

  func settled() {
    write(to: files.failed) { (file) throws(SystemFailure) in try file.flush() }
    write(to: files.reasons) { (file) throws(SystemFailure) in try file.flush() }
    write(to: files.acks) { (file) throws(SystemFailure) in try file.flush() }
    metrics?.writeIfDue(tally, deliveries)
    guard state != nil, lastSave.duration(to: .now) > .milliseconds(200) else { return }
    lastSave = .now
    saveState()
  }

  private func set(aside message: Message, for reason: Reason, isFailed: Bool) {
    let number = unsafe number(of: message.token)
    if isFailed {
      tally.countFailure(reason, line: number)
    } else {
      tally.countDoubt(reason)
    }
    keep(message)
    // A line in the file is resent from there, and a line that is itself bad need not be read
    // again.
    if files.failed != nil || isFailed && reason.isAboutLine { settle(number) }
    explain(reason, isFailed: isFailed, number)
    unsafe release(message.token)
  }

  private func keep(_ message: Message) {
    guard files.failed != nil else { return }
    write(to: files.failed) { (file) throws(SystemFailure) in
      switch form {
      case .value: break
      case .keyed(let delimiter):
        try unsafe file.append(span(of: message.key), isLast: false)
        try unsafe file.append(delimiter.span.bytes, isLast: false)
      case .kept:
        if let line = unsafe message.token {
          return try unsafe file.append(KeptLine.bytes(line))
        }
      }
      try unsafe file.append(span(of: message.value))
    }
  }

  private func explain(_ reason: Reason, isFailed: Bool, _ number: Int?) {
    guard files.reasons != nil else { return }
    let entry = JSONValue.object([
      "line": number.map { .integer($0) } ?? .null,
      "fate": .string(isFailed ? "failed" : "unknown"), "reason": .string(reason.name),
      "words": .string(reason.words),
    ]).jsonText
    write(to: files.reasons) { (file) throws(SystemFailure) in try file.append(text: entry) }
  }

  /// Writes to one of the files; the first error ends the run.
  private func write(
    to file: AppendedFile?, _ body: (AppendedFile) throws(SystemFailure) -> Void
  ) {
    guard let file, !file.isBroken else { return }
    do throws(SystemFailure) {
      try body(file)
    } catch {
      file.giveUp()
      if file === files.failed { keptAll = false }
      end(for: error)
    }
  }
}

/// What was acknowledged in a topic.
struct TopicDelivery: Equatable {
  let topic: String
  var count = 0
  /// Noted for a receipt only.
  var offsets = DeliveredOffsets()
}

/// Bytes as a span; they must outlive it.
@_lifetime(immortal)
private func span(of bytes: UnsafeRawBufferPointer?) -> RawSpan {
  guard let bytes = unsafe bytes else { return RawSpan() }
  let span = unsafe RawSpan(_unsafeBytes: bytes)
  return unsafe _overrideLifetime(span, borrowing: ())
}

/// A copy of a line that its message carries: length and number, then the bytes.
enum KeptLine {
  private static let headSize = 16

  static func keep(_ line: UnsafeRawBufferPointer, number: Int) -> UnsafeMutableRawPointer {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: headSize + line.count, alignment: 8)
    unsafe copy.storeBytes(of: line.count, as: Int.self)
    unsafe copy.storeBytes(of: number, toByteOffset: 8, as: Int.self)
    if let start = line.baseAddress {
      unsafe (copy + headSize).copyMemory(from: start, byteCount: line.count)
    }
    return unsafe copy
  }

  @_lifetime(immortal)
  static func bytes(_ copy: UnsafeMutableRawPointer) -> RawSpan {
    unsafe span(
      of: UnsafeRawBufferPointer(start: copy + headSize, count: copy.load(as: Int.self)))
  }

  static func number(_ copy: UnsafeMutableRawPointer) -> Int {
    unsafe copy.load(fromByteOffset: 8, as: Int.self)
  }

  static func release(_ copy: UnsafeMutableRawPointer?) {
    unsafe copy?.deallocate()
  }
}
