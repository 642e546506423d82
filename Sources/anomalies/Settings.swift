import AnomalyDetection
import Glibc
import Plumbing

/// The command line of anomalies, parsed and checked.
struct Settings {
  enum Mode: Equatable { case watch, grade, backtest }
  enum OutputFormat: String { case table, csv, ndjson }
  enum Lens: String { case flow, novelty }

  /// `country`, `product_id:20`, `country,device`.
  struct Breakdown: Equatable {
    var names: [String]
    var fields: [Int]
    /// How many of the largest values to watch; nil for all.
    var limit: Int?
    var title: String { names.joined(separator: ",") }
  }

  /// `5`, `10%`.
  enum SmallestChange: Equatable {
    case absolute(Double)
    case share(Double)
  }

  var mode = Mode.watch
  var plan = MeasurePlan()
  var breakdowns: [Breakdown] = []
  /// The field with the time.
  var timeField = 0
  var input = InputFormat.ndjson
  /// Whether the input has values (rows). Otherwise it has events, which are counted into buckets.
  var hasValues = false
  /// The bucket length in milliseconds; nil for rows whose interval is not known yet.
  var every: Int64?
  var lag: Int64 = 60_000
  var fill: Double?
  var lens = Lens.flow
  var repeats = false
  var isReference = false
  var scoresAll = false
  var format = OutputFormat.ndjson
  /// The number of days in which the whole run may raise one false alarm; nil for the default.
  var daysPerFalseAlarm: Double?
  var score: Double?
  var direction: Bool?
  var smallestChange: SmallestChange?
  var smallestImpact = 0.0
  var warm: Int64 = 0
  var zone: TimeZoneOffsets
  var silence: Int64?
  var isLive: Bool?
  var calendar: Calendar
  var statePath: String?
  var reportPath: String?
  var maximumKeys = 100_000
  var labelsPath: String?
  var alarmTimeField: String?
  var smallestFound: Double?
  var largestFalse: Double?
  /// How long was watched, in milliseconds.
  var watched: Int64?
  var historyPath: String?
  var summarizes = false
  var isQuiet = false

  init(_ arguments: Arguments) throws {
    zone = try TimeZoneOffsets(arguments.text(Self.timeZone) ?? "UTC")
    calendar = Calendar()
    summarizes = arguments.isSet(.summary)
    isQuiet = arguments.isSet(.quiet)
    try readMode(arguments)
    try readOutput(arguments)
    labelsPath = arguments.text(Self.labels)
    smallestFound = try arguments.number(Self.minFound, in: 0...1)
    largestFalse = try arguments.text(Self.maxFalse).map { text throws(UsageFailure) in
      1 / (try Self.days(text, Self.maxFalse))
    }
    watched = try milliseconds(arguments, Self.over, 60_000...31_536_000_000)
    if mode == .grade {
      alarmTimeField = arguments.text(Self.time)
      guard labelsPath != nil else {
        throw UsageFailure("grade needs --labels FILE, the truth that incidents are compared with")
      }
      return
    }
    try readRows(arguments)
    try readThresholds(arguments)
    if let path = arguments.text(Self.calendarFile) { calendar = try Calendar(path) }
    statePath = arguments.text(Self.state)
    reportPath = arguments.text(Self.report)
    maximumKeys = try arguments.integer(Self.maxKeys, in: 1...10_000_000) ?? maximumKeys
    if arguments.isSet(Self.live) { isLive = true }
    if arguments.isSet(Self.noLive) {
      if isLive == true { throw UsageFailure("--live and --no-live exclude each other") }
      isLive = false
    }
  }

  private mutating func readMode(_ arguments: Arguments) throws(UsageFailure) {
    var words = arguments.operands[...]
    switch words.popFirst() {
    case nil: return
    case "grade": mode = .grade
    case "backtest":
      mode = .backtest
      historyPath = words.popFirst()
    case let word?:
      let hint = didYouMean(word, among: ["grade", "backtest"])
      throw UsageFailure(
        "unknown command \(quoted(word))", hints: [hint ?? "one of grade, backtest, or none"])
    }
    if let extra = words.first { throw UsageFailure("unexpected argument \(quoted(extra))") }
  }

  private mutating func readOutput(_ arguments: Arguments) throws(UsageFailure) {
    let fallback = Terminal.isTerminal(STDOUT_FILENO) ? "table" : "ndjson"
    format = OutputFormat(rawValue: arguments.text(Self.outputFormat) ?? fallback) ?? .ndjson
    scoresAll = arguments.isSet(Self.all)
  }

