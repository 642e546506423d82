import Foundation
import Testing

/// What bash offers, asked of an interactive bash on a terminal, by the Tab key.
@Suite struct CompletionTests {
  /// The line that stands behind the prompt when Tab was pressed behind `typed`.
  static func line(_ typed: String, environment: [String: String] = [:]) throws -> String {
    let workspace = try Commands.Workspace()
    for file in ["data.ndjson", "query.sql"] {
      try Data().write(to: workspace.url.appendingPathComponent(file))
    }
    let outcome = try Commands.run(
      "python3 $FIXTURES/complete-bash.py \"$TYPED\"", in: workspace,
      environment: ["TYPED": typed].merging(environment) { $1 })
    #expect(outcome.errors == "" && outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }

  /// A command without operands reads files from the shell, and writes them.
  @Test(
    arguments: [
      ("kprod -t x < da", "kprod -t x < data.ndjson "),
      ("dsql -f csv < que", "dsql -f csv < query.sql "),
      ("dsql -f csv > que", "dsql -f csv > query.sql "),
      ("fake-events -n 5 >> da", "fake-events -n 5 >> data.ndjson "),
      ("fake-events 2> da", "fake-events 2> data.ndjson "),
      ("kprod -t x --failed=da", "kprod -t x --failed=data.ndjson "),
      ("dsql --format=mark", "dsql --format=markdown "),
      ("anomalies --field x da", "anomalies --field x data.ndjson "),
    ]) func files(typed: String, completed: String) throws
  {
    #expect(try Self.line(typed) == completed)
  }

  /// What stands behind devstack's own options is another command's line.
  @Test(
    arguments: [
      ("devstack -- kpro", "devstack -- kprod "), ("devstack kpro", "devstack kprod "),
      ("devstack --port 1 kpro", "devstack --port 1 kprod "),
      ("devstack -- kprod --dry-", "devstack -- kprod --dry-run "),
      ("devstack -- dsql --format mark", "devstack -- dsql --format markdown "),
      ("devstack -- dsql --format=mark", "devstack -- dsql --format=markdown "),
      ("devstack -- kprod -t x < da", "devstack -- kprod -t x < data.ndjson "),
      ("devstack -- cat da", "devstack -- cat data.ndjson "),
      ("devstack --datasou", "devstack --datasource "),
    ]) func theCommandOfDevstack(typed: String, completed: String) throws
  {
    #expect(try Self.line(typed) == completed)
  }

  /// A busy machine may need more than the moment that the shell waits: then nothing is offered, and Tab is pressed again.
  private static func patiently(
    _ typed: String, _ completed: String, environment: [String: String] = [:]
  ) throws {
    var line = ""
    for _ in 0..<30 {
      line = try Self.line(typed, environment: environment)
      if line == completed { return }
    }
    Issue.record("\(line)")
  }

  @Test func topicsOfACluster() throws {
    let cluster = try MockCluster()
    for name in ["ecommerce", "orders-new", "orders-old"] {
      cluster.createTopic(name, partitions: 1)
    }
    let environment = ["KAFKA_BROKERS": cluster.brokers]
    try Self.patiently("kprod -t eco", "kprod -t ecommerce ", environment: environment)
    try Self.patiently("kprod --topic=eco", "kprod --topic=ecommerce ", environment: environment)
    try Self.patiently("kprod -t ord", "kprod -t orders-", environment: environment)
    // The line names another cluster than the environment.
    let elsewhere = ["KAFKA_BROKERS": "127.0.0.1:1"]
    try Self.patiently(
      "kprod -b \(cluster.brokers) -t eco", "kprod -b \(cluster.brokers) -t ecommerce ",
      environment: elsewhere)
    try Self.patiently(
      "kprod --brokers=\(cluster.brokers) -t eco",
      "kprod --brokers=\(cluster.brokers) -t ecommerce ", environment: elsewhere)
  }

  /// fish and zsh ask as well, where the environment names the cluster.
  @Test func topicsInOtherShells() throws {
    let cluster = try MockCluster()
    for name in ["ecommerce", "orders"] { cluster.createTopic(name, partitions: 1) }
    for ask in [
      #"kprod --completion fish > c && fish --no-config -c 'source c; complete -C "kprod -t "' | cut -f1"#,
      #"mkdir f && kprod --completion zsh > f/_kprod && zsh -f $FIXTURES/complete.zsh f kprod 'kprod -t '"#,
    ] {
      var output = ""
      for _ in 0..<20 where output != "ecommerce\norders\n" {
        output = try Commands.run(
          ask, in: Commands.Workspace(), environment: ["KAFKA_BROKERS": cluster.brokers]
        ).output
      }
      #expect(output == "ecommerce\norders\n", "\(ask)")
    }
  }

  @Test func datasourcesInSQL() throws {
    let stub = try DsqlStub(takesOwnQuestions: true) { _, _ in
      DsqlFaultTests.rows("TABLE_NAME", ["\"ecommerce\"", "\"my-orders\""])
    }
    defer { stub.stop() }
    let environment = ["DRUID_URL": stub.url]
    let text = "dsql -e 'SELECT COUNT(*) FROM"
    try Self.patiently("\(text) eco", "\(text) ecommerce'", environment: environment)
    try Self.patiently("\(text) my", "\(text) \"my-orders\"'", environment: environment)
    try Self.patiently(
      "dsql -e \"select * from eco", "dsql -e \"select * from ecommerce\"",
      environment: environment)
    try Self.patiently(
      "dsql -u \(stub.url) -e 'SELECT 1 FROM x JOIN eco",
      "dsql -u \(stub.url) -e 'SELECT 1 FROM x JOIN ecommerce'",
      environment: ["DRUID_URL": "http://127.0.0.1:1"])
    #expect(try Self.line("\(text) x WHERE eco", environment: environment) == "\(text) x WHERE eco")
  }

  /// A server that does not answer keeps nobody, and is not a word on the screen.
  @Test func nobodyAnswers() throws {
    let silent = try DsqlStub { _, _ in [.stall] }
    defer { silent.stop() }
    for address in ["127.0.0.1:1", "127.0.0.1:\(silent.port)"] {
      let start = Date()
      #expect(
        try Self.line("kprod -t x", environment: ["KAFKA_BROKERS": address]) == "kprod -t x")
      #expect(
        try Self.line("dsql -e 'TABLE FROM x", environment: ["DRUID_URL": "http://\(address)"])
          == "dsql -e 'TABLE FROM x")
      #expect(Date().timeIntervalSince(start) < 90)
    }
  }
}
