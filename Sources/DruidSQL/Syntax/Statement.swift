/// What one request may hold: a query, with or without EXPLAIN, or a statement that is read only to be refused
/// with Druid's words.
package struct Statement: Sendable {
  package enum Body: Sendable {
    case query(Query)
    /// INSERT, REPLACE and every other statement that is not a query: its kind as Calcite names it, such as
    /// `INSERT` or `SET_OPTION`.
    case other(kind: String)
  }

  /// Whether EXPLAIN PLAN FOR stands before it.
  package var isExplain: Bool
  package var body: Body
  /// How many `?` it holds.
  package var parameterCount: Int
  package var range: SourceRange

  package init(isExplain: Bool, body: Body, parameterCount: Int, range: SourceRange) {
    self.isExplain = isExplain
    self.body = body
    self.parameterCount = parameterCount
    self.range = range
  }
}
