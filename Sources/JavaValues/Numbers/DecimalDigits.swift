/// The shortest decimal digits of a double: `0.d1d2d3... * 10^exponent`, as in Java's
/// BigDecimal.valueOf.
struct DecimalDigits {
  var isNegative: Bool
  /// Digits from 0 to 9; empty for zero.
  var digits: [UInt8]
  var exponent: Int

  /// - Parameter description: Swift's description of a finite number, with or without an exponent.
  init(description: String) {
    var isNegative = false
    var digits: [UInt8] = []
    var exponent = 0
    var seenPoint = false
    var written = 0
    var rest = description.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): seenPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        written = Int(String(decoding: rest, as: UTF8.self)) ?? 0
        rest = [].utf8Slice
      default:
        let digit = byte &- 48
        guard digit < 10 else { continue }
        if digits.isEmpty, digit == 0 {
          if seenPoint { exponent -= 1 }
        } else {
          digits.append(digit)
          if !seenPoint { exponent += 1 }
        }
      }
    }
    while digits.last == 0 { digits.removeLast() }
    self.isNegative = isNegative
    self.digits = digits
    self.exponent = digits.isEmpty ? 0 : exponent + written
  }

  init(_ value: Double) { self.init(description: value.description) }

  /// Rounds half away from zero to this many fractional digits. A negative scale rounds digits
  /// before the point.
  mutating func round(toScale scale: Int) {
    let kept = exponent + scale
    guard kept < digits.count else { return }
    guard kept >= 0 else {
      digits = []
      exponent = 0
      return
    }
    let rounds = digits[kept] >= 5
    digits.removeSubrange(kept...)
    if rounds {
      var position = kept - 1
      while position >= 0, digits[position] == 9 {
        digits[position] = 0
        position -= 1
      }
      if position >= 0 {
        digits[position] += 1
      } else {
        digits.insert(1, at: 0)
        exponent += 1
      }
    }
    while digits.last == 0 { digits.removeLast() }
    if digits.isEmpty { exponent = 0 }
  }

  /// The number without an exponent, with exactly `scale` fractional digits.
  func plain(scale: Int) -> String {
    var text = isNegative ? "-" : ""
    if exponent <= 0 {
      text += "0"
    } else {
      for position in 0..<exponent {
        text += position < digits.count ? String(digits[position]) : "0"
      }
    }
    guard scale > 0 else { return text }
    text += "."
    for position in exponent..<exponent + scale {
      text += position >= 0 && position < digits.count ? String(digits[position]) : "0"
    }
    return text
  }

  var double: Double {
    let text = digits.map { String($0) }.joined()
    guard !text.isEmpty else { return isNegative ? -0.0 : 0.0 }
    return Double("\(isNegative ? "-" : "")0.\(text)e\(exponent)") ?? 0
  }
}

extension [UInt8] {
  fileprivate var utf8Slice: Substring.UTF8View { ""[...].utf8 }
}
