/// Times as Druid prints and parses them.
package enum TimeText {
  /// `2026-01-01T00:00:00.000Z`, or with the zone's offset instead of the Z.
  package static func iso(_ time: Int64, zone: TimeZoneTable = .utc) -> String {
    let offset = zone.offset(at: time)
    let fields = CivilTime.fields(time &+ offset)
    return date(fields) + "T" + clock(fields) + "." + padded(fields.millisecond, 3)
      + (offset == 0 ? "Z" : TimeZoneTable.text(offset: offset))
  }

  /// `2026-01-01 00:00:00`, the result of CAST to VARCHAR.
  package static func sql(_ time: Int64, zone: TimeZoneTable = .utc) -> String {
    let fields = CivilTime.fields(zone.local(time))
    return date(fields) + " " + clock(fields)
  }

  /// `2026-01-01 00:00:00.000`, in UTC
  package static func exact(_ time: Int64) -> String {
    let fields = CivilTime.fields(time)
    return date(fields) + " " + clock(fields) + "." + padded(fields.millisecond, 3)
  }

  /// `2026-01-01`
  package static func date(_ time: Int64, zone: TimeZoneTable = .utc) -> String {
    date(CivilTime.fields(zone.local(time)))
  }

  private static func date(_ fields: CivilTime.Fields) -> String {
    let sign = fields.year < 0 ? "-" : ""
    return sign + padded(Int64(fields.year.magnitude), 4) + "-" + padded(fields.month, 2) + "-"
      + padded(fields.day, 2)
  }

  private static func clock(_ fields: CivilTime.Fields) -> String {
    padded(fields.hour, 2) + ":" + padded(fields.minute, 2) + ":" + padded(fields.second, 2)
  }

  static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return digits.utf8.count >= width
      ? digits : String(repeating: "0", count: width - digits.utf8.count) + digits
  }
}
