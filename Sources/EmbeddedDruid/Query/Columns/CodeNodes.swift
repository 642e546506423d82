import JavaValues

/// A value of a row as a code, a small number. Equal values have equal codes.
class CodeNode: ChunkNode {
  let codes: Lane<UInt32>
  private let room = LaneRoom<UInt32>()

  override init() { codes = room.lane }

  /// The largest code so far, plus one.
  var count: Int { 0 }

  /// The value of a code.
  func cell(_ code: UInt32) -> GroupCell { .null }
}

/// A cell of a group, as passed to SQLite.
enum GroupCell {
  case null
  case long(Int64)
  case real(Double)
  /// A value in a dictionary, which lives as long as the snapshot.
  case entry(DictionaryEntry)
  case text(String)
}

/// A string column, whose codes are the ids of its dictionary.
final class EntryNode: CodeNode {
  private let dictionary: DictionarySnapshot
  private let values: Int

  init(_ snapshot: TableSnapshot, _ column: Int) {
    dictionary = snapshot.dictionaries[column]
    values = snapshot.layout.values[column]
  }

  override var count: Int { dictionary.count }

  override func compute(_ rows: SelectedRows) throws {
    let source: Lane<UInt32> = rows.column(at: values)
    let codes = codes
    rows.forEach { index, place in codes[index] = source[place] }
  }

  override func cell(_ code: UInt32) -> GroupCell {
    code == 0 ? .null : .entry(dictionary.entry(code))
  }
}

/// Numbers as codes; code 0 is NULL.
final class NumberCodeNode: CodeNode {
  private let operand: NumberNode
  private let table = CodeTable()
  /// Whether 0.0 and -0.0 are one value to SQLite, which must then choose the one to show.
  private let joinsZeros: Bool

  init(_ operand: NumberNode, joinsZeros: Bool = true) {
    self.operand = operand
    self.joinsZeros = joinsZeros
  }

  override var count: Int { table.count + 1 }

  override func compute(_ rows: SelectedRows) throws {
    try operand.evaluate(rows)
    let (bits, nulls, codes) = (operand.bits, operand.nulls, codes)
    if operand.isReal, joinsZeros {
      for index in 0..<rows.count where bits[index] == .min && nulls[index] == 0 {
        throw Unsuited("-0.0 among values that are told apart")
      }
    }
    var hasNull = false
    for index in 0..<rows.count { hasNull = hasNull || nulls[index] != 0 }
    if hasNull {
      // The bits of a NULL are undefined.
      for index in 0..<rows.count {
        codes[index] = nulls[index] != 0 ? 0 : table.code(of: UInt64(bitPattern: bits[index])) + 1
      }
    } else {
      table.encode({ UInt64(bitPattern: bits[$0]) }, count: rows.count, into: codes, adding: 1)
    }
  }

  override func cell(_ code: UInt32) -> GroupCell {
    guard code > 0 else { return .null }
    let word = table.words[Int(code) - 1]
    return operand.isReal ? .real(Double(bitPattern: word)) : .long(Int64(bitPattern: word))
  }
}

/// Several values combined to one code.
final class TupleNode: CodeNode {
  let parts: [CodeNode]
  /// A table for each part after the first.
  private let tables: [CodeTable]

  init(_ parts: [CodeNode]) {
    self.parts = parts
    tables = parts.dropFirst().map { _ in CodeTable() }
  }

  override var count: Int { tables.last?.count ?? parts.first?.count ?? 1 }

  override func compute(_ rows: SelectedRows) throws {
    let codes = codes
    guard let first = parts.first else {
      for index in 0..<rows.count { codes[index] = 0 }
      return
    }
    try first.evaluate(rows)
    let firstCodes = first.codes
    for index in 0..<rows.count { codes[index] = firstCodes[index] }
    for (part, table) in zip(parts.dropFirst(), tables) {
      try part.evaluate(rows)
      let more = part.codes
      table.encode(
        { UInt64(codes[$0]) << 32 | UInt64(more[$0]) }, count: rows.count, into: codes)
    }
  }

