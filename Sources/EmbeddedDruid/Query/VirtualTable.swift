import CSQLite

/// What the virtual tables have in common: SQLite's table structure with its content.
///
/// Memory that is allocated here for SQLite's handles is freed in `xDisconnect`. Each kind of table
/// frees its own cursors.
@safe struct VirtualTable {
  typealias Handle = UnsafeMutablePointer<sqlite3_vtab>
  typealias CursorHandle = UnsafeMutablePointer<sqlite3_vtab_cursor>
  typealias Module = UnsafePointer<sqlite3_module>

  private var base = unsafe sqlite3_vtab()
  let content: Unmanaged<TableContent>

  /// Registers `table` under `name` for one connection, which then owns it.
  static func register(
    _ table: TableContent, as name: String, _ module: Module, in database: OpaquePointer
  ) -> Int32 {
    let context = unsafe Unmanaged.passRetained(table).toOpaque()
    return unsafe sqlite3_create_module_v2(database, name, module, context) { context in
      if let context = unsafe context {
        unsafe Unmanaged<TableContent>.fromOpaque(context).release()
      }
    }
  }

  /// The module of a kind of table, which exists as long as the process.
  ///
  /// - Parameter define: sets the methods of this kind. Those that begin and end a table are
  ///   already set.
  static func module(_ define: (inout sqlite3_module) -> Void) -> Module {
    let module = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
    var methods = sqlite3_module()
    methods.iVersion = 1
    unsafe methods.xConnect = connect
    unsafe methods.xDisconnect = disconnect
    define(&methods)
    unsafe module.initialize(to: methods)
    return unsafe UnsafePointer(module)
  }

  private static let connect:
    @convention(c) (
      OpaquePointer?, UnsafeMutableRawPointer?, Int32, UnsafePointer<UnsafePointer<CChar>?>?,
      UnsafeMutablePointer<Handle?>?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Int32 = { database, context, _, _, handle, _ in
      unsafe connect(database, context, handle)
    }

  private static func connect(
    _ database: OpaquePointer?, _ context: UnsafeMutableRawPointer?,
    _ handle: UnsafeMutablePointer<Handle?>?
  ) -> Int32 {
    guard let context = unsafe context, let handle = unsafe handle else { return SQLITE_MISUSE }
    let content = unsafe Unmanaged<TableContent>.fromOpaque(context)
    let columns = unsafe content._withUnsafeGuaranteedRef { $0.columnNames + $0.hiddenColumns }
    let status = unsafe sqlite3_declare_vtab(
      database, "CREATE TABLE x(\(columns.joined(separator: ",")))")
    guard status == SQLITE_OK else { return status }
    let table = UnsafeMutablePointer<VirtualTable>.allocate(capacity: 1)
    unsafe table.initialize(to: VirtualTable(content: content))
    unsafe handle.pointee = UnsafeMutableRawPointer(table).assumingMemoryBound(
      to: sqlite3_vtab.self)
    return SQLITE_OK
  }

  private static let disconnect: @convention(c) (Handle?) -> Int32 = { handle in
    unsafe UnsafeMutableRawPointer(handle)?.assumingMemoryBound(to: VirtualTable.self).deallocate()
    return SQLITE_OK
  }

  /// Makes a cursor over the table in `xOpen`.
  ///
  /// - Parameter make: makes the cursor, whose first member must be SQLite's own.
  static func open<Content: TableContent, Cursor>(
    _ handle: Handle?, _ place: UnsafeMutablePointer<CursorHandle?>?,
    _ make: (Content) -> Cursor
  ) -> Int32 {
    guard let content = unsafe content(handle, as: Content.self), let place = unsafe place else {
      return SQLITE_MISUSE
    }
    let cursor = UnsafeMutablePointer<Cursor>.allocate(capacity: 1)
    unsafe cursor.initialize(to: make(content))
    unsafe place.pointee = UnsafeMutableRawPointer(cursor).assumingMemoryBound(
      to: sqlite3_vtab_cursor.self)
    return SQLITE_OK
  }

  /// The content of a table.
  static func content<Content: TableContent>(_ handle: Handle?, as type: Content.Type) -> Content? {
    let table = unsafe UnsafeMutableRawPointer(handle)?.assumingMemoryBound(to: VirtualTable.self)
    return unsafe table?.pointee.content.takeUnretainedValue() as? Content
  }
}

/// The content of a virtual table of one connection.
class TableContent {
  let columnNames: [String]
  /// Columns that `*` does not include.
  var hiddenColumns: [String] { [] }

  init(columnNames: [String]) { self.columnNames = columnNames }
}
