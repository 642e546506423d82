import JavaValues

extension Resolver {
  /// The ISO period of a unit that FLOOR and CEIL know.
  static func period(_ unit: TimeUnit) -> String? {
    switch unit {
    case .second: "PT1S"
    case .minute: "PT1M"
    case .hour: "PT1H"
    case .day: "P1D"
    case .week: "P1W"
    case .month: "P1M"
    case .quarter: "P3M"
    case .year: "P1Y"
    default: nil
    }
  }

  func text(_ value: String) -> TypedExpression {
    TypedExpression(.constant(.text(value)), SQLType(.char(value.utf16.count), isNullable: false))
  }

  func long(_ value: Int64) -> TypedExpression {
    TypedExpression(.constant(.long(value)), .bigint.nullable(false))
  }

  var null: TypedExpression { TypedExpression(.constant(.null), .null) }

  func round(
    _ direction: RoundDirection, _ operand: TypedExpression, _ unit: TimeUnit,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard operand.type.kind == .timestamp else {
      throw .unknown("\(direction.rawValue)(\(operand.type.sqlName) TO ...)", at: range)
    }
    guard let period = Self.period(unit) else {
      throw .unknown("\(direction.rawValue)(... TO \(unit.rawValue))", at: range)
    }
    let name = direction == .floor ? "TIME_FLOOR" : "TIME_CEIL"
    return TypedExpression(
      .call(name, [operand, text(period), null, text(settings.timeZone)]), operand.type, range)
  }

  func extract(
    _ unit: TimeUnit, _ operand: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard operand.type.isTime else {
      throw .unknown("EXTRACT from \(operand.type.sqlName)", at: range)
    }
    let known: Set<TimeUnit> = [
      .year, .quarter, .month, .week, .day, .dayOfYear, .dayOfWeek, .isoDayOfWeek, .hour, .minute,
      .second, .millisecond, .microsecond, .isoYear, .decade, .century, .millennium, .epoch,
    ]
    guard known.contains(unit) else { throw .unknown("EXTRACT(\(unit.rawValue))", at: range) }
    return TypedExpression(
      .call("TIME_EXTRACT", [operand, text(unit.rawValue), text(settings.timeZone)]),
      .bigint.nullable(operand.type.isNullable), range)
  }

  func timeArithmetic(
    _ op: BinaryOperator, _ left: TypedExpression, _ right: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var (time, interval) = (left, right)
    if op == .plus, left.type.isInterval { (time, interval) = (right, left) }
    guard time.type.isTime, interval.type.isInterval, op == .plus || op == .minus else {
      if left.type.isTime && right.type.isTime && op == .minus {
        throw .unknown("The difference of times", at: range)
      }
      if left.type.isCharacter || right.type.isCharacter {
        throw .unknown("'\(op.rawValue)' of a time and a string", at: range)
      }
      throw .cannotApply(op.rawValue, [left.type, right.type], at: range)
    }
    guard case .long(let length)? = interval.constant,
      time.type.kind == .timestamp
        || isUTC
          && (interval.type.kind == .monthInterval || length % 86_400_000 == 0)
    else {
      throw .unknown("A date and an interval", at: range)
    }
    let step = op == .plus ? length : -length
    if interval.type.kind == .monthInterval {
      return TypedExpression(
        .call("ADD_MONTHS", [time, long(step), text(settings.timeZone)]), time.type, range)
    }
    if case .long(let start)? = time.constant {
      let (sum, overflows) = start.addingReportingOverflow(step)
      if overflows { throw .unknown("A time so far away", at: range) }
      return TypedExpression(.constant(.long(sum)), time.type, range)
    }
    return TypedExpression(.call("ADD_MILLISECONDS", [time, long(step)]), time.type, range)
  }

  func timestampAdd(
    _ unit: TimeUnit, _ count: TypedExpression, _ time: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let literal = IntervalLiteral(
      text: "1", isNegative: false, qualifier: IntervalQualifier(from: unit))
    guard time.type.kind == .timestamp, count.type.isIntegral, let length = literal.length else {
      throw .unknown("This TIMESTAMPADD", at: range)
    }
    let type = time.type.nullable(time.type.isNullable || count.type.isNullable)
    let step = TypedExpression(.call("*", [count, long(length)]), .bigint)
    if literal.qualifier.countsMonths {
      return TypedExpression(
        .call("ADD_MONTHS", [time, step, text(settings.timeZone)]), type, range)
    }
    return TypedExpression(.call("ADD_MILLISECONDS", [time, step]), type, range)
  }

  func timestampDiff(
    _ unit: TimeUnit, _ from: TypedExpression, _ to: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let literal = IntervalLiteral(
      text: "1", isNegative: false, qualifier: IntervalQualifier(from: unit))
    guard from.type.isTime, to.type.isTime, let length = literal.length,
      isUTC || from.type.kind == .timestamp && to.type.kind == .timestamp
    else { throw .unknown("This TIMESTAMPDIFF", at: range) }
    let type = SQLType.integer.nullable(from.type.isNullable || to.type.isNullable)
    let name = literal.qualifier.countsMonths ? "MONTHS_BETWEEN" : "MILLISECONDS_BETWEEN"
    return TypedExpression(
      .call(name, [from, to, long(length), text(settings.timeZone)]), type, range)
  }

