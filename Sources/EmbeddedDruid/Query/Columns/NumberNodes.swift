import DruidSQL
import Glibc
import JavaValues

/// A number for each selected row. All rows have the same kind of number, so loops do not check it.
///
/// Each computation is a subclass, with one call per chunk.
class NumberNode: ChunkNode {
  let isReal: Bool
  /// By row: longs, or doubles as bits.
  let bits: Lane<Int64>
  let reals: Lane<Double>
  /// 1 for NULL; the value in `bits` is then undefined.
  let nulls: Lane<UInt8>
  private let room: LaneRoom<Int64>
  private let nullRoom: LaneRoom<UInt8>

  init(isReal: Bool) {
    self.isReal = isReal
    room = LaneRoom()
    nullRoom = LaneRoom()
    bits = room.lane
    reals = Lane(sharing: room.lane)
    nulls = nullRoom.lane
  }
}

/// A datasource's column, collected for the selected rows.
final class ColumnNode: NumberNode {
  private let values: Int
  private let nullMarks: Int?

  init(_ schema: TableSchema, _ layout: ChunkLayout, _ column: Int) {
    values = layout.values[column]
    let kind = schema.columns[column].kind
    nullMarks = kind == .time ? nil : layout.nulls[column]
    super.init(isReal: kind == .double || kind == .float)
  }

  override func compute(_ rows: SelectedRows) throws {
    let source: Lane<Int64> = rows.column(at: values)
    let (bits, nulls) = (bits, self.nulls)
    rows.forEach { index, place in bits[index] = source[place] }
    if let nullMarks {
      let marks: Lane<UInt8> = rows.column(at: nullMarks)
      rows.forEach { index, place in nulls[index] = marks[place] }
    }
    guard isReal else { return }
    let reals = reals
    var hasNaN = false
    for index in 0..<rows.count { hasNaN = hasNaN || reals[index].isNaN }
    // SQLite represents it as a text.
    if hasNaN { throw Unsuited("NaN in a column") }
  }
}

final class ConstantNode: NumberNode {
  /// - Parameter value: nil for NULL.
  init(long value: Int64?) {
    super.init(isReal: false)
    fill(value)
  }

  init(real value: Double) {
    super.init(isReal: true)
    fill(Int64(bitPattern: value.bitPattern))
  }

  /// NULL, in place of a long or a double.
  init(nullAsReal isReal: Bool) {
    super.init(isReal: isReal)
    fill(nil)
  }

  private func fill(_ value: Int64?) {
    for index in 0..<TableSchema.chunkRows {
      bits[index] = value ?? 0
      nulls[index] = value == nil ? 1 : 0
    }
  }
}

final class ArithmeticNode: NumberNode {
  private let operation: ColumnGrouping.Operation
  private let left: NumberNode
  private let right: NumberNode

  init(
    _ operation: ColumnGrouping.Operation, isReal: Bool, _ left: NumberNode, _ right: NumberNode
  ) throws {
    // SQLite computes a long from two longs, and its division differs from Java's in some cases.
    guard isReal == (left.isReal || right.isReal), isReal || operation != .divide else {
      throw Unsuited("arithmetic of these kinds")
    }
    self.operation = operation
    self.left = left
    self.right = right
    super.init(isReal: isReal)
  }

  override func compute(_ rows: SelectedRows) throws {
    try left.evaluate(rows)
    try right.evaluate(rows)
    let (count, bits, reals) = (rows.count, bits, self.reals)
    let (nulls, leftNulls, rightNulls) = (nulls, left.nulls, right.nulls)
    for index in 0..<count { nulls[index] = leftNulls[index] | rightNulls[index] }
    guard isReal else {
      let (one, other) = (left.bits, right.bits)
      switch operation {
      case .add: for index in 0..<count { bits[index] = one[index] &+ other[index] }
      case .subtract: for index in 0..<count { bits[index] = one[index] &- other[index] }
      case .multiply: for index in 0..<count { bits[index] = one[index] &* other[index] }
      case .divide: throw Unsuited("a division of longs")
      }
      return
    }
    switch (left.isReal, right.isReal) {
    case (true, true):
      let (one, other) = (left.reals, right.reals)
      apply(count) {
        one[$0]
      } _: {
        other[$0]
      }
    case (true, false):
      let (one, other) = (left.reals, right.bits)
      apply(count) {
        one[$0]
      } _: {
        Double(other[$0])
      }
    default:
      let (one, other) = (left.bits, right.reals)
      apply(count) {
        Double(one[$0])
      } _: {
        other[$0]
      }
    }
    var hasNaN = false
    for index in 0..<count { hasNaN = hasNaN || (reals[index].isNaN && nulls[index] == 0) }
    // SQLite returns NULL for some of them, and a text for others.
    if hasNaN { throw Unsuited("a result that is not a number") }
  }

