import Testing

@testable import EventGeneration

/// Each kind changes only what its label describes: every run is compared with the same run without
/// the anomaly.
@Suite struct AnomalyTests {
  private static let part = EventStream.Part(start: monday, end: monday + 1800)
  private static let window = monday + 600..<monday + 1200

  private struct Outcome {
    let added: [Record]
    let removed: [Record]
    let labels: [String]
    /// The clean events that the anomaly applies to.
    let meant: [Record]
  }

  /// Runs with and without the anomaly, and checks what holds for every kind.
  private func compare(
    _ spec: String, seed: UInt64, rate: Double = 4, matching: (Record) -> Bool = { _ in true }
  ) throws -> Outcome {
    let model = shop(seed: seed, rate: rate)
    let clean = run(model, Self.part).lines
    let anomalous = run(model, Self.part, anomalies: [try anomaly(spec, rate: rate)])
    let added = try records(difference(anomalous.lines, clean))
    let removed = try records(difference(clean, anomalous.lines))
    #expect((added + removed).allSatisfy { Self.window.contains($0.timestamp) }, "\(spec) \(seed)")
    let labels = anomalous.labels.split(separator: "\n").map(String.init)
    #expect(labels.count == 2)
    #expect(labels.first?.contains("\"state\":\"open\"") == true)
    #expect(labels.first?.contains("\"events\":0}") == true)
    #expect(labels.last?.contains("\"state\":\"closed\"") == true)
    // A changed line is one removed and one added.
    let touched = spec.hasPrefix("price") ? added.count : added.count + removed.count
    #expect(labels.last?.hasSuffix("\"events\":\(touched)}") == true, "\(spec) \(seed)")
    let meant = try records(clean).filter { Self.window.contains($0.timestamp) && matching($0) }
    #expect(!removed.contains { !matching($0) }, "\(spec) \(seed)")
    return Outcome(added: added, removed: removed, labels: labels, meant: meant)
  }

  @Test func spikes() throws {
    for seed: UInt64 in 1...3 {
      let plain = try compare("spike@+10m+10m,x=3", seed: seed)
      #expect(plain.removed.isEmpty)
      #expect(plain.added.count == 2 * plain.meant.count)
      let filtered = try compare(
        "spike@+10m+10m,x=8,country=India,event=view", seed: seed
      ) { $0.country == "India" && $0.event_type == "view" }
      #expect(filtered.added.count == 7 * filtered.meant.count)
      #expect(filtered.added.allSatisfy { $0.country == "India" && $0.event_type == "view" })
      let broken = try compare("spike@+10m+10m,x=1.5", seed: seed)
      let share = Double(broken.added.count) / Double(broken.meant.count)
      #expect(share > 0.35 && share < 0.65, "\(share)")
    }
  }

  @Test func dropsOutagesAndShifts() throws {
    for seed: UInt64 in 1...3 {
      let drop = try compare("drop@+10m+10m,x=0.2,device=mobile", seed: seed) {
        $0.device == "mobile"
      }
      #expect(drop.added.isEmpty)
      let gone = Double(drop.removed.count) / Double(drop.meant.count)
      #expect(gone > 0.7 && gone < 0.9, "\(gone)")
      let outage = try compare("outage@+10m+10m,city=Tokyo", seed: seed) { $0.city == "Tokyo" }
      #expect(outage.removed.count == outage.meant.count)
      #expect(outage.added.isEmpty)
      let up = try compare("shift@+10m+10m,x=2", seed: seed)
      #expect(up.added.count == up.meant.count)
      let down = try compare("shift@+10m+10m,x=0", seed: seed)
      #expect(down.removed.count == down.meant.count)
    }
  }

  @Test func checkouts() throws {
    for seed: UInt64 in 1...3 {
      let outcome = try compare("checkout@+10m+10m", seed: seed) { $0.event_type == "purchase" }
      #expect(outcome.removed.count == outcome.meant.count)
      #expect(outcome.added.isEmpty)
    }
  }

  @Test func stockouts() throws {
    for seed: UInt64 in 1...3 {
      let outcome = try compare("stockout@+10m+10m,product=7,x=4", seed: seed, rate: 15) {
        $0.product_id == 7
      }
      #expect(outcome.removed.allSatisfy { $0.event_type == "purchase" })
      #expect(outcome.removed.count == outcome.meant.filter { $0.event_type == "purchase" }.count)
      #expect(outcome.added.allSatisfy { $0.event_type == "view" && $0.product_id == 7 })
      #expect(outcome.added.count == 3 * outcome.meant.filter { $0.event_type == "view" }.count)
    }
  }

  @Test func prices() throws {
    for seed: UInt64 in 1...3 {
      let tenth = try compare("price@+10m+10m,x=0.1,country=Japan", seed: seed) {
        $0.country == "Japan"
      }
      #expect(tenth.removed.count == tenth.meant.count)
      let pairs = zip(
        tenth.removed.sorted { ($0.timestamp, $0.user_id) < ($1.timestamp, $1.user_id) },
        tenth.added.sorted { ($0.timestamp, $0.user_id) < ($1.timestamp, $1.user_id) })
      for (old, new) in pairs where old.user_id == new.user_id && old.product_id == new.product_id {
        #expect(abs(new.price - old.price / 10) <= 0.0051)
      }
      let cent = try compare("price@+10m+10m,cents=1,product=3", seed: seed, rate: 10) {
        $0.product_id == 3
      }
      #expect(cent.added.allSatisfy { $0.price == 0.01 })
      #expect(cent.added.count == cent.meant.count)
    }
  }

