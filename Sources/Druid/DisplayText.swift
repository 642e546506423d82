/// Cells as people read them: control characters and letters that turn the line around are shown, not obeyed.
struct DisplayText {
  private let nullText: [UInt8]
  private let hasPlainNumbers: Bool

  init(options: FormatOptions) {
    nullText = Array((options.nullText ?? "NULL").utf8)
    hasPlainNumbers = options.hasPlainNumbers
  }

  /// Appends a cell's text and returns its width.
  @inline(__always)
  func append(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) -> Int {
    switch cell.kind {
    case .plainText where cell.isASCII && !hasDelete(line, cell),
      .boolTrue, .boolFalse,
      .number where !hasPlainNumbers:
      block.append(line, from: cell.start, to: cell.end)
      return cell.end &- cell.start
    default: return appendOther(line, cell, into: &block)
    }
  }

  @inline(never)
  private func appendOther(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) -> Int {
    switch cell.kind {
    case .null:
      return DisplayText.append(String(decoding: nullText, as: UTF8.self), into: &block)
    case .number:
      let start = block.count
      PlainNumber.append(line, cell, into: &block)
      return block.count - start
    case .nested:
      var text = ByteBlock(capacity: cell.end - cell.start)
      text.append(line, from: cell.start, to: cell.end)
      return DisplayText.append(String(decoding: text.array, as: UTF8.self), into: &block)
    default:
      return DisplayText.append(JSONText.text(line, cell), into: &block)
    }
  }

  /// Whether an ASCII text holds the one control character that JSON lets through.
  @inline(__always)
  private func hasDelete(_ line: RawSpan, _ cell: Cell) -> Bool {
    var place = cell.start
    while place < cell.end {
      if line.byte(at: place) == 0x7f { return true }
      place &+= 1
    }
    return false
  }

  /// Appends any text, what would move the cursor or turn the line around escaped, and returns its width.
  static func append(_ text: String, into block: inout ByteBlock) -> Int {
    var width = DisplayWidth.Counter()
    var extra = 0
    for scalar in text.unicodeScalars {
      if let escape = escape(scalar) {
        block.append(escape)
        extra += escape.utf8.count
      } else {
        width.add(scalar)
        for unit in UTF8.encode(scalar).map(Array.init) ?? [] { block.append(unit) }
      }
    }
    return width.width + extra
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 9: return "\\t"
    case 10: return "\\n"
    case 13: return "\\r"
    case 0..<0x20, 0x7f..<0xa0:
      let digits = String(scalar.value, radix: 16)
      return (digits.count < 2 ? "\\x0" : "\\x") + digits
    case 0x200e, 0x200f, 0x061c, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069:
      let digits = String(scalar.value, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: return nil
    }
  }
}
