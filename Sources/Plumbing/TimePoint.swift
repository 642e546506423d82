/// A moment as people write it at a shell, and as ISO 8601 in UTC: proleptic Gregorian calendar, no
/// leap seconds.
package struct TimePoint: Sendable, Equatable, Comparable {
  /// Since 1970-01-01T00:00:00Z.
  package var milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// The current time by the system's clock.
  package static var now: TimePoint {
    let (second, nanosecond) = WallClock.reading
    return TimePoint(milliseconds: second * 1000 + nanosecond / 1_000_000)
  }

  package static func < (a: TimePoint, b: TimePoint) -> Bool { a.milliseconds < b.milliseconds }

  /// Whole seconds since 1970, rounded down.
  package var seconds: Int64 { milliseconds.floorDivided(by: 1000) }

  /// Parses `now`, a signed span from now (`-7d`, `+1h30m`), epoch seconds, a bare date (midnight
  /// UTC), or RFC 3339 (UTC unless there is an offset). `nil` for anything else, and outside the
  /// years 0 to 9999.
  package init?(spelling text: String, now: TimePoint) {
    if text == "now" {
      self = now
      return
    }
    if let sign = text.first, sign == "-" || sign == "+",
      let span = Duration(spelling: String(text.dropFirst())),
      text.contains(where: \.isLetter)
    {
      let length =
        Int64(span.components.seconds) * 1000 + span.components.attoseconds / 1_000_000_000_000_000
      self.init(milliseconds: now.milliseconds + (sign == "-" ? -length : length))
    } else if let seconds = Int64(text), (-62_167_219_200...253_402_300_799).contains(seconds) {
      self.init(milliseconds: seconds * 1000)
    } else if let point = TimePoint(rfc3339: text) {
      self = point
    } else {
      return nil
    }
  }

  /// Parses `2026-01-01`, `2026-01-01T12:30:00Z` or `2026-01-01 12:30:00.250+02:00`; seconds and
  /// offset are optional.
  package init?(rfc3339 text: String) {
    var rest = Array(text.utf8)[...]
    func number(_ digits: Int) -> Int64? {
      guard rest.count >= digits else { return nil }
      var value: Int64 = 0
      for _ in 0..<digits {
        guard let byte = rest.popFirst(), (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      return value
    }
    func take(_ characters: String) -> UInt8? {
      guard let byte = rest.first, characters.utf8.contains(byte) else { return nil }
      return rest.popFirst()
    }
    guard let year = number(4), take("-") != nil, let month = number(2), take("-") != nil,
      let day = number(2), (1...12).contains(month),
      (1...daysInMonth(year: year, month: month)).contains(day)
    else { return nil }
    var result = daysSinceEpoch(year: year, month: month, day: day) * 86_400_000
    if !rest.isEmpty {
      guard take("Tt ") != nil, let hour = number(2), hour < 24, take(":") != nil,
        let minute = number(2), minute < 60
      else { return nil }
      result += (hour * 60 + minute) * 60_000
      if take(":") != nil {
        guard let second = number(2), second < 61 else { return nil }
        result += min(second, 59) * 1000
        if take(".") != nil {
          let digits = rest.prefix { (0x30...0x39).contains($0) }
          guard !digits.isEmpty else { return nil }
          var scale: Int64 = 100
          for digit in digits {
            result += Int64(digit - 0x30) * scale
            scale /= 10
          }
          rest = rest.dropFirst(digits.count)
        }
      }
      if take("Zz") == nil, let sign = take("+-") {
        guard let hours = number(2), hours < 24, take(":") != nil, let minutes = number(2),
          minutes < 60
        else { return nil }
        let offset = (hours * 60 + minutes) * 60_000
        result += sign == UInt8(ascii: "-") ? offset : -offset
      }
      guard rest.isEmpty else { return nil }
    }
    self.init(milliseconds: result)
  }

  /// `2026-01-01T00:00:00.000Z`.
  package var iso8601: String {
    let days = milliseconds.floorDivided(by: 86_400_000)
    var rest = milliseconds - days * 86_400_000
    let date = civilDate(daysSinceEpoch: days)
    func digits(_ value: Int64, _ width: Int) -> String {
      let text = String(value.magnitude)
      return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - text.count))
        + text
    }
    let millisecond = rest % 1000
    rest /= 1000
    return digits(date.year, 4) + "-" + digits(date.month, 2) + "-" + digits(date.day, 2) + "T"
      + digits(rest / 3600, 2) + ":" + digits(rest / 60 % 60, 2) + ":" + digits(rest % 60, 2) + "."
      + digits(millisecond, 3) + "Z"
  }
}

extension Int64 {
  /// The quotient rounded down, for a positive divisor.
  package func floorDivided(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
/// algorithms", days_from_civil).
package func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
  let year = month <= 2 ? year - 1 : year
  let era = year.floorDivided(by: 400)
  let yearOfEra = year - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// The date `days` after 1970-01-01 (same source, civil_from_days).
package func civilDate(daysSinceEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let days = days + 719_468
  let era = days.floorDivided(by: 146_097)
  let dayOfEra = days - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shifted = (5 * dayOfYear + 2) / 153
  let month = shifted < 10 ? shifted + 3 : shifted - 9
  return (
    yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
  )
}

private func daysInMonth(year: Int64, month: Int64) -> Int64 {
  let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
}
