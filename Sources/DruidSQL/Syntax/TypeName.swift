/// A type in a CAST: `VARCHAR(20)`, `DECIMAL(10, 2)`, `BIGINT ARRAY`,
/// `TIMESTAMP(3) WITH TIME ZONE`.
package struct TypeName: Hashable, Sendable {
  /// The name; in capitals for SQL's own types. `INT` becomes `INTEGER`, `DEC` becomes `DECIMAL`;
  /// `STRING` stays as written.
  package var name: String
  /// Whether it is one of SQL's own types. The planner knows or refuses other names.
  package var isBuiltIn: Bool
  package var precision: Int?
  package var scale: Int?
  /// `ARRAY`, `MULTISET` or both, in the order in which they follow the name: `VARCHAR ARRAY`.
  package var collections: [String]
  /// `WITH TIME ZONE` or `WITH LOCAL TIME ZONE`, as text.
  package var timeZone: String?
  /// The units of an INTERVAL type.
  package var interval: IntervalQualifier?
  package var range: SourceRange

  package init(
    name: String, isBuiltIn: Bool = true, precision: Int? = nil, scale: Int? = nil,
    collections: [String] = [], timeZone: String? = nil, interval: IntervalQualifier? = nil,
    range: SourceRange = .none
  ) {
    self.name = name
    self.isBuiltIn = isBuiltIn
    self.precision = precision
    self.scale = scale
    self.collections = collections
    self.timeZone = timeZone
    self.interval = interval
    self.range = range
  }

  package static func == (left: TypeName, right: TypeName) -> Bool {
    left.name == right.name && left.precision == right.precision && left.scale == right.scale
      && left.collections == right.collections && left.timeZone == right.timeZone
      && left.interval == right.interval
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(precision)
    hasher.combine(scale)
    hasher.combine(collections)
  }
}
