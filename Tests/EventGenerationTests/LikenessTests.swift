import Foundation
import Testing

@testable import EventGeneration

/// `--like`: events of a fitted model against those that it was fitted to.
@Suite struct LikenessTests {
  /// Somebody's own events, which are unlike the usual shop's: their hours, types, devices, places and products are drawn
  /// from given shares.
  struct Own {
    var types = [0.5, 0.3, 0.2]
    var devices = [0.2, 0.5, 0.3]
    var places = [("Atlantis", "Port A", 0.6), ("Japan", "Tokyo", 0.3), ("Japan", "Kōbe", 0.1)]
    var products = [(7, 1.5, 0.7), (4_000_000_000, 2500.0, 0.2), (12, 0.0, 0.1)]
    /// Events in each hour of the day.
    var hours = (0..<24).map { $0 < 6 ? 20 : $0 == 20 ? 600 : 100 }
    var days = 3

    /// The index that a share from 0 to 1 falls on.
    private func pick(_ shares: [Double], _ bits: UInt64) -> Int {
      var rest = Double(Draw.mix(bits) >> 11) / Double(1 << 53)
      for (index, share) in shares.enumerated() {
        if rest < share { return index }
        rest -= share
      }
      return shares.count - 1
    }

    var lines: [String] {
      var lines: [String] = []
      for hour in 0..<days * 24 {
        for index in 0..<hours[hour % 24] {
          let key = UInt64(hour * 10_000 + index) * 8
          let place = places[pick(places.map(\.2), key)]
          let product = products[pick(products.map(\.2), key + 1)]
          let type = EventType.allCases[pick(types, key + 2)].name
          let device = Device.allCases[pick(devices, key + 3)].name
          let second = monday + Int64(hour * 3600 + index * 3600 / hours[hour % 24])
          lines.append(
            "{\"user_id\":1,\"event_type\":\"\(type)\",\"country\":\"\(place.0)\","
              + "\"city\":\"\(place.1)\",\"device\":\"\(device)\","
              + "\"product_id\":\(product.0),\"price\":\(product.1),\"quantity\":1,"
              + "\"timestamp\":\(second)}")
        }
      }
      return lines
    }
  }

  static func likeness(_ lines: [String]) throws -> Likeness {
    var reader = LikenessReader()
    for line in lines { reader.take(Array(line.utf8)) }
    return try reader.likeness(of: "x")
  }

  /// What a model of that likeness prints over some days.
  static func printed(
    _ likeness: Likeness, days: Int64 = 3, rate: Double? = nil,
    _ change: (inout Model.Settings) -> Void = { _ in }
  ) -> [Record] {
    let model = shop(rate: rate ?? likeness.rate) {
      $0.likeness = likeness
      change(&$0)
    }
    let part = EventStream.Part(start: monday, end: monday + days * 86_400)
    return (try? records(run(model, part).lines)) ?? []
  }

  static func shares(_ counts: [Int]) -> [Double] {
    let all = Double(max(1, counts.reduce(0, +)))
    return counts.map { Double($0) / all }
  }

  static func isClose(_ one: [Double], _ other: [Double], _ tolerance: Double) -> Bool {
    zip(one, other).allSatisfy { abs($0 - $1) < tolerance }
  }

  @Test func everyShareIsTheOneThatWasSeen() throws {
    let own = Own()
    let likeness = try Self.likeness(own.lines)
    #expect(likeness.notes.isEmpty)
    let found = Self.printed(likeness, days: 8)
    let perDay = own.hours.reduce(0, +)
    // Sessions make a count scatter more than single events do.
    #expect(abs(Double(found.count) / Double(perDay * 8) - 1) < 0.05, "\(found.count)")
    let types = Self.shares(
      EventType.allCases.map { type in found.count { $0.event_type == type.name } })
    #expect(Self.isClose(types, own.types, 0.02), "\(types)")
    let devices = Self.shares(
      Device.allCases.map { device in found.count { $0.device == device.name } })
    #expect(Self.isClose(devices, own.devices, 0.02), "\(devices)")
    let places = Self.shares(
      own.places.map { place in found.count { ($0.country, $0.city) == (place.0, place.1) } })
    // One visit in 32 is from another city of the same country.
    #expect(Self.isClose(places, own.places.map(\.2), 0.03), "\(places)")
    let products = Self.shares(
      own.products.map { product in
        found.count { ($0.product_id, $0.price) == (product.0, product.1) }
      })
    #expect(Self.isClose(products, own.products.map(\.2), 0.02), "\(products)")
    var hours = [Int](repeating: 0, count: 24)
    for event in found { hours[Int(event.timestamp - monday) / 3600 % 24] += 1 }
    for (hour, count) in hours.enumerated() {
      let expected = Double(own.hours[hour] * 8)
      #expect(abs(Double(count) - expected) < 5 * (6 * expected).squareRoot(), "\(hour): \(count)")
    }
  }

