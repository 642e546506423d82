extension Broker {
  /// The names of all topics, in order.
  package var topicNames: [String] { node.topics.all.map(\.name) }

  /// Whether this is a valid topic name.
  package static func isTopicName(_ name: String) -> Bool { Topics.isValid(name) }
}
