import Foundation

/// An event of a file, decoded by Foundation and not by our own code.
struct ShopEvent: Decodable {
  var user_id: Int
  var event_type: String
  var country: String
  var city: String
  var device: String
  var product_id: Int
  var price: Double
  var quantity: Int
  var timestamp: Int

  var revenue: Double { price * Double(quantity) }
}

/// The expected answers of the queries in druid.sql, computed from the events without SQL: one
/// table for each query, in the order of the file. Cells are text as csv shows them; numbers are
/// compared as numbers.
struct PipelineOracle {
  let events: [ShopEvent]
  var purchases: [ShopEvent] { events.filter { $0.event_type == "purchase" } }

  init(lines: String) throws {
    let decoder = JSONDecoder()
    events = try lines.split(separator: "\n").map {
      try decoder.decode(ShopEvent.self, from: Data($0.utf8))
    }
  }

  typealias Row = [String]

  var answers: [(name: String, rows: [Row])] {
    [
      ("sales by device", salesByDevice), ("average price", averagePrice),
      ("users per country", usersPerCountry), ("events by location", eventsByLocation),
      ("top selling", topSelling), ("revenue by product", revenueByProduct),
      ("minutes", lastMinutes), ("trend", trend),
      ("event hours", eventHours), ("revenue hours", revenueHours),
      ("country hours", countryHours), ("event minutes", eventMinutes),
    ]
  }

  private var salesByDevice: [Row] {
    Dictionary(grouping: purchases, by: \.device)
      .map { device, group in
        (device, group.count, group.map(\.quantity).reduce(0, +), sum(group))
      }
      .sorted { ($1.3, $0.0) < ($0.3, $1.0) }
      .map { [$0.0, "\($0.1)", "\($0.2)", money($0.3)] }
  }

  private var averagePrice: [Row] {
    Dictionary(grouping: events, by: \.device).sorted { $0.key < $1.key }.map { device, group in
      let bought = group.filter { $0.event_type == "purchase" }.map(\.price)
      return [
        device, "\(group.count)", money(mean(group.map(\.price))),
        bought.isEmpty ? "" : money(mean(bought)),
      ]
    }
  }

  private var usersPerCountry: [Row] {
    Dictionary(grouping: events, by: \.country)
      .map { ($0, Set($1.map(\.user_id)).count) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
      .map { [$0.0, "\($0.1)"] }
  }

  private var eventsByLocation: [Row] {
    Dictionary(grouping: events) { [$0.country, $0.city] }
      .map { place, group in
        (place, group.count, group.count { $0.event_type == "purchase" })
      }
      .sorted { ($1.1, $0.0[0], $0.0[1]) < ($0.1, $1.0[0], $1.0[1]) }
      .prefix(20).map { [$0.0[0], $0.0[1], "\($0.1)", "\($0.2)"] }
  }

  private var topSelling: [Row] {
    Dictionary(grouping: purchases, by: \.product_id)
      .map { ($0, $1.map(\.quantity).reduce(0, +), $1.count) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
      .prefix(10).map { ["\($0.0)", "\($0.1)", "\($0.2)"] }
  }

  private var revenueByProduct: [Row] {
    Dictionary(grouping: purchases, by: \.product_id)
      .map { ($0, (sum($1) * 100).rounded() / 100) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
      .prefix(10).map { ["\($0.0)", money($0.1)] }
  }

  private var lastMinutes: [Row] {
    Dictionary(grouping: events) { $0.timestamp / 60 }
      .sorted { $0.key > $1.key }
      .prefix(15).map { minute, group in
        [time(minute * 60), "\(group.count)", "\(group.count { $0.event_type == "purchase" })"]
      }
  }

  private var trend: [Row] {
    var previous = ""
    return Dictionary(grouping: purchases) { $0.timestamp / 3600 }
      .sorted { $0.key < $1.key }
      .map { hour, group in
        defer { previous = money(sum(group)) }
        return [time(hour * 3600), "\(group.count)", money(sum(group)), previous]
      }
  }

  private var eventHours: [Row] {
    let hours = Dictionary(grouping: events) { $0.timestamp / 3600 }.sorted { $0.key < $1.key }
    return outliers(hours.map { Double($1.count) }, window: 24, least: 6, limit: 2.5).map {
      [
        time(hours[$0.index].key * 3600), "\(hours[$0.index].value.count)", money($0.mean),
        money($0.z),
      ]
    }
  }

  private var revenueHours: [Row] { hoursByRevenue(purchases, limit: 2.5) }

  private var countryHours: [Row] {
    Dictionary(grouping: purchases, by: \.country).sorted { $0.key < $1.key }
      .flatMap { country, group in hoursByRevenue(group, limit: 3).map { [country] + $0 } }
  }

  private var eventMinutes: [Row] {
    let minutes = Dictionary(grouping: events) { $0.timestamp / 60 }.sorted { $0.key < $1.key }
    return outliers(minutes.map { Double($1.count) }, window: 120, least: 30, limit: 4).map {
      [
        time(minutes[$0.index].key * 60), "\(minutes[$0.index].value.count)", money($0.mean),
        money($0.z),
      ]
    }
  }

  private func hoursByRevenue(_ purchases: [ShopEvent], limit: Double) -> [Row] {
    let hours = Dictionary(grouping: purchases) { $0.timestamp / 3600 }.sorted { $0.key < $1.key }
    return outliers(hours.map { sum($1) }, window: 24, least: 6, limit: limit).map {
      [
        time(hours[$0.index].key * 3600), money(sum(hours[$0.index].value)), money($0.mean),
        money($0.z),
      ]
    }
  }

  /// The values further than `limit` standard deviations from the mean of at least `least` values
  /// before them.
  private func outliers(
    _ values: [Double], window: Int, least: Int, limit: Double
  ) -> [(index: Int, mean: Double, z: Double)] {
    values.indices.compactMap { index in
      let before = values[max(0, index - window)..<index]
      guard before.count >= least else { return nil }
      let center = mean(Array(before))
      let spread = mean(before.map { ($0 - center) * ($0 - center) }).squareRoot()
      let z = (values[index] - center) / spread
      return spread > 0 && abs(z) > limit ? (index, center, z) : nil
    }
  }

  private func sum(_ events: [ShopEvent]) -> Double { events.map(\.revenue).reduce(0, +) }
  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
  private func money(_ value: Double) -> String { String(format: "%.2f", value) }

  func time(_ seconds: Int) -> String {
    Date(timeIntervalSince1970: Double(seconds))
      .formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
      + "Z"
  }
}
