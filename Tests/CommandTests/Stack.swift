import CRdkafka
import Foundation
import Testing

/// A Kafka and a Druid to run the programs against: devstack, or a real one.
struct Stack: Sendable, CustomTestStringConvertible {
  enum Place: Sendable {
    /// A devstack for this test.
    case devstack
    /// Existing servers, with the brokers' address for that Druid; `nil`: the address in the
    /// project's specification.
    case servers(druid: String, brokers: String, brokersInside: String?)
  }

  let place: Place
  let testDescription: String

  static let devstack = Stack(place: .devstack, testDescription: "devstack")

  /// devstack, and the real stack that the environment names or that runs at the addresses of
  /// `docker-compose.yml`.
  static let all: [Stack] = {
    guard let real else {
      print("stack: devstack alone; no Druid at \(composeDruid) with a Kafka at \(composeBrokers)")
      return [devstack]
    }
    print("stack: devstack, and \(real.testDescription)")
    return [devstack, real]
  }()

  private static let composeDruid = "http://localhost:8888"
  private static let composeBrokers = "localhost:29092,localhost:39092"

  /// Servers that are named must be reachable; those of the compose file are optional.
  private static var real: Stack? {
    let environment = ProcessInfo.processInfo.environment
    let druid = environment["DRUID_URL"]
    let brokers = environment["KAFKA_BROKERS"]
    let isNamed = druid != nil && brokers != nil
    guard isNamed || druid == nil && brokers == nil else { return nil }
    if !isNamed, !(isHealthy(composeDruid) && listens(port: 29092)) { return nil }
    let stack = Place.servers(
      druid: druid ?? composeDruid, brokers: brokers ?? composeBrokers,
      brokersInside: environment["KAFKA_BROKERS_INSIDE"]
        ?? brokers.flatMap { $0.hasPrefix("localhost:29092") ? nil : $0 })
    return Stack(
      place: stack,
      testDescription:
        "the servers at \(druid ?? composeDruid) and \(brokers ?? composeBrokers)")
  }

  private static func isHealthy(_ url: String) -> Bool {
    let outcome = try? Commands.run(
      "curl -fsS -m 3 \(url)/status/health", in: Commands.Workspace())
    return outcome?.output == "true"
  }

  private static func listens(port: Int) -> Bool {
    let outcome = try? Commands.run(
      "exec bash -c 'exec 3<> /dev/tcp/127.0.0.1/\(port)' 2> /dev/null", in: Commands.Workspace())
    return outcome?.status == 0
  }
}

/// A stack with a topic and a datasource for this test, of the same name; ``remove()`` deletes
/// them.
@safe final class OpenStack {
  let name = "streamtools_test_\(UUID().uuidString.prefix(8).lowercased())"
  let brokers: String
  let druid: String
  private let brokersInside: String?
  private let own: RunningDevstack?
  private let workspace: Commands.Workspace

  init(_ stack: Stack) throws {
    workspace = try Commands.Workspace()
    switch stack.place {
    case .devstack:
      let devstack = try RunningDevstack()
      own = devstack
      (brokers, druid, brokersInside) = (devstack.brokers, devstack.druid, devstack.brokers)
    case .servers(let druid, let brokers, let inside):
      own = nil
      (self.brokers, self.druid, brokersInside) = (brokers, druid, inside)
    }
    try Topics.create(name, partitions: 2, at: brokers)
    do {
      try submit()
    } catch {
      try? Topics.delete(name, at: brokers)
      throw error
    }
  }

  /// Runs a line of shell with the stack's addresses and `$NAME` in its environment.
  func run(_ script: String, within seconds: Int = 300) throws -> Commands.Outcome {
    try Commands.run(
      script, in: workspace,
      environment: ["DRUID_URL": druid, "KAFKA_BROKERS": brokers, "NAME": name], within: seconds)
  }

