import Plumbing

/// Tracks the newest time of a column.
struct NewestTime {
  private var bytes: [UInt8] = []
  /// The time as Druid wrote it; `nil` when no row had one.
  var text: String? { bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }

  /// Reads a cell. Times of the usual form, in UTC and of equal length, sort as their bytes do.
  mutating func take(_ line: RawSpan, _ cell: Cell) {
    guard cell.kind == .plainText, cell.end > cell.start else { return }
    let count = cell.end - cell.start
    guard count == bytes.count, bytes.last == UInt8(ascii: "Z"),
      line.byte(at: cell.end - 1) == UInt8(ascii: "Z")
    else { return takeOther(line, cell) }
    for offset in 0..<count {
      let byte = line.byte(at: cell.start + offset)
      if byte == bytes[offset] { continue }
      if byte > bytes[offset] { keep(line, cell) }
      return
    }
  }

  /// Reads a time with an offset from UTC, or a year without exactly four digits.
  private mutating func takeOther(_ line: RawSpan, _ cell: Cell) {
    guard let time = TimePoint(rfc3339: line.text(from: cell.start, to: cell.end)) else { return }
    if let text, let newest = TimePoint(rfc3339: text), newest >= time { return }
    keep(line, cell)
  }

  private mutating func keep(_ line: RawSpan, _ cell: Cell) {
    bytes = Array(line.text(from: cell.start, to: cell.end).utf8)
  }
}
