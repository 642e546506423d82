/// Forms of SQL that this module reads and does not answer: Druid may take them.
extension SQLFailure {
  /// A star that is neither an item nor the argument of COUNT.
  static func star(at range: SourceRange) -> SQLFailure {
    .unknown("A star here", at: range)
  }

  /// `x > ALL (SELECT ...)`
  static func quantified(at range: SourceRange) -> SQLFailure {
    .unknown("A quantified comparison", at: range)
  }

  /// ARRAY(SELECT ...), MULTISET(SELECT ...)
  static func collection(_ word: String, at range: SourceRange) -> SQLFailure {
    .unknown("\(word)(query)", at: range)
  }

  /// `a[1]` of something else than an array
  static func item(at range: SourceRange) -> SQLFailure {
    .unknown("An item in brackets", at: range)
  }

  /// `(x).a`
  static func field(at range: SourceRange) -> SQLFailure {
    .unknown("Access to a field", at: range)
  }
}
