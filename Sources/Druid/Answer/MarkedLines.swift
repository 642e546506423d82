import JSONLines

/// Receives the cells of rows one by one, as they are found. After each token, 32 more bytes are
/// readable.
@unsafe protocol CellReceiver {
  /// Begins a row, whose line has `length` bytes; false when there is no room for it. Discards a
  /// previous row that did not end.
  mutating func beginRow(_ line: UnsafePointer<UInt8>, _ length: Int) -> Bool
  /// Receives a quoted text of 1 to 32 bytes without escapes; false when the row must be read in
  /// another way.
  mutating func takeShortText(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool
  /// Receives a number of 1 to 8 bytes, which are the first of `word`.
  mutating func takeShortNumber(_ token: UnsafePointer<UInt8>, _ length: Int, word: UInt64)
  /// Receives any other cell, without its quotes; false when the row must be read in another way.
  mutating func take(_ kind: CellKind, _ token: UnsafePointer<UInt8>, _ length: Int) -> Bool
  /// Ends a complete row.
  mutating func endRow()
}

/// Finds the cells of rows by the tokens that simdjson marked, many lines at a time.
///
/// It takes only what is certainly a row. ``RowScanner`` reads all other lines, and decides about
/// them.
package struct MarkedLines: ~Copyable {
  /// The longest line that is read here, in bytes.
  static let longestLine = Window.size

  private var marks = JSONMarks()
  private var window = Window()

  /// Forgets the text, which may then change.
  mutating func leave() { window = Window() }

  /// Reads lines of a text from `place` on: rows of `columns` cells, at most those of a window, and
  /// none that ends less than 32 bytes before the text does. Lines must be passed in order, and a
  /// line begins at `limit`.
  /// - Returns: the number of rows taken; `place` is then where the next line begins.
  @inline(__always)
  mutating func take<Receiver: CellReceiver>(
    _ text: RawSpan, from place: inout Int, limit: Int, columns: Int, into receiver: inout Receiver
  ) -> Int {
    if place >= window.end {
      window = Window(text, from: place, limit: limit)
      marks.mark(text.extracting(window.start..<window.end))
    }
    var window = window
    // The window is inside the text, and the marks are inside the window.
    let rows = unsafe text.withUnsafeBytes { text in
      unsafe marks.offsets.withUnsafeBufferPointer { marks in
        unsafe window.take(text, marks, from: &place, columns: columns, into: &receiver)
      }
    }
    self.window = window
    return rows
  }
}

/// The part of a text that was marked last, and the read position in it. Offsets count from its
/// start.
private struct Window {
  /// The number of bytes that are marked at once: they and their marks fit the processor's nearer
  /// caches.
  static let size = 32768

  private(set) var start = 0
  private var count = 0
  /// The index of the next mark.
  private var next = 0
  /// The offset of the first backslash not yet passed, or the end.
  private var backslash = 0

  var end: Int { start + count }

  init() {}

  /// Marks the lines from `place` on, up to the last one in reach; none when the first line is
  /// longer.
  init(_ text: RawSpan, from place: Int, limit: Int) {
    start = place
    let reach = min(limit, place + Self.size)
    count = text.offsetOfLastNewline(from: place, to: reach).map { $0 + 1 - place } ?? 0
    backslash =
      text.offset(of: UInt8(ascii: "\\"), from: place, to: end).map { $0 - place } ?? count
  }

  @unsafe mutating func take<Receiver: CellReceiver>(
    _ text: UnsafeRawBufferPointer, _ marks: UnsafeBufferPointer<UInt32>, from place: inout Int,
    columns: Int, into output: inout Receiver
  ) -> Int {
    // A local copy stays in registers.
    var receiver = output
    defer { output = receiver }
    guard let textStart = text.baseAddress, let marksStart = marks.baseAddress else { return 0 }
    let base = unsafe (textStart + start).assumingMemoryBound(to: UInt8.self)
    // The bracket that ends a row is followed by its newline and 32 bytes.
    let last = min(count - 2, text.count - start - 34)
    var line = place - start
    while next < marks.count, unsafe Int(marks[next]) < line { next += 1 }
    var rows = 0
    while next &+ 2 &* columns < marks.count {
      let mark = unsafe marksStart + next
      let end = unsafe Int(mark[2 &* columns])
      guard unsafe Int(mark[0]) == line, unsafe base[line] == UInt8(ascii: "["), end <= last,
        unsafe base[end &+ 1] == 10, unsafe receiver.beginRow(base + line, end &+ 1 &- line),
        unsafe row(base, mark, columns, into: &receiver)
      else { break }
      rows &+= 1
      next &+= 2 &* columns &+ 1
      unsafe receiver.endRow()
      line = end &+ 2
    }
    place = line + start
    return rows
  }

