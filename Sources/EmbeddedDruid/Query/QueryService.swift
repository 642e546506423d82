import CSQLite
import DruidSQL
import JavaValues
import Plumbing
import Synchronization

/// Plans and runs queries, and cancels them on request.
final class QueryService: Sendable {
  private let supervisors: Supervisors
  private let state = Mutex(State())

  private struct State {
    var underWay: [UnderWay] = []
    var isClosed = false
  }

  /// Whether groupings may be computed over columns. Without it SQLite computes everything, for
  /// comparison.
  private let computesColumns: Bool
  /// Called for each grouping: with nil when it was computed over columns, else with the reason why
  /// not.
  private let observe: (@Sendable (String?) -> Void)?

  init(
    _ supervisors: Supervisors, computesColumns: Bool = true,
    observe: (@Sendable (String?) -> Void)? = nil
  ) {
    self.supervisors = supervisors
    self.computesColumns = computesColumns
    self.observe = observe
  }

  /// Cancels running queries, and refuses further ones.
  func close() {
    let queries = state.withLock { state in
      state.isClosed = true
      return state.underWay
    }
    for query in queries { query.cancel() }
  }

  /// Cancels a query; false when no query with this id is running.
  func cancel(_ id: String) -> Bool {
    let queries = state.withLock { $0.underWay.filter { $0.id == id } }
    for query in queries { query.cancel() }
    return !queries.isEmpty
  }

  /// Whether a query with this id is running.
  func isUnderWay(_ id: String) -> Bool {
    state.withLock { $0.underWay.contains { $0.id == id } }
  }

  private func begin(_ id: String) throws -> UnderWay {
    try state.withLock { state in
      guard !state.isClosed else {
        throw DruidError.runtime(
          "Shutting down", errorClass: "org.apache.druid.java.util.common.ISE")
      }
      let query = UnderWay(id)
      state.underWay.append(query)
      return query
    }
  }

  private func end(_ query: UnderWay) {
    state.withLock { $0.underWay.removeAll { $0 === query } }
  }

  /// An answer whose rows are computed on request.
  final class Answer: HTTPStream {
    private let statement: SQLiteStatement
    private var writer: AnswerWriter
    private let finish: () -> Void
    private var isDone = false
    /// The number of rows before the answer is cut.
    private var rowsLeft = Int.max

    fileprivate init(
      _ statement: SQLiteStatement, _ writer: AnswerWriter, cutAfter rows: Int? = nil,
      finish: @escaping () -> Void
    ) {
      rowsLeft = rows ?? .max
      self.statement = statement
      self.writer = writer
      self.finish = finish
    }

    deinit { finish() }

    /// The next rows, about 32 KiB; nil at the end. After an error, such as the time limit, the
    /// answer ends without its end mark.
    func next() -> [UInt8]? {
      guard !isDone else { return nil }
      do {
        // SQLite itself looks only once in many steps, and rows may be long or the client slow.
        try statement.connection.checkLimit()
        try fill()
      } catch {
        isDone = true
      }
      let bytes = writer.take()
      return bytes.isEmpty ? nil : bytes
    }

    /// Writes rows until there are enough for one piece, or all.
    fileprivate func fill() throws(SQLiteFailure) {
      while writer.bytes.count < 32 << 10 {
        guard try statement.step() else {
          writer.end()
          isDone = true
          return
        }
        guard rowsLeft > 0 else {
          isDone = true
          return
        }
        rowsLeft -= 1
        writer.row(statement)
      }
    }

    /// The whole answer, if it is complete.
    fileprivate var whole: [UInt8]? { isDone ? writer.bytes : nil }
  }

  /// The result of a query.
  enum Result {
    case whole([UInt8])
    case streaming(Answer)
  }

