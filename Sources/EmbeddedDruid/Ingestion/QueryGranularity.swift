import Plumbing

/// The span to which event times are truncated.
enum QueryGranularity: Sendable, Equatable {
  case none
  /// Equal spans since 1970, in milliseconds.
  case fixed(Int64)
  /// Weeks from Monday.
  case week
  case month
  case quarter
  case year
  case all

  private static let named: [String: QueryGranularity] = [
    "NONE": .none, "ALL": .all, "SECOND": .fixed(1000), "MINUTE": .fixed(60_000),
    "FIVE_MINUTE": .fixed(300_000), "TEN_MINUTE": .fixed(600_000),
    "FIFTEEN_MINUTE": .fixed(900_000), "THIRTY_MINUTE": .fixed(1_800_000),
    "HOUR": .fixed(3_600_000), "SIX_HOUR": .fixed(21_600_000), "EIGHT_HOUR": .fixed(28_800_000),
    "DAY": .fixed(86_400_000), "WEEK": .week, "MONTH": .month, "QUARTER": .quarter, "YEAR": .year,
  ]

  private static let periods: [String: QueryGranularity] = [
    "PT1S": .fixed(1000), "PT1M": .fixed(60_000), "PT5M": .fixed(300_000),
    "PT10M": .fixed(600_000), "PT15M": .fixed(900_000), "PT30M": .fixed(1_800_000),
    "PT1H": .fixed(3_600_000), "PT6H": .fixed(21_600_000), "PT8H": .fixed(28_800_000),
    "P1D": .fixed(86_400_000), "P1W": .week, "P1M": .month, "P3M": .quarter, "P1Y": .year,
  ]

  /// A period such as `PT1H`; `nil` for an unsupported one.
  init?(period: String) {
    guard let found = Self.periods[period] else { return nil }
    self = found
  }

  /// A name, or an object of type `none`, `all`, `period` or `duration`.
  init(_ json: JSONValue, field: String) throws(SpecFailure) {
    let name = json.text ?? json["type"]?.text
    if let found = name.flatMap({ Self.named[$0.uppercased()] }) {
      self = found
    } else if name == "period", let period = json["period"]?.text,
      let found = Self.periods[period], json["origin"]?.isNull ?? true,
      ["UTC", "Etc/UTC", nil].contains(json["timeZone"]?.text)
    {
      self = found
    } else if name == "duration", let duration = json["duration"]?.integer, duration > 0,
      json["origin"]?.isNull ?? true
    {
      self = .fixed(duration)
    } else {
      throw .unsupported(field, json.jsonText)
    }
  }

  /// The start of the span that contains a time.
  func floor(_ milliseconds: Int64) -> Int64 {
    let day: Int64 = 86_400_000
    switch self {
    case .none: return milliseconds
    case .fixed(let span): return milliseconds.floorDivided(by: span) * span
    case .week:
      // 1970-01-01 was a Thursday.
      let monday = (milliseconds + 3 * day).floorDivided(by: 7 * day) * 7 * day
      return monday - 3 * day
    case .all: return Self.leastTime
    case .month, .quarter, .year:
      let date = civilDate(daysSinceEpoch: milliseconds.floorDivided(by: day))
      let month: Int64 =
        switch self {
        case .month: date.month
        case .quarter: (date.month - 1) / 3 * 3 + 1
        default: 1
        }
      return daysSinceEpoch(year: date.year, month: month, day: 1) * day
    }
  }

  /// The start of the span after the one that starts at `start`.
  func next(_ start: Int64) -> Int64 {
    let day: Int64 = 86_400_000
    switch self {
    case .none: return start + 1
    case .all: return Self.greatestTime
    case .fixed(let span): return start + span
    case .week: return start + 7 * day
    case .month: return floor(start + 32 * day)
    case .quarter: return floor(start + 93 * day)
    case .year: return floor(start + 367 * day)
    }
  }

  /// Druid's earliest and latest time.
  static let leastTime: Int64 = .min / 2
  static let greatestTime: Int64 = .max / 2
  static let moments = leastTime...greatestTime
}
