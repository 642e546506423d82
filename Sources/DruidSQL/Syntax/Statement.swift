/// The statement of a request: a query, with or without EXPLAIN, or a statement that is parsed only
/// to be refused with Druid's message.
package struct Statement: Sendable {
  package enum Body: Sendable {
    case query(Query)
    /// INSERT, REPLACE or any other statement that is not a query. The kind is Calcite's name, such
    /// as `INSERT` or `SET_OPTION`.
    case other(kind: String)
  }

  /// Whether it starts with EXPLAIN PLAN FOR.
  package var isExplain: Bool
  package var body: Body
  /// The number of `?`.
  package var parameterCount: Int
  package var range: SourceRange

  package init(isExplain: Bool, body: Body, parameterCount: Int, range: SourceRange) {
    self.isExplain = isExplain
    self.body = body
    self.parameterCount = parameterCount
    self.range = range
  }
}
