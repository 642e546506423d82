import CRdkafka
import Foundation
import Testing

/// kprod's account: read = delivered + failed + unknown, and the topic agrees.
@Suite struct KprodTests {
  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  static func lines(_ count: Int, width: Int = 60) -> [String] {
    (0..<count).map { number in
      let text = "{\"id\":\(number),\"fill\":\""
      return text + String(repeating: "x", count: max(0, width - text.count - 2)) + "\"}"
    }
  }

  static func data(_ lines: [String]) -> Data { Data(lines.map { $0 + "\n" }.joined().utf8) }

  @Test func everyLineArrives() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 8)
    let lines = Self.lines(20_000)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t"], input: Self.data(lines), in: workspace)
    #expect(outcome.status == 0)
    let summary = try outcome.summary
    #expect(summary.lines == 20_000 && summary.delivered == 20_000)
    #expect(summary.bytes == lines.reduce(0) { $0 + $1.utf8.count })
    #expect(outcome.errors.split(separator: "\n").count == 1, "a complete run says nothing else")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.text).sorted() == lines.sorted())
  }

  @Test func bytesPassUnchanged() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let lines: [[UInt8]] = [
      [], [0], [13], Array("caf\u{e9}\r".utf8), [0xff, 0xfe, 0x00, 0x80], Array(" not json ".utf8),
    ]
    let input = Data(lines.joined(separator: [10])) + Data([10]) + Data("last".utf8)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t"], input: input, in: workspace)
    #expect(outcome.status == 0)
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.value) == lines + [Array("last".utf8)])
    #expect(found.allSatisfy { $0.key == nil && $0.headers.isEmpty })
  }

  @Test func keysFieldsHeadersAndTimes() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let input = Data(
      """
      {"a":{"b":"k\\u00e9y"},"at":1767225600}
      {"a":{"b":12.50},"at":"2026-01-01T00:00:00.250Z"}
      {"a":{"b":true},"at":1767225600123}

      """.utf8)
    let outcome = try Commands.kprod(
      [
        "-b", cluster.brokers, "-t", "t", "--key-field", "a.b", "--timestamp-field", "at",
        "-H", "source=test", "-H", "empty=",
      ], input: input, in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(
      found.map { String(decoding: $0.key ?? [], as: UTF8.self) } == ["kéy", "12.50", "true"])
    #expect(
      found.map(\.timestamp) == [1_767_225_600_000, 1_767_225_600_250, 1_767_225_600_123])
    #expect(found.allSatisfy { $0.headers == ["source=test", "empty="] })
  }

  @Test(arguments: ["none", "gzip", "snappy", "lz4", "zstd"])
  func headersOnTheFastWayWithEveryCodec(_ codec: String) throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 4)
    let lines = Self.lines(3000)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "-z", codec, "-H", "a=1", "-H", "b=two", "-k", "same"],
      input: Self.data(lines), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.text).sorted() == lines.sorted())
    #expect(found.allSatisfy { $0.headers == ["a=1", "b=two"] && $0.key == Array("same".utf8) })
    #expect(Set(found.map(\.partition)).count == 1)
  }

  @Test func keysGoWhereJavaPutsThem() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 7)
    let keys = ["21", "foobar", "a-little-bit-long-string", "a-little-bit-longer-string"]
    let hashes = [-973_932_308, -790_332_482, -985_981_536, -1_486_304_829]
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "-K", "::"],
      input: Self.data(keys.map { "\($0)::value of \($0)" }), in: workspace)
    #expect(outcome.status == 0)
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    for (key, hash) in zip(keys, hashes) {
      let message = found.first { $0.key == Array(key.utf8) }
      #expect(message?.partition == Int32((hash & 0x7fff_ffff) % 7))
      #expect(message?.text == "value of \(key)")
    }
  }

  @Test func orderWithinAKeyIsKept() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 5)
    let lines = (0..<30_000).map { "{\"k\":\($0 % 97),\"n\":\($0)}" }
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--key-field", "k"], input: Self.data(lines),
      in: workspace)
    #expect(outcome.status == 0)
    var byKey: [[UInt8]: [String]] = [:]
    for message in try Topics.everything(in: "t", at: cluster.brokers) {
      byKey[message.key ?? [], default: []].append(message.text)
    }
    #expect(byKey.count == 97)
    for (key, found) in byKey {
      let key = String(decoding: key, as: UTF8.self)
      #expect(found == lines.filter { $0.hasPrefix("{\"k\":\(key),") })
    }
  }

  /// Keys that stand in the line as they are sent take a shorter way than those that are decoded.
  @Test func decodedKeysKeepTheirPlaceAmongTheOthers() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 3)
    let written = [#""kéy""#, #""k\u00e9y""#, "12.50", #""\n""#, "true", #""""#, "7"]
    let sent = ["kéy", "kéy", "12.50", "\n", "true", "", "7"]
    let lines = (0..<7000).map { #"{"n":\#($0),"k":\#(written[$0 % 7])}"# }
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--key-field", "k"], input: Self.data(lines),
      in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    var byKey: [String: [String]] = [:]
    for message in try Topics.everything(in: "t", at: cluster.brokers) {
      byKey[String(decoding: message.key ?? [0], as: UTF8.self), default: []].append(message.text)
    }
    for key in sent {
      let expected = lines.indices.filter { sent[$0 % 7] == key }.map { lines[$0] }
      #expect(byKey[key] == expected)
    }
  }

  @Test func badLinesAreSetAsideAndCounted() throws {
    let cluster = try MockCluster()
    let bad = [
      "not json", "{\"k\":null}", "{\"k\":{}}", "{\"k\":[1]}", "{}", "", "[1]", "{\"k\":1} x",
      "{\"k\":\"" + String(repeating: "y", count: 300) + "\"}", "{\"k\":\"\\ud800\"}",
    ]
    let good = ["{\"k\":\"a\"}", "{\"k\":false}", "{\"k\":1,\"v\":\"\\ud800\"}"]
    let outcome = try Commands.kprod(
      [
        "-b", cluster.brokers, "-t", "t", "--key-field", "k", "--max-line", "200", "--failed", "f",
      ], input: Self.data(good + bad), in: workspace)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.lines == 13 && summary.delivered == 3 && summary.failed == 10)
    #expect(summary.reasons == ["not-json": 4, "no-key": 4, "too-long": 1, "not-text": 1])
    #expect(outcome.errors.contains("4 lines failed: it has no key"))
    let kept = try String(contentsOf: workspace.url.appendingPathComponent("f"), encoding: .utf8)
    #expect(kept == bad.map { $0 + "\n" }.joined())
  }

  @Test func theFirstBadLineCanEndIt() throws {
    let cluster = try MockCluster()
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "-K", "\\t", "--on-bad", "stop"],
      input: Data("a\tb\nc\td\nnothing\ne\tf\n".utf8), in: workspace)
    #expect(outcome.status == 65)
    #expect(outcome.errors.contains("kprod: line 3: it has no key"))
    let summary = try outcome.summary
    #expect(summary.lines == 3 && summary.delivered == 2 && summary.failed == 1)
  }

  @Test func aLineOverTheLimitOfAnyLengthIsPassedBy() throws {
    let cluster = try MockCluster()
    let long = String(repeating: "z", count: 3_000_000)
    let lines = Self.lines(5000)
    var input = Self.data(Array(lines[..<2500]))
    input += Data((long + "\n").utf8)
    input += Self.data(Array(lines[2500...]))
    input += Data(long.utf8)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--failed", "f"], input: input, in: workspace)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.lines == 5002 && summary.delivered == 5000)
    #expect(summary.reasons == ["too-long": 2])
    #expect(summary.bytes == 6_000_000 + lines.reduce(0) { $0 + $1.utf8.count })
    let kept = try String(contentsOf: workspace.url.appendingPathComponent("f"), encoding: .utf8)
    #expect(kept == long + "\n" + long + "\n")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.text).sorted() == lines.sorted())
  }

  @Test func theLongestLineThatIsAllowedPasses() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let line = String(repeating: "m", count: 1_000_000)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "-k", "key", "-H", "a=b"],
      input: Self.data(["first", line]), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.text) == ["first", line])
  }

  @Test func otherDelimitersHoweverTheyAreCut() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let records = ["one\nline", "", "a|b", "|", "end"]
    let input = Data(records.map { $0 + "|~|" }.joined().utf8)
    let run = try RunningKprod(
      ["-b", cluster.brokers, "-t", "t", "-D", "|~|"], in: workspace)
    for byte in input {
      try run.write(Data([byte]))
      usleep(1000)
    }
    try run.closeInput()
    #expect(try run.outcome().status == 0)
    #expect(try Topics.everything(in: "t", at: cluster.brokers).map(\.text) == records)
  }

  @Test func tombstonesAndPartitions() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 3)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "-K", ":", "--null-value", "-p", "2"],
      input: Self.data(["a:", "b:x"]), in: workspace)
    #expect(outcome.status == 0)
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.partition) == [2, 2])
    #expect(found.map(\.value) == [nil, [120]])
    let missing = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "-p", "3"], input: Data("x\n".utf8), in: workspace)
    #expect(missing.status == 69)
    #expect(missing.errors.contains("topic 't' has no partition 3: it has 3"))
  }

  @Test func anEnvelopeIsCopiedWhole() throws {
    let cluster = try MockCluster()
    cluster.createTopic("from", partitions: 3)
    cluster.createTopic("to", partitions: 3)
    let filled = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "from", "-K", "\\t", "-H", "h=1", "--null-value"],
      input: Data("k1\t{\"x\":\"ü\\n\"}\nk2\t\nk3\tplain \u{1}\n".utf8), in: workspace)
    #expect(filled.status == 0)
    let copied = try Commands.run(
      "kcat -C -J -e -q -b \(cluster.brokers) -t from"
        + " | kprod -b \(cluster.brokers) -t to --envelope --failed left", in: workspace)
    #expect(copied.status == 0, "\(copied.errors)")
    let from = try Topics.everything(in: "from", at: cluster.brokers)
    let to = try Topics.everything(in: "to", at: cluster.brokers)
    #expect(to.count == 3)
    #expect(to == from)
  }

  @Test func aDryRunReachesNothing() throws {
    let outcome = try Commands.kprod(
      ["-b", "127.0.0.1:1", "--dry-run", "--key-field", "k"],
      input: Data("{\"k\":1}\n{}\n{\"k\":2}\n".utf8), in: workspace)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.lines == 3 && summary.delivered == 0 && summary.failed == 1)
    #expect(outcome.errors.contains("2 of 3 lines could be sent"))
  }

  @Test func checkPrintsThePartitions() throws {
    let cluster = try MockCluster(brokers: 1)
    cluster.createTopic("t", partitions: 2)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--check"], input: Data(), in: workspace)
    #expect(outcome.status == 0)
    #expect(
      outcome.output == """
        partition 0: leader 1, replicas 1, in sync 1
        partition 1: leader 1, replicas 1, in sync 1

        """)
  }

  @Test func theRateIsKept() throws {
    let cluster = try MockCluster()
    let began = Date()
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--max-rate", "1000"],
      input: Self.data(Self.lines(1000)), in: workspace)
    #expect(outcome.status == 0)
    #expect(Date().timeIntervalSince(began) > 0.9)
    #expect(try outcome.summary.delivered == 1000)
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.text).sorted() == Self.lines(1000).sorted())
  }

  @Test func anEmptyInputIsNoError() throws {
    let cluster = try MockCluster()
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t"], input: Data(), in: workspace)
    #expect(outcome.status == 0)
    #expect(try outcome.summary.lines == 0)
  }
}
