/// Numbers as Java prints and parses them.
package enum JavaNumber {
  /// Double.toString: at least one fractional digit, and an exponent below 0.001 and from ten
  /// million.
  package static func text(_ value: Double) -> String {
    var out: [UInt8] = []
    JavaDigits.append(value, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Float.toString
  package static func text(_ value: Float) -> String {
    var out: [UInt8] = []
    JavaDigits.append(value, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Druid's numeric order of strings. A string that is not a number precedes all numbers; two such
  /// strings are in text order.
  package static func compare(_ left: String, _ right: String) -> Int64 {
    if let one = digits(left), let two = digits(right) { return one < two ? -1 : one > two ? 1 : 0 }
    switch (decimal(left), decimal(right)) {
    case (let one?, let two?): return one < two ? -1 : one > two ? 1 : 0
    case (nil, nil):
      let (one, two) = (ExactText(left), ExactText(right))
      return one == two ? 0 : one < two ? -1 : 1
    case (nil, _): return -1
    case (_, nil): return 1
    }
  }

  /// The double of a text that `new BigDecimal` accepts.
  private static func decimal(_ text: String) -> Double? {
    let isPlain = text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || ".+-eE".utf8.contains(byte)
    }
    return isPlain ? double(text) : nil
  }

  /// `(long) x`: truncates towards zero and saturates; NaN becomes 0.
  package static func long(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= 9_223_372_036_854_775_808 { return .max }
    if value <= -9_223_372_036_854_775_808 { return .min }
    return Int64(value)
  }

  /// CAST(text AS BIGINT): an integer, or else a double truncated towards zero; nil for any other
  /// text.
  package static func long(_ text: String) -> Int64? {
    if let value = digits(text) { return value }
    return double(text).map(long)
  }

  /// A 64-bit integer with an optional sign and nothing around it.
  package static func digits(_ text: String, radix: Int = 10) -> Int64? {
    guard let first = text.utf8.first, text.utf8.count > (first == 43 || first == 45 ? 1 : 0),
      text.utf8.allSatisfy({ $0 < 128 })
    else { return nil }
    return Int64(text, radix: radix)
  }

  /// CAST(text AS DOUBLE): a Java floating-point literal without blanks around it.
  package static func double(_ text: String) -> Double? {
    var body = text.utf8[...]
    var sign = 1.0
    if body.first == UInt8(ascii: "-") || body.first == UInt8(ascii: "+") {
      sign = body.first == UInt8(ascii: "-") ? -1 : 1
      body = body.dropFirst()
    }
    if body.elementsEqual("NaN".utf8) { return .nan }
    if body.elementsEqual("Infinity".utf8) { return sign * .infinity }
    if body.count > 2, body.first == UInt8(ascii: "0"),
      body.dropFirst().first.map({ $0 | 32 }) == 120
    {
      guard body.contains(where: { $0 | 32 == UInt8(ascii: "p") }) else { return nil }
      return Double(String(decoding: withoutSuffix(body), as: UTF8.self)).map { sign * $0 }
    }
    body = withoutSuffix(body)
    var digits = 0
    var index = body.startIndex
    var seenPoint = false
    scan: while index < body.endIndex {
      switch body[index] {
      case 48...57: digits += 1
      case UInt8(ascii: ".") where !seenPoint: seenPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"): break scan
      default: return nil
      }
      index = body.index(after: index)
    }
    guard digits > 0 else { return nil }
    if index < body.endIndex {
      var exponent = body[body.index(after: index)...]
      if exponent.first == 43 || exponent.first == 45 { exponent = exponent.dropFirst() }
      guard !exponent.isEmpty, exponent.allSatisfy({ (48...57).contains($0) }) else { return nil }
    }
    return Double(Substring(body)).map { sign * $0 }
  }

  /// Removes the suffix of a Java literal such as `1.5d` or `1.5f`.
  private static func withoutSuffix(_ body: Substring.UTF8View) -> Substring.UTF8View {
    guard let last = body.last, [100, 102].contains(last | 32), body.count > 1 else { return body }
    return body.dropLast()
  }
}
