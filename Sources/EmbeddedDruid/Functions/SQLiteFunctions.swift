import CSQLite
import DruidSQL
import JavaValues

/// Registers the functions of translated queries with SQLite.
///
/// SQLite calls the C functions here on the thread that steps the statement. Their user data lives
/// as long as the process, because the tables are static.
enum SQLiteFunctions {
  /// Ends the statement with a failure: a result code for its kind, and its message.
  static func fail(_ context: OpaquePointer?, _ failure: ValueFailure) {
    unsafe sqlite3_result_error(context, failure.words, -1)
    unsafe sqlite3_result_error_code(context, failure.code)
  }

  /// The user data of the callbacks, which the connection owns.
  final class Function {
    let kernel: Kernel
    let context: ValueContext

    init(_ kernel: Kernel, _ context: ValueContext) {
      self.kernel = kernel
      self.context = context
    }
  }

  /// The argument counts under which a kernel is registered: each of a few, or any.
  static func counts(_ arity: ClosedRange<Int>) -> [Int32] {
    arity.count > 4 ? [-1] : arity.map(Int32.init)
  }

  /// Registers every kernel. The result must live as long as the connection.
  static func register(
    in handle: OpaquePointer, context: ValueContext
  ) -> (functions: [AnyObject], status: Int32) {
    let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
    var functions: [AnyObject] = []
    for kernel in DruidSQL.Function.kernels {
      guard case .scalar = kernel.body else { continue }
      let bound = Function(kernel, context)
      functions.append(bound)
      let callback =
        switch kernel.fast {
        case .double: unsafe oneDouble
        case .doubles: unsafe twoDoubles
        case .longs: unsafe twoLongs
        case .timeFloor: unsafe floorTime
        case nil: unsafe anything
        }
      for count in counts(kernel.arity) {
        let status = unsafe sqlite3_create_function_v2(
          handle, kernel.name, count, flags, Unmanaged.passUnretained(bound).toOpaque(), callback,
          nil, nil, nil)
        guard status == SQLITE_OK else { return (functions, status) }
      }
    }
    let (aggregates, status) = unsafe SQLiteAggregates.register(in: handle, limits: context.limits)
    return (functions + aggregates, status)
  }

  typealias Arguments = UnsafeMutablePointer<OpaquePointer?>

  @inline(__always)
  private static func function(_ context: OpaquePointer?) -> Function? {
    guard let data = unsafe sqlite3_user_data(context) else { return nil }
    return unsafe Unmanaged<Function>.fromOpaque(data).takeUnretainedValue()
  }

  /// A double as SQLite represents it: a number, or the text `NaN`; nil for NULL.
  @inline(__always)
  private static func double(_ value: OpaquePointer?) -> Double? {
    switch unsafe sqlite3_value_type(value) {
    case SQLITE_FLOAT, SQLITE_INTEGER: return unsafe sqlite3_value_double(value)
    case SQLITE_NULL: return nil
    default: return unsafe SQLiteValue.read(value).double
    }
  }

  @inline(__always)
  fileprivate static func answer(_ value: Double, to context: OpaquePointer?) {
    // SQLite turns a real NaN into NULL.
    if value.isNaN {
      unsafe sqlite3_result_text(context, "NaN", 3, csqlite_transient())
    } else {
      unsafe sqlite3_result_double(context, value)
    }
  }

  private static let oneDouble: @convention(c) (OpaquePointer?, Int32, Arguments?) -> Void = {
    context, count, arguments in
    guard case .double(let function)? = unsafe function(context)?.kernel.fast, count == 1,
      let argument = unsafe double(arguments?[0])
    else { return unsafe sqlite3_result_null(context) }
    unsafe answer(function(argument), to: context)
  }

  private static let twoDoubles: @convention(c) (OpaquePointer?, Int32, Arguments?) -> Void = {
    context, count, arguments in
    guard case .doubles(let function)? = unsafe function(context)?.kernel.fast, count == 2,
      let one = unsafe double(arguments?[0]), let other = unsafe double(arguments?[1])
    else { return unsafe sqlite3_result_null(context) }
    unsafe answer(function(one, other), to: context)
  }

  private static let twoLongs: @convention(c) (OpaquePointer?, Int32, Arguments?) -> Void = {
    context, count, arguments in
    guard case .longs(let function)? = unsafe function(context)?.kernel.fast, count >= 2,
      let arguments = unsafe arguments
    else { return unsafe sqlite3_result_null(context) }
    for index in 0..<Int(count) where unsafe sqlite3_value_type(arguments[index]) == SQLITE_NULL {
      return unsafe sqlite3_result_null(context)
    }
    do throws(ValueFailure) {
      var value = unsafe sqlite3_value_int64(arguments[0])
      for index in 1..<Int(count) {
        value = try function(value, unsafe sqlite3_value_int64(arguments[index]))
      }
      unsafe sqlite3_result_int64(context, value)
    } catch {
      unsafe fail(context, error)
    }
  }

