/// Java's String.format for numbers and text, used by STRING_FORMAT.
package enum JavaFormat {
  private struct Specifier {
    var index: Int?
    var flags: Set<Character> = []
    var width: Int?
    var precision: Int?
    var conversion: Character = "s"
  }

  /// The formatted text. Where Java refuses the format, the result is the format followed by the
  /// arguments, as in Druid.
  package static func text(_ format: String, _ arguments: [SQLValue]) -> String {
    formatted(format, arguments)
      ?? arguments.reduce(format) { $0 + "; " + (isNaN($1) ? "NaN" : $1.text ?? "null") }
  }

  /// A double that is not a number, told from the text `NaN`.
  package static let notANumber = SQLValue.text("\u{1}NaN")

  private static func isNaN(_ value: SQLValue) -> Bool { value == notANumber }

  private static func formatted(_ format: String, _ arguments: [SQLValue]) -> String? {
    var result = ""
    var rest = Substring(format)
    var next = 0
    while let character = rest.popFirst() {
      guard character == "%" else {
        result.append(character)
        continue
      }
      guard let specifier = specifier(&rest) else { return nil }
      if specifier.conversion == "n" {
        result += "\n"
        continue
      }
      if specifier.conversion == "%" {
        result += justified("%", specifier)
        continue
      }
      var position = next
      if let index = specifier.index { position = index - 1 } else { next += 1 }
      guard arguments.indices.contains(position),
        let text = converted(arguments[position], specifier)
      else { return nil }
      result += text
    }
    return result
  }

  private static func specifier(_ rest: inout Substring) -> Specifier? {
    var specifier = Specifier()
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    if let number = Int(digits), rest.dropFirst(digits.count).first == "$" {
      guard number > 0 else { return nil }
      specifier.index = number
      rest = rest.dropFirst(digits.count + 1)
    }
    while let flag = rest.first, "-#+ 0,(".contains(flag) {
      guard specifier.flags.insert(flag).inserted else { return nil }
      rest = rest.dropFirst()
    }
    let width = rest.prefix { $0.isASCII && $0.isNumber }
    if !width.isEmpty {
      guard let number = Int(width), number < 10_000 else { return nil }
      specifier.width = number
      rest = rest.dropFirst(width.count)
    }
    if rest.first == "." {
      rest = rest.dropFirst()
      let precision = rest.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int(precision), number < 1_000 else { return nil }
      specifier.precision = number
      rest = rest.dropFirst(precision.count)
    }
    guard let conversion = rest.popFirst(), "dxXosSfeEbBcCn%".contains(conversion) else {
      return nil
    }
    let needsWidth = specifier.flags.contains("-") || specifier.flags.contains("0")
    if needsWidth, specifier.width == nil { return nil }
    if specifier.flags.contains("-"), specifier.flags.contains("0") { return nil }
    specifier.conversion = conversion
    return specifier
  }

  private static func converted(_ value: SQLValue, _ specifier: Specifier) -> String? {
    switch specifier.conversion {
    case "s", "S":
      guard specifier.flags.isDisjoint(with: ["+", " ", "0", ",", "("]) else { return nil }
      var text = isNaN(value) ? "NaN" : value.text ?? "null"
      if let precision = specifier.precision { text = String(text.prefix(precision)) }
      return justified(specifier.conversion == "S" ? text.uppercased() : text, specifier)
    case "b", "B":
      let text = value.isNull ? "false" : "true"
      return justified(specifier.conversion == "B" ? text.uppercased() : text, specifier)
    case "d":
      guard specifier.precision == nil else { return nil }
      if value.isNull { return justified("null", specifier) }
      guard case .integer(let number) = value else { return nil }
      return signed(String(number.magnitude), isNegative: number < 0, specifier)
    case "x", "X", "o":
      if value.isNull { return justified("null", specifier) }
      guard case .integer(let number) = value, specifier.precision == nil else { return nil }
      return based(number, specifier)
    case "f", "e", "E":
      if value.isNull {
        let text = specifier.precision.map { String("null".prefix($0)) } ?? "null"
        return justified(text, specifier)
      }
      if case .real(let number) = value { return real(number, specifier) }
      return isNaN(value) ? real(.nan, specifier) : nil
    default: return value.isNull ? justified("null", specifier) : nil
    }
  }

  private static func based(_ number: Int64, _ specifier: Specifier) -> String? {
    let radix = specifier.conversion == "o" ? 8 : 16
    var text = String(UInt64(bitPattern: number), radix: radix)
    let prefix = !specifier.flags.contains("#") ? "" : radix == 8 ? "0" : "0x"
    if specifier.flags.contains("0"), let width = specifier.width {
      let missing = width - text.count - prefix.count
      if missing > 0 { text = String(repeating: "0", count: missing) + text }
    }
    text = prefix + text
    return justified(specifier.conversion == "X" ? text.uppercased() : text, specifier)
  }

  private static func real(_ number: Double, _ specifier: Specifier) -> String? {
    guard number.isFinite else {
      let text = number.isNaN ? "NaN" : "Infinity"
      let sign = number < 0 ? "-" : specifier.flags.contains("+") ? "+" : ""
      return justified((number.isNaN ? "" : sign) + text, specifier)
    }
    let precision = specifier.precision ?? 6
    let isNegative = number.sign == .minus
    if specifier.conversion == "f" {
      return signed(
        Arithmetic.fixed(number.magnitude, precision), isNegative: isNegative, specifier)
    }
    var digits = DecimalDigits(number.magnitude)
    digits.round(toScale: precision + 1 - digits.exponent)
    let exponent = digits.digits.isEmpty ? 0 : digits.exponent - 1
    digits.exponent = digits.digits.isEmpty ? 0 : 1
    let power = (exponent < 0 ? "e-" : "e+") + TimeText.padded(Int64(exponent.magnitude), 2)
    let text = digits.plain(scale: precision) + power
    return signed(
      specifier.conversion == "E" ? text.uppercased() : text, isNegative: isNegative, specifier)
  }

  /// Digits with their sign, grouping and zeros.
  private static func signed(
    _ digits: String, isNegative: Bool, _ specifier: Specifier
  ) -> String {
    var text = digits
    if specifier.flags.contains(",") {
      let whole = text.prefix { $0 != "." }
      var grouped = ""
      for (offset, digit) in whole.enumerated() {
        if offset > 0, (whole.count - offset) % 3 == 0 { grouped += "," }
        grouped.append(digit)
      }
      text = grouped + text.dropFirst(whole.count)
    }
    var sign = specifier.flags.contains("+") ? "+" : specifier.flags.contains(" ") ? " " : ""
    var closing = ""
    if isNegative {
      sign = specifier.flags.contains("(") ? "(" : "-"
      closing = specifier.flags.contains("(") ? ")" : ""
    }
    if specifier.flags.contains("0"), let width = specifier.width {
      let missing = width - text.count - sign.count - closing.count
      if missing > 0 { text = String(repeating: "0", count: missing) + text }
    }
    return justified(sign + text + closing, specifier)
  }

  private static func justified(_ text: String, _ specifier: Specifier) -> String {
    guard let width = specifier.width, text.utf16.count < width else { return text }
    let blanks = String(repeating: " ", count: width - text.utf16.count)
    return specifier.flags.contains("-") ? text + blanks : blanks + text
  }
}
