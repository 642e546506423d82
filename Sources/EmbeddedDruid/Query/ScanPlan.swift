import CSQLite
import Glibc

/// The work that a scan does instead of SQLite: conditions, in the order of their arguments, and
/// sorting.
///
/// `xBestIndex` passes it to `xFilter` as a text: `0g,0l,3=|2a,0d`.
struct ScanPlan: Equatable {
  /// How a column compares with its argument.
  enum Comparison: Character {
    case equal = "="
    case greater = ">"
    case atLeast = "g"
    case less = "<"
    case atMost = "l"
  }

  struct Condition: Equatable {
    var column: Int
    var comparison: Comparison
  }

  var conditions: [Condition] = []
  var order: [ScanOrder] = []

  init() {}

  init(text: String) {
    let parts = text.split(separator: "|", omittingEmptySubsequences: false)
    for word in parts.first?.split(separator: ",") ?? [] {
      guard let last = word.last, let comparison = Comparison(rawValue: last),
        let column = Int(word.dropLast())
      else { continue }
      conditions.append(Condition(column: column, comparison: comparison))
    }
    for word in parts.dropFirst().first?.split(separator: ",") ?? [] {
      guard let column = Int(word.dropLast()) else { continue }
      order.append(ScanOrder(column: column, isDescending: word.last == "d"))
    }
  }

  var text: String {
    let conditions = conditions.map { "\($0.column)\($0.comparison.rawValue)" }
    let order = order.map { "\($0.column)\($0.isDescending ? "d" : "a")" }
    return conditions.joined(separator: ",") + "|" + order.joined(separator: ",")
  }

  /// Tells SQLite the cost and the properties of a scan with these constraints.
  static func choose(
    for table: BoundTable, _ info: UnsafeMutablePointer<sqlite3_index_info>
  ) -> Int32 {
    var plan = ScanPlan()
    let columns = table.snapshot.schema.columns
    // A scan reads every row, whatever the conditions. With a lower cost for a condition, SQLite
    // would scan the table once for each operand of an OR, and the order of the rows would differ
    // from Druid's.
    let cost = Double(max(table.snapshot.rowCount, 1))
    var count = cost
    for index in 0..<Int(unsafe info.pointee.nConstraint) {
      let constraint = unsafe info.pointee.aConstraint[index]
      let column = Int(constraint.iColumn)
      guard constraint.usable != 0, column >= 0, column < columns.count,
        let comparison = comparison(constraint.op, columns[column].kind),
        unsafe String(cString: sqlite3_vtab_collation(info, Int32(index))) == "BINARY",
        // Not for IN: SQLite would run a scan for each value of the list, in the order of the list.
        unsafe sqlite3_vtab_in(info, Int32(index), -1) == 0
      else { continue }
      plan.conditions.append(Condition(column: column, comparison: comparison))
      unsafe info.pointee.aConstraintUsage[index].argvIndex = Int32(plan.conditions.count)
      unsafe info.pointee.aConstraintUsage[index].omit = 1
      count = max(1, count / (comparison == .equal ? 20 : 4))
    }
    let terms = unsafe (0..<Int(info.pointee.nOrderBy)).map { index in
      unsafe info.pointee.aOrderBy[index]
    }
    let canOrder = terms.allSatisfy { term in
      guard term.iColumn >= 0, Int(term.iColumn) < columns.count else { return false }
      // Texts are sorted by bytes, which is not the order of arrays.
      let kind = columns[Int(term.iColumn)].kind
      return !kind.isText || kind == .string
    }
    if !terms.isEmpty, canOrder {
      plan.order = terms.map { ScanOrder(column: Int($0.iColumn), isDescending: $0.desc != 0) }
      unsafe info.pointee.orderByConsumed = 1
    }
    unsafe info.pointee.estimatedCost = cost
    unsafe info.pointee.estimatedRows = Int64(count)
    let text = Array(plan.text.utf8CString)
    guard let memory = unsafe sqlite3_malloc(Int32(text.count)) else { return SQLITE_NOMEM }
    unsafe text.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { unsafe memcpy(memory, start, bytes.count) }
    }
    unsafe info.pointee.idxStr = memory.assumingMemoryBound(to: CChar.self)
    unsafe info.pointee.needToFreeIdxStr = 1
    return SQLITE_OK
  }

  private static func comparison(_ operation: UInt8, _ kind: ColumnKind) -> Comparison? {
    switch (Int32(operation), kind) {
    case (SQLITE_INDEX_CONSTRAINT_EQ, .string), (SQLITE_INDEX_CONSTRAINT_EQ, .time),
      (SQLITE_INDEX_CONSTRAINT_EQ, .long):
      .equal
    case (SQLITE_INDEX_CONSTRAINT_GT, .time), (SQLITE_INDEX_CONSTRAINT_GT, .long): .greater
    case (SQLITE_INDEX_CONSTRAINT_GE, .time), (SQLITE_INDEX_CONSTRAINT_GE, .long): .atLeast
    case (SQLITE_INDEX_CONSTRAINT_LT, .time), (SQLITE_INDEX_CONSTRAINT_LT, .long): .less
    case (SQLITE_INDEX_CONSTRAINT_LE, .time), (SQLITE_INDEX_CONSTRAINT_LE, .long): .atMost
    default: nil
    }
  }
}

extension ScanCondition {
  /// A condition on a number with the value that SQLite passes; nil when no row can satisfy it.
  ///
  /// It follows SQLite's order of types: numbers precede texts, texts precede blobs, and
  /// comparisons with null are not true.
  static func number(
    _ column: Int, _ comparison: ScanPlan.Comparison, _ value: OpaquePointer?
  ) -> ScanCondition? {
    let all = ScanCondition.range(column: column, low: .min, high: .max)
    switch unsafe sqlite3_value_type(value) {
    case SQLITE_INTEGER:
      return integer(column, comparison, unsafe sqlite3_value_int64(value))
    case SQLITE_FLOAT:
      let number = unsafe sqlite3_value_double(value)
      let down = number.rounded(.down)
      if let whole = Int64(exactly: down) {
        if down == number { return integer(column, comparison, whole) }
        switch comparison {
        case .equal: return nil
        case .greater, .atLeast: return integer(column, .greater, whole)
        case .less, .atMost: return integer(column, .atMost, whole)
        }
      }
      let isAbove = number > 0
      switch comparison {
      case .equal: return nil
      case .greater, .atLeast: return isAbove ? nil : all
      case .less, .atMost: return isAbove ? all : nil
      }
    case SQLITE_NULL: return nil
    default: return comparison == .less || comparison == .atMost ? all : nil
    }
  }

  private static func integer(
    _ column: Int, _ comparison: ScanPlan.Comparison, _ value: Int64
  ) -> ScanCondition? {
    switch comparison {
    case .equal: .range(column: column, low: value, high: value)
    case .greater: value == .max ? nil : .range(column: column, low: value + 1, high: .max)
    case .atLeast: .range(column: column, low: value, high: .max)
    case .less: value == .min ? nil : .range(column: column, low: .min, high: value - 1)
    case .atMost: .range(column: column, low: .min, high: value)
    }
  }
}
