internal import CRdkafka

/// A topic's part of a librdkafka producer: sending to the topic, and the reports about it.
///
/// Several topics may share a producer. One thread uses all of them. Nothing here blocks for longer
/// than it is told.
@safe final class Client {
  /// The producer, which clients of other topics may share.
  let producer: SharedProducer
  /// `nil` for a client that only asks about the cluster.
  let topic: OpaquePointer?
  private let reports: SharedProducer.Reports

  /// The number of messages that were handed over and not yet reported.
  var outstanding = 0

  /// A client with a producer of its own.
  ///
  /// - Throws: ``KafkaFailure/badSetting(_:)`` for a property that librdkafka refuses.
  convenience init(_ settings: ClientSettings) throws {
    try self.init(settings, on: SharedProducer(settings))
  }

  /// A client for the topic of `settings`.
  init(_ settings: ClientSettings, on producer: SharedProducer) throws {
    self.producer = producer
    // An older broker creates every topic that is asked for, so none is without need.
    (unsafe topic, reports) = try unsafe producer.open(settings.topic)
  }

  deinit {
    if let topic = unsafe topic { unsafe rd_kafka_topic_destroy(topic) }
  }

  var handle: OpaquePointer { unsafe producer.handle }

  /// Returns the delivery reports for this topic; those for other topics wait for their clients.
  ///
  /// - Parameter milliseconds: how long to wait for the first one; `nil`: only what was taken from
  ///   the queue already.
  func takeReports(milliseconds: Int32?) -> [SharedProducer.Report] {
    if let milliseconds { producer.poll(milliseconds: reports.isEmpty ? milliseconds : 0) }
    return unsafe reports.takeAll()
  }
}
