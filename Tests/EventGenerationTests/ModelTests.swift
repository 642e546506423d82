import Testing

@testable import EventGeneration

/// Compares the events with the model that they are drawn from.
@Suite struct ModelTests {
  /// A week at a rate that gives enough events for each share.
  private static let week: [Record] = {
    let model = shop(rate: 0.1) { $0.products = 500 }
    let part = EventStream.Part(start: monday, end: monday + 7 * 86_400)
    return (try? records(run(model, part).lines)) ?? []
  }()

  /// The chi-square of counts against shares, divided by the value that is usual for events in
  /// sessions.
  ///
  /// Events of a session are alike, so the statistic is larger than for independent draws. When all
  /// events of a session count alike, the factor is about the ratio of a session's mean square to
  /// its mean length (9).
  private func surprise(_ counts: [Int], _ shares: [Double], sessionFactor: Double) -> Double {
    let total = Double(counts.reduce(0, +))
    let sum = shares.reduce(0, +)
    var chi = 0.0
    for (count, share) in zip(counts, shares) where share > 0 {
      let expected = total * share / sum
      chi += (Double(count) - expected) * (Double(count) - expected) / expected
    }
    return chi / sessionFactor / Double(max(1, shares.count - 1))
  }

  @Test func theWeekIsLargeEnough() { #expect(Self.week.count > 50_000) }

  @Test(arguments: 1...6) func theMeanRateIsTheOneAskedFor(seed: Int) {
    let model = shop(seed: UInt64(seed), rate: 0.1)
    let count = Simulation.count(model, in: monday..<monday + 14 * 86_400)
    let expected = 0.1 * 14 * 86_400
    // Five deviations; sessions make the standard deviation of a count three times that of single
    // events.
    #expect(abs(Double(count) - expected) < 5 * 3 * expected.squareRoot())
  }

  /// Few and many arrivals per second are drawn with different methods, which change at 24 (121
  /// events).
  @Test(arguments: [0.5, 5, 20, 40, 60, 80, 100, 120, 122, 150, 400])
  func everyRateIsTrue(rate: Double) {
    for seed: UInt64 in 1...2 {
      let model = shop(seed: seed, rate: rate) { $0.isFlat = true }
      let seconds = Int64(20_000 / rate)
      let count = Double(Simulation.count(model, in: monday..<monday + seconds))
      let expected = rate * Double(seconds)
      #expect(abs(count - expected) < 5 * 3 * expected.squareRoot(), "seed \(seed): \(count)")
    }
  }

  /// The numbers vary as those of a Poisson process: the variance equals the mean.
  @Test(arguments: [0.02, 0.7, 6, 23, 25, 300])
  func arrivalsScatterAsTheyShould(mean: Double) {
    let rate = mean * Double(Behaviour.fullThinkMean) / Double(FixedPoint.one)
    let arrivals = Arrivals(shop(rate: rate) { $0.isFlat = true })
    var (sum, square) = (0.0, 0.0)
    let seconds = 40_000
    for second in 0..<Int64(seconds) {
      let count = Double(arrivals.count(arrivals.key(of: second)))
      sum += count
      square += count * count
    }
    let found = sum / Double(seconds)
    let variance = square / Double(seconds) - found * found
    #expect(abs(found - mean) < 5 * (mean / Double(seconds)).squareRoot())
    #expect(abs(variance / mean - 1) < 0.2, "\(variance)")
  }

  @Test func typesAreMixedAsTheChainSays() {
    let counts = EventType.allCases.map { type in
      Self.week.filter { $0.event_type == type.name }.count
    }
    // Of a session's 5.05 events; the chain's own shares, computed separately.
    #expect(surprise(counts, [90.69, 7.91, 1.40], sessionFactor: 3) < 8, "\(counts)")
  }

  @Test func devicesAreUsedAsOftenAsTheyShould() {
    let counts = Device.allCases.map { device in
      Self.week.filter { $0.device == device.name }.count
    }
    #expect(surprise(counts, [66, 31, 3], sessionFactor: 9) < 8, "\(counts)")
  }

  @Test func desktopsBuyMoreThanPhones() {
    func conversion(_ device: Device) -> Double {
      let events = Self.week.filter { $0.device == device.name }
      return Double(events.filter { $0.event_type == "purchase" }.count) / Double(events.count)
    }
    let ratio = conversion(.desktop) / conversion(.mobile)
    #expect(ratio > 1.4 && ratio < 2, "\(ratio)")
  }

  @Test func citiesHaveTheirShares() {
    var counts: [String: Int] = [:]
    for record in Self.week { counts[record.city, default: 0] += 1 }
    // A thirtieth of the visits come from other cities of the country, with equal probability.
    let shares = World.standard.cities.map { city in
      let others = World.standard.citiesOfCountry[city.countryIndex]
      let country = others.reduce(0.0) { $0 + Double(World.standard.cities[$1].weight) }
      return Double(city.weight) * 31 / 32 + country / Double(others.count) / 32
    }
    let found = World.standard.cities.map { counts[$0.name] ?? 0 }
    #expect(surprise(found, shares, sessionFactor: 9) < 2)
  }

  @Test func hoursFollowTheCurve() {
    // In a flat shop all cities are equally active, so the curve is the only difference.
    var counts = [Int](repeating: 0, count: 24)
    for record in Self.week where record.country == "China" {
      counts[Int((record.timestamp + 8 * 3600) / 3600 % 24)] += 1
    }
    let shares = (0..<24).map { hour in
      (0..<7).reduce(0.0) { sum, day in
        sum + (0..<4).reduce(0.0) { $0 + Double(DayCurve.week[day * 96 + hour * 4 + $1]) }
      }
    }
    // Sessions begin according to the curve and last for minutes, so hours blur a little.
    #expect(surprise(counts, shares, sessionFactor: 9) < 4, "\(counts)")
  }

  @Test func theCurveHasAMeanOfOne() {
    let mean = Double(DayCurve.week.reduce(0, +)) / Double(DayCurve.quarters) / 65_536
    #expect(abs(mean - 1) < 1e-4)
    #expect(DayCurve.index(quarter: 0, offset: 0) == 3 * 96)  // 1970-01-01 was a Thursday
    #expect(DayCurve.index(quarter: -1, offset: 0) == 3 * 96 - 1)
    #expect(DayCurve.index(quarter: DayCurve.quarter(of: -1), offset: 0) == 3 * 96 - 1)
  }

  @Test func aFlatShopHasTheSameRateAtAllHours() {
    let model = shop(rate: 2) { $0.isFlat = true }
    for hour: Int64 in [0, 5, 13, 20] {
      let start = monday + hour * 3600
      let count = Double(Simulation.count(model, in: start..<start + 3600))
      #expect(abs(count - 7200) < 5 * 3 * 85)
    }
  }

  @Test func productsSellByRank() {
    let model = shop(rate: 0.1) { $0.products = 500 }
    var counts = [Int](repeating: 0, count: 500)
    for record in Self.week { counts[record.product_id - 1] += 1 }
    let shares = model.catalogue.products.map { 1 / Double($0.rank + 10) }
    #expect(surprise(counts, shares, sessionFactor: 1.5) < 1.3)
    #expect(Set(model.catalogue.products.map(\.rank)) == Set(1...500))
  }

  @Test func pricesNeverChange() {
    let model = shop(rate: 0.1) { $0.products = 500 }
    for record in Self.week {
      let cents = Int((record.price * 100).rounded())
      #expect(cents == Int(model.catalogue.products[record.product_id - 1].cents))
      if cents != Int(model.catalogue.products[record.product_id - 1].cents) { break }
    }
  }

  @Test func pricesAreSpreadLikeAShops() {
    let cents = Model(Model.Settings()).catalogue.products.map { Int($0.cents) }.sorted()
    #expect((2700...3100).contains(cents[5000]), "median \(cents[5000])")
    #expect((500...700).contains(cents[500]), "5th of a hundred \(cents[500])")
    #expect((12_500...15_500).contains(cents[9500]), "95th of a hundred \(cents[9500])")
    #expect(cents.filter { $0 % 100 == 99 }.count > 6000)
  }

  @Test func citiesLieInTheirCountries() {
    let pairs = Set(World.standard.cities.map { [$0.country, $0.name] })
    #expect(pairs.count == World.standard.cities.count)
    #expect(Set(World.standard.cities.map(\.name)).count == World.standard.cities.count)
    #expect(Self.week.allSatisfy { pairs.contains([$0.country, $0.city]) })
  }

  @Test func quantitiesAreMoreThanOneInPurchasesAlone() {
    #expect(Self.week.allSatisfy { $0.event_type == "purchase" || $0.quantity == 1 })
    let bought = Self.week.filter { $0.event_type == "purchase" }.map(\.quantity)
    let counts = (1...4).map { count in bought.filter { $0 == count }.count }
    #expect(surprise(counts, [80, 13, 4, 3], sessionFactor: 1) < 5, "\(counts)")
  }

  @Test func everyPurchaseFollowsAClickOnTheSameProduct() {
    var clicked = Set<[Int]>()
    var purchases = 0
    for record in Self.week {
      if record.event_type == "click" { clicked.insert([record.user_id, record.product_id]) }
      if record.event_type == "purchase", record.timestamp >= monday + 1800 {
        purchases += 1
        #expect(clicked.contains([record.user_id, record.product_id]))
      }
    }
    #expect(purchases > 300)
  }

  @Test func customersMostlyKeepCityAndDevice() {
    var visits: [Int: [Record]] = [:]
    for record in Self.week { visits[record.user_id, default: []].append(record) }
    let frequent = visits.values.filter { $0.count >= 20 }
    #expect(frequent.count > 100)
    let kept = frequent.map { events in
      Dictionary(grouping: events, by: { $0.city + $0.device }).values.map(\.count).max() ?? 0
    }
    let share = Double(kept.reduce(0, +)) / Double(frequent.reduce(0) { $0 + $1.count })
    #expect(share > 0.85 && share < 0.99, "\(share)")
    // Heavy and light users: the busiest tenth makes far more than a tenth of the events.
    let sizes = visits.values.map(\.count).sorted(by: >)
    let busiest = sizes.prefix(sizes.count / 10).reduce(0, +)
    #expect(Double(busiest) > 0.2 * Double(Self.week.count))
  }

  @Test func linesLookAsTheyShould() throws {
    let pattern =
      #/\{"user_id":[1-9][0-9]*,"event_type":"(view|click|purchase)","country":"[^"]+","city":"[^"]+","device":"(mobile|desktop|tablet)","product_id":[1-9][0-9]*,"price":[0-9]+\.[0-9][0-9],"quantity":[1-9][0-9]*,"timestamp":[0-9]+\}/#
    let anomalies = try ["price@+0s+10m,x=0.1", "bulk@+0s+10m,x=1"].map { try anomaly($0) }
    for (seed, list) in [(1, []), (2, anomalies)] as [(UInt64, [Anomaly])] {
      let part = EventStream.Part(start: monday, end: monday + 600)
      for line in run(shop(seed: seed), part, anomalies: list).lines {
        #expect(line.wholeMatch(of: pattern) != nil, "\(line)")
      }
    }
  }
}
