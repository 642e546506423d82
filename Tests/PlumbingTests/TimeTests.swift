import Plumbing
import Testing

@Suite struct TimeTests {
  @Test(arguments: [
    ("250ms", 0.25), ("10s", 10), ("10", 10), ("0.5", 0.5), ("5m", 300), ("1h30m", 5400),
    ("7d", 604_800), ("2w", 1_209_600), ("1.5h", 5400), ("0s", 0), ("15us", 0.000015),
  ])
  func spansAreRead(text: String, seconds: Double) throws {
    let span = try #require(Duration(spelling: text))
    #expect(abs(span.inSeconds - seconds) < 1e-9)
  }

  @Test(arguments: [
    "", "s", "-5s", "5x", "1h-3m", "h1", "1..5s", "5 s", "nan", "1e400s", "9999999999999999d",
  ])
  func whatIsNoSpanIsRefused(text: String) {
    #expect(Duration(spelling: text) == nil)
  }

  @Test(
    arguments: [
      ("2026-01-01", 1_767_225_600_000), ("2026-01-01T00:00:00Z", 1_767_225_600_000),
      ("2026-01-01T00:00:00+02:00", 1_767_218_400_000),
      ("2026-01-01 00:00:00.250", 1_767_225_600_250),
      ("1767225600", 1_767_225_600_000), ("1970-01-01", 0), ("1969-12-31T23:59:59.999Z", -1),
      ("2000-02-29", 951_782_400_000), ("0000-01-01", -62_167_219_200_000), ("now", 5_000_000),
      ("-1s", 4_999_000), ("+1h", 8_600_000), ("-1", -1000),
      ("2026-01-01T00:00", 1_767_225_600_000),
    ] as [(String, Int64)])
  func timesAreRead(text: String, milliseconds: Int64) throws {
    let point = try #require(TimePoint(spelling: text, now: TimePoint(milliseconds: 5_000_000)))
    #expect(point.milliseconds == milliseconds)
  }

  @Test(
    arguments: [
      "", "yesterday", "2026-02-29", "2026-13-01", "2026-1-1", "2026-01-01T25:00:00Z",
      "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00+2", "2026-01-01T", "-7", "99999999999999",
      "-7x",
    ].filter { $0 != "-7" })
  func whatIsNoTimeIsRefused(text: String) {
    #expect(TimePoint(spelling: text, now: TimePoint(milliseconds: 0)) == nil)
  }

  @Test func everyDayOfNineCenturiesComesBack() {
    var previous = civilDate(daysSinceEpoch: -200_001)
    for day in Int64(-200_000)...130_000 {
      let date = civilDate(daysSinceEpoch: day)
      #expect(daysSinceEpoch(year: date.year, month: date.month, day: date.day) == day)
      #expect((previous.year, previous.month, previous.day) < (date.year, date.month, date.day))
      previous = date
    }
  }

  @Test func timesAreWrittenAsISO8601() {
    #expect(TimePoint(milliseconds: 1_767_225_600_250).iso8601 == "2026-01-01T00:00:00.250Z")
    #expect(TimePoint(milliseconds: -1).iso8601 == "1969-12-31T23:59:59.999Z")
  }
}
