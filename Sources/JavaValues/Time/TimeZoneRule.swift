/// The rule at the end of a TZif file, such as `PST8PDT,M3.2.0,M11.1.0`.
struct TimeZoneRule: Sendable {
  private enum Day: Sendable {
    /// 1...365; never counts February 29
    case julian(Int64)
    /// 0...365
    case dayOfYear(Int64)
    case week(month: Int64, week: Int64, day: Int64)
  }

  private struct Change: Sendable {
    var day: Day
    var seconds: Int64

    /// Seconds from 1970 to the change, in local time.
    func time(year: Int64) -> Int64 {
      let first = CivilTime.days(year: year, month: 1, day: 1)
      let days: Int64
      switch day {
      case .julian(let number):
        days = first + number - (CivilTime.isLeap(year) && number > 59 ? 0 : 1)
      case .dayOfYear(let number): days = first + number
      case .week(let month, let week, let day):
        let start = CivilTime.days(year: year, month: month, day: 1)
        let weekday = CivilTime.dayOfWeek(days: start) % 7
        var candidate = start + (day - weekday + 7) % 7 + (week - 1) * 7
        if candidate - start >= CivilTime.length(ofMonth: month, year: year) { candidate -= 7 }
        days = candidate
      }
      return days * 86_400 + seconds
    }
  }

  private let standard: TimeZoneTable.Transition
  private let summer: TimeZoneTable.Transition?
  private var start = Change(day: .julian(1), seconds: 0)
  private var end = Change(day: .julian(1), seconds: 0)

  init?(_ text: String) {
    var rest = Substring(text)
    guard let name = Self.name(&rest), let offset = Self.time(&rest) else { return nil }
    standard = .init(time: .min, offset: -offset * 1000, abbreviation: name)
    guard !rest.isEmpty else {
      summer = nil
      return
    }
    guard let summerName = Self.name(&rest) else { return nil }
    var summerOffset = -offset + 3600
    if let first = rest.first, first != "," {
      guard let written = Self.time(&rest) else { return nil }
      summerOffset = -written
    }
    summer = .init(time: .min, offset: summerOffset * 1000, abbreviation: summerName)
    guard let start = Self.change(&rest), let end = Self.change(&rest), rest.isEmpty else {
      return nil
    }
    self.start = start
    self.end = end
  }

  func transition(at time: Int64) -> TimeZoneTable.Transition {
    guard let summer else { return standard }
    let seconds = CivilTime.floorDivide(time, 1000)
    let year = CivilTime.fields(time &+ standard.offset).year
    let from = start.time(year: year) - standard.offset / 1000
    let until = end.time(year: year) - summer.offset / 1000
    let isSummer =
      from < until ? seconds >= from && seconds < until : !(seconds >= until && seconds < from)
    return isSummer ? summer : standard
  }

  private static func name(_ rest: inout Substring) -> String? {
    if rest.first == "<" {
      guard let end = rest.firstIndex(of: ">") else { return nil }
      let name = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
      return String(name)
    }
    let name = rest.prefix { $0.isLetter }
    rest = rest.dropFirst(name.count)
    return name.isEmpty ? nil : String(name)
  }

  /// `[+-]hh[:mm[:ss]]` in seconds
  private static func time(_ rest: inout Substring) -> Int64? {
    var sign: Int64 = 1
    if let first = rest.first, first == "+" || first == "-" {
      sign = first == "-" ? -1 : 1
      rest = rest.dropFirst()
    }
    var seconds: Int64 = 0
    var unit: Int64 = 3600
    repeat {
      if unit < 3600 { rest = rest.dropFirst() }
      guard let number = number(&rest) else { return nil }
      seconds += number * unit
      unit /= 60
    } while rest.first == ":" && unit > 0
    return sign * seconds
  }

  private static func number(_ rest: inout Substring) -> Int64? {
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard digits.count < 6, let number = Int64(digits) else { return nil }
    rest = rest.dropFirst(digits.count)
    return number
  }

  private static func change(_ rest: inout Substring) -> Change? {
    guard rest.popFirst() == "," else { return nil }
    let day: Day
    switch rest.first {
    case "J":
      rest = rest.dropFirst()
      guard let number = number(&rest), (1...365).contains(number) else { return nil }
      day = .julian(number)
    case "M":
      rest = rest.dropFirst()
      guard let month = number(&rest), rest.popFirst() == ".", let week = number(&rest),
        rest.popFirst() == ".", let weekday = number(&rest), (1...12).contains(month),
        (1...5).contains(week), (0...6).contains(weekday)
      else { return nil }
      day = .week(month: month, week: week, day: weekday)
    default:
      guard let number = number(&rest), number < 366 else { return nil }
      day = .dayOfYear(number)
    }
    var seconds: Int64 = 7200
    if rest.first == "/" {
      rest = rest.dropFirst()
      guard let written = time(&rest) else { return nil }
      seconds = written
    }
    return Change(day: day, seconds: seconds)
  }
}
