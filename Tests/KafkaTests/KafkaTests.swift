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
