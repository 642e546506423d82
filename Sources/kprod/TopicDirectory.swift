import Glibc
import Kafka
import Plumbing

/// What a topic takes, as far as that is known.
struct Terms {
  /// 0 when it is unknown.
  var partitionCount: Int32 = 0
  /// Key and value of the largest message.
  var largestPayload = Int.max
  var needsKey = false
  var maximumLead = Int64.max
  var maximumAge = Int64.max

  init() {}

  init(_ connection: Connection) {
    partitionCount = Int32(clamping: connection.partitions.count)
    largestPayload = connection.largestPayload ?? .max
    needsKey = connection.limits.isCompacted
    maximumLead = connection.limits.maximumLead ?? .max
    maximumAge = connection.limits.maximumAge ?? .max
  }
}

/// The topics that lines name: each is looked up when the first line names it. All of them share one connection to the cluster.
///
/// A topic that the cluster does not have makes its lines bad ones. A cluster that can't be reached ends the run.
final class TopicDirectory {
  final class Topic {
    let name: String
    fileprivate let bytes: [UInt8]
    var terms: Terms
    /// `nil` in a dry run.
    var producer: Producer?

    fileprivate init(_ name: String, _ terms: Terms, _ producer: consuming Producer?) {
      self.name = name
      bytes = Array(name.utf8)
      self.terms = terms
      self.producer = producer
    }

    var isBusy: Bool { producer?.isBusy ?? false }
    var stall: String? { producer?.stall }
  }

  private(set) var topics: [Topic] = []
  /// Whether messages are sent at all.
  let sends: Bool
  private var settings: ClientSettings
  private let source = ProducerSource()
  private let wait: Duration?
  private let isBatchable: Bool
  private let ledger: Ledger
  private let drainLimit: Duration
  private let limit: Int
  /// Names of topics that can't be used, and why.
  private var refused: [String: Reason] = [:]
  /// Where the last line went: the next one often goes there too.
  private var latest = 0
  /// The messages of one topic, while they are handed over.
  private var part = Batch()
  /// The cluster's id, where a topic was found.
  private(set) var clusterID: String?

  /// More names are not remembered, but looked up again.
  private static let mostRefused = 10_000
  /// - Parameters:
  ///   - settings: how to send; the topic in it is not looked at.
  ///   - sends: `false` for a dry run.
  ///   - limit: how many topics there may be.
  init(
    _ settings: ClientSettings, sends: Bool, wait: Duration?, isBatchable: Bool, ledger: Ledger,
    drainLimit: Duration, limit: Int
  ) {
    self.settings = settings
    self.sends = sends
    self.wait = wait
    self.isBatchable = isBatchable
    self.ledger = ledger
    self.drainLimit = drainLimit
    self.limit = limit
  }

  /// The place in ``topics`` of a name that a line has.
  func place(of name: UnsafeRawBufferPointer) throws(Unusable) -> Int {
    if latest < topics.count, unsafe isSame(topics[latest].bytes, name) { return latest }
    for index in topics.indices where unsafe isSame(topics[index].bytes, name) {
      latest = index
      return index
    }
    latest = try open(unsafe String(decoding: name, as: UTF8.self))
    return latest
  }

  private func isSame(_ bytes: [UInt8], _ name: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == name.count else { return false }
    return bytes.isEmpty
      || (unsafe bytes.withUnsafeBytes { own in
        guard let own = own.baseAddress, let other = name.baseAddress else { return false }
        return unsafe memcmp(own, other, name.count) == 0
      })
  }

