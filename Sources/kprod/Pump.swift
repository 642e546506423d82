import Glibc
import Kafka
import Plumbing

/// Sends lines from descriptors to a topic.
///
/// One thread reads, splits, sends and keeps the account; librdkafka's own threads talk to the
/// brokers. When the cluster is slow, librdkafka's queue fills, and the input is not read further.
struct Pump: ~Copyable {
  private var input: BlockReader
  /// The inputs after the current one.
  private var nextInputs: ArraySlice<InputFile>
  private let form: RecordForm
  private var composer: Composer
  private var batch = Batch()
  /// Whether messages are sent: no dry run.
  private let sends: Bool
  private let ledger: Ledger
  private let metrics: MetricsKeeper?
  private let isPlain: Bool
  /// Whether lines may have to wait for their turn.
  private let isPaced: Bool
  private let keepsProgress: Bool
  private let delimiter: [UInt8]
  private let maximumLength: Int
  /// The longest line that can't exceed any limit, alone and with a key that is a part of it.
  private let longestPlainLine: Int
  private let longestKeyedLine: Int
  /// Whether only the key is taken from a line.
  private let takesOnlyKeys: Bool
  /// The number of lines read, and of their bytes.
  private var lines = 0
  private var bytes = 0
  /// The number of bytes at the front of the input that are known to hold no delimiter.
  private var searched = 0
  /// The number of bytes taken from the input, counted from its beginning.
  private var consumed: Int
  /// The offset after the line that was taken last.
  private var lineEnd = 0
  /// Whether a last line without its delimiter is left for the next run.
  private let leavesTornLine: Bool
  /// Whether whole lines wait for their turn.
  private var isHeldBack = false
  /// Whether the current line exceeds the limit and is being skipped.
  private var isSkipping = false
  /// Whether a bad line ended the reading.
  private var hasStopped = false
  /// How many lines of a dry run to show to the user.
  private var samples: Int
  // The size of a clock's instant is known at run time only. What holds one stands last, so that the places of all other
  // fields are known to the compiler: each line needs them.
  private var outlet: Outlet
  private let start = ContinuousClock.now
  private var pace: Pace?
  private var replay: Replay?

  /// The result of a run.
  struct Ending {
    var tally = Tally()
    /// The reason for an early end, if any: a bad line, or an error of reading or writing.
    var failure: (any ToolFailure)?
    var duration = Duration.zero
    /// Whether every line that belongs in the file of `--failed` was written to it.
    var keptAll = true
    /// The number of lines with a time more than an hour ahead, and the latest such time.
    var linesAhead = 0
    var latestAhead = TimePoint(milliseconds: 0)
  }

  /// - Parameters:
  ///   - inputs: the inputs to read in order; at least one.
  ///   - connection: where to send; `nil` for a dry run, and when lines name their topics.
  ///   - directory: the topics that lines name.
  ///   - ledger: accounts for every line.
  ///   - offset: the position in the input at which reading begins, when its state is kept.
  init(
    from inputs: [InputFile], as form: RecordForm, through connection: Connection?,
    directory: TopicDirectory? = nil, headers: [Header], ledger: Ledger, drainLimit: Duration,
    from offset: Int? = nil, metrics: MetricsKeeper? = nil
  ) {
    self.metrics = metrics
    consumed = offset ?? 0
    leavesTornLine = offset != nil
    self.form = form
    self.ledger = ledger
    delimiter = form.delimiter
    maximumLength = form.maximumLength
    input = BlockReader(from: inputs[0].descriptor, named: inputs[0].name)
    nextInputs = inputs.dropFirst()
    let largestPayload = connection?.largestPayload ?? .max
    longestPlainLine = min(form.maximumLength, largestPayload)
    composer = Composer(
      form, terms: connection.map { Terms($0) } ?? Terms(), headers: headers, directory: directory)
    if let directory {
      outlet = Outlet(to: directory)
    } else {
      outlet = Outlet(
        through: connection, isBatchable: form.isBatchable, account: ledger,
        drainLimit: drainLimit)
    }
    sends = outlet.sends
    takesOnlyKeys = composer.takesOnlyKeys
    longestKeyedLine = min(form.maximumLength, largestPayload / 2)
    isPlain =
      form.key == .none && form.partition == nil && form.isBatchable && !form.emptyIsNull
      && connection?.limits.isCompacted == false
    isPaced = form.isPaced
    replay = form.paceField.map { Replay(by: $0, speed: form.speed) }
    pace = form.maximumRate.map { Pace(perSecond: $0) }
    // A progress line would disturb lines that are being typed.
    keepsProgress = Diagnostics.isTerminal && !Terminal.isTerminal(STDIN_FILENO)
    samples = sends ? 0 : 3
  }

  /// Runs until the input ends, a signal comes or continuing is pointless; then drains.
  mutating func run() -> Ending {
    do throws(SystemFailure) {
      try pump()
    } catch {
      ledger.end(for: error)
    }
    outlet.drain()
    ledger.settled()
    ledger.saveState()
    Diagnostics.endProgress()
    ledger.tally.lines = lines
    ledger.tally.bytes = bytes
    return Ending(
      tally: ledger.tally, failure: ledger.failure, duration: start.duration(to: .now),
      keptAll: ledger.keptAll, linesAhead: composer.linesAhead,
      latestAhead: TimePoint(milliseconds: composer.latestAhead))
  }

