import CSQLite
import DruidSQL

/// The state of a scan. SQLite's cursor is its first member.
///
/// It has its own memory, whose address SQLite holds, so that reading a cell needs no reference
/// counting.
@safe
struct ScanCursor {
  private var base = unsafe sqlite3_vtab_cursor()
  private let snapshot: TableSnapshot
  /// By column: its kind, the positions of its values and null marks in a chunk, and its
  /// dictionary's pages.
  private let columns: UnsafeMutableBufferPointer<Column>
  private var conditions: [ScanCondition] = []
  /// The rows to return, if they were collected first.
  private var rows: [UInt32]?
  /// The rows to return, if they are sorted by time only.
  private var merge: TimeMerge?
  private var place = 0
  private var chunkNumber = -1
  private var chunk: UnsafeRawPointer?
  private var row = 0
  private var end = 0
  private(set) var isAtEnd = true

  @safe private struct Column {
    var kind: ColumnKind
    var values: Int
    var nulls: Int
    var pages: UnsafeMutablePointer<UnsafePointer<DictionaryEntry>>?
  }

  init(_ snapshot: TableSnapshot) {
    self.snapshot = snapshot
    let columns = snapshot.schema.columns
    unsafe self.columns = UnsafeMutableBufferPointer<Column>.allocate(capacity: columns.count)
    for index in columns.indices {
      let blocks = snapshot.dictionaries[index].pages
      let pages = UnsafeMutablePointer<UnsafePointer<DictionaryEntry>>.allocate(
        capacity: max(1, blocks.count))
      for (page, block) in blocks.enumerated() {
        unsafe (pages + page).initialize(
          to: UnsafePointer(block.address.assumingMemoryBound(to: DictionaryEntry.self)))
      }
      unsafe self.columns.initializeElement(
        at: index,
        to: Column(
          kind: columns[index].kind, values: snapshot.layout.values[index],
          nulls: snapshot.layout.nulls[index], pages: pages))
    }
  }

  /// Frees what ``init(_:)`` allocated. The cursor may not be used afterwards.
  func free() {
    for index in unsafe columns.indices { unsafe columns[index].pages?.deallocate() }
    unsafe columns.deallocate()
  }

  private var emptyLists: Int64 {
    let number = UInt32(truncatingIfNeeded: rowNumber)
    return snapshot.emptyLists.prefix(Catalog.Column.mostEmptyLists).indices.reduce(0) {
      bits, index in
      snapshot.emptyLists[index].contains(number) ? bits | 1 << Int64(index) : bits
    }
  }

  var rowNumber: Int64 { Int64(chunkNumber) << Int64(RowNumber.bits) | Int64(row) }

  /// Starts a scan.
  mutating func start(plan: ScanPlan, _ arguments: UnsafeBufferPointer<OpaquePointer?>) {
    conditions = []
    rows = nil
    merge = nil
    place = -1
    chunkNumber = -1
    row = 0
    end = 0
    isAtEnd = false
    for (index, condition) in plan.conditions.enumerated() {
      guard index < arguments.count,
        let condition = unsafe snapshot.resolve(condition, arguments[index])
      else {
        isAtEnd = true
        return
      }
      conditions.append(condition)
    }
    if plan.order.count == 1, plan.order[0].column == 0 {
      merge = TimeMerge(snapshot, conditions, isDescending: plan.order[0].isDescending)
    } else if !plan.order.isEmpty {
      rows = snapshot.rows(where: conditions, orderedBy: plan.order)
    }
    advance()
  }

  /// Moves to the next row that satisfies the conditions.
  mutating func advance() {
    if merge != nil {
      guard let number = merge?.next() else { return isAtEnd = true }
      return go(to: number)
    }
    if let rows {
      place += 1
      guard place < rows.count else { return isAtEnd = true }
      return go(to: rows[place])
    }
    row += 1
    while true {
      while row < end {
        if conditions.isEmpty || meetsConditions() { return }
        row += 1
      }
      repeat {
        guard chunkNumber + 1 < snapshot.chunks.count else { return isAtEnd = true }
        enter(chunkNumber + 1)
      } while !snapshot.mayHold(chunkNumber, conditions)
      row = 0
    }
  }

