package import Plumbing
import Synchronization

/// Devstack's Druid: ingests topics as supervisors say, and answers SQL over HTTP on the loopback
/// interface.
package final class DruidServer: Sendable {
  /// The faults of the SQL endpoint.
  package static let faultKinds = DruidFault.kinds

  private let supervisors: Supervisors
  private let queries: QueryService
  private let router: Router
  private let http: HTTPServer
  private let watcher: TopicWatcher

  /// Listens and starts to ingest. Requests are answered when this returns.
  ///
  /// - Parameters:
  ///   - source: the broker to read from.
  ///   - port: the port to listen on at 127.0.0.1; 0 lets the kernel choose.
  ///   - directory: an existing folder for temporary files, which have no names.
  ///   - specs: the supervisor specs in place from the start, as JSON.
  ///   - datasources: datasources of topics without a specification, requested by name.
  ///   - faults: the requested faults, which other servers may share.
  ///   - faultKinds: the faults that can be requested over HTTP.
  ///   - report: receives messages for a person, one line at a time.
  package init(
    reading source: any MessageSource, port: UInt16, directory: String, specs: [String],
    datasources: [AutomaticDatasource], faults: Faults, faultKinds: [FaultKind],
    report: @escaping @Sendable (String) -> Void
  ) throws(EmbeddedDruidFailure) {
    let storage = try TemporaryStorage(directory: directory)
    let supervisors = Supervisors(of: source, storage: storage, report: report)
    let queries = QueryService(supervisors)
    let router = Router(
      supervisors: supervisors, queries: queries, faults: faults, faultKinds: faultKinds)
    self.router = router
    self.supervisors = supervisors
    self.queries = queries
    watcher = TopicWatcher(supervisors)
    http = try HTTPServer(port: port) { router.answer($0) }
    do throws(EmbeddedDruidFailure) {
      for (index, text) in specs.enumerated() {
        try Self.submit(
          text, to: supervisors, isReplaceable: text == Self.ecommerceSpec && index == 0)
      }
      for datasource in datasources {
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
