/// Times as Druid writes and reads them.
package enum TimeText {
  /// `2026-01-01T00:00:00.000Z`, with the zone's offset in place of the Z.
  package static func iso(_ time: Int64, zone: TimeZoneTable = .utc) -> String {
    let offset = zone.offset(at: time)
    let fields = CivilTime.fields(time &+ offset)
    return date(fields) + "T" + clock(fields) + "." + padded(fields.millisecond, 3)
      + (offset == 0 ? "Z" : TimeZoneTable.text(offset: offset))
  }

  /// `2026-01-01 00:00:00`, as CAST to VARCHAR gives it.
  package static func sql(_ time: Int64, zone: TimeZoneTable = .utc) -> String {
    let fields = CivilTime.fields(zone.local(time))
    return date(fields) + " " + clock(fields)
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

  // MARK: Literals

  /// The text of `TIMESTAMP '...'` as Calcite checks it: `yyyy-MM-dd HH:mm:ss[.fff]` or `yyyy-MM-dd`; on UTC's clock.
  package static func timestampLiteral(_ text: String) -> Int64? {
    var scanner = Scanner(text)
    guard let days = scanner.date() else { return nil }
    let midnight = days &* CivilTime.millisecondsPerDay
    if scanner.isAtEnd { return midnight }
    guard scanner.take(" "), let time = scanner.clock(), scanner.isAtEnd else { return nil }
    return midnight &+ time
  }

  /// The text of `DATE '...'`: `yyyy-MM-dd`; midnight on UTC's clock.
  package static func dateLiteral(_ text: String) -> Int64? {
    var scanner = Scanner(text)
    guard let days = scanner.date(), scanner.isAtEnd else { return nil }
    return days &* CivilTime.millisecondsPerDay
  }

  private struct Scanner {
    var rest: Substring.UTF8View

    init(_ text: String) { rest = text.utf8[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest = rest.dropFirst()
      return true
    }

    mutating func number(_ width: Int) -> Int64? {
      let digits = rest.prefix(width).prefix { (48...57).contains($0) }
      rest = rest.dropFirst(digits.count)
      return Int64(String(decoding: digits, as: UTF8.self))
    }

    mutating func date() -> Int64? {
      guard let year = number(9), take("-"), let month = number(2), take("-"),
        let day = number(2), (1...12).contains(month),
        (1...CivilTime.length(ofMonth: month, year: year)).contains(day)
      else { return nil }
      return CivilTime.days(year: year, month: month, day: day)
    }

    mutating func clock() -> Int64? {
      guard let hour = number(2), take(":"), let minute = number(2), take(":"),
        let second = number(2), hour < 24, minute < 60, second < 60
      else { return nil }
      var millisecond: Int64 = 0
      if take(".") {
        let digits = rest.prefix { (48...57).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        let padded = String(decoding: digits.prefix(3), as: UTF8.self) + "00"
        millisecond = Int64(padded.prefix(3)) ?? 0
      }
      return ((hour * 60 + minute) * 60 + second) * 1000 + millisecond
    }
  }
}
