internal import Plumbing

/// A cluster that was reached, and the topic as it describes it.
package struct Connection {
  let settings: ClientSettings
  let client: Client
  let surroundings: Surroundings
  package let partitions: [Partition]
  package let limits: TopicLimits

  /// Reaches the cluster and finds the topic.
  ///
  /// - Parameters:
  ///   - wait: how long to wait for both; `nil`: a few seconds, no longer than a refusal needs.
  ///   - partition: one that must be there.
  /// - Throws: ``KafkaFailure``.
  package init(
    _ settings: ClientSettings, wait: Duration?, partition: Int32? = nil,
    in surroundings: Surroundings = .process
  ) throws {
    let client = try Client(settings)
    let start = surroundings.now()
    partitions = try client.findTopic(
      wait.map { .upTo($0) } ?? .short, named: settings.topic, brokers: settings.brokers,
      in: surroundings)
    if let partition, partition >= partitions.count {
      throw KafkaFailure.missing(
        "topic \(quoted(settings.topic)) has no partition \(partition): it has \(partitions.count)")
    }
    // The answer takes as long as the one about the topic did, or does not come at all.
    let took = start.duration(to: surroundings.now())
    limits = client.topicLimits(
      named: settings.topic, within: min(.milliseconds(500), .milliseconds(50) + took * 2))
    client.forgetTrouble()
    var settings = settings
    // A batch that the topic takes needs no second attempt. The client is made anew only for a topic with a small limit.
    if let limit = limits.maximumBatch, limit < settings.batchSize {
      settings.limitBatches(to: max(1, limit - Self.batchMargin))
      self.client = try Client(settings)
      _ = try self.client.findTopic(
        .short, named: settings.topic, brokers: settings.brokers, in: surroundings)
    } else {
      self.client = client
    }
    self.settings = settings
    self.surroundings = surroundings
  }

  /// What the library doesn't count when it fills a batch: the batch's own head.
  private static let batchMargin = 100

  /// The cluster's id; `nil` when it doesn't tell.
  package var clusterID: String? { client.clusterID }

  /// Waits until the cluster has let the producer in, and throws ``KafkaFailure`` when it doesn't.
  ///
  /// That is the one sign of a permission to write that shows before anything is written.
  package func checkPermission(within limit: Duration = .seconds(5)) throws {
    let deadline = surroundings.now() + limit
    while client.awaitsProducerID, surroundings.now() < deadline, surroundings.signals() == 0 {
      // Nothing was sent, so no report is among the events.
      unsafe client.takeEvents(milliseconds: 20) { _ in }
      client.checkForDeath()
      if client.isDead, let refusal = client.refusal(topic: settings.topic) { throw refusal }
    }
    if client.awaitsProducerID { throw KafkaFailure.noProducerID(reason: client.producerIDTrouble) }
  }
}

extension Connection {
  /// Key and value of the largest message that the topic can take; `nil` when that is unknown.
  package var largestPayload: Int? {
    limits.largestPayload(isCompressed: settings.isCompressed)
  }
}