  private static let anything: @convention(c) (OpaquePointer?, Int32, Arguments?) -> Void = {
    context, count, arguments in
    let values = unsafe SQLiteValue.read(arguments, count)
    do throws(ValueFailure) {
      guard let function = unsafe function(context) else {
        return unsafe sqlite3_result_null(context)
      }
      let limits = function.context.limits
      try limits.check(128 + SQLiteValue.bytes(values))
      let value = try function.kernel(values, function.context)
      try unsafe SQLiteValue.answer(value, limits, to: context)
    } catch {
      unsafe fail(context, error)
    }
  }

  /// A period for truncating times, kept with its statement because it is the same for every row.
  private final class Floor {
    let period: Period
    let zone: TimeZoneTable
    /// The period as equal spans since 1970 in UTC, if possible.
    let span: Int64?

    init(_ period: Period, _ zone: TimeZoneTable, span: Int64?) {
      self.period = period
      self.zone = zone
      self.span = span
    }
  }

  private static let floorTime: @convention(c) (OpaquePointer?, Int32, Arguments?) -> Void = {
    context, count, arguments in
    guard count == 4, let arguments = unsafe arguments,
      unsafe sqlite3_value_type(arguments[0]) == SQLITE_INTEGER
    else { return unsafe sqlite3_result_null(context) }
    let time = unsafe sqlite3_value_int64(arguments[0])
    if unsafe sqlite3_value_type(arguments[2]) == SQLITE_NULL,
      let kept = unsafe sqlite3_get_auxdata(context, 1)
    {
      let floor = unsafe Unmanaged<Floor>.fromOpaque(kept)
      let result = unsafe floor._withUnsafeGuaranteedRef { floor in
        floor.span.map { TimeSpan.floor(time, $0) } ?? floor.period.floor(time, zone: floor.zone)
      }
      return unsafe sqlite3_result_int64(context, result)
    }
    let values = unsafe SQLiteValue.read(arguments, count)
    do throws(ValueFailure) {
      guard let function = unsafe function(context) else {
        return unsafe sqlite3_result_null(context)
      }
      unsafe SQLiteValue.answer(try function.kernel(values, function.context), to: context)
      guard values[2].isNull, let word = values[1].text, let period = Period(word),
        let name = values[3].text
      else { return }
      let zone = try function.context.zone(name)
      if period.needsSteps(in: zone) { return }
      let floor = Floor(period, zone, span: zone.name == "UTC" ? TimeSpan.of(word) : nil)
      unsafe sqlite3_set_auxdata(context, 1, Unmanaged.passRetained(floor).toOpaque()) { kept in
        if let kept = unsafe kept { unsafe Unmanaged<Floor>.fromOpaque(kept).release() }
      }
    } catch {
      unsafe fail(context, error)
    }
  }
}

extension ValueFailure {
  /// An extended result code of SQLITE_ERROR that SQLite does not use.
  private static func code(_ number: Int32) -> Int32 { SQLITE_ERROR | (100 + number) << 8 }

  fileprivate var code: Int32 {
    switch self {
    case .divisionByZero: Self.code(0)
    case .invalid: Self.code(1)
    case .invalidConstant: Self.code(2)
    case .unsupported: Self.code(3)
    case .uncategorized: Self.code(4)
    case .overflow: Self.code(5)
    case .interrupted: SQLITE_INTERRUPT
    }
  }

  var words: String {
    switch self {
    case .divisionByZero: "/ by zero"
    case .invalid(let words), .invalidConstant(let words), .unsupported(let words),
      .uncategorized(let words):
      words
    case .overflow: "java.lang.StackOverflowError"
    case .interrupted: "interrupted"
    }
  }

  /// The failure of a statement that ended with this extended result code; nil for SQLite's own
  /// errors.
  init?(code: Int32, words: String) {
    switch code {
    case Self.code(0): self = .divisionByZero
    case Self.code(1): self = .invalid(words)
    case Self.code(2): self = .invalidConstant(words)
    case Self.code(3): self = .unsupported(words)
    case Self.code(4): self = .uncategorized(words)
    case Self.code(5): self = .overflow
    default: return nil
    }
  }
}

