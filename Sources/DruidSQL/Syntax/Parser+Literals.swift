import JavaValues

extension Parser {
  /// Parses a literal without a sign, other than an interval.
  mutating func literal() throws(ParseStop) -> Expression {
    let start = token.range
    let first = token
    switch first.kind {
    case .integer: return try plain(.integer(first.text))
    case .decimal: return try plain(.decimal(first.text))
    case .approximate: return try plain(.approximate(first.text))
    case .string, .prefixedString, .unicodeString: return try string()
    case .binaryString:
      guard first.text.utf8.count % 2 == 0, first.text.allSatisfy(\.isHexDigit) else {
        throw refuse("Illegal binary string '\(first.image)'")
      }
      return try plain(.binary(first.text))
    default: break
    }
    switch first.key {
    case "TRUE": return try plain(.boolean(true))
    case "FALSE": return try plain(.boolean(false))
    case "UNKNOWN": return try plain(.unknown)
    case "NULL": return try plain(.null)
    case "INTERVAL": return try interval()
    case "+", "-":
      advance()
      let value = try literal()
      return first.key == "+" ? value : try node(.prefix(.minus, value), range(from: start))
    case "DATE", "TIME", "TIMESTAMP", "DATETIME":
      let text = try quoted()
      openedFar = -1
      return try node(.literal(dateTime(first.key, text)), range(from: start))
    default: throw .unexpected
    }
  }

  private func dateTime(_ word: String, _ text: String) -> Literal {
    switch word {
    case "DATE", "{D": .date(text)
    case "TIME", "{T": .time(text)
    default: .timestamp(text)
    }
  }

  private mutating func plain(_ literal: Literal) throws(ParseStop) -> Expression {
    let range = token.range
    advance()
    return try node(.literal(literal), range)
  }

  /// Parses a string, with its continuations on later lines.
  private mutating func string() throws(ParseStop) -> Expression {
    let start = token.range
    let first = token
    advance()
    if first.kind == .prefixedString { try checkCharacterSet(first.image) }
    var text = first.kind == .unicodeString ? "" : first.text
    var raw = first.text
    note("<QUOTED_STRING>")
    while token.kind == .string {
      if token.range.line <= previousRange.endLine {
        refuseLater("No match found for function signature $LiteralChain", at: start)
      }
      text += token.text
      raw += token.text
      advance()
      note("<QUOTED_STRING>")
    }
    if first.kind == .unicodeString {
      text = try unicodeText(raw)
    } else if at("UESCAPE"), peek().kind == .string {
      throw refuse("UESCAPE is not allowed without Unicode literal")
    }
    return try node(.literal(.string(text)), range(from: start))
  }

  private func checkCharacterSet(_ image: String) throws(ParseStop) {
    guard image.first == "_" else { return }
    let name = image.dropFirst().prefix { $0 != "'" }.uppercased()
    guard ["UTF8", "UTF-8", "UTF16", "UTF-16", "UTF-16LE", "LATIN1", "ISO-8859-1"].contains(name)
    else { throw refuse("Unknown character set '\(name)'") }
  }

  /// The text behind a word such as DATE.
  private mutating func quoted() throws(ParseStop) -> String {
    opened = index
    advance()
    note("<QUOTED_STRING>")
    guard token.kind == .string else { throw .unexpected }
    let text = token.text
    advance()
    return text
  }

  /// `{d '...'}`, `{t '...'}`, `{ts '...'}`
  mutating func bracedLiteral() throws(ParseStop) -> Expression {
    let start = token.range
    let word = token.key
    let text = try quoted()
    try expect("}")
    return try node(.literal(dateTime(word, text)), range(from: start))
  }

  // MARK: Intervals

  /// `INTERVAL '...' unit`, `INTERVAL (x) unit`, `INTERVAL 3 unit`
  mutating func interval() throws(ParseStop) -> Expression {
    let start = token.range
    opened = index
    advance()
    let isNegative = acceptLone("-")
    if !isNegative { _ = acceptLone("+") }
    note("<QUOTED_STRING>")
    if token.kind == .string {
      let text = token.text
      opened = index
      advance()
      let qualifier = try intervalQualifier()
      let literal = IntervalLiteral(text: text, isNegative: isNegative, qualifier: qualifier)
      openedFar = -1
      return try node(.literal(.interval(literal)), range(from: start))
    }
    var value: Expression
    if accept("(") {
      value = try expression()
      try expect(")")
    } else if [.integer, .decimal, .approximate].contains(token.kind) {
      value = try literal()
    } else {
      let name = try compoundName()
      value = try node(.name(name), name.range)
    }
    if isNegative { value = try node(.prefix(.minus, value), value.range) }
    let qualifier = try intervalQualifier()
    openedFar = -1
    return try node(.interval(value, qualifier), range(from: start))
  }

  private static let intervalUnits: [(word: String, plural: String, unit: TimeUnit)] = [
    ("YEAR", "YEARS", .year), ("QUARTER", "QUARTERS", .quarter), ("MONTH", "MONTHS", .month),
    ("WEEK", "WEEKS", .week), ("DAY", "DAYS", .day), ("HOUR", "HOURS", .hour),
    ("MINUTE", "MINUTES", .minute), ("SECOND", "SECONDS", .second),
  ]

  private mutating func intervalUnit() throws(ParseStop) -> TimeUnit {
    for entry in Self.intervalUnits where acceptLone(entry.word) || acceptLone(entry.plural) {
      return entry.unit
    }
    throw .unexpected
  }

  mutating func intervalQualifier() throws(ParseStop) -> IntervalQualifier {
    var qualifier = IntervalQualifier(from: try intervalUnit())
    if accept("(") {
      qualifier.precision = try unsigned()
      if qualifier.from == .second, accept(",") { qualifier.fraction = try unsigned() }
      try expect(")")
    }
    guard at("TO") else { return qualifier }
    opened = index
    advance()
    let until = try intervalUnit()
    let order: [TimeUnit] = [.year, .month, .day, .hour, .minute, .second]
    guard let first = order.firstIndex(of: qualifier.from),
      let last = order.firstIndex(of: until), first < last, (first < 2) == (last < 2),
      qualifier.from != .month
    else {
      index -= 1
      throw .unexpected
    }
    qualifier.until = until
    if until == .second, accept("(") {
      qualifier.fraction = try unsigned()
      try expect(")")
    }
    return qualifier
  }

  mutating func unsigned() throws(ParseStop) -> Int {
    note("<UNSIGNED_INTEGER_LITERAL>")
    guard token.kind == .integer else { throw .unexpected }
    guard let value = Int32(token.text) else {
      throw refuse("Invalid literal '\(token.text)': expected java.lang.Integer")
    }
    advance()
    return Int(value)
  }
}
