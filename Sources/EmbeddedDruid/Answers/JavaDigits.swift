/// Floating point as Java spells it: `1.0E10`, `0.001`, `NaN`.
enum JavaDigits {
  static func append(_ value: Double, to out: inout [UInt8]) {
    append(value.description, isNaN: value.isNaN, isInfinite: value.isInfinite, to: &out)
  }

  static func append(_ value: Float, to out: inout [UInt8]) {
    append(value.description, isNaN: value.isNaN, isInfinite: value.isInfinite, to: &out)
  }

  static func text(_ value: Double) -> String {
    var out: [UInt8] = []
    append(value, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Swift's description has the same shortest digits and other rules for the exponent.
  private static func append(
    _ description: String, isNaN: Bool, isInfinite: Bool, to out: inout [UInt8]
  ) {
    if isNaN { return out.append(contentsOf: "NaN".utf8) }
    var digits: [UInt8] = []
    var exponent = 0
    var pointSeen = false
    var places = 0
    var rest = description.utf8[...]
    if rest.first == UInt8(ascii: "-") {
      out.append(UInt8(ascii: "-"))
      rest = rest.dropFirst()
    }
    if isInfinite { return out.append(contentsOf: "Infinity".utf8) }
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "."): pointSeen = true
      case UInt8(ascii: "e"):
        exponent = Int(Substring(rest)) ?? 0
        rest = rest.suffix(0)
      default:
        if !digits.isEmpty || byte != UInt8(ascii: "0") {
          digits.append(byte)
          if !pointSeen { places += 1 }
        } else if pointSeen {
          places -= 1
        }
      }
    }
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    if digits.isEmpty { return out.append(contentsOf: "0.0".utf8) }
    write(digits, pointAt: places + exponent, to: &out)
  }

  /// The number is `0.DIGITS` times ten to the power of `pointAt`.
  private static func write(_ digits: [UInt8], pointAt: Int, to out: inout [UInt8]) {
    let zero = UInt8(ascii: "0")
    let point = UInt8(ascii: ".")
    if pointAt > 7 || pointAt < -2 {
      out.append(digits[0])
      out.append(point)
      out.append(contentsOf: digits.count > 1 ? digits[1...] : [zero])
      out.append(UInt8(ascii: "E"))
      out.append(contentsOf: String(pointAt - 1).utf8)
    } else if pointAt <= 0 {
      out.append(zero)
      out.append(point)
      out.append(contentsOf: repeatElement(zero, count: -pointAt))
      out.append(contentsOf: digits)
    } else {
      out.append(contentsOf: digits.prefix(pointAt))
      out.append(contentsOf: repeatElement(zero, count: max(0, pointAt - digits.count)))
      out.append(point)
      out.append(contentsOf: digits.count > pointAt ? digits[pointAt...] : [zero])
    }
  }
}