  @inline(__always)
  private func apply(_ count: Int, _ one: (Int) -> Double, _ other: (Int) -> Double) {
    let reals = reals
    switch operation {
    case .add: for index in 0..<count { reals[index] = one(index) + other(index) }
    case .subtract: for index in 0..<count { reals[index] = one(index) - other(index) }
    case .multiply: for index in 0..<count { reals[index] = one(index) * other(index) }
    case .divide: for index in 0..<count { reals[index] = one(index) / other(index) }
    }
  }
}

/// A long converted to a double.
final class RealNode: NumberNode {
  private let operand: NumberNode

  init(_ operand: NumberNode) {
    self.operand = operand
    super.init(isReal: true)
  }

  override func compute(_ rows: SelectedRows) throws {
    try operand.evaluate(rows)
    let (bits, reals, from) = (operand.bits, reals, operand.reals)
    let (nulls, marks) = (nulls, operand.nulls)
    for index in 0..<rows.count {
      reals[index] = operand.isReal ? from[index] : Double(bits[index])
      nulls[index] = marks[index]
    }
  }
}

/// A time truncated to a span of fixed length.
final class FloorNode: NumberNode {
  private let operand: NumberNode
  private let length: Int64
  private let origin: Int64

  init(_ operand: NumberNode, length: Int64, origin: Int64) throws {
    guard !operand.isReal, length > 0 else { throw Unsuited("a floor of this") }
    self.operand = operand
    self.length = length
    self.origin = origin
    super.init(isReal: false)
  }

  override func compute(_ rows: SelectedRows) throws {
    try operand.evaluate(rows)
    let (bits, from) = (bits, operand.bits)
    let (nulls, marks) = (nulls, operand.nulls)
    // Neighbouring rows are usually in the same span.
    var start = Int64.max
    var end = Int64.min
    for index in 0..<rows.count {
      let time = from[index]
      if time < start || time >= end {
        start = Self.start(time, length, origin)
        end = start &+ length
      }
      bits[index] = start
      nulls[index] = marks[index]
    }
  }
}

extension FloorNode {
  /// The start of the span that contains a time.
  fileprivate static func start(_ time: Int64, _ length: Int64, _ origin: Int64) -> Int64 {
    let rest = (time &- origin) % length
    return time &- (rest < 0 ? rest + length : rest)
  }
}

/// The result of the first condition that is true.
final class ConditionalNode: NumberNode {
  private let branches: [(test: TestNode, result: NumberNode)]
  private let otherwise: NumberNode

  init(_ branches: [(test: TestNode, result: NumberNode)], otherwise: NumberNode) throws {
    self.branches = branches
    self.otherwise = otherwise
    guard branches.allSatisfy({ $0.result.isReal == otherwise.isReal }) else {
      throw Unsuited("a CASE of longs and doubles")
    }
    super.init(isReal: otherwise.isReal)
  }

  override func compute(_ rows: SelectedRows) throws {
    try otherwise.evaluate(rows)
    let (bits, nulls) = (bits, self.nulls)
    let (last, lastNulls) = (otherwise.bits, otherwise.nulls)
    for index in 0..<rows.count {
      bits[index] = last[index]
      nulls[index] = lastNulls[index]
    }
    for (test, result) in branches.reversed() {
      try test.evaluate(rows)
      try result.evaluate(rows)
      let (truth, from, fromNulls) = (test.truth, result.bits, result.nulls)
      for index in 0..<rows.count where truth[index] == Truth.true {
        bits[index] = from[index]
        nulls[index] = fromNulls[index]
      }
    }
  }
}

/// An expression that SQLite evaluates, once for each distinct input.
final class ComputedNumberNode: NumberNode {
  private let memo: Memo
  /// By code: the number and its null mark, or 2 while it is not known.
  private var known: [(bits: Int64, null: UInt8)] = []

  init(_ memo: Memo, isReal: Bool) {
    self.memo = memo
    super.init(isReal: isReal)
  }

  override func compute(_ rows: SelectedRows) throws {
    try memo.encode(rows)
    let codes = memo.codes
    while known.count < memo.count { known.append((0, 2)) }
    for index in 0..<rows.count {
      let code = Int(codes[index])
      if known[code].null == 2 { known[code] = try number(memo.value(UInt32(code))) }
      bits[index] = known[code].bits
      nulls[index] = known[code].null
    }
  }

  private func number(_ value: SQLValue) throws -> (bits: Int64, null: UInt8) {
    switch value {
    case .null: return (0, 1)
    case .integer(let number) where !isReal: return (number, 0)
    case .real(let number) where isReal && !number.isNaN:
      return (Int64(bitPattern: number.bitPattern), 0)
    default: throw Unsuited("a computed value of another kind")
    }
  }
}

extension Lane where Element == Double {
  /// The same memory, read as doubles.
  init(sharing other: Lane<Int64>) {
    unsafe start = UnsafeMutableRawPointer(other.start).assumingMemoryBound(to: Double.self)
  }
}
