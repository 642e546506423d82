import JavaValues

extension Resolver {
  /// The ISO period of a unit of FLOOR and CEIL; nil for other units.
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
    guard operand.type.isTime else {
      throw .unknown("\(direction.rawValue)(\(operand.type.sqlName) TO ...)", at: range)
    }
    guard let period = Self.period(unit) else {
      throw .unknown("\(direction.rawValue)(... TO \(unit.rawValue))", at: range)
    }
    let function: Function = direction == .floor ? .timeFloor : .timeCeil
    return TypedExpression(
      .call(function, [operand, text(period), null, text(settings.timeZone)]), operand.type, range)
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
      .call(.timeExtract, [operand, text(unit.rawValue), text(settings.timeZone)]),
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
      time.type.kind == .timestamp || isUTC
    else {
      throw .unknown("A date and an interval", at: range)
    }
    let step = op == .plus ? length : -length
    if time.type.kind == .date, interval.type.kind == .dayInterval, step % 86_400_000 != 0 {
      // The result for a DATE is a DATE: the day of the sum.
      var sum = time
      sum.type = SQLType(.timestamp, isNullable: time.type.isNullable)
      sum = TypedExpression(.operation(.addMilliseconds, [sum, long(step)]), sum.type, range)
      return TypedExpression(.cast(sum), time.type, range)
    }
    if interval.type.kind == .monthInterval {
      return TypedExpression(
        .operation(.addMonths, [time, long(step), text(settings.timeZone)]), time.type, range)
    }
    if case .long(let start)? = time.constant {
      let (sum, overflows) = start.addingReportingOverflow(step)
      if overflows { throw .unknown("A time so far away", at: range) }
      return TypedExpression(.constant(.long(sum)), time.type, range)
    }
    return TypedExpression(.operation(.addMilliseconds, [time, long(step)]), time.type, range)
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
    let step = TypedExpression(.operation(.multiply, [count, long(length)]), .bigint)
    if literal.qualifier.countsMonths {
      return TypedExpression(
        .operation(.addMonths, [time, step, text(settings.timeZone)]), type, range)
    }
    return TypedExpression(.operation(.addMilliseconds, [time, step]), type, range)
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
    let op: Operator = literal.qualifier.countsMonths ? .monthsBetween : .millisecondsBetween
    return TypedExpression(
      .operation(op, [from, to, long(length), text(settings.timeZone)]), type, range)
  }

  func trim(
    _ side: TrimSide, _ characters: TypedExpression?, _ operand: TypedExpression,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let characters = characters ?? text(" ")
    guard operand.type.isCharacter, characters.type.isCharacter, !characters.isMultiple else {
      throw .unknown("TRIM of this", at: range)
    }
    let function: Function = side == .both ? .trim : side == .leading ? .leftTrim : .rightTrim
    var result = TypedExpression(
      .call(function, [operand, characters]),
      .varchar.nullable(operand.type.isNullable || characters.type.isNullable), range)
    result.isMultiple = operand.isMultiple
    return result
  }

  /// TIME_IN_INTERVAL
  func inInterval(_ call: Function.Call) throws(SQLFailure) -> TypedExpression {
    var interval = call.arguments[1]
    if case .cast(let text) = interval.node { interval = text }
    guard let text = interval.text else {
      throw SQLFailure(
        "Argument to function 'TIME_IN_INTERVAL' must be a literal", at: call.arguments[1].range)
    }
    guard TimeText.interval(text) != nil else {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, TimeText.interval("\(parts[0])/P1D") != nil else {
        throw .unknown("This interval", at: interval.range)
      }
      throw SQLFailure(
        "Function 'TIME_IN_INTERVAL' second argument is not a valid ISO8601 interval: "
          + "Invalid format: \"\(parts[1])\"", at: call.range)
    }
    let type = SQLType.boolean.nullable(call.arguments[0].type.isNullable)
    return timed(call, [call.arguments[0], interval, self.text(settings.timeZone)], type)
  }

  /// TIME_FLOOR, TIME_CEIL and TIME_SHIFT: a time, a period, an origin or a step, a zone.
  func periodic(
    _ call: Function.Call, origin: TypedExpression
  ) throws(SQLFailure) -> TypedExpression {
    guard let period = call.arguments[1].text, FixedPeriod(period) != nil else {
      throw .unknown("This period", at: call.arguments[1].range)
    }
    return timed(call, [call.arguments[0], call.arguments[1], origin, zone(call.argument(3))])
  }

  /// TIME_EXTRACT
  func timePart(_ call: Function.Call) throws(SQLFailure) -> TypedExpression {
    guard let unit = call.arguments[1].text?.uppercased() else {
      throw .unknown("TIME_EXTRACT without a unit", at: call.range)
    }
    let known: Set<String> = [
      "EPOCH", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DOW", "ISODOW", "DOY", "WEEK",
      "MONTH", "QUARTER", "YEAR", "ISOYEAR", "DECADE", "CENTURY", "MILLENNIUM",
    ]
    guard known.contains(unit) else { throw .unknown("TIME_EXTRACT of \(unit)", at: call.range) }
    return timed(call, [call.arguments[0], text(unit), zone(call.argument(2))])
  }

  /// TIME_PARSE and TIME_FORMAT: a text or time, a pattern, a zone.
  func patterned(_ call: Function.Call) throws(SQLFailure) -> TypedExpression {
    timed(call, [call.arguments[0], call.argument(1), zone(call.argument(2))])
  }

  /// DATE_TRUNC
  func dateTruncated(_ call: Function.Call) throws(SQLFailure) -> TypedExpression {
    let long = ["DECADE": "P10Y", "CENTURY": "P100Y", "MILLENNIUM": "P1000Y"]
    let unit = call.arguments[0].text?.uppercased() ?? ""
    if unit == "MILLISECONDS" || unit == "MICROSECONDS" {
      var same = call.arguments[1]
      same.range = call.range
      return same
    }
    guard let period = long[unit] ?? TimeUnit(rawValue: unit).flatMap(Self.period) else {
      throw .unknown("This unit of DATE_TRUNC", at: call.arguments[0].range)
    }
    var floor = call
    floor.function = .timeFloor
    return timed(floor, [call.arguments[1], text(period), null, zone(null)])
  }

  private func zone(_ argument: TypedExpression) -> TypedExpression {
    argument.isNullConstant ? text(settings.timeZone) : argument
  }

  private func timed(
    _ call: Function.Call, _ operands: [TypedExpression], _ type: SQLType? = nil
  ) -> TypedExpression {
    TypedExpression(
      .call(call.function, operands),
      type ?? call.function.signature.result(call.arguments) ?? .timestamp, call.range)
  }
}

/// An ISO 8601 period: whole months, and the rest in milliseconds.
struct FixedPeriod {
  var months: Int64 = 0
  var milliseconds: Int64 = 0

  /// Nil when the text is not a period, or has a fraction or a sign.
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
