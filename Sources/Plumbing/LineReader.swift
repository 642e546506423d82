import Glibc

/// Lends the lines of a descriptor, and copies none.
///
/// Waiting goes through poll(2), so a signal ends it (``Interruption``): then what the pipe holds at that moment is
/// read, up to its last newline, and no more; what is behind that newline is ``tornBytes``.
@safe package struct LineReader: ~Copyable {
  /// Readable bytes behind every line's end: what a JSON parser may look at.
  package static let padding = 64

  private let descriptor: Int32
  private let name: String
  /// Storage of `capacity` bytes and the padding behind.
  private var storage: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// Where the search for the next newline goes on.
  private var searched = 0
  private var state = State.reading
  private let maximumLineLength: Int

  fileprivate enum State {
    case reading
    /// A signal came: this many bytes are still to be read.
    case draining(Int)
    case ended
  }

  /// The number of the line that was lent last, counted from 1.
  package private(set) var lineNumber = 0
  /// Whether the last line ended with a newline; the last of the input may not.
  package private(set) var lineIsTerminated = true
  /// Bytes behind the last newline when a signal ended the input: a torn line, lent to nobody.
  package private(set) var tornByteCount = 0
  /// Whether a signal ended the input.
  package private(set) var wasInterrupted = false

  /// - Parameters:
  ///   - descriptor: what to read; it stays open.
  ///   - name: what errors call it.
  ///   - capacity: bytes of a block.
  ///   - maximumLineLength: a longer line is an error.
  package init(
    from descriptor: Int32, named name: String, capacity: Int = 262_144,
    maximumLineLength: Int = 1 << 30
  ) {
    self.descriptor = descriptor
    self.name = name
    self.maximumLineLength = maximumLineLength
    unsafe storage = .allocate(byteCount: capacity + Self.padding, alignment: 64)
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { unsafe storage.deallocate() }

  /// Whether the next line is there without reading.
  package var hasBufferedLine: Bool {
    mutating get { newline() != nil || state.isEnded && start < end }
  }

  /// The next line without its newline, or `nil` at the end of input; it is the reader's until the next call.
  ///
  /// - Throws: ``SystemFailure`` when reading fails, ``LineTooLong`` for a line over the limit.
  /// - Complexity: O(length of the line); allocates only when a line outgrows the buffer.
  @_lifetime(&self)
  package mutating func nextLine() throws -> RawSpan? {
    while true {
      if let length = newline() {
        let line = start
        start += length + 1
        searched = start
        lineNumber += 1
        lineIsTerminated = true
        return lend(from: line, count: length)
      }
      if end - start > maximumLineLength {
        throw LineTooLong(line: lineNumber + 1, limit: maximumLineLength)
      }
      if state.isEnded {
        guard start < end else { return nil }
        let line = start
        start = end
        searched = end
        lineNumber += 1
        lineIsTerminated = false
        return lend(from: line, count: end - line)
      }
      try fill()
    }
  }

  /// Waits until there is something to read, the input ends, a signal comes or the time is up.
  ///
  /// - Returns: false when the time was up.
  package mutating func wait(upTo limit: Duration?) throws(SystemFailure) -> Bool {
    if hasBufferedLine || state.isEnded { return true }
    return try waitForInput(milliseconds: limit?.pollMilliseconds ?? -1)
  }

  private mutating func waitForInput(milliseconds: Int32) throws(SystemFailure) -> Bool {
    if case .draining = state { return true }
    while true {
      if Interruption.count > 0 {
        stopReading()
        return true
      }
      var waiting = [
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: Interruption.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      let count = unsafe poll(&waiting, UInt(waiting.count), milliseconds)
      if count == 0 { return false }
      if count < 0 {
        guard errno == EINTR else { throw SystemFailure("waiting for \(name)") }
        continue
      }
      if waiting[1].revents != 0 { continue }
      return true
    }
  }

  /// A signal came: only what the pipe holds now is still taken.
  private mutating func stopReading() {
    wasInterrupted = true
    var held: Int32 = 0
    let isKnown = unsafe ioctl(descriptor, UInt(FIONREAD), &held) == 0
    state = .draining(isKnown ? Int(held) : 0)
  }

  private mutating func fill() throws(SystemFailure) {
    _ = try waitForInput(milliseconds: -1)
    var room = makeRoom()
    if case .draining(let left) = state {
      guard left > 0 else { return endAfterSignal() }
      room = min(room, left)
    }
    // The storage is ours, and `room` bytes behind `end` belong to it.
    let count = unsafe read(descriptor, storage.baseAddress.map { unsafe $0 + end }, room)
    if count < 0 {
      guard errno == EINTR || errno == EAGAIN else { throw SystemFailure("reading \(name)") }
      return
    }
    end += count
    if count == 0 {
      state = .ended
    } else if case .draining(let left) = state {
      state = .draining(left - count)
    }
  }

  private mutating func endAfterSignal() {
    state = .ended
    // Whole lines were lent already: what is left has no newline.
    tornByteCount = end - start
    start = end
    searched = end
  }

  /// Moves the open line to the front, or doubles the storage when it fills it; returns the free bytes.
  private mutating func makeRoom() -> Int {
    let capacity = unsafe storage.count - Self.padding
    if start == end {
      start = 0
      end = 0
      searched = 0
    } else if end == capacity {
      let count = end - start
      if start > capacity / 2 {
        unsafe storage.copyMemory(
          from: unsafe UnsafeRawBufferPointer(rebasing: storage[start..<end]))
      } else {
        let larger = UnsafeMutableRawBufferPointer.allocate(
          byteCount: capacity * 2 + Self.padding, alignment: 64)
        unsafe larger.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe larger.copyMemory(
          from: unsafe UnsafeRawBufferPointer(rebasing: storage[start..<end]))
        unsafe storage.deallocate()
        unsafe storage = larger
      }
      searched -= start
      start = 0
      end = count
    }
    return unsafe storage.count - Self.padding - end
  }

  /// The length of the line at `start` when its newline is in the buffer.
  private mutating func newline() -> Int? {
    guard searched < end, let base = unsafe storage.baseAddress else { return nil }
    // `searched..<end` lies inside the storage.
    guard let found = unsafe memchr(base + searched, 10, end - searched) else {
      searched = end
      return nil
    }
    let place = unsafe base.distance(to: found)
    searched = place
    return place - start
  }

  @_lifetime(&self)
  private mutating func lend(from line: Int, count: Int) -> RawSpan {
    // The bytes stay where they are until the next call, which the lifetime forbids while the span is in use.
    let span = unsafe RawSpan(
      _unsafeBytes: UnsafeRawBufferPointer(rebasing: storage[line..<line + count]))
    return unsafe _overrideLifetime(span, mutating: &self)
  }
}

extension LineReader.State {
  fileprivate var isEnded: Bool { if case .ended = self { true } else { false } }
}

/// A line over the limit.
package struct LineTooLong: ToolFailure, Equatable {
  /// Its number, counted from 1.
  package let line: Int
  /// The limit in bytes.
  package let limit: Int

  package var exitStatus: ExitStatus { .input }
  package var message: String { "line \(line): longer than \(limit) bytes" }
}
