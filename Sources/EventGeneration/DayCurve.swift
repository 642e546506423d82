/// The activity of a shop in each quarter-hour of the local week; the mean over the week is 1.
///
/// Hours follow a published online-shopping index, with its minimum at five in the morning and its
/// maximum at one in the afternoon; weekdays differ little. Both are interpolated linearly between
/// the middles of hours.
enum DayCurve {
  static let quarters = 7 * 96

  private static let hours: [Int64] = [
    100, 85, 69, 53, 37, 21, 34, 47, 60, 72, 99, 118,
    137, 146, 144, 140, 137, 135, 132, 130, 127, 129, 128, 119,
  ]

  /// Monday first.
  private static let weekdays: [Int64] = [100, 98, 98, 100, 103, 102, 99]

  /// The curve from Monday 00:00 local time on, in Q16.
  static let week: [UInt64] = {
    let total = hours.reduce(0, +) * 8
    return (0..<quarters).map { quarter in
      let hour = quarter / 4 % 24
      // Eighths of an hour from the middle of the hour: -3, -1, 1, 3.
      let eighths = Int64(quarter % 4 * 2 - 3)
      let neighbour = hours[(hour + (eighths < 0 ? 23 : 1)) % 24]
      let blend = hours[hour] * (8 - abs(eighths)) + neighbour * abs(eighths)
      return UInt64((blend * weekdays[quarter / 96] * 24 << 16) / (total * 100))
    }
  }()

  /// The index in ``week`` of a quarter-hour since 1970-01-01 (a Thursday), for a city `offset` quarter-hours east of UTC.
  static func index(quarter: Int64, offset: Int) -> Int {
    let index = (quarter + Int64(offset) + 3 * 96) % Int64(quarters)
    return Int(index < 0 ? index + Int64(quarters) : index)
  }

  /// The quarter-hour since 1970-01-01 of a second.
  @inline(__always)
  static func quarter(of second: Int64) -> Int64 {
    second >= 0 ? second / 900 : (second - 899) / 900
  }
}
