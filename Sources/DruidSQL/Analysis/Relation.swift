/// Rows with columns: what stands in FROM, and what a query answers.
package final class Relation: Sendable, Hashable {
  package struct Column: Sendable {
    package var name: String
    package var type: SQLType
    package var hasMultipleValues = false
    package var isWild = false
    /// See ``TypedExpression/isExploded``.
    package var isExploded = false
    /// An approximate or unfinished aggregate of a grouped subquery: in a join Druid has no value for it.
    package var unfinished: Unfinished? = nil
    /// Several values that a join has found by its hash: not to be worked on.
    package var isLookedUp = false
    /// Whether `SELECT *` shows it.
    package var isHidden = false
  }

  /// What a join sees of an aggregate that Druid finishes only at the top.
  package enum Unfinished: Sendable {
    /// NULL, as COUNT(DISTINCT ...) by estimate
    case null
    /// something else, not known here
    case unknown
  }

  package indirect enum Kind: Sendable {
    case table(Catalog.Table)
    case values([[TypedExpression]])
    case join(JoinedRelation)
    case select(SelectedRelation)
    case union([Relation])
    /// A column of strings or an array made to rows, beside the rows it comes from.
    case unnest(input: Relation?, array: TypedExpression)
    /// One row without columns: SELECT without FROM.
    case single
  }

  /// Unique in its query.
  package let number: Int
  package let kind: Kind
  package let columns: [Column]
  package let shape: Shape

  package init(number: Int, kind: Kind, columns: [Column], shape: Shape) {
    self.number = number
    self.kind = kind
    self.columns = columns
    self.shape = shape
  }

  /// Whether an expression is a column of a datasource in it, passed on as it is.
  package func stores(_ expression: TypedExpression) -> Bool {
    switch kind {
    case .table(let table):
      guard case .column(number, _) = expression.node else { return false }
      return table.kind == .dataSource
    case .join(let join):
      return (join.kind == .inner || join.kind == .left) && join.left.stores(expression)
    case .unnest(let input, _): return input?.stores(expression) ?? false
    case .select(let select):
      guard case .column(number, let index) = expression.node, select.passesOn else {
        return false
      }
      return select.input.stores(select.items[index])
    case .values, .union, .single: return false
    }
  }

  package static func == (left: Relation, right: Relation) -> Bool { left === right }

  package func hash(into hasher: inout Hasher) { hasher.combine(number) }

  /// How Druid would run it, as far as that decides what may be sorted.
  package struct Shape: Sendable {
    package enum Stage: Sendable {
      /// Rows of a datasource as they are, filtered and projected.
      case table
      /// Grouped, with no LIMIT of its own.
      case grouped
      /// With window functions.
      case windowed
      /// A join, a union, rows limited or sorted: anything that a further query reads from outside.
      case other
      /// VALUES, or no FROM.
      case constant
      /// Answers of several queries, one after another: nothing but a LIMIT may work on them.
      case union
    }

    package var stage: Stage
    /// For `.table`: the index of the column that is `__time`.
    package var timeColumn: Int?
    /// The index of the column that is `__time`, whatever has been done with the rows; nil behind a grouping.
    package var timeOutput: Int?
    /// Whether a column is computed rather than passed on, above the stage.
    package var isComputed = false
    /// A table of INFORMATION_SCHEMA or sys is among what it reads.
    package var readsSystem = false
    package var readsDataSource = false
    /// A join whose leftmost side is a datasource itself.
    package var joinsTable = false
    /// Datasources read as one, of which none comes first.
    package var isUnion = false
    /// The columns of such a union that have other names or types in other datasources.
    package var mixed: Set<Int> = []
    /// Those that are numbers of different types.
    package var mixedNumbers: Set<Int> = []
  }
}

package struct JoinedRelation: Sendable {
  package enum Kind: String, Sendable {
    case inner = "JOIN"
    case left = "LEFT JOIN"
    case right = "RIGHT JOIN"
    case full = "FULL JOIN"
    case cross = "CROSS JOIN"
  }

  package var kind: Kind
  package var left: Relation
  package var right: Relation
  package var condition: TypedExpression?
}

/// A SELECT with all of its clauses, in the order in which they work.
package struct SelectedRelation: Sendable {
  package var input: Relation
  package var filter: TypedExpression?
  package var grouping: Grouping?
  /// Over the grouping's columns when there is one.
  package var having: TypedExpression?
  package var items: [TypedExpression]
  package var isDistinct = false
  package var orderBy: [OrderKey] = []
  package var limit: Int64?
  package var offset: Int64?
  /// Whether a LIMIT or OFFSET takes of rows that are in no known order.
  package var isUnordered = false

  /// Whether its rows are its input's, filtered at most.
  package var passesOn: Bool {
    grouping == nil && !isDistinct && orderBy.isEmpty && limit == nil && offset == nil
  }

  package struct Grouping: Sendable {
    /// The number by which items and HAVING name its columns: keys first, then aggregates, then GROUPING values.
    package var number: Int
    package var keys: [TypedExpression]
    package var aggregates: [TypedExpression]
    /// Each the indices of the keys that it groups by.
    package var sets: [[Int]]
    /// The keys each GROUPING(...) asks about.
    package var groupings: [[Int]] = []
    /// Whether there was a GROUP BY (or DISTINCT), rather than aggregates alone.
    package var isExplicit: Bool
  }
}
