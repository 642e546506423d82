import DruidSQL
import JavaValues

/// Rows of one chunk, and the group of each.
struct GroupedRows {
  let rows: SelectedRows
  let groups: Lane<UInt32>
  let groupCount: Int
  /// What an aggregate's filter says of each row; nil without one.
  var truth: Lane<UInt8>?

  /// Calls `body` with the number of each row that the filter keeps, and its group.
  @inline(__always)
  func forEach(_ body: (_ index: Int, _ group: Int) -> Void) {
    for index in 0..<rows.count where truth?[index] ?? 1 == Truth.true {
      body(index, Int(groups[index]))
    }
  }

  /// The same for the rows in which a number is not NULL.
  @inline(__always)
  func forEach(of argument: NumberNode, _ body: (_ index: Int, _ group: Int) -> Void) {
    let nulls = argument.nulls
    for index in 0..<rows.count where nulls[index] == 0 && truth?[index] ?? 1 == Truth.true {
      body(index, Int(groups[index]))
    }
  }
}

/// An aggregate of all groups. It takes rows in the same order as SQLite, so that sums of doubles
/// are equal.
class Aggregator {
  let filter: TestNode?

  init(filter: TestNode?) { self.filter = filter }

  final func add(_ rows: GroupedRows) throws {
    try filter?.evaluate(rows.rows)
    var kept = rows
    kept.truth = filter?.truth
    try take(kept)
  }

  func take(_ rows: GroupedRows) throws {}

  /// The result for a group, which may have no rows.
  func cell(_ group: Int) -> GroupCell { .null }
}

/// An aggregate of an argument, which is computed first.
class ArgumentAggregator<Argument: ChunkNode>: Aggregator {
  let argument: Argument

  init(_ argument: Argument, filter: TestNode?) {
    self.argument = argument
    super.init(filter: filter)
  }

  override final func take(_ rows: GroupedRows) throws {
    try argument.evaluate(rows.rows)
    try takeArgument(rows)
  }

  func takeArgument(_ rows: GroupedRows) throws {}
}

/// COUNT(*).
final class RowCountAggregator: Aggregator {
  let counts = GroupLane<Int64>(0)

  override func take(_ rows: GroupedRows) throws {
    counts.grow(to: rows.groupCount)
    let counts = counts.lane
    if let truth = rows.truth {
      for index in 0..<rows.rows.count {
        counts[Int(rows.groups[index])] += truth[index] == Truth.true ? 1 : 0
      }
    } else {
      for index in 0..<rows.rows.count { counts[Int(rows.groups[index])] += 1 }
    }
  }

  override func cell(_ group: Int) -> GroupCell { .long(counts[group]) }
}

/// COUNT of numbers.
final class CountAggregator: ArgumentAggregator<NumberNode> {
  private let counts = GroupLane<Int64>(0)

  override func takeArgument(_ rows: GroupedRows) {
    counts.grow(to: rows.groupCount)
    let counts = counts.lane
    rows.forEach(of: argument) { _, group in counts[group] += 1 }
  }

  override func cell(_ group: Int) -> GroupCell { .long(counts[group]) }
}

/// COUNT of values other than numbers, and the exact COUNT(DISTINCT ...).
final class CodeCountAggregator: ArgumentAggregator<CodeNode> {
  private let counts = GroupLane<Int64>(0)
  /// By code: whether it is NULL.
  private var isNull: [Bool] = []
  /// The groups and codes that were counted, to count each of them once.
  private let seen: CodeTable?

  init(_ argument: CodeNode, isDistinct: Bool, filter: TestNode?) {
    seen = isDistinct ? CodeTable() : nil
    super.init(argument, filter: filter)
  }

  override func takeArgument(_ rows: GroupedRows) throws {
    counts.grow(to: rows.groupCount)
    while isNull.count < argument.count {
      isNull.append(argument.cell(UInt32(isNull.count)).isNull)
    }
    let (codes, counts) = (argument.codes, counts.lane)
    guard let seen else {
      rows.forEach { index, group in if !isNull[Int(codes[index])] { counts[group] += 1 } }
      return
    }
    rows.forEach { index, group in
      let code = codes[index]
      if !isNull[Int(code)], seen.insert(UInt64(group) << 32 | UInt64(code)) { counts[group] += 1 }
    }
    if seen.count > ColumnGroups.limit { throw Unsuited("too many distinct values") }
  }

  override func cell(_ group: Int) -> GroupCell { .long(counts[group]) }
}

/// SUM of longs, which wraps around; NULL for no rows.
final class LongSumAggregator: ArgumentAggregator<NumberNode> {
  private let sums = GroupLane<Int64>(0)
  private let hasAny = GroupLane<Bool>(false)

  init(longs argument: NumberNode, filter: TestNode?) throws {
    guard !argument.isReal else { throw Unsuited("a sum of longs over doubles") }
    super.init(argument, filter: filter)
  }

