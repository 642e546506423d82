/// From the text of a query to what SQLite shall be asked.
package enum Planner {
  /// - Throws: ``SQLFailure`` when the query is wrong, or is not known for certain to be answered as Druid answers it.
  package static func plan(
    _ sql: String, parameters: [PlanParameter] = [], catalog: Catalog, settings: PlanSettings
  ) throws(SQLFailure) -> Plan {
    throw SQLFailure("Nothing is planned yet", at: nil, category: .unsupported)
  }
}
