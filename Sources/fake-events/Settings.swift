import EventGeneration
import Plumbing

/// The parsed and checked command line of fake-events.
struct Settings {
  let plan: Plan
  let model: Model.Settings
  let anomalies: [AnomalySpec]
  let decoys: [AnomalySpec]
  /// The folder of the temporary file for late lines.
  let folder: String
  let random: RandomAnomalies?
  let dirt: Dirt
  let labels: String?
  let isCatalogue: Bool
  let summarizes: Bool

  init(_ arguments: Arguments, now: Int64) throws {
    let likeness = try arguments.text(Self.like).map { try readLikeness($0) }
    var request = Plan.Request()
    request.count = try arguments.text(Self.count).map { text throws(UsageFailure) in
      try Self.count(text)
    }
    request.rate = try arguments.text(Self.rate).map { text throws(UsageFailure) in
      try Self.rate(text)
    }
    request.from = try Self.time(Self.from, arguments, now)
    request.to = try Self.time(Self.to, arguments, now)
    request.duration = try arguments.duration(Self.duration).map {
      max(1, Int64($0.inSeconds.rounded(.up)))
    }
    request.pace = try Self.pace(arguments)
    // A count, a start and an end determine the rate.
    let hasEnds = request.duration != nil || request.from != nil && request.to != nil
    if request.count == nil || !hasEnds {
      request.rate = request.rate ?? likeness?.rate
    }
    plan = try Plan(request, now: now)

    var model = Model.Settings()
    model.seed = try Self.seed(arguments)
    model.users = try arguments.integer(Self.users, in: Model.userCounts)
    model.products = try arguments.integer(Self.products, in: Model.productCounts) ?? 10_000
    model.isFlat = arguments.isSet(Self.flat)
    model.likeness = likeness
    if likeness?.products != nil, arguments.isSet(Self.products) {
      throw UsageFailure("--products and --like can't go together: FILE says what is sold")
    }
    model.countries =
      try arguments.text(Self.countries).map { text throws(UsageFailure) in
        try Self.countries(text, of: likeness?.world ?? .standard)
      } ?? []
    model.profile = try arguments.text(Self.profile).map { text throws(UsageFailure) in
      try Profile(spelling: text)
    }
    if let text = arguments.text(Self.shard) {
      if request.count != nil {
        throw UsageFailure(
          "--shard and --count can't go together: a shard does not know how many events the others have",
          hints: ["say where it ends, with --to or --duration"])
      }
      model.shard = try Self.shard(text)
    }
    self.model = model
    let (rate, products) = (plan.rate, model.products)
    anomalies = try arguments.all(Self.anomaly).map { text throws(UsageFailure) in
      try AnomalySpec(text, rate: rate, products: products, now: now, likeness: likeness)
    }
    decoys = try arguments.all(Self.decoy).map { text throws(UsageFailure) in
      try AnomalySpec(
        text, option: "--decoy", rate: rate, products: products, now: now, likeness: likeness)
    }
    folder = arguments.environment("TMPDIR") ?? "/tmp"
    random = try arguments.text(Self.randomAnomalies).map { text throws(UsageFailure) in
      try Self.random(text)
    }
    dirt = try Self.dirt(arguments)
    labels = arguments.text(Self.labels)
    isCatalogue = arguments.isSet(Self.catalog)
    summarizes = arguments.isSet(.summary)
  }

  private static func seed(_ arguments: Arguments) throws(UsageFailure) -> UInt64 {
    let text = arguments.text(seed) ?? "1"
    if let number = UInt64(text) { return number }
    if let number = Int64(text) { return UInt64(bitPattern: number) }
    throw UsageFailure("--seed: \(quoted(text)) is not a whole number of 64 bits")
  }

  private static func time(
    _ flag: Flag, _ arguments: Arguments, _ now: Int64
  ) throws(UsageFailure) -> Int64? {
    guard let text = arguments.text(flag) else { return nil }
    let day = now.floorDivided(by: 86_400) * 86_400
    if text == "today" { return day }
    if text == "yesterday" { return day - 86_400 }
    if let point = TimePoint(spelling: text, now: TimePoint(milliseconds: now * 1000)) {
      return point.seconds
    }
    throw UsageFailure(
      "\(flag.spelling): \(quoted(text)) is not a valid time",
      hints: [
        "write 2026-01-01, 2026-01-01T12:30:00Z, 1767225600, now, today, yesterday, -7d or +1h"
      ])
  }

  private static func pace(_ arguments: Arguments) throws(UsageFailure) -> Plan.Pace? {
    guard let text = arguments.text(speed) else { return nil }
    if text == "max" { return .unlimited }
    guard let number = decimalNumber(text), (1e-6...1e9).contains(number) else {
      throw UsageFailure("--speed: \(quoted(text)) is neither a number above 0 nor 'max'")
    }
    return .times(number)
  }
}
