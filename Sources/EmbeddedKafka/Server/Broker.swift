import Glibc
package import Plumbing

/// A Kafka broker inside this process: loopback only, one node, with all records in a temporary
/// file that exists until it stops. Any Kafka client can produce to it and consume from it.
///
/// It has no replication, no transactions, no retention and no TLS.
package final class Broker: Sendable {
  let node: Node
  private let server: Server

  /// Starts the broker. Clients can connect as soon as this returns.
  ///
  /// - Parameters:
  ///   - port: 0 lets the kernel choose.
  ///   - directory: where to make the temporary file, which has no name.
  ///   - faults: the faults for clients' Produce and Fetch requests, of the ``faultKinds``.
  ///   - report: called on any thread for each problem, with a line of text.
  package init(
    port: UInt16, directory: String, faults: Faults = Faults(),
    report: @escaping @Sendable (String) -> Void
  ) throws(BrokerFailure) {
    let file: StorageFile
    do throws(SystemFailure) {
      file = try StorageFile(directory: directory)
    } catch {
      throw .folder(error)
    }
    do throws(SystemFailure) {
      let listener = try Socket.listening(on: port)
      node = Node(
        port: listener.port, file: file, firstID: Node.microsecondsSince1970, faults: faults,
        report: report)
      server = try Server(node: node, listener: listener)
    } catch {
      throw .port(port, error)
    }
  }

  deinit {
    stop()
  }

  /// The faults that this broker supports.
  package static let faultKinds = BrokerFault.kinds

  /// The port on 127.0.0.1.
  package var port: UInt16 { node.port }

  /// Whether this is a valid topic name.
  package static func isTopicName(_ name: String) -> Bool { Topics.isValid(name) }

  /// The names of all topics, in order.
  package var topicNames: [String] { node.topics.all.map(\.name) }

  /// The end offset of each partition, in order; `nil` when there is no such topic.
  package func endOffsets(topic: String) -> [Int64]? {
    node.topics[topic]?.partitions.map { $0.endOffset }
  }

  /// The start offset of each partition.
  package func startOffsets(topic: String) -> [Int64]? {
    node.topics[topic]?.partitions.map { $0.startOffset }
  }

  /// The descriptor of the temporary file, for tests that damage it.
  var storageDescriptor: Int32 { node.file.descriptor }

  /// The number of records in all topics, and the size of their batches as they were sent.
  package var totals: (records: Int64, bytes: Int64) {
    node.topics.all.reduce(into: (0, 0)) { totals, topic in
      for partition in topic.partitions {
        totals.records += partition.endOffset
        totals.bytes += partition.byteCount
      }
    }
  }

  /// Whether acknowledged records are lost.
  package var lostSomething: Bool { node.lostSomething }

  /// Closes all connections and stops listening.
  package func stop() {
    server.stop()
  }
}

/// Why the broker could not start.
package enum BrokerFailure: ToolFailure {
  case port(UInt16, SystemFailure)
  case folder(SystemFailure)

  package var exitStatus: ExitStatus {
    switch self {
    case .port: .unavailable
    case .folder: .system
    }
  }

  package var message: String {
    switch self {
    case .port(let port, let failure):
      "cannot serve Kafka on 127.0.0.1:\(port): \(systemErrorText(failure.code))"
    case .folder(let failure): "cannot keep records: \(failure.message)"
    }
  }

  package var hints: [String] {
    switch self {
    case .port(_, let failure) where failure.code == EADDRINUSE:
      ["another program has the port; --kafka-port chooses another"]
    case .port: []
    case .folder: ["TMPDIR names the folder to use"]
    }
  }
}
