import JSONLines

/// The conditions and aggregates of a plan, evaluated for one row.
///
/// All of it is flattened into arrays of plain numbers, so that a row causes no reference counting
/// or copying.
struct RowEvaluator {
  /// A count or a sum.
  struct Additive {
    enum Shape { case one, field, product, general }

    let aggregate: Int
    /// The condition's index; -1 for every row.
    let condition: Int
    let shape: Shape
    let a: Int
    let b: Int
    /// The steps of an expression of general form.
    let steps: Range<Int>
  }

  struct Distinct {
    let aggregate: Int
    let condition: Int
    let field: Int
    let set: Int
  }

  private struct Test {
    let field: Int
    let comparison: Condition.Comparison
    /// The start of its text.
    let start: Int
    let count: Int
    let number: Double
    let hasNumber: Bool
  }

  private enum Step { case test(Int), and, or, not }

  let additives: [Additive]
  let distincts: [Distinct]
  /// The index of the aggregate that counts late rows; -1 for none.
  let late: Int
  let width: Int
  private let tests: [Test]
  private let texts: [UInt8]
  private let steps: [Step]
  private let conditions: [Range<Int>]
  private let arithmetic: [Expression.Step]

  init(_ plan: MeasurePlan) {
    width = plan.aggregates.count
    var tests: [Test] = []
    var texts: [UInt8] = []
    var steps: [Step] = []
    conditions = plan.conditions.map { condition in
      let start = steps.count
      for step in condition.steps {
        switch step {
        case .and: steps.append(.and)
        case .or: steps.append(.or)
        case .not: steps.append(.not)
        case .test(let test):
          steps.append(.test(tests.count))
          tests.append(
            Test(
              field: test.field, comparison: test.comparison, start: texts.count,
              count: test.text.count, number: test.number ?? 0, hasNumber: test.number != nil))
          texts += test.text
        }
      }
      return start..<steps.count
    }
    self.tests = tests
    self.texts = texts
    self.steps = steps
    var additives: [Additive] = []
    var distincts: [Distinct] = []
    var arithmetic: [Expression.Step] = []
    var late = -1
    for (index, aggregate) in plan.aggregates.enumerated() {
      let condition = aggregate.condition ?? -1
      switch aggregate.function {
      case .count:
        additives.append(
          Additive(aggregate: index, condition: condition, shape: .one, a: 0, b: 0, steps: 0..<0))
      case .sum(let expression):
        let start = arithmetic.count
        arithmetic += expression.steps
        additives.append(
          Self.additive(index, condition, expression.steps, start..<arithmetic.count))
      case .distinct(let field):
        distincts.append(
          Distinct(aggregate: index, condition: condition, field: field, set: distincts.count))
      case .late: late = index
      }
    }
    self.additives = additives
    self.distincts = distincts
    self.arithmetic = arithmetic
    self.late = late
  }

  private static func additive(
    _ aggregate: Int, _ condition: Int, _ steps: [Expression.Step], _ range: Range<Int>
  ) -> Additive {
    if steps.count == 1, case .field(let field) = steps[0] {
      return Additive(
        aggregate: aggregate, condition: condition, shape: .field, a: field, b: field, steps: range)
    }
    if steps.count == 3, case .field(let a) = steps[0], case .field(let b) = steps[1],
      steps[2] == .multiply
    {
      return Additive(
        aggregate: aggregate, condition: condition, shape: .product, a: a, b: b, steps: range)
    }
    return Additive(
      aggregate: aggregate, condition: condition, shape: .general, a: 0, b: 0, steps: range)
  }

  // MARK: Conditions

  /// The conditions that a row satisfies, one bit each.
  @inline(__always)
  func truths(_ row: borrowing RowReader) -> UInt64 {
    var truths: UInt64 = 0
    for index in conditions.indices where holds(conditions[index], row) {
      truths |= 1 << UInt64(index)
    }
    return truths
  }

  @inline(__always)
  private func holds(_ range: Range<Int>, _ row: borrowing RowReader) -> Bool {
    var stack: UInt64 = 0
    for index in range {
      switch steps[index] {
      case .test(let test): stack = stack << 1 | (passes(tests[test], row) ? 1 : 0)
      case .not: stack ^= 1
      case .and: stack = (stack >> 1) & ~1 | (stack >> 1 & stack & 1)
      case .or: stack = (stack >> 1) | (stack & 1)
      }
    }
    return stack & 1 == 1
  }

  @inline(__always)
  private func passes(_ test: Test, _ row: borrowing RowReader) -> Bool {
    if row.isMissing(test.field) { return false }
    switch test.comparison {
    case .equal, .notEqual:
      let isEqual = row.withField(test.field) { equals($0, test) } || isEqualNumber(test, row)
      return isEqual == (test.comparison == .equal)
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard test.hasNumber, let left = row.number(test.field) else { return false }
      switch test.comparison {
      case .less: return left < test.number
      case .lessOrEqual: return left <= test.number
      case .greater: return left > test.number
      default: return left >= test.number
      }
    }
  }

  @inline(__always)
  private func equals(_ bytes: RawSpan, _ test: Test) -> Bool {
    guard bytes.byteCount == test.count else { return false }
    for index in 0..<test.count where bytes.byte(index) != texts[test.start + index] {
      return false
    }
    return true
  }

  private func isEqualNumber(_ test: Test, _ row: borrowing RowReader) -> Bool {
    test.hasNumber && row.number(test.field) == test.number
  }

  // MARK: Amounts

  @inline(__always)
  static func applies(_ condition: Int, _ truths: UInt64) -> Bool {
    condition < 0 || truths >> UInt64(condition) & 1 == 1
  }

  /// The amount that a row adds to an aggregate; nil when a field is not a number.
  @inline(__always)
  func amount(_ one: Additive, _ row: borrowing RowReader) -> Double? {
    switch one.shape {
    case .one: return 1
    case .field: return row.number(one.a)
    case .product:
      guard let left = row.number(one.a), let right = row.number(one.b) else { return nil }
      return left * right
    case .general: return general(one.steps, row)
    }
  }

  private func general(_ range: Range<Int>, _ row: borrowing RowReader) -> Double? {
    var stack: [Double] = []
    for index in range {
      switch arithmetic[index] {
      case .number(let number): stack.append(number)
      case .field(let field):
        guard let number = row.number(field) else { return nil }
        stack.append(number)
      case .negate: stack.append(-(stack.popLast() ?? 0))
      case .add, .subtract, .multiply, .divide:
        let right = stack.popLast() ?? 0
        let left = stack.popLast() ?? 0
        switch arithmetic[index] {
        case .add: stack.append(left + right)
        case .subtract: stack.append(left - right)
        case .multiply: stack.append(left * right)
        default: stack.append(left / right)
        }
      }
    }
    return stack.last
  }

  /// The first field of an aggregate that is not a number, for a message.
  func lackingField(_ one: Additive, _ row: borrowing RowReader) -> Int? {
    for step in arithmetic[one.steps] {
      if case .field(let field) = step, row.number(field) == nil { return field }
    }
    return nil
  }
}
