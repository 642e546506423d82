/// A type in a CAST: `VARCHAR(20)`, `DECIMAL(10, 2)`, `BIGINT ARRAY`,
/// `TIMESTAMP(3) WITH TIME ZONE`.
struct TypeName: Hashable, Sendable {
  /// The name; in capitals for SQL's own types. `INT` becomes `INTEGER`, `DEC` becomes `DECIMAL`;
  /// `STRING` stays as written.
  var name: String
  /// Whether it is one of SQL's own types. The planner knows or refuses other names.
  var isBuiltIn = true
  var precision: Int?
  var scale: Int?
  /// `ARRAY`, `MULTISET` or both, in the order in which they follow the name: `VARCHAR ARRAY`.
  var collections: [String] = []
  /// `WITH TIME ZONE` or `WITH LOCAL TIME ZONE`, as text.
  var timeZone: String?
  /// The units of an INTERVAL type.
  var interval: IntervalQualifier?
  @Position var range: SourceRange = .none
}
