extension TimeText {
  /// TIME_PARSE without a pattern, and CAST of text to TIMESTAMP: an ISO 8601 date, optionally
  /// followed by `T` or a blank, a time and an offset; nil for anything else.
  package static func parse(_ text: String, zone: TimeZoneTable = .utc) -> Int64? {
    var reader = Reader(rest: text.utf8[...])
    guard let days = reader.dateElement() else { return nil }
    var local = days &* CivilTime.millisecondsPerDay
    guard !reader.rest.isEmpty else { return zone.instant(local: local) }
    guard reader.take("T") || reader.take(" ") else { return nil }
    if let time = reader.timeElement() { local &+= time }
    if reader.rest.isEmpty { return zone.instant(local: local) }
    guard let offset = reader.offset(), reader.rest.isEmpty else { return nil }
    return local &- offset
  }

  /// `start/end`, `start/period`, `period/end`
  package static func interval(
    _ text: String, zone: TimeZoneTable = .utc
  ) -> (start: Int64, end: Int64)? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return nil }
    if let period = Period(parts[0]) {
      guard let end = parse(parts[1], zone: zone) else { return nil }
      return (period.added(to: end, times: -1, zone: zone), end)
    }
    guard let start = parse(parts[0], zone: zone) else { return nil }
    if let period = Period(parts[1]) { return (start, period.added(to: start, zone: zone)) }
    guard let end = parse(parts[1], zone: zone) else { return nil }
    return (start, end)
  }

  struct Reader {
    var rest: Substring.UTF8View

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest = rest.dropFirst()
      return true
    }

    /// Reads up to `width` digits.
    mutating func number(_ width: Int) -> (value: Int64, digits: Int)? {
      let digits = rest.prefix(width).prefix { (48...57).contains($0) }
      guard let value = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
      rest = rest.dropFirst(digits.count)
      return (value, digits.count)
    }

    /// `yyyy[-MM[-dd]]`, `yyyy-DDD`, `yyyy-Www[-e]`; in days since 1970
    mutating func dateElement() -> Int64? {
      let isNegative = take("-")
      if !isNegative { _ = take("+") }
      guard let first = number(9) else { return nil }
      let year = isNegative ? -first.value : first.value
      guard CivilTime.years.contains(year) else { return nil }
      guard take("-") else { return CivilTime.days(year: year, month: 1, day: 1) }
      if take("W") {
        guard let week = number(2)?.value, (1...53).contains(week) else { return nil }
        var day: Int64 = 1
        if take("-") {
          guard let written = number(1)?.value, (1...7).contains(written) else { return nil }
          day = written
        }
        let fourth = CivilTime.days(year: year, month: 1, day: 4)
        return fourth - CivilTime.dayOfWeek(days: fourth) + (week - 1) * 7 + day
      }
      guard let second = number(3) else { return nil }
      if second.digits == 3 {
        guard (1...(CivilTime.isLeap(year) ? 366 : 365)).contains(second.value) else { return nil }
        return CivilTime.days(year: year, month: 1, day: 1) + second.value - 1
      }
      guard (1...12).contains(second.value) else { return nil }
      guard take("-") else { return CivilTime.days(year: year, month: second.value, day: 1) }
      guard let day = number(2)?.value,
        (1...CivilTime.length(ofMonth: second.value, year: year)).contains(day)
      else { return nil }
      return CivilTime.days(year: year, month: second.value, day: day)
    }

    /// `HH[:mm[:ss]]` with a fraction in the last field; in milliseconds
    mutating func timeElement() -> Int64? {
      let start = rest
      var total: Int64 = 0
      var unit: Int64 = 3_600_000
      var limit: Int64 = 24
      repeat {
        if unit < 3_600_000, !take(":") { break }
        guard let value = number(2)?.value, value < limit else {
          rest = start
          return nil
        }
        total += value * unit
        if let fraction = fraction(of: unit) { return total + fraction }
        limit = 60
        unit /= 60
      } while unit >= 1000
      return total
    }

    private mutating func fraction(of unit: Int64) -> Int64? {
      guard let mark = rest.first, mark == 46 || mark == 44,
        let next = rest.dropFirst().first, (48...57).contains(next)
      else { return nil }
      rest = rest.dropFirst()
      let digits = rest.prefix { (48...57).contains($0) }
      rest = rest.dropFirst(digits.count)
      var value: Int64 = 0
      var scale: Int64 = 1
      for digit in digits.prefix(9) {
        value = value * 10 + Int64(digit - 48)
        scale *= 10
      }
      return value * unit / scale
    }

    /// `Z`, `+hh`, `+hh:mm` or `+hhmm`, also with seconds; in milliseconds. Following text is not
    /// consumed.
    mutating func offset() -> Int64? {
      if take("Z") || take("z") { return 0 }
      let isNegative = rest.first == UInt8(ascii: "-")
      guard take("+") || take("-"), let hours = number(2), hours.digits == 2, hours.value < 24
      else { return nil }
      var seconds = hours.value * 3600
      let isSeparated = rest.first == UInt8(ascii: ":")
      for unit: Int64 in [60, 1] {
        if isSeparated {
          guard take(":") else { break }
        } else {
          guard let next = rest.first, (48...57).contains(next) else { break }
        }
        guard let value = number(2), value.digits == 2, value.value < 60 else { return nil }
        seconds += value.value * unit
      }
      return (isNegative ? -1000 : 1000) * seconds
    }
  }
}