  /// Runs a query. Errors before the first row are thrown.
  ///
  /// It waits until all messages acknowledged before the call are ingested. The query ends when the
  /// client is gone.
  ///
  /// - Returns: the result, and the segments whose rows are missing, as the response's context
  ///   names them.
  /// - Throws: ``DruidError`` or ``HTMLError``.
  func run(
    _ request: SQLRequest, for client: HTTPClient? = nil
  ) throws -> (result: Result, missing: [JSONValue]) {
    let query = try begin(request.id)
    do {
      let answer = try run(request, query, client)
      if case .whole = answer.result { end(query) }
      return answer
    } catch {
      end(query)
      throw error
    }
  }

  private func run(
    _ request: SQLRequest, _ query: UnderWay, _ client: HTTPClient?
  ) throws -> (result: Result, missing: [JSONValue]) {
    let start = ContinuousClock.now
    let deadline = request.timeoutMilliseconds.map { start + .milliseconds($0) }
    guard supervisors.catchUp(withinMilliseconds: request.timeoutMilliseconds ?? 300_000) else {
      throw DruidError.timeout(request.id)
    }
    let entries = supervisors.all
    var sources = entries.enumerated().compactMap { index, entry in
      SourceTable(entry, number: index)
    }
    if request.fault.hidesSegment {
      do throws(StorageFull) {
        for index in sources.indices { try sources[index].hideSegment(supervisors.storage) }
      } catch {
        throw DruidError.runtime(
          "no room: \(systemErrorText(error.code))", errorClass: "java.io.IOException")
      }
      // A datasource without remaining rows is unknown, unless the answer reports the missing
      // segment.
      if request.fault.isSilent { sources.removeAll { $0.bound.snapshot.rowCount == 0 } }
    }
    let system = SystemTables(sources: sources, supervisors: supervisors.active)
    let plan = try plan(request, Catalog(tables: sources.map(\.catalog) + system.catalog))
    if let failure = sources.first(where: {
      plan.dataSources.contains($0.name) && $0.failure != nil
    }) {
      throw DruidError.runtime(
        "Datasource [\(failure.name)] is not whole: \(failure.failure ?? "")",
        errorClass: "org.apache.druid.java.util.common.ISE")
    }
    let missing =
      request.fault.isSilent
      ? []
      : sources.filter { plan.dataSources.contains($0.name) }
        .compactMap(\.missingSegment)
    if plan.isExplain {
      return (try explain(request, query, plan, system, deadline), missing)
    }
    return (try answer(request, query, plan, sources, system, deadline, client), missing)
  }

  static let noNativeQueries =
    "EXPLAIN PLAN FOR is answered for constants alone: devstack has no native queries"

  /// The plan of a query of constants: a scan over the rows, with the query's context.
  private func explain(
    _ request: SQLRequest, _ query: UnderWay, _ plan: Plan, _ system: SystemTables,
    _ deadline: ContinuousClock.Instant?
  ) throws -> Result {
    guard plan.dataSources.isEmpty, let sql = Self.explained(request.query) else {
      throw DruidError.unsupported(Self.noNativeQueries)
    }
    var constant = request
    constant.query = sql
    constant.format = AnswerFormat(format: .array)
    constant.fault = QueryFault()
    let constantPlan = try self.plan(constant, Catalog(tables: system.catalog))
    guard
      case .whole(let rows) = try answer(constant, query, constantPlan, [], system, deadline, nil)
    else { throw DruidError.unsupported(Self.noNativeQueries) }
    let explanation = Explanation(
      request, plan.columns, rows: String(decoding: rows, as: UTF8.self))
    let texts = Plan(
      sqlite: explanation.sqlite,
      columns: ["PLAN", "RESOURCES", "ATTRIBUTES"].map { Plan.Column(name: $0, type: .varchar) },
      dataSources: [], isExplain: false)
    return try answer(request, query, texts, [], system, deadline, nil)
  }

  /// The statement after `EXPLAIN PLAN FOR`.
  private static func explained(_ sql: String) -> String? {
    guard
      let words = sql.firstRange(of: /(?i)explain\s+plan\s+for\s/)
    else { return nil }
    return String(sql[words.upperBound...])
  }

