import Kafka
import Plumbing

/// Keeps the account of every line: the counts, the file of `--failed`, the receipt, and the one reason to end early.
@safe final class Ledger: DeliveryAccount {
  var tally = Tally()
  private(set) var failure: (any ToolFailure)?
  /// Whether the file of `--failed` has every line that belongs there.
  private(set) var keptAll = true
  private let files: Files
  /// How a line is put together again from its message.
  private let form: RawForm
  private let token: TokenForm
  private(set) var receipt: DeliveredOffsets?
  /// Whether the times of messages are looked at one by one.
  private let wantsEachTime: Bool
  /// How far the input is settled, and the file that says so.
  private var mark: SettledMark?
  private var state: (value: ReadingState, path: String)?
  private var lastSave = ContinuousClock.now
  /// Lines of this run that the file of the state has.
  private var savedLines = 0
  /// Whether a bad line ends the run, and so has to be read again.
  private let rereadsBadLines: Bool

  /// Where lines and what is known of them are written.
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
    /// The value is the line.
    case value
    /// Key, delimiter, value.
    case keyed([UInt8])
    /// The message carries a copy of its line.
    case kept
  }

  /// What a message carries as its token.
  enum TokenForm: Equatable {
    case nothing
    /// The number of its line.
    case number
    /// A copy of its line; see ``KeptLine``.
    case line
  }

  /// - Parameter wantsReceipt: whether offsets and times are noted.
  /// - Parameter state: what an earlier run left, and the path of its file, which is kept up to date.
  init(
    files: Files, form: RecordForm, wantsReceipt: Bool,
    state: (value: ReadingState, path: String)? = nil
  ) {
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
    receipt = wantsReceipt ? DeliveredOffsets() : nil
    wantsEachTime = wantsReceipt && !form.isBatchable
  }

  /// The token of a line, for its message.
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

  func end(for failure: any ToolFailure) {
    if self.failure == nil { self.failure = failure }
  }

  // MARK: - The state of the input

  /// Lines up to this number were read, and the last of them ends at this byte of the input.
  func noteRead(lastLine: Int, end: Int) { mark?.note(lastLine: lastLine, end: end) }

  private func settle(_ number: Int?) {
    if mark != nil, let number { mark?.settle(number) }
  }

  /// Writes how far the input is settled.
  func saveState() {
    guard let mark, let state, keptAll, mark.offset > state.value.offset else { return }
    var next = state.value
    next.offset = mark.offset
    next.lines += mark.lines - savedLines
    do throws(SystemFailure) {
      try next.write(to: state.path)
      self.state?.value = next
      savedLines = mark.lines
    } catch {
      end(for: error)
    }
  }

  // MARK: - Lines

  /// A line that never became a message.
  func fail(_ reason: Reason, line: RawSpan, number: Int) {
    tally.countFailure(reason, line: number)
    write(to: files.failed) { (file) throws(SystemFailure) in try file.append(line) }
    explain(reason, isFailed: true, number)
    if !rereadsBadLines { settle(number) }
  }

  /// A part of a line that is too long to be held; the last part counts it.
  func failPart(_ reason: Reason, part: RawSpan, isLast: Bool, number: Int) {
    write(to: files.failed) { (file) throws(SystemFailure) in try file.append(part, isLast: isLast)
    }
    guard isLast else { return }
    tally.countFailure(reason, line: number)
    explain(reason, isFailed: true, number)
    if !rereadsBadLines { settle(number) }
  }

  /// The part of a line that a signal cut off: it is counted, and kept nowhere, because it is no line.
  func failCut(byteCount: Int, number: Int) {
    tally.countFailure(.torn, line: number)
    tally.cutBytes = byteCount
  }

  // MARK: - Messages

  func delivered(_ batch: borrowing DeliveredBatch) {
    tally.delivered += batch.count
    guard receipt != nil || token != .nothing else { return }
    let partition = batch.partition
    receipt?.note(
      partition: partition, firstOffset: batch.firstOffset, count: batch.count,
      milliseconds: batch.firstTime)
    guard token != .nothing || wantsEachTime else { return }
    unsafe batch.forEach { token, offset, milliseconds in
      if wantsEachTime { receipt?.noteTime(milliseconds, in: partition) }
      if let number = unsafe number(of: token) {
        acknowledge(number, partition, offset)
        settle(number)
      }
      unsafe release(token)
    }
  }

  private func acknowledge(_ number: Int, _ partition: Int32, _ offset: Int64) {
    guard files.acks != nil else { return }
    write(to: files.acks) { (file) throws(SystemFailure) in
      try file.append(
        text: "{\"line\":\(number),\"partition\":\(partition),"
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
    // What is kept will be sent from there, and what is bad by itself need not be read again.
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

  /// Writes into one of the files; the first error is the end of it and of the run.
  private func write(
    to file: AppendedFile?, _ body: (AppendedFile) throws(SystemFailure) -> Void
  ) {
    guard let file, !file.isBroken else { return }
    do throws(SystemFailure) {
      try body(file)
    } catch {
      file.isBroken = true
      if file === files.failed { keptAll = false }
      end(for: error)
    }
  }
}

/// Bytes as a span; they must outlive it.
@_lifetime(immortal)
private func span(of bytes: UnsafeRawBufferPointer?) -> RawSpan {
  guard let bytes = unsafe bytes else { return RawSpan() }
  let span = unsafe RawSpan(_unsafeBytes: bytes)
  return unsafe _overrideLifetime(span, borrowing: ())
}

/// A copy of a line that travels with its message: its length and number, then its bytes.
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
