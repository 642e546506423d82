/// The statement of a request: a query, with or without EXPLAIN, or a statement that is parsed only
/// to be refused with Druid's message.
struct Statement: Sendable {
  enum Body: Sendable {
    case query(Query)
    /// INSERT, REPLACE or any other statement that is not a query. The kind is Calcite's name, such
    /// as `INSERT` or `SET_OPTION`.
    case other(kind: String)
  }

  /// Whether it starts with EXPLAIN PLAN FOR.
  var isExplain: Bool
  var body: Body
  /// The number of `?`.
  var parameterCount: Int
  var range: SourceRange
}
