/// Parses numbers from their tokens, without a `String`.
enum NumberText {
  /// A 64-bit integer; nil for anything else.
  static func long(_ token: UnsafeRawBufferPointer) -> Int64? {
    guard token.count > 0, token.count < 19 else {
      return unsafe Int64(String(decoding: token, as: UTF8.self))
    }
    let isNegative = unsafe token[0] == UInt8(ascii: "-")
    var value: Int64 = 0
    for index in (isNegative ? 1 : 0)..<token.count {
      let digit = unsafe token[index] &- 0x30
      guard digit < 10 else { return nil }
      value = value * 10 + Int64(digit)
    }
    return isNegative ? -value : value
  }

  private static let powers: [Double] = (0...22).map { exponent in
    (0..<exponent).reduce(1.0) { product, _ in product * 10 }
  }

  /// A JSON number. Up to fifteen digits with a small power of ten are exact with one division.
  static func double(_ token: UnsafeRawBufferPointer) -> Double {
    var digits: Int64 = 0
    var count = 0
    var places = 0
    var pointSeen = false
    let isNegative = unsafe token.count > 0 && token[0] == UInt8(ascii: "-")
    for index in (isNegative ? 1 : 0)..<token.count {
      let byte = unsafe token[index]
      if byte == UInt8(ascii: ".") {
        pointSeen = true
        continue
      }
      guard byte &- 0x30 < 10, count < 15 else {
        return unsafe Double(String(decoding: token, as: UTF8.self)) ?? .nan
      }
      digits = digits * 10 + Int64(byte &- 0x30)
      count += 1
      if pointSeen { places += 1 }
    }
    let value = Double(digits) / powers[places]
    return isNegative ? -value : value
  }
}