  private mutating func pump() throws(SystemFailure) {
    while ledger.failure == nil {
      takeLines()
      if hasStopped { return }
      if keepsProgress { showProgress() }
      if !isSkipping { outlet.collect() }
      if metrics != nil { ledger.settled() }
      // An idle pipe would not wake this loop again.
      if ledger.failure != nil { break }
      if let count = outlet.refresh() { composer.terms.partitionCount = count }
      switch try arrival() {
      case .data, .nothing: continue
      case .end:
        takeEnd(isCut: input.wasInterrupted)
        guard !input.wasInterrupted, !hasStopped, let next = nextInputs.popFirst() else { return }
        input = BlockReader(from: next.descriptor, named: next.name)
        searched = 0
      }
    }
    if !hasStopped { abandon() }
  }

  /// Takes bytes that were read and will not be sent: a pipe can't return them to anybody else.
  private mutating func abandon() {
    forgetPace()
    takeLines()
    if !hasStopped { takeEnd(isCut: true) }
  }

  private mutating func arrival() throws(SystemFailure) -> BlockReader.Arrival {
    if isHeldBack { return try waitForTurn() }
    let wake = isSkipping ? -1 : outlet.wakeDescriptor
    // Messages in flight have a time limit, which no descriptor signals.
    var limit = outlet.patience
    if keepsProgress { limit = min(limit ?? .milliseconds(200), .milliseconds(200)) }
    if let metrics { limit = min(limit ?? metrics.timeLeft, metrics.timeLeft) }
    return try input.wait(alsoFor: wake, upTo: limit)
  }

  /// Waits for the rate limit while whole lines are pending; reports are collected meanwhile.
  private mutating func waitForTurn() throws(SystemFailure) -> BlockReader.Arrival {
    if Interruption.count > 0 {
      // Lines that are not yet due stay in the file; those of a pipe go at once, because it gives them to nobody else.
      if replay != nil {
        if input.isFile { hasStopped = true }
        replay = nil
      }
      // The pipe is read and closed at once, although its lines still have to wait.
      if !input.wasInterrupted { return try input.wait() == .end ? .nothing : .data }
    }
    let wait = pause
    if outlet.isBusy {
      outlet.collect(waiting: min(20, wait))
    } else {
      var signal = pollfd(fd: Interruption.descriptor, events: Int16(POLLIN), revents: 0)
      let isSignalled = Interruption.count > 0
      _ = unsafe poll(&signal, isSignalled ? 0 : 1, min(isSignalled ? 20 : 200, wait))
      outlet.collect()
    }
    // Lines that can no longer be sent have no rate limit; neither has a dry run after a signal.
    if outlet.mayGoOn() ?? (Interruption.count == 0) == false { forgetPace() }
    return .nothing
  }

  /// How many milliseconds the next line has to wait.
  private var pause: Int32 {
    mutating get {
      max(pace?.pause?.pollMilliseconds ?? 0, replay?.pause.pollMilliseconds ?? 0)
    }
  }

  private mutating func forgetPace() {
    pace = nil
    replay = nil
  }

  private mutating func mustWait(_ line: UnsafeRawBufferPointer) -> Bool {
    if unsafe replay?.pause(for: line) != nil { return true }
    if pace?.pause != nil { return true }
    replay?.next()
    return false
  }

  /// Splits the available bytes into lines and sends them.
  private mutating func takeLines() {
    if isSkipping { skipLine() }
    guard !isSkipping else { return }
    let size = input.count
    guard size > searched else { return }
    // The bytes stay in place until the next read, which happens after the batch is sent.
    let block = unsafe input.bytes
    var position = 0
    isHeldBack = false
    if !isPlain { composer.now = TimePoint.now.milliseconds }
    unsafe composer.enterBlock(block)
    defer { composer.leaveBlock() }
    while !hasStopped,
      let end = unsafe kprod.position(
        of: delimiter, in: block, from: max(position, searched))
    {
      if isPaced, unsafe mustWait(UnsafeRawBufferPointer(rebasing: block[position..<end])) {
        isHeldBack = true
        break
      }
      lineEnd = consumed + end + delimiter.count
      unsafe take(UnsafeRawBufferPointer(rebasing: block[position..<end]))
      position = end + delimiter.count
      searched = 0
    }
    sendBatch()
    advance(position)
    if isHeldBack || hasStopped { return }
    // The end may hold a part of a delimiter.
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
    if isPaced { countPaced() }
    let isFull: Bool
    if isPlain, line.count <= longestPlainLine {
      isFull = unsafe batch.append(value: line, token: ledger.token(for: line, number: lines))
    } else if takesOnlyKeys, samples == 0, line.count <= longestKeyedLine,
      let (key, partition) = unsafe composer.quickKey(of: line)
    {
      isFull = unsafe batch.append(
        value: line, key: key, partition: partition,
        token: ledger.token(for: line, number: lines))
    } else {
      unsafe compose(line)
      isFull = batch.isFull
    }
    if isFull { sendBatch() }
  }

