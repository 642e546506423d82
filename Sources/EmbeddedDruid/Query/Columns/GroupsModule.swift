import CSQLite
import JavaValues

/// Computed groups as a table for SQLite. It is called and owned like ``DatasourceModule``.
enum GroupsModule {
  static func register(
    _ groups: ColumnGroups, as name: String, in database: OpaquePointer
  ) -> Int32 {
    unsafe VirtualTable.register(groups, as: name, module, in: database)
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

  /// SQLite's cursor, and the group that it is at.
  @safe private struct Cursor {
    var base = unsafe sqlite3_vtab_cursor()
    let groups: ColumnGroups
    var place = 0
  }

  private typealias Handle = VirtualTable.Handle
  private typealias CursorHandle = VirtualTable.CursorHandle

  private static let bestIndex:
    @convention(c) (Handle?, UnsafeMutablePointer<sqlite3_index_info>?) -> Int32 = { handle, info in
      guard let info = unsafe info,
        let count = unsafe VirtualTable.content(handle, as: ColumnGroups.self)?.count
      else { return SQLITE_MISUSE }
      unsafe info.pointee.estimatedCost = Double(count + 1)
      unsafe info.pointee.estimatedRows = Int64(count)
      return SQLITE_OK
    }

  private static let open: @convention(c) (Handle?, UnsafeMutablePointer<CursorHandle?>?) -> Int32 =
    { handle, place in
      unsafe VirtualTable.open(handle, place) { (groups: ColumnGroups) in
        unsafe Cursor(groups: groups)
      }
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
    ) -> Int32 = { handle, _, _, _, _ in
      unsafe cursor(handle)?.pointee.place = 0
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
    switch unsafe cursor.pointee.groups.cell(cursor.pointee.place, Int(index)) {
    case .null: unsafe sqlite3_result_null(context)
    case .long(let value): unsafe sqlite3_result_int64(context, value)
    case .real(let value): unsafe SQLiteValue.answer(.real(value), to: context)
    case .entry(let entry): unsafe entry.answer(to: context)
    case .text(let text): unsafe SQLiteValue.answer(.text(text), to: context)
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
