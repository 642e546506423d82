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
  ///   - report: gets the broker's own bad news, a line each; called on any thread.
  package init(
    port: UInt16, directory: String, report: @escaping @Sendable (String) -> Void
  ) throws(BrokerFailure) {
    let file: StorageFile
    do throws(SystemFailure) {
      file = try StorageFile(directory: directory)
    } catch {
      throw .folder(error)
    }
    do throws(SystemFailure) {
      let listener = try Socket.listening(on: port)
      let microseconds = Self.microsecondsSince1970
      node = Node(port: listener.port, file: file, firstID: microseconds, report: report)
      server = try Server(node: node, listener: listener)
    } catch {
      throw .port(port, error)
    }
  }

  deinit {
    stop()
  }

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

  private static var microsecondsSince1970: Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
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
