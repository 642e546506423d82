import Plumbing
import Synchronization

/// Memory that all connections share for frames larger than any well-behaved client sends.
final class FrameBudget: Sendable {
  private let left: Mutex<Int>

  init(bytes: Int) {
    left = Mutex(bytes)
  }

  /// Takes `bytes` if they are there.
  func take(_ bytes: Int) -> Bool {
    left.withLock { left in
      guard bytes <= left else { return false }
      left -= bytes
      return true
    }
  }

  func giveBack(_ bytes: Int) {
    left.withLock { $0 += bytes }
  }
}

/// Takes a client's bytes apart into frames, which it lends without copying them. (Unsafe inside:
/// it owns its memory.)
///
/// Memory grows with what has come, not with what a frame's length promises.
@safe
struct FrameBuffer: ~Copyable {
  /// A real broker's `socket.request.max.bytes`.
  static let maximumFrameSize = 100 << 20
  /// What a connection keeps between requests; the rest comes from the budget and goes back.
  static let ownSize = 4 << 20
  private static let firstSize = 64 << 10
  /// How much of the next frame may be read along with this one: it has to be moved afterwards.
  private static let readAhead = 32 << 10

  private let budget: FrameBudget
  private var memory: UnsafeMutableRawBufferPointer
  private var borrowed = 0
  /// How many bytes of `memory` hold what has come, and how many of those were lent last.
  private var filled = 0
  private var lent = 0

  init(budget: FrameBudget) {
    self.budget = budget
    unsafe memory = .allocate(byteCount: Self.firstSize, alignment: 8)
  }

  deinit {
    unsafe memory.deallocate()
    budget.giveBack(borrowed)
  }

  /// Receives until the next frame is whole; false when the client has ended between two frames.
  ///
  /// - Throws: ``MalformedFrame`` for a length that can't be and for a torn frame,
  ///   ``SystemFailure`` when receiving fails.
  mutating func receiveFrame(from socket: borrowing Socket) throws -> Bool {
    dropLent()
    while true {
      var missing = 4 - filled
      if missing <= 0 {
        let size = Int(unsafe Int32(bigEndian: memory.loadUnaligned(as: Int32.self)))
        guard (8...Self.maximumFrameSize).contains(size) else {
          throw MalformedFrame(reason: "a frame of \(size) bytes")
        }
        missing = 4 + size - filled
        if missing <= 0 {
          lent = 4 + size
          return true
        }
      }
      if unsafe filled == memory.count { try grow(to: filled + missing) }
      let room = unsafe min(memory.count - filled, max(missing, Self.readAhead))
      let got = unsafe try socket.receive(
        into: UnsafeMutableRawBufferPointer(rebasing: memory[filled..<filled + room]))
      if got == 0 {
        guard filled == 0 else { throw MalformedFrame(reason: "a torn frame") }
        return false
      }
      filled += got
    }
  }

  /// The frame that was received last, without its length; it is the buffer's until the next one.
  var frame: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      // The bytes stay where they are until the next call, which the lifetime forbids meanwhile.
      let frame = unsafe RawSpan(
        _unsafeBytes: UnsafeRawBufferPointer(
          rebasing: UnsafeRawBufferPointer(memory)[min(4, lent)..<lent]))
      return unsafe _overrideLifetime(frame, borrowing: self)
    }
  }

  /// Doubles the memory, or less when `needed` is less.
  private mutating func grow(to needed: Int) throws(MalformedFrame) {
    let size = unsafe min(needed + Self.readAhead, memory.count * 2)
    let extra = unsafe size - max(Self.ownSize, memory.count)
    if extra > 0 {
      guard budget.take(extra) else { throw MalformedFrame(reason: "too many large frames") }
      borrowed += extra
    }
    resize(to: size)
  }

  private mutating func resize(to size: Int) {
    let fresh = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
    unsafe fresh.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<filled]))
    unsafe memory.deallocate()
    unsafe memory = fresh
  }

  private mutating func dropLent() {
    guard lent > 0 else { return }
    let left = filled - lent
    if left > 0, let start = unsafe memory.baseAddress {
      unsafe start.copyMemory(from: start + lent, byteCount: left)
    }
    filled = left
    lent = 0
    if unsafe memory.count > Self.ownSize && left <= Self.firstSize {
      resize(to: Self.firstSize)
      budget.giveBack(borrowed)
      borrowed = 0
    }
  }
}
