/// Days, months and weeks of the proleptic Gregorian calendar, without time zones or a clock.
package enum CivilTime {
  static let millisecondsPerDay: Int64 = 86_400_000
  /// The years that Joda accepts, whose times fit 64-bit milliseconds.
  static let years: ClosedRange<Int64> = -292_275_054...292_278_993

  package struct Fields: Equatable, Sendable {
    package var year: Int64
    var month: Int64
    var day: Int64
    var hour: Int64
    var minute: Int64
    var second: Int64
    var millisecond: Int64

    package init(
      year: Int64, month: Int64 = 1, day: Int64 = 1, hour: Int64 = 0, minute: Int64 = 0,
      second: Int64 = 0, millisecond: Int64 = 0
    ) {
      self.year = year
      self.month = month
      self.day = day
      self.hour = hour
      self.minute = minute
      self.second = second
      self.millisecond = millisecond
    }

    /// Milliseconds since 1970, in local time.
    package var milliseconds: Int64 {
      let days = CivilTime.days(year: year, month: month, day: day)
      let seconds = hour &* 3600 &+ minute &* 60 &+ second
      return days &* millisecondsPerDay &+ seconds &* 1000 &+ millisecond
    }
  }

  static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
    let quotient = value / by
    return value % by < 0 ? quotient - 1 : quotient
  }

  package static func floorRemainder(_ value: Int64, _ by: Int64) -> Int64 {
    let rest = value % by
    return rest < 0 ? rest + by : rest
  }

  /// The start of its day.
  package static func midnight(_ milliseconds: Int64) -> Int64 {
    milliseconds &- floorRemainder(milliseconds, millisecondsPerDay)
  }

  /// Days from 1970-01-01 to a date.
  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year &- 1 : year
    let era = floorDivide(shifted, 400)
    let yearOfEra = shifted &- era &* 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
  }

  static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days &+ 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted &- era &* 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0), month, day)
  }

  package static func fields(_ milliseconds: Int64) -> Fields {
    let days = floorDivide(milliseconds, millisecondsPerDay)
    let rest = milliseconds &- days &* millisecondsPerDay
    let date = date(days: days)
    return Fields(
      year: date.year, month: date.month, day: date.day, hour: rest / 3_600_000,
      minute: rest / 60_000 % 60, second: rest / 1000 % 60, millisecond: rest % 1000)
  }

  static func isLeap(_ year: Int64) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  package static func length(ofMonth month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The time a number of months later; the day is limited to the last day of the month.
  package static func adding(months: Int64, to milliseconds: Int64) -> Int64 {
    var fields = fields(milliseconds)
    let total = fields.year &* 12 &+ (fields.month - 1) &+ months
    fields.year = floorDivide(total, 12)
    fields.month = floorRemainder(total, 12) + 1
    fields.day = min(fields.day, length(ofMonth: fields.month, year: fields.year))
    return fields.milliseconds
  }

  /// Whole months from one local time to another, towards zero.
  package static func months(from start: Int64, to end: Int64) -> Int64 {
    let first = fields(start)
    let last = fields(end)
    var months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0, adding(months: months, to: start) > end { months -= 1 }
    if months < 0, adding(months: months, to: start) < end { months += 1 }
    return months
  }

  /// 1 is Monday, 7 Sunday.
  static func dayOfWeek(days: Int64) -> Int64 { floorRemainder(days + 3, 7) + 1 }

  /// The ISO week and its year.
  static func week(days: Int64) -> (year: Int64, week: Int64) {
    let thursday = days - dayOfWeek(days: days) + 4
    let year = date(days: thursday).year
    let first = Self.days(year: year, month: 1, day: 1)
    return (year, (thursday - first) / 7 + 1)
  }
}
