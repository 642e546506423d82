internal import CRdkafka
internal import Glibc
internal import Plumbing

/// Hands batches over to the client, waits where its queue is full, and books what comes back.
struct Sender: ~Copyable {
  private let settings: ClientSettings
  private var client: Client
  let ledger: Ledger
  let partitions: [Partition]
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
    placement = Placement(partitions, seed: Int(getpid()))
    starts = Array(repeating: 0, count: partitions.count + 1)
  }

  var wakeDescriptor: Int32 { client.wakeDescriptor }
  /// Messages on their way.
  var outstanding: Int { client.outstanding }

  /// Books what the cluster answered meanwhile.
  mutating func collect(waiting milliseconds: Int32 = 0) {
    let client = client
    let ledger = ledger
    unsafe client.takeEvents(milliseconds: milliseconds) { event in
      client.outstanding -= unsafe ledger.settle(event)
    }
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
    } catch let known as KafkaFailure {
      failure = known
    } catch {
      failure = .failed("the Kafka client can't start anew: \(error)")
    }
  }

  /// A new producer for one that refuses to work; what the old one still held is booked first.
  private mutating func replaceClient() throws {
    Diagnostics.verbose("the Kafka client gave up; starting it anew")
    giveUp()
    deaths = ledger.tally.delivered > deliveredAtBirth ? 1 : deaths + 1
    deliveredAtBirth = ledger.tally.delivered
    guard deaths <= 3 else {
      throw KafkaFailure.failed("the cluster breaks off every attempt to send")
    }
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
      var error = RD_KAFKA_RESP_ERR__QUEUE_FULL
      while true {
        error = unsafe SingleMessage.produce(
          client, message, to: target, timestamp: batch.timestamps[index],
          headers: batch.headers[index])
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR, mustRetry(error), mayGoOn() else { break }
        waitForRoom()
      }
      if error == RD_KAFKA_RESP_ERR_NO_ERROR {
        client.outstanding += 1
      } else {
        let reason =
          error == RD_KAFKA_RESP_ERR__QUEUE_FULL || client.isDead
          ? Reason.notSent : .kafka(error.rawValue)
        unsafe ledger.fail(reason, message: message)
        unsafe KeptLine.release(message._private)
        if let headers = unsafe batch.headers[index] {
          unsafe rd_kafka_headers_destroy(headers)
        }
      }
      unsafe batch.headers[index] = nil
      unsafe bytes += message.len
    }
    placement.book(bytes)
  }

  /// Waits until every message is accounted for.
  mutating func drain() {
    while client.outstanding > 0, mayGoOn() {
      collect(waiting: 20)
      Diagnostics.progress("waiting for \(client.outstanding) acknowledgements")
    }
    giveUp()
    ledger.flush()
  }

  /// Gives up what is still on its way, and books it.
  private mutating func giveUp() {
    guard client.outstanding > 0 else { return }
    client.giveUp()
    let deadline = ContinuousClock.now + .seconds(5)
    while client.outstanding > 0, .now < deadline { collect(waiting: 20) }
    ledger.lose(client.outstanding)
    client.outstanding = 0
  }
}

/// The call for one message with everything.
private enum SingleMessage {
  static func produce(
    _ client: Client, _ message: rd_kafka_message_t, to partition: Int32, timestamp: Int64,
    headers: OpaquePointer?
  ) -> rd_kafka_resp_err_t {
    var words = unsafe (
      rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t(),
      rd_kafka_vu_t(), rd_kafka_vu_t(), rd_kafka_vu_t()
    )
    unsafe words.0.vtype = RD_KAFKA_VTYPE_RKT
    unsafe words.0.u.rkt = client.topic
    unsafe words.1.vtype = RD_KAFKA_VTYPE_PARTITION
    unsafe words.1.u.i32 = partition
    unsafe words.2.vtype = RD_KAFKA_VTYPE_VALUE
    unsafe words.2.u.mem.ptr = unsafe message.payload
    unsafe words.2.u.mem.size = unsafe message.len
    unsafe words.3.vtype = RD_KAFKA_VTYPE_KEY
    unsafe words.3.u.mem.ptr = unsafe message.key
    unsafe words.3.u.mem.size = unsafe message.key_len
    unsafe words.4.vtype = RD_KAFKA_VTYPE_MSGFLAGS
    unsafe words.4.u.i = RD_KAFKA_MSG_F_COPY
    unsafe words.5.vtype = RD_KAFKA_VTYPE_TIMESTAMP
    unsafe words.5.u.i64 = timestamp
    unsafe words.6.vtype = RD_KAFKA_VTYPE_OPAQUE
    unsafe words.6.u.ptr = unsafe message._private
    unsafe words.7.vtype = RD_KAFKA_VTYPE_HEADERS
    unsafe words.7.u.headers = headers
    let count = unsafe headers == nil ? 7 : 8
    // A tuple of equal elements lies in memory as an array of them.
    let error = unsafe withUnsafePointer(to: &words) { pointer in
      unsafe pointer.withMemoryRebound(to: rd_kafka_vu_t.self, capacity: 8) {
        unsafe rd_kafka_produceva(client.handle, $0, count)
      }
    }
    guard let error = unsafe error else { return RD_KAFKA_RESP_ERR_NO_ERROR }
    defer { unsafe rd_kafka_error_destroy(error) }
    return unsafe rd_kafka_error_code(error)
  }
}
