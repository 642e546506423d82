import CSQLite

/// A statement under way; it ends with its last reference.
@safe
final class SQLiteStatement {
  let connection: SQLiteConnection
  let handle: OpaquePointer

  init(connection: SQLiteConnection, handle: OpaquePointer) {
    self.connection = connection
    unsafe self.handle = handle
  }

  deinit { unsafe sqlite3_finalize(handle) }

  var columnCount: Int { Int(unsafe sqlite3_column_count(handle)) }

  /// Goes to the next row; false behind the last one.
  func step() throws(SQLiteFailure) -> Bool {
    let status = unsafe sqlite3_step(handle)
    if status == SQLITE_ROW { return true }
    guard status == SQLITE_DONE else { throw connection.failure(status) }
    return false
  }

  /// A cell of the row it stands on.
  @safe enum Cell {
    case null
    case integer(Int64)
    case double(Double)
    /// The bytes are good until the next step.
    case text(UnsafeRawBufferPointer)
    case blob(UnsafeRawBufferPointer)
  }

  func cell(_ column: Int) -> Cell {
    let column = Int32(column)
    switch unsafe sqlite3_column_type(handle, column) {
    case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(handle, column))
    case SQLITE_FLOAT: return .double(unsafe sqlite3_column_double(handle, column))
    case SQLITE_TEXT:
      let start = unsafe sqlite3_column_text(handle, column)
      let count = Int(unsafe sqlite3_column_bytes(handle, column))
      return unsafe .text(UnsafeRawBufferPointer(start: start, count: count))
    case SQLITE_BLOB:
      let start = unsafe sqlite3_column_blob(handle, column)
      let count = Int(unsafe sqlite3_column_bytes(handle, column))
      return unsafe .blob(UnsafeRawBufferPointer(start: start, count: count))
    default: return .null
    }
  }
}
