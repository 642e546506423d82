extension Broker {
  /// The names of all topics, in their order.
  package var topicNames: [String] { node.topics.all.map(\.name) }

  /// Whether a topic may have this name.
  package static func isTopicName(_ name: String) -> Bool { Topics.isValid(name) }
}