  func trim(
    _ side: TrimSide, _ characters: TypedExpression?, _ operand: TypedExpression,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let characters = characters ?? text(" ")
    guard operand.type.isCharacter, characters.type.isCharacter, !characters.isMultiple else {
      throw .unknown("TRIM of this", at: range)
    }
    let name = side == .both ? "BTRIM" : side == .leading ? "LTRIM" : "RTRIM"
    var result = TypedExpression(
      .call(name, [operand, characters]),
      .varchar.nullable(operand.type.isNullable || characters.type.isNullable), range)
    result.isMultiple = operand.isMultiple
    return result
  }

  func inInterval(
    _ arguments: [TypedExpression], _ type: SQLType, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var interval = arguments[1]
    if case .cast(let text) = interval.node { interval = text }
    guard let text = interval.text else {
      throw SQLFailure(
        "Argument to function 'TIME_IN_INTERVAL' must be a literal", at: arguments[1].range)
    }
    guard TimeText.interval(text) != nil else {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, TimeText.interval("\(parts[0])/P1D") != nil else {
        throw .unknown("This interval", at: interval.range)
      }
      throw SQLFailure(
        "Function 'TIME_IN_INTERVAL' second argument is not a valid ISO8601 interval: "
          + "Invalid format: \"\(parts[1])\"", at: range)
    }
    return TypedExpression(
      .call("TIME_IN_INTERVAL", [arguments[0], interval, self.text(settings.timeZone)]),
      type.nullable(arguments[0].type.isNullable), range)
  }

  /// TIME_FLOOR and its like, their missing arguments filled in.
  func timeCall(
    _ name: String, _ arguments: [TypedExpression], _ type: SQLType, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let zone = text(settings.timeZone)
    func argument(_ index: Int, _ fallback: TypedExpression) -> TypedExpression {
      guard arguments.indices.contains(index), !arguments[index].isNullConstant else {
        return fallback
      }
      return arguments[index]
    }
    switch name {
    case "TIME_FLOOR", "TIME_CEIL":
      guard let period = arguments[1].text, FixedPeriod(period) != nil else {
        throw .unknown("This period", at: arguments[1].range)
      }
      return TypedExpression(
        .call(
          name,
          [arguments[0], arguments[1], argument(2, null), argument(3, zone)]), type, range)
    case "TIME_SHIFT":
      guard let period = arguments[1].text, FixedPeriod(period) != nil else {
        throw .unknown("This period", at: arguments[1].range)
      }
      return TypedExpression(
        .call(name, [arguments[0], arguments[1], arguments[2], argument(3, zone)]), type, range)
    case "TIME_EXTRACT":
      guard arguments.count > 1, let unit = arguments[1].text?.uppercased() else {
        throw .unknown("TIME_EXTRACT without a unit", at: range)
      }
      let known: Set<String> = [
        "EPOCH", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DOW", "ISODOW", "DOY", "WEEK",
        "MONTH", "QUARTER", "YEAR", "ISOYEAR", "DECADE", "CENTURY", "MILLENNIUM",
      ]
      guard known.contains(unit) else { throw .unknown("TIME_EXTRACT of \(unit)", at: range) }
      return TypedExpression(
        .call(name, [arguments[0], text(unit), argument(2, zone)]), type, range)
    case "TIME_PARSE", "TIME_FORMAT":
      return TypedExpression(
        .call(name, [arguments[0], argument(1, null), argument(2, zone)]), type, range)
    case "DATE_TRUNC":
      guard let unit = arguments[0].text?.uppercased(), let known = TimeUnit(rawValue: unit),
        let period = Self.period(known)
      else { throw .unknown("This unit of DATE_TRUNC", at: arguments[0].range) }
      return TypedExpression(
        .call("TIME_FLOOR", [arguments[1], text(period), null, zone]), type, range)
    default: throw .unknown(name, at: range)
    }
  }
}

/// An ISO 8601 period: whole months, and the rest in milliseconds.
struct FixedPeriod {
  var months: Int64 = 0
  var milliseconds: Int64 = 0

  /// nil for what is none, or holds a fraction or a sign.
  init?(_ text: String) {
    let text = text.uppercased()
    guard text.first == "P", text.count > 1 else { return nil }
    var isTime = false
    var digits = ""
    var parts = 0
    for character in text.dropFirst() {
      if character == "T", digits.isEmpty, !isTime {
        isTime = true
      } else if character.isASCII, character.isNumber {
        digits.append(character)
      } else {
        guard let count = Int64(digits), count < 1_000_000 else { return nil }
        switch (character, isTime) {
        case ("Y", false): months += 12 * count
        case ("M", false): months += count
        case ("W", false): milliseconds += 604_800_000 * count
        case ("D", false): milliseconds += 86_400_000 * count
        case ("H", true): milliseconds += 3_600_000 * count
        case ("M", true): milliseconds += 60_000 * count
        case ("S", true): milliseconds += 1_000 * count
        default: return nil
        }
        digits = ""
        parts += 1
        if parts > 7 { return nil }
      }
    }
    guard digits.isEmpty, parts > 0, months > 0 || milliseconds > 0 else { return nil }
  }
}
