/// One SELECT with its clauses, without ORDER BY.
struct Select: Hashable, Sendable {
  var isDistinct = false
  var items: [SelectItem]
  var from: TableReference?
  var `where`: Expression?
  var groupBy: GroupBy?
  var having: Expression?
  var windows: [NamedWindow] = []
  var qualify: Expression?
  @Position var range: SourceRange
}

/// `expression [AS alias]`; `*` and `t.*` are expressions of the kind `.star`.
struct SelectItem: Hashable, Sendable {
  var expression: Expression
  var alias: Identifier?
  /// The range from the expression to the alias.
  @Position var range: SourceRange
}

struct GroupBy: Hashable, Sendable {
  /// Whether it is GROUP BY DISTINCT, which drops duplicate grouping sets.
  var isDistinct = false
  var items: [GroupItem]
  @Position var range: SourceRange
}

indirect enum GroupItem: Hashable, Sendable {
  /// An expression. An integer refers to a SELECT item; the resolver decides.
  case expression(Expression)
  /// `(a, b)`, or `()` for the empty set
  case set([Expression])
  case groupingSets([GroupItem])
  /// Each element is a list: `ROLLUP(a, (b, c))` is `[[a], [b, c]]`
  case rollup([[Expression]])
  case cube([[Expression]])
}

/// `name AS (specification)` of the WINDOW clause.
struct NamedWindow: Hashable, Sendable {
  var name: Identifier
  var specification: WindowSpecification
}
