import Kafka
import Plumbing

/// Where messages go: to the producer of one topic, or to those of the topics that the lines name.
struct Outlet: ~Copyable {
  /// `nil` for several topics, and for a dry run.
  private var producer: Producer?
  /// `nil` for one topic.
  private let directory: TopicDirectory?

  /// One topic; a dry run without a connection.
  init(
    through connection: Connection?, isBatchable: Bool, account: any DeliveryAccount,
    drainLimit: Duration
  ) {
    producer = connection.map {
      Producer($0, isBatchable: isBatchable, account: account, drainLimit: drainLimit)
    }
    directory = nil
  }

  init(to directory: TopicDirectory) {
    producer = nil
    self.directory = directory
  }

  /// Whether messages are sent at all.
  var sends: Bool { producer != nil || directory?.sends == true }

  /// Readable when reports are waiting; -1 where nothing tells.
  var wakeDescriptor: Int32 {
    mutating get { producer?.wakeDescriptor ?? directory?.wakeDescriptor ?? -1 }
  }

  /// Whether any message is not accounted for.
  var isBusy: Bool {
    mutating get { producer?.isBusy ?? directory?.topics.contains { $0.isBusy } ?? false }
  }

  /// The name of one of several topics.
  func name(of place: Int) -> String? {
    directory.flatMap { place < $0.topics.count ? $0.topics[place].name : nil }
  }

  /// How long to wait for input before reports are looked at.
  var patience: Duration? {
    mutating get {
      guard isBusy else { return nil }
      return directory?.isShared == false ? .milliseconds(20) : .milliseconds(200)
    }
  }

  /// Why nothing has been acknowledged for a while.
  var stall: String? {
    mutating get {
      if let stall = producer?.stall { return stall }
      for topic in directory?.topics ?? [] {
        if let stall = topic.stall { return "topic \(quoted(topic.name)): " + stall }
      }
      return nil
    }
  }

  /// Sends a batch and empties it.
  mutating func send(_ batch: inout Batch) {
    if producer != nil {
      producer?.send(&batch)
    } else if let directory, directory.sends {
      directory.send(&batch)
    } else {
      batch.discard()
    }
  }

  /// Takes in what was answered.
  mutating func collect(waiting milliseconds: Int32 = 0) {
    producer?.collect(waiting: milliseconds)
    directory?.collect(waiting: milliseconds)
  }

  /// Looks at the partitions again now and then; returns how many there are when that was looked up for one topic.
  mutating func refresh() -> Int32? {
    for topic in directory?.topics ?? [] {
      if let count = topic.producer?.refresh() { topic.terms.partitionCount = count }
    }
    return producer?.refresh()
  }

  /// Whether there is still time to send; `nil` for a dry run, which sends nothing.
  mutating func mayGoOn() -> Bool? {
    if producer != nil { return producer?.mayGoOn() }
    guard let directory, directory.sends else { return nil }
    // Each of them is asked: that is when the time after a signal begins.
    let answers = directory.topics.map { $0.producer?.mayGoOn() ?? true }
    return answers.isEmpty ? Interruption.count == 0 : answers.allSatisfy { $0 }
  }

  /// Waits until every message is accounted for.
  mutating func drain() {
    producer?.drain()
    directory?.drain()
  }
}
