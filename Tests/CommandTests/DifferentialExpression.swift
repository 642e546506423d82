import TestSupport

/// An expression as SQL text, and its value for a row, computed in the simplest way.
struct NaiveExpression {
  let sql: String
  let value: (NaiveRow) -> NaiveValue
}

/// A condition; `nil` is SQL's UNKNOWN.
struct NaiveCondition {
  let sql: String
  let truth: (NaiveRow) -> Bool?
}

extension NaiveExpression {
  static var n: NaiveExpression { NaiveExpression(sql: "n", value: \.n) }

  static func long(_ random: inout SeededGenerator, depth: Int = 2) -> NaiveExpression {
    guard depth > 0, random.below(3) > 0 else {
      if random.below(3) > 0 { return .n }
      let number = random.below(9) - 4
      return NaiveExpression(sql: number < 0 ? "(\(number))" : "\(number)") { _ in .long(number) }
    }
    let a = long(&random, depth: depth - 1)
    switch random.below(7) {
    case 0: return binary("+", a, long(&random, depth: depth - 1)) { $0 + $1 }
    case 1: return binary("-", a, long(&random, depth: depth - 1)) { $0 - $1 }
    case 2: return binary("*", a, long(&random, depth: depth - 1)) { $0 * $1 }
    case 3:
      let divisor = 1 + random.below(4)
      return NaiveExpression(sql: "(\(a.sql) / \(divisor))") { row in
        if case .long(let number) = a.value(row) { .long(number / divisor) } else { .null }
      }
    case 4:
      return NaiveExpression(sql: "ABS(\(a.sql))") { row in
        if case .long(let number) = a.value(row) { .long(abs(number)) } else { .null }
      }
    case 5:
      let other = random.below(5)
      return NaiveExpression(sql: "COALESCE(\(a.sql), \(other))") { row in
        let value = a.value(row)
        return value == .null ? .long(other) : value
      }
    default:
      let condition = NaiveCondition.any(&random, depth: 1)
      let b = long(&random, depth: depth - 1)
      return NaiveExpression(sql: "CASE WHEN \(condition.sql) THEN \(a.sql) ELSE \(b.sql) END") {
        condition.truth($0) == true ? a.value($0) : b.value($0)
      }
    }
  }

  static func double(_ random: inout SeededGenerator) -> NaiveExpression {
    let x = NaiveExpression(sql: "x", value: \.x)
    switch random.below(4) {
    case 0:
      let factor = random.below(4)
      return NaiveExpression(sql: "(x * \(factor))") { row in
        row.x.number.map { .double($0 * Double(factor)) } ?? .null
      }
    case 1:
      return NaiveExpression(sql: "(x + n)") { row in
        guard let x = row.x.number, let n = row.n.number else { return .null }
        return .double(x + n)
      }
    case 2:
      return NaiveExpression(sql: "CAST(n AS DOUBLE)") { row in
        row.n.number.map { .double($0) } ?? .null
      }
    default: return x
    }
  }

  static func text(_ random: inout SeededGenerator) -> NaiveExpression {
    let column =
      random.below(2) == 0
      ? NaiveExpression(sql: "g", value: \.g) : NaiveExpression(sql: "s", value: \.s)
    switch random.below(5) {
    case 0: return map("UPPER(\(column.sql))", column) { $0.uppercased() }
    case 1: return map("(\(column.sql) || '-')", column) { $0 + "-" }
    case 2:
      return NaiveExpression(sql: "COALESCE(\(column.sql), 'none')") { row in
        let value = column.value(row)
        return value == .null ? .text("none") : value
      }
    default: return column
    }
  }

  private static func map(
    _ sql: String, _ a: NaiveExpression, _ body: @escaping (String) -> String
  ) -> NaiveExpression {
    NaiveExpression(sql: sql) { row in
      if case .text(let text) = a.value(row) { .text(body(text)) } else { .null }
    }
  }

  static func binary(
    _ sign: String, _ a: NaiveExpression, _ b: NaiveExpression,
    _ body: @escaping (Int, Int) -> Int
  ) -> NaiveExpression {
    NaiveExpression(sql: "(\(a.sql) \(sign) \(b.sql))") { row in
      guard case .long(let x) = a.value(row), case .long(let y) = b.value(row) else {
        return .null
      }
      return .long(body(x, y))
    }
  }
}

extension NaiveCondition {
  static func any(_ random: inout SeededGenerator, depth: Int = 2) -> NaiveCondition {
    if depth > 0, random.below(2) == 0 {
      let a = any(&random, depth: depth - 1)
      switch random.below(3) {
      case 0:
        return NaiveCondition(sql: "NOT (\(a.sql))") { a.truth($0).map { !$0 } }
      case 1:
        let b = any(&random, depth: depth - 1)
        return NaiveCondition(sql: "(\(a.sql) AND \(b.sql))") { row in
          let (p, q) = (a.truth(row), b.truth(row))
          return p == false || q == false ? false : p == nil || q == nil ? nil : true
        }
      default:
        let b = any(&random, depth: depth - 1)
        return NaiveCondition(sql: "(\(a.sql) OR \(b.sql))") { row in
          let (p, q) = (a.truth(row), b.truth(row))
          return p == true || q == true ? true : p == nil || q == nil ? nil : false
        }
      }
    }
    return leaf(&random)
  }

  private static func leaf(_ random: inout SeededGenerator) -> NaiveCondition {
    switch random.below(8) {
    case 0:
      let column = random.pick([("g", \NaiveRow.g), ("s", \.s), ("n", \.n), ("x", \.x)])
      return NaiveCondition(sql: "\(column.0) IS NULL") { $0[keyPath: column.1] == .null }
    case 1:
      return NaiveCondition(sql: "g IN ('a', 'c')") { row in
        row.g == .null ? nil : row.g == .text("a") || row.g == .text("c")
      }
    case 2:
      return NaiveCondition(sql: "n NOT IN (1, 2, -3)") { row in
        row.n == .null ? nil : ![.long(1), .long(2), .long(-3)].contains(row.n)
      }
    case 3:
      return NaiveCondition(sql: "n BETWEEN -2 AND 4") { row in
        row.n.number.map { $0 >= -2 && $0 <= 4 }
      }
    case 4:
      return NaiveCondition(sql: "s LIKE 'a%'") { row in
        if case .text(let text) = row.s { text.hasPrefix("a") } else { nil }
      }
    case 5:
      let limit = 1_767_225_600 + random.below(48) * 1800
      let moment = "MILLIS_TO_TIMESTAMP(\(limit)000)"
      return NaiveCondition(sql: "__time < \(moment)") { $0.timestamp < limit }
    case 6:
      let a = NaiveExpression.text(&random)
      let word = random.pick(["a", "apple", "", "PEAR", "none"])
      return NaiveCondition(sql: "\(a.sql) = '\(word)'") { row in
        let value = a.value(row)
        return value == .null ? nil : value == .text(word)
      }
    default:
      let a = NaiveExpression.long(&random, depth: 1)
      let b = random.below(11) - 5
      let (sign, holds) = random.pick(
        [
          ("=", { $0 == $1 }), ("<>", { $0 != $1 }), ("<", { $0 < $1 }), (">=", { $0 >= $1 }),
        ] as [(String, (Int, Int) -> Bool)])
      return NaiveCondition(sql: "\(a.sql) \(sign) \(b)") { row in
        if case .long(let number) = a.value(row) { holds(number, b) } else { nil }
      }
    }
  }
}
