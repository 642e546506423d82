import DruidSQL
import Plumbing

/// The tables of `INFORMATION_SCHEMA` and `sys`, as they are when a query runs.
struct SystemTables {
  let sources: [SourceTable]
  let supervisors: [Supervisors.Entry]

  private enum Cell {
    case text(String?)
    case number(Int64)

    var sqlite: String {
      switch self {
      case .text(nil): "NULL"
      case .text(let text?): SQLiteValue.literal(text)
      case .number(let number): String(number)
      }
    }
  }

  /// Tables by schema and name; the names of numeric columns end in `#`.
  private static let layouts: [(schema: String, name: String, columns: String)] = [
    (
      "INFORMATION_SCHEMA", "SCHEMATA",
      "CATALOG_NAME SCHEMA_NAME SCHEMA_OWNER DEFAULT_CHARACTER_SET_CATALOG "
        + "DEFAULT_CHARACTER_SET_SCHEMA DEFAULT_CHARACTER_SET_NAME SQL_PATH"
    ),
    (
      "INFORMATION_SCHEMA", "TABLES",
      "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_TYPE IS_JOINABLE IS_BROADCAST"
    ),
    (
      "INFORMATION_SCHEMA", "COLUMNS",
      "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION# COLUMN_DEFAULT "
        + "IS_NULLABLE DATA_TYPE CHARACTER_MAXIMUM_LENGTH CHARACTER_OCTET_LENGTH NUMERIC_PRECISION "
        + "NUMERIC_PRECISION_RADIX NUMERIC_SCALE DATETIME_PRECISION CHARACTER_SET_NAME "
        + "COLLATION_NAME JDBC_TYPE#"
    ),
    (
      "INFORMATION_SCHEMA", "ROUTINES",
      "ROUTINE_CATALOG ROUTINE_SCHEMA ROUTINE_NAME ROUTINE_TYPE IS_AGGREGATOR SIGNATURES"
    ),
    (
      "sys", "segments",
      "segment_id datasource start end size# version partition_num# num_replicas# num_rows# "
        + "is_active# is_published# is_available# is_realtime# is_overshadowed# shard_spec "
        + "dimensions metrics last_compaction_state replication_factor#"
    ),
    (
      "sys", "servers",
      "server host plaintext_port# tls_port# server_type tier curr_size# max_size# is_leader# "
        + "start_time"
    ),
    ("sys", "server_segments", "server segment_id"),
    (
      "sys", "tasks",
      "task_id group_id type datasource created_time queue_insertion_time status runner_status "
        + "duration# location host plaintext_port# tls_port# error_msg"
    ),
    (
      "sys", "supervisors",
      "supervisor_id state detailed_state healthy# type source suspended# spec"
    ),
  ]

  private static func columns(_ layout: String) -> [(name: String, isNumber: Bool)] {
    layout.split(separator: " ").map { word in
      word.hasSuffix("#") ? (String(word.dropLast()), true) : (String(word), false)
    }
  }

  private static func sqliteName(_ schema: String, _ name: String) -> String {
    "\(schema.lowercased())_\(name.lowercased())"
  }

  /// The tables for the planner.
  var catalog: [Catalog.Table] {
    Self.layouts.map { layout in
      let columns = Self.columns(layout.columns).enumerated().map { index, column in
        Catalog.Column(
          name: column.name, type: column.isNumber ? .bigint : .varchar, sqlite: "c\(index)")
      }
      return Catalog.Table(
        schema: layout.schema, name: layout.name, kind: .system,
        sqlite: Self.sqliteName(layout.schema, layout.name), columns: columns)
    }
  }

  /// Makes the tables that a statement names.
  func create(in connection: SQLiteConnection, for sqlite: String) throws(SQLiteFailure) {
    for layout in Self.layouts {
      let name = Self.sqliteName(layout.schema, layout.name)
      guard sqlite.contains(name) else { continue }
      let columns = Self.columns(layout.columns).indices.map { "c\($0)" }
      try connection.execute("CREATE TABLE \(name)(\(columns.joined(separator: ",")))")
      for row in rows(layout.name) {
        let cells = row.map(\.sqlite).joined(separator: ",")
        try connection.execute("INSERT INTO \(name) VALUES(\(cells))")
      }
    }
  }

  private func rows(_ table: String) -> [[Cell]] {
    switch table {
    case "SCHEMATA":
      return ["INFORMATION_SCHEMA", "druid", "lookup", "sys", "view"].map { name in
        [.text("druid"), .text(name)] + Array(repeating: .text(nil), count: 5)
      }
    case "TABLES": return tableRows
    case "COLUMNS": return columnRows
    case "ROUTINES":
      return Function.routines.map { name, function in
        [
          .text("druid"), .text("INFORMATION_SCHEMA"), .text(name), .text("FUNCTION"),
          .text(function.isAggregate ? "YES" : "NO"), .text(nil),
        ]
      }
    case "segments": return segments.map(\.row)
    case "servers": return serverRows
    case "server_segments":
      return segments.map { [.text("localhost:8100"), .text($0.id)] }
    case "tasks": return taskRows
    case "supervisors": return supervisorRows
    default: return []
    }
  }

  /// Schema by schema, the tables of each in alphabetical order.
  private var allTables: [Catalog.Table] {
    let tables = sources.map(\.catalog) + catalog
    return [Catalog.defaultSchema, "INFORMATION_SCHEMA", "sys"].flatMap { schema in
      tables.filter { $0.schema == schema }.sorted { $0.name < $1.name }
    }
  }

