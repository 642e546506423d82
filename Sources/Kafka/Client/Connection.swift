internal import Plumbing

/// A connected cluster, and the topic as the cluster describes it.
package struct Connection {
  let settings: ClientSettings
  let client: Client
  /// Where a new client comes from, when topics share a producer.
  let source: ProducerSource?
  let surroundings: Surroundings
  package let partitions: [Partition]
  package let limits: TopicLimits
  /// How long a small request and its answer took.
  let roundTrip: Duration

  /// Connects to the cluster and finds the topic.
  ///
  /// - Parameters:
  ///   - wait: how long to wait for both; `nil`: a few seconds, the time that a refusal needs.
  ///   - partition: a partition that must exist.
  ///   - source: the producer that topics share; `nil`: the topic gets one of its own.
  /// - Throws: ``KafkaFailure``.
  package init(
    _ settings: ClientSettings, wait: Duration?, partition: Int32? = nil,
    sharing source: ProducerSource? = nil, in surroundings: Surroundings = .process
  ) throws {
    let client = try source?.client(settings) ?? Client(settings)
    let start = surroundings.now()
    partitions = try client.findTopic(
      wait.map { .upTo($0) } ?? .short, named: settings.topic, brokers: settings.brokers,
      in: surroundings)
    if let partition, partition >= partitions.count {
      throw KafkaFailure.missing(
        "topic \(quoted(settings.topic)) has no partition \(partition): it has \(partitions.count)")
    }
    // This request takes as long as the one about the topic did, or gets no answer at all.
    let asked = surroundings.now()
    let took = start.duration(to: asked)
    limits = client.topicLimits(
      named: settings.topic, within: min(.milliseconds(500), .milliseconds(50) + took * 2))
    roundTrip = asked.duration(to: surroundings.now())
    client.producer.forgetTrouble()
    var settings = settings
    // With batches within the topic's limit, no second attempt is needed. Only a topic with a small
    // limit needs a new client.
    if let limit = limits.maximumBatch, limit < settings.batchSize {
      settings.limitBatches(to: max(1, limit - Self.batchMargin))
      self.source = nil
      self.client = try Client(settings)
      _ = try self.client.findTopic(
        .short, named: settings.topic, brokers: settings.brokers, in: surroundings)
    } else {
      self.source = source
      self.client = client
    }
    self.settings = settings
    self.surroundings = surroundings
  }

  /// The batch header, which librdkafka does not count when it fills a batch.
  private static let batchMargin = 100

  /// The cluster's id; `nil` when the cluster does not report it.
  package var clusterID: String? { client.clusterID }

  /// Waits until the cluster authorizes the producer, and throws ``KafkaFailure`` when it doesn't.
  ///
  /// This is the only check of write permission that is possible before anything is written.
  package func checkPermission() throws {
    let deadline = surroundings.now() + .seconds(5)
    while client.producer.awaitsProducerID, surroundings.now() < deadline,
      surroundings.signals() == 0
    {
      client.producer.poll(milliseconds: 20)
      client.producer.checkForDeath()
      if client.producer.isDead, let refusal = client.producer.refusal(topic: settings.topic) {
        throw refusal
      }
    }
    if client.producer.awaitsProducerID {
      throw KafkaFailure.noProducerID(reason: client.producer.producerIDTrouble)
    }
  }
}

/// The producer that several topics share.
package final class ProducerSource {
  private var producer: SharedProducer?

  package init() {}

  /// A client for the topic of `settings`. The first settings are those of the producer, which is
  /// replaced when it had a fatal error.
  func client(_ settings: ClientSettings) throws -> Client {
    if let producer, !producer.isDead { return try Client(settings, on: producer) }
    let client = try Client(settings)
    producer = client.producer
    return client
  }

  /// Readable when reports for any of the topics are waiting; -1 before the first of them.
  package var wakeDescriptor: Int32 { producer?.wakeDescriptor ?? -1 }
}

extension Connection {
  /// The size of the largest key and value that the topic accepts; `nil` when unknown.
  package var largestPayload: Int? {
    limits.largestPayload(isCompressed: settings.isCompressed)
  }
}

/// Returns the names of the cluster's topics, sorted.
///
/// - Parameter wait: how long to wait for the cluster; `nil`: a few seconds.
/// - Throws: ``KafkaFailure``.
package func topicNames(_ settings: ClientSettings, wait: Duration?) throws -> [String] {
  var settings = settings
  settings.topic = ""
  return try Client(settings).topicNames(
    wait.map { .upTo($0) } ?? .short, brokers: settings.brokers, in: .process)
}
