/// How a column's values are kept.
enum ColumnKind: Sendable, Equatable {
  case time
  case long
  case double
  /// Kept as a double that a 32-bit float can hold.
  case float
  case string
  /// JSON text of an array whose elements are all of one kind, or null.
  case array(ElementKind)
  /// JSON text of any value.
  case json

  enum ElementKind: Sendable, Equatable {
    case long
    case double
    case string
  }

  /// Whether values are kept in the column's dictionary.
  var isText: Bool {
    switch self {
    case .string, .array, .json: true
    case .time, .long, .double, .float: false
    }
  }

  /// The bytes of a value in a chunk.
  var width: Int { isText ? 4 : 8 }
}

/// A column by name and kind.
struct ColumnDescription: Sendable, Equatable {
  var name: String
  var kind: ColumnKind
}

/// The columns of a datasource, `__time` first.
struct TableSchema: Sendable, Equatable {
  var columns: [ColumnDescription]

  /// Rows in a chunk.
  static let chunkRows = 1 << 15

  init(columns: [ColumnDescription]) {
    self.columns = [ColumnDescription(name: "__time", kind: .time)] + columns
  }
}

/// Where each column lies in a chunk: its values, then for numbers a byte a row that says null.
struct ChunkLayout: Sendable {
  private(set) var values: [Int] = []
  private(set) var nulls: [Int] = []
  private(set) var size = 0

  init(_ schema: TableSchema) {
    for column in schema.columns {
      values.append(size)
      size += column.kind.width * TableSchema.chunkRows
      nulls.append(size)
      if column.kind == .long || column.kind == .double || column.kind == .float {
        size += TableSchema.chunkRows
      }
    }
  }
}
