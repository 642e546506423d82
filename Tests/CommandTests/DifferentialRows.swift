import TestSupport

/// A value of the naive evaluator: of a column or an expression.
enum NaiveValue: Hashable, CustomStringConvertible {
  case null
  case long(Int)
  case double(Double)
  case text(String)

  var description: String {
    switch self {
    case .null: "null"
    case .long(let number): "\(number)"
    case .double(let number): "\(number)"
    case .text(let text): "'\(text)'"
    }
  }

  var number: Double? {
    switch self {
    case .long(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }

  /// The order of ORDER BY: nulls first, numbers by value, text by its bytes.
  static func precedes(_ a: NaiveValue, _ b: NaiveValue) -> Bool {
    switch (a, b) {
    case (.null, .null): false
    case (.null, _): true
    case (_, .null): false
    case (.text(let a), .text(let b)): Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))
    default: (a.number ?? 0) < (b.number ?? 0)
    }
  }
}

/// A row of the datasource `edge_like`: few values, many nulls.
struct NaiveRow {
  let timestamp: Int
  let g: NaiveValue
  let s: NaiveValue
  let n: NaiveValue
  let x: NaiveValue

  init(random: inout SeededGenerator) {
    timestamp = 1_767_225_600 + random.below(48) * 1800
    g = random.pick([.null, .text("a"), .text("b"), .text("c"), .text("b")])
    s = random.pick([
      .null, .text(""), .text("apple"), .text("Apple"), .text("pear"), .text("a_b"), .text("x%y"),
      .text("zürich"),
    ])
    n = random.below(5) == 0 ? .null : .long(random.below(21) - 10)
    // Quarters add up exactly in any order.
    x = random.below(5) == 0 ? .null : .double(Double(random.below(81) - 40) / 4)
  }

  /// The event as it is sent to the topic; a null is either written as null or its key is omitted.
  func json(_ random: inout SeededGenerator) -> String {
    var fields = ["\"timestamp\":\(timestamp)"]
    for (key, value) in [("g", g), ("s", s), ("n", n), ("x", x)] {
      switch value {
      case .null where random.below(2) == 0: continue
      case .text(let text): fields.append("\"\(key)\":\"\(text)\"")
      default: fields.append("\"\(key)\":\(value)")
      }
    }
    return "{" + fields.joined(separator: ",") + "}"
  }
}
