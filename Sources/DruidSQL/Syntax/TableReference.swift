/// An item of FROM.
indirect enum TableReference: Hashable, Sendable {
  case table(Name, alias: TableAlias?)
  case query(Query, alias: TableAlias?, isLateral: Bool)
  /// UNNEST(array, ...) [WITH ORDINALITY]
  case unnest([Expression], withOrdinality: Bool, alias: TableAlias?, range: Position)
  /// TABLE(function(...)), or TABLE(function(...)) EXTEND (columns) as in Druid's EXTERN
  case function(FunctionCall, extend: [ColumnDefinition], alias: TableAlias?, range: Position)
  /// A join in parentheses. `(VALUES ...)` is a query instead.
  case parenthesized(TableReference, alias: TableAlias?)
  case join(Join)

  var range: SourceRange {
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
}

/// `[AS] name [(columns)]`
struct TableAlias: Hashable, Sendable {
  var name: Identifier
  var columns: [Identifier]
  @Position var range: SourceRange
}

struct ColumnDefinition: Hashable, Sendable {
  var name: Identifier
  var type: TypeName
}

struct Join: Hashable, Sendable {
  enum Kind: String, Hashable, Sendable {
    case inner = "INNER"
    case left = "LEFT"
    case right = "RIGHT"
    case full = "FULL"
    case cross = "CROSS"
    case comma = ","
  }

  enum Condition: Hashable, Sendable {
    case on(Expression)
    case using([Identifier])
  }

  var kind: Kind
  var isNatural: Bool
  var left: TableReference
  var right: TableReference
  var condition: Condition?
  /// ON or USING.
  @Position var conditionRange: SourceRange = .none
  @Position var range: SourceRange
}
