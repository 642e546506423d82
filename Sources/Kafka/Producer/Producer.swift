internal import CRdkafka
internal import Glibc
internal import Plumbing

/// Sends batches through librdkafka, waits when its queue is full, and reports the outcome of every
/// message.
///
/// No message times out while others are acknowledged. Only when nothing is acknowledged for the
/// time of ``ClientSettings/patience``, everything is given up. Clock and signals come from
/// ``Surroundings``.
package struct Producer: ~Copyable {
  var settings: ClientSettings
  var client: Client
  let account: any DeliveryAccount
  let surroundings: Surroundings
  /// Where a new client comes from, when topics share a producer.
  var source: ProducerSource?
  /// Messages to send again: they came back unsent, or from a topic that may be gone.
  let unsent = KeptMessages()
  /// Messages of batches that a broker refused as too large.
  let tooLarge = KeptMessages()
  /// Messages of batches that a broker refused because of one of their records.
  let invalid = KeptMessages()
  /// Sends the messages of ``invalid`` one by one.
  var single: Client?

  /// The topic's partitions, as last described by the cluster.
  private(set) var partitions: [Partition]
  private var placement: Placement
  private let isBatchable: Bool
  private let minimumInSync: Int?
  private let drainLimit: Duration
  private var drainDeadline: ContinuousClock.Instant?
  /// Where each partition's run begins in a sorted batch.
  private var starts: [Int]
  /// How many producers died in a row without a single delivery.
  var deaths = 0
  var hasDeliveredSinceBirth = false
  /// Whether sending is pointless; the account has the reason.
  private(set) var isHopeless = false
  /// Whether messages that come back are being sent again.
  var isRepairing = false
  /// Whether messages that come back unsent are kept for another attempt.
  var keepsUnsent = false
  /// Whether librdkafka reported that the topic does not exist.
  var doubtsTopic = false
  /// How often the topic was looked up since the last acknowledgement.
  var topicLooks = 0
  private var isDraining = false
  private let patience: Duration?
  /// When the cluster last answered, or last had nothing to answer.
  private var lastAnswer: ContinuousClock.Instant
  private var hasWarned = false
  /// How many messages may be in flight before further ones wait.
  ///
  /// Few of them stay in the processor's caches, which makes each one cheaper. A distant cluster
  /// needs more, and so does one that does not answer for a while.
  private(set) var window: Int
  private static let nearWindow = 20_000
  private static let nearRoundTrip = Duration.milliseconds(5)
  private static let patienceAtWindow = Duration.milliseconds(50)
  private let refreshInterval: Duration?
  private var lastRefresh: ContinuousClock.Instant

  /// Takes in the reports about other topics that share the queue: when it is full, their messages
  /// may be what fills it.
  package var whenFull: (() -> Void)?

  /// Why nothing has been acknowledged for a while; `nil` while answers come.
  package private(set) var stall: String?

  /// - Parameters:
  ///   - isBatchable: whether no message has its own time or headers.
  ///   - drainLimit: how long to wait for acknowledgements after a signal.
  package init(
    _ connection: Connection, isBatchable: Bool, account: any DeliveryAccount, drainLimit: Duration
  ) {
    settings = connection.settings
    client = connection.client
    source = connection.source
    surroundings = connection.surroundings
    partitions = connection.partitions
    minimumInSync = connection.limits.minimumInSync
    self.account = account
    self.drainLimit = drainLimit
    self.isBatchable = isBatchable
    window = connection.roundTrip < Self.nearRoundTrip ? Self.nearWindow : .max
    refreshInterval = settings.refreshInterval
    patience = settings.patience
    lastAnswer = surroundings.now()
    lastRefresh = lastAnswer
    placement = Placement(partitions, seed: Int(getpid()))
    starts = Array(repeating: 0, count: partitions.count + 1)
  }

  /// Readable when reports are waiting.
  package var wakeDescriptor: Int32 { client.producer.wakeDescriptor }
  /// The number of messages in flight.
  package var outstanding: Int { client.outstanding + (single?.outstanding ?? 0) }
  /// Whether the outcome of any message is still open.
  package var isBusy: Bool {
    outstanding > 0 || !unsent.isEmpty || !tooLarge.isEmpty || !invalid.isEmpty
  }

  // MARK: - Reports

  /// Reports the answers that arrived, and handles their consequences.
  ///
  /// - Parameter milliseconds: how long to wait for the first one; `nil`: only those that another
  ///   producer of a shared queue has taken from it.
  package mutating func collect(waiting milliseconds: Int32? = 0) {
    takeReports(waiting: milliseconds)
    if !isRepairing { repair() }
    checkPatience()
  }

  /// Reports the answers that another producer of a shared queue has taken from it, and keeps what
  /// is to be sent again.
  package mutating func takeForwarded() { takeReports(waiting: nil) }

  /// Whether other topics use the same queue of reports.
  package var isShared: Bool { source != nil }

  mutating func takeReports(waiting milliseconds: Int32?) {
    // librdkafka's threads answer for both clients; the one that is used less is polled without
    // waiting.
    let isSingle = client.outstanding == 0
    if let single { takeReports(of: single, waiting: isSingle ? milliseconds ?? 0 : 0) }
    takeReports(
      of: client, waiting: single != nil && isSingle ? milliseconds.map { _ in 0 } : milliseconds)
    account.settled()
  }

  private mutating func takeReports(of client: Client, waiting milliseconds: Int32?) {
    let reports = unsafe client.takeReports(milliseconds: milliseconds)
    for index in unsafe reports.indices {
      let report = unsafe reports[index]
      unsafe settle(report, isSingle: client === single)
      client.outstanding -= unsafe report.count
      unsafe rd_kafka_event_destroy(report.event)
    }
  }

  /// Reports the messages of an event, or keeps them.
  private mutating func settle(_ report: SharedProducer.Report, isSingle: Bool) {
    let (event, first, count) = unsafe (report.event, report.first, report.count)
    let error = KafkaError(unsafe rd_kafka_event_error(event))
    if unsafe error.code == 0
      && rd_kafka_message_status(first) == RD_KAFKA_MSG_STATUS_PERSISTED
    {
      // The messages are from one response, so the first one's outcome applies to all of them.
      noteAnswer(isDelivery: true)
      unsafe account.delivered(DeliveredBatch(event: event, first: first, count: count))
      return
    }
    noteAnswer(isDelivery: error.code == 0)
    var bytes = 0
    var next: UnsafePointer<rd_kafka_message_t>? = unsafe first
    while let message = unsafe next {
      unsafe bytes += message.pointee.len + message.pointee.key_len
      unsafe settle(message, error, isAlone: count == 1, isSingle: isSingle)
      unsafe next = rd_kafka_event_message_next(event)
    }
    if error.isAboutSize { tooLarge.noteBatch(bytes: bytes) }
  }

  private mutating func settle(
    _ message: UnsafePointer<rd_kafka_message_t>, _ error: KafkaError, isAlone: Bool, isSingle: Bool
  ) {
    guard unsafe rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED else {
      // What waits in the queue to be sent again was sent before.
      let reason = error == .purgedFromQueue ? .purgedInFlight : error
      return unsafe account.unknown(
        Message(message.pointee), for: error.code == 0 ? nil : reason)
    }
    if isHopeless {
      return unsafe account.failed(Message(message.pointee), for: error)
    }
    if error.isAboutTopic {
      doubtsTopic = true
      unsafe unsent.add(message, for: error)
    } else if keepsUnsent || isSingle && error.isPassing || isEnd(error) {
      unsafe unsent.add(message, for: error)
    } else if error.isAboutSize, !isAlone {
      unsafe tooLarge.add(message, for: error)
    } else if error.isAboutRecords, !isAlone {
      unsafe invalid.add(message, for: error)
    } else {
      unsafe account.failed(Message(message.pointee), for: error)
    }
    if error.code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED.rawValue {
      end(
        for: KafkaFailure.refused(
          "topic \(quoted(settings.topic)): no permission to write to it", hint: nil))
    }
  }

  /// Whether the error is fatal to this producer and not to the message, so that a new producer can
  /// send it.
  private func isEnd(_ error: KafkaError) -> Bool {
    guard error.endsProducer else { return false }
    client.producer.checkForDeath()
    return client.producer.isDead
  }

  private mutating func noteAnswer(isDelivery: Bool) {
    lastAnswer = surroundings.now()
    guard isDelivery else { return }
    (stall, hasWarned) = (nil, false)
    (hasDeliveredSinceBirth, topicLooks) = (true, 0)
    client.producer.forgetTrouble()
  }

  // MARK: - Patience

  /// Warns when nothing is acknowledged for a while, and gives up when the time limit is reached.
  private mutating func checkPatience() {
    let now = surroundings.now()
    guard isBusy else {
      lastAnswer = now
      stall = nil
      return
    }
    guard !isHopeless else { return }
    let silence = lastAnswer.duration(to: now)
    if let patience, silence >= patience {
      let reason = reasonForSilence()
      end(
        for: KafkaFailure.gaveUp(
          limit: words(for: patience), reason: reason, hasReadAll: isDraining))
    } else if silence >= Self.silenceToWarnOf, !hasWarned {
      hasWarned = true
      let reason = reasonForSilence()
      stall = reason
      Diagnostics.warning(
        "nothing was acknowledged for \(words(for: Self.silenceToWarnOf)): \(reason)")
    }
  }

  private static let silenceToWarnOf = Duration.seconds(5)

  /// Asks the cluster for the reason.
  private mutating func reasonForSilence() -> String {
    if client.producer.awaitsProducerID,
      client.producer.trouble == nil || client.producer.producerIDTrouble != nil
    {
      return KafkaFailure.noProducerID(reason: client.producer.producerIDTrouble).message
    }
    switch client.look() {
    case .missing: return "topic \(quoted(settings.topic)) is not there"
    case .unknown: return client.producer.trouble.map { client.shortened($0.words) } ?? "no answer"
    case .partitions(let list):
      if let words = shortage(in: list) { return words }
      return client.producer.trouble.map { client.shortened($0.words) }
        ?? "the cluster answers, but acknowledges nothing"
    }
  }

  /// Which partition can't acknowledge, by the cluster's own description.
  private func shortage(in list: [Partition]) -> String? {
    if let found = list.first(where: { $0.leader < 0 }) {
      return "partition \(found.number) has no leader"
    }
    if let minimumInSync, let found = list.first(where: { $0.inSync.count < minimumInSync }) {
      let count = found.inSync.count
      return "partition \(found.number) has \(count) replica\(count == 1 ? "" : "s") in sync, "
        + "and min.insync.replicas is \(minimumInSync)"
    }
    if let found = list.first(where: { $0.inSync.count < $0.replicas.count }) {
      return "partition \(found.number) has \(found.inSync.count) of \(found.replicas.count) "
        + "replicas in sync"
    }
    return nil
  }

  /// Ends the run for a reason that further attempts don't change.
  mutating func end(for failure: any ToolFailure) {
    isHopeless = true
    keepsUnsent = false
    account.end(for: failure)
  }

  /// Ends the run for an error of any type.
  mutating func end(for error: any Error) {
    end(
      for: error as? any ToolFailure
        ?? KafkaFailure.failed("the Kafka client can't be started again: \(error)"))
  }

  // MARK: - Partitions

  /// Checks from time to time whether the topic has more partitions, or other leaders.
  ///
  /// - Returns: the number of partitions, when it was looked up.
  package mutating func refresh() -> Int32? {
    guard let refreshInterval else { return nil }
    let now = surroundings.now()
    guard lastRefresh.duration(to: now) >= refreshInterval else { return nil }
    lastRefresh = now
    switch client.look() {
    case .partitions(let found):
      use(found)
      return Int32(found.count)
    case .missing:
      doubtsTopic = true
      return nil
    case .unknown: return nil
    }
  }

  mutating func use(_ found: [Partition]) {
    guard found != partitions else { return }
    partitions = found
    placement.update(found)
    starts = Array(repeating: 0, count: found.count + 1)
  }

  // MARK: - Sending

  /// Whether there is time to send: for a while after the first signal, none after the second.
  package mutating func mayGoOn() -> Bool {
    switch surroundings.signals() {
    case 0: return !isHopeless
    case 1:
      let now = surroundings.now()
      let deadline = drainDeadline ?? now + drainLimit
      drainDeadline = deadline
      return !isHopeless && now < deadline
    default: return false
    }
  }

  /// Sends a batch and empties it; messages that can't be sent are reported before it returns.
  ///
  /// - Parameter collects: whether to take in reports afterwards.
  package mutating func send(_ batch: inout Batch, collects: Bool = true) {
    let count = batch.count
    guard count > 0 else { return }
    // Nothing was awaited until now: the pause of a quiet pipe is not the cluster's silence.
    if !isBusy { lastAnswer = surroundings.now() }
    if !isBatchable {
      sendSingly(batch)
    } else if let partition = common(batch) {
      unsafe send(batch.messages, count, to: partition)
    } else {
      batch.sort(among: partitions.count, into: &starts)
      for partition in 0..<partitions.count where starts[partition] < starts[partition + 1] {
        let start = starts[partition]
        unsafe send(
          batch.sorted + start, starts[partition + 1] - start, to: Int32(partition))
      }
    }
    batch.empty()
    if collects { collect() }
  }

  /// The partition of all messages, when they have the same one.
  private mutating func common(_ batch: borrowing Batch) -> Int32? {
    let first = unsafe batch.messages[0].partition
    for index in 1..<max(1, batch.count)
    where unsafe batch.messages[index].partition != first {
      return nil
    }
    guard first < 0 else { return first }
    var bytes = 0
    for index in 0..<batch.count { bytes += unsafe batch.messages[index].len }
    defer { placement.book(bytes) }
    return placement.current
  }

  /// Sends messages for one partition, in order; when the queue is full, the rest waits.
  private mutating func send(
    _ messages: UnsafeMutablePointer<rd_kafka_message_t>, _ count: Int, to partition: Int32
  ) {
    waitAtWindow()
    var left = count
    while left > 0 {
      let sent = unsafe rd_kafka_produce_batch(
        client.topic, partition, RD_KAFKA_MSG_F_COPY, messages, Int32(left))
      client.outstanding += Int(sent)
      if Int(sent) == left { return }
      left = unsafe keepRefused(messages, left, partition: partition)
      if left > 0, !mayGoOn() {
        for index in 0..<left { unsafe account.unsent(Message(messages[index])) }
        return
      }
      if left > 0 { waitForRoom() }
    }
  }

  /// Waits until fewer messages are in flight than the window allows.
  @inline(__always)
  private mutating func waitAtWindow() {
    if client.outstanding >= window { waitForAnswers() }
  }

  @inline(never)
  private mutating func waitForAnswers() {
    while client.outstanding >= window, !isRepairing, mayGoOn() {
      waitForRoom()
      if lastAnswer.duration(to: surroundings.now()) >= Self.patienceAtWindow { window = .max }
    }
  }

  private mutating func waitForRoom() {
    collect(waiting: 10)
    whenFull?()
  }

  /// Moves the messages to try again to the front and handles the others; returns how many there
  /// are.
  private mutating func keepRefused(
    _ messages: UnsafeMutablePointer<rd_kafka_message_t>, _ count: Int, partition: Int32
  ) -> Int {
    var kept = 0
    for index in 0..<count {
      let error = KafkaError(unsafe messages[index].err)
      if error.code == 0 { continue }
      unsafe messages[index].err = RD_KAFKA_RESP_ERR_NO_ERROR
      if mustRetry(error) {
        unsafe messages[kept] = unsafe messages[index]
        kept += 1
      } else if error.isAboutTopic, !isHopeless {
        unsafe messages[index].partition = partition
        unsafe keep(messages[index], timestamp: 0, headers: nil, error)
      } else {
        unsafe account.failed(Message(messages[index]), for: error)
      }
    }
    return kept
  }

  /// Keeps a message that librdkafka refused because the topic is missing.
  private mutating func keep(
    _ message: rd_kafka_message_t, timestamp: Int64, headers: OpaquePointer?, _ error: KafkaError
  ) {
    doubtsTopic = true
    unsafe unsent.add(
      KeptMessage(message, timestamp: timestamp, headers: headers, error: error))
  }

  /// Whether to try again: a full queue empties, and a dead producer is replaced.
  private func mustRetry(_ error: KafkaError) -> Bool {
    if error == .queueFull { return true }
    client.producer.checkForDeath()
    return client.producer.isDead
  }

  /// Makes one call for each message, which their own times and headers require.
  private mutating func sendSingly(_ batch: borrowing Batch) {
    var bytes = 0
    for index in 0..<batch.count {
      var message = unsafe batch.messages[index]
      if unsafe message.partition < 0 { unsafe message.partition = placement.current }
      unsafe produce(
        message, timestamp: batch.timestamps[index], headers: batch.headers[index])
      unsafe batch.headers[index] = nil
      unsafe bytes += message.len
    }
    placement.book(bytes)
  }

  /// Hands a message to librdkafka as soon as there is room; librdkafka then owns its headers.
  mutating func produce(
    _ message: rd_kafka_message_t, timestamp: Int64, headers: OpaquePointer?
  ) {
    waitAtWindow()
    while true {
      let error = KafkaError(
        unsafe SingleMessage.produce(
          client, message, to: message.partition, timestamp: timestamp, headers: headers))
      if error.code == 0 {
        client.outstanding += 1
        return
      }
      if mustRetry(error) {
        if isRepairing, client.producer.isDead {
          // The repair goes another round.
          return unsafe unsent.add(
            KeptMessage(message, timestamp: timestamp, headers: headers, error: error))
        }
        if mayGoOn() {
          waitForRoom()
          continue
        }
        unsafe account.unsent(Message(message))
      } else if error.isAboutTopic, !isHopeless, mayGoOn() {
        return unsafe keep(message, timestamp: timestamp, headers: headers, error)
      } else {
        unsafe account.failed(Message(message), for: error)
      }
      if let headers = unsafe headers { unsafe rd_kafka_headers_destroy(headers) }
      return
    }
  }

  // MARK: - The end

  /// Waits until the outcome of every message is known.
  package mutating func drain() {
    while mayDrain() {
      collect(waiting: 20)
      Diagnostics.progress(
        "waiting for \(outstanding) acknowledgements" + (stall.map { ": " + $0 } ?? ""))
    }
    giveUpRest()
  }

  /// Whether there is something to wait for at the end, and time for it.
  package mutating func mayDrain() -> Bool {
    isDraining = true
    return isBusy && mayGoOn()
  }

  /// Gives up what was not acknowledged, with that of all topics that share the queue.
  package mutating func giveUpRest() {
    giveUpKept()
    giveUp(client)
    if let single { giveUp(single) }
    giveUpKept()
    account.settled()
  }

  /// Gives up the messages in flight, and reports them.
  mutating func giveUp(_ client: Client) {
    guard client.outstanding > 0 else { return }
    client.producer.giveUp()
    let deadline = ContinuousClock.now + .seconds(5)
    while client.outstanding > 0, .now < deadline { takeReports(of: client, waiting: 20) }
    account.lost(client.outstanding)
    client.outstanding = 0
  }

  /// Reports the kept messages that can't be sent again.
  mutating func giveUpKept() {
    isHopeless = isHopeless || isDraining
    for kept in unsent.takeAll() + tooLarge.takeAll() + invalid.takeAll() {
      if kept.error == .queueFull || kept.error == .purgedFromQueue {
        unsafe account.unsent(Message(kept.message))
      } else {
        unsafe account.failed(Message(kept.message), for: kept.error)
      }
      if let headers = unsafe kept.headers { unsafe rd_kafka_headers_destroy(headers) }
      kept.free()
    }
  }
}
