import Glibc

/// Linux's `F_SETPIPE_SZ`, which the C headers show to GNU sources alone.
private let setPipeSize: Int32 = 1031

/// Reads a descriptor block by block, for a tool that finds the records itself and does other work while it waits.
///
/// The caller looks at ``bytes``, takes whole records off the front with ``consume(_:)``, and asks for more with
/// ``wait(alsoFor:upTo:)``. A signal ends the input (``Interruption``): what the pipe holds at that moment is read, and
/// the reading end is closed at once, so that whoever feeds it gets SIGPIPE and writes nothing more into a buffer that
/// nobody empties. Of a file nothing more is read, because it keeps what it has.
@safe package struct BlockReader: ~Copyable {
  /// Readable bytes behind the last one: what a JSON parser may look at.
  package static let padding = 64

  /// What a wait brought.
  package enum Arrival: Sendable {
    /// More bytes.
    case data
    /// None: the time is up, the other descriptor is readable, or a signal came.
    case nothing
    /// None, and none will come.
    case end
  }

  private let descriptor: Int32
  private let name: String
  /// Storage of `capacity` bytes and the padding behind.
  private var storage: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  private var hasEnded = false

  /// Whether a signal ended the input.
  package private(set) var wasInterrupted = false
  /// Whether what was read stays readable for the next reader: a file, no pipe.
  package let isFile: Bool

  /// - Parameters:
  ///   - descriptor: what to read; it stays open.
  ///   - name: what errors call it.
  ///   - capacity: bytes of a block; the storage grows when the caller can't consume any of it.
  package init(from descriptor: Int32, named name: String, capacity: Int = 262_144) {
    self.descriptor = descriptor
    self.name = name
    unsafe storage = .allocate(byteCount: capacity + Self.padding, alignment: 64)
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0)
    var status = stat()
    let isKnown = unsafe fstat(descriptor, &status) == 0
    isFile = isKnown && status.st_mode & S_IFMT == S_IFREG
    // A larger pipe means fewer turns for both sides; where it is refused, the old one does.
    _ = fcntl(descriptor, setPipeSize, 1 << 20)
  }

  deinit { unsafe storage.deallocate() }

  /// The bytes that are not yet consumed, with ``padding`` readable bytes behind. They stay where they are until the
  /// next ``wait(alsoFor:upTo:)``, also when they are consumed: C libraries can be given pointers to them.
  @unsafe package var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: storage[start..<end])
  }

  /// Whether a signal kept the rest of a file from being read.
  package var leavesRest: Bool {
    guard wasInterrupted, isFile else { return false }
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0
      && lseek(descriptor, 0, SEEK_CUR) < status.st_size
  }

  /// How many bytes are not yet consumed.
  package var count: Int { end - start }

  /// Takes bytes off the front.
  package mutating func consume(_ count: Int) {
    precondition(count >= 0 && count <= end - start)
    start += count
  }

  /// Waits for bytes, for another descriptor or for a signal, and reads once what is there.
  ///
  /// - Parameters:
  ///   - other: a descriptor that ends the wait when it is readable; -1 for none.
  ///   - limit: how long to wait; `nil`: without end.
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
    // The storage is ours, and `room` bytes behind `end` belong to it.
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

  /// A signal came: what the pipe holds now is taken, and nothing after it.
  private mutating func takeRest() throws(SystemFailure) -> Arrival {
    wasInterrupted = true
    let before = end - start
    if !isFile {
      // Whoever feeds the pipe goes on while it is read. With one page of room no more than that can be written between
      // the last read and the close; a pipe that holds more can't be made that small, so it is read again.
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

  /// Reads as many bytes as the descriptor holds at this moment.
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

  /// The number stays in use, so that no file opened later gets it by chance. A terminal stays: nobody writes into a void.
  private func closeReadingEnd() {
    guard !isFile, !Terminal.isTerminal(descriptor) else { return }
    let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard nothing >= 0 else { return }
    dup2(nothing, descriptor)
    close(nothing)
  }

  /// Moves what is left to the front, or doubles the storage when that fills it; returns the free bytes.
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