  /// Calls `body` with the number and the code of each part of a combined code.
  func decode(_ code: UInt32, _ body: (_ part: Int, _ code: UInt32) -> Void) {
    guard !parts.isEmpty else { return }
    var rest = code
    for (index, table) in tables.enumerated().reversed() {
      let word = table.words[Int(rest)]
      body(index + 1, UInt32(truncatingIfNeeded: word))
      rest = UInt32(word >> 32)
    }
    body(0, rest)
  }
}

/// An SQLite expression over some columns, evaluated once for each distinct combination of their
/// values.
final class Memo {
  private let inputs: TupleNode
  /// Nil after the work is done: groups live as long as their connection, and a statement would
  /// keep it alive.
  private var statement: SQLiteStatement?
  private var evaluations = 0
  private var rowsSeen = 0

  /// With more distinct values than this, and not far fewer than rows, SQLite is as fast row by
  /// row.
  private static let limit = 50_000

  init(_ inputs: [CodeNode], _ statement: SQLiteStatement) {
    self.inputs = TupleNode(inputs)
    self.statement = statement
  }

  var codes: Lane<UInt32> { inputs.codes }
  var count: Int { inputs.count }

  func encode(_ rows: SelectedRows) throws {
    rowsSeen += rows.count
    if evaluations > Self.limit, evaluations * 2 > rowsSeen {
      throw Unsuited("an expression of too many distinct values")
    }
    try inputs.evaluate(rows)
  }

  /// Releases the statement. No value may be requested afterwards.
  func end() { statement = nil }

  func value(_ code: UInt32) throws -> SQLValue {
    guard let statement else { throw Unsuited("a value after the end") }
    evaluations += 1
    inputs.decode(code) { part, code in
      statement.bind(part + 1, inputs.parts[part].cell(code))
    }
    defer { statement.reset() }
    guard try statement.step() else { throw Unsuited("an expression without a value") }
    return statement.value(0)
  }
}

/// Computed values as keys. Equal values have one code, whatever their inputs.
final class ComputedCodeNode: CodeNode {
  private let memo: Memo
  /// The code of the result, by code of the inputs.
  private var known: [UInt32?] = []
  private var values: [SQLValue] = []
  private var codesOfValues: [SQLValue: UInt32] = [:]

  init(_ memo: Memo) { self.memo = memo }

  override var count: Int { values.count }

  override func compute(_ rows: SelectedRows) throws {
    try memo.encode(rows)
    var known: [UInt32?] = []
    swap(&known, &self.known)
    defer { swap(&known, &self.known) }
    while known.count < memo.count { known.append(nil) }
    let (inputs, codes) = (memo.codes, codes)
    for index in 0..<rows.count {
      let input = Int(inputs[index])
      if let code = known[input] {
        codes[index] = code
      } else {
        let code = try code(of: memo.value(UInt32(input)))
        known[input] = code
        codes[index] = code
      }
    }
  }

  private func code(of value: SQLValue) throws -> UInt32 {
    switch value {
    case .real, .blob: throw Unsuited("a computed key of this kind")
    case .null, .integer, .text: break
    }
    if let code = codesOfValues[value] { return code }
    let code = UInt32(values.count)
    values.append(value)
    codesOfValues[value] = code
    return code
  }

  override func cell(_ code: UInt32) -> GroupCell {
    switch values[Int(code)] {
    case .integer(let value): .long(value)
    case .text(let text): .text(text)
    default: .null
    }
  }
}

extension GroupCell {
  /// SQLite's order: NULL, numbers, texts by their bytes, multi-values.
  func precedes(_ other: GroupCell) -> Bool {
    switch (self, other) {
    case (.null, .null): return false
    case (.null, _): return true
    case (_, .null): return false
    case (.long(let one), .long(let other)): return one < other
    case (.real(let one), .real(let other)): return one < other
    case (.entry(let one), .entry(let other)): return one.precedes(other)
    case (.text(let one), .text(let other)):
      return one.utf8.lexicographicallyPrecedes(other.utf8)
    case (.long, _), (.real, _): return true
    default: return false
    }
  }
}
