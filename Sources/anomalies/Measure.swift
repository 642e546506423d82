/// A number computed from the rows of a bucket, for each key.
struct Aggregate: Equatable {
  enum Function: Equatable {
    case count
    case sum(Expression)
    /// The number of distinct values of a field.
    case distinct(Int)
    /// The number of late rows, which the watch counts itself.
    case late
  }

  var function: Function
  /// The index of the condition that rows must satisfy.
  var condition: Int?
}

/// Arithmetic on fields, in postfix order.
struct Expression: Equatable {
  enum Step: Equatable {
    case number(Double)
    case field(Int)
    case add, subtract, multiply, divide, negate
  }

  var steps: [Step]
}

/// A condition on a row's fields, in postfix order.
struct Condition: Equatable {
  enum Comparison: Equatable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

  struct Test: Equatable {
    let field: Int
    let comparison: Comparison
    let text: [UInt8]
    let number: Double?
  }

  enum Step: Equatable {
    case test(Test)
    case and, or, not
  }

  var steps: [Step]
}

/// A watched number, for each key.
struct Measure: Equatable {
  enum Kind: Equatable {
    case count, sum, distinct, mean, ratio, late
    /// A value that the row contains.
    case value
  }

  var name: String
  var kind: Kind
  /// The aggregate of the amount, and the aggregate of the exposure.
  var amount: Int
  var exposure: Int?

  /// Whether parts approximately add up to the total, so that they can be judged by their share.
  var isAdditive: Bool { kind == .count || kind == .sum || kind == .distinct }
}

/// The fields, conditions, aggregates and measures to compute, each stored once.
struct MeasurePlan: Equatable {
  private(set) var fields: [String] = []
  private(set) var conditions: [Condition] = []
  private(set) var aggregates: [Aggregate] = []
  private(set) var measures: [Measure] = []

  mutating func field(_ name: String) -> Int { Self.index(of: name, in: &fields) }
  mutating func condition(_ condition: Condition) -> Int {
    Self.index(of: condition, in: &conditions)
  }
  mutating func aggregate(_ function: Aggregate.Function, where condition: Int? = nil) -> Int {
    Self.index(of: Aggregate(function: function, condition: condition), in: &aggregates)
  }
  mutating func add(_ measure: Measure) { measures.append(measure) }

  private static func index<Element: Equatable>(
    of element: Element, in list: inout [Element]
  ) -> Int {
    if let index = list.firstIndex(of: element) { return index }
    list.append(element)
    return list.count - 1
  }

  /// The measures of `--shop`.
  static let shop = [
    "count", "purchases = count where event_type = purchase",
    "revenue = sum(price * quantity) where event_type = purchase",
    "conversion = ratio(event_type = purchase / event_type = click)",
    "users = distinct(user_id)", "price = mean(price)",
    "events_per_user = ratio(count / distinct(user_id))",
  ]
}