  /// Adds the reason to an error about an unknown datasource, if its topic tells it.
  private func explained(_ error: DruidError, _ message: String) -> DruidError {
    guard let start = message.firstRange(of: "Object '"),
      let end = message[start.upperBound...].firstRange(of: "' not found"),
      let why = supervisors.explanation(for: String(message[start.upperBound..<end.lowerBound]))
    else { return error }
    return error.saying(": " + why)
  }

  private func plan(_ request: SQLRequest, _ catalog: Catalog) throws -> Plan {
    var settings = PlanSettings(
      timeZone: request.timeZone,
      nowMilliseconds: request.nowMilliseconds ?? TimePoint.now.milliseconds)
    settings.approximatesCountDistinct = request.approximatesCountDistinct
    settings.approximatesTopN = request.approximatesTopN
    settings.skipsEmptyBuckets = request.skipsEmptyBuckets
    settings.groupsMultipleValues = request.groupsMultipleValues
    settings.outerLimit = request.outerLimit
    settings.forcesVectors = request.forcesVectors
    let plan: Plan
    do {
      plan = try Planner.plan(
        request.query, parameters: request.parameters, catalog: catalog, settings: settings)
    } catch {
      if error.category == .overflow { throw HTMLError.overflow }
      throw explained(DruidError(error), error.errorMessage)
    }
    return plan
  }

  private func answer(
    _ request: SQLRequest, _ query: UnderWay, _ plan: Plan, _ sources: [SourceTable],
    _ system: SystemTables,
    _ deadline: ContinuousClock.Instant?, _ client: HTTPClient?
  ) throws -> Result {
    let connection: SQLiteConnection
    do {
      connection = try SQLiteConnection()
    } catch {
      throw Self.error(error, request.id, isOverdue: false)
    }
    var format = request.format
    do {
      let zone = try connection.values.zone(request.timeZone)
      format.zone = AnswerZone(
        offset: { zone.offset(at: $0) }, shown: { zone.instant(literal: zone.local($0)) })
    } catch {
      throw DruidError.runtime(error.words, errorClass: "java.lang.IllegalArgumentException")
    }
    do throws(SQLiteFailure) {
      for source in sources where plan.dataSources.contains(source.name) {
        try connection.add(source.bound, named: source.sqliteName)
      }
      try system.create(in: connection, for: plan.sqlite)
      connection.setDeadline(deadline, client)
      try query.run(on: connection)
    } catch {
      throw Self.error(error, request.id, isOverdue: connection.isOverdue)
    }
    let left: [ColumnGrouping]
    do throws(SQLiteFailure) {
      left = try compute(plan.groupings, sources, connection)
    } catch {
      throw Self.error(error, request.id, isOverdue: connection.isOverdue)
    }
    connection.lock()
    let statement = try Self.compile(plan.sqlite(leaving: left), connection)
    var writer = AnswerWriter(format, columns: plan.columns)
    writer.begin()
    let answer: Answer
    do throws(SQLiteFailure) {
      answer = Answer(statement, writer, cutAfter: request.fault.cutRows) { [self] in end(query) }
      try answer.fill()
    } catch {
      throw Self.error(error, request.id, isOverdue: connection.isOverdue)
    }
    if let whole = answer.whole { return .whole(whole) }
    return .streaming(answer)
  }

  /// Computes groupings over columns.
  ///
  /// - Returns: the groupings that are left to SQLite. - Throws: when the query is interrupted.
  private func compute(
    _ groupings: [ColumnGrouping], _ sources: [SourceTable], _ connection: SQLiteConnection
  ) throws(SQLiteFailure) -> [ColumnGrouping] {
    var left: [ColumnGrouping] = []
    for grouping in groupings {
      guard computesColumns, let source = sources.first(where: { $0.sqliteName == grouping.source })
      else {
        left.append(grouping)
        continue
      }
      do {
        let groups = try ColumnGroups(grouping, source.bound.snapshot, connection) {
          try connection.checkLimit()
        }
        try connection.add(groups, named: grouping.name)
        observe?(nil)
      } catch {
        if let failure = error as? SQLiteFailure, failure.isInterrupt { throw failure }
        observe?("\(error)")
        left.append(grouping)
      }
    }
    return left
  }

