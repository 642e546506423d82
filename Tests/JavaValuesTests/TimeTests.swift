import Foundation
import Testing

@testable import JavaValues

@Suite struct TimeTests {
  /// A simplified New York: standard time before 2007, then a rule.
  static let newYork: TimeZoneTable = {
    var table = TimeZoneTable(name: "America/New_York", offsetMilliseconds: -18_000_000)
    table.rule = TimeZoneRule("EST5EDT,M3.2.0,M11.1.0")
    return table
  }()

  private func time(_ text: String) throws -> Int64 { try #require(TimeText.parse(text)) }

  @Test(arguments: [
    (TimeZoneTable.utc, "2026-01-15T10:11:12", "P1D", "2026-01-15T00:00:00.000Z"),
    (.utc, "2026-01-15T10:11:12", "P1W", "2026-01-12T00:00:00.000Z"),
    (.utc, "2026-05-15T10:11:12", "P3M", "2026-04-01T00:00:00.000Z"),
    (.utc, "2026-05-15T10:11:12", "P1Y", "2026-01-01T00:00:00.000Z"),
    (.utc, "2026-05-15T10:11:12", "P1M", "2026-05-01T00:00:00.000Z"),
    (.utc, "2026-05-15T10:11:12", "P5Y", "2025-01-01T00:00:00.000Z"),
    (.utc, "2026-01-15T10:11:12", "PT6H", "2026-01-15T06:00:00.000Z"),
    (.utc, "2026-01-15T10:11:12", "PT15M", "2026-01-15T10:00:00.000Z"),
    (.utc, "2026-01-15T10:11:12", "PT5S", "2026-01-15T10:11:10.000Z"),
    (.utc, "2026-01-15T10:11:12.345", "PT1S", "2026-01-15T10:11:12.000Z"),
    (.utc, "1969-12-31T23:59:59", "P1D", "1969-12-31T00:00:00.000Z"),
    (.utc, "1969-12-15T10:00:00", "P2M", "1969-11-01T00:00:00.000Z"),
    (.utc, "2026-01-15T10:11:12", "P2W", "2026-01-15T00:00:00.000Z"),
    (.utc, "2026-01-15T10:11:12", "PT1H30M", "2026-01-15T09:00:00.000Z"),
    (newYork, "2026-03-08T12:00:00Z", "P1D", "2026-03-08T05:00:00.000Z"),
    (newYork, "2026-03-09T12:00:00Z", "P1D", "2026-03-09T04:00:00.000Z"),
    (newYork, "2026-11-01T05:30:00Z", "PT1H", "2026-11-01T05:00:00.000Z"),
    (newYork, "2026-11-01T06:30:00Z", "PT1H", "2026-11-01T06:00:00.000Z"),
    (newYork, "2026-07-15T00:00:00Z", "P1M", "2026-07-01T04:00:00.000Z"),
  ])
  func floors(zone: TimeZoneTable, from: String, period: String, expected: String) throws {
    let period = try #require(Period(period))
    #expect(TimeText.iso(period.floor(try time(from), zone: zone)) == expected)
  }

  @Test func heedsAnOrigin() throws {
    let day = try #require(Period("P1D"))
    let midnight = try time("2026-01-15")
    let origin = try time("2026-01-01T06:00:00")
    #expect(
      TimeText.iso(day.floor(midnight, origin: origin, zone: .utc)) == "2026-01-14T06:00:00.000Z")
  }

  @Test(arguments: [
    ("2026-01-31", "P1M", Int64(1), "2026-02-28T00:00:00.000Z"),
    ("2024-01-31", "P1M", 1, "2024-02-29T00:00:00.000Z"),
    ("2026-01-01", "P1D", -2, "2025-12-30T00:00:00.000Z"),
    ("2026-01-01", "P1Y2M3DT4H", 1, "2027-03-04T04:00:00.000Z"),
    ("2026-01-01", "PT1H", 30, "2026-01-02T06:00:00.000Z"),
  ])
  func shifts(from: String, period: String, step: Int64, expected: String) throws {
    let period = try #require(Period(period))
    #expect(TimeText.iso(period.added(to: try time(from), times: step, zone: .utc)) == expected)
  }