  private func open(_ name: String) throws(Unusable) -> Int {
    if let reason = refused[name] { throw Unusable(reason) }
    guard isTopicName(name) else { throw Unusable(.badTopic) }
    guard topics.count < limit else { throw Unusable(.tooManyTopics) }
    guard sends else {
      topics.append(Topic(name, Terms(), nil))
      return topics.count - 1
    }
    // Lines for topics that are known go on; no other topic is looked for any more.
    if ledger.failure != nil { throw Unusable(.notSent) }
    do {
      settings.topic = name
      // Who answered once need not be waited for.
      let isFirst = topics.isEmpty && refused.isEmpty
      let connection = try Connection(settings, wait: isFirst ? wait : nil, sharing: source)
      clusterID = clusterID ?? connection.clusterID
      let account = TopicAccount(ledger, topic: ledger.addTopic(name))
      var producer = Producer(
        connection, isBatchable: isBatchable, account: account, drainLimit: drainLimit)
      let place = topics.count
      producer.whenFull = { [unowned self] in takeForwarded(besides: place) }
      topics.append(Topic(name, Terms(connection), producer))
      return place
    } catch let failure as KafkaFailure {
      if case .missing(let words) = failure { throw refuse(name, words) }
      ledger.end(for: failure)
    } catch {
      ledger.end(
        for: error as? any ToolFailure
          ?? KafkaFailure.failed("the Kafka client can't be started: \(error)"))
    }
    throw Unusable(.notSent)
  }

  private func refuse(_ name: String, _ words: String) -> Unusable {
    Diagnostics.warning(words)
    if refused.count >= Self.mostRefused { refused = [:] }
    refused[name] = .noSuchTopic
    return Unusable(.noSuchTopic)
  }

  /// Sends the messages of a batch to their topics, and empties it.
  func send(_ batch: inout Batch) {
    guard batch.count > 0 else { return }
    for (index, topic) in topics.enumerated() {
      batch.give(route: index, to: &part)
      if part.count > 0 { topic.producer?.send(&part, collects: false) }
    }
    batch.discard()
    collect()
  }

  /// Takes in the reports that arrived.
  ///
  /// - Parameter milliseconds: how long to wait for the first one.
  func collect(waiting milliseconds: Int32 = 0) {
    var left = milliseconds
    // One of them takes the reports about all from the queue.
    var isTaken = false
    for topic in topics {
      let (isBusy, isShared) = (topic.isBusy, topic.producer?.isShared == true)
      topic.producer?.collect(waiting: isShared && isTaken ? nil : isBusy ? left : 0)
      isTaken = isTaken || isShared
      if isBusy { left = 0 }
    }
  }

  /// Takes in the reports about other topics, while a topic waits for room in the queue.
  private func takeForwarded(besides waiting: Int) {
    for (index, topic) in topics.enumerated() where index != waiting {
      topic.producer?.takeForwarded()
    }
  }

  /// Readable when reports are waiting.
  var wakeDescriptor: Int32 { source.wakeDescriptor }

  /// Whether ``wakeDescriptor`` tells about all topics: one with small batches has a connection of its own.
  var isShared: Bool { topics.allSatisfy { $0.producer?.isShared == true } }

  /// Waits until every message is accounted for.
  func drain() {
    while true {
      // Each of them is asked: that is when the time after a signal begins.
      let open = topics.filter { $0.producer?.mayDrain() == true }
      guard let first = open.first else { break }
      collect(waiting: 20)
      let count = open.reduce(0) { $0 + ($1.producer?.outstanding ?? 0) }
      Diagnostics.progress(
        "waiting for \(count) acknowledgements" + (first.stall.map { ": " + $0 } ?? ""))
    }
    for topic in topics { topic.producer?.giveUpRest() }
  }
}

/// Tells the ledger which topic a report is about.
private final class TopicAccount: DeliveryAccount {
  private let ledger: Ledger
  private let topic: Int

  init(_ ledger: Ledger, topic: Int) {
    self.ledger = ledger
    self.topic = topic
  }

  var failure: (any ToolFailure)? { ledger.failure }
  func end(for failure: any ToolFailure) { ledger.end(for: failure) }
  func delivered(_ batch: borrowing DeliveredBatch) { ledger.delivered(batch, topic: topic) }
  func failed(_ message: Message, for error: KafkaError) { ledger.failed(message, for: error) }
  func unsent(_ message: Message) { ledger.unsent(message) }
  func unknown(_ message: Message, for error: KafkaError?) { ledger.unknown(message, for: error) }
  func lost(_ count: Int) { ledger.lost(count) }
  func settled() { ledger.settled() }
}
