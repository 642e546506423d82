import Foundation
import Testing

/// The compose files: compose reads them, they follow the rules of `scripts/compose-rules`, and
/// each of those rules detects a violation. Then `scripts/up`, with stand-ins for Docker and for
/// the machine.
@Suite struct ComposeTests {
  static let combinations = [
    "docker-compose.yml",
    "docker-compose.yml scripts/three-controllers.yml",
    "docker-compose.yml scripts/secured.yml",
    "docker-compose.yml scripts/three-controllers.yml scripts/secured.yml",
  ]

  private func run(_ script: String, _ environment: [String: String] = [:]) throws
    -> Commands.Outcome
  {
    try Commands.run(script, in: Commands.Workspace(), environment: environment)
  }

  /// `config` needs no engine.
  @Test(arguments: combinations)
  func composeReadsThem(_ files: String) throws {
    let named = files.split(separator: " ").map { "-f \($0)" }.joined(separator: " ")
    let outcome = try run(
      "cd \"$ROOT\" && docker-compose \(named) config --quiet",
      [
        "KAFKA_PASSWORD": "a", "DRUID_ADMIN_PASSWORD": "b", "DRUID_INTERNAL_PASSWORD": "c",
        "KEYSTORE_PASSWORD": "d",
      ])
    #expect(outcome == Commands.Outcome(output: "", errors: "", status: 0))
  }

  @Test(arguments: combinations)
  func theyKeepTheRules(_ files: String) throws {
    let outcome = try run("cd \"$ROOT\" && scripts/compose-rules \(files)")
    #expect(outcome == Commands.Outcome(output: "", errors: "", status: 0))
  }

  /// A change by sed, and the message of the rule that it violates.
  static let damages = [
    ("s/127.0.0.1:8888/8888/", "router: port 8888 is not bound to the loopback interface"),
    ("s/:39092:9092/:39093:9092/", "kafka-2: publishes [39093], and [39092] is expected"),
    ("s/localhost:39092/localhost:29092/", "kafka-2: clients are not told localhost:39092"),
    ("s/postgres:17.6/postgres:latest/", "postgres: image postgres:latest is not pinned"),
    ("s/,2@controller-2:9093//", "kafka-1: its voters are not 1@controller-1:9093,2@controller-2"),
    ("s/KAFKA_NODE_ID: 4/KAFKA_NODE_ID: 3/", "two Kafka nodes share an id"),
    ("s/DEFAULT_REPLICATION_FACTOR: 2/DEFAULT_REPLICATION_FACTOR: 3/", "number of brokers, 2"),
    ("/KAFKA_NUM_PARTITIONS/d", "controller-1: KAFKA_NUM_PARTITIONS must stand with"),
    ("s/start_period: 330s/start_period: 20s/", "router: its start period leaves no room"),
    ("s/mem_limit: 1344m/mem_limit: 1g/", "broker: 1024 MiB leave less than 15 %"),
    ("s/mem_limit: 2g/mem_limit: 3g/", "the memory limits add up to 8704 MiB"),
    ("s/DRUID_XMX: 512m/DRUID_XMX: 1024m/", "broker: heap and direct memory take more than 80 %"),
    ("s/MAXDIRECTMEMORYSIZE: 256m/MAXDIRECTMEMORYSIZE: 64m/", "its buffers do not fit"),
    ("/condition: service_healthy/s/healthy/started/", "broker: does not wait until"),
    ("/^  router_var/d", "router: volume router_var is not declared"),
    ("s/restart: unless-stopped/restart: \"no\"/", "broker: does not come up again"),
    ("s|connector_password: .*|connector_password: druid|", "the image prints the password"),
    ("s|/dev/tcp/127.0.0.1/9092|kafka-broker-api-versions.sh|", "kafka-1: its probe starts a JVM"),
  ]

