import Glibc

/// Linux's `F_SETPIPE_SZ`, which the C headers declare only under `_GNU_SOURCE`.
package let setPipeSize: Int32 = 1031

/// Reads a descriptor block by block, for a tool that finds the records itself and does other work while it waits.
///
/// The caller looks at ``bytes``, takes whole records off the front with ``consume(_:)``, and asks
/// for more with ``wait(alsoFor:upTo:)``. A signal ends the input (``Interruption``). For a pipe,
/// the reader reads what the pipe holds at that moment and closes the reading end at once, so the
/// writer gets SIGPIPE and writes nothing more into a buffer that nobody reads. A file keeps its
/// content, so nothing more is read from it.
@safe package struct BlockReader: ~Copyable {
  /// Readable bytes after the last one, for a JSON parser that reads past the end.
  static let padding = 64

  /// The outcome of a wait.
  package enum Arrival: Sendable {
    /// More bytes.
    case data
    /// No bytes: the time is up, the other descriptor is readable, or a signal came.
    case nothing
    /// No bytes, and none will follow.
    case end
  }

  private let descriptor: Int32
  private let name: String
  /// Storage of `capacity` bytes, followed by the padding.
  private var storage: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  private var hasEnded = false

  /// Whether a signal ended the input.
  package private(set) var wasInterrupted = false
  /// Whether what was read stays readable for the next reader: true for a file, false for a pipe.
  package let isFile: Bool

  /// - Parameters:
  ///   - descriptor: what to read; it stays open.
  ///   - name: how errors name the descriptor.
  ///   - capacity: the size of a block in bytes; the storage grows when the caller can't consume
  ///     any of it.
  package init(from descriptor: Int32, named name: String, capacity: Int = 262_144) {
    self.descriptor = descriptor
    self.name = name
    unsafe storage = .allocate(byteCount: capacity + Self.padding, alignment: 64)
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0)
    var status = stat()
    let isKnown = unsafe fstat(descriptor, &status) == 0
    isFile = isKnown && status.st_mode & S_IFMT == S_IFREG
    // A larger pipe needs fewer switches between writer and reader. Where the system refuses, the
    // pipe keeps its size.
    _ = fcntl(descriptor, setPipeSize, 1 << 20)
  }

  deinit { unsafe storage.deallocate() }

  /// The bytes that are not yet consumed, followed by ``padding`` readable bytes. They stay in
  /// place until the next ``wait(alsoFor:upTo:)``, even after they are consumed, so C libraries can
  /// hold pointers to them.
  @unsafe package var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: storage[start..<end])
  }

  /// Whether a signal left the rest of a file unread.
  var leavesRest: Bool {
    guard wasInterrupted, isFile else { return false }
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0
      && lseek(descriptor, 0, SEEK_CUR) < status.st_size
  }

  /// The number of bytes not yet consumed.
  package var count: Int { end - start }

  /// Takes bytes off the front.
  package mutating func consume(_ count: Int) {
    precondition(count >= 0 && count <= end - start)
    start += count
  }

  /// Waits for bytes, for another descriptor or for a signal, then reads once what is available.
  ///
  /// - Parameters:
  ///   - other: a descriptor that ends the wait when it is readable; -1 for none.
  ///   - limit: how long to wait; `nil` waits without a limit.
  package mutating func wait(
    alsoFor other: Int32 = -1, upTo limit: Duration? = nil
  ) throws(SystemFailure) -> Arrival {
    if hasEnded { return .end }
    if Interruption.count > 0 { return try takeRest() }
    var waiting = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: Interruption.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: other, events: Int16(POLLIN), revents: 0),
    ]
    let ready = unsafe poll(&waiting, UInt(waiting.count), limit?.pollMilliseconds ?? -1)
    if ready < 0, errno != EINTR { throw SystemFailure("waiting for \(name)") }
    if ready <= 0 || waiting[1].revents != 0 || waiting[0].revents == 0 { return .nothing }
    return try readOnce(atMost: .max)
  }

  private mutating func readOnce(atMost limit: Int) throws(SystemFailure) -> Arrival {
    let room = min(makeRoom(), limit)
    // The storage belongs to this reader, with `room` bytes after `end`.
    let count = unsafe read(descriptor, storage.baseAddress.map { unsafe $0 + end }, room)
    if count < 0 {
      guard errno == EINTR || errno == EAGAIN else { throw SystemFailure("reading \(name)") }
      return .nothing
    }
    if count == 0 {
      hasEnded = true
      return .end
    }
    end += count
    return .data
  }

  /// Handles a signal: reads what the pipe holds now, and nothing after it.
  private mutating func takeRest() throws(SystemFailure) -> Arrival {
    wasInterrupted = true
    let before = end - start
    if !isFile {
      // The writer may go on writing during the read. With a capacity of one page, it can write at
      // most a page between the last read and the close. A pipe that holds more can't be shrunk
      // yet, so it is read again.
      for _ in 0..<16 {
        try readWhatIsHeld()
        if fcntl(descriptor, setPipeSize, 4096) >= 0 || errno != EBUSY { break }
      }
      try readWhatIsHeld()
      closeReadingEnd()
    }
    hasEnded = true
    return end - start > before ? .data : .end
  }

  /// Reads as many bytes as the descriptor holds now.
  private mutating func readWhatIsHeld() throws(SystemFailure) {
    var held: Int32 = 0
    guard unsafe ioctl(descriptor, UInt(FIONREAD), &held) == 0 else { return }
    var left = Int(held)
    while left > 0, !hasEnded {
      let before = end - start
      guard case .data = try readOnce(atMost: left) else { return }
      left -= end - start - before
    }
  }

  /// Replaces the descriptor, so that its number stays in use and no file opened later gets it. A
  /// terminal stays open: nobody can write into it unread.
  private func closeReadingEnd() {
    guard !isFile, !Terminal.isTerminal(descriptor) else { return }
    let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard nothing >= 0 else { return }
    dup2(nothing, descriptor)
    close(nothing)
  }

  /// Moves the remaining bytes to the front, or doubles the storage when they fill it; returns the
  /// number of free bytes.
  private mutating func makeRoom() -> Int {
    let capacity = unsafe storage.count - Self.padding
    let count = end - start
    if start > 0 {
      unsafe storage.copyMemory(
        from: unsafe UnsafeRawBufferPointer(rebasing: storage[start..<end]))
    } else if count == capacity {
      let larger = UnsafeMutableRawBufferPointer.allocate(
        byteCount: capacity * 2 + Self.padding, alignment: 64)
      unsafe larger.initializeMemory(as: UInt8.self, repeating: 0)
      unsafe larger.copyMemory(from: unsafe UnsafeRawBufferPointer(rebasing: storage[..<end]))
      unsafe storage.deallocate()
      unsafe storage = larger
    }
    start = 0
    end = count
    return unsafe storage.count - Self.padding - end
  }
}
