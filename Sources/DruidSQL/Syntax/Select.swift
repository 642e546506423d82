/// One SELECT with its clauses, without ORDER BY.
package struct Select: Hashable, Sendable {
  package var isDistinct: Bool
  /// Hints in `/*+ ... */`, which Druid 33 accepts and mostly ignores.
  package var hints: [Hint]
  package var items: [SelectItem]
  package var from: TableReference?
  package var `where`: Expression?
  package var groupBy: GroupBy?
  package var having: Expression?
  package var windows: [NamedWindow]
  package var qualify: Expression?
  package var range: SourceRange

  package init(items: [SelectItem], range: SourceRange) {
    self.isDistinct = false
    self.hints = []
    self.items = items
    self.from = nil
    self.where = nil
    self.groupBy = nil
    self.having = nil
    self.windows = []
    self.qualify = nil
    self.range = range
  }

  package static func == (left: Select, right: Select) -> Bool {
    left.isDistinct == right.isDistinct && left.items == right.items && left.from == right.from
      && left.where == right.where && left.groupBy == right.groupBy
      && left.having == right.having && left.windows == right.windows
      && left.qualify == right.qualify
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(isDistinct)
    hasher.combine(items)
    hasher.combine(from)
    hasher.combine(`where`)
    hasher.combine(groupBy)
  }
}

package struct Hint: Hashable, Sendable {
  package var name: Identifier
  package var options: [String]

  package init(name: Identifier, options: [String]) {
    self.name = name
    self.options = options
  }
}

/// `expression [AS alias]`; `*` and `t.*` are expressions of the kind `.star`.
package struct SelectItem: Hashable, Sendable {
  package var expression: Expression
  package var alias: Identifier?
  /// The range from the expression to the alias.
  package var range: SourceRange

  package init(expression: Expression, alias: Identifier?, range: SourceRange) {
    self.expression = expression
    self.alias = alias
    self.range = range
  }

  package static func == (left: SelectItem, right: SelectItem) -> Bool {
    left.expression == right.expression && left.alias == right.alias
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(expression)
    hasher.combine(alias)
  }
}

package struct GroupBy: Hashable, Sendable {
  /// Whether it is GROUP BY DISTINCT, which drops duplicate grouping sets.
  package var isDistinct: Bool
  package var items: [GroupItem]
  package var range: SourceRange

  package init(isDistinct: Bool = false, items: [GroupItem], range: SourceRange) {
    self.isDistinct = isDistinct
    self.items = items
    self.range = range
  }

  package static func == (left: GroupBy, right: GroupBy) -> Bool {
    left.isDistinct == right.isDistinct && left.items == right.items
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(items) }
}

package indirect enum GroupItem: Hashable, Sendable {
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
package struct NamedWindow: Hashable, Sendable {
  package var name: Identifier
  package var specification: WindowSpecification

  package init(name: Identifier, specification: WindowSpecification) {
    self.name = name
    self.specification = specification
  }
}
