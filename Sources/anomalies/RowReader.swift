import Glibc
import JSONLines
import Plumbing

/// The format of the input.
enum InputFormat: String, CaseIterable { case ndjson, csv }

/// Reads rows and lends their fields without copying them.
///
/// Unsafe inside: a field's pointer is in the reader's block or in the JSON parser's memory. Both
/// stay unchanged until the next call of ``next(upTo:)``, and ``withField(_:_:)`` does not lend a
/// field for longer.
@safe
struct RowReader: ~Copyable {
  enum Arrival: Equatable {
    case row
    /// A line that can't be used, with the reason.
    case bad(String)
    /// No input arrived within the limit.
    case idle
    case end
  }

  private typealias Field = JSONLine.Place

  private static let maximumLineLength = 1 << 26

  private var blocks: BlockReader
  private var json: JSONLine
  private let format: InputFormat
  private let names: [String]
  /// CSV: the field of each column; -1 for none.
  private var columns: [Int] = []
  private var hasHeader = false
  private let fields: UnsafeMutableBufferPointer<Field>
  /// The target of pointers to empty fields.
  private let nothing: UnsafeRawPointer
  /// The text of CSV fields with doubled quotes, after unquoting.
  private var scratch: [[UInt8]] = []
  /// The number of bytes of the block that the last line uses.
  private var lent = 0
  private var isInBlock = false
  /// The number of the last line, counted from 1.
  private(set) var lineNumber = 0
  private(set) var byteCount = 0
  var isFile: Bool { blocks.isFile }

