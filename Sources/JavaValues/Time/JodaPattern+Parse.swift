extension JodaPattern {
  /// The fields found in a text.
  private struct Found {
    var year: Int64?
    var weekYear: Int64?
    var month: Int64?
    var day: Int64?
    var dayOfYear: Int64?
    var week: Int64?
    var weekday: Int64?
    var hour: Int64?
    var halfDayHour: Int64?
    var isAfternoon: Bool?
    var minute: Int64 = 0
    var second: Int64 = 0
    var millisecond: Int64 = 0
    var offset: Int64?
    var isBeforeChrist = false
  }

  /// The first year that `yy` can mean.
  private static let firstTwoDigitYear: Int64 = 1946

  /// The instant that the text denotes; nil when the text does not match the pattern. `zones` looks
  /// up the name of a zone.
  package func time(
    of text: String, zone: TimeZoneTable, zones: (String) -> TimeZoneTable? = { _ in nil }
  ) -> Int64? {
    var rest = Substring(text)
    var found = Found()
    var named: TimeZoneTable?
    for (index, element) in elements.enumerated() {
      switch element {
      case .literal(let literal):
        guard Self.take(literal, &rest) else { return nil }
      case .field("Z", 3...), .field("z", _):
        let name = rest.prefix { $0.isLetter || $0.isNumber || "/_+-:".contains($0) }
        guard let table = TimeZoneTable.fixed(String(name)) ?? zones(String(name)) else {
          return nil
        }
        named = table
        rest = rest.dropFirst(name.count)
      case .field("Z", _):
        var reader = TimeText.Reader(rest: rest.utf8)
        guard let offset = reader.offset() else { return nil }
        found.offset = offset
        rest = Substring(reader.rest)
      case .field(let letter, let count):
        guard read(letter, count, isBeforeNumber: isNumber(index + 1), &rest, &found) else {
          return nil
        }
      }
    }
    guard rest.isEmpty, let local = local(found) else { return nil }
    if let offset = found.offset { return local &- offset }
    return (named ?? zone).instant(local: local)
  }

  private func isNumber(_ index: Int) -> Bool {
    guard index < elements.count, case .field(let letter, let count) = elements[index] else {
      return false
    }
    return letter == "M" ? count < 3 : "CYxwedyDhHkKmsS".contains(letter)
  }

  private func read(
    _ letter: Character, _ count: Int, isBeforeNumber: Bool, _ rest: inout Substring,
    _ found: inout Found
  ) -> Bool {
    switch letter {
    case "y", "Y", "x":
      guard let year = readYear(count, isBeforeNumber: isBeforeNumber, &rest) else { return false }
      if letter == "x" { found.weekYear = year } else { found.year = year }
      return true
    case "M" where count > 2:
      guard let index = Self.name(Self.months, &rest) else { return false }
      found.month = Int64(index + 1)
      return true
    case "E":
      guard let index = Self.name(Self.weekdays, &rest) else { return false }
      found.weekday = Int64(index + 1)
      return true
    case "a":
      guard let index = Self.name(["AM", "PM"], &rest) else { return false }
      found.isAfternoon = index == 1
      return true
    case "G":
      guard let index = Self.name(["AD", "BC"], &rest) else { return false }
      found.isBeforeChrist = index == 1
      return true
    case "S":
      let digits = Self.digits(count, &rest)
      guard !digits.isEmpty else { return false }
      found.millisecond = Int64((digits + "00").prefix(3)) ?? 0
      return true
    default:
      guard let value = Self.number(letter == "D" ? 3 : letter == "e" ? 1 : 2, &rest) else {
        return false
      }
      return store(letter, value, &found)
    }
  }

  private func store(_ letter: Character, _ value: Int64, _ found: inout Found) -> Bool {
    let limits: ClosedRange<Int64>
    switch letter {
    case "M":
      found.month = value
      limits = 1...12
    case "d":
      found.day = value
      limits = 1...31
    case "D":
      found.dayOfYear = value
      limits = 1...366
    case "w":
      found.week = value
      limits = 1...53
    case "e":
      found.weekday = value
      limits = 1...7
    case "H":
      found.hour = value
      limits = 0...23
    case "k":
      found.hour = value % 24
      limits = 1...24
    case "h":
      found.halfDayHour = value % 12
      limits = 1...12
    case "K":
      found.halfDayHour = value
      limits = 0...11
    case "m":
      found.minute = value
      limits = 0...59
    case "s":
      found.second = value
      limits = 0...59
    default: return false
    }
    return limits.contains(value)
  }

  private func readYear(
    _ count: Int, isBeforeNumber: Bool, _ rest: inout Substring
  ) -> Int64? {
    var sign: Int64 = 1
    if let first = rest.first, first == "-" || first == "+", !(count == 2 && isBeforeNumber) {
      sign = first == "-" ? -1 : 1
      rest = rest.dropFirst()
    }
    let before = rest.count
    guard let value = Self.number(isBeforeNumber ? count : 9, &rest) else { return nil }
    guard count == 2, before - rest.count == 2 else {
      return CivilTime.years.contains(sign * value) ? sign * value : nil
    }
    let first = Self.firstTwoDigitYear
    return first + CivilTime.floorRemainder(value - first % 100, 100)
  }

  /// Consumes literal text, ignoring case.
  private static func take(_ literal: String, _ rest: inout Substring) -> Bool {
    if rest.utf8.starts(with: literal.utf8) {
      rest = Substring(rest.utf8.dropFirst(literal.utf8.count))
      return true
    }
    let head = rest.prefix(literal.count)
    guard head.lowercased() == literal.lowercased() else { return false }
    rest = rest[head.endIndex...]
    return true
  }

  private static func number(_ width: Int, _ rest: inout Substring) -> Int64? {
    Int64(digits(width, &rest))
  }

  private static func digits(_ width: Int, _ rest: inout Substring) -> Substring {
    let digits = rest.utf8.prefix(width).prefix { (48...57).contains($0) }
    rest = Substring(rest.utf8[digits.endIndex...])
    return Substring(digits)
  }

  /// Consumes a name, or its first three letters, and returns its index.
  private static func name(_ names: [String], _ rest: inout Substring) -> Int? {
    for (index, name) in names.enumerated() {
      for candidate in [name[...], name.prefix(3)]
      where rest.prefix(candidate.count).lowercased() == candidate.lowercased() {
        rest = rest.dropFirst(candidate.count)
        return index
      }
    }
    return nil
  }

  private func local(_ found: Found) -> Int64? {
    var days: Int64
    let isMonthFirst = found.month != nil || found.day != nil || found.dayOfYear != nil
    var year = found.year ?? (isMonthFirst ? 2000 : 1970)
    if found.isBeforeChrist { year = 1 - year }
    if found.weekYear != nil || found.week != nil {
      let fourth = CivilTime.days(year: found.weekYear ?? year, month: 1, day: 4)
      days =
        fourth - CivilTime.dayOfWeek(days: fourth) + ((found.week ?? 1) - 1) * 7
        + (found.weekday ?? 1)
    } else if let dayOfYear = found.dayOfYear, found.month == nil {
      guard dayOfYear <= (CivilTime.isLeap(year) ? 366 : 365) else { return nil }
      days = CivilTime.days(year: year, month: 1, day: 1) + dayOfYear - 1
    } else {
      let month = found.month ?? 1
      let day = found.day ?? 1
      guard day <= CivilTime.length(ofMonth: month, year: year) else { return nil }
      days = CivilTime.days(year: year, month: month, day: day)
      if found.day == nil, let weekday = found.weekday {
        days += weekday - CivilTime.dayOfWeek(days: days)
      }
    }
    let hour = found.hour ?? (found.halfDayHour ?? 0) + (found.isAfternoon == true ? 12 : 0)
    let seconds = (hour * 60 + found.minute) * 60 + found.second
    return days &* CivilTime.millisecondsPerDay &+ seconds * 1000 &+ found.millisecond
  }
}
