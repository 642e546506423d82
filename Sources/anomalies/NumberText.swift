import Plumbing

extension RawSpan {
  /// The byte at an index, which must be in bounds.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    precondition(index < byteCount)
    return unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
  }

  /// The bytes as text, with invalid UTF-8 replaced.
  var text: String {
    unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// The bytes as a decimal number; nil for other text and for numbers that a `Double` cannot
  /// represent.
  ///
  /// Numbers of up to 15 digits with a small exponent take one exact multiplication or division.
  /// Others take a slower path.
  var decimalNumber: Double? {
    var index = 0
    let count = byteCount
    guard count > 0 else { return nil }
    var isNegative = false
    let sign = byte(0)
    if sign == 45 || sign == 43 {
      isNegative = sign == 45
      index = 1
    }
    var mantissa: UInt64 = 0
    var digits = 0
    var fraction = 0
    var hasPoint = false
    while index < count {
      let character = byte(index)
      let digit = character &- 48
      if digit < 10 {
        digits += 1
        if hasPoint { fraction += 1 }
        if digits > 18 { return slowNumber }
        mantissa = mantissa &* 10 &+ UInt64(digit)
      } else if character == 46, !hasPoint {
        hasPoint = true
      } else {
        return character | 0x20 == 101 ? slowNumber : nil
      }
      index += 1
    }
    guard digits > 0 else { return nil }
    if mantissa > 1 << 53 || fraction > 22 { return slowNumber }
    let value = Double(mantissa) / Self.powers[fraction]
    return isNegative ? -value : value
  }

  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17,
    1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  private var slowNumber: Double? { Plumbing.decimalNumber(text) }
}
