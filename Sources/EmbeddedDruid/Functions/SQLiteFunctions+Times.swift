import DruidSQL
import Synchronization

extension SQLiteFunctions {
  static let times: [String: Body] = [
    "time_floor": .timeFloor,
    "time_ceil": .general { (values) throws(ValueFailure) in
      guard let time = values[0].integer, let period = values[1].text, let zone = values[3].text
      else { return .null }
      return .integer(
        try TimeFunctions.period(period)
          .ceil(time, origin: values[2].integer, zone: try TimeZones.find(zone)))
    },
    "time_shift": .strict { (values) throws(ValueFailure) in
      guard let time = values[0].integer, let period = values[1].text,
        let step = values[2].integer, let zone = values[3].text
      else { return .null }
      return .integer(
        try TimeFunctions.period(period)
          .added(to: time, times: step, zone: try TimeZones.find(zone)))
    },
    "time_extract": .strict { (values) throws(ValueFailure) in
      guard let time = values[0].integer, let word = values[1].text, let zone = values[2].text
      else { return .null }
      guard let unit = TimeUnit(rawValue: word) else {
        throw .unsupported("The unit \(word)")
      }
      return .integer(TimeExtract.value(unit, of: time, zone: try TimeZones.find(zone)))
    },
    "time_parse": .general { (values) throws(ValueFailure) in
      guard let text = values[0].text, let name = values[2].text else { return .null }
      let zone = try TimeZones.find(name)
      guard let pattern = values[1].text else {
        return TimeText.parse(text, zone: zone).map { .integer($0) } ?? .null
      }
      let time = try TimeFunctions.pattern(pattern)
        .time(of: text, zone: zone) { try? TimeZones.find($0) }
      return time.map { .integer($0) } ?? .null
    },
    "time_format": .general { (values) throws(ValueFailure) in
      guard let time = values[0].integer, let name = values[2].text else { return .null }
      let zone = try TimeZones.find(name)
      guard let pattern = values[1].text else { return .text(TimeText.iso(time, zone: zone)) }
      return .text(try TimeFunctions.pattern(pattern).text(of: time, zone: zone))
    },
    "add_months": .strict { (values) throws(ValueFailure) in
      guard let time = values[0].integer, let months = values[1].integer,
        let name = values[2].text
      else { return .null }
      var period = Period()
      period.months = months
      return .integer(period.added(to: time, zone: try TimeZones.find(name)))
    },
    "months_between": .strict { (values) throws(ValueFailure) in
      guard let from = values[0].integer, let to = values[1].integer, let name = values[2].text
      else { return .null }
      let zone = try TimeZones.find(name)
      return .integer(CivilTime.months(from: zone.local(from), to: zone.local(to)))
    },
    "in_interval": .strict { (values) throws(ValueFailure) in
      guard let time = values[0].integer, let text = values[1].text else { return .null }
      guard let interval = TimeText.interval(text) else {
        throw .invalid("Invalid interval [\(text)]")
      }
      return .boolean(time >= interval.start && time < interval.end)
    },
  ]
}

/// Periods and patterns that are the same in every row, read once.
enum TimeFunctions {
  private static let patterns = Mutex<[String: JodaPattern]>([:])
  private static let periods = Mutex<[String: Period]>([:])

  static func period(_ text: String) throws(ValueFailure) -> Period {
    if let period = periods.withLock({ $0[text] }) { return period }
    guard let period = Period(text), !period.isZero else {
      throw .invalid("Invalid period [\(text)]")
    }
    periods.withLock { periods in
      // Texts may come from rows; what is kept stays small.
      if periods.count > 200 { periods = [:] }
      periods[text] = period
    }
    return period
  }

  static func pattern(_ text: String) throws(ValueFailure) -> JodaPattern {
    if let pattern = patterns.withLock({ $0[text] }) { return pattern }
    let pattern = try JodaPattern(text)
    patterns.withLock { patterns in
      if patterns.count > 200 { patterns = [:] }
      patterns[text] = pattern
    }
    return pattern
  }
}