  @Test func hoarders() throws {
    for seed: UInt64 in 1...3 {
      let outcome = try compare("bulk@+10m+10m,x=0.5,users=2,product=9", seed: seed)
      #expect(outcome.removed.isEmpty)
      #expect(Set(outcome.added.map(\.user_id)).count == 2)
      let bought = outcome.added.filter { $0.event_type == "purchase" }
      #expect(bought.count * 3 == outcome.added.count)
      #expect(bought.count > 200 && bought.count < 400)
      #expect(bought.allSatisfy { (50...500).contains($0.quantity) && $0.product_id == 9 })
    }
  }

  @Test func bots() throws {
    for seed: UInt64 in 1...3 {
      let outcome = try compare("bot@+10m+10m,x=2.5,city=Berlin", seed: seed)
      #expect(outcome.added.count == 1500)
      #expect(Set(outcome.added.map(\.user_id)).count == 1)
      #expect(outcome.added.allSatisfy { $0.city == "Berlin" && $0.event_type == "view" })
      let perMinute = Dictionary(grouping: outcome.added) { ($0.timestamp - monday) / 60 }
      #expect(perMinute.values.allSatisfy { $0.count == 150 })
    }
  }

  @Test func frauds() throws {
    for seed: UInt64 in 1...3 {
      let outcome = try compare("fraud@+10m+10m,x=0.5,country=Brazil", seed: seed)
      #expect(outcome.removed.isEmpty)
      #expect(outcome.added.count > 200 && outcome.added.count < 400)
      #expect(
        outcome.added.allSatisfy { $0.event_type == "purchase" && $0.country == "Brazil" })
      #expect(Set(outcome.added.map(\.user_id)).count > outcome.added.count * 9 / 10)
    }
  }

  @Test func lags() throws {
    for seed: UInt64 in 1...3 {
      let model = shop(seed: seed)
      let clean = run(model, Self.part).lines
      let lagging = run(
        model, Self.part, anomalies: [try anomaly("lag@+10m+5m,d=90s,device=desktop")]
      ).lines
      #expect(clean.sorted().elementsEqual(lagging.sorted()))
      var latest: Int64 = 0
      for record in try records(lagging) {
        let late = latest - record.timestamp
        let isMeant =
          record.device == "desktop" && (monday + 600..<monday + 900).contains(record.timestamp)
        // No other line is out of order; late lines come 90 s after the clean lines of their
        // second.
        #expect(isMeant ? late >= 80 && late <= 90 : late <= 0)
        if !isMeant { latest = max(latest, record.timestamp) }
      }
    }
  }

  @Test func overlappingOnesCompose() throws {
    let model = shop(rate: 4)
    let clean = run(model, Self.part).lines
    let both = run(
      model, Self.part,
      anomalies: [try anomaly("spike@+10m+10m,x=4"), try anomaly("outage@+15m+10m")])
    let found = try records(both.lines).map(\.timestamp)
    #expect(!found.contains { (monday + 900..<monday + 1500).contains($0) })
    let early = try records(clean).filter { (monday + 600..<monday + 900).contains($0.timestamp) }
    #expect(
      found.filter { (monday + 600..<monday + 900).contains($0) }.count == 4 * early.count)
    // An anomaly does the same whether or not another one is active.
    let spike = try anomaly("spike@+10m+10m,x=2,country=Japan")
    let bot = try anomaly("bot@+10m+10m,x=1")
    let alone = run(model, Self.part, anomalies: [bot]).lines
    let beside = run(model, Self.part, anomalies: [spike, bot]).lines
    #expect(difference(alone, beside).isEmpty)
  }

  @Test func chanceIsAFunctionOfSeedAndDay() throws {
    let random = RandomAnomalies(perDay: 40)
    var kinds = Set<Anomaly.Kind>()
    for seed: UInt64 in 1...2 {
      let model = shop(seed: seed, rate: 0.2)
      for day: Int64 in 20_000..<20_003 {
        let anomalies = random.anomalies(ofDay: day, in: model)
        #expect(anomalies.count == 40)
        kinds.formUnion(anomalies.map(\.kind))
        #expect(anomalies.map(\.start) == anomalies.map(\.start).sorted())
        #expect(
          anomalies.allSatisfy { anomaly in
            let length = (anomaly.end ?? 0) - anomaly.start
            return anomaly.start / 86_400 == day && length > 0
              && length <= RandomAnomalies.longest
          })
      }
      // A part of the run has the same lines as the whole, even for anomalies that began before it.
      let whole = run(
        model, EventStream.Part(start: monday, end: monday + 100_000), random: random)
      let late = run(
        model, EventStream.Part(start: monday + 95_000, end: monday + 100_000), random: random)
      let wanted = try records(whole.lines.filter { !$0.isEmpty })
      let lags = wanted.suffix(late.lines.count)
      #expect(lags.count == late.lines.count)
      let expected = wanted.filter { $0.timestamp >= monday + 95_000 }
      #expect(Set(try records(late.lines)).symmetricDifference(expected).isEmpty, "seed \(seed)")
    }
    #expect(kinds == Set(Anomaly.Kind.random))
  }

  @Test func halfAnAnomalyADayIsOneEveryOtherDay() {
    let model = shop()
    let count = (0..<400).reduce(0) {
      $0 + RandomAnomalies(perDay: 0.5).anomalies(ofDay: Int64($1), in: model).count
    }
    #expect(count > 150 && count < 250)
  }

  @Test func aShiftThatStaysIsCutByTheEnd() throws {
    let printed = run(shop(), Self.part, anomalies: [try anomaly("shift@+10m")])
    let labels = printed.labels.split(separator: "\n")
    #expect(labels.count == 2)
    #expect(labels[1].contains("\"state\":\"cut\""))
    #expect(labels[1].contains("\"end\":null"))
  }
}
