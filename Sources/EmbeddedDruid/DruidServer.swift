import Plumbing

/// Devstack's Druid: follows topics as supervisors tell it to, and answers SQL over HTTP on loopback.
package final class DruidServer: Sendable {
  /// What a server is started with; every effect that it has outside of itself is handed to it here.
  package struct Configuration: Sendable {
    /// The `bootstrap.servers` of the cluster that is read, whatever a spec says: for messages only.
    package var brokers: String
    /// Opens a topic of that cluster for reading.
    package var open: @Sendable (String) throws(EmbeddedDruidFailure) -> any MessageReader
    /// The port to listen on at 127.0.0.1; 0 lets the kernel choose.
    package var port: UInt16
    /// An existing folder for temporary files; they are unlinked as soon as they are open.
    package var directory: String
    /// Supervisor specs (JSON texts) that are in place from the start.
    package var supervisors: [String]
    /// The next offset of every partition of a topic, as the broker has acknowledged it; nil when there is no such topic.
    package var endOffsets: @Sendable (String) -> [Int64]?
    /// The first offset of every partition that is still there; nil means that all begin at 0.
    package var startOffsets: @Sendable (String) -> [Int64]?
    /// Takes the words for a person, one line at a time.
    package var report: @Sendable (String) -> Void

    package init(
      brokers: String, port: UInt16 = 0, directory: String = "/tmp",
      supervisors: [String] = [DruidServer.ecommerceSpec],
      open: @escaping @Sendable (String) throws(EmbeddedDruidFailure) -> any MessageReader,
      endOffsets: @escaping @Sendable (String) -> [Int64]?,
      startOffsets: @escaping @Sendable (String) -> [Int64]? = { _ in nil },
      report: @escaping @Sendable (String) -> Void
    ) {
      self.brokers = brokers
      self.open = open
      self.port = port
      self.directory = directory
      self.supervisors = supervisors
      self.endOffsets = endOffsets
      self.startOffsets = startOffsets
      self.report = report
    }
  }

  private let supervisors: Supervisors
  private let queries: QueryService
  private let http: HTTPServer

  /// Listens, and starts to ingest; when it returns, requests are answered.
  package init(_ configuration: Configuration) throws(EmbeddedDruidFailure) {
    let storage = try TemporaryStorage(directory: configuration.directory)
    let supervisors = Supervisors(
      brokers: configuration.brokers, storage: storage, open: configuration.open,
      endOffsets: configuration.endOffsets, startOffsets: configuration.startOffsets,
      report: configuration.report)
    let queries = QueryService(supervisors)
    let router = Router(supervisors: supervisors, queries: queries)
    self.supervisors = supervisors
    self.queries = queries
    http = try HTTPServer(port: configuration.port) { router.answer($0) }
    do throws(EmbeddedDruidFailure) {
      for text in configuration.supervisors { try Self.submit(text, to: supervisors) }
    } catch {
      stop()
      throw error
    }
  }

  private static func submit(
    _ text: String, to supervisors: Supervisors
  ) throws(EmbeddedDruidFailure) {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: text)
    } catch {
      throw .supervisor(reason: "not JSON: \(error.reason) at byte \(error.offset)")
    }
    do {
      _ = try supervisors.submit(try IngestionSpec(json))
    } catch {
      throw .supervisor(reason: error.message)
    }
  }

  /// The port that it listens on.
  package var port: UInt16 { http.port }

  /// Whether acknowledged messages could not be read, so that answers would lack rows.
  package var lostSomething: Bool {
    supervisors.all.contains { entry in
      entry.follower.state.read { $0.failure != nil || $0.unreadable > 0 }
    }
  }

  /// Cuts off what is under way, ends the threads and closes the port.
  package func stop() {
    queries.close()
    supervisors.stop()
    http.stop()
  }
}
