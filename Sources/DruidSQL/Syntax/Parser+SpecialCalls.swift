import JavaValues

extension Parser {
  /// Parses a function with its own syntax; nil when the token does not start one.
  mutating func specialCall() throws(ParseStop) -> Expression? {
    switch token.key {
    case "EXTRACT": return try extract()
    case "FLOOR", "CEIL", "CEILING": return try floorOrCeil()
    case "TRIM": return try trim()
    case "POSITION": return try position()
    case "SUBSTRING": return try substring()
    case "OVERLAY": return try overlay()
    case "TIMESTAMPADD", "TIMESTAMPDIFF": return try timestampArithmetic()
    case "JSON_VALUE", "JSON_QUERY", "JSON_EXISTS", "JSON_OBJECT", "JSON_ARRAY", "JSON_OBJECTAGG",
      "JSON_ARRAYAGG":
      return try jsonCall()
    case "CONVERT", "TRANSLATE", "TUMBLE", "HOP", "CLASSIFIER", "MATCH_NUMBER", "RUNNING", "PREV":
      let name = Name(Identifier(token.text, range: token.range))
      advance()
      return try call(name)
    default: return nil
    }
  }

  /// Consumes the word and the parenthesis after it.
  mutating func begin() throws(ParseStop) -> Name {
    let name = Name(Identifier(token.text, range: token.range))
    try openParenthesis()
    return name
  }

  private mutating func end(
    _ kind: Expression.Kind, _ name: Name
  ) throws(ParseStop) -> Expression {
    try expect(")")
    return try node(kind, range(from: name.range))
  }

  /// Makes a call of plain arguments, whatever their syntax was.
  private mutating func plainCall(
    _ name: Name, _ arguments: [Expression]
  ) throws(ParseStop) -> Expression {
    try expect(")")
    let whole = range(from: name.range)
    let call = FunctionCall(
      name: name, arguments: arguments.map { .expression($0) }, range: whole)
    return try node(.call(call), whole)
  }

  mutating func cast() throws(ParseStop) -> Expression {
    let kind = CastKind(rawValue: token.key) ?? .cast
    let name = try begin()
    let value = try expression()
    try expect("AS")
    if at("INTERVAL") {
      let start = token.range
      advance()
      let qualifier = try intervalQualifier()
      let type = TypeName(name: "INTERVAL", interval: qualifier, range: range(from: start))
      return try end(.cast(value, type, kind), name)
    }
    let type = try typeName()
    return try end(.cast(value, type, kind), name)
  }

  /// A unit, or a word that is none: the grammar takes any, and the validator refuses it.
  private mutating func timeUnit() throws(ParseStop) -> TimeUnit? {
    for unit in TimeUnit.allCases { note(unit.rawValue) }
    guard token.kind == .word else { throw .unexpected }
    let unit: TimeUnit? =
      switch token.key {
      case "DAYOFWEEK": .dayOfWeek
      case "DAYOFYEAR": .dayOfYear
      default: TimeUnit(rawValue: token.key)
      }
    guard unit != nil || isIdentifier(token) else { throw .unexpected }
    advance()
    return unit
  }

  private func noUnit(_ range: SourceRange, _ word: String) -> ParseStop {
    refuse("'\(word)' is not a valid time frame", at: range)
  }

  private mutating func extract() throws(ParseStop) -> Expression {
    let name = try begin()
    let word = token
    noteIdentifier()
    let unit = try timeUnit()
    try expect("FROM")
    let value = try expression()
    guard let unit else {
      try expect(")")
      throw noUnit(word.range, word.text)
    }
    return try end(.extract(unit, value), name)
  }

  private mutating func floorOrCeil() throws(ParseStop) -> Expression {
    let direction: RoundDirection = token.key == "FLOOR" ? .floor : .ceil
    let name = try begin()
    let value = try expression()
    if at("TO") { noteIdentifier() }
    if accept("TO") {
      let word = token
      guard let unit = try timeUnit() else {
        try expect(")")
        throw noUnit(word.range, word.text)
      }
      return try end(.round(direction, value, unit), name)
    }
    return try plainCall(name, [value])
  }

