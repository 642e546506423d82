import Testing

@testable import EventGeneration
@testable import Plumbing

@Suite struct AnomalySpecTests {
  private func parse(_ text: String) throws -> AnomalySpec {
    try AnomalySpec(text, rate: 100, products: 1000, now: monday)
  }

  @Test func theWholeSpec() throws {
    let spec = try parse(
      "spike@+10h+20m,x=8.5,country=india,city=Delhi,device=mobile,product=17,event=view")
    let anomaly = spec.anomaly(id: "1", runStart: 1000)
    #expect(anomaly.kind == .spike)
    #expect(anomaly.start == 37_000)
    #expect(anomaly.end == 38_200)
    #expect(anomaly.strength == .times(8.5))
    #expect(anomaly.filter.country.map { World.standard.countries[$0] } == "India")
    #expect(anomaly.filter.city.map { World.standard.cities[$0].name } == "Delhi")
    #expect(anomaly.filter.device == .mobile)
    #expect(anomaly.filter.product == 16)
    #expect(anomaly.filter.type == .view)
  }

  @Test(arguments: [
    ("drop@2026-01-05+1d", monday, monday + 86_400),
    ("drop@2026-01-05T02:00:00+02:00+1h30m", monday, monday + 5400),
    ("drop@1767571200+90s", monday, monday + 90),
    ("drop@-1h+1h", monday - 3600, monday), ("drop@now+1h", monday, monday + 3600),
    ("drop@+0s+1s", 1000, 1001),
  ])
  func startsAndLengths(text: String, start: Int64, end: Int64) throws {
    let anomaly = try parse(text).anomaly(id: "1", runStart: 1000)
    #expect(anomaly.start == start)
    #expect(anomaly.end == end)
  }

  @Test func aShiftMayStay() throws {
    #expect(try parse("shift@+10m").length == nil)
    #expect(try parse("shift@2026-01-05T02:00:00+02:00").length == nil)
    #expect(try parse("shift@+10m,x=2").strength == .times(2))
  }

  @Test func everyKindHasAUsualStrength() throws {
    for kind in Anomaly.Kind.anomalies { _ = try parse("\(kind.rawValue)@+1m+1m") }
    #expect(try parse("bot@+1m+1m").strength == .perSecond(10))
    #expect(try parse("bot@+1m+1m,x=3").strength == .perSecond(3))
    #expect(try parse("lag@+1m+1m,d=2m").strength == .seconds(120))
    #expect(try parse("price@+1m+1m,cents=1").strength == .cents(1))
  }

  /// The error, the position of the caret, and the hint.
  @Test(arguments: [
    ("", 0, "one of"), ("spik@+1m+1m", 0, "spike"), ("spike", 5, "@"), ("spike@", 6, "+10h"),
    ("spike@+1m", 9, "+10h"), ("spike@+1m+", 10, "20m"), ("spike@+1m+0s", 10, ""),
    ("spike@x+1m", 6, "+10h"), ("spike@+1m+1m,", 13, ""), ("spike@+1m+1m,x", 13, ""),
    ("spike@+1m+1m,x=", 15, ""), ("spike@+1m+1m,x=0.5", 15, ""), ("spike@+1m+1m,x=1e9", 15, ""),
    ("spike@+1m+1m,contry=India", 13, "country"), ("spike@+1m+1m,city=Tokio", 18, "Tokyo"),
    ("spike@+1m+1m,city=Sao Paulo", 18, "São Paulo"), ("spike@+1m+1m,event=buy", 19, "one of"),
    ("spike@+1m+1m,x=2,x=3", 17, ""), ("bot@+1m+1m,event=purchase", 17, "one of"),
    ("spike@+1m+1m,product=1001", 21, ""), ("spike@+1m+1m,product=0", 21, ""),
    ("checkout@+1m+1m,event=view", 16, ""), ("lag@+1m+1m,x=3", 11, ""),
    ("spike@+1m+1m,country=Japan,city=Delhi", 32, ""), ("🙂@+1m+1m", 0, "one of"),
    ("spike@+99999999999999999d+1m", 6, "+10h"), ("spike@+1m+1m,device=", 20, ""),
  ])
  func whatIsWrongIsShown(text: String, place: Int, hint: String) {
    let failure = #expect(throws: UsageFailure.self) { _ = try parse(text) }
    #expect(failure?.exitStatus == .usage)
    #expect(failure?.details.last == "  " + String(repeating: " ", count: place) + "^", "\(text)")
    #expect(hint.isEmpty || failure?.hints.contains { $0.contains(hint) } == true, "\(text)")
  }

  @Test func profiles() throws {
    let profile = try Profile(spelling: "0:1,10m:5,11m:1")
    #expect(profile.level(at: -5) == FixedPoint.one)
    #expect(profile.level(at: 0) == FixedPoint.one)
    #expect(profile.level(at: 300) == 3 * FixedPoint.one)
    #expect(profile.level(at: 600) == 5 * FixedPoint.one)
    #expect(profile.level(at: 630) == 3 * FixedPoint.one)
    #expect(profile.level(at: 100_000) == FixedPoint.one)
    for text in [
      "", "1", "0:", ":1", "0:x", "x:1", "0:-1", "0:1,0:2", "5m:1,1m:2", "0:1001", "0:1,",
    ] {
      #expect(throws: UsageFailure.self, "\(text)") { _ = try Profile(spelling: text) }
    }
  }

  @Test func aProfileMovesTheRate() throws {
    let model = shop(rate: 5) {
      $0.isFlat = true
      $0.profile = try? Profile(spelling: "0:1,1h:1,3601s:4,2h:4,7201s:0")
      $0.profileStart = monday
    }
    func count(_ hour: Int64) -> Double {
      Double(Simulation.count(model, in: monday + hour * 3600 + 1800..<monday + hour * 3600 + 3600))
    }
    #expect(abs(count(0) - 9000) < 1500)
    #expect(abs(count(1) - 36_000) < 3000)
    #expect(count(2) < 300)
    #expect(count(3) == 0)
  }
}
