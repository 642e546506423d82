/// The kind of a cell's JSON token.
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

/// The position of a cell in its row's line, without the quotes of a string.
package struct Cell: Sendable {
  package var start: Int
  package var end: Int
  package var kind: CellKind

  package var isText: Bool { kind == .plainText || kind == .escapedText }
}

/// A column of an answer.
package struct Column: Sendable, Equatable {
  package let name: String
  /// Druid's native type: `LONG`, `STRING`, `ARRAY<STRING>`, `COMPLEX<json>`.
  package let nativeType: String
  /// The SQL type: `BIGINT`, `VARCHAR`, `TIMESTAMP`; more exact than the native type.
  package let sqlType: String

  package init(name: String, nativeType: String, sqlType: String) {
    self.name = name
    self.nativeType = nativeType
    self.sqlType = sqlType
  }

  /// Whether a table right-aligns the column.
  package var isNumeric: Bool {
    switch sqlType {
    case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "REAL", "DOUBLE", "DECIMAL": true
    default: false
    }
  }

  /// Whether its strings hold JSON text that the JSON formats write as JSON.
  package var holdsJSON: Bool {
    nativeType.hasPrefix("ARRAY<") || nativeType == "COMPLEX<json>" || sqlType == "ARRAY"
  }
}
