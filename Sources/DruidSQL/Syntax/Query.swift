/// A whole query expression: `WITH ... body ORDER BY ... OFFSET ... FETCH ...`.
///
/// A class, because expressions contain queries and queries contain expressions. Equality ignores
/// positions.
package final class Query: Hashable, Sendable {
  package let with: [CommonTable]
  package let isRecursive: Bool
  package let body: QueryBody
  package let orderBy: [OrderItem]
  package let offset: Expression?
  /// The count of LIMIT or FETCH NEXT; nil for `LIMIT ALL`.
  package let limit: Expression?
  package let range: SourceRange

  package init(
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

  package static func == (left: Query, right: Query) -> Bool {
    left === right
      || (left.with == right.with && left.body == right.body && left.orderBy == right.orderBy
        && left.offset == right.offset && left.limit == right.limit)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(body)
    hasher.combine(orderBy)
    hasher.combine(limit)
  }
}

/// `name (columns) AS (query)`
package struct CommonTable: Hashable, Sendable {
  package var name: Identifier
  package var columns: [Identifier]
  package var query: Query

  package init(name: Identifier, columns: [Identifier], query: Query) {
    self.name = name
    self.columns = columns
    self.query = query
  }
}

package indirect enum QueryBody: Hashable, Sendable {
  case select(Select)
  /// VALUES (1, 'a'), (2, 'b'): the rows
  case values(Values)
  case setOperation(SetOperation)
  /// A parenthesized query that has its own clauses.
  case nested(Query)
  /// TABLE name
  case table(Name)

  package var range: SourceRange {
    switch self {
    case .select(let select): select.range
    case .values(let values): values.range
    case .setOperation(let operation): operation.range
    case .nested(let query): query.range
    case .table(let name): name.range
    }
  }
}

package struct Values: Hashable, Sendable {
  package var rows: [Expression]
  package var range: SourceRange

  /// - Parameter rows: the rows, each a `.row`.
  package init(rows: [Expression], range: SourceRange) {
    self.rows = rows
    self.range = range
  }

  package static func == (left: Values, right: Values) -> Bool { left.rows == right.rows }

  package func hash(into hasher: inout Hasher) { hasher.combine(rows) }
}

package struct SetOperation: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case union = "UNION"
    case intersect = "INTERSECT"
    case except = "EXCEPT"
  }

  package var kind: Kind
  package var isAll: Bool
  package var left: QueryBody
  package var right: QueryBody
  package var range: SourceRange

  package init(kind: Kind, isAll: Bool, left: QueryBody, right: QueryBody, range: SourceRange) {
    self.kind = kind
    self.isAll = isAll
    self.left = left
    self.right = right
    self.range = range
  }

  package static func == (left: SetOperation, right: SetOperation) -> Bool {
    left.kind == right.kind && left.isAll == right.isAll && left.left == right.left
      && left.right == right.right
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(isAll)
    hasher.combine(left)
    hasher.combine(right)
  }
}

package struct OrderItem: Hashable, Sendable {
  package enum Nulls: String, Hashable, Sendable {
    case first = "NULLS FIRST"
    case last = "NULLS LAST"
  }

  package var expression: Expression
  package var isDescending: Bool
  package var nulls: Nulls?
  /// The range including DESC and NULLS, as Calcite reports it.
  package var range: SourceRange

  package init(
    expression: Expression, isDescending: Bool, nulls: Nulls?, range: SourceRange
  ) {
    self.expression = expression
    self.isDescending = isDescending
    self.nulls = nulls
    self.range = range
  }

  package static func == (left: OrderItem, right: OrderItem) -> Bool {
    left.expression == right.expression && left.isDescending == right.isDescending
      && left.nulls == right.nulls
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(expression)
    hasher.combine(isDescending)
    hasher.combine(nulls)
  }
}
