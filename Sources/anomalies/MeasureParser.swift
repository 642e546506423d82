import Plumbing

/// Parses the text of `--measure`:
///
///     [NAME =] count | sum(EXPRESSION) | mean(EXPRESSION) | distinct(FIELD) | ratio(PART / PART)  [where CONDITION]
///
/// A part of a ratio is a count, sum or distinct, or a condition, whose rows are counted. An
/// expression has fields, numbers, + - * / and parentheses. A condition compares a field with a
/// word, a number or a 'text' by = != < <= > >=, and combines comparisons with and, or, not and
/// parentheses. A field of an object is written outer.inner; unusual names are in "double quotes".
struct MeasureParser {
  private enum Token: Equatable {
    /// A bare word: a field, a function, a keyword or a value.
    case word(String)
    case quotedField(String)
    case text(String)
    case number(Double, String)
    case symbol(String)
    case end
  }

  private let source: String
  private let flag: String
  private var tokens: [(token: Token, column: Int)] = []
  private var place = 0
  private var plan: MeasurePlan

  /// Adds the measure that a text describes to a plan.
  ///
  /// - Throws: ``UsageFailure`` with a caret under the position.
  static func add(_ text: String, to plan: inout MeasurePlan, flag: String = "--measure")
    throws(UsageFailure)
  {
    var parser = try MeasureParser(text, plan: plan, flag: flag)
    try parser.readMeasure()
    plan = parser.plan
  }

  private init(_ source: String, plan: MeasurePlan, flag: String) throws(UsageFailure) {
    self.source = source
    self.plan = plan
    self.flag = flag
    try readTokens()
  }

  // MARK: Words

  private static func isWordCharacter(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || "_.@$-".contains(character)
  }

  private mutating func readTokens() throws(UsageFailure) {
    let text = Array(source)
    var index = 0
    while index < text.count {
      let start = index
      let character = text[index]
      index += 1
      switch character {
      case " ", "\t", "\n": continue
      case "\"", "'":
        guard let close = text[index...].firstIndex(of: character) else {
          throw failure("the quote is not closed", at: start)
        }
        let word = String(text[index..<close])
        index = close + 1
        tokens.append((character == "'" ? .text(word) : .quotedField(word), start))
      case "(", ")", ",", "+", "*", "/", "-", "=":
        tokens.append((.symbol(String(character)), start))
      case "<", ">", "!":
        var symbol = String(character)
        if index < text.count, text[index] == "=" {
          symbol += "="
          index += 1
        }
        guard symbol != "!" else { throw failure("expected '!='", at: start) }
        tokens.append((.symbol(symbol), start))
      default:
        guard character != "-", Self.isWordCharacter(character) else {
          throw failure("'\(character)' does not belong here", at: start)
        }
        while index < text.count, Self.isWordCharacter(text[index]) { index += 1 }
        let word = String(text[start..<index])
        tokens.append((decimalNumber(word).map { .number($0, word) } ?? .word(word), start))
      }
    }
    tokens.append((.end, text.count))
  }

  private func failure(_ reason: String, at column: Int) -> UsageFailure {
    UsageFailure(
      "\(flag): \(reason)",
      hint: "write for example 'revenue = sum(price * quantity) where event_type = purchase'",
      in: source, at: column)
  }

  private func failure(_ reason: String) -> UsageFailure {
    failure(reason, at: tokens[place].column)
  }

  private var next: Token { tokens[place].token }
  private var afterNext: Token { tokens[min(place + 1, tokens.count - 1)].token }

  private mutating func take(_ symbol: String) -> Bool {
    guard next == .symbol(symbol) else { return false }
    place += 1
    return true
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard case .word(let found) = next, found.lowercased() == word else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ symbol: String) throws(UsageFailure) {
    guard take(symbol) else { throw failure("expected '\(symbol)'") }
  }

  // MARK: Measures

  private static let functions = ["count", "sum", "mean", "distinct", "ratio"]

