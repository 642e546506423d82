import DruidSQL
import JavaValues

/// An aggregate of all groups. It takes rows in the same order as SQLite, so that sums of doubles
/// are equal.
class Aggregator {
  let filter: TestNode?

  init(filter: TestNode?) { self.filter = filter }

  /// - Parameter groups: the group of each row.
  final func add(_ rows: SelectedRows, _ groups: Lane<UInt32>, groupCount: Int) throws {
    try filter?.evaluate(rows)
    try add(rows.count, rows, groups, groupCount, filter?.truth)
  }

  func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {}

  /// The result for a group, which may have no rows.
  func cell(_ group: Int) -> GroupCell { .null }
}

/// COUNT(*), and COUNT of numbers.
final class CountAggregator: Aggregator {
  private let argument: NumberNode?
  let counts = GroupLane<Int64>(0)

  init(_ argument: NumberNode?, filter: TestNode?) {
    self.argument = argument
    super.init(filter: filter)
  }

  override func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {
    try argument?.evaluate(rows)
    counts.grow(to: groupCount)
    let counts = counts.lane
    if let nulls = argument?.nulls {
      for index in 0..<count where nulls[index] == 0 && truth?[index] ?? 1 == Truth.true {
        counts[Int(groups[index])] += 1
      }
    } else if let truth {
      for index in 0..<count {
        counts[Int(groups[index])] += truth[index] == Truth.true ? 1 : 0
      }
    } else {
      for index in 0..<count { counts[Int(groups[index])] += 1 }
    }
  }

  override func cell(_ group: Int) -> GroupCell {
    .long(counts[group])
  }
}

/// COUNT of values other than numbers.
final class CodeCountAggregator: Aggregator {
  private let argument: CodeNode
  private let counts = GroupLane<Int64>(0)
  /// By code: whether it is NULL.
  private var isNull: [Bool] = []

  init(_ argument: CodeNode, filter: TestNode?) {
    self.argument = argument
    super.init(filter: filter)
  }

  override func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {
    try argument.evaluate(rows)
    counts.grow(to: groupCount)
    while isNull.count < argument.count {
      isNull.append(argument.cell(UInt32(isNull.count)).isNull)
    }
    let (codes, counts) = (argument.codes, counts.lane)
    for index in 0..<count where truth?[index] ?? 1 == Truth.true {
      if !isNull[Int(codes[index])] { counts[Int(groups[index])] += 1 }
    }
  }

  override func cell(_ group: Int) -> GroupCell {
    .long(counts[group])
  }
}

/// SUM of longs, which wraps around; NULL for no rows.
final class LongSumAggregator: Aggregator {
  private let argument: NumberNode
  private let sums = GroupLane<Int64>(0)
  private let hasAny = GroupLane<Bool>(false)

  init(_ argument: NumberNode, filter: TestNode?) throws {
    guard !argument.isReal else { throw Unsuited("a sum of longs over doubles") }
    self.argument = argument
    super.init(filter: filter)
  }

  override func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {
    try argument.evaluate(rows)
    sums.grow(to: groupCount)
    hasAny.grow(to: groupCount)
    let sums = sums.lane
    let hasAny = hasAny.lane
    let (bits, nulls) = (argument.bits, argument.nulls)
    for index in 0..<count where nulls[index] == 0 && truth?[index] ?? 1 == Truth.true {
      let group = Int(groups[index])
      sums[group] &+= bits[index]
      hasAny[group] = true
    }
  }

  override func cell(_ group: Int) -> GroupCell {
    hasAny[group] ? .long(sums[group]) : .null
  }
}

/// SUM and AVG as in SQLite: a double that starts at 0 and adds row after row.
final class RealSumAggregator: Aggregator {
  private let argument: NumberNode
  private let isAverage: Bool
  private let sums = GroupLane<Double>(0)
  private let counts = GroupLane<Int64>(0)

  init(_ argument: NumberNode, isAverage: Bool, filter: TestNode?) throws {
    // SQLite's SUM of longs is a long.
    guard isAverage || argument.isReal else { throw Unsuited("a sum of doubles over longs") }
    self.argument = argument
    self.isAverage = isAverage
    super.init(filter: filter)
  }

