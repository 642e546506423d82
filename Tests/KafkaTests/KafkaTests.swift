import Plumbing
import Testing

@testable import Kafka

@Suite struct MurmurTests {
  /// The vectors of the Java client's own test (org.apache.kafka.common.utils.UtilsTest).
  @Test(arguments: [
    ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
  ])
  func publishedVectors(_ key: String, _ hash: Int) {
    let bytes = Array(key.utf8)
    let computed = unsafe bytes.withUnsafeBytes { unsafe murmur2($0) }
    #expect(computed == Int32(hash))
  }

  @Test func everyLengthAndPartitionCountIsServed() {
    for length in 0...9 {
      let bytes = [UInt8](repeating: 0xff, count: length)
      for count in 1...7 as ClosedRange<Int32> {
        let partition = unsafe bytes.withUnsafeBytes { unsafe javaPartition(of: $0, among: count) }
        #expect((0..<count).contains(partition))
      }
    }
  }
}

@Suite struct DelimiterTests {
  @Test(
    arguments: [
      ("\n", "a\nb", 0, 1), ("\n", "a\nb", 2, nil), ("\n\n", "a\nb\n\nc", 0, 3),
      ("\n\n", "a\n", 0, nil), ("ab", "aab", 0, 1), ("ab", "", 0, nil), ("--", "a-b--", 0, 3),
    ] as [(String, String, Int, Int?)])
  func isFound(_ delimiter: String, _ text: String, _ start: Int, _ place: Int?) {
    let found = unsafe Array(text.utf8).withUnsafeBytes {
      unsafe position(of: Array(delimiter.utf8), in: $0, from: start)
    }
    #expect(found == place)
  }

  @Test func agreesWithTheObviousSearch() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in UInt8.random(in: 0...1) }
      let delimiter = (0..<Int.random(in: 1...3)).map { _ in UInt8.random(in: 0...1) }
      let expected = text.indices.first { text[$0...].starts(with: delimiter) }
      let found = unsafe text.withUnsafeBytes {
        unsafe position(of: delimiter, in: $0, from: 0)
      }
      #expect(found == expected, "\(text) \(delimiter)")
    }
  }
}

@Suite struct TimeFieldTests {
  @Test(
    arguments: [
      ("1767225600", 1_767_225_600_000), ("1767225600123", 1_767_225_600_123),
      ("1767225600.5", 1_767_225_600_500), ("1.7672256e9", 1_767_225_600_000),
      ("99999999999", 99_999_999_999_000), ("100000000000", 100_000_000_000), ("0", 0),
      ("-5", -5000), ("1e300", nil), ("9999999999999999", nil), ("123456789012345678", nil),
    ] as [(String, Int64?)])
  func numbers(_ text: String, _ milliseconds: Int64?) {
    let time = unsafe Array(text.utf8).withUnsafeBytes { unsafe epochMilliseconds(number: $0) }
    #expect(time == milliseconds)
  }
}

@Suite struct SettingsTests {
  @Test(arguments: [
    "sasl.password=x", "ssl.key.password=x", "ssl.keystore.password=x", "SSL.Key.Pem=x",
    "sasl.oauthbearer.client.secret=x", "sasl.oauthbearer.config=x",
  ])
  func secretsHaveNoPlaceOnACommandLine(_ text: String) {
    let failure = #expect(throws: UsageFailure.self) {
      try ClientSettings.property(argument: text)
    }
    #expect(failure?.message.contains("=x") == false)
    #expect(failure?.hints.first?.contains("-F FILE") == true)
  }

  @Test(arguments: ["transactional.id=a", "delivery.report.only.error=true", "novalue", "=x", ""])
  func othersAreRefused(_ text: String) {
    #expect(throws: UsageFailure.self) { try ClientSettings.property(argument: text) }
  }

  @Test func aFileIsRead() throws {
    let text = "# comment\n\n sasl.password = a=b \r\nacks=1\n"
    let list = try ClientSettings.properties(file: text, named: "f")
    #expect(list.map(\.name) == ["sasl.password", "acks"])
    #expect(list.map(\.value) == ["a=b", "1"])
    #expect(list.map(\.origin) == ["f, line 3", "f, line 4"])
  }

  @Test func aSecretOnABrokenLineIsNotShown() {
    let failure = #expect(throws: UsageFailure.self) {
      try ClientSettings.properties(file: "sasl.password hunter2", named: "f")
    }
    #expect(failure?.message == "f, line 1: not NAME=VALUE")
  }

  @Test(arguments: [
    ("ok", true), ("a.b_c-D9", true), ("", false), (".", false), ("..", false), ("a b", false),
    ("ä", false), (String(repeating: "x", count: 249), true),
    (String(repeating: "x", count: 250), false),
  ])
  func topicNames(_ name: String, _ isGood: Bool) {
    #expect(isTopicName(name) == isGood)
  }
}

@Suite struct PlacementTests {
  static func partition(_ number: Int32, leader: Int32 = 1) -> Partition {
    Partition(number: number, leader: leader, replicas: [1], inSync: [1])
  }

  @Test func aMegabyteThenTheNextPartition() {
    var placement = Placement((0..<3).map { Self.partition($0) }, seed: 2)
    #expect(placement.current == 2)
    placement.book(1 << 19)
    #expect(placement.current == 2)
    placement.book(1 << 19)
    #expect(placement.current == 0)
  }

  @Test func partitionsWithoutLeaderArePassedBy() {
    let list = [Self.partition(0), Self.partition(1, leader: -1), Self.partition(2)]
    var placement = Placement(list, seed: 0)
    placement.book(1 << 20)
    #expect(placement.current == 2)
  }
}

@Suite struct TallyTests {
  @Test func theSummaryHasItsKeysInOrder() {
    var tally = Tally()
    tally.lines = 5
    tally.bytes = 50
    tally.delivered = 2
    tally.countFailure(.noKey, 2)
    tally.countDoubt(.kafka(-192))
    #expect(
      tally.summary(seconds: 1.5)
        == #"{"lines":5,"bytes":50,"delivered":2,"failed":2,"unknown":1,"#
        + #""reasons":{"_MSG_TIMED_OUT":1,"no-key":2},"seconds":1.500}"#)
    #expect(
      tally.explanations == [
        "2 lines failed: it has no key", "1 line unknown: message timed out",
      ])
    #expect(
      tally.verdict(isDry: false, failedPath: "f")
        == "2 of 5 lines delivered, 2 failed, 1 unknown; "
        + "the others are in 'f', 1 of them may be doubled when sent again")
  }
}

@Suite struct PaceTests {
  @Test func soManyASecondAndNoBurstAfterAPause() {
    var pace = Pace(perSecond: 100)
    var sent = 0
    while pace.pause == nil {
      pace.count()
      sent += 1
      if sent > 100 { break }
    }
    #expect((1...5).contains(sent))
  }
}
