import Glibc
package import Plumbing

/// A Kafka broker inside this process: loopback only, one node, everything kept in one temporary
/// file until it stops. Any Kafka client can produce to it and consume from it.
///
/// It has no replication, no transactions, no retention, and speaks no TLS.
package final class Broker: Sendable {
  let node: Node
  private let server: Server

  /// Starts to serve; clients may connect as soon as this returns.
  ///
  /// - Parameters:
  ///   - port: 0 lets the kernel choose.
  ///   - directory: where the temporary file (without a name) is made.
  ///   - faults: what Produce and Fetch of clients are to show, of the ``faultKinds``.
  ///   - report: gets the broker's own bad news, a line each; called on any thread.
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

  /// The client id of the embedded Druid's consumer, which no fault touches.
  package static let ownClientID = "devstack"

  /// The faults that this broker can show.
  package static let faultKinds = BrokerFault.kinds

  /// Where clients find it, on 127.0.0.1.
  package var port: UInt16 { node.port }

  /// One past the last record of each partition, in their order; `nil` when there is no such topic.
  package func endOffsets(topic: String) -> [Int64]? {
    node.topics[topic]?.partitions.map { $0.endOffset }
  }

  /// The first record of each partition that was not deleted.
  package func startOffsets(topic: String) -> [Int64]? {
    node.topics[topic]?.partitions.map { $0.startOffset }
  }

  /// The temporary file, for tests that break it.
  var storageDescriptor: Int32 { node.file.descriptor }

  /// How many records there are in all topics, and the bytes of their batches as they were sent.
  package var totals: (records: Int64, bytes: Int64) {
    node.topics.all.reduce(into: (0, 0)) { totals, topic in
      for partition in topic.partitions {
        totals.records += partition.endOffset
        totals.bytes += partition.byteCount
      }
    }
  }

  /// Whether records are gone that a client may believe to be here.
  package var lostSomething: Bool { node.lostSomething }

  /// Hangs up on every client and stops to listen. Nothing is answered afterwards.
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
