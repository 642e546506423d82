/// State shared by the functions of one connection: time zones and caches of parsed values.
///
/// Not Sendable: each connection has one, used by one thread at a time.
package final class ValueContext {
  private let readZone: (String) -> [UInt8]?
  private var zones: [String: TimeZoneTable] = [:]
  private var periods: [String: Period] = [:]
  private var patterns = Memo<JodaPattern>()
  private var expressions = Memo<RegularExpression>()
  private var paths = Memo<JSONPath>()
  private var lists = Memo<[JSONTree]?>()
  /// Bucket starts of periods in zones, by the names of both.
  private var steps: [String: [Int64]] = [:]
  private var likes = Memo<LikePattern>()
  /// The limits of the current query.
  package let limits: QueryLimits
  /// The last zone, because a query uses the same one for row after row.
  private var lastZone = ("UTC", TimeZoneTable.utc)
  private var lastKnownZone = ("UTC", TimeZoneTable.utc)
  private var lastPeriod = ("", Period())
  private var lastInterval = (text: "", zone: "", start: Int64(0), end: Int64(0))

  /// Maximum entries of each cache. A full cache is emptied.
  fileprivate static let limit = 200

  /// - Parameter readZone: returns the bytes of the TZif file of this name; nil when there is none.
  ///   The name never leads out of the zones' folder.
  package init(
    limits: QueryLimits = QueryLimits { false }, readZone: @escaping (String) -> [UInt8]?
  ) {
    self.limits = limits
    self.readZone = readZone
  }

  package func zone(_ name: String) throws(ValueFailure) -> TimeZoneTable {
    if lastZone.0 == name { return lastZone.1 }
    if name.hasPrefix("SystemV/"), findZone(name) == nil {
      // Java knows the name, and Joda has no rules for it.
      throw .invalid("The datetime zone id '\(name)' is not recognised")
    }
    // Druid treats an unknown zone as UTC.
    let zone = zones[name] ?? findZone(name) ?? .utc
    if zones.count >= Self.limit { zones.removeAll() }
    zones[name] = zone
    lastZone = (name, zone)
    return zone
  }

  /// The zone of that name. - Throws: `uncategorized` for a name that is not known.
  package func knownZone(_ name: String) throws(ValueFailure) -> TimeZoneTable {
    if lastKnownZone.0 == name { return lastKnownZone.1 }
    if let zone = findZone(name) {
      lastKnownZone = (name, zone)
      return zone
    }
    throw .uncategorized("The datetime zone id '\(name)' is not recognised")
  }

  package func findZone(_ name: String) -> TimeZoneTable? {
    if let fixed = TimeZoneTable.fixed(name) { return fixed }
    let name = TimeZoneTable.abbreviated[name] ?? name
    let isPlain =
      name.first?.isLetter == true
      && name.utf8.allSatisfy {
        ($0 | 32) &- 97 < 26 || ($0 >= 43 && $0 <= 57 && $0 != 46) || $0 == 95
      }
    guard isPlain, let bytes = readZone(name) else { return nil }
    return TimeZoneTable(name: name, tzif: bytes)
  }

  package func interval(
    _ text: String, _ zone: TimeZoneTable
  ) throws(ValueFailure) -> (start: Int64, end: Int64) {
    if lastInterval.text == text, lastInterval.zone == zone.name, !text.isEmpty {
      return (lastInterval.start, lastInterval.end)
    }
    guard let interval = TimeText.interval(text, zone: zone) else {
      throw .invalid("Invalid interval \(text)")
    }
    lastInterval = (text, zone.name, interval.start, interval.end)
    return interval
  }

  package func period(_ text: String) throws(ValueFailure) -> Period {
    if lastPeriod.0 == text, !text.isEmpty { return lastPeriod.1 }
    guard let period = periods[text] ?? Period(text), !period.isZero else {
      throw .invalid("Invalid format: \"\(text)\"")
    }
    if periods.count >= Self.limit { periods.removeAll() }
    periods[text] = period
    lastPeriod = (text, period)
    return period
  }

  /// TIME_FLOOR by the period in `text`.
  package func floor(
    _ time: Int64, _ text: String, origin: Int64?, zone: TimeZoneTable
  ) throws(ValueFailure) -> Int64 {
    let period = try period(text)
    guard origin == nil, period.needsSteps(in: zone) else {
      return period.floor(time, origin: origin, zone: zone)
    }
    return period.floor(time, zone: zone, steps: &steps[text + " " + zone.name, default: []])
  }

  package func like(_ pattern: String, escape: String) -> LikePattern {
    likes.value(for: escape + "\0" + pattern) { _ in LikePattern(pattern, escape: escape) }
  }

  package func pattern(_ text: String) throws(ValueFailure) -> JodaPattern {
    try patterns.value(for: text) { text throws(ValueFailure) in try JodaPattern(text) }
  }

  package func expression(_ text: String) throws(ValueFailure) -> RegularExpression {
    try expressions.value(for: text) { text throws(ValueFailure) in try RegularExpression(text) }
  }

  package func path(_ text: String) throws(ValueFailure) -> JSONPath {
    try paths.value(for: text) { text throws(ValueFailure) in try JSONPath(text) }
  }

  /// The elements of an array's text, which is usually the same literal for each row.
  package func list(_ text: String) -> [JSONTree]? {
    lists.value(for: text) { text in
      if case .array(let list)? = JSONTree(parsing: text) { list } else { nil }
    }
  }
}

/// What was made of texts, up to a number of them.
private struct Memo<Value> {
  private var values: [ExactText: Value] = [:]

  /// The value for a text, made once and kept.
  mutating func value<Failure>(
    for text: String, _ make: (String) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let key = ExactText(text)
    if let value = values[key] { return value }
    let value = try make(text)
    if values.count >= ValueContext.limit { values.removeAll() }
    values[key] = value
    return value
  }
}
