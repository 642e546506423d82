import Glibc
import Plumbing

/// Parses times: seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their
/// size, or ISO 8601.
///
/// The last date is cached, because neighbouring rows usually share it.
struct TimeText {
  /// Valid times. Those before 1900 and after 2200 are considered mistakes.
  static let range: ClosedRange<Int64> = -2_208_988_800_000...7_258_118_400_000

  private var date: UInt64 = 0
  private var dateRest: UInt16 = 0
  private var dateMilliseconds: Int64 = 0

  /// Milliseconds since 1970; nil when the text is not a valid time.
  mutating func milliseconds(_ bytes: RawSpan) -> Int64? {
    if let number = wholeNumber(bytes) { return Self.scaled(number) }
    if bytes.byteCount >= 19, let time = isoTime(bytes) { return time }
    let text = bytes.text
    if let number = decimalNumber(text), abs(number) < 1e18 {
      if abs(number) >= 1e11 { return Self.scaled(Int64(number)) }
      return Int64((number * 1000).rounded(.down))
    }
    return TimePoint(rfc3339: text)?.milliseconds
  }

  private static func scaled(_ number: Int64) -> Int64? {
    switch number.magnitude {
    case 0..<100_000_000_000: number * 1000
    case 0..<100_000_000_000_000: number
    case 0..<100_000_000_000_000_000: number.floorDivided(by: 1000)
    default: number.floorDivided(by: 1_000_000)
    }
  }

  private func wholeNumber(_ bytes: RawSpan) -> Int64? {
    let count = bytes.byteCount
    guard count > 0, count <= 19 else { return nil }
    var number: Int64 = 0
    for index in 0..<count {
      let digit = bytes.byte(index) &- 48
      guard digit < 10 else { return nil }
      let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, isLarger) = product.addingReportingOverflow(Int64(digit))
      guard !isTooLarge, !isLarger else { return nil }
      number = sum
    }
    return number
  }

  /// Parses `2026-01-01T12:30:00` and anything that may follow. This is the fast path for the usual
  /// form, without a `String`.
  private mutating func isoTime(_ bytes: RawSpan) -> Int64? {
    func pair(_ index: Int) -> Int64? {
      let tens = bytes.byte(index) &- 48
      let ones = bytes.byte(index + 1) &- 48
      return tens < 10 && ones < 10 ? Int64(tens) * 10 + Int64(ones) : nil
    }
    let separator = bytes.byte(10)
    guard bytes.byte(4) == 45, bytes.byte(7) == 45, bytes.byte(13) == 58, bytes.byte(16) == 58,
      separator == 84 || separator == 32 || separator == 116
    else { return nil }
    let isPlain =
      bytes.byteCount == 19 || (bytes.byteCount == 20 && bytes.byte(19) | 0x20 == 122)
      || (bytes.byteCount == 24 && bytes.byte(19) == 46 && bytes.byte(23) | 0x20 == 122)
    guard isPlain, let hour = pair(11), let minute = pair(14), let second = pair(17), hour < 24,
      minute < 60, second < 61
    else { return nil }
    var milliseconds = (hour * 3600 + minute * 60 + min(second, 59)) * 1000
    if bytes.byteCount == 24 {
      let digit = bytes.byte(20) &- 48
      guard digit < 10, let rest = pair(21) else { return nil }
      milliseconds += Int64(digit) * 100 + rest
    }
    var word: UInt64 = 0
    for index in 0..<8 { word = word << 8 | UInt64(bytes.byte(index)) }
    let rest = UInt16(bytes.byte(8)) << 8 | UInt16(bytes.byte(9))
    if word != date || rest != dateRest {
      guard let day = TimePoint(rfc3339: String(bytes.text.prefix(10))) else { return nil }
      date = word
      dateRest = rest
      dateMilliseconds = day.milliseconds
    }
    return dateMilliseconds + milliseconds
  }
}