  override func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {
    try argument.evaluate(rows)
    sums.grow(to: groupCount)
    counts.grow(to: groupCount)
    let sums = sums.lane
    let counts = counts.lane
    let (bits, reals, nulls, isReal) = (
      argument.bits, argument.reals, argument.nulls, argument.isReal
    )
    for index in 0..<count where nulls[index] == 0 && truth?[index] ?? 1 == Truth.true {
      let group = Int(groups[index])
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
final class ExtremeAggregator: Aggregator {
  private let argument: NumberNode
  private let isMaximum: Bool
  private let best = GroupLane<Int64>(0)
  private let hasAny = GroupLane<Bool>(false)

  init(_ argument: NumberNode, isMaximum: Bool, filter: TestNode?) {
    self.argument = argument
    self.isMaximum = isMaximum
    super.init(filter: filter)
  }

  override func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {
    try argument.evaluate(rows)
    best.grow(to: groupCount)
    hasAny.grow(to: groupCount)
    let best = best.lane
    let hasAny = hasAny.lane
    let (bits, nulls, isReal) = (argument.bits, argument.nulls, argument.isReal)
    for index in 0..<count where nulls[index] == 0 && truth?[index] ?? 1 == Truth.true {
      let group = Int(groups[index])
      let (old, new) = (best[group], bits[index])
      guard hasAny[group] else {
        best[group] = new
        hasAny[group] = true
        continue
      }
      let isBetter: Bool
      if isReal {
        let (one, other) = (
          Double(bitPattern: UInt64(bitPattern: old)), Double(bitPattern: UInt64(bitPattern: new))
        )
        // -0.0 comes before 0.0.
        let isEqual = one == other && one == 0 && one.sign != other.sign
        isBetter =
          isEqual
          ? (other.sign == .minus) != isMaximum : isMaximum ? other > one : other < one
      } else {
        isBetter = isMaximum ? new > old : new < old
      }
      if isBetter { best[group] = new }
    }
  }

  override func cell(_ group: Int) -> GroupCell {
    guard hasAny[group] else { return .null }
    let value = best[group]
    return argument.isReal ? .real(Double(bitPattern: UInt64(bitPattern: value))) : .long(value)
  }
}

/// Exact COUNT(DISTINCT ...).
final class DistinctAggregator: Aggregator {
  private let argument: CodeNode
  private let seen = CodeTable()
  private let counts = GroupLane<Int64>(0)
  private var isNull: [Bool] = []

  init(_ argument: CodeNode, filter: TestNode?) {
    self.argument = argument
    super.init(filter: filter)
  }

  override func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {
    try argument.evaluate(rows)
    counts.grow(to: groupCount)
    while isNull.count < argument.count {
      isNull.append(argument.cell(UInt32(isNull.count)).isNull)
    }
    let (codes, counts) = (argument.codes, counts.lane)
    for index in 0..<count where truth?[index] ?? 1 == Truth.true {
      let (group, code) = (groups[index], codes[index])
      if isNull[Int(code)] { continue }
      if seen.insert(UInt64(group) << 32 | UInt64(code)) { counts[Int(group)] += 1 }
    }
    if seen.count > ColumnGroups.limit { throw Unsuited("too many distinct values") }
  }

  override func cell(_ group: Int) -> GroupCell {
    .long(counts[group])
  }
}

/// Druid's estimate of COUNT(DISTINCT ...).
final class EstimateAggregator: Aggregator {
  private let argument: CodeNode
  private let isFloat: Bool
  private var registers: [HyperLogLog] = []
  /// By code: the effect of a value on the registers; nil for NULL.
  private var places: [HyperLogLog.Place?] = []

  init(_ argument: CodeNode, isFloat: Bool, filter: TestNode?) {
    self.argument = argument
    self.isFloat = isFloat
    super.init(filter: filter)
  }

  override func add(
    _ count: Int, _ rows: SelectedRows, _ groups: Lane<UInt32>, _ groupCount: Int,
    _ truth: Lane<UInt8>?
  ) throws {
    try argument.evaluate(rows)
    // Each group has 2 KiB of registers.
    if groupCount > 20_000 { throw Unsuited("estimates for too many groups") }
    while registers.count < groupCount { registers.append(HyperLogLog()) }
    while places.count < argument.count {
      places.append(place(argument.cell(UInt32(places.count))))
    }
    let codes = argument.codes
    for index in 0..<count where truth?[index] ?? 1 == Truth.true {
      guard let place = places[Int(codes[index])] else { continue }
      registers[Int(groups[index])].add(place)
    }
  }

  private func place(_ cell: GroupCell) -> HyperLogLog.Place? {
    switch cell {
    case .null: nil
    case .long(let value): HyperLogLog.place(of: value)
    case .real(let value):
      isFloat ? HyperLogLog.place(of: Float(value)) : HyperLogLog.place(of: value)
    case .entry(let entry):
      HyperLogLog.place(of: unsafe String(decoding: entry.text, as: UTF8.self))
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
