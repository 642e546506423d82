/// State shared by the functions of one connection: time zones and caches of parsed values.
///
/// Not Sendable: each connection has one, used by one thread at a time.
package final class ValueContext {
  private let readZone: (String) -> [UInt8]?
  private var zones: [String: TimeZoneTable] = [:]
  private var periods: [String: Period] = [:]
  private var patterns: [ExactText: JodaPattern] = [:]
  private var expressions: [ExactText: RegularExpression] = [:]
  private var paths: [ExactText: JSONPath] = [:]
  private var lists: [ExactText: [JSONTree]] = [:]
  /// Bucket starts of periods in zones, by the names of both.
  private var steps: [String: [Int64]] = [:]
  private var likes: [ExactText: LikePattern] = [:]
  /// The limits of the current query.
  package let limits: QueryLimits
  /// The last zone, because a query uses the same one for row after row.
  private var lastZone = ("UTC", TimeZoneTable.utc)
  private var lastKnownZone = ("UTC", TimeZoneTable.utc)
  private var lastPeriod = ("", Period())
  private var lastInterval = (text: "", zone: "", start: Int64(0), end: Int64(0))

  /// Maximum entries of each cache. A full cache is emptied.
  private static let limit = 200

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
    let key = ExactText(escape + "\0" + pattern)
    if let like = likes[key] { return like }
    let like = LikePattern(pattern, escape: escape)
    if likes.count >= Self.limit { likes.removeAll() }
    likes[key] = like
    return like
  }

  package func pattern(_ text: String) throws(ValueFailure) -> JodaPattern {
    let key = ExactText(text)
    if let pattern = patterns[key] { return pattern }
    let pattern = try JodaPattern(text)
    if patterns.count >= Self.limit { patterns.removeAll() }
    patterns[key] = pattern
    return pattern
  }

  package func expression(_ text: String) throws(ValueFailure) -> RegularExpression {
    let key = ExactText(text)
    if let expression = expressions[key] { return expression }
    let expression = try RegularExpression(text)
    if expressions.count >= Self.limit { expressions.removeAll() }
    expressions[key] = expression
    return expression
  }

  package func path(_ text: String) throws(ValueFailure) -> JSONPath {
    let key = ExactText(text)
    if let path = paths[key] { return path }
    let path = try JSONPath(text)
    if paths.count >= Self.limit { paths.removeAll() }
    paths[key] = path
    return path
  }

  /// The elements of an array's text, which is usually the same literal for each row.
  package func list(_ text: String) -> [JSONTree]? {
    let key = ExactText(text)
    if let list = lists[key] { return list }
    guard case .array(let list)? = JSONTree(parsing: text) else { return nil }
    if lists.count >= Self.limit { lists.removeAll() }
    lists[key] = list
    return list
  }
}
