/// Floating-point numbers as Java prints them: `1.0E10`, `0.001`, `NaN`.
package enum JavaDigits {
  package static func append(_ value: Double, to out: inout [UInt8]) {
    guard value.isFinite else { return appendSpecial(value, to: &out) }
    append(
      whole(value, significantBits: 53) ?? DecimalDigits(description: value.description), to: &out)
  }

  /// The digits of an integer that exceeds the precision of its type; nil for other numbers. Java
  /// prints more digits than necessary.
  private static func whole(_ value: Double, significantBits: Int) -> DecimalDigits? {
    let exponent = Int(value.exponent)
    guard exponent > significantBits, exponent <= 62 else { return nil }
    let spare = exponent - significantBits - 1
    let dropped = spare > 1 ? Int(Double(spare) * 0.301_029_995_66) : 0
    var power: UInt64 = 1
    for _ in 0..<dropped { power *= 10 }
    let magnitude = UInt64(value.magnitude)
    let kept = magnitude / power + (dropped > 0 && magnitude % power >= power / 2 ? 1 : 0)
    let zeros = String(repeating: "0", count: dropped)
    return DecimalDigits(description: (value < 0 ? "-" : "") + "\(kept)\(zeros).0")
  }

  package static func append(_ value: Float, to out: inout [UInt8]) {
    guard value.isFinite else { return appendSpecial(Double(value), to: &out) }
    append(
      whole(Double(value), significantBits: 24)
        ?? DecimalDigits(description: value.description), to: &out)
  }

  private static func appendSpecial(_ value: Double, to out: inout [UInt8]) {
    let word = value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    out.append(contentsOf: word.utf8)
  }

  /// Appends the shortest digits with Java's rules for the exponent.
  private static func append(_ number: DecimalDigits, to out: inout [UInt8]) {
    let zero = UInt8(ascii: "0")
    let point = UInt8(ascii: ".")
    let (digits, exponent) = (number.digits, number.exponent)
    if number.isNegative { out.append(UInt8(ascii: "-")) }
    func appendDigits(_ part: ArraySlice<UInt8>) { for digit in part { out.append(zero + digit) } }
    if digits.isEmpty {
      out.append(contentsOf: "0.0".utf8)
    } else if exponent > 7 || exponent < -2 {
      appendDigits(digits[..<1])
      out.append(point)
      appendDigits(digits.count > 1 ? digits[1...] : [0])
      out.append(UInt8(ascii: "E"))
      out.append(contentsOf: String(exponent - 1).utf8)
    } else if exponent <= 0 {
      out.append(zero)
      out.append(point)
      out.append(contentsOf: repeatElement(zero, count: -exponent))
      appendDigits(digits[...])
    } else {
      appendDigits(digits.prefix(exponent))
      out.append(contentsOf: repeatElement(zero, count: max(0, exponent - digits.count)))
      out.append(point)
      appendDigits(digits.count > exponent ? digits[exponent...] : [0])
    }
  }
}