  private mutating func readMeasure() throws(UsageFailure) {
    var name: String?
    switch (next, afterNext) {
    case (.word(let word), .symbol("=")), (.quotedField(let word), .symbol("=")):
      name = word
      place += 2
    default: break
    }
    let start = tokens[place].column
    guard case .word(let function) = next, Self.functions.contains(function) else {
      throw failure("expected one of \(Self.functions.joined(separator: ", "))")
    }
    place += 1
    // The condition follows the function, whose arguments need it.
    var measure = Measure(name: "", kind: .count, amount: 0)
    switch function {
    case "count":
      try readNothing()
      let condition = try readWhere()
      measure.amount = plan.aggregate(.count, where: condition)
    case "sum":
      try expect("(")
      let expression = try readExpression()
      try expect(")")
      measure.kind = .sum
      measure.amount = plan.aggregate(.sum(expression), where: try readWhere())
    case "mean":
      try expect("(")
      let expression = try readExpression()
      try expect(")")
      measure.kind = .mean
      let condition = try readWhere()
      measure.amount = plan.aggregate(.sum(expression), where: condition)
      measure.exposure = plan.aggregate(.count, where: condition)
    case "distinct":
      try expect("(")
      let field = try readField()
      try expect(")")
      measure.kind = .distinct
      measure.amount = plan.aggregate(.distinct(field), where: try readWhere())
    default: try readRatio(into: &measure)
    }
    guard next == .end else { throw failure("expected the end, or 'where'") }
    let written = String(Array(source)[start...]).split(separator: " ").joined(separator: " ")
    measure.name = name ?? written
    if plan.measures.contains(where: { $0.name == measure.name }) {
      throw failure("there are two measures named \(quoted(measure.name))", at: 0)
    }
    plan.add(measure)
  }

  /// Accepts empty parentheses, or a star in parentheses, after `count`.
  private mutating func readNothing() throws(UsageFailure) {
    guard take("(") else { return }
    _ = take("*")
    try expect(")")
  }

  private mutating func readWhere() throws(UsageFailure) -> Int? {
    guard takeWord("where") else { return nil }
    let steps = try readCondition()
    return plan.condition(Condition(steps: steps))
  }

  private mutating func readRatio(into measure: inout Measure) throws(UsageFailure) {
    try expect("(")
    measure.kind = .ratio
    let first = try readPart()
    guard take("/") else { throw failure("expected '/' and a divisor") }
    let second = try readPart()
    try expect(")")
    let condition = try readWhereSteps()
    measure.amount = try aggregate(first, and: condition)
    measure.exposure = try aggregate(second, and: condition)
  }

  private mutating func readWhereSteps() throws(UsageFailure) -> [Condition.Step]? {
    takeWord("where") ? try readCondition() : nil
  }

  private struct Part {
    var function: Aggregate.Function
    var condition: [Condition.Step]?
  }

  private mutating func aggregate(
    _ part: Part, and shared: [Condition.Step]?
  ) throws(UsageFailure) -> Int {
    var steps = part.condition
    if let shared { steps = steps.map { $0 + shared + [.and] } ?? shared }
    return plan.aggregate(
      part.function, where: steps.map { plan.condition(Condition(steps: $0)) })
  }

  private mutating func readPart() throws(UsageFailure) -> Part {
    if case .word(let word) = next {
      switch (word, afterNext) {
      case ("count", .symbol("/")), ("count", .symbol(")")), ("count", .symbol("(")):
        place += 1
        try readNothing()
        return Part(function: .count)
      case ("sum", .symbol("(")):
        place += 2
        let expression = try readExpression()
        try expect(")")
        return Part(function: .sum(expression))
      case ("distinct", .symbol("(")):
        place += 2
        let field = try readField()
        try expect(")")
        return Part(function: .distinct(field))
      default: break
      }
    }
    return Part(function: .count, condition: try readCondition())
  }

  // MARK: Conditions

