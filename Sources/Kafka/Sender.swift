internal import CRdkafka
internal import Glibc
internal import Plumbing

/// Hands batches over to the client, waits where its queue is full, and books what comes back.
struct Sender: ~Copyable {
  var settings: ClientSettings
  var client: Client
  let ledger: Ledger
  /// The topic's partitions, as the cluster described them last.
  private var partitions: [Partition]
  private var placement: Placement
  private let isBatchable: Bool
  private let drainLimit: Duration
  private var drainDeadline: ContinuousClock.Instant?
  /// Where each partition's run begins in a sorted batch.
  private var starts: [Int]
  /// Producers that died in a row without a single delivery.
  private var deaths = 0
  /// Why nothing can be sent any more.
  private(set) var failure: KafkaFailure?
  private var deliveredAtBirth = 0
  /// Whether refused messages are being sent again, or not any more.
  var isResending = false
  private var isDraining = false
  private let refreshInterval: Duration?
  private var lastRefresh = ContinuousClock.now

  init(
    _ settings: ClientSettings, form: RecordForm, client: Client, partitions: [Partition],
    ledger: Ledger, drainLimit: Duration
  ) {
    self.settings = settings
    self.client = client
    self.partitions = partitions
    self.ledger = ledger
    self.drainLimit = drainLimit
    isBatchable = form.isBatchable
    refreshInterval = settings.refreshInterval
    ledger.patience = settings.patience
    placement = Placement(partitions, seed: Int(getpid()))
    starts = Array(repeating: 0, count: partitions.count + 1)
  }

  var wakeDescriptor: Int32 { client.wakeDescriptor }
  /// Messages on their way.
  var outstanding: Int { client.outstanding }

  /// Books what the cluster answered meanwhile, and sees to what follows from it.
  mutating func collect(waiting milliseconds: Int32 = 0) {
    collectReports(waiting: milliseconds)
    if !ledger.refused.isEmpty { resendRefused() }
  }

  mutating func collectReports(waiting milliseconds: Int32) {
    let client = client
    let ledger = ledger
    let before = ledger.tally.delivered
    unsafe client.takeEvents(milliseconds: milliseconds) { event in
      client.outstanding -= unsafe ledger.settle(event)
    }
    if ledger.tally.delivered > before { client.forgetTrouble() }
    if failure == nil { checkForHopelessness() }
  }

  /// Where no line can get through, reading on would only spoil more of them.
  private mutating func checkForHopelessness() {
    if client.isDead, let refusal = client.refusal(topic: settings.topic) {
      failure = refusal
    } else if ledger.isForbidden {
      failure = .refused(
        "topic \(quoted(settings.topic)): no permission to write to it", hint: nil)
    } else if ledger.isStuck, !isDraining {
      let reason =
        client.trouble.map { client.shortened($0.words) }
        ?? lowercasedFirst(kafkaWords(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT.rawValue))
      failure = .gaveUp(limit: words(for: settings.patience ?? .zero), reason: reason)
    }
  }

  /// Takes an error that ends it all.
  mutating func note(_ error: any Error) {
    failure = error as? KafkaFailure ?? .failed("the Kafka client can't start anew: \(error)")
  }

  /// Asks now and then whether the topic has more partitions, or other leaders.
  ///
  /// - Returns: how many partitions there are, when that was looked up.
  mutating func refresh() -> Int32? {
    guard let refreshInterval, lastRefresh.duration(to: .now) >= refreshInterval else { return nil }
    lastRefresh = .now
    guard let found = client.currentPartitions() else { return nil }
    use(found)
    return Int32(found.count)
  }

  private mutating func use(_ found: [Partition]) {
    guard found != partitions else { return }
    partitions = found
    placement.update(found)
    starts = Array(repeating: 0, count: found.count + 1)
  }

  /// Whether there is still time to send: after the first signal for a while, after the second not at all.
  mutating func mayGoOn() -> Bool {
    switch Interruption.count {
    case 0: return failure == nil && ledger.writeFailure == nil
    case 1:
      let deadline = drainDeadline ?? .now + drainLimit
      drainDeadline = deadline
      return failure == nil && .now < deadline
    default: return false
    }
  }

  /// Sends a batch and empties it; lines that can't be sent are in the account when it returns.
  mutating func send(_ batch: inout Batch) {
    let count = batch.count
    guard count > 0 else { return }
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
    collect()
  }

  /// The partition that all messages go to, when it is one.
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

  /// Messages for one partition, in order; where the queue is full, those behind wait their turn.
  private mutating func send(
    _ messages: UnsafeMutablePointer<rd_kafka_message_t>, _ count: Int, to partition: Int32
  ) {
    var left = count
    while left > 0 {
      let sent = unsafe rd_kafka_produce_batch(
        client.topic, partition, RD_KAFKA_MSG_F_COPY, messages, Int32(left))
      client.outstanding += Int(sent)
      if Int(sent) == left { return }
      left = unsafe keepRefused(messages, left)
      if left > 0, !mayGoOn() {
        for index in 0..<left { unsafe ledger.fail(.notSent, message: messages[index]) }
        return
      }
      if left > 0 { waitForRoom() }
    }
  }

