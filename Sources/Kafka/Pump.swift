internal import CRdkafka
internal import Glibc
package import Plumbing

/// Takes lines from a descriptor to a topic, and keeps the account of them.
///
/// One thread reads, cuts, hands over and books; the client library's own threads talk to the brokers. When the cluster
/// is slow the library's queue is full, and the input is simply not read any further.
package struct Pump: ~Copyable {
  private var input: BlockReader
  private let form: RecordForm
  private var composer: Composer
  private var batch = Batch()
  /// `nil` for a dry run.
  private var sender: Sender?
  private let ledger: Ledger
  private let isPlain: Bool
  /// Whether there is a limit of lines a second.
  private let isPaced: Bool
  private let keepsProgress: Bool
  private let delimiter: [UInt8]
  private let maximumLength: Int
  /// Lines read, and their bytes.
  private var lines = 0
  private var bytes = 0
  /// Bytes at the front of the input that were searched and hold no delimiter.
  private var searched = 0
  /// Whole lines are left because of the rate.
  private var isHeldBack = false
  /// Inside a line over the limit.
  private var isSkipping = false
  private var stoppedBy: BadLine?
  private let start = ContinuousClock.now
  private var pace: Pace?

  /// How it ended.
  package struct Ending: Sendable {
    package var tally = Tally()
    /// What stopped it early, if anything did: a bad line, an error of reading or writing.
    package var failure: (any ToolFailure)?
    package var duration = Duration.zero
    /// Whether the file of `--failed` has every line that belongs into it.
    package var keptAll = true

    /// It never began.
    package init(failure: any ToolFailure) { self.failure = failure }

    init(tally: Tally, failure: (any ToolFailure)?, duration: Duration) {
      self.tally = tally
      self.failure = failure
      self.duration = duration
    }
  }

  /// - Parameters:
  ///   - connection: where to send; `nil` for a dry run.
  ///   - failed: where lines go that were not delivered.
  package init(
    from descriptor: Int32, named name: String, as form: RecordForm,
    through connection: Connection?, failed: consuming FailedFile?, drainLimit: Duration
  ) {
    self.form = form
    delimiter = form.delimiter
    maximumLength = form.maximumLength
    input = BlockReader(from: descriptor, named: name)
    let rawForm: Ledger.RawForm =
      if form.isEnvelope {
        .kept
      } else if case .delimited(let delimiter) = form.key {
        .keyed(delimiter)
      } else {
        .value
      }
    ledger = Ledger(file: failed, form: rawForm)
    composer = Composer(
      form, partitionCount: Int32(connection?.partitions.count ?? 0),
      headers: connection?.settings.headers ?? [])
    sender = connection.map { [ledger] in
      Sender(
        $0.settings, form: form, client: $0.client, partitions: $0.partitions, ledger: ledger,
        drainLimit: drainLimit)
    }
    isPlain =
      form.key == .none && form.partition == nil && form.isBatchable && !form.emptyIsNull
    isPaced = form.maximumRate != nil
    pace = form.maximumRate.map { Pace(perSecond: $0) }
    // Beside lines that are being typed a progress line is only in the way.
    keepsProgress = Diagnostics.isTerminal && !Terminal.isTerminal(STDIN_FILENO)
  }

  /// Runs until the input ends, a signal comes or something makes going on pointless; then all is drained.
  package mutating func run() -> Ending {
    var failure: (any ToolFailure)?
    do throws(SystemFailure) {
      try pump()
    } catch {
      failure = error
    }
    sender?.drain()
    ledger.flush()
    Diagnostics.endProgress()
    ledger.tally.lines = lines
    ledger.tally.bytes = bytes
    var ending = Ending(
      tally: ledger.tally, failure: failure ?? stoppedBy ?? sender?.failure ?? ledger.writeFailure,
      duration: start.duration(to: .now))
    ending.keptAll = ledger.writeFailure == nil
    return ending
  }

  private mutating func pump() throws(SystemFailure) {
    while stoppedBy == nil, ledger.writeFailure == nil, sender?.failure == nil {
      takeLines()
      if stoppedBy != nil { return }
      if keepsProgress { showProgress() }
      if !isSkipping { sender?.collect() }
      // An idle pipe would not wake us again.
      if sender?.failure != nil || ledger.writeFailure != nil { break }
      if let count = sender?.refresh() { composer.partitionCount = count }
      switch try arrival() {
      case .data, .nothing: continue
      case .end: return takeEnd(isCut: input.wasInterrupted)
      }
    }
    if sender?.failure != nil { abandon() }
  }

  /// Takes what was read already and will not be sent: a pipe gives it to nobody else.
  private mutating func abandon() {
    pace = nil
    takeLines()
    if stoppedBy == nil { takeEnd(isCut: true) }
  }

  private mutating func arrival() throws(SystemFailure) -> BlockReader.Arrival {
    if isHeldBack {
      // Whole lines wait for their turn, and the pipe behind them; what is answered meanwhile is booked.
      let wait = min(20, pace?.pause?.pollMilliseconds ?? 0)
      if sender == nil { _ = poll(nil, 0, wait) }
      sender?.collect(waiting: wait)
      // Lines that can't be sent any more have no rate.
      if sender?.mayGoOn() == false { pace = nil }
      return .nothing
    }
    let wake = isSkipping ? -1 : sender?.wakeDescriptor ?? -1
    return try input.wait(alsoFor: wake, upTo: keepsProgress ? .milliseconds(200) : nil)
  }

  /// Cuts what has arrived into lines and sends them.
  private mutating func takeLines() {
    if isSkipping { skipLine() }
    guard !isSkipping else { return }
    let size = input.count
    guard size > searched else { return }
    // The bytes stay in place until the reader is asked for more, which happens after the batch is sent.
    let block = unsafe input.bytes
    var position = 0
    isHeldBack = false
    unsafe composer.enterBlock(block)
    defer { composer.leaveBlock() }
    while stoppedBy == nil,
      let end = unsafe Kafka.position(
        of: delimiter, in: block, from: max(position, searched))
    {
      if isPaced, pace?.pause != nil {
        isHeldBack = true
        break
      }
      unsafe take(UnsafeRawBufferPointer(rebasing: block[position..<end]))
      position = end + delimiter.count
      searched = 0
    }
    sendBatch()
    input.consume(position)
    if isHeldBack || stoppedBy != nil { return }
    // A delimiter may be half there.
    searched = max(0, input.count - form.delimiter.count + 1)
    if input.count > form.maximumLength + form.delimiter.count {
      isSkipping = true
      skipLine()
    }
  }

  @inline(__always)
  private mutating func take(_ line: UnsafeRawBufferPointer) {
    lines += 1
    bytes += line.count
    if isPaced { pace?.count() }
    if line.count > maximumLength { return unsafe refuse(.tooLong, line) }
    if isPlain {
      let index = batch.count
      unsafe batch.messages[index].payload = UnsafeMutableRawPointer(mutating: line.baseAddress)
      unsafe batch.messages[index].len = line.count
      unsafe batch.messages[index].partition = -1
      batch.count = index + 1
    } else {
      unsafe compose(line)
    }
    if batch.isFull { sendBatch() }
  }

  private mutating func compose(_ line: UnsafeRawBufferPointer) {
    let need = composer.arenaNeed(line.count)
    if !batch.hasRoom(for: need) {
      sendBatch()
      batch.makeRoom(for: need)
    }
    do throws(Unusable) {
      try unsafe composer.compose(line, into: &batch)
    } catch {
      unsafe refuse(error.reason, line)
    }
  }

  private mutating func sendBatch() {
    if sender != nil {
      sender?.send(&batch)
    } else {
      batch.discard()
    }
  }

  private mutating func refuse(_ reason: Reason, _ line: UnsafeRawBufferPointer) {
    unsafe ledger.fail(reason, line: RawSpan(_unsafeBytes: line))
    noteBadLine(reason)
  }

  private mutating func noteBadLine(_ reason: Reason) {
    if form.stopsAtBadLine, stoppedBy == nil {
      stoppedBy = BadLine(number: lines, reason: reason)
    }
  }

  /// Passes a line over the limit by, in parts, as it comes.
  private mutating func skipLine() {
    let block = unsafe input.bytes
    let end = unsafe Kafka.position(of: form.delimiter, in: block, from: searched)
    let count = end ?? max(0, block.count - form.delimiter.count + 1)
    unsafe ledger.failPart(
      .tooLong, part: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: block[..<count])),
      isLast: end != nil)
    bytes += count
    searched = 0
    if end == nil {
      input.consume(count)
    } else {
      input.consume(count + form.delimiter.count)
      endSkipping()
    }
  }

  private mutating func endSkipping() {
    isSkipping = false
    lines += 1
    noteBadLine(.tooLong)
  }

  /// What stands behind the last delimiter.
  ///
  /// - Parameter isCut: whether the input would have gone on.
  private mutating func takeEnd(isCut: Bool) {
    let rest = unsafe input.bytes
    if isSkipping {
      unsafe ledger.failPart(.tooLong, part: RawSpan(_unsafeBytes: rest), isLast: true)
      bytes += rest.count
      endSkipping()
    } else if rest.count > 0 {
      // A file keeps what was left unread: its torn line was never taken.
      if isCut, input.isFile { return }
      if isCut || form.wholeLinesOnly {
        lines += 1
        bytes += rest.count
        unsafe refuse(.torn, rest)
      } else {
        unsafe take(rest)
        sendBatch()
      }
    }
    input.consume(input.count)
  }

  private func showProgress() {
    let tally = ledger.tally
    Diagnostics.progress(
      "\(lines) lines, \(bytes / 1_000_000) MB, \(tally.delivered) delivered"
        + (tally.isComplete ? "" : ", \(tally.failed) failed, \(tally.unknown) unknown"))
  }
}