  @Test(arguments: damages)
  func everyRuleNoticesItsDamage(_ change: String, _ words: String) throws {
    let outcome = try run(
      #"sed '\#(change)' "$ROOT/docker-compose.yml" > bad.yml && "$ROOT/scripts/compose-rules" bad.yml"#
    )
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains(words), "\(change): \(outcome.errors)")
  }

  @Test func supervisorAndStackAgree() throws {
    let file = Commands.root.appendingPathComponent("scripts/ecommerce-supervisor.json")
    let spec = try String(contentsOf: file, encoding: .utf8)
    #expect(spec.contains(#""bootstrap.servers": "kafka-1:19092,kafka-2:19092""#))
  }

  @Test func druidsVersionCanBeChosen() throws {
    let outcome = try run(
      "cd \"$ROOT\" && docker-compose config | grep -c 'image: apache/druid:38.0.0'",
      ["DRUID_VERSION": "38.0.0"])
    #expect(outcome.output == "5\n")
  }

  @Test func upSaysPlainlyThatDockerIsMissing() throws {
    let outcome = try run(
      "mkdir bin && for c in bash dirname sed id; do ln -s \"$(command -v $c)\" bin; done"
        + " && PATH=$PWD/bin \"$ROOT/scripts/up\"")
    #expect(outcome.status == 69)
    #expect(outcome.errors.hasPrefix("up: Docker is not installed\nup: hint: "))
  }

  /// A script that stands in for Docker, succeeds and creates the topic.
  static let docker = #"""
    mkdir bin && cat > bin/docker <<'STUB'
    #!/bin/sh
    echo "$*" >> "$CALLS"
    case "$*" in
      inspect*) echo healthy ;;
      "compose "*" ps -q router") [ -z "${RUNS:-}" ] || echo id ;;
      "compose "*" ps -q "*) echo "id" ;;
      *kafka-topics.sh*) echo '{"timestamp": 1767225600}' | kprod -t ecommerce ;;
    esac
    STUB
    chmod +x bin/docker; export CALLS=$PWD/calls PATH=$PWD/bin:$PATH

    """#

  /// devstack stands in for Druid, and reads the topic.
  @Test func upWaitsUntilDruidReads() throws {
    let outcome = try run(
      Self.docker + "RUNS=1 devstack -- \"$ROOT/scripts/up\" && cat calls", ["UP_TIMEOUT": "60"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    for words in [
      "up: waiting for kafka-2", "up: waiting for router", "up: waiting for topic ecommerce",
      "up: the supervisor is RUNNING", "up: ready after ",
      "compose -f docker-compose.yml up -d",
      "--create --if-not-exists --topic ecommerce --partitions 4 --replication-factor 2",
    ] {
      #expect(outcome.output.contains(words), "\(words)")
    }
  }

  @Test func aThirdControllerIsStartedAndAwaited() throws {
    let outcome = try run(
      Self.docker + "RUNS=1 devstack -- \"$ROOT/scripts/up\" --three-controllers && cat calls",
      ["UP_TIMEOUT": "60"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("up: waiting for controller-3"))
    #expect(
      outcome.output.contains(
        "compose -f docker-compose.yml -f scripts/three-controllers.yml up -d"))
  }

  /// A simulated machine: kernel tables in which 39092 is the local end of a connection in
  /// TIME-WAIT.
  static let machine = #"""
    mkdir -p proc/net proc/sys/net/ipv4; : > proc/net/tcp6; echo "32768 60999" > proc/sys/net/ipv4/ip_local_port_range
    echo > proc/sys/net/ipv4/ip_local_reserved_ports; export PROC=$PWD/proc
    printf '  sl  local_address rem_address st\n 0: 0100007F:98B4 0100007F:2328 06 0:0 0:0 0 0 0 0 1\n' > proc/net/tcp
    echo "MemAvailable: ${MEMORY:-20000000} kB" > proc/meminfo

    """#

  @Test func upChecksThePortsBeforeItStartsAnything() throws {
    let outcome = try run(
      Self.docker + Self.machine + "\"$ROOT/scripts/up\"; echo $?; grep up calls")
    #expect(outcome.output == "69\n")
    #expect(
      outcome.errors == """
        up: port 39092 is taken: a connection in TIME-WAIT uses it; it is gone after a minute
        up: hint: Linux takes outgoing ports from 32768 to 60999; \
        'sysctl -w net.ipv4.ip_local_reserved_ports=39092' keeps this one free
        up: nothing was started

        """)
  }

  @Test func upChecksMemoryAndDisk() throws {
    let outcome = try run(
      Self.docker + Self.machine + """
        : > proc/net/tcp; printf '#!/bin/sh\\necho; echo a b c 1000000 d\\n' > bin/df; chmod +x bin/df
        "$ROOT/scripts/up" --check; echo $?; rm bin/df; MEMORY=1
        echo "MemAvailable: 20000000 kB" > proc/meminfo; "$ROOT/scripts/up" --check; echo $?; grep up calls
        """, ["MEMORY": "1000000"])
    #expect(outcome.output == "69\nup: ports, memory and disk are there\n0\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("up: the services may take 7680 MiB of memory, and 976 are"))
    #expect(outcome.errors.contains("up: images and data take about 10,240 MiB of disk"))
    #expect(outcome.errors.hasSuffix("up: nothing was started\n"))
  }

  /// The process that listens is named.
  @Test func upNamesWhoListens() throws {
    let outcome = try run(
      Self.docker + #"""
        devstack > env & until [ -s env ]; do sleep 0.05; done; . ./env
        port=${DRUID_URL##*:}; bash -c '. "$ROOT/scripts/stack.sh"; port_trouble '$port; kill $DEVSTACK_PID
        """#)
    #expect(
      outcome.output.contains(/^process \d+ \(devstack\) listens there/),
      "\(outcome.output) \(outcome.errors)")
  }
}
