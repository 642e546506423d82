/// An ISO 8601 period: `P1DT2H30M`.
package struct Period: Equatable, Sendable {
  var years: Int64 = 0
  package var months: Int64 = 0
  var weeks: Int64 = 0
  var days: Int64 = 0
  var hours: Int64 = 0
  var minutes: Int64 = 0
  var seconds: Int64 = 0
  var milliseconds: Int64 = 0

  package init() {}

  /// Nil when the text is not a valid period.
  package init?(_ text: String) {
    var rest = text.utf8[...]
    guard let first = rest.popFirst(), first | 32 == UInt8(ascii: "p"), !rest.isEmpty else {
      return nil
    }
    var isTime = false
    // Each unit once, and the larger before the smaller.
    var order = Self.units[...]
    while let byte = rest.first {
      if byte | 32 == UInt8(ascii: "t"), !isTime {
        isTime = true
        rest = rest.dropFirst()
        guard !rest.isEmpty else { return nil }
        continue
      }
      let digits = rest.prefix { (48...57).contains($0) || $0 == 43 || $0 == 45 }
      rest = rest.dropFirst(digits.count)
      guard let number = Int32(String(decoding: digits, as: UTF8.self)).map(Int64.init) else {
        return nil
      }
      var thousandths: Int64 = 0
      if rest.first == UInt8(ascii: ".") {
        rest = rest.dropFirst()
        let fraction = rest.prefix { (48...57).contains($0) }
        rest = rest.dropFirst(fraction.count)
        let padded = String(decoding: fraction, as: UTF8.self) + "000"
        thousandths = Int64(padded.prefix(3)) ?? 0
        guard rest.first.map({ $0 | 32 }) == UInt8(ascii: "s") else { return nil }
      }
      guard let unit = rest.popFirst(),
        let place = order.firstIndex(where: { $0.unit == unit | 32 && $0.isTime == isTime }),
        set(unit | 32, number, thousandths, isTime: isTime)
      else { return nil }
      order = order[(place + 1)...]
    }
  }

  private static let units: [(unit: UInt8, isTime: Bool)] = [
    (UInt8(ascii: "y"), false), (UInt8(ascii: "m"), false), (UInt8(ascii: "w"), false),
    (UInt8(ascii: "d"), false), (UInt8(ascii: "h"), true), (UInt8(ascii: "m"), true),
    (UInt8(ascii: "s"), true),
  ]

  private mutating func set(
    _ unit: UInt8, _ number: Int64, _ thousandths: Int64, isTime: Bool
  ) -> Bool {
    switch (unit, isTime) {
    case (UInt8(ascii: "y"), false): years = number
    case (UInt8(ascii: "m"), false): months = number
    case (UInt8(ascii: "w"), false): weeks = number
    case (UInt8(ascii: "d"), false): days = number
    case (UInt8(ascii: "h"), true): hours = number
    case (UInt8(ascii: "m"), true): minutes = number
    case (UInt8(ascii: "s"), true):
      seconds = number
      milliseconds = number < 0 ? -thousandths : thousandths
    default: return false
    }
    return true
  }

  package var isZero: Bool { self == Period() }

  private var values: [Int64] {
    [years, months, weeks, days, hours, minutes, seconds, milliseconds]
  }

  /// Whether it goes back in time.
  package var isNegative: Bool { values.contains { $0 < 0 } }

  /// Whether it has more than one non-zero field.
  var isCompound: Bool { values.count { $0 > 0 } > 1 }

  /// Milliseconds, with days of 24 hours; nil with years or months.
  var fixedMilliseconds: Int64? {
    guard years == 0, months == 0 else { return nil }
    return ((weeks &* 7 &+ days) &* 24 &+ hours) &* 3_600_000 &+ minutes &* 60_000
      &+ seconds &* 1000 &+ milliseconds
  }

  /// The instant this many periods later, in the zone's local time.
  package func added(
    to time: Int64, times scalar: Int64 = 1, zone: TimeZoneTable
  ) -> Int64 {
    var result = time
    let months = (years &* 12 &+ self.months) &* scalar
    if months != 0 {
      result = zone.instant(
        local: CivilTime.adding(months: months, to: zone.local(result)), original: result)
    }
    let days = (weeks &* 7 &+ self.days) &* scalar
    if days != 0 {
      result = zone.instant(
        local: zone.local(result) &+ days &* CivilTime.millisecondsPerDay, original: result)
    }
    let rest = hours &* 3_600_000 &+ minutes &* 60_000 &+ seconds &* 1000 &+ milliseconds
    return result &+ rest &* scalar
  }
}
