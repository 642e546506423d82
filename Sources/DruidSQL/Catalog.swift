/// The tables that a query may read, as they are when the query is planned.
package struct Catalog: Sendable {
  package enum Kind: Sendable {
    case dataSource
    /// A table of `INFORMATION_SCHEMA` or `sys`. Only standard functions apply, and counts are
    /// exact.
    case system
  }

  package struct Column: Sendable {
    package var name: String
    package var type: SQLType
    /// SQLite's expression for it: a column name, quoted if necessary.
    var sqlite: String
    /// Whether any row has a multi-value, in which case filters and grouping look at each value.
    var hasMultipleValues: Bool
    /// The rows that have an empty list, which reads as NULL.
    package var emptyLists = EmptyLists.none

    package enum EmptyLists: Sendable {
      case none
      /// Those that have a bit in the hidden column ``Catalog/Column/emptyLists``.
      case bit(Int)
      /// Some rows, which are not known.
      case unknown
    }

    /// A hidden column of a datasource with a bit for each of its first columns.
    package static let emptyLists = "empties"
    package static let mostEmptyLists = 63

    package init(name: String, type: SQLType, sqlite: String, hasMultipleValues: Bool = false) {
      self.name = name
      self.type = type
      self.sqlite = sqlite
      self.hasMultipleValues = hasMultipleValues
    }
  }

  package struct Table: Sendable {
    /// `druid`, `INFORMATION_SCHEMA`, `sys`
    package var schema: String
    package var name: String
    package var kind: Kind
    /// SQLite's name for it in FROM: a table name or a SELECT in parentheses.
    var sqlite: String
    /// In the order of `SELECT *`.
    package var columns: [Column]

    package init(schema: String, name: String, kind: Kind, sqlite: String, columns: [Column]) {
      self.schema = schema
      self.name = name
      self.kind = kind
      self.sqlite = sqlite
      self.columns = columns
    }
  }

  var tables: [Table]

  package init(tables: [Table]) { self.tables = tables }

  package static let defaultSchema = "druid"
}
