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
      if operand.type.kind == .null, operand.isNullConstant {
        return TypedExpression(.constant(.null), .null, range)
      }
      let interval = SQLType(
        IntervalQualifier(from: unit).countsMonths ? .monthInterval : .dayInterval)
      throw .cannotApply(direction.rawValue, [operand.type, interval], at: range)
    }
    guard let period = Self.period(unit) else {
      failInPlanning(.unitWithoutPeriod)
      return operand
    }
    let function: Function = direction == .floor ? .timeFloor : .timeCeil
    return TypedExpression(
      .call(function, [operand, text(period), null, text(settings.timeZone)]), operand.type, range)
  }

  func extract(
    _ unit: TimeUnit, _ operand: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if operand.type.isInterval { return try part(unit, of: operand, at: range) }
    guard operand.type.isTime else {
      if operand.type.kind == .null, !operand.isNullConstant {
        return TypedExpression(.constant(.null), .bigint, range)
      }
      let interval = SQLType(
        IntervalQualifier(from: unit).countsMonths ? .monthInterval : .dayInterval)
      throw .cannotApply("EXTRACT", [interval, operand.type], at: range)
    }
    if unit == .microsecond || unit == .nanosecond {
      failInPlanning(.unhandled)
      return TypedExpression(.constant(.null), .bigint, range)
    }
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
      if left.type.isCharacter || right.type.isCharacter {
        throw .timeAndText(op.rawValue, at: range)
      }
      throw .cannotApply(op.rawValue, [left.type, right.type], at: range)
    }
    let type = time.type.nullable(time.type.isNullable || interval.type.isNullable)
    guard case .long(let length)? = interval.constant else {
      var step = interval
      step.type = SQLType.bigint.nullable(interval.type.isNullable)
      if op == .minus { step = TypedExpression(.operation(.negate, [step]), step.type, range) }
      return moved(time, by: step, interval.type, type, at: range)
    }
    let step = op == .plus ? length : 0 &- length
    if case .long(let start)? = time.constant, time.type.kind == .timestamp,
      interval.type.kind == .dayInterval
    {
      var (sum, overflows) = start.addingReportingOverflow(step)
      if overflows { throw .uncertain(.farTime, at: range) }
      // A literal without a fraction has no place for one.
      if start % 1_000 == 0 { sum -= CivilTime.floorRemainder(sum, 1_000) }
      return TypedExpression(.constant(.long(sum)), type, range)
    }
    return moved(time, by: long(step), interval.type, type, at: range)
  }

  /// A time plus some milliseconds or months. For a DATE the result is the day of the sum.
  private func moved(
    _ time: TypedExpression, by step: TypedExpression, _ interval: SQLType, _ type: SQLType,
    at range: SourceRange
  ) -> TypedExpression {
    if interval.kind == .monthInterval {
      return TypedExpression(
        .operation(.addMonths, [time, step, text(settings.timeZone)]), type, range)
    }
    if time.type.kind == .date {
      if case .long(let length)? = step.constant, length % 86_400_000 == 0, isUTC {
        if case .long(let start)? = time.constant {
          return TypedExpression(.constant(.long(start &+ length)), type, range)
        }
      } else {
        var sum = time
        sum.type = SQLType(.timestamp, isNullable: time.type.isNullable)
        sum = TypedExpression(
          .operation(.addMilliseconds, [sum, step]), SQLType.timestamp.nullable(type.isNullable),
          range)
        return TypedExpression(.cast(sum), type, range)
      }
    }
    return TypedExpression(.operation(.addMilliseconds, [time, step]), type, range)
  }

  // MARK: Intervals

  /// `INTERVAL x DAY`, and `(a - b) DAY` of two times.
  func interval(
    _ value: Expression, _ qualifier: IntervalQualifier, in scope: Scope, _ place: Place,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let kind: SQLType.Kind = qualifier.countsMonths ? .monthInterval : .dayInterval
    if case .binary(.minus, let left, let right) = value.kind {
      let (to, from) = (
        try resolve(left, in: scope, place), try resolve(right, in: scope, place)
      )
      if to.type.isTime, from.type.isTime {
        let nullable = to.type.isNullable || from.type.isNullable
        let op: Operator = qualifier.countsMonths ? .monthsBetween : .millisecondsBetween
        return TypedExpression(
          .operation(op, [from, to, long(1), text(settings.timeZone)]),
          SQLType(kind, isNullable: nullable), range)
      }
    }
    let count = try resolve(value, in: scope, place)
    guard count.type.isNumeric, qualifier.until == nil, let unit = qualifier.druidUnit else {
      throw .uncertain(.interval, at: range)
    }
    return times(count, long(unit), SQLType(kind), at: range)
  }

  /// A number of intervals, cut to whole milliseconds or months.
  func times(
    _ count: TypedExpression, _ length: TypedExpression, _ interval: SQLType, at range: SourceRange
  ) -> TypedExpression {
    let type = interval.nullable(count.type.isNullable || length.type.isNullable)
    if count.type.isIntegral {
      if case .long(let one)? = count.constant, case .long(let other)? = length.constant {
        let (product, overflows) = one.multipliedReportingOverflow(by: other)
        if !overflows { return TypedExpression(.constant(.long(product)), type, range) }
      }
      var unit = length
      unit.type = SQLType.bigint.nullable(length.type.isNullable)
      return TypedExpression(.operation(.multiply, [count, unit]), type, range)
    }
    var unit = length
    unit.type = SQLType.bigint.nullable(length.type.isNullable)
    let real = TypedExpression(.cast(unit), .double.nullable(unit.type.isNullable), range)
    var product = TypedExpression(
      .operation(.multiply, [count, real]), .double.nullable(type.isNullable), range)
    product.isWild = count.isWild
    let whole = TypedExpression(.cast(product), .bigint.nullable(type.isNullable), range)
    return TypedExpression(.operation(.multiply, [whole, long(1)]), type, range)
  }

  /// A field of an interval that is a constant: that of the time so long after 1970 began.
  private func part(
    _ unit: TimeUnit, of interval: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard case .long(let length)? = interval.constant else {
      throw .uncertain(.extractedInterval, at: range)
    }
    let time =
      interval.type.kind == .monthInterval ? CivilTime.adding(months: length, to: 0) : length
    return try extract(
      unit, TypedExpression(.constant(.long(time)), .timestamp.nullable(false)), at: range)
  }

  /// CAST of an interval: how many of its units it holds.
  func count(
    _ interval: TypedExpression, in qualifier: IntervalQualifier, as name: TypeName,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let target = try type(name)
    // A week is seven days here, and a quarter three months.
    let one = IntervalLiteral(text: "1", isNegative: false, qualifier: qualifier)
    guard target.isIntegral, qualifier.until == nil, let unit = one.length else {
      throw .uncertain(.castInterval, at: range)
    }
    var length = interval
    length.type = SQLType.bigint.nullable(interval.type.isNullable)
    return TypedExpression(
      .operation(.divide, [length, long(unit)]), target.nullable(length.type.isNullable), range)
  }

  func timestampAdd(
    _ unit: TimeUnit, _ count: TypedExpression, _ time: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    func refusal() -> SQLFailure {
      .cannotApply(
        "TIMESTAMPADD",
        [SQLType(unit.isMonths ? .monthInterval : .dayInterval), count.type, time.type],
        at: range)
    }
    var count = count
    if count.type.isCharacter { count = number(of: count).asWhole }
    if time.type.kind == .null, time.isNullConstant, count.type.isIntegral {
      return TypedExpression(.constant(.null), .null, range)
    }
    guard time.type.isTime, count.type.isIntegral || count.isNullConstant else { throw refusal() }
    let isWhole = unit.isMonths || unit == .week || unit == .day
    let type = (isWhole ? time.type : .timestamp)
      .nullable(time.type.isNullable || count.type.isNullable)
    if count.isNullConstant { return TypedExpression(.constant(.null), type, range) }
    if let months = unit.months {
      let step = TypedExpression(.operation(.multiply, [count, long(months)]), .bigint)
      return TypedExpression(
        .operation(.addMonths, [time, step, text(settings.timeZone)]), type, range)
    }
    guard let (length, parts) = unit.milliseconds else { throw refusal() }
    let step =
      parts > 1
      ? TypedExpression(.operation(.divide, [count, long(parts)]), .bigint)
      : TypedExpression(.operation(.multiply, [count, long(length)]), .bigint)
    if type.kind == .date, !isUTC {
      var start = time
      start.type = SQLType(.timestamp, isNullable: time.type.isNullable)
      let sum = TypedExpression(
        .operation(.addMilliseconds, [start, step]), SQLType.timestamp.nullable(type.isNullable),
        range)
      return TypedExpression(.cast(sum), type, range)
    }
    return TypedExpression(.operation(.addMilliseconds, [time, step]), type, range)
  }

  func timestampDiff(
    _ unit: TimeUnit, _ from: TypedExpression, _ to: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard from.type.isTime, to.type.isTime else {
      throw .cannotApply(
        "TIMESTAMPDIFF",
        [SQLType(unit.isMonths ? .monthInterval : .dayInterval), from.type, to.type],
        at: range)
    }
    guard isUTC || from.type.kind == .timestamp && to.type.kind == .timestamp else {
      throw .call("TIMESTAMPDIFF", at: range)
    }
    let nullable = from.type.isNullable || to.type.isNullable
    let type = (unit == .nanosecond ? SQLType.bigint : .integer).nullable(nullable)
    if let months = unit.months {
      // Decades are counted in years.
      let divisor = long(unit == .decade ? 12 : months)
      return TypedExpression(
        .operation(.monthsBetween, [from, to, divisor, text(settings.timeZone)]), type, range)
    }
    guard let (length, parts) = unit.milliseconds else {
      throw .call("TIMESTAMPDIFF", at: range)
    }
    if length >= 1_000 {
      return TypedExpression(
        .operation(.millisecondsBetween, [from, to, long(length), text(settings.timeZone)]), type,
        range)
    }
    // Of smaller units whole seconds are counted.
    let seconds = TypedExpression(
      .operation(
        .millisecondsBetween,
        [wholeSeconds(from), wholeSeconds(to), long(1_000), text(settings.timeZone)]),
      .bigint.nullable(nullable), range)
    return TypedExpression(
      .operation(.multiply, [seconds, long(1_000 * parts)]), type, range)
  }

  private func wholeSeconds(_ time: TypedExpression) -> TypedExpression {
    TypedExpression(
      .call(.timeFloor, [time, text("PT1S"), null, text(settings.timeZone)]), time.type, time.range)
  }

  func trim(
    _ side: TrimSide, _ characters: TypedExpression?, _ operand: TypedExpression,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if operand.isNullConstant { return operand }
    for value in [operand, characters].compactMap(\.self)
    where value.type.isArray || value.type.isComplex {
      throw .cannotApply("TRIM", [value.type], at: range)
    }
    let characters = printed(characters ?? text(" "))
    let operand = printed(operand)
    guard operand.type.isCharacter, characters.type.isCharacter, !characters.isMultiple else {
      throw .operand(of: "TRIM", at: range)
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
      throw .notLiteral("TIME_IN_INTERVAL", at: call.arguments[1].range)
    }
    guard let span = TimeText.interval(text) else {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, TimeText.interval("\(parts[0])/P1D") != nil else {
        failInPlanning(.invalidInterval(of: call.range))
        return TypedExpression(.constant(.null), .boolean, call.range)
      }
      throw .intervalEnd(parts[1], at: call.range)
    }
    let time = call.arguments[0]
    let type = SQLType.boolean.nullable(time.type.isNullable)
    guard isUTC, time.isColumn, time.type.kind == .timestamp else {
      return timed(call, [time, interval, self.text(settings.timeZone)], type)
    }
    // Two comparisons, as in Druid.
    func test(_ op: Operator, _ bound: Int64) -> TypedExpression {
      let bound = TypedExpression(
        .constant(.long(bound)), .timestamp.nullable(false), interval.range)
      return TypedExpression(.operation(op, [time, bound]), type, call.range)
    }
    return TypedExpression(
      .operation(.and, [test(.greaterOrEqual, span.start), test(.less, span.end)]), type,
      call.range)
  }

  /// TIME_FLOOR, TIME_CEIL and TIME_SHIFT: a time, a period, an origin or a step, a zone.
  func periodic(
    _ call: Function.Call, origin: TypedExpression
  ) throws(SQLFailure) -> TypedExpression {
    let words = call.arguments[1].text ?? ""
    guard let period = Period(words) else {
      failInPlanning(.period(words, of: call.name))
      return TypedExpression(.constant(.null), .timestamp, call.range)
    }
    if period.isZero {
      failInPlanning(.zeroPeriod)
      return TypedExpression(.constant(.null), .timestamp, call.range)
    }
    if period.isNegative { throw .uncertain(.negativePeriod, at: call.arguments[1].range) }
    return timed(call, [call.arguments[0], call.arguments[1], origin, zone(call.argument(3))])
  }

  /// TIME_EXTRACT
  func timePart(_ call: Function.Call) throws(SQLFailure) -> TypedExpression {
    let unit = call.arguments[1].text?.uppercased() ?? ""
    let known: Set<String> = [
      "EPOCH", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DOW", "ISODOW", "DOY", "WEEK",
      "MONTH", "QUARTER", "YEAR", "ISOYEAR", "DECADE", "CENTURY", "MILLENNIUM",
    ]
    guard known.contains(unit) else {
      failInPlanning(.extractedUnit(unit))
      return TypedExpression(.constant(.null), .bigint, call.range)
    }
    return timed(call, [call.arguments[0], text(unit), zone(call.argument(2))])
  }

  /// Notes a pattern that Joda does not take.
  func check(pattern: String) {
    do throws(ValueFailure) {
      _ = try JodaPattern(pattern)
    } catch {
      switch error {
      case .invalid(let words), .uncategorized(let words): failInPlanning(.uncategorized(words))
      default: break
      }
    }
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
      failInPlanning(.truncatedUnit(call.arguments[0].text ?? ""))
      return TypedExpression(.constant(.null), .timestamp, call.range)
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

extension TimeUnit {
  /// Whether it is made of months.
  fileprivate var isMonths: Bool { months != nil }

  fileprivate var months: Int64? {
    switch self {
    case .month: 1
    case .quarter: 3
    case .year: 12
    case .decade: 120
    case .century: 1_200
    default: nil
    }
  }

  /// How many milliseconds it has, or how many of it make one.
  fileprivate var milliseconds: (length: Int64, parts: Int64)? {
    switch self {
    case .week: (604_800_000, 1)
    case .day: (86_400_000, 1)
    case .hour: (3_600_000, 1)
    case .minute: (60_000, 1)
    case .second: (1_000, 1)
    case .millisecond: (1, 1)
    case .microsecond: (1, 1_000)
    case .nanosecond: (1, 1_000_000)
    default: nil
    }
  }
}

extension IntervalQualifier {
  /// The milliseconds or months of one as Druid has them: a week counts as an hour, a quarter as a month.
  var druidUnit: Int64? {
    IntervalLiteral(text: "1", isNegative: false, qualifier: self).druidLength
  }
}

extension TypedExpression {
  /// The number cut to a whole one; NULL where a text spells none.
  fileprivate var asWhole: TypedExpression {
    if case .cast(let text) = node {
      return TypedExpression(.cast(text), .bigint, range)
    }
    return self
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
