/// A grouping of a datasource's rows that the engine can compute over columns, without passing
/// every row to SQLite.
///
/// Its result is the same as that of ``sqlite``. SQLite evaluates expressions for which the engine
/// has no code, once for each distinct value of the columns that they read (``Computed``).
package struct ColumnGrouping: Sendable {
  /// The name of the table in ``Plan/sqlite``. Its columns are `k0`... for keys and `a0`... for
  /// aggregates.
  package var name: String
  /// The same grouping as a query for SQLite.
  var sqlite: String
  /// The datasource's name in SQLite.
  package var source: String
  /// The conditions that a row must satisfy, all of them.
  package var filter: [Test]
  package var keys: [Value]
  package var aggregates: [Aggregate]
  /// Whether a grouping without keys returns no row, rather than one, when no row remains.
  package var dropsEmpty: Bool

  /// How SQLite represents a value.
  package enum Kind: Sendable {
    case long, real, text
  }

  /// A value of a row.
  package indirect enum Value: Sendable, Hashable {
    case column(Int)
    /// An expression without columns, as SQL.
    case constant(String, isReal: Bool)
    case arithmetic(Operation, isReal: Bool, Value, Value)
    /// A number, converted to a double.
    case real(Value)
    /// The result of the first test that is true.
    case conditional([Branch], otherwise: Value)
    /// A time truncated to a multiple of a duration after `origin`.
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

  /// A condition on a row: true, false or unknown.
  package indirect enum Test: Sendable, Hashable {
    case all([Test])
    case any([Test])
    case not(Test)
    /// Compares numbers or times.
    case comparison(Comparison, Value, Value)
    /// Tests a number or time for NULL.
    case isNull(Value)
    case computed(Computed)
  }

  package enum Comparison: Sendable {
    case equal, unequal, less, atMost, greater, atLeast
  }

  /// An SQLite expression whose result depends only on its inputs.
  package struct Computed: Sendable, Hashable {
    /// A SELECT of one value; `?1`, `?2`, ... stand for the inputs.
    package var sql: String
    package var inputs: [Input]
  }

  package struct Input: Sendable, Hashable {
    package var column: Int
    /// The unit in milliseconds to which a time is truncated before it is passed; 1 leaves it
    /// unchanged. Minutes are exact for times since 1973, when offsets of time zones became whole
    /// minutes.
    package var unit: Int64 = 1

    package init(column: Int, unit: Int64 = 1) {
      self.column = column
      self.unit = unit
    }
  }

  package struct Aggregate: Sendable {
    package enum Function: Sendable {
      /// COUNT(x), or COUNT(*) without an argument.
      case count
      case sumLongs
      case sumReals
      case average
      case minimum
      case maximum
      case countDistinct
      /// Druid's estimate, which differs for a FLOAT.
      case estimateDistinct(isFloat: Bool)
    }

    package var function: Function
    package var argument: Value?
    package var filter: Test?
  }
}
