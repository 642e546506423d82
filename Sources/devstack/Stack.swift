package import EmbeddedDruid
import EmbeddedKafka
import Glibc
import Plumbing

/// The two servers, which are connected to each other.
struct Stack {
  struct Settings {
    let druidPort: UInt16
    let kafkaPort: UInt16
    /// The folder for temporary files.
    let folder: String
    /// Supervisor specs in addition to the one for ecommerce, as JSON.
    let supervisors: [String]
    let datasources: [AutomaticDatasource]
    /// Files to append to topics before clients are served.
    let loads: [Load]
    /// The faults to show, as written.
    let faults: [String]
  }

  /// All faults that can be requested.
  static let faultKinds = DruidServer.faultKinds + Broker.faultKinds

  private let broker: Broker
  private let druid: DruidServer

  /// Starts both servers. Clients can connect when this returns.
  init(_ settings: Settings) throws {
    let faults = Faults()
    for text in settings.faults { faults.order(try Fault(text, among: Self.faultKinds)) }
    let broker = try Broker(
      port: settings.kafkaPort, directory: settings.folder, faults: faults
    ) {
      Diagnostics.error($0)
    }
    do {
      for load in settings.loads { try load.fill(broker) }
    } catch {
      broker.stop()
      throw error
    }
    do throws(EmbeddedDruidFailure) {
      druid = try DruidServer(
        reading: broker, port: settings.druidPort, directory: settings.folder,
        specs: [DruidServer.ecommerceSpec] + settings.supervisors,
        datasources: settings.datasources, faults: faults, faultKinds: Self.faultKinds,
        report: { Diagnostics.warning($0) })
    } catch {
      broker.stop()
      throw StackFailure(error)
    }
    self.broker = broker
  }

  /// The addresses of the servers, as environment variables.
  var variables: [String: String] {
    [
      "KAFKA_BROKERS": broker.brokers,
      "DRUID_URL": "http://127.0.0.1:\(druid.port)",
    ]
  }

  /// Whether acknowledged records or rows are lost.
  var lostSomething: Bool { broker.lostSomething || druid.lostSomething }

  /// Prints lines for `eval`, closes standard output so that the reader sees its end, and leaves
  /// the shell's process group.
  func announce() throws {
    let exports = variables.sorted { $0.key < $1.key } + [("DEVSTACK_PID", "\(getpid())")]
    try LineWriter.writeToStandardOutput(exports.map { "export \($0)='\($1)'\n" }.joined())
    // Replaced, not closed: otherwise the next opened file would become standard output.
    let null = try openFile("/dev/null", O_WRONLY)
    guard dup2(null, STDOUT_FILENO) >= 0 else { throw SystemFailure("replacing standard output") }
    close(null)
    // Fails for a shell's foreground job, which Ctrl-C should reach in any case.
    _ = setsid()
  }

  /// Prints a line for `eval` that unsets the variables, so that those of an earlier devstack are
  /// not used.
  static func announceFailure() {
    // The failure to start is reported, not a failure to write this line.
    try? LineWriter.writeToStandardOutput("unset DEVSTACK_PID DRUID_URL KAFKA_BROKERS\n")
  }

  /// Writes the line of `--summary`: the number of records, the size of their batches as sent, and
  /// the time.
  func summarize(after time: Duration) {
    let totals = broker.totals
    Diagnostics.summary(
      lines: Int(totals.records), bytes: Int(totals.bytes), after: time)
  }

  /// Reports again which messages are in no datasource. Call it before ``stop()``.
  func tellSkipped() { druid.tellSkipped() }

  func stop() {
    druid.stop()
    broker.stop()
  }
}

extension Broker: MessageSource {
  package var brokers: String { "127.0.0.1:\(port)" }

  package func open(topic: String) throws(EmbeddedDruidFailure) -> any MessageReader {
    try TopicMessages(self, topic)
  }
}

/// A topic of the broker, as a reader for Druid's ingestion.
private final class TopicMessages: MessageReader, @unchecked Sendable {
  // Sendable: only the follower's thread uses `records`. The reader is.
  private let reader: TopicReader
  private var records = TopicReader.Records()

  init(_ broker: Broker, _ topic: String) throws(EmbeddedDruidFailure) {
    do throws(TopicReader.Failure) {
      reader = try broker.reader(of: topic)
    } catch { throw .consumer(reason: "\(error)") }
  }

  func read(
    partition: Int, from offset: Int64, into messages: inout MessageBlock
  ) throws(MessageReaderFailure) {
    // Swapped, so that the bytes are not copied.
    swap(&records.bytes, &messages.bytes)
    defer { swap(&records.bytes, &messages.bytes) }
    messages.all.removeAll(keepingCapacity: true)
    do throws(TopicReader.Failure) {
      try reader.read(partition: partition, from: offset, into: &records)
    } catch {
      switch error {
      case .outOfRange: throw .outOfRange
      case .missing: throw .missing
      case .storage(let reason): throw .other(reason)
      }
    }
    for record in records.all {
      messages.all.append(
        MessageBlock.Message(
          offset: record.offset, sent: record.timestamp, key: record.key, payload: record.value,
          headers: record.headers))
    }
    messages.nextOffset = records.nextOffset
    messages.unreadable = records.unreadable
  }

  func wait(behind positions: [Int64]) { reader.wait(behind: positions) }

  func interrupt() { reader.interrupt() }
}

/// Why Druid could not start, in devstack's words.
struct StackFailure: ToolFailure {
  let exitStatus: ExitStatus
  let message: String
  var hints: [String] = []

  init(_ failure: EmbeddedDruidFailure) {
    switch failure {
    case .port(let port, let reason):
      exitStatus = .unavailable
      message = "cannot serve Druid on 127.0.0.1:\(port): \(reason)"
      hints = ["--port chooses another"]
    case .storage(let reason):
      exitStatus = .system
      message = "cannot keep rows: \(reason)"
      hints = ["TMPDIR names the folder to use"]
    case .supervisor(let reason):
      exitStatus = .input
      message = "supervisor spec: \(reason)"
    case .consumer(let reason):
      exitStatus = .internalError
      message = "cannot read the broker: \(reason)"
    }
  }
}
