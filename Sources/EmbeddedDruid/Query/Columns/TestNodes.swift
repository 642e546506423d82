import DruidSQL
import JavaValues

/// The values of SQL's three-valued logic.
enum Truth {
  static let `false`: UInt8 = 0
  static let `true`: UInt8 = 1
  static let unknown: UInt8 = 2
}

/// A condition, evaluated for each selected row.
class TestNode: ChunkNode {
  let truth: Lane<UInt8>
  private let room = LaneRoom<UInt8>()

  override init() { truth = room.lane }
}

/// AND or OR.
final class LogicalNode: TestNode {
  private let tests: [TestNode]
  private let isAnd: Bool

  init(_ tests: [TestNode], isAnd: Bool) {
    self.tests = tests
    self.isAnd = isAnd
  }

  override func compute(_ rows: SelectedRows) throws {
    let truth = truth
    let (neutral, decided) = isAnd ? (Truth.true, Truth.false) : (Truth.false, Truth.true)
    for index in 0..<rows.count { truth[index] = neutral }
    for test in tests {
      try test.evaluate(rows)
      let other = test.truth
      for index in 0..<rows.count {
        let (one, two) = (truth[index], other[index])
        truth[index] =
          one == decided || two == decided
          ? decided : one == Truth.unknown || two == Truth.unknown ? Truth.unknown : neutral
      }
    }
  }
}

final class NotNode: TestNode {
  private let test: TestNode

  init(_ test: TestNode) { self.test = test }

  override func compute(_ rows: SelectedRows) throws {
    try test.evaluate(rows)
    let (truth, other) = (truth, test.truth)
    for index in 0..<rows.count {
      truth[index] = other[index] == Truth.unknown ? Truth.unknown : 1 - other[index]
    }
  }
}

final class NullNode: TestNode {
  private let operand: NumberNode

  init(_ operand: NumberNode) { self.operand = operand }

  override func compute(_ rows: SelectedRows) throws {
    try operand.evaluate(rows)
    let (truth, nulls) = (truth, operand.nulls)
    for index in 0..<rows.count { truth[index] = nulls[index] }
  }
}

/// A comparison of two numbers.
final class ComparisonNode: TestNode {
  private let comparison: ColumnGrouping.Comparison
  private let left: NumberNode
  private let right: NumberNode

  init(_ comparison: ColumnGrouping.Comparison, _ left: NumberNode, _ right: NumberNode) {
    self.comparison = comparison
    self.left = left
    self.right = right
  }

  override func compute(_ rows: SelectedRows) throws {
    try left.evaluate(rows)
    try right.evaluate(rows)
    if !left.isReal && !right.isReal {
      let (one, other) = (left.bits, right.bits)
      compare(rows.count) {
        one[$0]
      } _: {
        other[$0]
      }
    } else {
      let (one, other) = (try reals(left, rows), try reals(right, rows))
      compare(rows.count) {
        one[$0]
      } _: {
        other[$0]
      }
    }
    let (truth, leftNulls, rightNulls) = (truth, left.nulls, right.nulls)
    for index in 0..<rows.count where leftNulls[index] | rightNulls[index] != 0 {
      truth[index] = Truth.unknown
    }
  }

  /// The numbers as doubles, if the conversion changes none of them.
  private func reals(_ node: NumberNode, _ rows: SelectedRows) throws -> Lane<Double> {
    if node.isReal {
      let (reals, nulls) = (node.reals, node.nulls)
      var hasNegativeZero = false
      for index in 0..<rows.count {
        let isNegativeZero = reals[index] == 0 && reals[index].sign == .minus
        hasNegativeZero = hasNegativeZero || (isNegativeZero && nulls[index] == 0)
      }
      // Druid distinguishes it from 0 in some cases.
      if hasNegativeZero { throw Unsuited("-0.0 in a comparison") }
      return reals
    }
    let converted = converted ?? RealNode(node)
    self.converted = converted
    let (bits, nulls) = (node.bits, node.nulls)
    for index in 0..<rows.count where nulls[index] == 0 && bits[index].magnitude > 1 << 53 {
      throw Unsuited("a long that no double holds in a comparison")
    }
    try converted.evaluate(rows)
    return converted.reals
  }

  private var converted: RealNode?

  @inline(__always)
  private func compare<Number: Comparable>(
    _ count: Int, _ one: (Int) -> Number, _ other: (Int) -> Number
  ) {
    let truth = truth
    switch comparison {
    case .equal: for index in 0..<count { truth[index] = one(index) == other(index) ? 1 : 0 }
    case .unequal: for index in 0..<count { truth[index] = one(index) != other(index) ? 1 : 0 }
    case .less: for index in 0..<count { truth[index] = one(index) < other(index) ? 1 : 0 }
    case .atMost: for index in 0..<count { truth[index] = one(index) <= other(index) ? 1 : 0 }
    case .greater: for index in 0..<count { truth[index] = one(index) > other(index) ? 1 : 0 }
    case .atLeast: for index in 0..<count { truth[index] = one(index) >= other(index) ? 1 : 0 }
    }
  }
}

/// A condition that SQLite evaluates, once for each distinct input.
final class ComputedTestNode: TestNode {
  private let memo: Memo
  /// By code; 3 while it is not known.
  private var known: [UInt8] = []

  init(_ memo: Memo) { self.memo = memo }

  override func compute(_ rows: SelectedRows) throws {
    try memo.encode(rows)
    while known.count < memo.count { known.append(3) }
    let (codes, truth) = (memo.codes, truth)
    var known: [UInt8] = []
    swap(&known, &self.known)
    defer { swap(&known, &self.known) }
    for index in 0..<rows.count {
      let code = Int(codes[index])
      var value = known[code]
      if value == 3 {
        value = try Self.judge(memo.value(UInt32(code)))
        known[code] = value
      }
      truth[index] = value
    }
  }

  private static func judge(_ value: SQLValue) throws -> UInt8 {
    switch value {
    case .null: return Truth.unknown
    case .integer(let number): return number == 0 ? Truth.false : Truth.true
    default: throw Unsuited("a condition without a truth value")
    }
  }
}
