/// The result of planning a query: SQL for SQLite, and the columns of the result.
///
/// Values in stored columns and in result rows have these SQLite types:
///
/// | SQL type | SQLite value |
/// | --- | --- |
/// | BOOLEAN | integer 0 or 1 |
/// | INTEGER, BIGINT | integer |
/// | TIMESTAMP, DATE | integer, milliseconds since 1970 UTC |
/// | DOUBLE, DECIMAL | real; the text `NaN` for what is not a number (SQLite turns a real NaN into NULL). Infinities are reals |
/// | FLOAT | real that a 32-bit float holds exactly |
/// | CHAR, VARCHAR | text; a **blob** is a multi-value: UTF-8 JSON array of two or more strings (or nulls), printed as that JSON |
/// | ARRAY | text: a JSON array without spaces, as Druid prints it |
/// | COMPLEX<json> | text: JSON without spaces |
/// | anything | NULL |
package struct Plan: Sendable {
  package struct Column: Sendable, Equatable {
    package var name: String
    package var type: SQLType
    /// Whether a union left whole numbers as they are in a column of another numeric type.
    package var keepsWholeNumbers: Bool

    package init(name: String, type: SQLType, keepsWholeNumbers: Bool = false) {
      self.name = name
      self.type = type
      self.keepsWholeNumbers = keepsWholeNumbers
    }
  }

  /// One SELECT for SQLite, without parameters.
  package var sqlite: String
  /// Tables in `sqlite` that the engine may compute by itself. It leaves the others to SQLite with
  /// ``sqlite(leaving:)``.
  package var groupings: [ColumnGrouping]
  package var columns: [Column]
  /// The datasources that the query reads. The engine waits for their ingestion.
  package var dataSources: [String]
  /// Whether the query is EXPLAIN PLAN FOR; `sqlite` is then empty.
  package var isExplain: Bool

  package init(
    sqlite: String, groupings: [ColumnGrouping] = [], columns: [Column], dataSources: [String],
    isExplain: Bool
  ) {
    self.sqlite = sqlite
    self.groupings = groupings
    self.columns = columns
    self.dataSources = dataSources
    self.isExplain = isExplain
  }
}

extension Plan {
  /// The SELECT in which SQLite computes these groupings.
  package func sqlite(leaving groupings: [ColumnGrouping]) -> String {
    guard !groupings.isEmpty else { return sqlite }
    let tables = groupings.map { "\($0.name) AS NOT MATERIALIZED (\($0.sqlite))" }
    return "WITH \(tables.joined(separator: ", ")) \(sqlite)"
  }
}

/// The settings of the request's context that change the result.
package struct PlanSettings: Sendable {
  /// `sqlTimeZone`, an IANA name or an offset; `Etc/UTC` is UTC.
  var timeZone: String
  /// The time of CURRENT_TIMESTAMP, in milliseconds since 1970.
  var nowMilliseconds: Int64
  /// `useApproximateCountDistinct`: whether COUNT(DISTINCT ...) is estimated.
  package var approximatesCountDistinct = true
  /// `useApproximateTopN`: whether a query with one key, ordered by an aggregate, with a LIMIT runs
  /// as a TopN.
  package var approximatesTopN = true
  /// `skipEmptyBuckets` of a Timeseries; nil for the planner's default.
  package var skipsEmptyBuckets: Bool?
  /// `groupByEnableMultiValueUnnesting`
  package var groupsMultipleValues = true
  /// `sqlOuterLimit`
  package var outerLimit: Int?
  /// Whether `vectorize` is `force`.
  package var forcesVectors = false

  package init(timeZone: String, nowMilliseconds: Int64) {
    self.timeZone = timeZone
    self.nowMilliseconds = nowMilliseconds
  }
}

/// A value for a `?`.
package struct PlanParameter: Sendable {
  package enum Value: Sendable, Equatable {
    case null
    case text(String)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    /// Milliseconds since 1970, for TIMESTAMP and DATE.
    case time(Int64)
    case array([Value])
  }

  /// The type as the request spells it: `VARCHAR`, `BIGINT`, ...
  var type: String
  var value: Value

  package init(type: String, value: Value) {
    self.type = type
    self.value = value
  }
}
