/// A query that is well formed, and that Druid refuses or fails on all the same; or one whose
/// result this module cannot guarantee.
///
/// The binder resolves names and types. What is refused of the typed query stands in lists of
/// restrictions, which the binder asks when it has bound a part.
struct Restriction<Subject: Sendable>: Sendable {
  typealias Check = @Sendable (Subject) throws(SQLFailure) -> Void

  /// Unique among all restrictions.
  let name: String
  /// What Druid does with such a query.
  let druid: String
  /// - Throws: the refusal of a query to which the restriction applies.
  let check: Check

  init(_ name: String, druid: String, check: @escaping Check) {
    self.name = name
    self.druid = druid
    self.check = check
  }
}

extension Array {
  /// Asks one restriction after the other.
  func check<Subject>(_ subject: Subject) throws(SQLFailure)
  where Element == Restriction<Subject> {
    for restriction in self { try restriction.check(subject) }
  }
}

/// The lists, each for a part of a query.
enum Restrictions {
  /// All restrictions as name and behavior, for tests.
  static let all: [(name: String, druid: String)] =
    values.map { ($0.name, $0.druid) } + joins.map { ($0.name, $0.druid) }
    + selects.map { ($0.name, $0.druid) } + sorts.map { ($0.name, $0.druid) }
}