  /// Every mix of types can be had, also where the usual shop has no such step.
  @Test(
    arguments: [
      [1, 0, 0], [0, 0, 1], [0, 1, 0], [0.1, 0.1, 0.8], [0.34, 0.33, 0.33], [0.95, 0.05, 0],
      [0.9, 0, 0.1], [0.2, 0.7, 0.1], [0.31, 0.01, 0.68],
    ]) func everyMixOfTypes(types: [Double]) throws
  {
    var own = Own()
    own.types = types
    own.days = 1
    own.hours = (0..<24).map { _ in 40 }
    let likeness = try Self.likeness(own.lines)
    let seen = Self.shares(
      EventType.allCases.map { type in own.lines.count { $0.contains("\"\(type.name)\"") } })
    let found = Self.printed(likeness, days: 6)
    let shares = Self.shares(
      EventType.allCases.map { type in found.count { $0.event_type == type.name } })
    #expect(Self.isClose(shares, seen, 0.025), "\(shares) for \(seen)")
    let rate = Double(found.count) / (6 * 86_400)
    #expect(abs(rate / likeness.rate - 1) < 0.1, "\(rate) for \(likeness.rate)")
  }

  /// What the shop itself writes comes out as it went in.
  @Test func itsOwnEvents() throws {
    let model = shop(rate: 0.05)
    let part = EventStream.Part(start: monday, end: monday + 7 * 86_400)
    let before = run(model, part).lines
    let likeness = try Self.likeness(before)
    let (old, new) = (try records(before), Self.printed(likeness, days: 7))
    #expect(abs(Double(new.count) / Double(old.count) - 1) < 0.05)
    func counts(_ records: [Record]) -> [Double] {
      var hours = [Double](repeating: 0, count: 168)
      for event in records { hours[Int(event.timestamp - monday) / 3600] += 1 }
      return hours
    }
    for (hour, (one, other)) in zip(counts(old), counts(new)).enumerated() {
      #expect(abs(one - other) < 12 * max(one, other).squareRoot() + 20, "\(hour)")
    }
    func prices(_ records: [Record]) -> [Double] {
      let sorted = records.map(\.price).sorted()
      return (1..<10).map { sorted[sorted.count * $0 / 10] }
    }
    #expect(zip(prices(old), prices(new)).allSatisfy { abs($0 / $1 - 1) < 0.15 })
  }

  /// The same file and seed give the same bytes, whatever the order of the lines.
  @Test func theOrderOfTheLinesDoesNotMatter() throws {
    let lines = Own().lines
    let part = EventStream.Part(start: monday, end: monday + 3600)
    func bytes(_ lines: [String]) throws -> [UInt8] {
      let likeness = try Self.likeness(lines)
      return run(shop(rate: likeness.rate) { $0.likeness = likeness }, part).bytes
    }
    #expect(try bytes(lines) == bytes(Array(lines.reversed())))
  }

