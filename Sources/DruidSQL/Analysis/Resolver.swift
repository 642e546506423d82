/// Gives every name of a query its column and every expression its type.
///
/// A final class, because numbers of relations are handed out as it walks.
final class Resolver {
  let catalog: Catalog
  let settings: PlanSettings
  let parameters: [PlanParameter]
  /// The datasources met, in order.
  var dataSources: [String] = []
  /// Whether what is resolved now is a condition that Druid runs as a filter.
  var isFilter = false
  private var count = 0

  init(catalog: Catalog, settings: PlanSettings, parameters: [PlanParameter]) {
    self.catalog = catalog
    self.settings = settings
    self.parameters = parameters
  }

  func nextNumber() -> Int {
    count += 1
    return count
  }

  var isUTC: Bool { settings.timeZone == "UTC" || settings.timeZone == "Etc/UTC" }
}

/// What a name may mean at some place of a query.
struct Scope {
  struct Entry {
    /// The name by which columns may be qualified; nil for none.
    var name: String?
    /// `druid` of `druid.ecommerce`, when the table stands without an alias.
    var schema: String?
    var relation: Relation
    /// Whether it is one side of a join, where Druid leaves some aggregates unfinished.
    var isJoined = false

    /// The relation's number and index of column `i` as expressions see it.
    func column(_ index: Int, at range: SourceRange) -> TypedExpression {
      let column = relation.columns[index]
      if isJoined, let unfinished = column.unfinished {
        return TypedExpression(
          .operation(unfinished == .null ? .unfinishedNull : .unfinished, []), column.type, range)
      }
      var expression = TypedExpression(
        .column(relation: relation.number, index: index), column.type, range)
      expression.isMultiple = column.hasMultipleValues
      expression.isWild = column.isWild
      expression.isExploded = column.isExploded
      return expression
    }
  }

  var entries: [Entry] = []
  /// Columns that USING or NATURAL made one of two: only the first is found by its bare name.
  var merged: [String] = []
  /// Whether joins with USING stand on one another.
  var isChained = false
  var tables: CommonTables = .init()
  /// Enclosing scopes' entries, to tell a correlated name from an unknown one.
  var outer: [Entry] = []
}

/// The queries that WITH has named, innermost last.
struct CommonTables {
  private var tables: [(name: String, relation: Relation)] = []

  mutating func add(_ name: String, _ relation: Relation) { tables.append((name, relation)) }

  subscript(name: String) -> Relation? { tables.last { $0.name == name }?.relation }
}

/// Which functions an expression may hold where it stands, and how the place is called in errors.
struct Place {
  /// `WHERE`, `GROUP BY`, ... when aggregates are not allowed.
  var clause: String?
  var allowsWindows = false
  /// Inside an aggregate's arguments.
  var isInAggregate = false
  /// SELECT aliases that HAVING and ORDER BY may name.
  var aliases: [String: TypedExpression] = [:]
  /// Whether aliases go before columns.
  var prefersAliases = false
  var windows: [NamedWindow] = []

  static func clause(_ name: String) -> Place { Place(clause: name) }
  static let select = Place(allowsWindows: true)
}
