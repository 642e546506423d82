/// How a column's values are stored.
enum ColumnKind: Sendable, Equatable {
  case time
  case long
  case double
  /// Stored as a double whose value fits a 32-bit float.
  case float
  case string
  /// JSON text of an array whose elements have one kind or are null.
  case array(ElementKind)
  /// JSON text of any value.
  case json

  enum ElementKind: Sendable, Equatable {
    case long
    case double
    case string
  }

  /// Whether values are stored in the column's dictionary.
  var isText: Bool {
    switch self {
    case .string, .array, .json: true
    case .time, .long, .double, .float: false
    }
  }

  /// The size of a value in a chunk, in bytes.
  var width: Int { isText ? 4 : 8 }
}

/// The name and kind of a column.
struct ColumnDescription: Sendable, Equatable {
  var name: String
  var kind: ColumnKind
}

/// The columns of a datasource, with `__time` first.
struct TableSchema: Sendable, Equatable {
  var columns: [ColumnDescription]

  /// The number of rows in a chunk.
  static let chunkRows = 1 << 15

  init(columns: [ColumnDescription]) {
    self.columns = [ColumnDescription(name: "__time", kind: .time)] + columns
  }
}

/// The position of each column in a chunk: its values, followed for numbers by a null mark of one
/// byte per row.
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