  /// Moves what is to be tried again to the front, books the rest; returns how many there are.
  private func keepRefused(
    _ messages: UnsafeMutablePointer<rd_kafka_message_t>, _ count: Int
  ) -> Int {
    var kept = 0
    for index in 0..<count {
      let error = unsafe messages[index].err
      if error == RD_KAFKA_RESP_ERR_NO_ERROR { continue }
      unsafe messages[index].err = RD_KAFKA_RESP_ERR_NO_ERROR
      if mustRetry(error) {
        unsafe messages[kept] = unsafe messages[index]
        kept += 1
      } else {
        unsafe ledger.fail(.kafka(error.rawValue), message: messages[index])
      }
    }
    return kept
  }

  /// A full queue empties, and a dead producer is replaced.
  private func mustRetry(_ error: rd_kafka_resp_err_t) -> Bool {
    if error == RD_KAFKA_RESP_ERR__QUEUE_FULL { return true }
    client.checkForDeath()
    return client.isDead
  }

  private mutating func waitForRoom() {
    guard client.isDead else { return collect(waiting: 10) }
    do {
      try replaceClient()
    } catch {
      note(error)
    }
  }

  /// A new producer for one that refuses to work; what the old one still held is booked first.
  private mutating func replaceClient() throws {
    Diagnostics.verbose("the Kafka client gave up; starting it anew")
    giveUp()
    if let refusal = client.refusal(topic: settings.topic) { throw refusal }
    deaths = ledger.tally.delivered > deliveredAtBirth ? 1 : deaths + 1
    deliveredAtBirth = ledger.tally.delivered
    guard deaths <= 3 else {
      throw KafkaFailure.failed("the cluster breaks off every attempt to send")
    }
    try startClient()
  }

  /// A new producer in the place of one that has nothing on its way.
  ///
  /// The messages at hand are placed already, so the partitions stay those that are known.
  mutating func startClient() throws {
    client = try Client(settings)
    _ = try client.findTopic(
      .upTo(settings.timeout), named: settings.topic, brokers: settings.brokers)
  }

  /// One call for each message, which is what timestamps and headers of its own take.
  private mutating func sendSingly(_ batch: borrowing Batch) {
    var bytes = 0
    for index in 0..<batch.count {
      let message = unsafe batch.messages[index]
      let target = unsafe message.partition >= 0 ? message.partition : placement.current
      let error = unsafe produce(
        message, to: target, timestamp: batch.timestamps[index], headers: batch.headers[index])
      if error != RD_KAFKA_RESP_ERR_NO_ERROR {
        unsafe failUnsent(message, error: error, headers: batch.headers[index])
      }
      unsafe batch.headers[index] = nil
      unsafe bytes += message.len
    }
    placement.book(bytes)
  }

  /// Hands a message over, as soon as there is room; its headers are then the library's.
  mutating func produce(
    _ message: rd_kafka_message_t, to partition: Int32, timestamp: Int64, headers: OpaquePointer?
  ) -> rd_kafka_resp_err_t {
    while true {
      let error = unsafe SingleMessage.produce(
        client, message, to: partition, timestamp: timestamp, headers: headers)
      if error == RD_KAFKA_RESP_ERR_NO_ERROR {
        client.outstanding += 1
        return error
      }
      guard mustRetry(error), mayGoOn() else { return error }
      waitForRoom()
    }
  }

  /// Books a message that could not be handed over, and frees what it owns.
  func failUnsent(
    _ message: rd_kafka_message_t, error: rd_kafka_resp_err_t, headers: OpaquePointer?
  ) {
    let reason =
      error == RD_KAFKA_RESP_ERR__QUEUE_FULL || client.isDead
      ? Reason.notSent : .kafka(error.rawValue)
    unsafe ledger.fail(reason, message: message)
    unsafe KeptLine.release(message._private)
    if let headers = unsafe headers { unsafe rd_kafka_headers_destroy(headers) }
  }

  /// Waits until every message is accounted for.
  mutating func drain() {
    isDraining = true
    while client.outstanding > 0 || !ledger.refused.isEmpty, mayGoOn() {
      collect(waiting: 20)
      Diagnostics.progress("waiting for \(client.outstanding) acknowledgements")
    }
    giveUp()
    failRefused()
    ledger.flush()
  }

  /// Gives up what is still on its way, and books it.
  private mutating func giveUp() {
    guard client.outstanding > 0 else { return }
    client.giveUp()
    let deadline = ContinuousClock.now + .seconds(5)
    while client.outstanding > 0, .now < deadline { collectReports(waiting: 20) }
    ledger.lose(client.outstanding)
    client.outstanding = 0
  }
}
