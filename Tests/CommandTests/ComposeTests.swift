import Foundation
import Testing

/// The compose file as docker-compose understands it, held against what the tools and scripts rely on.
@Suite struct ComposeTests {
  /// The lines of each service in what `docker-compose config` prints, which needs no engine.
  static func services(_ environment: [String: String] = [:]) throws -> [String: [String]] {
    let outcome = try Commands.run(
      "cd \"$ROOT\" && docker-compose -f docker-compose.yml config", in: Commands.Workspace(),
      environment: environment)
    try #require(
      outcome.status == 0, "docker-compose (Debian's package) is needed here: \(outcome.errors)")
    var services: [String: [String]] = [:]
    var section = ""
    var service = ""
    for line in outcome.output.split(separator: "\n").map(String.init) {
      if !line.hasPrefix(" ") {
        section = line
      } else if section == "services:" {
        if !line.hasPrefix("   ") {
          service = line.trimmingCharacters(in: CharacterSet(charactersIn: " :"))
        }
        services[service, default: []].append(line.trimmingCharacters(in: .whitespaces))
      }
    }
    return services
  }

  @Test func everyPortIsWhereTheToolsLookForIt() throws {
    let services = try Self.services()
    let ports: [String: [String]] = [
      "kafka-1": ["29092:9092"], "kafka-2": ["39092:9092"], "zookeeper": ["2181:2181"],
      "postgres": ["5432:5432"], "coordinator": ["8081:8081"], "broker": ["8082:8082"],
      "historical": ["8083:8083"], "router": ["8888:8888"],
      "middlemanager": ["8091:8091"] + (8100...8105).map { "\($0):\($0)" },
      "controller-1": [], "controller-2": [],
    ]
    #expect(Set(services.keys) == Set(ports.keys))
    for (service, expected) in ports {
      let lines = try #require(services[service])
      let published = lines.filter { $0.hasSuffix("/tcp") }
      #expect(published == expected.map { "- 127.0.0.1:\($0)/tcp" }, "\(service)")
    }
  }

  @Test func brokersAreReachedFromInsideAndOutside() throws {
    let services = try Self.services()
    for (broker, port) in [("kafka-1", 29092), ("kafka-2", 39092)] {
      let lines = try #require(services[broker])
      #expect(
        lines.contains(
          "KAFKA_ADVERTISED_LISTENERS: "
            + "INTERNAL://\(broker):19092,EXTERNAL://localhost:\(port)"))
    }
    let file = Commands.root.appendingPathComponent("scripts/ecommerce-supervisor.json")
    let spec = try String(contentsOf: file, encoding: .utf8)
    #expect(spec.contains(#""bootstrap.servers": "kafka-1:19092,kafka-2:19092""#))
  }

  @Test func twoControllersVoteAndTwoBrokersHoldEachCopy() throws {
    let services = try Self.services()
    var ids: Set<String> = []
    for name in ["controller-1", "controller-2", "kafka-1", "kafka-2"] {
      let lines = try #require(services[name])
      #expect(
        lines.contains("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@controller-1:9093,2@controller-2:9093"))
      ids.formUnion(lines.filter { $0.hasPrefix("KAFKA_NODE_ID:") })
      for line in lines where line.contains("REPLICATION_FACTOR") {
        #expect(line.hasSuffix(": 2"), "\(name) \(line)")
      }
    }
    #expect(ids.count == 4)
    let cluster = try #require(services["kafka-1"]?.first { $0.hasPrefix("CLUSTER_ID: ") })
    #expect(cluster.dropFirst("CLUSTER_ID: ".count).count == 22)
  }

  @Test func imagesArePinnedAndDruidsCanBeChosen() throws {
    for (name, lines) in try Self.services() {
      let image = try #require(lines.first { $0.hasPrefix("image: ") }, "\(name)")
      #expect(image.contains(/:\d+\.\d+/), "\(name): \(image)")
    }
    #expect(try Self.services()["router"]?.contains("image: apache/druid:33.0.0") == true)
    let newer = try Self.services(["DRUID_VERSION": "38.0.0"])
    for role in ["coordinator", "broker", "historical", "middlemanager", "router"] {
      #expect(newer[role]?.contains("image: apache/druid:38.0.0") == true)
    }
  }

  @Test func everythingIsWatchedAndWaitedForAndKept() throws {
    for (name, lines) in try Self.services() {
      #expect(lines.contains("healthcheck:"), "\(name)")
      #expect(lines.contains("volumes:"), "\(name)")
      if lines.contains("depends_on:") {
        #expect(lines.contains("condition: service_healthy"), "\(name)")
        #expect(!lines.contains { $0.contains("service_started") }, "\(name)")
      }
    }
  }

  @Test func memoryFitsEightGigabytes() throws {
    var megabytes = 0
    for (name, lines) in try Self.services() {
      let limit = try #require(lines.first { $0.hasPrefix("mem_limit: ") }, "\(name)")
      let match = try #require(limit.firstMatch(of: /(\d+)([mg])/), "\(limit)")
      megabytes += (Int(match.1) ?? 0) * (match.2 == "g" ? 1024 : 1)
    }
    #expect(megabytes <= 7_680)
  }

  @Test func druidSpeaksToItsNeighbours() throws {
    let services = try Self.services()
    for role in ["coordinator", "broker", "historical", "middlemanager", "router"] {
      let lines = try #require(services[role])
      for needed in [
        "druid_zk_service_host: zookeeper", "druid_metadata_storage_type: postgresql",
        "druid_metadata_storage_connector_password: druid",
        "druid_storage_storageDirectory: /opt/shared/segments",
      ] {
        #expect(lines.contains(needed), "\(role) lacks \(needed)")
      }
      let extensions = try #require(lines.first { $0.hasPrefix("druid_extensions_loadList") })
      #expect(extensions.contains("druid-kafka-indexing-service"))
      #expect(extensions.contains("postgresql-metadata-storage"))
    }
    for role in ["coordinator", "historical", "middlemanager"] {
      #expect(services[role]?.contains("- druid_shared:/opt/shared:rw") == true, "\(role)")
    }
  }

  @Test func upSaysPlainlyThatDockerIsMissing() throws {
    let workspace = try Commands.Workspace()
    let outcome = try Commands.run(
      "mkdir bin && for c in bash dirname sed id; do ln -s \"$(command -v $c)\" bin; done"
        + " && PATH=$PWD/bin \"$ROOT/scripts/up\"", in: workspace)
    #expect(outcome.status == 69)
    #expect(outcome.errors.hasPrefix("up: Docker is not installed\nup: hint: "))
  }

  /// Docker is played by a script that says yes and makes the topic; Druid by devstack, which reads it.
  @Test func upWaitsUntilDruidReads() throws {
    let outcome = try Commands.run(
      #"""
      mkdir bin && cat > bin/docker <<'STUB'
      #!/bin/sh
      echo "$*" >> "$CALLS"
      case "$*" in
        inspect*) echo healthy ;;
        "compose ps -q "*) echo "id-$4" ;;
        *kafka-topics.sh*) echo '{"timestamp": 1767225600}' | kprod -t ecommerce ;;
      esac
      STUB
      chmod +x bin/docker
      CALLS=$PWD/calls PATH=$PWD/bin:$PATH devstack -- "$ROOT/scripts/up" && cat calls
      """#, in: Commands.Workspace(), environment: ["UP_TIMEOUT": "60"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let said = outcome.output
    for words in [
      "up: waiting for kafka-2", "up: waiting for router", "up: waiting for topic ecommerce",
      "up: the supervisor is RUNNING", "up: ready after ", "compose up -d",
      "--create --if-not-exists --topic ecommerce --partitions 4 --replication-factor 2",
    ] {
      #expect(said.contains(words), "\(words)")
    }
  }
}
