import CRdkafka
import Foundation
import Plumbing
import Synchronization
import Testing

@testable import Kafka

/// The producer against mock brokers in this process, with the test's own clock and signals.
@Suite struct ProducerTests {
  /// librdkafka's mock cluster.
  @safe final class Cluster {
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    let brokers: String

    init() throws {
      var words = [CChar](repeating: 0, count: 256)
      let configuration = unsafe rd_kafka_conf_new()
      let made = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &words, words.count)
      let client = unsafe try #require(made)
      unsafe self.client = client
      let started = unsafe rd_kafka_mock_cluster_new(client, 1)
      let cluster = unsafe try #require(started)
      unsafe self.cluster = cluster
      let list = unsafe rd_kafka_mock_cluster_bootstraps(cluster)
      let text = unsafe try #require(list)
      unsafe brokers = String(cString: text)
      unsafe rd_kafka_mock_topic_create(cluster, "t", 2, 1)
      unsafe rd_kafka_mock_topic_create(cluster, "u", 2, 1)
    }

    deinit {
      unsafe rd_kafka_mock_cluster_destroy(cluster)
      unsafe rd_kafka_destroy(client)
    }

    /// Answers the next produce requests with this error.
    func answerProduce(_ error: rd_kafka_resp_err_t, count: Int = 1) {
      let errors = Array(repeating: error, count: count)
      unsafe rd_kafka_mock_push_request_errors_array(cluster, 0, count, errors)
    }
  }

  /// The time and the signals that the test sets.
  final class World: Sendable {
    let seconds = Atomic<Int>(0)
    let signals = Atomic<Int>(0)
    let start = ContinuousClock.now

    var surroundings: Surroundings {
      Surroundings(
        now: { self.start + .seconds(self.seconds.load(ordering: .relaxed)) },
        signals: { self.signals.load(ordering: .relaxed) })
    }
  }

  /// Counts the reports.
  final class Account: DeliveryAccount {
    var delivered = 0
    var offsets: [Int32: [Int64]] = [:]
    var failed: [KafkaError: Int] = [:]
    var unsent = 0
    var unknown = 0
    private(set) var failure: (any ToolFailure)?

    var total: Int { delivered + failed.values.reduce(0, +) + unsent + unknown }

    func end(for failure: any ToolFailure) { self.failure = self.failure ?? failure }
    func delivered(_ batch: borrowing DeliveredBatch) {
      delivered += batch.count
      let partition = batch.partition
      unsafe batch.forEach { _, offset, _ in offsets[partition, default: []].append(offset) }
    }
    func failed(_ message: Message, for error: KafkaError) { failed[error, default: 0] += 1 }
    func unsent(_ message: Message) { unsent += 1 }
    func unknown(_ message: Message, for error: KafkaError?) { unknown += 1 }
    func lost(_ count: Int) { unknown += count }
    func settled() {}
  }

  // Each test has its own.
  let cluster: Cluster
  let world = World()
  let account = Account()

  init() throws { cluster = try Cluster() }

  func producer(
    _ properties: [(String, String)] = [], topic: String = "t", for account: Account? = nil,
    sharing source: ProducerSource? = nil
  ) throws -> Producer {
    var settings = ClientSettings(brokers: cluster.brokers, topic: topic)
    settings.properties = properties.map { name, value in
      ClientSettings.Property(name: name, value: value, origin: "test")
    }
    let connection = try Connection(
      settings, wait: .seconds(10), sharing: source, in: world.surroundings)
    return Producer(
      connection, isBatchable: true, account: account ?? self.account, drainLimit: .seconds(10))
  }

  func send(_ count: Int, to producer: inout Producer, partition: Int32 = 0) {
    let text = Array("line".utf8)
    unsafe text.withUnsafeBytes { bytes in
      var batch = Batch()
      for _ in 0..<count {
        unsafe batch.append(value: bytes, key: nil, partition: partition)
        if batch.isFull { producer.send(&batch) }
      }
      producer.send(&batch)
    }
  }

  @Test func nothingAcknowledgedForTheWholeTimeIsTheEnd() throws {
    var producer = try producer()
    cluster.answerProduce(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, count: 100_000)
    send(10, to: &producer)
    producer.collect(waiting: 50)
    #expect(account.failure == nil)
    world.seconds.store(119, ordering: .relaxed)
    producer.collect(waiting: 50)
    #expect(account.failure == nil && account.total == 0, "one second is left")
    let stall = producer.stall
    #expect(stall != nil)
    world.seconds.store(120, ordering: .relaxed)
    producer.collect(waiting: 50)
    let failure = try #require(account.failure as? KafkaFailure)
    guard case .gaveUp("120 s", _, hasReadAll: false) = failure else {
      Issue.record("\(failure)")
      return
    }
    #expect(failure.exitStatus == .temporary)
    producer.drain()
    #expect(account.total == 10 && account.delivered == 0)
    _ = consume producer
  }

  @Test func theTimeBeginsWithTheFirstMessageAfterAPause() throws {
    var producer = try producer()
    // A pipe without a line leaves the producer alone, before the first line and between lines.
    for pause in 1...3 {
      world.seconds.store(pause * 5000, ordering: .relaxed)
      send(10, to: &producer)
      while producer.isBusy, account.failure == nil { producer.collect(waiting: 20) }
      #expect(account.failure == nil && account.delivered == pause * 10)
    }
  }

  @Test func aClusterThatPausesGetsMoreMessagesAtOnce() throws {
    var producer = try producer()
    cluster.answerProduce(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, count: 100)
    // The clock of the test jumps while the window is full.
    Thread.detachNewThread { [world] in
      for _ in 0..<50 {
        usleep(2000)
        world.seconds.add(1, ordering: .relaxed)
      }
    }
    send(40_000, to: &producer)
    let window = producer.window
    #expect(window == .max)
    producer.drain()
    #expect(account.failure == nil && account.delivered == 40_000)
  }

  @Test func anInvalidRecordSparesTheOthers() throws {
    var producer = try producer()
    // The batch is refused, then one of its messages sent alone.
    cluster.answerProduce(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, count: 2)
    send(500, to: &producer)
    producer.drain()
    #expect(account.failure == nil)
    #expect(account.failed == [.invalidTimestamp: 1])
    #expect(account.delivered == 499)
    let offsets = try #require(account.offsets[0]).sorted()
    #expect(offsets == Array(0..<499), "each has its own offset")
  }

  @Test func aDeadProducerTakesNothingAlongThatWasNotSent() throws {
    var producer = try producer(
      [("max.in.flight.requests.per.connection", "1")])
    cluster.answerProduce(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    for _ in 0..<20 { send(1000, to: &producer) }
    producer.drain()
    #expect(account.failure == nil)
    #expect(account.total == 20_000)
    #expect(account.failed.isEmpty && account.unsent == 0)
    // Only messages in flight when the producer died are in doubt.
    #expect(account.delivered > 0)
  }

  /// Two topics with one connection: the queue is full of messages of the other topic, and a fatal
  /// error ends the producer of both.
  @Test(arguments: [RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER])
  func topicsThatShareAProducer(_ error: rd_kafka_resp_err_t) throws {
    let source = ProducerSource()
    let properties = [
      ("max.in.flight.requests.per.connection", "1"), ("queue.buffering.max.messages", "500"),
    ]
    final class Lane {
      let account = Account()
      var producer: Producer

      init(_ make: (Account) throws -> Producer) throws { producer = try make(account) }
    }
    let lanes = try ["t", "u"].map { topic in
      try Lane { try producer(properties, topic: topic, for: $0, sharing: source) }
    }
    #expect(lanes[0].producer.wakeDescriptor == lanes[1].producer.wakeDescriptor)
    for index in lanes.indices {
      lanes[index].producer.whenFull = { lanes[1 - index].producer.takeForwarded() }
    }
    if error != RD_KAFKA_RESP_ERR_NO_ERROR { cluster.answerProduce(error) }
    for _ in 0..<20 { for lane in lanes { send(700, to: &lane.producer) } }
    while lanes.contains(where: { $0.producer.mayDrain() }) {
      for lane in lanes { lane.producer.collect(waiting: 5) }
    }
    for lane in lanes {
      lane.producer.giveUpRest()
      #expect(lane.account.failure == nil)
      #expect(lane.account.total == 14_000)
      #expect(lane.account.failed.isEmpty && lane.account.unsent == 0)
      #expect(lane.account.offsets.values.allSatisfy { Set($0).count == $0.count })
      if error == RD_KAFKA_RESP_ERR_NO_ERROR { #expect(lane.account.unknown == 0) }
      // The lanes and their producers refer to each other.
      lane.producer.whenFull = nil
    }
  }

  @Test func theSecondSignalGivesUpWhatIsNotAnswered() throws {
    var producer = try producer()
    cluster.answerProduce(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, count: 100_000)
    send(10, to: &producer)
    world.signals.store(1, ordering: .relaxed)
    var isOpen = producer.mayGoOn()
    #expect(isOpen)
    world.signals.store(2, ordering: .relaxed)
    isOpen = producer.mayGoOn()
    #expect(!isOpen)
    producer.drain()
    #expect(account.total == 10 && account.delivered == 0)
  }

  @Test func afterOneSignalThereIsTheTimeOfTheDrain() throws {
    var producer = try producer()
    world.signals.store(1, ordering: .relaxed)
    var isOpen = producer.mayGoOn()
    #expect(isOpen)
    world.seconds.store(9, ordering: .relaxed)
    isOpen = producer.mayGoOn()
    #expect(isOpen)
    world.seconds.store(10, ordering: .relaxed)
    isOpen = producer.mayGoOn()
    #expect(!isOpen)
  }
}

@Suite struct PatienceSettingsTests {
  static func settings(_ name: String, _ value: String) -> ClientSettings {
    var settings = ClientSettings(brokers: "b", topic: "t")
    settings.properties = [ClientSettings.Property(name: name, value: value, origin: "-X")]
    return settings
  }

  @Test(arguments: ["message.timeout.ms", "delivery.timeout.ms"])
  func theLibrarysLimitIsOurs(_ name: String) {
    let settings = Self.settings(name, "2000")
    #expect(settings.patience == .seconds(2))
    let told = settings.all.filter { $0.name.hasSuffix(".timeout.ms") }
    #expect(told.filter { $0.name == "message.timeout.ms" }.map(\.value) == ["0"])
    #expect(!told.contains { $0.name == "delivery.timeout.ms" })
    #expect(told.first { $0.name == "socket.timeout.ms" }?.value == "1000")
    #expect(Self.settings(name, "0").patience == nil)
    #expect(Self.settings(name, "soon").all.contains { $0.value == "soon" }, "to be refused")
  }

  @Test(arguments: [
    ("sasl_ssl", "sasl.mechanisms is not set"), ("SASL_PLAINTEXT", "sasl.mechanisms is not set"),
  ])
  func missingMechanisms(_ protocolName: String, _ words: String) {
    let failure = #expect(throws: KafkaFailure.self) {
      try Self.settings("security.protocol", protocolName).checkSecurity()
    }
    #expect(failure?.message.contains(words) == true)
    #expect(failure?.exitStatus == .usage)
  }

  @Test func filesThatAreNotThere() {
    let failure = #expect(throws: KafkaFailure.self) {
      try Self.settings("ssl.ca.location", "/no/such/file").checkSecurity()
    }
    #expect(
      failure?.message == "-X: ssl.ca.location: opening '/no/such/file': no such file or directory")
  }
}

@Suite struct TopicLimitsTests {
  @Test func settingsBecomeLimits() {
    var limits = TopicLimits()
    #expect(limits.largestPayload(isCompressed: false) == nil)
    limits.note("max.message.bytes", "300")
    limits.note("cleanup.policy", "compact,delete")
    limits.note("message.timestamp.difference.max.ms", "9223372036854775807")
    limits.note("message.timestamp.after.max.ms", "3600000")
    limits.note("min.insync.replicas", "2")
    limits.note("retention.ms", "1")
    #expect(limits.maximumBatch == 300 && limits.isCompacted && limits.minimumInSync == 2)
    #expect(limits.maximumLead == 3_600_000 && limits.maximumAge == .max)
    #expect(limits.largestPayload(isCompressed: false) == 232)
    #expect(limits.largestPayload(isCompressed: true) == nil)
    limits.forgetTimes()
    #expect(limits.maximumLead == nil && limits.maximumAge == nil)
  }
}
