/// Plans a query: from its text to SQL for SQLite.
package enum Planner {
  /// - Throws: ``SQLFailure`` when the query is wrong, or when it is not certain that Druid gives
  ///   the same result.
  package static func plan(
    _ sql: String, parameters: [PlanParameter] = [], catalog: Catalog, settings: PlanSettings
  ) throws(SQLFailure) -> Plan {
    let statement = try Parser.parse(sql)
    let query: Query
    switch statement.body {
    case .query(let body): query = body
    case .other(let kind): throw .noQuery(kind)
    }
    if statement.parameterCount > parameters.count {
      throw .noParameter(parameters.count + 1)
    }
    let resolver = Resolver(catalog: catalog, settings: settings, parameters: parameters)
    let (limited, outerLimit) = limited(query, settings.outerLimit)
    let relation = try resolver.resolve(limited, isTop: true)
    for column in relation.columns
    where column.type.kind == .smallint || column.type.kind == .tinyint {
      resolver.failInPlanning(.smallInteger(column))
    }
    if let failure = resolver.planningFailure { throw failure }
    let columns = relation.columns.enumerated().map { index, column in
      Plan.Column(
        name: column.name, type: column.type,
        keepsWholeNumbers: relation.shape.mixedNumbers.contains(index))
    }
    if statement.isExplain {
      return Plan(
        sqlite: "", columns: columns, dataSources: resolver.dataSources, isExplain: true)
    }
    let translator = Translator(settings)
    var sqlite = try translator.query(relation, isTop: true)
    if let limit = outerLimit { sqlite = "SELECT * FROM (\(sqlite)) LIMIT \(limit)" }
    return Plan(
      sqlite: sqlite, groupings: translator.groupings, columns: columns,
      dataSources: resolver.dataSources, isExplain: false)
  }

  /// Applies `sqlOuterLimit` as the query's LIMIT, or returns the limit to put around the query.
  private static func limited(_ query: Query, _ limit: Int?) -> (Query, Int?) {
    guard let limit, case .select = query.body else { return (query, limit) }
    var count = limit
    if let own = query.limit {
      guard case .literal(.integer(let digits)) = own.kind, let number = Int(digits) else {
        return (query, limit)
      }
      count = min(limit, number)
    }
    let expression = Expression(.literal(.integer(String(count))), query.range)
    let copy = Query(
      with: query.with, isRecursive: query.isRecursive, body: query.body, orderBy: query.orderBy,
      offset: query.offset, limit: expression, range: query.range)
    return (copy, nil)
  }
}