  /// Reads the row whose bracket has the first mark; false when it is not valid, or the receiver
  /// refuses it.
  @inline(__always)
  @unsafe private mutating func row<Receiver: CellReceiver>(
    _ base: UnsafePointer<UInt8>, _ firstMark: UnsafePointer<UInt32>, _ columns: Int,
    into receiver: inout Receiver
  ) -> Bool {
    var mark = unsafe firstMark
    var from = unsafe Int(mark[0]) &+ 1
    var left = columns
    while left > 0 {
      // There is no space between the tokens.
      guard unsafe Int(mark[1]) == from else { return false }
      let to = unsafe Int(mark[2])
      unsafe mark += 2
      left &-= 1
      let token = unsafe base + from
      let length = to &- from
      let first = unsafe token[0]
      if first == UInt8(ascii: "\""), UInt(bitPattern: length &- 3) < 32, to <= backslash,
        unsafe base[to &- 1] == UInt8(ascii: "\"")
      {
        guard unsafe receiver.takeShortText(token + 1, length &- 2) else { return false }
      } else if first &- 0x30 < 10, length <= 8, unsafe isNumber(token, length) {
        unsafe receiver.takeShortNumber(token, length, word: Window.word(token))
      } else {
        // With a copy, the receiver itself can stay in registers.
        var copy = receiver
        guard unsafe takeOther(base, from, to, into: &copy) else { return false }
        receiver = copy
      }
      from = to &+ 1
      let separator = unsafe base[to]
      if separator == UInt8(ascii: ",") { continue }
      return separator == UInt8(ascii: "]") && left == 0
    }
    return false
  }

  /// Reads a cell of an unusual form.
  @inline(never)
  @unsafe private mutating func takeOther<Receiver: CellReceiver>(
    _ base: UnsafePointer<UInt8>, _ from: Int, _ to: Int, into receiver: inout Receiver
  ) -> Bool {
    let token = unsafe base + from
    let length = to &- from
    guard length > 0 else { return false }
    if length == 4, unsafe Window.word(token) & 0xffff_ffff == 0x6c6c_756e {
      return unsafe receiver.take(.null, token, length)
    }
    let text = unsafe RawSpan(_unsafeStart: token, byteCount: length)
    if unsafe token[0] == UInt8(ascii: "\"") {
      // The token ends with its closing quote, unless space follows it.
      guard length > 1, unsafe base[to &- 1] == UInt8(ascii: "\"") else { return false }
      if unsafe !hasBackslash(base, from, to) {
        return unsafe receiver.take(.plainText, token, length)
      }
    } else if unsafe isLongNumber(token, length) {
      return unsafe receiver.take(.number, token, length)
    }
    var place = 0
    guard let kind = RowScanner.value(text, &place), place == length else { return false }
    return unsafe receiver.take(kind, token, length)
  }

  /// Whether a token contains a backslash; tokens are asked for in order.
  @unsafe private mutating func hasBackslash(
    _ base: UnsafePointer<UInt8>, _ from: Int, _ to: Int
  ) -> Bool {
    if backslash < from {
      let text = unsafe RawSpan(_unsafeStart: base, byteCount: count)
      backslash = text.offset(of: UInt8(ascii: "\\"), from: from, to: count) ?? count
    }
    return backslash < to
  }

  @inline(__always)
  @unsafe private static func word(_ token: UnsafePointer<UInt8>) -> UInt64 {
    unsafe UInt64(littleEndian: UnsafeRawPointer(token).loadUnaligned(as: UInt64.self))
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// Sets the high bit of each byte that is not a digit, for bytes in which digits are 0 to 9. A
  /// carry reaches only a byte next to one that is not part of a number.
  @inline(__always)
  private static func others(_ digits: UInt64) -> UInt64 {
    (digits &+ (ones &* 0x76) | digits) & (ones &* 0x80)
  }

  /// Whether a token of 1 to 8 bytes that starts with a digit is a number of digits with at most
  /// one point. All bytes are tested at once.
  @inline(__always)
  @unsafe private func isNumber(_ token: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    // The number's last byte is the highest; bytes after the number are shifted out.
    let word = unsafe Window.word(token) ^ (Window.ones &* 0x30)
    let digits = word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* length)
    let others = Window.others(digits)
    if others != 0 {
      let place = UInt64(truncatingIfNeeded: others.trailingZeroBitCount) & 0x38
      guard others & (others &- 1) == 0, Int64(bitPattern: others) > 0,
        digits &>> place & 0xff == 0x2e ^ 0x30
      else { return false }
    }
    return unsafe startsLikeNumber(token, length)
  }

  /// JSON allows no leading zeros.
  @inline(__always)
  @unsafe private func startsLikeNumber(_ token: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    unsafe token[0] != UInt8(ascii: "0") || length == 1 || token[1] == UInt8(ascii: ".")
  }

  /// The same for a token of any length, with or without a sign.
  @unsafe private func isLongNumber(_ token: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    let sign = unsafe token[0] == UInt8(ascii: "-") ? 1 : 0
    let number = unsafe token + sign
    let count = length &- sign
    guard count > 0, unsafe number[0] &- 0x30 < 10, unsafe number[count &- 1] &- 0x30 < 10 else {
      return false
    }
    var points = 0
    var place = 0
    while place < count {
      let word = unsafe Window.word(number + place) ^ (Window.ones &* 0x30)
      let digits = word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* min(8, count &- place))
      let others = Window.others(digits)
      if others != 0 {
        let shift = UInt64(truncatingIfNeeded: others.trailingZeroBitCount) & 0x38
        guard others & (others &- 1) == 0, digits &>> shift & 0xff == 0x2e ^ 0x30 else {
          return false
        }
        points &+= 1
      }
      place &+= 8
    }
    return points < 2 && (unsafe startsLikeNumber(number, count))
  }
}
