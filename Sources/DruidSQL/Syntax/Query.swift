/// A whole query expression: `WITH ... body ORDER BY ... OFFSET ... FETCH ...`.
///
/// A class, because expressions contain queries and queries contain expressions. Equality ignores
/// positions.
final class Query: Hashable, Sendable {
  let with: [CommonTable]
  let isRecursive: Bool
  let body: QueryBody
  let orderBy: [OrderItem]
  let offset: Expression?
  /// The count of LIMIT or FETCH NEXT; nil for `LIMIT ALL`.
  let limit: Expression?
  let range: SourceRange

  init(
    with: [CommonTable] = [], isRecursive: Bool = false, body: QueryBody,
    orderBy: [OrderItem] = [], offset: Expression? = nil, limit: Expression? = nil,
    range: SourceRange
  ) {
    self.with = with
    self.isRecursive = isRecursive
    self.body = body
    self.orderBy = orderBy
    self.offset = offset
    self.limit = limit
    self.range = range
  }

  static func == (left: Query, right: Query) -> Bool {
    left === right
      || (left.with == right.with && left.body == right.body && left.orderBy == right.orderBy
        && left.offset == right.offset && left.limit == right.limit)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(body)
    hasher.combine(orderBy)
    hasher.combine(limit)
  }
}

/// `name (columns) AS (query)`
struct CommonTable: Hashable, Sendable {
  var name: Identifier
  var columns: [Identifier]
  var query: Query
}

indirect enum QueryBody: Hashable, Sendable {
  case select(Select)
  /// VALUES (1, 'a'), (2, 'b'): the rows
  case values(Values)
  case setOperation(SetOperation)
  /// A parenthesized query that has its own clauses.
  case nested(Query)
  /// TABLE name
  case table(Name)

  var range: SourceRange {
    switch self {
    case .select(let select): select.range
    case .values(let values): values.range
    case .setOperation(let operation): operation.range
    case .nested(let query): query.range
    case .table(let name): name.range
    }
  }
}

struct Values: Hashable, Sendable {
  var rows: [Expression]
  @Position var range: SourceRange
}

struct SetOperation: Hashable, Sendable {
  enum Kind: String, Hashable, Sendable {
    case union = "UNION"
    case intersect = "INTERSECT"
    case except = "EXCEPT"
  }

  var kind: Kind
  var isAll: Bool
  var left: QueryBody
  var right: QueryBody
  @Position var range: SourceRange
}

struct OrderItem: Hashable, Sendable {
  enum Nulls: String, Hashable, Sendable {
    case first = "NULLS FIRST"
    case last = "NULLS LAST"
  }

  var expression: Expression
  var isDescending: Bool
  var nulls: Nulls?
  /// The range including DESC and NULLS, as Calcite reports it.
  @Position var range: SourceRange
}
