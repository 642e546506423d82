import TestSupport
import Testing

@testable import EmbeddedDruid

@Suite struct ScanTests {
  static func filled(_ count: Int) throws -> TableSnapshot {
    let schema = TableSchema(columns: [
      ColumnDescription(name: "device", kind: .string),
      ColumnDescription(name: "user_id", kind: .long),
      ColumnDescription(name: "price", kind: .double),
    ])
    var writer = TableWriter(
      schema: schema, storage: try TemporaryStorage(directory: "/tmp"))
    for row in 0..<count {
      try writer.beginRow()
      writer.set(time: Int64(row) * 10)
      var name = ["mobile", "desktop", "tablet"][row % 3]
      try name.withUTF8 { try unsafe writer.set(1, text: UnsafeRawBufferPointer($0)) }
      if row % 7 == 0 { writer.setNull(2) } else { writer.set(2, long: Int64(row % 100)) }
      writer.set(3, double: Double(row) / 2)
      writer.endRow()
    }
    return writer.publish()
  }

  static func rows(
    _ sql: String, _ snapshot: TableSnapshot, named name: String = "d", columns: [String]? = nil
  ) throws -> [[String]] {
    let connection = try SQLiteConnection()
    let names =
      columns
      ?? (name == "d" ? ["t", "device", "user_id", "price"] : ["c0", "c1", "c2", "c3"])
    try connection.add(
      BoundTable(
        columnNames: Array(names.prefix(snapshot.schema.columns.count)), snapshot: snapshot),
      named: name)
    connection.lock()
    let statement = try connection.prepare(sql)
    var rows: [[String]] = []
    while try statement.step() {
      rows.append(
        (0..<statement.columnCount).map { column in
          switch statement.cell(column) {
          case .null: "null"
          case .integer(let value): "\(value)"
          case .double(let value): "\(value)"
          case .text(let bytes): unsafe String(decoding: bytes, as: UTF8.self)
          case .blob(let bytes): unsafe "x" + String(decoding: bytes, as: UTF8.self)
          }
        })
    }
    return rows
  }

  @Test func countsGroupsAndOrders() throws {
    let snapshot = try Self.filled(100_000)
    #expect(try Self.rows("SELECT count(*) FROM d", snapshot) == [["100000"]])
    #expect(
      try Self.rows("SELECT device, count(*) FROM d GROUP BY device", snapshot)
        == [["desktop", "33333"], ["mobile", "33334"], ["tablet", "33333"]])
    #expect(
      try Self.rows("SELECT t FROM d WHERE t >= 500 AND t < 525.5 ORDER BY t DESC", snapshot)
        == [["520"], ["510"], ["500"]])
    let tablets = (0..<100_000).filter { row in
      row % 3 == 2 && row % 7 != 0 && row % 100 == 3
    }
    #expect(
      try Self.rows("SELECT count(*) FROM d WHERE device = 'tablet' AND user_id = 3", snapshot)
        == [["\(tablets.count)"]])
    #expect(
      try Self.rows("SELECT user_id, t FROM d WHERE t < 150 ORDER BY user_id DESC, t", snapshot)
        .map { $0[0] }
        == ["13", "12", "11", "10", "9", "8", "6", "5", "4", "3", "2", "1", "null", "null", "null"])
  }

  /// Rows of chunks that overlap in time, with ties, are in the order of a stable sort, which is
  /// reversed as a whole for descending times.
  @Test(arguments: [false, true]) func rowsComeInTheOrderOfTime(isDescending: Bool) throws {
    let schema = TableSchema(columns: [ColumnDescription(name: "n", kind: .long)])
    var writer = TableWriter(schema: schema, storage: try TemporaryStorage(directory: "/tmp"))
    var random = SeededGenerator(seed: 7)
    var times: [Int64] = []
    for row in 0..<100_000 {
      times.append(Int64(row / 10 + random.below(64)))
      try writer.beginRow()
      writer.set(time: times[row])
      writer.set(1, long: Int64(row))
      writer.endRow()
    }
    let snapshot = writer.publish()
    var merge = TimeMerge(
      snapshot, [.range(column: 0, low: 50, high: 9_000)], isDescending: isDescending)
    var found: [Int] = []
    while let number = merge.next() {
      found.append(RowNumber.chunk(number) * TableSchema.chunkRows + RowNumber.row(number))
    }
    let wanted = times.indices.filter { (50...9_000).contains(times[$0]) }.sorted { one, other in
      times[one] == times[other] ? one < other : times[one] < times[other]
    }
    #expect(found == (isDescending ? wanted.reversed() : wanted))
  }

  @Test func leastLongIsNotNull() throws {
    let schema = TableSchema(columns: [ColumnDescription(name: "n", kind: .long)])
    var writer = TableWriter(schema: schema, storage: try TemporaryStorage(directory: "/tmp"))
    for value in [3, nil, Int64.min, nil, Int64.min] as [Int64?] {
      try writer.beginRow()
      writer.set(time: 0)
      if let value { writer.set(1, long: value) } else { writer.setNull(1) }
      writer.endRow()
    }
    let snapshot = writer.publish()
    #expect(
      try Self.rows(
        "SELECT price, count(*) FROM (SELECT device AS price FROM d) GROUP BY 1", snapshot)
        == [["null", "2"], ["\(Int64.min)", "2"], ["3", "1"]])
  }

  @Test func nothingButDatasourcesIsRead() throws {
    let snapshot = try Self.filled(10)
    for sql in [
      "ATTACH '/etc/passwd' AS x", "PRAGMA database_list", "CREATE TABLE y(a)",
      "DELETE FROM d", "SELECT load_extension('x')", "VACUUM INTO '/tmp/x'",
    ] {
      #expect(throws: SQLiteFailure.self) { try Self.rows(sql, snapshot) }
    }
  }
}
