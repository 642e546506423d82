import CSQLite
import DruidSQL
import Glibc

/// A datasource as a read-only virtual table of SQLite, over a snapshot.
///
/// SQLite calls the functions here on the thread that steps a statement; only one thread uses a
/// connection at a time. They own the memory of SQLite's handles, and free it in `xDisconnect` and
/// `xClose`.
enum DatasourceModule {
  /// Registers `table` under `name` for one connection.
  static func register(_ table: BoundTable, as name: String, in database: OpaquePointer) -> Int32 {
    unsafe VirtualTable.register(table, as: name, module, in: database)
  }

  /// One for the whole process, and never changed after it is made, so sharing the pointer is safe.
  private nonisolated(unsafe) static let module = unsafe VirtualTable.module { methods in
    unsafe methods.xBestIndex = bestIndex
    unsafe methods.xOpen = open
    unsafe methods.xClose = close
    unsafe methods.xFilter = filter
    unsafe methods.xNext = next
    unsafe methods.xEof = isAtEnd
    unsafe methods.xColumn = column
    unsafe methods.xRowid = rowNumber
  }

  private typealias Handle = VirtualTable.Handle
  private typealias CursorHandle = VirtualTable.CursorHandle

  private static let bestIndex:
    @convention(c) (Handle?, UnsafeMutablePointer<sqlite3_index_info>?) -> Int32 = { handle, info in
      guard let bound = unsafe VirtualTable.content(handle, as: BoundTable.self),
        let info = unsafe info
      else { return SQLITE_MISUSE }
      return unsafe ScanPlan.choose(for: bound, info)
    }

  private static let open: @convention(c) (Handle?, UnsafeMutablePointer<CursorHandle?>?) -> Int32 =
    { handle, place in
      unsafe VirtualTable.open(handle, place) { (table: BoundTable) in ScanCursor(table.snapshot) }
    }

  private static let close: @convention(c) (CursorHandle?) -> Int32 = { handle in
    guard let cursor = unsafe cursor(handle) else { return SQLITE_MISUSE }
    unsafe cursor.pointee.free()
    unsafe cursor.deinitialize(count: 1)
    unsafe cursor.deallocate()
    return SQLITE_OK
  }

  private static let filter:
    @convention(c) (
      CursorHandle?, Int32, UnsafePointer<CChar>?, Int32,
      UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32 = { handle, _, text, count, values in
      guard let cursor = unsafe cursor(handle) else { return SQLITE_MISUSE }
      let plan = unsafe text.map { unsafe String(cString: $0) } ?? ""
      let arguments = unsafe UnsafeBufferPointer(start: values, count: Int(count))
      unsafe cursor.pointee.start(plan: ScanPlan(text: plan), arguments)
      return SQLITE_OK
    }

  private static let next: @convention(c) (CursorHandle?) -> Int32 = { handle in
    unsafe cursor(handle)?.pointee.advance()
    return SQLITE_OK
  }

  private static let isAtEnd: @convention(c) (CursorHandle?) -> Int32 = { handle in
    unsafe cursor(handle)?.pointee.isAtEnd ?? true ? 1 : 0
  }

  private static let column: @convention(c) (CursorHandle?, OpaquePointer?, Int32) -> Int32 = {
    handle, context, index in
    unsafe cursor(handle)?.pointee.answer(column: Int(index), to: context)
    return SQLITE_OK
  }

  private static let rowNumber:
    @convention(c) (CursorHandle?, UnsafeMutablePointer<sqlite3_int64>?) -> Int32 = { handle, row in
      guard let cursor = unsafe cursor(handle) else { return SQLITE_MISUSE }
      unsafe row?.pointee = cursor.pointee.rowNumber
      return SQLITE_OK
    }

  @inline(__always)
  private static func cursor(_ handle: CursorHandle?) -> UnsafeMutablePointer<ScanCursor>? {
    unsafe UnsafeMutableRawPointer(handle)?.assumingMemoryBound(to: ScanCursor.self)
  }
}

/// A datasource of one connection. The rows that a statement reads do not change after its start.
final class BoundTable: TableContent {
  /// Set before a statement starts, by the thread that steps it.
  var snapshot: TableSnapshot

  init(columnNames: [String], snapshot: TableSnapshot) {
    self.snapshot = snapshot
    super.init(columnNames: columnNames)
  }

  override var hiddenColumns: [String] { ["\(Catalog.Column.emptyLists) HIDDEN"] }
}
