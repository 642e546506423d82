import Foundation
import Plumbing
import TestSupport
import Testing

@testable import EmbeddedDruid

@Suite struct IngestionSpecTests {
  /// The project's spec with one part replaced.
  static func spec(_ old: String = "", _ new: String = "") throws -> IngestionSpec {
    let text =
      old.isEmpty
      ? DruidServer.ecommerceSpec : DruidServer.ecommerceSpec.replacing(old, with: new)
    return try IngestionSpec(JSONValue(parsing: text))
  }

  @Test func readsTheProjectsOwn() throws {
    let spec = try Self.spec()
    #expect(spec.dataSource == "ecommerce")
    #expect(spec.topic == "ecommerce")
    #expect(spec.timestamp == TimestampSpec(format: .posix))
    #expect(
      spec.schema.columns.map(\.name) == [
        "__time", "event_type", "country", "city", "device", "user_id", "product_id", "price",
        "quantity",
      ])
    #expect(!spec.isRolledUp && spec.usesEarliestOffset && spec.granularity == .none)
  }

  @Test func defaultsAreDruids() throws {
    let spec = try Self.spec("\"rollup\": false", "\"intervals\": []")
    #expect(spec.isRolledUp)
    #expect(try !Self.spec("\"useEarliestOffset\": true,", "").usesEarliestOffset)
    #expect(
      try Self.spec("{\"type\": \"string\", \"name\": \"city\"}", "\"city\"").schema
        == Self.spec().schema)
  }

  /// Settings that would change the rows and are not supported are refused by name.
  @Test(arguments: [
    (
      "\"metricsSpec\": []",
      "\"metricsSpec\": [{\"type\":\"HLLSketchBuild\",\"name\":\"u\",\"fieldName\":\"x\"}]",
      "metricsSpec.u.type"
    ),
    (
      "\"metricsSpec\": []",
      "\"transformSpec\": {\"transforms\":[{\"type\":\"expression\",\"name\":\"r\",\"expression\":\"timestamp_floor(x)\"}]}",
      "transformSpec.transforms.r"
    ),
    (
      "\"metricsSpec\": []", "\"transformSpec\": {\"filter\":{\"type\":\"selector\"}}",
      "transformSpec.filter"
    ),
    ("\"metricsSpec\": []", "\"somethingNew\": 1", "dataSchema.somethingNew"),
    ("\"format\": \"posix\"", "\"format\": \"yyyy q\"", "timestampSpec.format"),
    (
      "{\"type\": \"string\", \"name\": \"city\"}", "{\"type\": \"spatial\", \"name\": \"city\"}",
      "dimensions.city.type"
    ),
    (
      "\"queryGranularity\": \"NONE\"",
      "\"queryGranularity\": {\"type\":\"period\",\"period\":\"PT7M\"}", "queryGranularity"
    ),
    (
      "\"topic\": \"ecommerce\"", "\"topic\": \"e\", \"topicPattern\": \"e.*\"",
      "ioConfig.topicPattern"
    ),
    ("{\"type\": \"json\"}", "{\"type\": \"parquet\"}", "inputFormat.type"),
    (
      "{\"type\": \"json\"}", "{\"type\": \"csv\", \"columns\": [\"a\"], \"x\": 1}", "inputFormat.x"
    ),
    (
      "{\"type\": \"json\"}",
      "{\"type\": \"json\", \"flattenSpec\":{\"fields\":[{\"name\":\"a\"}]}}", "flattenSpec"
    ),
    ("\"logParseExceptions\": true", "\"reportParseExceptions\": true", "reportParseExceptions"),
  ])
  func refusesByName(_ change: (old: String, new: String, field: String)) throws {
    let failure = #expect(throws: SpecFailure.self) { try Self.spec(change.old, change.new) }
    #expect(failure?.message.contains(change.field) == true, "\(failure?.message ?? "")")
    #expect(failure?.message.contains("devstack does not support") == true)
  }

  @Test(arguments: [
    ("{\"type\": \"kafka\"}", "problem: dataSchema"),
    ("{\"type\": \"kafka\", \"spec\": {\"dataSchema\": {}}}", "problem: ioConfig"),
    ("{}", "missing type id property 'type'"),
    ("{\"type\": \"kinesisx\", \"spec\": {}}", "Could not resolve type id 'kinesisx'"),
  ])
  func refusesAsDruidDoes(_ pair: (spec: String, words: String)) throws {
    let failure = #expect(throws: SpecFailure.self) {
      try IngestionSpec(JSONValue(parsing: pair.spec))
    }
    #expect(failure?.message.contains(pair.words) == true)
  }

  @Test(arguments: [
    ("PT1H", 3_600_000), ("P1DT2H", 93_600_000), ("PT1H30M5S", 5_405_000), ("P2W", 1_209_600_000),
    ("P1M", nil), ("P", nil), ("PT", nil), ("1H", nil), ("PT1H1H", nil), ("PT-1H", nil),
    ("PT99999999S", nil),
  ])
  func readsPeriods(_ sample: (text: String, milliseconds: Int64?)) {
    #expect(AcceptedTimes.milliseconds(ofPeriod: sample.text) == sample.milliseconds)
  }

  @Test func takesEventsOfTheRightTimesAlone() throws {
    let io = JSONValue.object([
      "lateMessageRejectionPeriod": .string("PT1H"), "earlyMessageRejectionPeriod": .string("PT2H"),
      "taskDuration": .string("PT10M"),
    ])
    let times = try AcceptedTimes(io)
    let made = TimePoint(milliseconds: 100_000_000)
    #expect(
      times.range(made: made, now: TimePoint(milliseconds: 100_599_999))
        == 96_400_000...107_800_000)
    // The time range of the next task.
    #expect(
      times.range(made: made, now: TimePoint(milliseconds: 100_600_000))
        == 97_000_000...108_400_000)
    #expect(try AcceptedTimes(.object([])).isEverything)
    #expect(throws: SpecFailure.self) {
      try AcceptedTimes(.object(["lateMessageRejectionPeriod": .string("P1M")]))
    }
    let from = try AcceptedTimes(
      .object(["lateMessageRejectionStartDateTime": .string("2026-01-01T00:00:00Z")]))
    #expect(from.range(made: made, now: made).lowerBound == 1_767_225_600_000)
  }

  /// Any spec is read or refused.
  @Test func specsAreFuzzed() throws {
    let leaves: [JSONValue] = [
      .null, .bool(true), .number("-1"), .number("1e999"), .string(""), .string("ALL"),
      .array([]), .object([]), .array([.null, .string("x")]), .string("\u{0}"),
    ]
    func damaged(_ value: JSONValue, _ random: inout SeededGenerator) -> JSONValue {
      if random.below(40) == 0 { return random.pick(leaves) }
      switch value {
      case .array(let list): return .array(list.map { damaged($0, &random) })
      case .object(let members):
        return .object(
          members.filter { _ in random.below(40) > 0 }.map {
            .init(key: $0.key, value: damaged($0.value, &random))
          })
      default: return value
      }
    }
    let plain = try JSONValue(parsing: DruidServer.ecommerceSpec)
    let rich = try JSONValue(
      parsing: DruidServer.ecommerceSpec
        .replacing(
          "\"metricsSpec\"",
          with: #"""
            "transformSpec":{"transforms":[
              {"type":"expression","name":"price","expression":"if(nvl(a, 1) > 0, cast(b, 'LONG'), 2)"},
              {"type":"expression","name":"__time","expression":"timestamp_floor(__time, 'PT1H')"}],
              "filter":{"type":"and","fields":[{"type":"selector","dimension":"city","value":"x"},
              {"type":"not","field":{"type":"in","dimension":"device","values":["a","b"]}},
              {"type":"bound","dimension":"price","lower":"1","ordering":"numeric"}]}},"metricsSpec"
            """#
        )
        .replacing(
          "{\"type\": \"json\"}",
          with: #"""
            {"type":"json","flattenSpec":{"useFieldDiscovery":true,"fields":["user_id",
            {"type":"path","name":"city","expr":"$.a.b[0]"},{"type":"tree","name":"x","nodes":["a"]}]}}
            """#))
    let storage = try TemporaryStorage(directory: "/tmp")
    try Fuzzing.run("specs") { random in
      do {
        let spec = try IngestionSpec(damaged(random.pick([plain, rich]), &random))
        var reader = RowReader(spec, storage: storage)
        _ = try Messages.read(
          Array("{\"timestamp\":1767225600,\"city\":\"x\"}".utf8), with: &reader)
      } catch let failure as SpecFailure {
        #expect(!failure.message.isEmpty, "seed \(Fuzzing.seed)")
      }
    }
  }
}
