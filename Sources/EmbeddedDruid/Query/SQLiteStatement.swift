import CSQLite
import JavaValues

/// A prepared statement, finalized with its last reference.
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

  /// Steps to the next row; false after the last one.
  func step() throws(SQLiteFailure) -> Bool {
    let status = unsafe sqlite3_step(handle)
    if status == SQLITE_ROW { return true }
    guard status == SQLITE_DONE else { throw connection.failure(status) }
    return false
  }

  /// Binds a parameter to a value, which must live until the next step is done.
  func bind(_ parameter: Int, _ cell: GroupCell) {
    let parameter = Int32(parameter)
    switch cell {
    case .null: unsafe sqlite3_bind_null(handle, parameter)
    case .long(let value): unsafe sqlite3_bind_int64(handle, parameter, value)
    case .real(let value) where value.isNaN:
      unsafe sqlite3_bind_text(handle, parameter, "NaN", 3, csqlite_transient())
    case .real(let value): unsafe sqlite3_bind_double(handle, parameter, value)
    case .entry(let entry) where entry.isMultiValue:
      unsafe sqlite3_bind_blob(handle, parameter, entry.bytes, Int32(entry.length), nil)
    case .entry(let entry):
      _ = unsafe entry.bytes.withMemoryRebound(to: CChar.self, capacity: Int(entry.length)) {
        text in
        unsafe sqlite3_bind_text(handle, parameter, text, Int32(entry.length), nil)
      }
    case .text(let text):
      unsafe sqlite3_bind_text(handle, parameter, text, Int32(text.utf8.count), csqlite_transient())
    }
  }

  /// Resets the statement, and keeps its parameters.
  func reset() { unsafe sqlite3_reset(handle) }

  /// A copy of a cell.
  func value(_ column: Int) -> SQLValue {
    switch cell(column) {
    case .null: .null
    case .integer(let value): .integer(value)
    case .double(let value): .real(value)
    case .text(let bytes): unsafe .text(String(decoding: bytes, as: UTF8.self))
    case .blob(let bytes): unsafe .blob(Array(bytes))
    }
  }

  /// A cell of the current row.
  @safe enum Cell {
    case null
    case integer(Int64)
    case double(Double)
    /// The bytes are valid until the next step.
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