  @inline(never)
  private mutating func countPaced() { pace?.count() }

  private mutating func compose(_ line: UnsafeRawBufferPointer) {
    if line.count > maximumLength { return unsafe refuse(.tooLong, line) }
    let need = composer.arenaNeed(line.count)
    if !batch.hasRoom(for: need) {
      sendBatch()
      batch.makeRoom(for: need)
    }
    do throws(Unusable) {
      let message = try unsafe composer.compose(line, in: &batch)
      unsafe batch.append(
        value: message.value, key: message.key, partition: message.partition,
        timestamp: message.timestamp,
        token: sends ? ledger.token(for: line, number: lines) : nil)
      if form.hasTopics { unsafe batch.setRoute(message.topic) }
      if form.isEnvelope, sends { batch.setHeaders(composer.headers) }
      if samples > 0 { unsafe show(message) }
    } catch {
      unsafe refuse(error.reason, line)
    }
  }

  private mutating func sendBatch() {
    ledger.noteRead(lastLine: lines, bytes: bytes, end: lineEnd)
    outlet.send(&batch)
  }

  private mutating func refuse(_ reason: Reason, _ line: UnsafeRawBufferPointer) {
    unsafe ledger.fail(reason, line: RawSpan(_unsafeBytes: line), number: lines)
    noteBadLine(reason)
  }

  private mutating func noteBadLine(_ reason: Reason) {
    guard form.stopsAtBadLine, !hasStopped else { return }
    hasStopped = true
    ledger.end(for: BadLine(number: lines, reason: reason))
  }

  /// Skips a line over the limit, part by part, as it arrives.
  private mutating func skipLine() {
    let block = unsafe input.bytes
    let end = unsafe kprod.position(of: form.delimiter, in: block, from: searched)
    let count = end ?? max(0, block.count - form.delimiter.count + 1)
    unsafe ledger.failPart(
      RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: block[..<count])),
      isLast: end != nil, number: lines + 1)
    bytes += count
    searched = 0
    if end == nil {
      advance(count)
    } else {
      advance(count + form.delimiter.count)
      endSkipping()
    }
  }

  private mutating func advance(_ count: Int) {
    consumed += count
    input.consume(count)
  }

  private mutating func endSkipping() {
    isSkipping = false
    lines += 1
    lineEnd = consumed
    ledger.noteRead(lastLine: lines, bytes: bytes, end: lineEnd)
    noteBadLine(.tooLong)
  }

  /// Takes the bytes after the last delimiter.
  ///
  /// - Parameter isCut: whether a signal ended the input early.
  private mutating func takeEnd(isCut: Bool) {
    let rest = unsafe input.bytes
    if isSkipping {
      unsafe ledger.failPart(RawSpan(_unsafeBytes: rest), isLast: true, number: lines + 1)
      bytes += rest.count
      endSkipping()
    } else if rest.count > 0 {
      // A file keeps its content, so a torn line in it counts as unread.
      if isCut || leavesTornLine, input.isFile { return }
      if input.wasInterrupted {
        lines += 1
        bytes += rest.count
        ledger.failCut(byteCount: rest.count, number: lines)
        noteBadLine(.torn)
      } else if isCut || form.wholeLinesOnly {
        lines += 1
        bytes += rest.count
        unsafe refuse(.torn, rest)
      } else {
        unsafe take(rest)
        sendBatch()
      }
    }
    advance(input.count)
  }

  // MARK: - Progress and samples

  private mutating func showProgress() {
    let tally = ledger.tally
    let seconds = max(0.001, start.duration(to: .now).inSeconds)
    let kilobytes = Int(Double(bytes) / seconds / 1000)
    var text = "\(lines) lines, \(bytes / 1_000_000) MB, \(tally.delivered) delivered"
    if !tally.isComplete { text += ", \(tally.failed) failed, \(tally.unknown) unknown" }
    text += kilobytes < 10_000 ? ", \(kilobytes) kB/s" : ", \(kilobytes / 1000) MB/s"
    if let stall = outlet.stall { text += "; nothing is acknowledged: " + stall }
    Diagnostics.progress(text)
  }

  /// Shows the message that a line of a dry run would become.
  private mutating func show(_ message: Composer.Composed) {
    samples -= 1
    let key = unsafe message.key.map { unsafe quoted(String(decoding: $0, as: UTF8.self)) }
    let partition = unsafe message.partition >= 0 ? "partition \(message.partition)" : nil
    let topic =
      form.hasTopics ? outlet.name(of: unsafe message.topic).map { "topic \(quoted($0)), " } : nil
    let time =
      unsafe message.timestamp > 0
      ? TimePoint(milliseconds: message.timestamp).iso8601 : "the time of sending"
    Diagnostics.note(
      "line \(lines): \(topic ?? "")key \(key ?? "none"), "
        + (partition ?? (key == nil ? "any partition" : "the key's partition")) + ", time \(time)")
  }
}