  @Test func fieldsMayBeMissing() throws {
    let times = (0..<200).map { "{\"__time\":\"2026-01-05T00:0\($0 % 10):00.000Z\"}" }
    let bare = try Self.likeness(times)
    #expect(bare.funnel == nil && bare.world == nil && bare.products == nil)
    #expect(abs(bare.rate - 200.0 / 600) < 1e-9)
    // Milliseconds, a country without cities, products with names, prices without products.
    let named = (0..<200).map {
      "{\"timestamp\":\(1_767_571_200_000 + $0 * 1000),\"country\":\"Japan\",\"product_id\":\"p\($0 % 2)\",\"price\":\($0 % 2 + 1)}"
    }
    let likeness = try Self.likeness(named)
    #expect(
      Set(likeness.world?.cities.map(\.name) ?? []) == ["Tokyo", "Osaka", "Nagoya", "Fukuoka"])
    #expect(likeness.products?.map(\.id) == [1, 2])
    #expect(Set(likeness.products?.map(\.cents) ?? []) == [100, 200])
    #expect(likeness.notes.count == 1)
    let priced = try Self.likeness(
      (0..<200).map { "{\"timestamp\":\(1_767_571_200 + $0),\"price\":\($0 % 4 == 0 ? 5 : 9.99)}" })
    #expect(priced.products?.map(\.cents) == [999, 500])
    #expect(priced.products?.map(\.weight) == [150, 50])
  }

  /// Names hold what JSON escapes, and are written so by both printers.
  @Test func namesAreEscaped() throws {
    let name = "A\"\\\n\u{1}é"
    let text = #""A\"\\\n\u0001é""#
    let lines = (0..<200).map {
      "{\"timestamp\":\(Int(monday) + $0),\"country\":\(text),\"city\":\(text)}"
    }
    let likeness = try Self.likeness(lines)
    let part = EventStream.Part(start: monday, end: monday + 200)
    let model = shop(rate: likeness.rate) { $0.likeness = likeness }
    var soiled = Dirt()
    soiled.duplicate = 0.5
    for dirt in [Dirt(), soiled] {
      let printed = run(model, part, dirt: dirt).lines
      #expect(printed.count > 50)
      for line in printed {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["country"] as? String == name && object?["city"] as? String == name)
      }
    }
  }

  @Test func whatCannotBeTakenOverIsSaid() throws {
    var lines = Own().lines
    lines += ["not JSON", "[]", "{\"timestamp\":null}"]
    // Broken times far from all others don't stretch the span.
    lines += ["{\"timestamp\":1}", "{\"timestamp\":99999999999}"]
    lines += (0..<5).map {
      "{\"timestamp\":\(Int(monday) + $0),\"event_type\":\"refund\",\"device\":\"tv\"}"
    }
    let likeness = try Self.likeness(lines)
    #expect(
      likeness.notes == [
        "3 of \(lines.count) lines are not JSON objects with a timestamp",
        "5 events have another type than view, click, purchase, most often 'refund': the shares are "
          + "those of the others",
        "5 events have another device than mobile, desktop, tablet, most often 'tv': the shares are "
          + "those of the others",
      ])
    let perDay = Own().hours.reduce(0, +)
    #expect(abs(likeness.rate * 86_400 / Double(perDay) - 1) < 0.02)
    #expect(throws: (any Error).self) { try Self.likeness(Array(lines[..<99])) }
  }

  /// Anomalies of all kinds, in a world of one country, one city and one product.
  @Test func anomaliesInASmallWorld() throws {
    var own = Own()
    own.places = [("Here", "There", 1)]
    own.products = [(9, 5, 1)]
    own.days = 1
    let likeness = try Self.likeness(own.lines)
    for kind in Anomaly.Kind.allCases {
      let text = "\(kind.rawValue)@+1h+2h,country=here,city=There,product=9"
      let spec = try AnomalySpec(
        text, option: kind.isExpected ? "--decoy" : "--anomaly", rate: 1, products: 1, now: monday,
        likeness: likeness)
      let model = shop(rate: likeness.rate) { $0.likeness = likeness }
      let part = EventStream.Part(start: monday, end: monday + 4 * 3600)
      let printed = run(model, part, anomalies: [spec.anomaly(id: "1", runStart: monday)])
      #expect(!printed.lines.isEmpty)
      #expect(
        printed.labels.contains(
          "\"filter\":{\"country\":\"Here\",\"city\":\"There\",\"product_id\":9}"), "\(kind)")
    }
    let random = run(
      shop(rate: likeness.rate) { $0.likeness = likeness },
      EventStream.Part(start: monday, end: monday + 2 * 86_400), random: .init(perDay: 40))
    #expect(!random.lines.isEmpty)
  }
}