  /// Compiles a statement. SQLite's parser has limits, and it refuses names that the translator
  /// should not have written.
  private static func compile(
    _ sql: String, _ connection: SQLiteConnection
  ) throws -> SQLiteStatement {
    do throws(SQLiteFailure) {
      return try connection.prepare(sql)
    } catch {
      let isDepth =
        error.message.contains("parser stack overflow")
        || error.message.contains("Expression tree is too large")
      throw DruidError.unsupported(
        isDepth
          ? "The statement is nested too deeply"
          : "The statement can't be carried out here: \(error.message)")
    }
  }

  private static func error(
    _ failure: SQLiteFailure, _ id: String, isOverdue: Bool
  ) -> any Error {
    if failure.isInterrupt { return isOverdue ? DruidError.timeout(id) : DruidError.cancelled() }
    switch failure.cause {
    case .divisionByZero:
      return DruidError.runtime("null", errorClass: "java.lang.ArithmeticException")
    case .invalidConstant(let words): return DruidError.invalidInput(words)
    case .unsupported(let words): return DruidError.unsupported(words)
    case .overflow: return HTMLError.overflow
    case .uncategorized(let words):
      return DruidError(
        SQLFailure(
          words, at: nil, category: .uncategorized, errorCode: "general", persona: "ADMIN"))
    case .interrupted: return isOverdue ? DruidError.timeout(id) : DruidError.cancelled()
    case .invalid, nil: break
    }
    if failure.code == SQLITE_TOOBIG {
      return DruidError.unsupported("A text of more than \(Text.sizeLimit >> 20) MiB")
    }
    return DruidError.runtime(failure.message, errorClass: "java.lang.RuntimeException")
  }
}

/// A running query, from its request to its last row.
private final class UnderWay: Sendable {
  let id: String
  private let state = Mutex(State())

  private struct State {
    var isCancelled = false
    var connection: SQLiteConnection?
  }

  init(_ id: String) { self.id = id }

  /// Ends it now, or as soon as it runs.
  func cancel() {
    let connection = state.withLock { state in
      state.isCancelled = true
      return state.connection
    }
    connection?.stop()
  }

  /// Sets the connection that runs it. - Throws: when the query was cancelled before.
  func run(on connection: SQLiteConnection) throws(SQLiteFailure) {
    let isCancelled = state.withLock { state in
      state.connection = connection
      return state.isCancelled
    }
    if isCancelled { throw SQLiteFailure(code: SQLITE_INTERRUPT, message: "cancelled") }
  }
}

/// A datasource as a query sees it.
struct SourceTable {
  let name: String
  let sqliteName: String
  private(set) var bound: BoundTable
  /// The segment whose rows a fault hides.
  private(set) var hidden: SegmentSpan?
  let failure: String?
  let spec: IngestionSpec

  /// Nil while it has no rows, because Druid does not know it then.
  init?(_ entry: Supervisors.Entry, number: Int) {
    let (snapshot, failure, spec) = entry.follower.state.read { ($0.snapshot, $0.failure, $0.spec) }
    guard snapshot.rowCount > 0 || failure != nil else { return nil }
    name = entry.id
    sqliteName = "d\(number)"
    self.failure = failure
    self.spec = spec
    bound = BoundTable(
      columnNames: snapshot.schema.columns.indices.map { "c\($0)" }, snapshot: snapshot)
  }

  /// The datasource of a spec without any rows.
  init(emptyOf spec: IngestionSpec, number: Int) {
    name = spec.dataSource
    sqliteName = "d\(number)"
    failure = nil
    self.spec = spec
    let snapshot = TableSnapshot(schema: spec.schema)
    bound = BoundTable(
      columnNames: snapshot.schema.columns.indices.map { "c\($0)" }, snapshot: snapshot)
  }

  /// Removes the rows of the segment in the middle.
  mutating func hideSegment(_ storage: TemporaryStorage) throws(StorageFull) {
    let spans = SegmentSpan.all(of: bound.snapshot, by: spec.segmentGranularity)
    guard !spans.isEmpty else { return }
    let span = spans[spans.count / 2]
    hidden = span
    bound = BoundTable(
      columnNames: bound.columnNames,
      snapshot: try bound.snapshot.without(span.start..<span.end, storage: storage))
  }

