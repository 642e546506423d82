import JavaValues

extension Resolver {
  func constant(_ literal: Literal, at range: SourceRange) throws(SQLFailure) -> TypedExpression {
    func make(_ constant: TypedExpression.Constant, _ kind: SQLType.Kind) -> TypedExpression {
      TypedExpression(.constant(constant), SQLType(kind, isNullable: false), range)
    }
    switch literal {
    case .integer(let digits):
      guard let value = Int64(digits) else {
        throw .numberOutOfRange(digits, at: range)
      }
      return make(.long(value), Int32(exactly: value) == nil ? .bigint : .integer)
    case .decimal(let text) where text.hasSuffix("."):
      return try constant(.integer(String(text.dropLast())), at: range)
    case .decimal(let text):
      let digits = text.filter(\.isNumber)
      let significant = digits.drop { $0 == "0" }
      guard significant.count < 19 || Int64(significant) != nil, let value = Double(text) else {
        throw .numberOutOfRange(text, at: range)
      }
      let point = text.firstIndex(of: ".")
      let scale = point.map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
      return make(
        .double(value), .decimal(precision: max(significant.count, scale, 1), scale: scale))
    case .approximate(let text):
      guard let value = Double(text), value.isFinite else {
        throw .numberOutOfRange(text, at: range)
      }
      return make(.double(value), .double)
    case .string(let text): return make(.text(text), .char(text.utf16.count))
    case .binary(let digits):
      failInPlanning(.binaryLiteral(digits))
      return TypedExpression(.constant(.null), .varchar, range)
    case .boolean(let value): return make(.boolean(value), .boolean)
    case .unknown: return TypedExpression(.constant(.null), .boolean, range)
    case .null: return TypedExpression(.constant(.null), .null, range)
    case .date(let text): return try time(text, .date, at: range)
    case .timestamp(let text): return try time(text, .timestamp, at: range)
    case .time(let text):
      guard TimeLiteral.clock(text[...]) != nil else {
        throw .timeLiteral("TIME", text, form: "HH:mm:ss", at: range)
      }
      failInPlanning(.clockLiteral(text))
      return TypedExpression(.constant(.null), .timestamp, range)
    case .interval(let interval):
      guard let length = interval.druidLength else {
        if interval.text.count > 9, interval.text.allSatisfy(\.isNumber) {
          throw .uncertain(.longInterval, at: range)
        }
        throw .intervalLiteral(interval, at: range)
      }
      return make(
        .long(length), interval.qualifier.countsMonths ? .monthInterval : .dayInterval)
    }
  }

  /// The time of a literal, in the query's time zone.
  private func time(
    _ text: String, _ kind: SQLType.Kind, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let isDate = kind == .date
    let form = isDate ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss"
    guard let local = TimeLiteral.literal(text, isDate: isDate) else {
      throw .timeLiteral(isDate ? "DATE" : "TIMESTAMP", text, form: form, at: range)
    }
    let type = SQLType(kind, isNullable: false)
    if isUTC { return TypedExpression(.constant(.long(local)), type, range) }
    return TypedExpression(.constant(.localTime(TimeText.exact(local))), type, range)
  }

  func parameter(_ index: Int, at range: SourceRange) throws(SQLFailure) -> TypedExpression {
    guard parameters.indices.contains(index) else {
      throw .noParameter(index + 1)
    }
    return try constant(parameters[index].value, of: parameters[index].type, at: range)
  }

  private func constant(
    _ value: PlanParameter.Value, of type: String, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    func make(_ constant: TypedExpression.Constant, _ type: SQLType) -> TypedExpression {
      TypedExpression(.constant(constant), type.nullable(false), range)
    }
    switch value {
    case .null: return TypedExpression(.constant(.null), .null, range)
    case .text(let text): return make(.text(text), SQLType(.char(text.utf16.count)))
    case .integer(let value):
      return make(.long(value), Int32(exactly: value) == nil ? .bigint : .integer)
    case .double(let value):
      guard value.isFinite else { throw .uncertain(.parameter, at: range) }
      let text = value.description
      if type == "DECIMAL", value >= 0, !text.contains("e") {
        return try constant(.decimal(text), at: range)
      }
      return make(.double(value), .double)
    case .boolean(let value): return make(.boolean(value), .boolean)
    case .time(let local):
      // Local time in the query's time zone.
      let type = type == "DATE" ? SQLType.date : .timestamp
      return isUTC
        ? make(.long(local), type) : make(.localTime(TimeText.exact(local)), type)
    case .array(let values):
      if values.isEmpty { throw .uncertain(.emptyParameter, at: range) }
      var elements: [TypedExpression] = []
      for value in values { elements.append(try constant(value, of: "", at: range)) }
      return try array(elements, at: range)
    }
  }

