/// TIME_EXTRACT and EXTRACT.
package enum TimeExtract {
  /// The unit's part of the instant in the zone's local time.
  package static func value(_ unit: TimeUnit, of time: Int64, zone: TimeZoneTable) -> Int64 {
    if unit == .epoch { return time / 1000 }
    if unit == .microsecond || unit == .nanosecond { return time / 1_000_000 }
    let local = zone.local(time)
    let fields = CivilTime.fields(local)
    let days = CivilTime.floorDivide(local, CivilTime.millisecondsPerDay)
    return switch unit {
    case .millisecond: fields.millisecond
    case .second: fields.second
    case .minute: fields.minute
    case .hour: fields.hour
    case .day: fields.day
    case .dayOfWeek, .isoDayOfWeek: CivilTime.dayOfWeek(days: days)
    case .dayOfYear: days - CivilTime.days(year: fields.year, month: 1, day: 1) + 1
    case .week: CivilTime.week(days: days).week
    case .month: fields.month
    case .quarter: (fields.month - 1) / 3 + 1
    case .year: fields.year
    case .isoYear: fields.year  // as in Druid
    case .decade: fields.year / 10
    case .century: ceiling(fields.year, 100)
    case .millennium: ceiling(fields.year, 1000)
    case .epoch, .microsecond, .nanosecond: 0
    }
  }

  private static func ceiling(_ year: Int64, _ by: Int64) -> Int64 {
    -CivilTime.floorDivide(-year, by)
  }
}
