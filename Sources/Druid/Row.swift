/// What a cell's JSON token is.
package enum CellKind: UInt8, Sendable {
  case null
  case boolTrue
  case boolFalse
  case number
  /// A string without escapes: its bytes are its text.
  case plainText
  /// A string with escapes.
  case escapedText
  /// An array or an object, which comes only when `sqlStringifyArrays` is off.
  case nested
}

/// Where a cell stands in the line of its row. For strings the quotes are outside.
package struct Cell: Sendable {
  package var start: Int
  package var end: Int
  package var kind: CellKind

  var isText: Bool { kind == .plainText || kind == .escapedText }
}

/// A column of an answer.
package struct Column: Sendable, Equatable {
  package let name: String
  /// Druid's native type: `LONG`, `STRING`, `ARRAY<STRING>`, `COMPLEX<json>`.
  package let nativeType: String
  /// The SQL type: `BIGINT`, `VARCHAR`, `TIMESTAMP`; the right one of the two.
  package let sqlType: String

  package init(name: String, nativeType: String, sqlType: String) {
    self.name = name
    self.nativeType = nativeType
    self.sqlType = sqlType
  }

  /// Whether a table sets it to the right.
  package var isNumeric: Bool {
    switch sqlType {
    case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "REAL", "DOUBLE", "DECIMAL": true
    default: false
    }
  }

  /// Whether its strings hold JSON text that JSON formats show as JSON.
  var holdsJSON: Bool {
    nativeType.hasPrefix("ARRAY<") || nativeType == "COMPLEX<json>" || sqlType == "ARRAY"
  }
}
