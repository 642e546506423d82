internal import Plumbing

/// A cluster that was reached, and the topic as it describes it.
package struct Connection {
  let settings: ClientSettings
  let client: Client
  package let partitions: [Partition]

  /// Reaches the cluster and finds the topic.
  ///
  /// - Parameters:
  ///   - wait: how long to wait for both; `nil`: a few seconds, no longer than a refusal needs.
  ///   - partition: one that must be there.
  /// - Throws: ``KafkaFailure``.
  package init(_ settings: ClientSettings, wait: Duration?, partition: Int32? = nil) throws {
    let client = try Client(settings)
    partitions = try client.findTopic(
      wait.map { .upTo($0) } ?? .short, named: settings.topic, brokers: settings.brokers)
    if let partition, partition >= partitions.count {
      throw KafkaFailure.missing(
        "topic \(quoted(settings.topic)) has no partition \(partition): it has \(partitions.count)")
    }
    client.forgetTrouble()
    self.settings = settings
    self.client = client
  }
}
