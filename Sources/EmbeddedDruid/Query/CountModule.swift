import CSQLite
import DruidSQL
import Glibc
import JavaValues

/// `d0_counts(COLUMNS, CONDITIONS, VALUE, ...)`: rows of a datasource by some of its text columns, as a table `k0, k1, k2, n`.
///
/// Called by SQLite like ``DatasourceModule``, and owned in the same way.
enum CountModule {
  /// How many values its conditions may have.
  static let valueColumns = 8
  private static let firstArgument: Int32 = 4

  static func register(_ table: BoundTable, as name: String, in database: OpaquePointer) -> Int32 {
    unsafe VirtualTable.register(table, as: name, module, in: database)
  }

  /// One for the whole process and never changed after it is made, so sharing the pointer is sound.
  private nonisolated(unsafe) static let module = unsafe VirtualTable.module { methods in
    unsafe methods.xConnect = connect
    unsafe methods.xBestIndex = bestIndex
    unsafe methods.xOpen = open
    unsafe methods.xClose = close
    unsafe methods.xFilter = filter
    unsafe methods.xNext = next
    unsafe methods.xEof = isAtEnd
    unsafe methods.xColumn = column
    unsafe methods.xRowid = rowNumber
  }

  /// SQLite's cursor, and the groups that it goes over.
  @safe private struct Cursor {
    var base = unsafe sqlite3_vtab_cursor()
    var snapshot: TableSnapshot
    var columns: [Int] = []
    var groups: [GroupCount.Group] = []
    var place = 0
  }

  private typealias Handle = VirtualTable.Handle
  private typealias CursorHandle = VirtualTable.CursorHandle

  private static let connect:
    @convention(c) (
      OpaquePointer?, UnsafeMutableRawPointer?, Int32, UnsafePointer<UnsafePointer<CChar>?>?,
      UnsafeMutablePointer<Handle?>?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Int32 = { database, context, _, _, handle, _ in
      unsafe VirtualTable.connect(database, context, handle) { _ in
        ["k0", "k1", "k2", "n"] + (0..<valueColumns + 2).map { "h\($0) HIDDEN" }
      }
    }

  /// The arguments come as constraints on the hidden columns; all of them are needed.
  private static let bestIndex:
    @convention(c) (Handle?, UnsafeMutablePointer<sqlite3_index_info>?) -> Int32 = { _, info in
      guard let info = unsafe info else { return SQLITE_MISUSE }
      for index in 0..<Int(unsafe info.pointee.nConstraint) {
        let constraint = unsafe info.pointee.aConstraint[index]
        guard constraint.iColumn >= firstArgument,
          Int32(constraint.op) == SQLITE_INDEX_CONSTRAINT_EQ
        else { continue }
        guard constraint.usable != 0 else { return SQLITE_CONSTRAINT }
        unsafe info.pointee.aConstraintUsage[index].argvIndex =
          constraint.iColumn - firstArgument + 1
        unsafe info.pointee.aConstraintUsage[index].omit = 1
      }
      unsafe info.pointee.estimatedCost = 1000
      unsafe info.pointee.estimatedRows = 100
      return SQLITE_OK
    }

  private static let open: @convention(c) (Handle?, UnsafeMutablePointer<CursorHandle?>?) -> Int32 =
    { handle, place in
      unsafe VirtualTable.open(handle, place) { unsafe Cursor(snapshot: $0) }
    }

  private static let close: @convention(c) (CursorHandle?) -> Int32 = { handle in
    guard let cursor = unsafe cursor(handle) else { return SQLITE_MISUSE }
    unsafe cursor.deinitialize(count: 1)
    unsafe cursor.deallocate()
    return SQLITE_OK
  }

  private static let filter:
    @convention(c) (
      CursorHandle?, Int32, UnsafePointer<CChar>?, Int32,
      UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32 = { handle, _, _, count, values in
      guard let cursor = unsafe cursor(handle), let values = unsafe values, count >= 2 else {
        return SQLITE_MISUSE
      }
      let columns = unsafe SQLiteValue.read(values[0]).text ?? ""
      let plan = ScanPlan(text: unsafe SQLiteValue.read(values[1]).text ?? "")
      unsafe cursor.pointee.columns = columns.split(separator: ",").compactMap { Int($0) }
      unsafe cursor.pointee.groups = []
      unsafe cursor.pointee.place = 0
      let snapshot = unsafe cursor.pointee.snapshot
      var conditions: [ScanCondition] = []
      for (index, condition) in plan.conditions.enumerated() {
        guard index + 2 < Int(count) else { return SQLITE_MISUSE }
        // What no row can meet leaves no group.
        guard let condition = unsafe snapshot.resolve(condition, values[index + 2]) else {
          return SQLITE_OK
        }
        conditions.append(condition)
      }
      unsafe cursor.pointee.groups = GroupCount.groups(
        of: snapshot, by: cursor.pointee.columns, where: conditions)
      return SQLITE_OK
    }

  private static let next: @convention(c) (CursorHandle?) -> Int32 = { handle in
    unsafe cursor(handle)?.pointee.place += 1
    return SQLITE_OK
  }

  private static let isAtEnd: @convention(c) (CursorHandle?) -> Int32 = { handle in
    guard let cursor = unsafe cursor(handle) else { return 1 }
    return unsafe cursor.pointee.place < cursor.pointee.groups.count ? 0 : 1
  }

  private static let column: @convention(c) (CursorHandle?, OpaquePointer?, Int32) -> Int32 = {
    handle, context, index in
    guard let cursor = unsafe cursor(handle),
      unsafe cursor.pointee.place < cursor.pointee.groups.count
    else { return SQLITE_MISUSE }
    let group = unsafe cursor.pointee.groups[cursor.pointee.place]
    if index == 3 {
      unsafe sqlite3_result_int64(context, group.count)
    } else if index >= 0, Int(index) < group.ids.count, group.ids[Int(index)] != 0 {
      let column = unsafe cursor.pointee.columns[Int(index)]
      let entry = unsafe cursor.pointee.snapshot.dictionaries[column].entry(group.ids[Int(index)])
      unsafe entry.answer(to: context)
    } else {
      unsafe sqlite3_result_null(context)
    }
    return SQLITE_OK
  }

  private static let rowNumber:
    @convention(c) (CursorHandle?, UnsafeMutablePointer<sqlite3_int64>?) -> Int32 = { handle, row in
      unsafe row?.pointee = Int64(cursor(handle)?.pointee.place ?? 0)
      return SQLITE_OK
    }

  private static func cursor(_ handle: CursorHandle?) -> UnsafeMutablePointer<Cursor>? {
    unsafe UnsafeMutableRawPointer(handle)?.assumingMemoryBound(to: Cursor.self)
  }
}
