import Plumbing
import Testing

@testable import Kafka
@testable import kprod

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

@Suite struct TallyTests {
  @Test func theSummaryHasItsKeysInOrder() {
    var tally = Tally()
    tally.lines = 5
    tally.bytes = 50
    tally.delivered = 2
    tally.countFailure(.noKey, 2, line: 3)
    tally.countDoubt(.kafka(KafkaError(code: -192)))
    #expect(
      tally.summary(seconds: 1.5)
        == #"{"lines":5,"bytes":50,"delivered":2,"failed":2,"unknown":1,"#
        + #""reasons":{"_MSG_TIMED_OUT":1,"no-key":2},"seconds":1.500}"#)
    var form = RecordForm()
    form.key = .field(["user", "id"])
    #expect(
      tally.explanations(form) == [
        "2 lines failed: it has no key (field 'user.id', the first is line 3)",
        "1 line unknown: message timed out",
      ])
    #expect(
      tally.verdict(isDry: false, failedPath: "f")
        == "2 of 5 lines delivered, 2 failed, 1 unknown; "
        + "the others are in 'f', 1 of them may be duplicated when sent again")
  }
}

@Suite struct PaceTests {
  @Test func theRateHoldsAndAPauseCausesNoBurst() {
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
