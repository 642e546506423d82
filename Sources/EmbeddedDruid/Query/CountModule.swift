import CSQLite
import DruidSQL
import Glibc

/// `d0_counts(COLUMNS, CONDITIONS, VALUE, ...)`: rows of a datasource by some of its text columns, as a table `k0, k1, k2, n`.
///
/// Called by SQLite like ``DatasourceModule``, and owned in the same way.
enum CountModule {
  /// How many values its conditions may have.
  static let valueColumns = 8
  private static let firstArgument: Int32 = 4

  static func register(_ table: BoundTable, as name: String, in database: OpaquePointer) -> Int32 {
    let context = unsafe Unmanaged.passRetained(table).toOpaque()
    return unsafe sqlite3_create_module_v2(database, name, module, context) { context in
      if let context = unsafe context { unsafe Unmanaged<BoundTable>.fromOpaque(context).release() }
    }
  }

  /// One for the whole process and never changed after it is made, so sharing the pointer is sound.
  private nonisolated(unsafe) static let module: UnsafePointer<sqlite3_module> = {
    let module = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
    var methods = sqlite3_module()
    methods.iVersion = 1
    unsafe methods.xConnect = connect
    unsafe methods.xBestIndex = bestIndex
    unsafe methods.xDisconnect = disconnect
    unsafe methods.xOpen = open
    unsafe methods.xClose = close
    unsafe methods.xFilter = filter
    unsafe methods.xNext = next
    unsafe methods.xEof = isAtEnd
    unsafe methods.xColumn = column
    unsafe methods.xRowid = rowNumber
    unsafe module.initialize(to: methods)
    return unsafe UnsafePointer(module)
  }()

  @safe private struct Table {
    var base = unsafe sqlite3_vtab()
    var bound: Unmanaged<BoundTable>
  }

  /// SQLite's cursor, and the groups that it goes over.
  @safe private struct Cursor {
    var base = unsafe sqlite3_vtab_cursor()
    var snapshot: TableSnapshot
    var columns: [Int] = []
    var groups: [GroupCount.Group] = []
    var place = 0
  }

  private typealias Handle = UnsafeMutablePointer<sqlite3_vtab>
  private typealias CursorHandle = UnsafeMutablePointer<sqlite3_vtab_cursor>

  private static let connect:
    @convention(c) (
      OpaquePointer?, UnsafeMutableRawPointer?, Int32, UnsafePointer<UnsafePointer<CChar>?>?,
      UnsafeMutablePointer<Handle?>?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Int32 = { database, context, _, _, handle, _ in
      guard let context = unsafe context, let handle = unsafe handle else { return SQLITE_MISUSE }
      let hidden = (0..<valueColumns + 2).map { "h\($0) HIDDEN" }.joined(separator: ",")
      let status = unsafe sqlite3_declare_vtab(database, "CREATE TABLE x(k0,k1,k2,n,\(hidden))")
      guard status == SQLITE_OK else { return status }
      let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
      unsafe table.initialize(to: Table(bound: Unmanaged<BoundTable>.fromOpaque(context)))
      unsafe handle.pointee = UnsafeMutableRawPointer(table).assumingMemoryBound(
        to: sqlite3_vtab.self)
      return SQLITE_OK
    }

  private static let disconnect: @convention(c) (Handle?) -> Int32 = { handle in
    unsafe UnsafeMutableRawPointer(handle)?.assumingMemoryBound(to: Table.self).deallocate()
    return SQLITE_OK
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
      guard let table = unsafe UnsafeMutableRawPointer(handle)?.assumingMemoryBound(to: Table.self),
        let place = unsafe place
      else { return SQLITE_MISUSE }
      let cursor = UnsafeMutablePointer<Cursor>.allocate(capacity: 1)
      unsafe cursor.initialize(
        to: Cursor(snapshot: table.pointee.bound._withUnsafeGuaranteedRef { $0.snapshot }))
      unsafe place.pointee = UnsafeMutableRawPointer(cursor).assumingMemoryBound(
        to: sqlite3_vtab_cursor.self)
      return SQLITE_OK
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
