/// Random anomalies of all kinds, with a mean number per day. They depend only on the seed and the
/// day.
package struct RandomAnomalies: Equatable, Sendable {
  /// The maximum length. Only anomalies of a day and the day before can be active.
  static let longest: Int64 = 86_400

  let perDay: Double

  package init(perDay: Double) { self.perDay = perDay }

  /// The anomalies that start on a day (counted from 1970), in order of their starts.
  func anomalies(ofDay day: Int64, in model: Model) -> [Anomaly] {
    let key = Draw.bits(
      Draw.mix(model.settings.seed ^ DrawKey.schedule), UInt64(bitPattern: day))
    let whole = Int(perDay)
    let share = UInt64((perDay - Double(whole)) * 4_294_967_296)
    let count = whole + (Draw.happens(share, key) ? 1 : 0)
    return (0..<count).map { anomaly(Draw.bits(key, UInt64($0) + 1), day, model) }
      .sorted { ($0.start, $0.key) < ($1.start, $1.key) }
      .enumerated().map { index, anomaly in
        var anomaly = anomaly
        let date = Plan.words(day * 86_400).prefix { $0 != "T" }
        anomaly.id = "\(date)/\(index + 1)"
        return anomaly
      }
  }

  private func anomaly(_ bits: UInt64, _ day: Int64, _ model: Model) -> Anomaly {
    let kinds = Anomaly.Kind.random
    let kind = kinds[Int(Draw.below(UInt32(kinds.count), bits))]
    let start = day * 86_400 + Int64(Draw.below(86_400, Draw.bits(bits, 1)))
    var filter = Anomaly.Filter()
    if Draw.bits(bits, 2) & 1 == 0, kind != .outage, kind != .lag, kind != .shift {
      filter.country = model.world.cities[model.popularCity(Draw.bits(bits, 3))].countryIndex
    }
    var anomaly = Anomaly(
      id: "", kind: kind, start: start, end: start + length(of: kind, Draw.bits(bits, 4)),
      filter: filter, strength: strength(of: kind, Draw.bits(bits, 5), model.settings.rate))
    anomaly.settle(in: model, twin: 0)
    return anomaly
  }

  /// Draws a length: ten minutes to an hour; for a shift, six hours to a day.
  private func length(of kind: Anomaly.Kind, _ bits: UInt64) -> Int64 {
    kind == .shift
      ? 3600 * (6 + Int64(Draw.below(19, bits))) : 60 * (10 + Int64(Draw.below(51, bits)))
  }

  private func strength(
    of kind: Anomaly.Kind, _ bits: UInt64, _ rate: Double
  ) -> Anomaly.Strength {
    func choose<Value>(_ values: [Value]) -> Value {
      values[Int(Draw.below(UInt32(values.count), bits))]
    }
    switch kind {
    case .spike: return .times(choose([3, 5, 8, 12]))
    case .drop: return .times(choose([0.1, 0.2, 0.4]))
    case .shift: return .times(choose([0.5, 0.7, 1.5, 2]))
    case .price: return choose([.times(0.1), .times(10), .times(0.01), .cents(1)])
    case .lag: return .seconds(choose([120, 300, 600]))
    case .outage, .checkout, .stockout, .bulk, .bot, .fraud, .drift, .promotion, .holiday,
      .campaign:
      return Anomaly.usualStrength(of: kind, rate: rate)
    }
  }
}

extension Anomaly {
  /// The default strength of a kind.
  static func usualStrength(of kind: Kind, rate: Double) -> Strength {
    switch kind {
    case .spike: .times(8)
    case .drop, .price: .times(0.1)
    case .outage, .checkout: .times(0)
    case .stockout, .promotion: .times(3)
    case .shift, .drift: .times(1.5)
    case .holiday: .times(0.4)
    case .campaign: .times(4)
    case .lag: .seconds(300)
    case .bulk: .perSecond(max(0.05, min(1000, rate / 100)))
    case .fraud: .perSecond(max(0.05, min(1000, rate / 50)))
    case .bot: .perSecond(max(1, min(10_000, rate / 10)))
    }
  }
}

extension Model {
  /// Draws a city by its weight.
  fileprivate func popularCity(_ bits: UInt64) -> Int {
    AliasTable(population.weights).pick(bits)
  }
}