  /// A string used as a time. A constant is checked here.
  func castText(
    _ operand: TypedExpression, to type: SQLType, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let target = SQLType(type.kind, isNullable: operand.type.isNullable)
    guard let text = operand.text else {
      if operand.isMultiple { throw .uncertain(.multiValueCast, at: range) }
      return TypedExpression(
        .cast(operand), target.nullable(true), operand.range)
    }
    guard let value = TimeLiteral.milliseconds(text) ?? (isUTC ? TimeText.parse(text) : nil) else {
      if !isUTC, TimeText.parse(text) != nil {
        throw .time(text, at: operand.range)
      }
      failInPlanning(.timeConstant(text, type.kind))
      return TypedExpression(.constant(.null), target, operand.range)
    }
    var milliseconds = value
    if type.kind == .date { milliseconds = CivilTime.midnight(milliseconds) }
    if isUTC || text.hasSuffix("Z") && type.kind != .date {
      return TypedExpression(.constant(.long(milliseconds)), target, operand.range)
    }
    if text.hasSuffix("Z") { throw .timeAsDate(text, at: operand.range) }
    return TypedExpression(
      .constant(.localTime(TimeText.exact(milliseconds))), target, operand.range)
  }
}

extension IntervalLiteral {
  /// The length that Druid uses: it treats a week as an hour and a quarter as a month.
  var druidLength: Int64? {
    let length = length
    switch (qualifier.from, qualifier.until) {
    case (.week, nil): return length.map { $0 / 168 }
    case (.quarter, nil): return length.map { $0 / 3 }
    default: return length
    }
  }

  /// Milliseconds or months, by unit; nil for an unknown form.
  var length: Int64? {
    if let until = qualifier.until { return length(until: until) }
    if qualifier.from == .second, let point = text.firstIndex(of: ".") {
      let (whole, fraction) = (text[..<point], text[text.index(after: point)...])
      guard let seconds = Int64(whole.isEmpty ? "0" : whole), abs(seconds) < 1_000_000_000,
        let rest = Self.thousandths(fraction)
      else { return nil }
      let isBelow = text.hasPrefix("-") != isNegative
      return (Int64(seconds.magnitude) * 1_000 + rest) * (isBelow ? -1 : 1)
    }
    guard let count = Int64(text), abs(count) < 1_000_000_000 else { return nil }
    let unit: Int64
    switch qualifier.from {
    case .year: unit = 12
    case .quarter: unit = 3
    case .month: unit = 1
    case .week: unit = 604_800_000
    case .day: unit = 86_400_000
    case .hour: unit = 3_600_000
    case .minute: unit = 60_000
    case .second: unit = 1_000
    default: return nil
    }
    return count * unit * (isNegative ? -1 : 1)
  }
}

extension IntervalLiteral {
  /// The milliseconds of a fraction of a second; nil for what is none.
  private static func thousandths(_ digits: Substring) -> Int64? {
    guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return Int64((digits + "000").prefix(3))
  }