  private mutating func readRows(_ arguments: Arguments) throws {
    let isShop = arguments.isSet(Self.shop)
    let values = arguments.all(Self.value)
    let measures = arguments.all(Self.measure)
    hasValues = !values.isEmpty
    input = InputFormat(rawValue: arguments.text(Self.inputFormat) ?? "ndjson") ?? .ndjson
    guard let timeName = arguments.text(Self.time) ?? (isShop ? "timestamp" : nil) else {
      throw UsageFailure(
        "the time field is not given", hints: ["--time FIELD, as in --time timestamp"])
    }
    timeField = plan.field(timeName)
    if hasValues, isShop || !measures.isEmpty {
      throw UsageFailure(
        "--value is for rows and \(isShop ? "--shop" : "--measure") for events: they exclude each other"
      )
    }
    var texts = arguments.all(Self.by)
    if isShop { texts = ["country", "device", "product_id:20"] + texts }
    for text in texts { breakdowns.append(try breakdown(text)) }
    if let twin = breakdowns.indices.first(where: { index in
      breakdowns[..<index].contains { $0.names == breakdowns[index].names }
    }) {
      throw UsageFailure("--by: \(quoted(breakdowns[twin].title)) is given twice")
    }
    if hasValues {
      for name in values {
        guard !plan.measures.contains(where: { $0.name == name }) else {
          throw UsageFailure("--value: \(quoted(name)) is given twice")
        }
        plan.add(Measure(name: name, kind: .value, amount: plan.field(name)))
      }
      guard breakdowns.count <= 1 else {
        throw UsageFailure(
          "rows have one --by, which names the series that a row belongs to",
          hints: ["join the fields: --by \(breakdowns.map(\.title).joined(separator: ","))"])
      }
      guard breakdowns.first?.limit == nil else {
        throw UsageFailure("--by: FIELD:N is for events, not for rows")
      }
    } else {
      for text in (isShop ? MeasurePlan.shop : []) + measures {
        try MeasureParser.add(text, to: &plan)
      }
      if plan.measures.isEmpty { try MeasureParser.add("count", to: &plan) }
      let late = plan.aggregate(.late)
      plan.add(Measure(name: Self.lateName, kind: .late, amount: late))
    }
    guard plan.fields.count <= 64, plan.conditions.count <= 64, plan.aggregates.count <= 64 else {
      throw UsageFailure("too many different fields or conditions: 64 of each at most")
    }
    try readTimes(arguments)
  }

  static let lateName = "late"

  private mutating func breakdown(_ text: String) throws(UsageFailure) -> Breakdown {
    var names = text
    var limit: Int?
    if let colon = text.lastIndex(of: ":") {
      let number = text[text.index(after: colon)...]
      guard let count = Int(number), (1...100_000).contains(count) else {
        throw UsageFailure(
          "--by: \(quoted(number)) is not a number of values from 1 to 100000",
          hints: ["write --by product_id:20"])
      }
      names = String(text[..<colon])
      limit = count
    }
    let list = names.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard list.allSatisfy({ !$0.isEmpty }) else {
      throw UsageFailure("--by: \(quoted(text)) does not name a field")
    }
    return Breakdown(names: list, fields: list.map { plan.field($0) }, limit: limit)
  }

  private mutating func readTimes(_ arguments: Arguments) throws(UsageFailure) {
    if let span = try milliseconds(arguments, Self.every, 1...31_536_000_000) { every = span }
    if !hasValues, every == nil { every = 60_000 }
    lag = try milliseconds(arguments, Self.lag, 0...31_536_000_000) ?? (hasValues ? 0 : 60_000)
    warm = try milliseconds(arguments, Self.warm, 0...31_536_000_000) ?? 0
    silence = try milliseconds(arguments, Self.silence, 1...31_536_000_000)
    fill = try arguments.number(Self.fillValue, in: -1e18...1e18)
    if fill != nil, !hasValues {
      throw UsageFailure("--fill is for rows: a bucket without events counts 0 by itself")
    }
  }

  private func milliseconds(
    _ arguments: Arguments, _ flag: Flag, _ bounds: ClosedRange<Int64>
  ) throws(UsageFailure) -> Int64? {
    guard let span = try arguments.duration(flag) else { return nil }
    let number = Int64((span.inSeconds * 1000).rounded())
    guard bounds.contains(number) else {
      throw UsageFailure("\(flag.spelling): not a span from \(bounds.lowerBound) ms to 365d")
    }
    return number
  }

  private mutating func readThresholds(_ arguments: Arguments) throws(UsageFailure) {
    lens = Lens(rawValue: arguments.text(Self.lensName) ?? "flow") ?? .flow
    repeats = arguments.isSet(Self.everyTime)
    if repeats, lens != .novelty { throw UsageFailure("--every-time needs --lens novelty") }
    isReference = arguments.text(Self.rules) == "reference"
    daysPerFalseAlarm = try arguments.text(Self.falseAlarms).map { text throws(UsageFailure) in
      try Self.days(text, Self.falseAlarms)
    }
    score = try arguments.number(Self.scoreValue, in: -9...1e9)
    if score != nil, daysPerFalseAlarm != nil {
      throw UsageFailure("--score and --false-alarms exclude each other")
    }
    if arguments.isSet(Self.up), arguments.isSet(Self.down) {
      throw UsageFailure("--up and --down exclude each other; the default is both")
    }
    direction = arguments.isSet(Self.up) ? true : arguments.isSet(Self.down) ? false : nil
    smallestImpact = try arguments.number(Self.minImpact, in: 0...1e18) ?? 0
    guard let text = arguments.text(Self.minChange) else { return }
    let isShare = text.hasSuffix("%")
    guard let number = decimalNumber(String(isShare ? text.dropLast() : text[...])), number >= 0
    else {
      throw UsageFailure(
        "--min-change: \(quoted(text)) is not a change", hints: ["write 25 or 10%"])
    }
    smallestChange = isShare ? .share(number / 100) : .absolute(number)
  }

  /// The days per false alarm of `1/d`, `2/w` or `0.5/h`.
  private static func days(_ text: String, _ flag: Flag) throws(UsageFailure) -> Double {
    let pieces = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let units: [String: Double] = [
      "h": 1.0 / 24, "hour": 1.0 / 24, "d": 1, "day": 1, "w": 7, "week": 7, "month": 30, "y": 365,
      "year": 365,
    ]
    guard let number = decimalNumber(String(pieces.first ?? "")), number > 0, number <= 1e6,
      pieces.count == 2, let unit = units[String(pieces[1])]
    else {
      throw UsageFailure(
        "\(flag.spelling): \(quoted(text)) is not a rate", hints: ["write 1/d, 1/w or 2/month"])
    }
    return unit / number
  }
}