  private var tableRows: [[Cell]] {
    allTables.map { table in
      [
        .text("druid"), .text(table.schema), .text(table.name),
        .text(table.kind == .system ? "SYSTEM_TABLE" : "TABLE"), .text("NO"), .text("NO"),
      ]
    }
  }

  private var columnRows: [[Cell]] {
    allTables.flatMap { table in
      table.columns.enumerated().map { index, column in
        let isTime = column.type.kind == .timestamp
        let number: Int64 =
          switch column.type.kind {
          case .timestamp: 93
          case .bigint: -5
          case .double: 8
          case .float: 6
          case .array: 2003
          case .complex: 1111
          default: 12
          }
        var row: [Cell] = [
          .text("druid"), .text(table.schema), .text(table.name), .text(column.name),
          .number(Int64(index) + 1), .text(nil), .text(isTime ? "NO" : "YES"),
          .text(column.type.isComplex ? column.type.nativeName : column.type.sqlName),
        ]
        row += Array(repeating: .text(nil), count: 8)
        return row + [.number(number)]
      }
    }
  }

  /// A segment: a span of a datasource, as if a task held it.
  private struct Segment {
    let id: String
    let row: [Cell]
  }

  private var segments: [Segment] {
    sources.flatMap { source in
      let spans = SegmentSpan.all(of: source.bound.snapshot, by: source.spec.segmentGranularity)
      let hidden = source.hidden.map { [$0] } ?? []
      return (spans + hidden).sorted { $0.start < $1.start }.map { span in
        // A segment whose server has failed is published, but not available. Earlier ones are
        // published as well.
        let isServed: Int64 = span == source.hidden ? 0 : 1
        let isPublished: Int64 = span.start <= source.hidden?.start ?? .min ? 1 : 0
        let start = TimePoint(milliseconds: span.start).iso8601
        let end = TimePoint(milliseconds: span.end).iso8601
        let version = start
        let id = "\(source.name)_\(start)_\(end)_\(version)"
        return Segment(
          id: id,
          row: [
            .text(id), .text(source.name), .text(start), .text(end), .number(0), .text(version),
            .number(0), .number(isServed), .number(Int64(span.rows)), .number(1),
            .number(isPublished), .number(isServed), .number(1 - isPublished), .number(0),
            .text("{\"type\":\"numbered\",\"partitionNum\":0,\"partitions\":0}"),
            .text(nil), .text(nil), .text(nil), .number(-1),
          ])
      }
    }
  }

  private var serverRows: [[Cell]] {
    var servers: [(String, Int64)] = [
      ("broker", 8082), ("coordinator", 8081), ("historical", 8083), ("middle_manager", 8091),
      ("overlord", 8081), ("router", 8888),
    ]
    let tasks = supervisors.filter { !$0.isSuspended }
    servers += tasks.indices.map { ("peon", 8100 + Int64($0)) }
    return servers.map { type, port in
      [
        .text("localhost:\(port)"), .text("localhost"), .number(port), .number(-1), .text(type),
        .text(type == "historical" ? "_default_tier" : nil), .number(0), .number(0),
        .number(type == "coordinator" || type == "overlord" ? 1 : 0), .text(nil),
      ]
    }
  }

  private var taskRows: [[Cell]] {
    supervisors.filter { !$0.isSuspended }.map { entry in
      let (id, started) = entry.follower.state.read { ($0.taskID, $0.startTime) }
      return [
        .text(id), .text(id), .text("index_kafka"), .text(entry.id), .text(started.iso8601),
        .text(started.iso8601), .text("RUNNING"), .text("RUNNING"), .number(-1),
        .text("localhost:8100"), .text("localhost"), .number(8100), .number(-1), .text(nil),
      ]
    }
  }

  private var supervisorRows: [[Cell]] {
    supervisors.map { entry in
      let state = SupervisorReport(entry)
      return [
        .text(entry.id), .text(state.state), .text(state.detailedState),
        .number(state.isHealthy ? 1 : 0), .text("kafka"), .text(state.topic),
        .number(entry.isSuspended ? 1 : 0), .text(state.spec.jsonText),
      ]
    }
  }
}

/// The number of rows of a datasource in a span of its segment granularity.
struct SegmentSpan: Equatable {
  var start: Int64
  var end: Int64
  var rows: Int

  /// - Complexity: O(rows).
  static func all(of snapshot: TableSnapshot, by granularity: QueryGranularity) -> [SegmentSpan] {
    var counts: [Int64: Int] = [:]
    let times = snapshot.layout.values[0]
    for chunk in snapshot.chunks {
      var start = Int64.max
      var end = Int64.min
      var count = 0
      for row in 0..<chunk.count {
        let time = unsafe chunk.block.address.load(
          fromByteOffset: times + row * 8, as: Int64.self)
        if time >= start && time < end {
          count += 1
          continue
        }
        if count > 0 { counts[start, default: 0] += count }
        start = granularity.floor(time)
        end = granularity.next(start)
        count = 1
      }
      if count > 0 { counts[start, default: 0] += count }
    }
    return counts.sorted { $0.key < $1.key }.map { start, rows in
      SegmentSpan(start: start, end: granularity.next(start), rows: rows)
    }
  }
}
