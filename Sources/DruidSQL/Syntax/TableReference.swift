/// An item of FROM.
package indirect enum TableReference: Hashable, Sendable {
  case table(Name, alias: TableAlias?)
  case query(Query, alias: TableAlias?, isLateral: Bool)
  /// UNNEST(array, ...) [WITH ORDINALITY]
  case unnest([Expression], withOrdinality: Bool, alias: TableAlias?, range: Position)
  /// TABLE(function(...)), or TABLE(function(...)) EXTEND (columns) as in Druid's EXTERN
  case function(FunctionCall, extend: [ColumnDefinition], alias: TableAlias?, range: Position)
  /// A join in parentheses. `(VALUES ...)` is a query instead.
  case parenthesized(TableReference, alias: TableAlias?)
  case join(Join)

  package var range: SourceRange {
    switch self {
    case .table(let name, let alias): alias.map { name.range.through($0.range) } ?? name.range
    case .query(let query, let alias, _):
      alias.map { query.range.through($0.range) } ?? query.range
    case .unnest(_, _, let alias, let position), .function(_, _, let alias, let position):
      alias.map { position.range.through($0.range) } ?? position.range
    case .parenthesized(let inner, let alias):
      alias.map { inner.range.through($0.range) } ?? inner.range
    case .join(let join): join.range
    }
  }

  /// The name of the leftmost table; nil when that is a query.
  var firstTable: Name? {
    switch self {
    case .table(let name, _): name
    case .parenthesized(let inner, _): inner.firstTable
    case .join(let join): join.left.firstTable
    case .query, .unnest, .function: nil
    }
  }

  package var alias: TableAlias? {
    switch self {
    case .table(_, let alias), .query(_, let alias, _), .unnest(_, _, let alias, _),
      .function(_, _, let alias, _), .parenthesized(_, let alias):
      alias
    case .join: nil
    }
  }
}

/// `[AS] name [(columns)]`
package struct TableAlias: Hashable, Sendable {
  package var name: Identifier
  package var columns: [Identifier]
  package var range: SourceRange

  package init(name: Identifier, columns: [Identifier], range: SourceRange) {
    self.name = name
    self.columns = columns
    self.range = range
  }

  package static func == (left: TableAlias, right: TableAlias) -> Bool {
    left.name == right.name && left.columns == right.columns
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(columns)
  }
}

package struct ColumnDefinition: Hashable, Sendable {
  package var name: Identifier
  package var type: TypeName

  package init(name: Identifier, type: TypeName) {
    self.name = name
    self.type = type
  }
}

package struct Join: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case inner = "INNER"
    case left = "LEFT"
    case right = "RIGHT"
    case full = "FULL"
    case cross = "CROSS"
    case comma = ","
  }

  package enum Condition: Hashable, Sendable {
    case on(Expression)
    case using([Identifier])
  }

  package var kind: Kind
  package var isNatural: Bool
  package var left: TableReference
  package var right: TableReference
  package var condition: Condition?
  package var range: SourceRange

  package init(
    kind: Kind, isNatural: Bool, left: TableReference, right: TableReference,
    condition: Condition?, range: SourceRange
  ) {
    self.kind = kind
    self.isNatural = isNatural
    self.left = left
    self.right = right
    self.condition = condition
    self.range = range
  }

  package static func == (left: Join, right: Join) -> Bool {
    left.kind == right.kind && left.isNatural == right.isNatural && left.left == right.left
      && left.right == right.right && left.condition == right.condition
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(left)
    hasher.combine(right)
  }
}
