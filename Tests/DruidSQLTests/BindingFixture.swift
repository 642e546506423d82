import Testing

@testable import DruidSQL

/// Two datasources and a system table, as the engine describes them.
enum BindingFixture {
  static let catalog = Catalog(tables: [
    Catalog.Table(
      schema: "druid", name: "ecommerce", kind: .dataSource, sqlite: "ecommerce",
      columns: [
        column("__time", SQLType(.timestamp, isNullable: false)), column("event_type", .varchar),
        column("country", .varchar), column("city", .varchar), column("device", .varchar),
        column("user_id", .bigint), column("product_id", .bigint), column("price", .double),
        column("quantity", .bigint),
      ]),
    Catalog.Table(
      schema: "druid", name: "edge", kind: .dataSource, sqlite: "edge",
      columns: [
        column("__time", SQLType(.timestamp, isNullable: false)), column("name", .varchar),
        column("tags", .varchar, multiple: true), column("n", .bigint), column("x", .double),
        column("f", .float),
      ]),
    Catalog.Table(
      schema: "sys", name: "segments", kind: .system, sqlite: "sys_segments",
      columns: [column("datasource", .varchar), column("num_rows", .bigint)]),
  ])

  private static func column(
    _ name: String, _ type: SQLType, multiple: Bool = false
  ) -> Catalog.Column {
    Catalog.Column(name: name, type: type, sqlite: "\"\(name)\"", hasMultipleValues: multiple)
  }

  static func plan(
    _ sql: String, parameters: [PlanParameter] = [], zone: String = "UTC"
  ) throws(SQLFailure) -> Plan {
    try Planner.plan(
      sql, parameters: parameters, catalog: catalog,
      settings: PlanSettings(timeZone: zone, nowMilliseconds: 1_767_225_600_000))
  }

  /// The types of the columns, as the header rows show them.
  static func types(_ sql: String) throws(SQLFailure) -> String {
    try plan(sql).columns.map(\.type.sqlName).joined(separator: " ")
  }

  /// Expects that a query is taken, or refused with a message that contains these words.
  static func expect(_ sql: String, isTaken: Bool, words: String) {
    let failure = failure(sql)
    #expect((failure == nil) == isTaken)
    if let failure { #expect(failure.message.contains(words)) }
  }

  /// The error of a query that must be refused.
  static func failure(_ sql: String) -> SQLFailure? {
    do {
      _ = try plan(sql)
      return nil
    } catch {
      return error
    }
  }
}
