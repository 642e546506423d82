/// Rows with columns: an item of FROM, or the result of a query.
final class Relation: Sendable, Hashable {
  struct Column: Sendable {
    var name: String
    var type: SQLType
    var hasMultipleValues = false
    var isWild = false
    /// See ``TypedExpression/isExploded``.
    var isExploded = false
    /// Set for an approximate or unfinished aggregate of a grouped subquery. Druid has no value for
    /// it in a join.
    var unfinished: Unfinished? = nil
    /// A multi-value column that a join looks up in a hash table. It can be shown but not computed
    /// with.
    var isLookedUp = false
    /// Whether `SELECT *` shows it.
    var isHidden = false
  }

  /// What a join sees of an aggregate that Druid finalizes only in the outermost query.
  enum Unfinished: Sendable {
    /// NULL, as for an approximate COUNT(DISTINCT ...)
    case null
    /// Something else; this module does not know what.
    case unknown
  }

  indirect enum Kind: Sendable {
    case table(Catalog.Table)
    case values([[TypedExpression]])
    case join(JoinedRelation)
    case select(SelectedRelation)
    case union([Relation])
    /// The elements of an array or multi-value column as rows, joined to the rows they come from.
    case unnest(input: Relation?, array: TypedExpression)
    /// One row without columns: SELECT without FROM.
    case single
  }

  /// Unique in its query.
  let number: Int
  let kind: Kind
  let columns: [Column]
  let shape: Shape

  init(number: Int, kind: Kind, columns: [Column], shape: Shape) {
    self.number = number
    self.kind = kind
    self.columns = columns
    self.shape = shape
  }

  /// Whether an expression is a datasource's column, passed on unchanged.
  func stores(_ expression: TypedExpression) -> Bool {
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

  static func == (left: Relation, right: Relation) -> Bool { left === right }

  func hash(into hasher: inout Hasher) { hasher.combine(number) }

  /// How Druid runs the relation, as far as that decides which sorts it accepts.
  struct Shape: Sendable {
    enum Stage: Sendable {
      /// A datasource's rows, filtered and projected at most.
      case table
      /// Grouped, without a LIMIT.
      case grouped
      /// With window functions.
      case windowed
      /// A join, a union, or limited or sorted rows: anything that an outer query reads as a
      /// subquery.
      case other
      /// VALUES, or no FROM.
      case constant
      /// The results of several queries, one after another. Only a LIMIT may apply to them.
      case union
    }

    var stage: Stage
    /// For `.table`: the index of the column that is `__time`.
    var timeColumn: Int?
    /// The index of the output column that is `__time`, however the rows were changed; nil after a
    /// grouping.
    var timeOutput: Int?
    /// Whether it reads a table of INFORMATION_SCHEMA or sys.
    var readsSystem = false
    var readsDataSource = false
    /// A join whose leftmost side is a datasource.
    var joinsTable = false
    /// Datasources that are read as one, in no particular order.
    var isUnion = false
    /// For such a union: the columns whose names or types differ between the datasources.
    var mixed: Set<Int> = []
    /// For such a union: the columns that are numbers of different types.
    var mixedNumbers: Set<Int> = []
  }
}

struct JoinedRelation: Sendable {
  enum Kind: String, Sendable {
    case inner = "JOIN"
    case left = "LEFT JOIN"
    case right = "RIGHT JOIN"
    case full = "FULL JOIN"
    case cross = "CROSS JOIN"
  }

  var kind: Kind
  var left: Relation
  var right: Relation
  var condition: TypedExpression?
}

/// A SELECT with all of its clauses, in the order in which they apply.
struct SelectedRelation: Sendable {
  var input: Relation
  var filter: TypedExpression?
  var grouping: Grouping?
  /// With a grouping, HAVING reads the grouping's columns.
  var having: TypedExpression?
  var items: [TypedExpression]
  var isDistinct = false
  var orderBy: [OrderKey] = []
  var limit: Int64?
  var offset: Int64?
  /// Whether a LIMIT or OFFSET cuts rows whose order is unknown.
  var isUnordered = false

  /// Whether its rows are its input's rows, filtered at most.
  var passesOn: Bool {
    grouping == nil && !isDistinct && orderBy.isEmpty && limit == nil && offset == nil
  }

  struct Grouping: Sendable {
    /// The relation number by which items and HAVING name the grouping's columns: keys, then
    /// aggregates, then GROUPING values.
    var number: Int
    var keys: [TypedExpression]
    var aggregates: [TypedExpression]
    /// The grouping sets; each is a list of key indices.
    var sets: [[Int]]
    /// For each GROUPING(...): the indices of its keys.
    var groupings: [[Int]] = []
    /// Whether the query has GROUP BY or DISTINCT, rather than aggregates alone.
    var isExplicit: Bool
  }
}
