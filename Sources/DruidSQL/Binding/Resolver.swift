/// Resolves the names and types of a query.
///
/// A class, because it numbers relations as it walks the query.
final class Resolver {
  let catalog: Catalog
  let settings: PlanSettings
  let parameters: [PlanParameter]
  /// The datasources that the query reads, in order of appearance.
  var dataSources: [String] = []
  /// Whether the expression being resolved is a condition that Druid runs as a filter.
  var isFilter = false
  /// Whether it is part of an OR.
  var isAlternative = false
  /// Whether the names in what is resolved now have been looked up: Druid does that before it checks any call.
  var knowsNames = false
  /// The first failure of Druid's planner, which comes after all that its validator finds.
  private(set) var planningFailure: SQLFailure?
  /// Whether a subquery that is bound now may read columns of the enclosing query, and whether it
  /// has.
  var allowsCorrelation = false
  var isCorrelated = false
  private var count = 0

  init(catalog: Catalog, settings: PlanSettings, parameters: [PlanParameter]) {
    self.catalog = catalog
    self.settings = settings
    self.parameters = parameters
  }

  /// Notes what Druid's planner fails on once the statement is valid.
  func failInPlanning(_ failure: SQLFailure) {
    if planningFailure == nil { planningFailure = failure }
  }

  func nextNumber() -> Int {
    count += 1
    return count
  }

  var isUTC: Bool { settings.timeZone == "UTC" || settings.timeZone == "Etc/UTC" }
}

/// What names mean at one place of a query.
struct Scope {
  struct Entry {
    /// The name that may qualify columns; nil if there is none.
    var name: String?
    /// The schema that may qualify the table, such as `druid` in `druid.ecommerce`; nil when it has
    /// an alias.
    var schema: String?
    var relation: Relation
    /// Whether it is a side of a join, for which Druid does not finalize some aggregates.
    var isJoined = false
    /// Whether a multi-value column stands for one of its values.
    var readsOneValue = false
    /// Whether an outer join may leave its columns NULL.
    var mayBeMissing = false
    /// Columns that WHERE restricts to one value, where Calcite replaces them by it.
    var replaced: TypedExpression.Pins = [:]

    /// Column `i` as an expression: its relation's number and its index there.
    func column(_ index: Int, at range: SourceRange) -> TypedExpression {
      let column = relation.columns[index]
      if isJoined, let unfinished = column.unfinished {
        return TypedExpression(
          .operation(unfinished == .null ? .unfinishedNull : .unfinished, []), column.type, range)
      }
      var expression = TypedExpression(
        .column(relation: relation.number, index: index), column.type, range)
      if var constant = replaced[expression.node] {
        constant.range = range
        return constant
      }
      expression.isMultiple = column.hasMultipleValues && !readsOneValue
      expression.isWild = column.isWild
      expression.isExploded = column.isExploded
      if mayBeMissing { expression.type.isNullable = true }
      return expression
    }
  }

  var entries: [Entry] = []
  /// Columns that USING or NATURAL merged. A bare name finds only the first of the two.
  var merged: [String] = []
  /// Whether NATURAL merged them: then a bare name is ambiguous, and only a star finds them.
  var isNatural = false
  /// Merged columns of a RIGHT or FULL JOIN: the value of whichever side has one.
  var coalesced: [String] = []
  /// The columns that WHERE restricts to one value, and whether it holds for no row.
  var pins: TypedExpression.Pins = [:]
  var isEmpty = false
  /// Whether joins with USING are nested.
  var isChained = false
  /// The conditions of joins with UNNEST, which filter the rows even of a LEFT JOIN.
  var unnestConditions: [Expression] = []
  var tables: CommonTables = .init()
  /// Entries of enclosing scopes, to tell a correlated name from an unknown one.
  var outer: [Entry] = []
}

/// The queries of WITH, innermost last.
struct CommonTables {
  private var tables: [(name: String, relation: Relation)] = []

  mutating func add(_ name: String, _ relation: Relation) { tables.append((name, relation)) }

  subscript(name: String) -> Relation? { tables.last { $0.name == name }?.relation }
}

/// Which functions an expression may contain at its place, and how error messages call the place.
struct Place {
  /// `WHERE`, `GROUP BY`, ... when aggregates are not allowed.
  var clause: String?
  var allowsWindows = false
  /// Inside a window function's arguments, or in its OVER.
  var isInWindow = false
  /// The aggregate in whose arguments it is.
  var aggregate: SourceRange?
  /// SELECT aliases that HAVING and ORDER BY may name.
  var aliases: [String: TypedExpression] = [:]
  /// Whether aliases take precedence over columns.
  var prefersAliases = false
  var windows: [NamedWindow] = []

  static func clause(_ name: String) -> Place { Place(clause: name) }
  static let select = Place(allowsWindows: true)
}

extension Scope {
  /// Whether it is nothing but a datasource's rows.
  var isDataSource: Bool {
    entries.count == 1 && entries[0].relation.shape.stage == .table
      && entries[0].relation.shape.readsDataSource
  }
}
