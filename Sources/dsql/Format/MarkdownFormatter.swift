import Druid

/// Formats a Markdown table: rows are written as they come, and Markdown's special characters are
/// escaped.
struct MarkdownFormatter: RowWriter {
  private let options: FormatOptions
  private let display: DisplayText

  init(options: FormatOptions) {
    self.options = options
    display = DisplayText(options: options)
  }

  mutating func begin(_ columns: [Column], into block: inout ByteBlock) {
    if options.follows { block.append("\n") }
    if let heading = options.heading {
      block.append("### ")
      append(heading, into: &block)
      block.append("\n\n")
    }
    for column in columns {
      block.append("| ")
      append(column.name, into: &block)
      if options.hasTypes { block.append(" (\(column.sqlType))") }
      block.append(" ")
    }
    block.append("|\n")
    for column in columns { block.append(column.isNumeric ? "| ---: " : "| --- ") }
    block.append("|\n")
  }

  mutating func row(_ line: RawSpan, _ cells: Span<Cell>, into block: inout ByteBlock) {
    for index in cells.indices {
      block.append("| ")
      var text = ByteBlock(capacity: 64)
      _ = display.append(line, cells[index], into: &text)
      append(text.bytes, into: &block)
      block.append(" ")
      block.relieve()
    }
    block.append("|\n")
  }

  mutating func end(isWhole: Bool, into block: inout ByteBlock) {}

  private func append(_ text: String, into block: inout ByteBlock) {
    var shown = ByteBlock(capacity: 64)
    _ = EscapedText.append(text, into: &shown)
    append(shown.bytes, into: &block)
  }

  private func append(_ text: RawSpan, into block: inout ByteBlock) {
    for place in 0..<text.byteCount {
      let byte = text.byte(at: place)
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "|"), UInt8(ascii: "`"), UInt8(ascii: "*"),
        UInt8(ascii: "<"), UInt8(ascii: "["), UInt8(ascii: "~"):
        block.append(UInt8(ascii: "\\"))
      // Between letters, every Markdown treats an underscore as a letter.
      case UInt8(ascii: "_")
      where place == 0 || place + 1 == text.byteCount
        || !SQLToken.isWordByte(text.byte(at: place - 1))
        || !SQLToken.isWordByte(text.byte(at: place + 1)):
        block.append(UInt8(ascii: "\\"))
      case UInt8(ascii: "&"):
        block.append("&amp;")
        continue
      default: break
      }
      block.append(byte)
    }
  }
}
