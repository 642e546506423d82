import Testing

@testable import AnomalyDetection

/// Excursions that come back every hour, day or week.
@Suite struct RoutineTests {
  private static let start = 1_767_571_200.0

  /// The buckets of one minute with a score of 3 or more, of one series of rows.
  private func alarms(
    days: Int, rules: TallyRules = .shipped, _ value: (_ minute: Int) -> Double
  ) -> [Int] {
    let detector = CompactTally(
      measures: [MeasureTraits(isRows: true)], common: nil,
      tempo: TallyTempo(rules, seconds: 60))
    detector.grow(to: 1)
    var values = BucketValues()
    var alarms: [Int] = []
    let tempo = TallyTempo(rules, seconds: 60)
    for minute in 0..<(days * 1440) {
      values.reset(1)
      values.amounts[0] = value(minute)
      values.exposures[0] = 1
      let time = Self.start + Double(minute) * 60
      detector.judge(
        time: time, hour: tempo.hourOfWeek(time), values: values, order: [0], expected: [])
      if detector.verdicts[0].score >= 3 { alarms.append(minute) }
    }
    return alarms
  }

  private func noise(_ minute: Int) -> Double { Double(100 + minute * 7919 % 31) }

  @Test func aJobOfEveryHourIsUnusualOnlyAtFirst() {
    func value(_ minute: Int) -> Double { noise(minute) * (minute % 60 == 7 ? 12 : 1) }
    let plain = alarms(days: 6, rules: .reference, value)
    #expect(plain.count > 50)
    let first = alarms(days: 6, value)
    #expect(first.allSatisfy { $0 < 12 * 60 }, "\(first)")
    // One that is five times as large, and one at another time.
    let odd = alarms(days: 6) { minute in
      switch minute {
      case 5 * 1440 + 7: 12 * 5 * 115
      case 5 * 1440 + 400: 12 * 115
      default: value(minute)
      }
    }
    #expect(odd.contains(5 * 1440 + 7) && odd.contains(5 * 1440 + 400), "\(odd)")
  }

  /// The nightly job starts a minute early or late.
  @Test func aJobOfEveryNightIsUnusualOnlyAtFirst() {
    func value(_ minute: Int) -> Double {
      let jitter = minute / 1440 * 7 % 3 - 1
      return noise(minute) * (minute % 1440 == 180 + jitter ? 15 : 1)
    }
    let alarms = alarms(days: 14) { minute in
      minute == 12 * 1440 + 700 ? 15 * 115 : value(minute)
    }
    #expect(alarms.contains { $0 < 3 * 1440 })
    let later = 12 * 1440 + 700..<12 * 1440 + 720
    #expect(
      alarms.allSatisfy { $0 < 5 * 1440 || later ~= $0 }
        && alarms.contains(12 * 1440 + 700), "\(alarms)")
  }

  /// What a series does at odd times on most days is its nature.
  @Test func aSeriesThatOftenJumpsIsNotReportedForEver() {
    func value(_ minute: Int) -> Double { noise(minute) * (minute % 517 == 3 ? 10 : 1) }
    let alarms = alarms(days: 14, value)
    #expect(!alarms.isEmpty && alarms.allSatisfy { $0 < 6 * 1440 }, "\(alarms)")
  }

  @Test func theRecordIsSavedAndHostileBytesAreRefused() throws {
    var routine = Routine()
    for day in 0..<4 {
      for series in [3, 8] {
        let time = Self.start + Double(day) * 86_400
        let isKnown = routine.knows(
          series: series, time: time, size: 50, isUp: true, isRows: false, seconds: 60)
        #expect(isKnown == (day == 3))
      }
    }
    var writer = StateWriter()
    routine.encode(to: &writer)
    var copy = Routine()
    var reader = StateReader(writer.bytes)
    try copy.decode(from: &reader, seriesCount: 9)
    #expect(reader.isAtEnd)
    let next = Self.start + 4 * 86_400
    for (size, isKnown) in [(200.0, false), (60, true)] {
      #expect(
        copy.knows(series: 8, time: next, size: size, isUp: true, isRows: false, seconds: 60)
          == isKnown)
    }
    #expect(throws: StateDamage.self) {
      var reader = StateReader(writer.bytes)
      try copy.decode(from: &reader, seriesCount: 8)
    }
    for length in 0..<writer.bytes.count {
      var reader = StateReader(Array(writer.bytes[..<length]))
      #expect(throws: StateDamage.self) { try copy.decode(from: &reader, seriesCount: 9) }
    }
  }
}
