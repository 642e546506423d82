import CSQLite
import DruidSQL
import Glibc
import JavaValues
import Synchronization

/// SQLite's error for a statement that it can't prepare or step.
struct SQLiteFailure: Error, Equatable {
  let code: Int32
  let message: String
  /// The failure of one of Druid's functions that caused it.
  var cause: ValueFailure?

  var isInterrupt: Bool { code == SQLITE_INTERRUPT }
}

/// A private in-memory SQLite database that only contains the tables added to it.
///
/// One thread uses it at a time. Only ``stop()`` may be called from another thread: SQLite's
/// interrupt allows that while the connection is open, and the connection is open until its last
/// reference is released.
@safe
final class SQLiteConnection: @unchecked Sendable {
  let handle: OpaquePointer
  private let limit: StatementLimit
  /// State shared by the functions.
  let values: ValueContext
  private var functions: [AnyObject] = []

  /// The memory that sorting may use before it uses a temporary file, in KiB.
  private static let sortMemory = 32 << 10

  init() throws(SQLiteFailure) {
    _ = Self.started
    var handle: OpaquePointer?
    let flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX
    let status = unsafe sqlite3_open_v2(":memory:", &handle, flags, nil)
    guard status == SQLITE_OK, let handle = unsafe handle else {
      unsafe sqlite3_close_v2(handle)
      throw SQLiteFailure(code: status, message: "cannot open")
    }
    unsafe self.handle = handle
    let limit = StatementLimit()
    self.limit = limit
    values = ValueContext(
      limits: QueryLimits { limit.mustEnd }, readZone: TimeZoneFiles.read)
    unsafe csqlite_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
    unsafe csqlite_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0)
    unsafe csqlite_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0)
    unsafe sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
    unsafe sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Int32(Text.sizeLimit))
    // SQLite makes json_each at its first use, which the authorizer would refuse later.
    _ = try prepare("SELECT 1 FROM json_each('[]')")
    let (functions, registered) = unsafe SQLiteFunctions.register(in: handle, context: values)
    self.functions = functions
    try check(registered)
    try execute("PRAGMA cache_size = -\(Self.sortMemory)")
    unsafe sqlite3_progress_handler(
      handle, 20_000, StatementLimit.check, Unmanaged.passUnretained(limit).toOpaque())
  }

  private static let started = csqlite_start()

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Adds a datasource as a table called `name`.
  func add(_ table: BoundTable, named name: String) throws(SQLiteFailure) {
    try check(unsafe DatasourceModule.register(table, as: name, in: handle))
    // SQLite makes the table at its first use, which the authorizer would refuse later.
    _ = try prepare("SELECT 1 FROM \(name)")
  }

  /// Adds computed groups as a table called `name`.
  func add(_ groups: ColumnGroups, named name: String) throws(SQLiteFailure) {
    try check(unsafe GroupsModule.register(groups, as: name, in: handle))
    _ = try prepare("SELECT 1 FROM \(name)")
  }

  /// Runs internal statements without results.
  func execute(_ sql: String) throws(SQLiteFailure) {
    try check(unsafe sqlite3_exec(handle, sql, nil, nil, nil))
  }

  /// From here on, statements may only read this connection's tables.
  func lock() {
    unsafe sqlite3_set_authorizer(handle, SQLiteAuthorizer.decide, nil)
  }

  /// Compiles one statement.
  func prepare(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
    var statement: OpaquePointer?
    try check(unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
    guard let statement = unsafe statement else {
      throw SQLiteFailure(code: SQLITE_MISUSE, message: "empty statement")
    }
    return unsafe SQLiteStatement(connection: self, handle: statement)
  }

  /// Sets when statements are interrupted: at this time of the monotonic clock, or when the client
  /// is gone.
  func setDeadline(_ deadline: ContinuousClock.Instant?, _ client: HTTPClient? = nil) {
    limit.set(deadline, client)
  }

  /// Throws when statements must end.
  func checkLimit() throws(SQLiteFailure) {
    if limit.mustEnd { throw SQLiteFailure(code: SQLITE_INTERRUPT, message: "interrupted") }
  }

  /// Whether a statement was interrupted because its time was over.
  var isOverdue: Bool { limit.isOverdue }

  /// Interrupts the running statement, from any thread.
  func stop() {
    limit.stop()
    unsafe sqlite3_interrupt(handle)
  }

  func check(_ status: Int32) throws(SQLiteFailure) {
    guard status != SQLITE_OK else { return }
    throw failure(status)
  }

  func failure(_ status: Int32) -> SQLiteFailure {
    let message = unsafe String(cString: sqlite3_errmsg(handle))
    return SQLiteFailure(
      code: status & 0xff, message: message,
      cause: ValueFailure(code: unsafe sqlite3_extended_errcode(handle), words: message))
  }
}

/// Decides when a statement must end. SQLite calls it repeatedly.
final class StatementLimit: Sendable {
  private struct State {
    var deadline: ContinuousClock.Instant?
    var isOverdue = false
    var isStopped = false
    var client: HTTPClient?
    /// When to check next whether the client is still connected.
    var nextLook = ContinuousClock.now
    /// When the client closed its side.
    var closedSince: ContinuousClock.Instant?

    /// How long a client may still read after closing its side, as a client may do after sending
    /// its request.
    static let patience = Duration.seconds(1)

    mutating func look(_ now: ContinuousClock.Instant) {
      guard let client, now >= nextLook else { return }
      nextLook = now + .milliseconds(100)
      guard client.hasClosed else { return closedSince = nil }
      let since = closedSince ?? now
      closedSince = since
      if now - since >= Self.patience { isStopped = true }
    }
  }

  private let state = Mutex(State())

  func set(_ deadline: ContinuousClock.Instant?, _ client: HTTPClient?) {
    state.withLock { $0 = State(deadline: deadline, client: client) }
  }

  func stop() { state.withLock { $0.isStopped = true } }
  var isOverdue: Bool { state.withLock { $0.isOverdue } }

  var mustEnd: Bool {
    state.withLock { state in
      let now = ContinuousClock.now
      if let deadline = state.deadline, now >= deadline { state.isOverdue = true }
      state.look(now)
      return state.isStopped || state.isOverdue
    }
  }

  static let check: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
    guard let context = unsafe context else { return 0 }
    let limit = unsafe Unmanaged<StatementLimit>.fromOpaque(context)
    return unsafe limit._withUnsafeGuaranteedRef { $0.mustEnd } ? 1 : 0
  }
}

/// A second safeguard: the translator only writes reads, and SQLite refuses to compile anything
/// else.
enum SQLiteAuthorizer {
  static let decide:
    @convention(c) (
      UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
      UnsafePointer<CChar>?, UnsafePointer<CChar>?
    ) -> Int32 = { _, action, _, second, _, _ in
      switch action {
      case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return SQLITE_OK
      case SQLITE_FUNCTION:
        let name = unsafe second.map { unsafe String(cString: $0) } ?? ""
        return name == "load_extension" ? SQLITE_DENY : SQLITE_OK
      default: return SQLITE_DENY
      }
    }
}