/// Periods that are equal spans since 1970 in UTC.
enum TimeSpan {
  static func of(_ period: String) -> Int64? {
    switch period {
    case "PT1S": 1000
    case "PT1M": 60_000
    case "PT1H": 3_600_000
    case "P1D": 86_400_000
    default: nil
    }
  }

  static func floor(_ time: Int64, _ span: Int64) -> Int64 {
    let rest = time % span
    return time - (rest < 0 ? rest + span : rest)
  }
}

/// Converts values to and from SQLite.
enum SQLiteValue {
  /// A literal of SQLite for a text with any characters.
  static func literal(_ text: String) -> String {
    let digits = text.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
    return "CAST(x'\(digits.joined())' AS TEXT)"
  }

  static func read(_ value: OpaquePointer?) -> SQLValue {
    switch unsafe sqlite3_value_type(value) {
    case SQLITE_INTEGER: return .integer(unsafe sqlite3_value_int64(value))
    case SQLITE_FLOAT: return .real(unsafe sqlite3_value_double(value))
    case SQLITE_TEXT:
      let start = unsafe sqlite3_value_text(value)
      let count = Int(unsafe sqlite3_value_bytes(value))
      return .text(
        unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
    case SQLITE_BLOB:
      let start = unsafe sqlite3_value_blob(value)
      let count = Int(unsafe sqlite3_value_bytes(value))
      return .blob(unsafe Array(UnsafeRawBufferPointer(start: start, count: count)))
    default: return .null
    }
  }

  static func read(
    _ values: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int32
  ) -> [SQLValue] {
    guard let values = unsafe values else { return [] }
    return (0..<Int(count)).map { unsafe read(values[$0]) }
  }

  /// The total length of the texts.
  static func bytes(_ values: [SQLValue]) -> Int {
    var count = 0
    for case .text(let text) in values { count += text.utf8.count }
    return count
  }

  /// Returns a value to SQLite. A long text is charged to the query's budget for as long as SQLite
  /// holds it.
  static func answer(
    _ value: SQLValue, _ limits: QueryLimits, to context: OpaquePointer?
  ) throws(ValueFailure) {
    guard case .text(let text) = value, text.utf8.count > LongText.threshold else {
      return unsafe answer(value, to: context)
    }
    try Text.checkSize(text.utf8.count)
    try unsafe LongText.answer(text, limits, to: context)
  }

  static func answer(_ value: SQLValue, to context: OpaquePointer?) {
    switch value {
    case .null: unsafe sqlite3_result_null(context)
    case .integer(let number): unsafe sqlite3_result_int64(context, number)
    case .real(let number): unsafe SQLiteFunctions.answer(number, to: context)
    case .text(var text):
      text.withUTF8 { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self) { bytes in
          // An empty text may have no address, which SQLite would treat as NULL.
          if let start = bytes.baseAddress {
            unsafe sqlite3_result_text(context, start, Int32(bytes.count), csqlite_transient())
          } else {
            unsafe sqlite3_result_text(context, "", 0, csqlite_transient())
          }
        }
      }
    case .blob(let bytes):
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe sqlite3_result_blob(
          context, bytes.baseAddress, Int32(bytes.count), csqlite_transient())
      }
    }
  }
}

/// Texts that are long enough to be charged to the query's budget for as long as SQLite holds them.
enum LongText {
  /// Shorter texts are not charged, because a statement holds few values at a time.
  static let threshold = 64 << 10
  /// Stored before the bytes: their count, and the budget that they are charged to.
  @safe
  private struct Header {
    let count: Int
    let limits: Unmanaged<QueryLimits>
  }

  /// Passes the text to SQLite in memory that is freed, and returned to the budget, when SQLite is
  /// done with it.
  static func answer(
    _ text: String, _ limits: QueryLimits, to context: OpaquePointer?
  ) throws(ValueFailure) {
    let count = text.utf8.count
    try limits.check(count)
    try limits.charge(count)
    let offset = MemoryLayout<Header>.size
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: offset + count, alignment: MemoryLayout<Header>.alignment)
    unsafe memory.initializeMemory(
      as: Header.self, to: Header(count: count, limits: .passRetained(limits)))
    let bytes = unsafe memory + offset
    unsafe UnsafeMutableRawBufferPointer(start: bytes, count: count).copyBytes(from: text.utf8)
    unsafe sqlite3_result_text(
      context, bytes.assumingMemoryBound(to: CChar.self), Int32(count)
    ) { bytes in
      guard let bytes = unsafe bytes else { return }
      let memory = unsafe bytes - MemoryLayout<Header>.size
      let header = unsafe memory.load(as: Header.self)
      unsafe header.limits.takeRetainedValue().release(header.count)
      unsafe memory.deallocate()
    }
  }
}
