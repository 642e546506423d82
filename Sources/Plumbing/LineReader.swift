import Glibc

/// Lends the lines of a descriptor without copying them; a ``BlockReader`` waits and reads.
///
/// After a signal (``Interruption``) it yields what the pipe held at that moment, up to the last
/// newline. The bytes after that newline are a torn line, which it does not yield.
@safe package struct LineReader: ~Copyable {
  private var blocks: BlockReader
  /// The length of the line that was lent last, with its newline.
  private var lent = 0
  /// How many bytes after that line are known to hold no newline.
  private var searched = 0
  private let maximumLineLength: Int

  /// The number of the line that was lent last, counted from 1.
  private(set) var lineNumber = 0
  /// Whether the last line ended with a newline; only the last line of the input may lack it.
  package private(set) var lineIsTerminated = true
  /// The length of the torn line: the bytes after the last newline when a signal ended the input.
  package private(set) var tornByteCount = 0
  /// Whether a signal left the rest of a file unread.
  package var leavesRest: Bool { blocks.leavesRest }

  /// - Parameters:
  ///   - descriptor: what to read; it stays open.
  ///   - name: how errors name the descriptor.
  ///   - capacity: the size of a block in bytes.
  ///   - maximumLineLength: in bytes; a longer line is an error.
  package init(
    from descriptor: Int32, named name: String, capacity: Int = 262_144,
    maximumLineLength: Int = 1 << 30
  ) {
    blocks = BlockReader(from: descriptor, named: name, capacity: capacity)
    self.maximumLineLength = maximumLineLength
  }

  /// The next line without its newline, or `nil` at the end of input; valid until the next call.
  ///
  /// - Throws: ``SystemFailure`` when reading fails, ``LineTooLong`` for a line over the limit.
  /// - Complexity: O(length of the line); allocates only when a line outgrows the buffer.
  @_lifetime(&self)
  package mutating func nextLine() throws -> RawSpan? {
    blocks.consume(lent)
    lent = 0
    while true {
      if let length = newline() { return lend(length, isTerminated: true) }
      guard blocks.count <= maximumLineLength else {
        throw LineTooLong(line: lineNumber + 1, limit: maximumLineLength)
      }
      guard case .end = try blocks.wait() else { continue }
      if blocks.wasInterrupted {
        tornByteCount += blocks.count
        blocks.consume(blocks.count)
      }
      guard blocks.count > 0 else { return nil }
      return lend(blocks.count, isTerminated: false)
    }
  }

  /// The length of the next line if its newline is in the block.
  private mutating func newline() -> Int? {
    let bytes = unsafe blocks.bytes
    guard searched < bytes.count, let base = bytes.baseAddress else { return nil }
    // `searched..<count` lies inside the block.
    guard let found = unsafe memchr(base + searched, 10, bytes.count - searched) else {
      searched = bytes.count
      return nil
    }
    return unsafe base.distance(to: found)
  }

  @_lifetime(&self)
  private mutating func lend(_ count: Int, isTerminated: Bool) -> RawSpan {
    lent = isTerminated ? count + 1 : count
    searched = 0
    lineNumber += 1
    lineIsTerminated = isTerminated
    // The bytes stay in place until the next call, and the span's lifetime ends before that.
    let span = unsafe RawSpan(
      _unsafeBytes: UnsafeRawBufferPointer(rebasing: blocks.bytes[..<count]))
    return unsafe _overrideLifetime(span, mutating: &self)
  }
}

/// A line over the limit.
struct LineTooLong: ToolFailure, Equatable {
  /// Its number, counted from 1.
  let line: Int
  /// The limit in bytes.
  let limit: Int

  var exitStatus: ExitStatus { .input }
  var message: String { "line \(line): longer than \(limit) bytes" }
}