  /// The length of `'1-6' YEAR TO MONTH` or `'3 04:05:06' DAY TO SECOND`: two or more fields, each
  /// less than one unit of the field before.
  private func length(until: TimeUnit) -> Int64? {
    let units: [(unit: TimeUnit, length: Int64, limit: Int64, separator: Character)] = [
      (.day, 86_400_000, .max, " "), (.hour, 3_600_000, 24, " "), (.minute, 60_000, 60, ":"),
      (.second, 1_000, 60, ":"),
    ]
    var rest = text[...]
    let isBelow = rest.first == "-"
    if isBelow || rest.first == "+" { rest = rest.dropFirst() }
    func field(_ limit: Int64) -> Int64? {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      guard digits.count < 10, let value = Int64(digits), value < limit else { return nil }
      return value
    }
    var total: Int64 = 0
    if qualifier.from == .year, until == .month {
      guard let years = field(.max), rest.popFirst() == "-", let months = field(12) else {
        return nil
      }
      total = years * 12 + months
    } else {
      guard let first = units.firstIndex(where: { $0.unit == qualifier.from }),
        let last = units.firstIndex(where: { $0.unit == until }), first < last
      else { return nil }
      for index in first...last {
        if index > first, rest.popFirst() != units[index].separator { return nil }
        guard let value = field(index == first ? .max : units[index].limit) else { return nil }
        total += value * units[index].length
      }
      if until == .second, rest.first == "." {
        guard let fraction = Self.thousandths(rest.dropFirst()) else { return nil }
        total += fraction
        rest = ""
      }
    }
    guard rest.isEmpty else { return nil }
    return isBelow == isNegative ? total : -total
  }
}

/// Dates of the Gregorian calendar as milliseconds, without a time zone.
enum TimeLiteral {
  /// What DATE and TIMESTAMP take behind them: fields of fewer digits as well, and a fraction of any length.
  static func literal(_ text: String, isDate: Bool) -> Int64? {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let fields = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard fields.count == 3, let year = number(fields[0], 4), let month = number(fields[1], 2),
      let day = number(fields[2], 2), year > 0, (1...12).contains(month),
      (1...CivilTime.length(ofMonth: month, year: year)).contains(day)
    else { return nil }
    let date = CivilTime.Fields(year: year, month: month, day: day).milliseconds
    if parts.count == 1 { return date }
    guard !isDate, let clock = clock(parts[1]) else { return nil }
    return date + clock
  }

  /// `HH:mm:ss` with a fraction, in milliseconds.
  static func clock(_ text: Substring) -> Int64? {
    let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fields = halves[0].split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 3, let hour = number(fields[0], 2), let minute = number(fields[1], 2),
      let second = number(fields[2], 2), hour < 24, minute < 60, second < 60
    else { return nil }
    var total = (hour * 60 + minute) * 60_000 + second * 1_000
    if halves.count == 2 {
      guard !halves[1].isEmpty, halves[1].utf8.allSatisfy({ (48...57).contains($0) }),
        let rest = Int64((halves[1] + "000").prefix(3))
      else { return nil }
      total += rest
    }
    return total
  }

  private static func number(_ digits: Substring, _ width: Int) -> Int64? {
    guard (1...width).contains(digits.utf8.count),
      digits.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return Int64(digits)
  }

  /// Parses `yyyy-MM-dd`, optionally followed by `T` or blanks, `HH:mm:ss`, a fraction and `Z`; nil
  /// for any other text.
  static func milliseconds(_ text: String) -> Int64? {
    var bytes = Substring(text).utf8
    func number(_ digits: Int) -> Int64? {
      guard bytes.count >= digits else { return nil }
      var value: Int64 = 0
      for byte in bytes.prefix(digits) {
        guard (48...57).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      bytes = bytes.dropFirst(digits)
      return value
    }
    func skip(_ character: Unicode.Scalar) -> Bool {
      guard bytes.first == UInt8(ascii: character) else { return false }
      bytes = bytes.dropFirst()
      return true
    }
    guard let year = number(4), skip("-"), let month = number(2), (1...12).contains(month),
      skip("-"), let day = number(2),
      (1...CivilTime.length(ofMonth: month, year: year)).contains(day)
    else { return nil }
    var total = CivilTime.Fields(year: year, month: month, day: day).milliseconds
    if bytes.isEmpty { return total }
    guard skip("T") || skip(" ") else { return nil }
    guard let hour = number(2), hour < 24, skip(":"), let minute = number(2), minute < 60,
      skip(":"), let second = number(2), second < 60
    else { return nil }
    total += (hour * 60 + minute) * 60_000 + second * 1_000
    if skip(".") {
      var scale: Int64 = 100
      var digits = 0
      while let byte = bytes.first, (48...57).contains(byte) {
        total += Int64(byte - 48) * scale
        scale /= 10
        digits += 1
        bytes = bytes.dropFirst()
      }
      if digits == 0 || digits > 3 { return nil }
    }
    if !bytes.isEmpty, !skip("Z") { return nil }
    return bytes.isEmpty ? total : nil
  }
}