  /// Submits the project's own specification for another topic.
  private func submit() throws {
    let file = Commands.root.appendingPathComponent("scripts/ecommerce-supervisor.json")
    var text = try String(contentsOf: file, encoding: .utf8)
      .replacingOccurrences(
        of: "\"dataSource\": \"ecommerce\"", with: "\"dataSource\": \"\(name)\""
      )
      .replacingOccurrences(of: "\"topic\": \"ecommerce\"", with: "\"topic\": \"\(name)\"")
    if let brokersInside {
      text = text.replacingOccurrences(of: "kafka-1:19092,kafka-2:19092", with: brokersInside)
    }
    try workspace.write(text, to: "spec.json")
    let outcome = try run(
      "curl -fsS -H 'Content-Type: application/json' -d @spec.json $DRUID_URL/druid/indexer/v1/supervisor"
    )
    try #require(outcome.status == 0 && outcome.output.contains(name), "\(outcome.errors)")
  }

  /// Ends the supervisor, drops the datasource once its tasks are over, and deletes the topic.
  func remove() throws {
    let isReal = own == nil
    let outcome = try run(
      """
      curl -fsS -X POST $DRUID_URL/druid/indexer/v1/supervisor/$NAME/terminate
      \(isReal ? Self.forgetting : "")
      """)
    if outcome.status != 0 { print("stack: cleaning up after \(name): \(outcome.errors)") }
    try Topics.delete(name, at: brokers)
  }

  private static let forgetting = """
    tasks="SELECT COUNT(*) FROM sys.tasks WHERE datasource = '$NAME' AND status = 'RUNNING'"
    for second in $(seq 60); do
      [ "$(dsql -f csv --no-header -e "$tasks")" -gt 0 ] 2> /dev/null || break
      sleep 1
    done
    curl -fsS -X DELETE $DRUID_URL/druid/coordinator/v1/datasources/$NAME
    curl -fsS -H 'Content-Type: application/json' \
      -d '{"type":"kill","dataSource":"'$NAME'","interval":"1000-01-01/3000-01-01"}' \
      $DRUID_URL/druid/indexer/v1/task
    """
}

extension Topics {
  /// Creates a topic with the cluster's default number of replicas, and with the given settings.
  static func create(
    _ name: String, partitions: Int32, at brokers: String, settings: [String: String] = [:]
  ) throws {
    try unsafe administrate(at: brokers) { client, queue in
      var words = [CChar](repeating: 0, count: 256)
      let topic = unsafe rd_kafka_NewTopic_new(name, partitions, -1, &words, words.count)
      defer { unsafe rd_kafka_NewTopic_destroy(topic) }
      for (name, value) in settings { unsafe rd_kafka_NewTopic_set_config(topic, name, value) }
      var topics = unsafe [topic]
      unsafe rd_kafka_CreateTopics(client, &topics, 1, nil, queue)
    } result: { event, count in
      unsafe rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
    }
  }

  static func delete(_ name: String, at brokers: String) throws {
    try unsafe administrate(at: brokers) { client, queue in
      let topic = unsafe rd_kafka_DeleteTopic_new(name)
      defer { unsafe rd_kafka_DeleteTopic_destroy(topic) }
      var topics = unsafe [topic]
      unsafe rd_kafka_DeleteTopics(client, &topics, 1, nil, queue)
    } result: { event, count in
      unsafe rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count)
    }
  }

  /// Sends the request, and waits for the result for the topic.
  private static func administrate(
    at brokers: String, _ ask: (_ client: OpaquePointer, _ queue: OpaquePointer?) -> Void,
    result: (_ event: OpaquePointer, _ count: inout Int) -> UnsafeMutablePointer<OpaquePointer?>?
  ) throws {
    let client = unsafe try client(RD_KAFKA_PRODUCER, ["bootstrap.servers": brokers])
    let queue = unsafe rd_kafka_queue_new(client)
    defer {
      unsafe rd_kafka_queue_destroy(queue)
      unsafe rd_kafka_destroy(client)
    }
    unsafe ask(client, queue)
    guard let event = unsafe rd_kafka_queue_poll(queue, 30_000) else {
      throw Failure(words: "no answer about the topic")
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    var error = unsafe rd_kafka_event_error(event)
    if error == RD_KAFKA_RESP_ERR_NO_ERROR {
      var count = 0
      let topics = unsafe result(event, &count)
      error =
        unsafe topics?[0].map { unsafe rd_kafka_topic_result_error($0) } ?? RD_KAFKA_RESP_ERR__FAIL
    }
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw Failure(words: unsafe String(cString: rd_kafka_err2str(error)))
    }
  }
}
