extension Anomaly {
  /// Applies the anomaly to the lines of a second; returns how many lines it added, removed or
  /// changed.
  func apply(to lines: inout [Line], at second: Int64, in model: Model) -> Int {
    let share = share(at: second)
    guard share < 1 else { return applyWhole(to: &lines, at: second, in: model) }
    var partial = self
    partial.strength = strength.scaled(by: share)
    return partial.applyWhole(to: &lines, at: second, in: model)
  }

  private func applyWhole(to lines: inout [Line], at second: Int64, in model: Model) -> Int {
    switch (kind, strength) {
    case (.spike, .times(let level)), (.shift, .times(let level)), (.drop, .times(let level)),
      (.outage, .times(let level)), (.drift, .times(let level)), (.holiday, .times(let level)):
      return level >= 1
        ? multiply(&lines, by: level, in: model) : thin(&lines, to: level) { $0.session }
    case (.campaign, .times(let level)):
      return multiply(&lines, by: level, only: .view, in: model)
    case (.promotion, .times(let level)):
      let added = multiply(&lines, by: level, in: model)
      return added + reprice(&lines, in: model.catalogue) { Double($0) * (1 - discount) }
    case (.checkout, .times(let level)):
      return thin(&lines, to: level, only: .purchase) { $0.state }
    case (.stockout, .times(let level)):
      let removed = thin(&lines, to: 0, only: .purchase) { $0.state }
      return removed + multiply(&lines, by: level, only: .view, in: model)
    case (.price, _): return change(&lines, in: model.catalogue)
    case (.lag, .seconds(let delay)):
      var count = 0
      for index in lines.indices where filter.matches(lines[index].event) {
        lines[index].delay += delay
        count += 1
      }
      return count
    case (.bulk, .perSecond(let rate)): return addBulk(&lines, rate, second, model)
    case (.bot, .perSecond(let rate)): return addBot(&lines, rate, second, model)
    case (.fraud, .perSecond(let rate)): return addFraud(&lines, rate, second, model)
    default: return 0
    }
  }

  private static func share(_ value: Double) -> UInt64 {
    UInt64((min(1, max(0, value)) * 4_294_967_296).rounded())
  }

  /// Keeps a share of the lines; lines with equal `unit` stay or go together.
  private func thin(
    _ lines: inout [Line], to level: Double, only type: EventType? = nil,
    _ unit: (Event) -> UInt64
  ) -> Int {
    let before = lines.count
    let share = Anomaly.share(level)
    lines.removeAll { line in
      filter.matches(line.event) && (type == nil || line.event.type == type)
        && !Draw.happens(share, Draw.bits(key, unit(line.event)))
    }
    return before - lines.count
  }

  /// Adds visitors who do the same at the same time: other customers of the same place, who look at
  /// other products unless the filter names one. All copies of a session belong to the same
  /// customer, so funnels stay complete.
  private func multiply(
    _ lines: inout [Line], by level: Double, only type: EventType? = nil, in model: Model
  ) -> Int {
    let extra = level - 1
    let whole = Int(extra)
    let share = Anomaly.share(extra - Double(whole))
    var copies: [Line] = []
    for line in lines
    where filter.matches(line.event) && (type == nil || line.event.type == type) {
      let session = Draw.bits(key, line.event.session)
      let count = whole + (Draw.happens(share, session) ? 1 : 0)
      for index in 0..<count {
        let visitor = Draw.bits(session, UInt64(index))
        copies.append(copy(of: line, by: visitor, in: model))
      }
    }
    lines += copies
    return copies.count
  }

  private func copy(of line: Line, by visitor: UInt64, in model: Model) -> Line {
    var copy = line
    copy.event.state = visitor &+ UInt64(line.event.step) &* Draw.golden
    if let member = model.population.member(of: line.event.city, visitor) {
      copy.event.user = model.population.shownID(member)
    }
    if filter.product == nil {
      let bits = Draw.bits(visitor, UInt64(line.event.product))
      copy.event.product = UInt32(model.catalogue.popularity.pick(bits))
    }
    copy.position = UInt32(truncatingIfNeeded: Draw.mix(copy.event.state))
    return copy
  }

  private func change(_ lines: inout [Line], in catalogue: Catalogue) -> Int {
    reprice(&lines, in: catalogue) { old in
      switch strength {
      case .times(let factor): Double(old) * factor
      case .cents(let cents): Double(cents)
      case .centsAndShare(let cents, let share): Double(old) + (Double(cents) - Double(old)) * share
      case .perSecond, .seconds: Double(old)
      }
    }
  }

  /// Gives every matching line a new price, computed from its old one, both in cents.
  private func reprice(
    _ lines: inout [Line], in catalogue: Catalogue, _ price: (UInt32) -> Double
  ) -> Int {
    var count = 0
    for index in lines.indices where filter.matches(lines[index].event) {
      let old = lines[index].cents ?? catalogue.products[Int(lines[index].event.product)].cents
      let new = UInt32(max(1, min(99_999_999, price(old).rounded())))
      if new != old { count += 1 }
      lines[index].cents = new
    }
    return count
  }
}
