// swift-tools-version: 6.2
import PackageDescription

/// What every target shares: the compiler guards first.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

func module(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func command(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A test target; it finds the files of the folders it reads by their path.
func tests(
  _ name: String, _ dependencies: [Target.Dependency], reading folders: [String] = [],
  resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], exclude: folders,
    resources: resources, swiftSettings: settings)
}

func debian(_ name: String, package: String, pkgConfig: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
  name: "streamtools",
  targets: [
    debian("CRdkafka", package: "librdkafka-dev", pkgConfig: "rdkafka"),
    debian("CCurl", package: "libcurl4-openssl-dev", pkgConfig: "libcurl"),
    debian("CSQLite", package: "libsqlite3-dev", pkgConfig: "sqlite3"),
    debian("CMicrohttpd", package: "libmicrohttpd-dev", pkgConfig: "libmicrohttpd"),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CBroker"),
    .target(name: "CBuild"),
    debian("CPCRE2", package: "libpcre2-dev", pkgConfig: "libpcre2-8"),
    debian("CZlib", package: "zlib1g-dev", pkgConfig: "zlib"),
    debian("CLZ4", package: "liblz4-dev", pkgConfig: "liblz4"),
    debian("CZstd", package: "libzstd-dev", pkgConfig: "libzstd"),
    debian("CSnappy", package: "libsnappy-dev", pkgConfig: "snappy"),
    // Without the linker's flags: it is loaded when a prompt opens.
    .systemLibrary(name: "CEdit", providers: [.apt(["libedit-dev"])]),

    module("Plumbing", ["CBuild"]),
    module("JSONLines", ["CSimdjson"]),
    module("EventGeneration", ["Plumbing"]),
    module("AnomalyDetection", []),
    module("Kafka", ["Plumbing", "JSONLines", "CRdkafka"]),
    module("Druid", ["Plumbing", "JSONLines", "CCurl"]),
    module("EmbeddedKafka", ["Plumbing", "CBroker", "CZlib", "CLZ4", "CZstd", "CSnappy"]),
    module("JavaValues", ["CPCRE2"]),
    module("DruidSQL", ["JavaValues"]),
    module(
      "EmbeddedDruid",
      ["Plumbing", "JSONLines", "JavaValues", "DruidSQL", "CSQLite", "CMicrohttpd"],
      resources: [.embedInCode("HTTP/console.html")]),

    command("fake-events", ["Plumbing", "EventGeneration"]),
    command("kprod", ["Plumbing", "JSONLines", "Kafka"]),
    command("dsql", ["Plumbing", "Druid", "CEdit"]),
    command("anomalies", ["Plumbing", "JSONLines", "AnomalyDetection"]),
    command("devstack", ["Plumbing", "EmbeddedKafka", "EmbeddedDruid"]),

    // What the tests share; no tool or module sees it.
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: settings),
    // What scripts/evaluate measures with; no release has it.
    .executableTarget(
      name: "evaluation", dependencies: ["Plumbing", "AnomalyDetection"], path: "Tests/Evaluation",
      swiftSettings: settings),
    tests("PlumbingTests", ["Plumbing"]),
    tests("JSONLinesTests", ["JSONLines"]),
    tests("EventGenerationTests", ["EventGeneration"]),
    tests("AnomalyDetectionTests", ["AnomalyDetection"], reading: ["Fixtures"]),
    tests("KafkaTests", ["Kafka", "Plumbing", "CRdkafka"]),
    tests("kprodTests", ["kprod", "Kafka", "Plumbing"]),
    tests("DruidTests", ["Druid", "Plumbing"], reading: ["Fixtures"]),
    tests("dsqlTests", ["dsql", "Druid", "Plumbing"]),
    tests("EmbeddedKafkaTests", ["EmbeddedKafka", "Plumbing", "CRdkafka", "CBroker"]),
    tests("JavaValuesTests", ["JavaValues"]),
    tests("DruidSQLTests", ["DruidSQL", "JavaValues"], reading: ["Fixtures"]),
    tests(
      "EmbeddedDruidTests", ["EmbeddedDruid", "DruidSQL", "JavaValues", "Plumbing"],
      reading: ["Fixtures"]),
    tests(
      "CommandTests",
      ["Plumbing", "CRdkafka", "fake-events", "kprod", "dsql", "anomalies", "devstack"],
      reading: ["Golden", "Fixtures"]),
  ],
  cxxLanguageStandard: .cxx17
)