  /// The hidden segment, as a response's context names it.
  var missingSegment: JSONValue? {
    guard let hidden else { return nil }
    let start = TimePoint(milliseconds: hidden.start).iso8601
    let end = TimePoint(milliseconds: hidden.end).iso8601
    return .object([
      "itvl": .string("\(start)/\(end)"), "ver": .string(start), "part": .integer(0),
    ])
  }

  var catalog: Catalog.Table {
    let snapshot = bound.snapshot
    let columns = snapshot.schema.columns.enumerated().map { index, column in
      var result = Catalog.Column(
        name: column.name, type: column.kind.sqlType, sqlite: "c\(index)",
        hasMultipleValues: snapshot.hasMultipleValues[index])
      let empties = snapshot.emptyLists[index]
      if !empties.isComplete {
        result.emptyLists = .unknown
      } else if !empties.rows.isEmpty {
        result.emptyLists = index < Catalog.Column.mostEmptyLists ? .bit(index) : .unknown
      }
      return result
    }
    return Catalog.Table(
      schema: Catalog.defaultSchema, name: name, kind: .dataSource, sqlite: sqliteName,
      columns: columns)
  }
}

/// The result of `EXPLAIN PLAN FOR` a query of constants.
private struct Explanation {
  let sqlite: String

  /// - Parameter rows: the constants as a JSON array of rows.
  init(_ request: SQLRequest, _ columns: [Plan.Column], rows: String) {
    var context = request.context.filter { !["queryId", "sqlQueryId"].contains($0.key) }
    if let limit = request.fault.outerLimit, !context.contains(where: { $0.key == "sqlOuterLimit" })
    {
      context.append(.init(key: "sqlOuterLimit", value: .integer(limit)))
    }
    context.append(.init(key: "queryId", value: .string(request.id)))
    context.append(.init(key: "sqlQueryId", value: .string(request.id)))
    context.sort { $0.key < $1.key }
    let names = JSONValue.array(columns.map { .string($0.name) })
    let types = JSONValue.array(columns.map { .string($0.type.nativeName) })
    let signature = JSONValue.array(
      columns.map { column in
        .object(["name": .string(column.name), "type": .string(column.type.nativeName)])
      })
    let mappings = JSONValue.array(
      columns.map { column in
        .object(["queryColumn": .string(column.name), "outputColumn": .string(column.name)])
      })
    let data = rows.filter { $0 != "\n" }
    let plan =
      "[{\"query\":{\"queryType\":\"scan\",\"dataSource\":{\"type\":\"inline\",\"columnNames\":"
      + "\(names.jsonText),\"columnTypes\":\(types.jsonText),\"rows\":\(data)},"
      + "\"intervals\":{\"type\":\"intervals\",\"intervals\":"
      + "[\"-146136543-09-08T08:23:32.096Z/146140482-04-24T15:36:27.903Z\"]},"
      + "\"resultFormat\":\"compactedList\",\"columns\":\(names.jsonText),"
      + "\"context\":\(JSONValue.object(context).jsonText),\"columnTypes\":\(types.jsonText),"
      + "\"granularity\":{\"type\":\"all\"},\"legacy\":false},\"signature\":\(signature.jsonText),"
      + "\"columnMappings\":\(mappings.jsonText)}]"
    let cells = [plan, "[]", "{\"statementType\":\"SELECT\"}"].map(SQLiteValue.literal)
    sqlite = "SELECT " + cells.joined(separator: ", ")
  }
}

extension ColumnKind {
  var sqlType: SQLType {
    switch self {
    case .time: SQLType(.timestamp, isNullable: false)
    case .long: .bigint
    case .double: .double
    case .float: .float
    case .string: .varchar
    case .array(.long): SQLType(.array(.bigint))
    case .array(.double): SQLType(.array(.double))
    case .array(.string): SQLType(.array(.varchar))
    case .json: .json
    }
  }
}
