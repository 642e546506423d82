import Plumbing
import Testing

@testable import EventGeneration

/// Planned changes, which are labelled as expected, and anomalies with ramps.
@Suite struct DecoyTests {
  private let usual: [Record]
  private let model = shop(rate: 20) { $0.isFlat = true }
  private let part = EventStream.Part(start: monday, end: monday + 2400)

  init() throws {
    usual = try EventGenerationTests.records(run(model, part).lines)
  }

  private func parse(_ text: String, option: String = "--decoy") throws -> Anomaly {
    try AnomalySpec(text, option: option, rate: 20, products: 1000, now: monday)
      .anomaly(id: "1", runStart: monday)
  }

  private func records(with anomaly: Anomaly) throws -> [Record] {
    try EventGenerationTests.records(run(model, part, anomalies: [anomaly]).lines)
  }

  /// The share of events in the span that match, relative to the run without the anomaly.
  private func share(
    _ records: [Record], _ span: Range<Int64>, where matches: (Record) -> Bool = { _ in true }
  ) throws -> Double {
    func count(_ all: [Record]) -> Int {
      all.count { span.contains(Int64($0.timestamp)) && matches($0) }
    }
    return Double(count(records)) / Double(count(usual))
  }

  @Test func aPromotionBringsVisitorsAndLowersPrices() throws {
    let day = try records(with: parse("promotion@+10m+20m,x=2,off=0.25"))
    let span = monday + 600..<monday + 1800
    #expect(abs(try share(day, span) - 2) < 0.1)
    #expect(try share(day, monday..<monday + 600) == 1)
    let prices = Dictionary(usual.map { ($0.product_id, $0.price) }, uniquingKeysWith: { $1 })
    for record in day where span.contains(Int64(record.timestamp)) {
      guard let price = prices[record.product_id] else { continue }
      #expect(abs(record.price - price * 0.75) <= 0.0051)
    }
  }

  @Test func aHolidayIsAnotherLevelOfACountry() throws {
    let day = try records(with: parse("holiday@+10m+20m,country=India,x=0.3"))
    let span = monday + 600..<monday + 1800
    #expect(abs(try share(day, span) { $0.country == "India" } - 0.3) < 0.12)
    #expect(try share(day, span) { $0.country != "India" } == 1)
  }

  @Test func aCampaignBringsViewsAlone() throws {
    let day = try records(with: parse("campaign@+10m+20m,x=3"))
    let span = monday + 600..<monday + 1800
    #expect(abs(try share(day, span) { $0.event_type == "view" } - 3) < 0.15)
    #expect(try share(day, span) { $0.event_type != "view" } == 1)
  }

  @Test func labelsSayWhatIsExpected() throws {
    let labels = run(
      model, part,
      anomalies: [
        try parse("promotion@+10m+20m,ramp=10m"), try parse("spike@+31m+5m", option: "--anomaly"),
      ]
    ).labels.split(separator: "\n")
    #expect(labels.count == 4)
    #expect(labels[0].contains("\"kind\":\"promotion\""))
    #expect(labels[0].hasSuffix("\"ramp\":600,\"expected\":true}"))
    #expect(!labels.contains { $0.contains("spike") && $0.contains("expected") })
  }

  /// The share at a minute of the day.
  private func level(_ day: [Record], _ minute: Int64) throws -> Double {
    try share(day, monday + minute * 60 - 90..<monday + minute * 60 + 90)
  }

  @Test func aRampRisesAndFades() throws {
    let day = try records(with: parse("spike@+5m+30m,x=5,ramp=15m", option: "--anomaly"))
    #expect(abs(try level(day, 12) - 2.9) < 0.4)
    #expect(abs(try level(day, 20) - 4.8) < 0.5)
    #expect(abs(try level(day, 28) - 2.9) < 0.4)
    #expect(try level(day, 38) == 1)
  }

  @Test func aDriftMovesOverItsWholeSpan() throws {
    let day = try records(with: parse("drift@+5m+30m,x=0.5", option: "--anomaly"))
    #expect(abs(try level(day, 12) - 0.88) < 0.08)
    #expect(abs(try level(day, 33) - 0.53) < 0.08)
    #expect(try level(day, 38) == 1)
  }

  @Test func eachOptionHasItsOwnKinds() throws {
    #expect(throws: UsageFailure.self) { _ = try parse("spike@+1h+1h") }
    #expect(throws: UsageFailure.self) { _ = try parse("holiday@+1h+1h", option: "--anomaly") }
    for text in ["promotion@+1h+1h,off=1", "promotion@+1h+1h,ramp=0s", "campaign@+1h+1h,off=0.1"] {
      #expect(throws: UsageFailure.self, "\(text)") { _ = try parse(text) }
    }
    #expect(throws: UsageFailure.self) {
      _ = try parse("drift@+1h+1h,ramp=1h", option: "--anomaly")
    }
  }

  @Test func customersCanLiveInSomeCountriesAlone() throws {
    let places = Set(["Japan", "India"].compactMap { World.standard.countries.firstIndex(of: $0) })
    let some = shop(rate: 20) { $0.countries = places }
    let found = try EventGenerationTests.records(run(some, part).lines)
    #expect(Set(found.map(\.country)) == ["Japan", "India"])
    // The number of events is the same: customers of two countries come as often as those of all.
    let all = usual.count
    #expect(abs(Double(found.count) / Double(all) - 1) < 0.6)
  }
}
