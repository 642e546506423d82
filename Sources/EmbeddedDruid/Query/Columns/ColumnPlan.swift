import CSQLite
import DruidSQL
import JavaValues

/// Builds the nodes that compute a grouping's expressions. Equal expressions over the same rows are
/// computed once.
final class NodeBuilder {
  private let snapshot: TableSnapshot
  private let connection: SQLiteConnection
  private var numbers: [ColumnGrouping.Value: NumberNode] = [:]
  private var tests: [ColumnGrouping.Test: TestNode] = [:]
  private var inputs: [ColumnGrouping.Input: CodeNode] = [:]
  private var memos: [ColumnGrouping.Computed: Memo] = [:]

  init(_ snapshot: TableSnapshot, _ connection: SQLiteConnection) {
    self.snapshot = snapshot
    self.connection = connection
  }

  /// 1973. In 1972 the last country abandoned an offset that was not whole minutes.
  private static let wholeMinutes: Int64 = 94_694_400_000

  /// Releases what belongs to the connection.
  func end() {
    for memo in memos.values { memo.end() }
  }

  func isText(_ column: Int) -> Bool { snapshot.schema.columns[column].kind == .string }

  func number(_ value: ColumnGrouping.Value) throws -> NumberNode {
    if let known = numbers[value] { return known }
    let node = try makeNumber(value)
    numbers[value] = node
    return node
  }

  private func makeNumber(_ value: ColumnGrouping.Value) throws -> NumberNode {
    switch value {
    case .column(let column):
      // The bytes of arrays and JSON texts do not define their order, so SQLite's functions handle
      // them.
      guard !snapshot.schema.columns[column].kind.isText else {
        throw Unsuited("a text as a number")
      }
      return ColumnNode(snapshot.schema, snapshot.layout, column)
    case .constant(let sql, let isReal):
      switch try constant(sql) {
      case .integer(let value) where !isReal: return ConstantNode(long: value)
      case .real(let value) where isReal && !value.isNaN: return ConstantNode(real: value)
      case .null: return ConstantNode(nullAsReal: isReal)
      default: throw Unsuited("a constant of another kind")
      }
    case .arithmetic(let operation, let isReal, let left, let right):
      return try ArithmeticNode(operation, isReal: isReal, number(left), number(right))
    case .real(let operand): return RealNode(try number(operand))
    case .floor(let operand, let milliseconds, let origin):
      return try FloorNode(number(operand), length: milliseconds, origin: origin)
    case .conditional(let branches, let otherwise):
      var nodes: [(test: TestNode, result: NumberNode)] = []
      for branch in branches { nodes.append((try test(branch.test), try number(branch.result))) }
      return try ConditionalNode(nodes, otherwise: number(otherwise))
    case .computed(let computed, let kind):
      guard kind != .text else { throw Unsuited("a text as a number") }
      return ComputedNumberNode(try memo(computed), isReal: kind == .real)
    }
  }

  func test(_ test: ColumnGrouping.Test) throws -> TestNode {
    if let known = tests[test] { return known }
    let node: TestNode
    switch test {
    case .all(let parts): node = LogicalNode(try parts.map(self.test), isAnd: true)
    case .any(let parts): node = LogicalNode(try parts.map(self.test), isAnd: false)
    case .not(let part): node = NotNode(try self.test(part))
    case .comparison(let comparison, let left, let right):
      node = ComparisonNode(comparison, try number(left), try number(right))
    case .isNull(let operand): node = NullNode(try number(operand))
    case .computed(let computed): node = ComputedTestNode(try memo(computed))
    }
    tests[test] = node
    return node
  }

  /// Values as codes, for keys and for counting distinct values.
  func code(_ value: ColumnGrouping.Value) throws -> CodeNode {
    switch value {
    case .column(let column) where isText(column): return try input(.init(column: column))
    case .computed(let computed, _): return ComputedCodeNode(try memo(computed))
    default: return NumberCodeNode(try number(value))
    }
  }

  private func memo(_ computed: ColumnGrouping.Computed) throws -> Memo {
    if let known = memos[computed] { return known }
    let statement = try connection.prepare(computed.sql)
    let memo = Memo(try computed.inputs.map(input), statement)
    memos[computed] = memo
    return memo
  }