  private mutating func go(to number: UInt32) {
    row = RowNumber.row(number)
    if RowNumber.chunk(number) != chunkNumber { enter(RowNumber.chunk(number)) }
  }

  private mutating func enter(_ number: Int) {
    chunkNumber = number
    let rows = snapshot.chunks[number]
    unsafe chunk = UnsafeRawPointer(rows.block.address)
    end = rows.count
  }

  private func meetsConditions() -> Bool {
    guard let chunk = unsafe chunk else { return false }
    for condition in conditions {
      switch condition {
      case .range(let index, let low, let high):
        let column = unsafe columns[index]
        let value = unsafe chunk.load(fromByteOffset: column.values + row * 8, as: Int64.self)
        if value < low || value > high { return false }
        if index > 0, unsafe chunk.load(fromByteOffset: column.nulls + row, as: UInt8.self) != 0 {
          return false
        }
      case .text(let index, let id):
        let column = unsafe columns[index]
        let value = unsafe chunk.load(fromByteOffset: column.values + row * 4, as: UInt32.self)
        if value != id { return false }
      }
    }
    return true
  }

  /// Passes a cell to SQLite. Texts are not copied, because the snapshot outlives the statement.
  ///
  /// The column after the last one has a bit for each column with an empty list.
  func answer(column index: Int, to context: OpaquePointer?) {
    if index == snapshot.schema.columns.count {
      return unsafe sqlite3_result_int64(context, emptyLists)
    }
    guard let chunk = unsafe chunk, index >= 0, unsafe index < columns.count else {
      return unsafe sqlite3_result_null(context)
    }
    let column = unsafe columns[index]
    switch column.kind {
    case .time:
      unsafe sqlite3_result_int64(
        context, chunk.load(fromByteOffset: column.values + row * 8, as: Int64.self))
    case .string, .array, .json:
      let id = unsafe chunk.load(fromByteOffset: column.values + row * 4, as: UInt32.self)
      guard id != 0, let pages = unsafe column.pages else {
        return unsafe sqlite3_result_null(context)
      }
      let size = DictionarySnapshot.pageEntries
      let entry = unsafe pages[Int(id) / size][Int(id) % size]
      unsafe entry.answer(to: context)
    case .long, .double, .float:
      if unsafe chunk.load(fromByteOffset: column.nulls + row, as: UInt8.self) != 0 {
        return unsafe sqlite3_result_null(context)
      }
      if column.kind == .long {
        unsafe sqlite3_result_int64(
          context, chunk.load(fromByteOffset: column.values + row * 8, as: Int64.self))
      } else {
        let value = unsafe chunk.load(fromByteOffset: column.values + row * 8, as: Double.self)
        if value.isNaN {
          unsafe sqlite3_result_text(context, "NaN", 3, csqlite_transient())
        } else {
          unsafe sqlite3_result_double(context, value)
        }
      }
    }
  }
}

extension DictionaryEntry {
  /// Passes a text to SQLite without a copy, because the snapshot outlives the statement.
  @inline(__always)
  func answer(to context: OpaquePointer?) {
    if isMultiValue {
      unsafe sqlite3_result_blob(context, bytes, Int32(length), nil)
    } else {
      unsafe bytes.withMemoryRebound(to: CChar.self, capacity: Int(length)) { text in
        unsafe sqlite3_result_text(context, text, Int32(length), nil)
      }
    }
  }
}

extension TableSnapshot {
  /// A condition with its value; nil when no row can satisfy it.
  func resolve(_ condition: ScanPlan.Condition, _ value: OpaquePointer?) -> ScanCondition? {
    guard schema.columns[condition.column].kind == .string else {
      return unsafe .number(condition.column, condition.comparison, value)
    }
    guard unsafe sqlite3_value_type(value) == SQLITE_TEXT else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(
      start: sqlite3_value_text(value), count: Int(sqlite3_value_bytes(value)))
    return unsafe dictionaries[condition.column].id(of: bytes).map { id in
      .text(column: condition.column, id: id)
    }
  }
}