  private mutating func trim() throws(ParseStop) -> Expression {
    let name = try begin()
    var side: TrimSide?
    for candidate in [TrimSide.both, .trailing, .leading] where acceptLone(candidate.rawValue) {
      side = candidate
    }
    if at("FROM") {
      guard let side else {
        throw refuse("FROM without operands preceding it is illegal")
      }
      advance()
      let value = try expression()
      return try end(.trim(side, characters: nil, value), name)
    }
    let first = try expression()
    if accept("FROM") {
      let value = try expression()
      return try end(.trim(side ?? .both, characters: first, value), name)
    }
    return try end(.trim(side ?? .both, characters: nil, first), name)
  }

  private mutating func position() throws(ParseStop) -> Expression {
    let name = try begin()
    noteExpression()
    if token.key == "(" { throw .unexpected }
    var arguments = [try primary()]
    try expect("IN")
    arguments.append(try expression())
    if accept("FROM") { arguments.append(try expression()) }
    return try plainCall(name, arguments)
  }

  private mutating func substring() throws(ParseStop) -> Expression {
    let name = try begin()
    var arguments = [try expression()]
    guard acceptLone("FROM") || acceptLone(",") else { throw .unexpected }
    arguments.append(try expression())
    if accept("FOR") || accept(",") { arguments.append(try expression()) }
    return try plainCall(name, arguments)
  }

  private mutating func overlay() throws(ParseStop) -> Expression {
    let name = try begin()
    var arguments = [try expression()]
    try expect("PLACING")
    arguments.append(try expression())
    try expect("FROM")
    arguments.append(try expression())
    if accept("FOR") { arguments.append(try expression()) }
    return try plainCall(name, arguments)
  }

  private mutating func timestampArithmetic() throws(ParseStop) -> Expression {
    let isAddition = token.key == "TIMESTAMPADD"
    let name = try begin()
    let word = token
    let given = try timestampUnit()
    try expect(",")
    let first = try expression()
    try expect(",")
    let second = try expression()
    guard let unit = given else {
      try expect(")")
      throw noUnit(word.range, word.text)
    }
    return try end(
      isAddition
        ? .timestampAdd(unit, count: first, second) : .timestampDiff(unit, from: first, to: second),
      name)
  }

  private mutating func timestampUnit() throws(ParseStop) -> TimeUnit? {
    var word = token.key
    switch word {
    case "FRAC_SECOND", "SQL_TSI_MICROSECOND": word = "MICROSECOND"
    case "SQL_TSI_FRAC_SECOND": word = "NANOSECOND"
    default: if word.hasPrefix("SQL_TSI_") { word.removeFirst(8) }
    }
    let units: [TimeUnit] = [
      .century, .decade, .year, .quarter, .month, .week, .day, .hour, .minute, .second,
      .millisecond, .microsecond, .nanosecond,
    ]
    for unit in units { note(unit.rawValue) }
    noteIdentifier()
    let unit = TimeUnit(rawValue: word).flatMap { units.contains($0) ? $0 : nil }
    guard token.kind == .word, unit != nil || isIdentifier(token) else { throw .unexpected }
    advance()
    return unit
  }

  /// `{fn name(arguments)}`
  mutating func bracedFunction() throws(ParseStop) -> Expression {
    opened = index
    advance()
    let call: Expression
    if let special = try specialCall() {
      call = special
    } else {
      let name = Name(Identifier(token.text, range: token.range))
      guard token.kind == .word, peek().key == "(" else { throw .unexpected }
      advance()
      let plain = try callArguments(of: name)
      call = try node(.call(plain), plain.range)
    }
    try expect("}")
    return call
  }
}
