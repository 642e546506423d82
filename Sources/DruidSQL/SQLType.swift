/// A type as Calcite derives it in Druid.
package struct SQLType: Hashable, Sendable {
  package indirect enum Kind: Hashable, Sendable {
    case boolean
    /// SMALLINT and TINYINT, which can be computed with and not shown.
    case smallint
    case tinyint
    case integer
    case bigint
    case float
    /// A double under another name.
    case real
    case double
    case decimal(precision: Int, scale: Int)
    /// A literal's type, or one derived from literals; the length in characters.
    case char(Int)
    case varchar
    case timestamp
    case date
    /// `INTERVAL DAY`, `HOUR` and similar units, in milliseconds
    case dayInterval
    /// `INTERVAL MONTH`, `YEAR` and similar units, in months
    case monthInterval
    case array(SQLType)
    /// COMPLEX<name>: `json`, `hyperUnique`, ...
    case complex(String)
    /// The type of a bare NULL.
    case null
  }

  package var kind: Kind
  var isNullable: Bool

  package init(_ kind: Kind, isNullable: Bool = true) {
    self.kind = kind
    self.isNullable = isNullable
  }

  static let boolean = SQLType(.boolean)
  static let integer = SQLType(.integer)
  package static let bigint = SQLType(.bigint)
  package static let float = SQLType(.float)
  package static let double = SQLType(.double)
  package static let varchar = SQLType(.varchar)
  static let timestamp = SQLType(.timestamp)
  static let date = SQLType(.date)
  static let null = SQLType(.null)
  package static let json = SQLType(.complex("json"))

  /// The type as `sqlTypesHeader` shows it.
  package var sqlName: String {
    switch kind {
    case .boolean: "BOOLEAN"
    case .smallint: "SMALLINT"
    case .tinyint: "TINYINT"
    case .integer: "INTEGER"
    case .bigint: "BIGINT"
    case .float: "FLOAT"
    case .real: "REAL"
    case .double: "DOUBLE"
    case .decimal: "DECIMAL"
    case .char: "CHAR"
    case .varchar: "VARCHAR"
    case .timestamp: "TIMESTAMP"
    case .date: "DATE"
    case .dayInterval: "INTERVAL_DAY"
    case .monthInterval: "INTERVAL_MONTH"
    case .array: "ARRAY"
    case .complex: "OTHER"
    case .null: "NULL"
    }
  }

  /// The type as `typesHeader` shows it.
  package var nativeName: String {
    switch kind {
    case .boolean, .smallint, .tinyint, .integer, .bigint, .timestamp, .date, .dayInterval,
      .monthInterval:
      "LONG"
    case .float: "FLOAT"
    case .real, .double, .decimal: "DOUBLE"
    case .char, .varchar, .null: "STRING"
    case .array(let element): "ARRAY<\(element.nativeName)>"
    case .complex(let name): "COMPLEX<\(name)>"
    }
  }
}
