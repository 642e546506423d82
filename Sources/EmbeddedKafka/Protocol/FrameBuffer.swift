import Plumbing
import Synchronization

/// Memory that all connections share for unusually large frames.
final class FrameBudget: Sendable {
  private let left: Mutex<Int>

  init(bytes: Int) {
    left = Mutex(bytes)
  }

  /// Takes `bytes` from the budget, if available.
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

/// Splits a client's bytes into frames, which it lends without copying. (Unsafe inside: it owns its
/// memory.)
///
/// Memory grows with the bytes received, not with the length that a frame declares.
@safe
struct FrameBuffer: ~Copyable {
  /// A real broker's `socket.request.max.bytes`.
  static let maximumFrameSize = 100 << 20
  /// Memory that a connection keeps between requests. Any more comes from the budget and is
  /// returned.
  static let ownSize = 4 << 20
  private static let firstSize = 64 << 10
  /// Maximum number of bytes of the next frame to read along with this one, because they have to be
  /// moved afterwards.
  private static let readAhead = 32 << 10

  private let budget: FrameBudget
  private var memory: UnsafeMutableRawBufferPointer
  private var borrowed = 0
  /// The number of received bytes in `memory`, and the number of bytes that were lent last.
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

  /// Receives until the next frame is complete; false when the client has closed the connection
  /// between two frames.
  ///
  /// - Throws: ``MalformedFrame`` for an invalid length and for an incomplete frame,
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

  /// The last received frame without its length, valid until the next call.
  var frame: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      // The bytes do not move until the next call, and the lifetime ends before that.
      let frame = unsafe RawSpan(
        _unsafeBytes: UnsafeRawBufferPointer(
          rebasing: UnsafeRawBufferPointer(memory)[min(4, lent)..<lent]))
      return unsafe _overrideLifetime(frame, borrowing: self)
    }
  }

  /// Doubles the memory, or grows it to `needed` if that is less.
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
