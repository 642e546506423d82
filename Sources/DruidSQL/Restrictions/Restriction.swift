/// A query that is well formed, and that Druid refuses or fails on all the same; or one whose
/// result this module cannot guarantee.
///
/// The binder resolves names and types. What is refused of the parts that it has bound stands in
/// lists of restrictions, which it asks; what it cannot bind at all is one of the errors beside them
/// (``Invalid``, ``Uncertain``, `NameErrors.swift` and so on).
struct Restriction<Subject>: Sendable {
  typealias Check = @Sendable (Subject) throws(SQLFailure) -> Void

  /// Unique among all restrictions.
  let name: String
  /// What Druid does with such a query.
  let druid: String
  private let refuse: Check

  init(_ name: String, druid: String, refuse: @escaping Check) {
    self.name = name
    self.druid = druid
    self.refuse = refuse
  }

  /// - Throws: the refusal of a query to which the restriction applies.
  func check(_ subject: Subject) throws(SQLFailure) {
    do throws(SQLFailure) {
      try refuse(subject)
    } catch {
      var failure = error
      failure.rule = name
      throw failure
    }
  }
}

extension Array {
  /// Asks one restriction after the other.
  func check<Subject>(_ subject: Subject) throws(SQLFailure)
  where Element == Restriction<Subject> {
    for restriction in self { try restriction.check(subject) }
  }

  /// The failure of the first restriction that applies.
  func failure<Subject>(_ subject: Subject) -> SQLFailure?
  where Element == Restriction<Subject> {
    do throws(SQLFailure) {
      try check(subject)
      return nil
    } catch {
      return error
    }
  }

  fileprivate func described<Subject>() -> [(name: String, druid: String)]
  where Element == Restriction<Subject> {
    map { ($0.name, $0.druid) }
  }
}

/// The lists, each for a part of a query.
///
/// Those called `...Plans` hold what Druid's planner fails on. It plans a statement once its validator
/// has found nothing, so such a failure comes after all others.
enum Restrictions {
  /// All restrictions as name and behavior, for tests.
  static let all: [(name: String, druid: String)] =
    filters.described() + types.described() + typePlans.described()
    + casts.described() + castPlans.described() + unknownCasts.described() + choices.described()
    + typedChoices.described() + extremePlans.described() + calls.described()
    + aggregatePlaces.described() + aggregates.described() + windowPlaces.described()
    + windowedCalls.described() + windows.described() + frames.described()
    + joinSides.described() + joinConditions.described() + joins.described()
    + groupKeys.described() + itemPlans.described()
    + rows.described() + sets.described() + setResults.described() + memberships.described()
    + scalarQueries.described() + selects.described() + sorts.described()
}