  private func input(_ input: ColumnGrouping.Input) throws -> CodeNode {
    if let known = inputs[input] { return known }
    let node: CodeNode
    if isText(input.column) {
      node = EntryNode(snapshot, input.column)
    } else {
      if input.unit > 1_000, snapshot.chunks.contains(where: { $0.earliest < Self.wholeMinutes }) {
        throw Unsuited("times before clocks differed by whole minutes")
      }
      let column = try number(.column(input.column))
      node = NumberCodeNode(
        input.unit > 1 ? try FloorNode(column, length: input.unit, origin: 0) : column,
        joinsZeros: false)
    }
    inputs[input] = node
    return node
  }

  private func constant(_ sql: String) throws -> SQLValue {
    let statement = try connection.prepare("SELECT \(sql)")
    guard try statement.step() else { throw Unsuited("a constant without a value") }
    return statement.value(0)
  }

  /// The range of times that a filter allows, if it contains one.
  func times(_ tests: [ColumnGrouping.Test]) throws -> ClosedRange<Int64>? {
    var (low, high) = (Int64.min, Int64.max)
    for case .comparison(let comparison, .column(0), .constant(let sql, isReal: false)) in tests {
      guard case .integer(let value) = try constant(sql) else { continue }
      switch comparison {
      case .equal: (low, high) = (max(low, value), min(high, value))
      case .atLeast: low = max(low, value)
      case .greater: low = max(low, value == .max ? value : value + 1)
      case .atMost: high = min(high, value)
      case .less: high = min(high, value == .min ? value : value - 1)
      case .unequal: break
      }
    }
    return low <= high ? low...high : nil
  }
}

/// The groups of a datasource's rows, computed over its columns.
final class ColumnGroups: TableContent {
  /// More groups than this are left to SQLite, which can put them into a file.
  static let limit = 1 << 22

  private let snapshot: TableSnapshot
  private let keys: TupleNode
  private let aggregators: [Aggregator]
  /// The groups with rows, in the order of their keys, and the codes of their keys in sequence.
  private var order: [UInt32] = []
  private var codes: [UInt32] = []

  var count: Int { order.count }

  /// - Parameter check: called from time to time. It throws to end the work.
  /// - Throws: ``Unsuited`` when SQLite must compute the grouping. After any other failure SQLite
  ///   computes it as well, and its error is reported.
  init(
    _ grouping: ColumnGrouping, _ snapshot: TableSnapshot, _ connection: SQLiteConnection,
    check: () throws -> Void
  ) throws {
    self.snapshot = snapshot
    let filtering = NodeBuilder(snapshot, connection)
    let builder = NodeBuilder(snapshot, connection)
    keys = TupleNode(try grouping.keys.map(builder.code))
    aggregators = try grouping.aggregates.map { try Self.aggregator($0, builder) }
    super.init(
      columnNames: grouping.keys.indices.map { "k\($0)" }
        + grouping.aggregates.indices.map { "a\($0)" })
    let tests = try grouping.filter.map(filtering.test)
    let times = try filtering.times(grouping.filter)
    let rows = try take(tests, within: times, check)
    filtering.end()
    builder.end()
    try finish(rows, grouping)
  }

  private static func aggregator(
    _ aggregate: ColumnGrouping.Aggregate, _ builder: NodeBuilder
  ) throws -> Aggregator {
    let filter = try aggregate.filter.map(builder.test)
    guard let argument = aggregate.argument else { return RowCountAggregator(filter: filter) }
    switch aggregate.function {
    case .count:
      let isText =
        switch argument {
        case .column(let column): builder.isText(column)
        case .computed(_, let kind): kind == .text
        default: false
        }
      return isText
        ? CodeCountAggregator(try builder.code(argument), isDistinct: false, filter: filter)
        : CountAggregator(try builder.number(argument), filter: filter)
    case .sumLongs: return try LongSumAggregator(longs: builder.number(argument), filter: filter)
    case .sumReals:
      return try RealSumAggregator(builder.number(argument), isAverage: false, filter: filter)
    case .average:
      return try RealSumAggregator(builder.number(argument), isAverage: true, filter: filter)
    case .minimum:
      return ExtremeAggregator(try builder.number(argument), isMaximum: false, filter: filter)
    case .maximum:
      return ExtremeAggregator(try builder.number(argument), isMaximum: true, filter: filter)
    case .countDistinct:
      return CodeCountAggregator(try builder.code(argument), isDistinct: true, filter: filter)
    case .estimateDistinct(let isFloat):
      return EstimateAggregator(try builder.code(argument), isFloat: isFloat, filter: filter)
    }
  }

