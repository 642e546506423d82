/// ndjson (an object a line) and json (an array of them, left open when the answer was cut).
///
/// Every value is the token that Druid sent, except that escaped letters become letters and that the JSON text in an
/// ARRAY or COMPLEX<json> cell becomes JSON. A name that came before gets a number: `c`, `c_2`.
struct JSONFormatter: RowFormatter {
  private let isArray: Bool
  private let hasPlainNumbers: Bool
  /// `{"name":`, then `,"name":` for each column, one behind the other.
  private var keys: [UInt8] = []
  private var places: [KeyPlace] = []
  private struct KeyPlace {
    let end: Int
    let holdsJSON: Bool
  }

  private var hasRows = false
  private var isOpen = false

  init(isArray: Bool, options: FormatOptions) {
    self.isArray = isArray
    hasPlainNumbers = options.hasPlainNumbers
  }

  mutating func begin(_ columns: [Column], into block: inout ByteBlock) {
    var key = ByteBlock(capacity: 256)
    for (index, name) in distinctNames(columns.map(\.name)).enumerated() {
      key.append(index == 0 ? "{" : ",")
      JSONText.encode(Array(name.utf8).rawSpan, into: &key)
      key.append(":")
      places.append(KeyPlace(end: key.count, holdsJSON: columns[index].holdsJSON))
    }
    keys = key.array
  }

  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    if isArray { block.append(hasRows ? ",\n" : "[\n") }
    hasRows = true
    let keys = keys.rawSpan
    let places = places.span
    var start = 0
    for index in cells.indices {
      let place = places[index]
      block.append(keys, from: start, to: place.end)
      start = place.end
      let cell = cells[index]
      if cell.kind == .plainText, !place.holdsJSON {
        block.append(line, from: cell.start - 1, to: cell.end + 1)
      } else if cell.kind == .number, !hasPlainNumbers {
        block.append(line, from: cell.start, to: cell.end)
      } else {
        append(line, cell, holdsJSON: place.holdsJSON, into: &block)
      }
    }
    block.append(UInt8(ascii: "}"))
    if !isArray { block.append(UInt8(ascii: "\n")) }
  }

  private func append(
    _ line: RawSpan, _ cell: Cell, holdsJSON: Bool, into block: inout ByteBlock
  ) {
    switch cell.kind {
    case .number where hasPlainNumbers: PlainNumber.append(line, cell, into: &block)
    case .null, .boolTrue, .boolFalse, .number, .nested:
      block.append(line, from: cell.start, to: cell.end)
    case .plainText, .escapedText:
      var text = ByteBlock(capacity: cell.end - cell.start)
      JSONText.decode(line, from: cell.start, to: cell.end, into: &text)
      if holdsJSON, JSONText.isValid(text.bytes) {
        for place in 0..<text.count {
          // White space between values may be a newline; inside strings there is none.
          block.append(max(32, text.bytes.byte(at: place)))
        }
      } else {
        JSONText.encode(text.bytes, into: &block)
      }
    }
  }

  mutating func end(isWhole: Bool, into block: inout ByteBlock) {
    guard isArray else { return }
    if !hasRows { block.append("[") }
    if isWhole { block.append(hasRows ? "\n]" : "]") }
    block.append("\n")
  }
}

/// The names that the keys have: the second `c` is `c_2`, or the next that is free.
package func distinctNames(_ names: [String]) -> [String] {
  var taken = Set<String>()
  var result: [String] = []
  for name in names {
    var candidate = name
    var number = 2
    while taken.contains(candidate) || (candidate != name && names.contains(candidate)) {
      candidate = "\(name)_\(number)"
      number += 1
    }
    taken.insert(candidate)
    result.append(candidate)
  }
  return result
}
