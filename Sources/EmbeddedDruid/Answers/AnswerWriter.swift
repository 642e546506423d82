import DruidSQL
import JavaValues

/// Writes rows as Druid does.
///
/// ``end()`` writes the end mark, which distinguishes a complete answer from a cut one. Do not call
/// it when a row has failed.
struct AnswerWriter {
  private let format: AnswerFormat
  private let columns: [Plan.Column]
  /// The name of each column as a JSON string.
  private let names: [[UInt8]]
  private var hasLines = false
  private(set) var bytes: [UInt8] = []

  init(_ format: AnswerFormat, columns: [Plan.Column]) {
    self.format = format
    self.columns = columns
    names = columns.map { column in
      var name: [UInt8] = []
      JSONText.append(column.name, to: &name)
      return name
    }
  }

  /// Removes and returns the bytes written so far.
  mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  /// Writes everything before the first row.
  mutating func begin() {
    if format.format == .object || format.format == .array { bytes.append(UInt8(ascii: "[")) }
    guard format.hasHeader else { return }
    let native = columns.map(\.type.nativeName)
    let sql = columns.map(\.type.sqlName)
    if format.format.isObject { return objectHeader(native, sql) }
    headerRow(columns.map(\.name))
    if format.hasTypes { headerRow(native) }
    if format.hasSQLTypes { headerRow(sql) }
  }

  private mutating func objectHeader(_ native: [String], _ sql: [String]) {
    separate()
    bytes.append(UInt8(ascii: "{"))
    for index in columns.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(contentsOf: names[index])
      bytes.append(UInt8(ascii: ":"))
      var types: [String] = []
      if format.hasTypes { types.append("\"type\":\"\(native[index])\"") }
      if format.hasSQLTypes { types.append("\"sqlType\":\"\(sql[index])\"") }
      let text = types.isEmpty ? "null" : "{" + types.joined(separator: ",") + "}"
      bytes.append(contentsOf: text.utf8)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func headerRow(_ cells: [String]) {
    separate()
    let isCSV = format.format == .csv
    if !isCSV { bytes.append(UInt8(ascii: "[")) }
    for (index, cell) in cells.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      if isCSV {
        CSVText.append(Array(cell.utf8), isAlone: cells.count == 1, to: &bytes)
      } else {
        JSONText.append(cell, to: &bytes)
      }
    }
    bytes.append(isCSV ? UInt8(ascii: "\n") : UInt8(ascii: "]"))
  }

  /// Writes the separator between two rows.
  private mutating func separate() {
    if hasLines, format.format != .csv {
      bytes.append(format.format.isLines ? UInt8(ascii: "\n") : UInt8(ascii: ","))
    }
    hasLines = true
  }

  /// Writes the statement's current row.
  mutating func row(_ statement: SQLiteStatement) {
    separate()
    switch format.format {
    case .csv: csvRow(statement)
    case .array, .arrayLines:
      bytes.append(UInt8(ascii: "["))
      for index in columns.indices {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        json(statement.cell(index), at: index)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object, .objectLines:
      bytes.append(UInt8(ascii: "{"))
      for index in columns.indices {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: names[index])
        bytes.append(UInt8(ascii: ":"))
        json(statement.cell(index), at: index)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Writes the end mark of a complete answer.
  mutating func end() {
    switch format.format {
    case .object, .array: bytes.append(contentsOf: "]\n".utf8)
    case .objectLines, .arrayLines: bytes.append(contentsOf: "\n\n".utf8)
    case .csv: bytes.append(UInt8(ascii: "\n"))
    }
  }

  /// The type as which a cell is written.
  private func type(of cell: SQLiteStatement.Cell, at index: Int) -> SQLType {
    if columns[index].keepsWholeNumbers, case .integer = cell { return .bigint }
    return columns[index].type
  }

  private mutating func json(_ cell: SQLiteStatement.Cell, at index: Int) {
    let type = type(of: cell, at: index)
    switch (cell, type.kind) {
    case (.null, _): bytes.append(contentsOf: "null".utf8)
    case (.integer(let value), .timestamp), (.integer(let value), .date):
      bytes.append(UInt8(ascii: "\""))
      format.zone.append(value, to: &bytes)
      bytes.append(UInt8(ascii: "\""))
    case (.double(let value), .double), (.double(let value), .decimal),
      (.double(let value), .real), (.double(let value), .float):
      let isNumber = type.kind == .float ? Float(value).isFinite : value.isFinite
      if !isNumber { bytes.append(UInt8(ascii: "\"")) }
      plain(cell, type)
      if !isNumber { bytes.append(UInt8(ascii: "\"")) }
    case (.text(let text), .array) where !format.stringifiesArrays:
      unsafe JSONText.append(json: text, to: &bytes)
    case (.text(let text), _), (.blob(let text), _): unsafe JSONText.append(text, to: &bytes)
    default: plain(cell, type)
    }
  }

  /// Writes a cell without quotes.
  private mutating func plain(_ cell: SQLiteStatement.Cell, _ type: SQLType) {
    switch (cell, type.kind) {
    case (.null, _): break
    case (.integer(let value), .boolean):
      bytes.append(contentsOf: (value == 0 ? "false" : "true").utf8)
    case (.integer(let value), .timestamp), (.integer(let value), .date):
      format.zone.append(value, to: &bytes)
    case (.integer(let value), .double), (.integer(let value), .decimal),
      (.integer(let value), .real):
      JavaDigits.append(Double(value), to: &bytes)
    case (.integer(let value), .float): JavaDigits.append(Float(value), to: &bytes)
    case (.integer(let value), _): bytes.append(contentsOf: String(value).utf8)
    case (.double(let value), .float): JavaDigits.append(Float(value), to: &bytes)
    case (.double(let value), _): JavaDigits.append(value, to: &bytes)
    case (.text(let text), _), (.blob(let text), _): unsafe bytes.append(contentsOf: text)
    }
  }

  private mutating func csvRow(_ statement: SQLiteStatement) {
    for index in columns.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      let start = bytes.count
      let cell = statement.cell(index)
      plain(cell, type(of: cell, at: index))
      CSVText.quote(&bytes, from: start, isAlone: columns.count == 1)
    }
    bytes.append(UInt8(ascii: "\n"))
  }
}

/// CSV cells as opencsv writes them, quoted only if necessary.
enum CSVText {
  static func append(_ cell: [UInt8], isAlone: Bool, to out: inout [UInt8]) {
    let start = out.count
    out.append(contentsOf: cell)
    quote(&out, from: start, isAlone: isAlone)
  }

  /// Quotes the cell written from `start` on, if necessary. A row with a single empty cell is
  /// quoted, because an empty line would be the end.
  static func quote(_ out: inout [UInt8], from start: Int, isAlone: Bool) {
    let isPlain = out[start...].allSatisfy { byte in
      byte != UInt8(ascii: ",") && byte != UInt8(ascii: "\"") && byte != 0x0a && byte != 0x0d
    }
    if isPlain, out.count > start || !isAlone { return }
    let cell = Array(out[start...])
    out.removeSubrange(start...)
    out.append(UInt8(ascii: "\""))
    for byte in cell {
      if byte == UInt8(ascii: "\"") { out.append(byte) }
      out.append(byte)
    }
    out.append(UInt8(ascii: "\""))
  }
}
