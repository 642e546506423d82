/// Recent excursions of each series, to recognise those that come back.
///
/// A job that runs every hour, a backup at three each night and a shop that opens at eight are
/// unlikely by the series' level and hours, because a profile has a single value for each hour. Such an
/// excursion is unusual the first few times only. Excursions are rare, so most series have no
/// entry here.
struct Routine: Sendable {
  /// A bucket of an excursion.
  private struct Mark: Sendable {
    var time: Double
    var size: Float
    var isUp: Bool
    var place: Place
  }

  private enum Place: UInt8 {
    case anywhere
    /// At the time at which such excursions come back.
    case usual
    /// Soon after one at its usual time, and no larger: what it leaves in the longer memories.
    case after
  }

  /// A period at which excursions may come back: how many of the last `span` periods must have
  /// had one.
  private struct Period {
    let seconds: Double
    let span: Int
    let needed: Int
  }

  private static let periods = [
    Period(seconds: 3600, span: 6, needed: 4),
    Period(seconds: TallyRules.day, span: 7, needed: 3),
    Period(seconds: 7 * TallyRules.day, span: 3, needed: 2),
  ]
  /// How long a mark is kept.
  private static let memory = 22 * TallyRules.day
  /// Excursions this many seconds apart are two. At most this many marks are made in that time,
  /// so that a long excursion in short buckets does not fill the list.
  private static let gap = 1800.0
  private static let longestRun = 40
  private static let largestCount = 4096
  /// How much larger than earlier ones an excursion may be.
  private static let slack: Float = 1.5
  private static let frequentSlack: Float = 1.25
  /// A series of rows that had this many excursions of at least the same size within a week, on
  /// this many days, has them by nature. Those at their usual time don't count.
  private static let weekly = 5
  private static let weeklyDays = 4

  private var marks: [Int: [Mark]] = [:]

  mutating func clear(series: Int) { marks[series] = nil }

  /// Whether the series has often had such an excursion at this time of the hour, day or week, or in
  /// the last week at any time. Remembers the excursion.
  ///
  /// - Parameters:
  ///   - size: the distance from the expected value, in the unit of the measure.
  ///   - seconds: the length of a bucket.
  mutating func knows(
    series: Int, time: Double, size: Double, isUp: Bool, isRows: Bool, seconds: Double
  ) -> Bool {
    let size = Float(min(size, Float.largestAmount))
    var list = marks.removeValue(forKey: series) ?? []
    let place = place(list, time: time, size: size, isUp: isUp, seconds: seconds)
    let isKnown =
      place != .anywhere || isRows && isFrequent(list, time: time, size: size, isUp: isUp)
    let old = list.prefix { time - $0.time > Self.memory }.count
    list.removeFirst(max(old, list.count + 1 - Self.largestCount, 0))
    let run = list.suffix(Self.longestRun)
    if run.count < Self.longestRun || time - run[run.startIndex].time > Self.gap {
      list.append(Mark(time: time, size: size, isUp: isUp, place: place))
    }
    marks[series] = list
    return isKnown
  }

  private func place(
    _ list: [Mark], time: Double, size: Float, isUp: Bool, seconds: Double
  ) -> Place {
    // A job may start a moment early or late, on the other side of a bucket's border.
    let tolerance = seconds <= 300 ? 1.01 * max(seconds, 120) : 0.51 * seconds
    for period in Self.periods where period.seconds >= 6 * tolerance {
      var found = 0
      for back in 1...period.span {
        let then = time - Double(back) * period.seconds
        let isThere = marks(list, from: then - tolerance, to: then + tolerance).contains {
          $0.isUp == isUp && size <= Self.slack * $0.size
        }
        if isThere { found += 1 }
      }
      if found >= period.needed { return .usual }
    }
    let isAfter = marks(list, from: time - Self.gap, to: time).contains {
      $0.place == .usual && $0.isUp == isUp && size <= Self.slack * $0.size
    }
    return isAfter ? .after : .anywhere
  }

  /// The marks of a span of time. They are in the order of their times.
  private func marks(_ list: [Mark], from: Double, to: Double) -> ArraySlice<Mark> {
    var low = 0
    var high = list.count
    while low < high {
      let middle = (low + high) / 2
      if list[middle].time < from { low = middle + 1 } else { high = middle }
    }
    return list[low...].prefix { $0.time <= to }
  }

  private func isFrequent(_ list: [Mark], time: Double, size: Float, isUp: Bool) -> Bool {
    var count = 0
    var days = 0
    var last = -Double.infinity
    var day = -Double.infinity
    for mark in marks(list, from: time - 7 * TallyRules.day, to: time)
    where mark.isUp == isUp && mark.place == .anywhere && size <= Self.frequentSlack * mark.size {
      if mark.time - last > Self.gap, time - mark.time > Self.gap {
        count += 1
        let today = (mark.time / TallyRules.day).rounded(.down)
        if today != day { days += 1 }
        day = today
      }
      last = mark.time
    }
    return count >= Self.weekly && days >= Self.weeklyDays
  }

  func encode(to bytes: inout StateWriter) {
    bytes.put(marks.count)
    for series in marks.keys.sorted() {
      let list = marks[series] ?? []
      bytes.put(series)
      bytes.put(list.count)
      for mark in list {
        bytes.put(mark.time)
        bytes.put(mark.size)
        bytes.put(mark.isUp)
        bytes.put(mark.place.rawValue)
      }
    }
  }

  mutating func decode(from bytes: inout StateReader, seriesCount: Int) throws(StateDamage) {
    marks = [:]
    for _ in 0..<(try bytes.listCount(of: 16)) {
      let series = try bytes.integer()
      let count = try bytes.listCount(of: 14)
      guard 0..<seriesCount ~= series, count <= Self.largestCount else { throw StateDamage() }
      var list: [Mark] = []
      list.reserveCapacity(count)
      for _ in 0..<count {
        let (time, size, isUp) = (try bytes.double(), try bytes.float(), try bytes.bool())
        guard let place = Place(rawValue: try bytes.byte()) else { throw StateDamage() }
        list.append(Mark(time: time, size: size, isUp: isUp, place: place))
      }
      marks[series] = list
    }
  }
}