  /// - Parameter names: the fields to look up; `a.b` is field b of object a.
  init(from descriptor: Int32, named name: String, format: InputFormat, fields names: [String]) {
    blocks = BlockReader(from: descriptor, named: name, capacity: 1 << 19)
    json = JSONLine(fields: names.map { $0.split(separator: ".").map(String.init) })
    self.format = format
    self.names = names
    unsafe fields = .allocate(capacity: names.count)
    unsafe fields.initialize(repeating: Field())
    unsafe nothing = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8))
  }

  deinit {
    unsafe fields.deallocate()
    unsafe nothing.deallocate()
  }

  /// Reads the next row, skipping empty lines.
  ///
  /// - Parameter limit: how long to wait for input; nil for no limit.
  mutating func next(upTo limit: Duration?) throws -> Arrival {
    blocks.consume(lent)
    lent = 0
    while true {
      let bytes = unsafe blocks.bytes
      // A newline that memchr finds is inside the block.
      if let base = bytes.baseAddress, bytes.count > 0,
        let newline = unsafe memchr(base, 10, bytes.count)
      {
        let count = unsafe base.distance(to: UnsafeRawPointer(newline))
        if let arrival = unsafe take(base, count, terminated: true) { return arrival }
        continue
      }
      guard blocks.count <= Self.maximumLineLength else {
        throw UnusableInput(
          "line \(lineNumber + 1): longer than \(Self.maximumLineLength) bytes")
      }
      json.leaveBlock()
      isInBlock = false
      switch try blocks.wait(upTo: limit) {
      case .data: continue
      case .nothing:
        if Interruption.count > 0 { continue }
        return .idle
      case .end:
        // After a signal, a line without its newline is torn. At the end of input it is a line.
        if blocks.wasInterrupted || blocks.count == 0 { return .end }
        let rest = unsafe blocks.bytes
        if let base = rest.baseAddress,
          let arrival = unsafe take(base, rest.count, terminated: false)
        {
          return arrival
        }
        return .end
      }
    }
  }

  /// Waits for input or until the limit. The next call of ``next(upTo:)`` reads it.
  mutating func awaitInput(upTo limit: Duration?) throws {
    blocks.consume(lent)
    lent = 0
    json.leaveBlock()
    isInBlock = false
    _ = try blocks.wait(upTo: limit)
  }

  /// Reads a line of the block; nil when it contains no row.
  private mutating func take(
    _ base: UnsafeRawPointer, _ count: Int, terminated: Bool
  ) -> Arrival? {
    lineNumber += 1
    let whole = terminated ? count + 1 : count
    byteCount += whole
    var length = count
    if length > 0, unsafe base.load(fromByteOffset: length - 1, as: UInt8.self) == 13 {
      length -= 1
    }
    guard length > 0 else {
      blocks.consume(whole)
      return nil
    }
    lent = whole
    let line = unsafe RawSpan(_unsafeStart: base, byteCount: length)
    if format == .ndjson { return readJSON(line, terminated: terminated) }
    if !hasHeader {
      readHeader(line)
      blocks.consume(whole)
      lent = 0
      return nil
    }
    return unsafe readCSV(base, length)
  }

  private mutating func readJSON(_ line: RawSpan, terminated: Bool) -> Arrival {
    if !isInBlock, terminated {
      // The block is unchanged until the next wait, which leaves it. Only its complete lines are
      // passed.
      let bytes = unsafe blocks.bytes
      let last = unsafe bytes.lastIndex(of: 10)
      if let base = bytes.baseAddress, let last {
        let count = last + 1
        unsafe json.enterBlock(UnsafeRawBufferPointer(start: base, count: count))
        isInBlock = true
      }
    }
    do throws(JSONLine.Malformed) {
      try json.read(line)
    } catch {
      return .bad("not a JSON object")
    }
    unsafe json.copyPlaces(into: fields)
    return .row
  }

  // MARK: CSV

  private mutating func readHeader(_ line: RawSpan) {
    hasHeader = true
    var text = line.text
    if text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
    var cells: [String] = []
    var cell = ""
    var isQuoted = false
    for character in text {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        cells.append(cell)
        cell = ""
      default: cell.append(character)
      }
    }
    cells.append(cell)
    columns = cells.map { names.firstIndex(of: $0) ?? -1 }
    scratch = [[UInt8]](repeating: [], count: names.count)
  }

  /// The fields without a column in the header of a CSV; known after the first row.
  var missingColumns: [String] {
    guard format == .csv, hasHeader else { return [] }
    return names.indices.filter { !columns.contains($0) }.map { names[$0] }
  }

  private mutating func readCSV(_ base: UnsafeRawPointer, _ length: Int) -> Arrival {
    for index in names.indices { unsafe fields[index] = Field() }
    var place = 0
    var column = 0
    while place <= length {
      if place < length, unsafe base.load(fromByteOffset: place, as: UInt8.self) == 34 {
        guard let next = unsafe readQuoted(base, length, from: place, column: column) else {
          return .bad("a quote is not closed")
        }
        place = next
      } else {
        var end = place
        while end < length, unsafe base.load(fromByteOffset: end, as: UInt8.self) != 44 { end += 1 }
        if column < columns.count, columns[column] >= 0 {
          unsafe set(columns[column], base + place, end - place, end == place ? .null : .string)
        }
        place = end + 1
      }
      column += 1
    }
    return .row
  }

  /// Reads a quoted cell, and returns where the next one starts, or nil.
  private mutating func readQuoted(
    _ base: UnsafeRawPointer, _ length: Int, from start: Int, column: Int
  ) -> Int? {
    var text: [UInt8] = []
    var place = start + 1
    while place < length {
      let byte = unsafe base.load(fromByteOffset: place, as: UInt8.self)
      place += 1
      if byte != 34 {
        text.append(byte)
      } else if place < length, unsafe base.load(fromByteOffset: place, as: UInt8.self) == 34 {
        text.append(34)
        place += 1
      } else {
        if place < length, unsafe base.load(fromByteOffset: place, as: UInt8.self) != 44 {
          return nil
        }
        if column < columns.count, columns[column] >= 0 {
          let field = columns[column]
          scratch[field] = text
          // The copy belongs to the reader and exists until the field is read again.
          let (pointer, count) = unsafe scratch[field].withUnsafeBytes {
            ($0.baseAddress, $0.count)
          }
          unsafe set(field, pointer, count, .string)
        }
        return place + 1
      }
    }
    return nil
  }

  private func set(_ index: Int, _ start: UnsafeRawPointer?, _ count: Int, _ kind: JSONLine.Kind) {
    unsafe fields[index].start = start
    unsafe fields[index].count = count
    unsafe fields[index].kind = kind
  }

  // MARK: Fields

  @inline(__always)
  func kind(_ index: Int) -> JSONLine.Kind { unsafe fields[index].kind }

  /// Whether a field holds nothing.
  @inline(__always)
  func isMissing(_ index: Int) -> Bool {
    switch kind(index) {
    case .absent, .null: true
    default: false
    }
  }

  /// Whether a field is a number or a text.
  @inline(__always)
  func isScalar(_ index: Int) -> Bool {
    switch kind(index) {
    case .number, .string: true
    default: false
    }
  }

  /// Whether a field can name a key: it is there, and is neither an object nor an array.
  @inline(__always)
  func isName(_ index: Int) -> Bool {
    switch kind(index) {
    case .absent, .null, .object, .array: false
    default: true
    }
  }

  /// Lends a field's text: a string's content, a number as written.
  @inline(__always)
  func withField<Result>(_ index: Int, _ body: (RawSpan) -> Result) -> Result {
    let field = unsafe fields[index]
    return body(unsafe RawSpan(_unsafeStart: field.start ?? nothing, byteCount: field.count))
  }

  /// A field as a number; nil when it is not one.
  @inline(__always)
  func number(_ index: Int) -> Double? {
    switch kind(index) {
    case .number, .string: withField(index) { $0.decimalNumber }
    default: nil
    }
  }
}