  @Test func aDayAcrossTheClockChangeIsADayOnTheClock() throws {
    let day = try #require(Period("P1D"))
    let before = try time("2026-03-07T17:00:00Z")
    #expect(
      TimeText.iso(day.added(to: before, zone: Self.newYork)) == "2026-03-08T16:00:00.000Z")
  }

  @Test(arguments: [
    "", "P", "PT", "1D", "P1X", "P1DT", "PD", "P1H", "PT1D", "P999999999999Y", "P1D1M", "P1M1M",
    "PT1M1H",
  ])
  func refusesWhatIsNoPeriod(text: String) { #expect(Period(text) == nil) }

  @Test(arguments: [
    ("2026-01-01T05:06:07Z", "2026-01-01T05:06:07.000Z"),
    ("2026-01-01 05:06:07", "2026-01-01T05:06:07.000Z"),
    ("2026-01-01", "2026-01-01T00:00:00.000Z"), ("2026-01", "2026-01-01T00:00:00.000Z"),
    ("2026", "2026-01-01T00:00:00.000Z"), ("2026-01-01T", "2026-01-01T00:00:00.000Z"),
    ("2026-1-2", "2026-01-02T00:00:00.000Z"), ("2026-032", "2026-02-01T00:00:00.000Z"),
    ("2026-W03-2", "2026-01-13T00:00:00.000Z"),
    ("2026-01-01T05:06:07.1234+02:00", "2026-01-01T03:06:07.123Z"),
    ("2026-01-01T05:06-0330", "2026-01-01T08:36:00.000Z"),
    ("2026-01-01T05.5", "2026-01-01T05:30:00.000Z"),
  ])
  func readsTimes(text: String, expected: String) throws {
    #expect(TimeText.iso(try #require(TimeText.parse(text))) == expected)
  }

  @Test(arguments: [
    "", "nonsense", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01T05:06:07x",
    "2026-01-01Z", " 2026-01-01", "2026-01-01T05:60", "292278994-01-01", "999999999",
  ])
  func refusesWhatIsNoTime(text: String) { #expect(TimeText.parse(text) == nil) }

  @Test(arguments: [
    ("yyyy-MM-dd HH:mm", "2026-01-05 15:04"), ("EEE, d MMM yy", "Mon, 5 Jan 26"),
    ("EEEE d MMMM yyyy", "Monday 5 January 2026"), ("hh:mm a", "03:04 PM"),
    ("h 'o''clock' K k H", "3 o'clock 3 15 15"), ("HH:mm:ss.SSS S", "15:04:05.678 6"),
    ("D w e x", "5 2 1 2026"), ("Z ZZ ZZZ", "+0000 +00:00 UTC"), ("yyyyMMdd", "20260105"),
    ("G C Y", "AD 20 2026"), ("''", "'"), ("SSSSSS", "678000"),
  ])
  func formatsByPattern(pattern: String, expected: String) throws {
    let pattern = try JodaPattern(pattern)
    #expect(pattern.text(of: try time("2026-01-05T15:04:05.678"), zone: .utc) == expected)
  }

  @Test func namesTheZone() throws {
    let pattern = try JodaPattern("HH:mm Z ZZZ zzz")
    let text = pattern.text(of: try time("2026-07-01T12:00:00Z"), zone: Self.newYork)
    #expect(text == "08:00 -0400 America/New_York EDT")
  }

  @Test(arguments: [
    ("dd/MM/yyyy", "01/02/2026", "2026-02-01T00:00:00.000Z"),
    ("yyyyMMddHHmmss", "20260105150405", "2026-01-05T15:04:05.000Z"),
    ("MMM d, yyyy h:mm a", "Mar 7, 2026 2:05 PM", "2026-03-07T14:05:00.000Z"),
    ("yyyy-MM-dd'T'HH:mm:ssZ", "2026-01-05T15:04:05+0100", "2026-01-05T14:04:05.000Z"),
    ("MM/yy", "03/07", "2007-03-01T00:00:00.000Z"), ("HH:mm", "10:20", "1970-01-01T10:20:00.000Z"),
    ("d MMMM", "3 may", "2000-05-03T00:00:00.000Z"),
    ("yyyy-DDD", "2026-032", "2026-02-01T00:00:00.000Z"),
    ("EEE MMM dd HH:mm:ss Z yyyy", "Mon Jan 05 15:04:05 +0100 2026", "2026-01-05T14:04:05.000Z"),
    ("HH:mmZ yyyy", "15:04+01 2026", "2026-01-01T14:04:00.000Z"),
    ("yyyy'Uhr'HHZmm", "2026UHR15-02:0030", "2026-01-01T17:30:00.000Z"),
  ])
  func readsByPattern(pattern: String, text: String, expected: String) throws {
    let found = try #require(try JodaPattern(pattern).time(of: text, zone: .utc))
    #expect(TimeText.iso(found) == expected)
  }

  @Test(arguments: [
    ("dd/MM/yyyy", "31/02/2026"), ("dd/MM/yyyy", "01/02/2026x"), ("HH", "24"), ("yyyy", ""),
  ])
  func refusesWhatDoesNotFit(pattern: String, text: String) throws {
    #expect(try JodaPattern(pattern).time(of: text, zone: .utc) == nil)
  }

  @Test func refusesLettersThatMeanNothing() {
    #expect(throws: ValueFailure.self) { try JodaPattern("yyyy-bb") }
  }

  @Test(arguments: [
    (TimeUnit.epoch, Int64(1_767_625_445)), (.second, 5), (.minute, 4), (.hour, 15), (.day, 5),
    (.dayOfWeek, 1), (.dayOfYear, 5), (.week, 2), (.month, 1), (.quarter, 1), (.year, 2026),
    (.isoYear, 2026), (.decade, 202), (.century, 21), (.millennium, 3), (.millisecond, 678),
  ])
  func extracts(unit: TimeUnit, expected: Int64) throws {
    let time = try time("2026-01-05T15:04:05.678")
    #expect(TimeExtract.value(unit, of: time, zone: .utc) == expected)
  }

  @Test func civilDatesAgreeWithTheirInverse() {
    for days in stride(from: Int64(-800_000), through: 800_000, by: 97) {
      let date = CivilTime.date(days: days)
      #expect(CivilTime.days(year: date.year, month: date.month, day: date.day) == days)
    }
  }

  @Test func countsMonths() throws {
    let start = try time("2026-01-31")
    #expect(CivilTime.months(from: start, to: try time("2026-02-28")) == 1)
    #expect(CivilTime.months(from: start, to: try time("2026-02-27")) == 0)
    #expect(CivilTime.months(from: start, to: try time("2025-12-30")) == -1)
  }

  @Test func readsTheSystemsZones() throws {
    let path = "/usr/share/zoneinfo/America/Los_Angeles"
    guard let data = FileManager.default.contents(atPath: path) else { return }
    let zone = try #require(TimeZoneTable(name: "America/Los_Angeles", tzif: Array(data)))
    #expect(zone.offset(at: try time("2026-01-01T00:00:00Z")) == -8 * 3_600_000)
    #expect(zone.offset(at: try time("2026-07-01T00:00:00Z")) == -7 * 3_600_000)
    #expect(zone.offset(at: try time("2050-07-01T00:00:00Z")) == -7 * 3_600_000)
    #expect(zone.offset(at: try time("1990-07-01T00:00:00Z")) == -7 * 3_600_000)
    #expect(zone.offset(at: try time("1975-02-01T00:00:00Z")) == -8 * 3_600_000)
    for length in stride(from: 0, to: data.count, by: 7) {
      _ = TimeZoneTable(name: "torn", tzif: Array(data.prefix(length)))
    }
  }

  @Test(arguments: [
    ("UTC", Int64(0)), ("+05:30", 19_800_000), ("-08", -28_800_000), ("-08:00", -28_800_000),
    ("GMT+5", 18_000_000), ("+0530", 19_800_000), ("GMT-08:00", -28_800_000),
  ])
  func knowsFixedZones(name: String, offset: Int64) {
    #expect(TimeZoneTable.fixed(name)?.offset(at: 0) == offset)
  }

  /// Three letters stand for a region, whose summer time counts.
  @Test(arguments: [
    ("PST", "2026-07-01T00:00:00Z", Int64(-7)), ("CST", "2026-01-01T00:00:00Z", -6),
    ("JST", "2026-01-01T00:00:00Z", 9), ("ECT", "2026-07-01T00:00:00Z", 2),
    ("BST", "2026-07-01T00:00:00Z", 6),
  ])
  func threeLettersAreARegion(name: String, at moment: String, hours: Int64) throws {
    let context = ValueContext { name in
      FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)").map(Array.init)
    }
    let zone = try #require(context.findZone(name))
    #expect(zone.offset(at: try time(moment)) == hours * 3_600_000)
    #expect(context.findZone("XYZ") == nil)
  }

  @Test(arguments: ["", "+", "+5", "+25:00", "America/New_York", "+05:3"])
  func refusesOtherNames(name: String) { #expect(TimeZoneTable.fixed(name) == nil) }
}
