package import Plumbing
import Synchronization

/// Devstack's Druid: ingests topics as supervisors say, and answers SQL over HTTP on the loopback
/// interface.
package final class DruidServer: Sendable {
  /// The settings of a server, and all its access to the outside.
  package struct Configuration: Sendable {
    /// The `bootstrap.servers` of the cluster, for messages only. It is read whatever a spec says.
    var brokers: String
    /// Opens a topic of that cluster for reading.
    var open: @Sendable (String) throws(EmbeddedDruidFailure) -> any MessageReader
    /// The port to listen on at 127.0.0.1; 0 lets the kernel choose.
    var port: UInt16
    /// An existing folder for temporary files, which are unlinked as soon as they are open.
    var directory: String
    /// The supervisor specs in place from the start, as JSON.
    var supervisors: [String]
    /// The end offset of every partition of a topic; nil when there is no such topic.
    var endOffsets: @Sendable (String) -> [Int64]?
    /// The start offset of every partition; nil when all start at 0.
    var startOffsets: @Sendable (String) -> [Int64]?
    /// The names of all topics.
    var topics: @Sendable () -> [String]
    /// Datasources of topics without a specification, requested by name.
    var datasources: [AutomaticDatasource]
    /// The requested faults. Other servers may share them.
    var faults: Faults
    /// The faults that can be requested over HTTP.
    var faultKinds: [FaultKind]
    /// Receives messages for a person, one line at a time.
    var report: @Sendable (String) -> Void

    package init(
      brokers: String, port: UInt16 = 0, directory: String = "/tmp",
      supervisors: [String] = [DruidServer.ecommerceSpec],
      open: @escaping @Sendable (String) throws(EmbeddedDruidFailure) -> any MessageReader,
      endOffsets: @escaping @Sendable (String) -> [Int64]?,
      startOffsets: @escaping @Sendable (String) -> [Int64]? = { _ in nil },
      topics: @escaping @Sendable () -> [String] = { [] },
      datasources: [AutomaticDatasource] = [], faults: Faults = Faults(),
      faultKinds: [FaultKind] = DruidServer.faultKinds,
      report: @escaping @Sendable (String) -> Void
    ) {
      self.brokers = brokers
      self.open = open
      self.port = port
      self.directory = directory
      self.supervisors = supervisors
      self.endOffsets = endOffsets
      self.startOffsets = startOffsets
      self.topics = topics
      self.datasources = datasources
      self.faults = faults
      self.faultKinds = faultKinds
      self.report = report
    }
  }

  /// The faults of the SQL endpoint.
  package static let faultKinds = DruidFault.kinds

  private let supervisors: Supervisors
  private let queries: QueryService
  private let router: Router
  private let http: HTTPServer
  private let watcher: TopicWatcher

  /// Listens and starts to ingest. Requests are answered when this returns.
  package init(_ configuration: Configuration) throws(EmbeddedDruidFailure) {
    let storage = try TemporaryStorage(directory: configuration.directory)
    let supervisors = Supervisors(
      brokers: configuration.brokers, storage: storage, open: configuration.open,
      endOffsets: configuration.endOffsets, startOffsets: configuration.startOffsets,
      topics: configuration.topics, report: configuration.report)
    let queries = QueryService(supervisors)
    let router = Router(
      supervisors: supervisors, queries: queries, faults: configuration.faults,
      faultKinds: configuration.faultKinds, brokers: configuration.brokers)
    self.router = router
    self.supervisors = supervisors
    self.queries = queries
    watcher = TopicWatcher(supervisors)
    http = try HTTPServer(port: configuration.port) { router.answer($0) }
    do throws(EmbeddedDruidFailure) {
      for (index, text) in configuration.supervisors.enumerated() {
        try Self.submit(
          text, to: supervisors, isReplaceable: text == Self.ecommerceSpec && index == 0)
      }
      for datasource in configuration.datasources {
        do throws(SpecFailure) {
          _ = try supervisors.submit(try IngestionSpec(datasource))
        } catch {
          throw EmbeddedDruidFailure.supervisor(reason: error.message)
        }
      }
    } catch {
      stop()
      throw error
    }
    watcher.start()
  }

  private static func submit(
    _ text: String, to supervisors: Supervisors, isReplaceable: Bool
  ) throws(EmbeddedDruidFailure) {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: text)
    } catch {
      throw .supervisor(reason: "not JSON: \(error.reason) at byte \(error.offset)")
    }
    do {
      var spec = try IngestionSpec(json)
      spec.isReplaceable = isReplaceable
      _ = try supervisors.submit(spec)
    } catch {
      throw .supervisor(reason: error.message)
    }
  }

  /// The port on 127.0.0.1.
  package var port: UInt16 { http.port }

  /// Whether acknowledged messages could not be read, so that answers would lack rows.
  package var lostSomething: Bool {
    supervisors.all.contains { entry in
      entry.follower.state.read { $0.failure != nil || $0.unreadable > 0 }
    }
  }

  /// Reads the rest of the topics, for two seconds at most, and reports skipped messages again.
  package func tellSkipped() {
    watcher.stop()
    _ = supervisors.catchUp(withinMilliseconds: 2000)
    supervisors.tellSkipped()
  }

  /// Stops running queries, ends the threads and closes the port.
  package func stop() {
    watcher.stop()
    router.isStopping.change { $0 = true }
    queries.close()
    supervisors.stop()
    http.stop()
  }
}

/// Checks ten times a second for topics that no spec reads, on its own thread.
private final class TopicWatcher: Sendable {
  private let supervisors: Supervisors
  private let isOver = Monitor(false)
  private let thread = Mutex<WorkerThread?>(nil)

  init(_ supervisors: Supervisors) { self.supervisors = supervisors }

  func start() {
    // Without the thread, topics are found when a query arrives.
    thread.withLock { thread in
      thread = WorkerThread { [supervisors, isOver] in
        while !isOver.wait(milliseconds: 100, until: { $0 }) { supervisors.adoptTopics() }
      }
    }
  }

  /// Ends the thread, if it has not ended.
  func stop() {
    isOver.change { $0 = true }
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
  }
}