  /// Reads all rows and returns the number of rows of each group.
  private func take(
    _ tests: [TestNode], within times: ClosedRange<Int64>?, _ check: () throws -> Void
  ) throws -> GroupLane<Int64> {
    let counter = RowCountAggregator(filter: nil)
    let placeRoom = LaneRoom<UInt16>()
    let places = placeRoom.lane
    var stamp = 0
    for chunk in snapshot.chunks {
      try check()
      guard let times, chunk.latest >= times.lowerBound, chunk.earliest <= times.upperBound else {
        continue
      }
      stamp += 1
      let base = unsafe UnsafeRawPointer(chunk.block.address)
      let all = unsafe SelectedRows(base: base, count: chunk.count, places: nil, stamp: stamp)
      var rows = all
      if !tests.isEmpty {
        for test in tests { try test.evaluate(all) }
        var count = 0
        for index in 0..<chunk.count {
          places[count] = UInt16(index)
          var isKept = true
          for test in tests where test.truth[index] != Truth.true { isKept = false }
          count += isKept ? 1 : 0
        }
        if count == 0 { continue }
        if count < chunk.count {
          rows = unsafe SelectedRows(base: base, count: count, places: places, stamp: stamp)
        }
      }
      try keys.evaluate(rows)
      let groupCount = keys.count
      if groupCount > Self.limit { throw Unsuited("too many groups") }
      let grouped = GroupedRows(rows: rows, groups: keys.codes, groupCount: groupCount)
      try counter.add(grouped)
      for aggregator in aggregators { try aggregator.add(grouped) }
    }
    return counter.counts
  }

  /// Sorts the groups by their keys, as SQLite's GROUP BY does.
  private func finish(_ rows: GroupLane<Int64>, _ grouping: ColumnGrouping) throws {
    guard !keys.parts.isEmpty else {
      if rows[0] > 0 || !grouping.dropsEmpty { order = [0] }
      return
    }
    let groups = (0..<rows.count).filter { rows[$0] > 0 }.map { UInt32($0) }
    let width = keys.parts.count
    var codes = [UInt32](repeating: 0, count: groups.count * width)
    for (index, group) in groups.enumerated() {
      keys.decode(group) { part, code in codes[index * width + part] = code }
    }
    // The rank of a group, combined from the ranks of its keys.
    var ranks = [UInt64](repeating: 0, count: groups.count)
    for (index, part) in keys.parts.enumerated() {
      var rankOfCode = [UInt64](repeating: 0, count: part.count)
      for group in groups.indices { rankOfCode[Int(codes[group * width + index])] = 1 }
      let used = rankOfCode.indices.filter { rankOfCode[$0] > 0 }
      let sorted = used.map { (code: $0, cell: part.cell(UInt32($0))) }
        .sorted { $0.cell.precedes($1.cell) }
      for (rank, place) in sorted.enumerated() { rankOfCode[place.code] = UInt64(rank) }
      for group in groups.indices {
        let (product, overflow) = ranks[group].multipliedReportingOverflow(by: UInt64(used.count))
        if overflow { throw Unsuited("too many combinations of keys") }
        ranks[group] = product &+ rankOfCode[Int(codes[group * width + index])]
      }
    }
    let sorted = groups.indices.sorted { ranks[$0] < ranks[$1] }
    order = sorted.map { groups[$0] }
    self.codes = sorted.flatMap { codes[$0 * width..<($0 + 1) * width] }
  }

  func cell(_ row: Int, _ column: Int) -> GroupCell {
    if column < keys.parts.count {
      return keys.parts[column].cell(codes[row * keys.parts.count + column])
    }
    return aggregators[column - keys.parts.count].cell(Int(order[row]))
  }
}