  private mutating func readCondition() throws(UsageFailure) -> [Condition.Step] {
    var steps = try readConjunction()
    while takeWord("or") {
      steps += try readConjunction()
      steps.append(.or)
    }
    guard steps.count <= 64 else { throw failure("the condition is too long") }
    return steps
  }

  private mutating func readConjunction() throws(UsageFailure) -> [Condition.Step] {
    var steps = try readTest(depth: 0)
    while takeWord("and") {
      steps += try readTest(depth: 0)
      steps.append(.and)
    }
    return steps
  }

  private mutating func readTest(depth: Int) throws(UsageFailure) -> [Condition.Step] {
    guard depth < 32 else { throw failure("nested too deep") }
    if takeWord("not") { return try readTest(depth: depth + 1) + [.not] }
    if take("(") {
      nesting += 1
      defer { nesting -= 1 }
      guard nesting < 32 else { throw failure("nested too deep") }
      let steps = try readCondition()
      try expect(")")
      return steps
    }
    let field = try readField()
    let comparison: Condition.Comparison
    switch next {
    case .symbol("="): comparison = .equal
    case .symbol("!="): comparison = .notEqual
    case .symbol("<"): comparison = .less
    case .symbol("<="): comparison = .lessOrEqual
    case .symbol(">"): comparison = .greater
    case .symbol(">="): comparison = .greaterOrEqual
    default: throw failure("expected a comparison such as '='")
    }
    place += 1
    var sign = ""
    if next == .symbol("-"), case .number = afterNext {
      sign = "-"
      place += 1
    }
    let text: String
    var number: Double?
    switch next {
    case .word(let word), .text(let word), .quotedField(let word): text = word
    case .number(let value, let word):
      text = sign + word
      number = sign.isEmpty ? value : -value
    default: throw failure("expected a value")
    }
    let isOrdered = comparison != .equal && comparison != .notEqual
    guard number != nil || !isOrdered else { throw failure("expected a number") }
    place += 1
    return [
      .test(
        .init(field: field, comparison: comparison, text: Array(text.utf8), number: number))
    ]
  }

  private var nesting = 0

  // MARK: Expressions

  private mutating func readField() throws(UsageFailure) -> Int {
    switch next {
    case .word(let word), .quotedField(let word):
      place += 1
      return plan.field(word)
    default: throw failure("expected a field's name")
    }
  }

  private mutating func readExpression() throws(UsageFailure) -> Expression {
    let steps = try readSum()
    guard steps.count <= 64 else { throw failure("the expression is too long") }
    return Expression(steps: steps)
  }

  private mutating func readSum() throws(UsageFailure) -> [Expression.Step] {
    try readChain([("+", .add), ("-", .subtract)]) { parser throws(UsageFailure) in
      try parser.readProduct()
    }
  }

  private mutating func readProduct() throws(UsageFailure) -> [Expression.Step] {
    try readChain([("*", .multiply), ("/", .divide)]) { parser throws(UsageFailure) in
      try parser.readOperand()
    }
  }

  /// Reads operands between operators of one precedence, from left to right.
  private mutating func readChain(
    _ operators: [(sign: String, step: Expression.Step)],
    of operand: (inout MeasureParser) throws(UsageFailure) -> [Expression.Step]
  ) throws(UsageFailure) -> [Expression.Step] {
    var steps = try operand(&self)
    while let (_, step) = operators.first(where: { take($0.sign) }) {
      steps += try operand(&self)
      steps.append(step)
    }
    return steps
  }

  private mutating func readOperand() throws(UsageFailure) -> [Expression.Step] {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting < 32 else { throw failure("nested too deep") }
    if take("-") { return try readOperand() + [.negate] }
    if take("(") {
      let steps = try readSum()
      try expect(")")
      return steps
    }
    if case .number(let value, _) = next {
      place += 1
      return [.number(value)]
    }
    return [.field(try readField())]
  }
}
