/// A grouping of a datasource's rows that can be computed over its columns, without handing SQLite every row.
///
/// It answers exactly what ``sqlite`` answers. Expressions that the engine has no code of its own for stay SQLite's: they are
/// computed once for each distinct value of the columns that they read (``Computed``).
package struct ColumnGrouping: Sendable {
  /// The table that stands for it in ``Plan/sqlite``; its columns are `k0`... for keys and `a0`... for aggregates.
  package var name: String
  /// The same as a query for SQLite.
  package var sqlite: String
  /// The datasource, by its name in SQLite.
  package var source: String
  /// What a row must meet, all of it.
  package var filter: [Test]
  package var keys: [Value]
  package var aggregates: [Aggregate]
  /// Whether a grouping without keys has no row when no row of the datasource is left.
  package var dropsEmpty: Bool

  /// How SQLite holds a value.
  package enum Kind: Sendable {
    case long, real, text
  }

  /// A value of a row.
  package indirect enum Value: Sendable, Hashable {
    case column(Int)
    /// An expression without columns, as SQL.
    case constant(String, isReal: Bool)
    case arithmetic(Operation, isReal: Bool, Value, Value)
    /// A number as a double.
    case real(Value)
    /// The result of the first test that is true.
    case conditional([Branch], otherwise: Value)
    /// A time cut to spans, of which one begins at `origin`.
    case floor(Value, milliseconds: Int64, origin: Int64)
    case computed(Computed, kind: Kind)
  }

  package struct Branch: Sendable, Hashable {
    package var test: Test
    package var result: Value
  }

  package enum Operation: Sendable {
    case add, subtract, multiply, divide
  }

  /// True, false or unknown for a row.
  package indirect enum Test: Sendable, Hashable {
    case all([Test])
    case any([Test])
    case not(Test)
    /// Of numbers and times.
    case comparison(Comparison, Value, Value)
    /// Of a number or time.
    case isNull(Value)
    case computed(Computed)
  }

  package enum Comparison: Sendable {
    case equal, unequal, less, atMost, greater, atLeast
  }

  /// An expression of SQLite that is the same for rows whose inputs are.
  package struct Computed: Sendable, Hashable {
    /// A SELECT of one value; `?1`, `?2`, ... stand for the inputs.
    package var sql: String
    package var inputs: [Input]
  }

  package struct Input: Sendable, Hashable {
    package var column: Int
    /// A time is cut to this many milliseconds before it is handed over; 1 leaves it as it is. Minutes are right for times since
    /// 1973, when clocks no longer differed by seconds.
    package var unit: Int64 = 1

    package init(column: Int, unit: Int64 = 1) {
      self.column = column
      self.unit = unit
    }
  }

  package struct Aggregate: Sendable {
    package enum Function: Sendable {
      /// COUNT(*) without an argument, else COUNT(x).
      case count
      case sumLongs
      case sumReals
      case average
      case minimum
      case maximum
      case countDistinct
      /// Druid's estimate; of a FLOAT it differs.
      case estimateDistinct(isFloat: Bool)
    }

    package var function: Function
    package var argument: Value?
    package var filter: Test?
  }
}