  override func takeArgument(_ rows: GroupedRows) {
    sums.grow(to: rows.groupCount)
    hasAny.grow(to: rows.groupCount)
    let (sums, hasAny, bits) = (sums.lane, hasAny.lane, argument.bits)
    rows.forEach(of: argument) { index, group in
      sums[group] &+= bits[index]
      hasAny[group] = true
    }
  }

  override func cell(_ group: Int) -> GroupCell { hasAny[group] ? .long(sums[group]) : .null }
}

/// SUM and AVG as in SQLite: a double that starts at 0 and adds row after row.
final class RealSumAggregator: ArgumentAggregator<NumberNode> {
  private let isAverage: Bool
  private let sums = GroupLane<Double>(0)
  private let counts = GroupLane<Int64>(0)

  init(_ argument: NumberNode, isAverage: Bool, filter: TestNode?) throws {
    // SQLite's SUM of longs is a long.
    guard isAverage || argument.isReal else { throw Unsuited("a sum of doubles over longs") }
    self.isAverage = isAverage
    super.init(argument, filter: filter)
  }

  override func takeArgument(_ rows: GroupedRows) {
    sums.grow(to: rows.groupCount)
    counts.grow(to: rows.groupCount)
    let (sums, counts) = (sums.lane, counts.lane)
    let (bits, reals, isReal) = (argument.bits, argument.reals, argument.isReal)
    rows.forEach(of: argument) { index, group in
      sums[group] += isReal ? reals[index] : Double(bits[index])
      counts[group] += 1
    }
  }

  override func cell(_ group: Int) -> GroupCell {
    guard counts[group] > 0 else { return .null }
    return .real(isAverage ? sums[group] / Double(counts[group]) : sums[group])
  }
}

/// MIN and MAX. Of equal values, the first is kept.
final class ExtremeAggregator: ArgumentAggregator<NumberNode> {
  private let isMaximum: Bool
  private let best = GroupLane<Int64>(0)
  private let hasAny = GroupLane<Bool>(false)

  init(_ argument: NumberNode, isMaximum: Bool, filter: TestNode?) {
    self.isMaximum = isMaximum
    super.init(argument, filter: filter)
  }

  override func takeArgument(_ rows: GroupedRows) {
    best.grow(to: rows.groupCount)
    hasAny.grow(to: rows.groupCount)
    let (best, hasAny) = (best.lane, hasAny.lane)
    let (bits, isReal, isMaximum) = (argument.bits, argument.isReal, isMaximum)
    rows.forEach(of: argument) { index, group in
      let (old, new) = (best[group], bits[index])
      let isBetter =
        !hasAny[group]
        || (isReal
          ? Self.isBetter(Self.real(new), than: Self.real(old), isMaximum)
          : isMaximum ? new > old : new < old)
      hasAny[group] = true
      if isBetter { best[group] = new }
    }
  }

  @inline(__always)
  private static func real(_ bits: Int64) -> Double {
    Double(bitPattern: UInt64(bitPattern: bits))
  }

  /// -0.0 comes before 0.0.
  @inline(__always)
  private static func isBetter(_ new: Double, than old: Double, _ isMaximum: Bool) -> Bool {
    if old == new, old == 0, old.sign != new.sign { return (new.sign == .minus) != isMaximum }
    return isMaximum ? new > old : new < old
  }

  override func cell(_ group: Int) -> GroupCell {
    guard hasAny[group] else { return .null }
    return argument.isReal ? .real(Self.real(best[group])) : .long(best[group])
  }
}

/// Druid's estimate of COUNT(DISTINCT ...).
final class EstimateAggregator: ArgumentAggregator<CodeNode> {
  private let isFloat: Bool
  private var registers: [HyperLogLog] = []
  /// By code: the effect of a value on the registers; nil for NULL.
  private var places: [HyperLogLog.Place?] = []

  init(_ argument: CodeNode, isFloat: Bool, filter: TestNode?) {
    self.isFloat = isFloat
    super.init(argument, filter: filter)
  }

  override func takeArgument(_ rows: GroupedRows) throws {
    // Each group has 2 KiB of registers.
    if rows.groupCount > 20_000 { throw Unsuited("estimates for too many groups") }
    while registers.count < rows.groupCount { registers.append(HyperLogLog()) }
    while places.count < argument.count {
      places.append(place(argument.cell(UInt32(places.count))))
    }
    let codes = argument.codes
    rows.forEach { index, group in
      if let place = places[Int(codes[index])] { registers[group].add(place) }
    }
  }

  private func place(_ cell: GroupCell) -> HyperLogLog.Place? {
    switch cell {
    case .null: nil
    case .long(let value): HyperLogLog.place(of: value)
    case .real(let value):
      isFloat ? HyperLogLog.place(of: Float(value)) : HyperLogLog.place(of: value)
    case .entry(let entry): HyperLogLog.place(of: entry.string)
    case .text(let text): HyperLogLog.place(of: text)
    }
  }

  override func cell(_ group: Int) -> GroupCell {
    .long(group < registers.count ? registers[group].count : 0)
  }
}

extension GroupCell {
  var isNull: Bool { if case .null = self { true } else { false } }
}
