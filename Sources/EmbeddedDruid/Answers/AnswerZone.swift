import Plumbing

/// The time zone of times in an answer.
struct AnswerZone: Sendable {
  static let utc = AnswerZone { _ in 0 }

  /// The milliseconds to add to UTC at a time.
  let offset: @Sendable (Int64) -> Int64
  /// The time to write: the time converted to the zone's local time and back.
  var shown: @Sendable (Int64) -> Int64 = { $0 }

  /// Appends `2026-01-01T00:00:00.000Z`, as Joda prints it.
  func append(_ milliseconds: Int64, to out: inout [UInt8]) {
    let milliseconds = shown(milliseconds)
    let offset = offset(milliseconds)
    let (local, overflow) = milliseconds.addingReportingOverflow(offset)
    let moment = overflow ? milliseconds : local
    let days = moment.floorDivided(by: 86_400_000)
    let time = moment &- days &* 86_400_000
    let date = civilDate(daysSinceEpoch: days)
    if date.year < 0 { out.append(UInt8(ascii: "-")) }
    Self.append(date.year.magnitude, width: 4, to: &out)
    Self.append("-", date.month, 2, to: &out)
    Self.append("-", date.day, 2, to: &out)
    Self.append("T", time / 3_600_000, 2, to: &out)
    Self.append(":", time / 60_000 % 60, 2, to: &out)
    Self.append(":", time / 1000 % 60, 2, to: &out)
    Self.append(".", time % 1000, 3, to: &out)
    if offset == 0 {
      out.append(UInt8(ascii: "Z"))
    } else {
      let minutes = offset.magnitude / 60_000
      out.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
      Self.append(minutes / 60, width: 2, to: &out)
      out.append(UInt8(ascii: ":"))
      Self.append(minutes % 60, width: 2, to: &out)
      // Offsets before standard time include seconds.
      let seconds = offset.magnitude / 1_000 % 60
      if seconds > 0 {
        out.append(UInt8(ascii: ":"))
        Self.append(seconds, width: 2, to: &out)
      }
    }
  }

  private static func append(
    _ separator: Unicode.Scalar, _ number: Int64, _ width: Int, to out: inout [UInt8]
  ) {
    out.append(UInt8(ascii: separator))
    append(number.magnitude, width: width, to: &out)
  }

  private static func append(_ number: UInt64, width: Int, to out: inout [UInt8]) {
    var divisor: UInt64 = 1
    for _ in 1..<width { divisor *= 10 }
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      out.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}
