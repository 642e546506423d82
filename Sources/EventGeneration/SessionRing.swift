/// The sessions in flight, each in the second of its next event, first in first out.
///
/// A ring of 1,024 seconds, each a chain of one-kilobyte chunks of events that are read and written
/// sequentially, so the touched memory stays small, however many sessions there are. Unsafe inside:
/// chunks are in one block of raw memory, and only this file and the loop in
/// `Simulation+Step.swift` use offsets into it.
@safe
struct SessionRing: ~Copyable {
  static let seconds = 1024
  static let chunkSize = 1024
  /// The next chunk's offset is in a chunk's first four bytes; 42 events of 24 bytes follow the
  /// header.
  static let headerSize = 16
  static let stride = 24
  static let perChunk = (chunkSize - headerSize) / stride

  private(set) var memory: UnsafeMutableRawPointer
  private var capacity: Int
  /// The offset of unused memory, and the first of the free chunks (0: none).
  private var fresh = SessionRing.chunkSize
  private var free = 0
  private var freeCount = 0
  /// Offset of each second's first chunk, 0 when it has no events.
  let heads: UnsafeMutablePointer<UInt32>
  /// The offset after each second's last event.
  let cursors: UnsafeMutablePointer<UInt32>

  init() {
    capacity = 2 << 20
    unsafe memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    unsafe heads = UnsafeMutablePointer<UInt32>.allocate(capacity: SessionRing.seconds)
    unsafe cursors = UnsafeMutablePointer<UInt32>.allocate(capacity: SessionRing.seconds)
    unsafe heads.initialize(repeating: 0, count: SessionRing.seconds)
    unsafe cursors.initialize(repeating: 0, count: SessionRing.seconds)
  }

  deinit {
    unsafe memory.deallocate()
    unsafe heads.deallocate()
    unsafe cursors.deallocate()
  }

  /// Reserves room for `count` more events; ``memory`` may move.
  @inline(__always)
  mutating func reserve(_ events: Int) {
    let chunks = SessionRing.seconds + events / SessionRing.perChunk + 1
    if (freeCount + (capacity - fresh) / SessionRing.chunkSize) < chunks { grow(chunks) }
  }

  private mutating func grow(_ chunks: Int) {
    let larger = max(capacity * 2, capacity + chunks * SessionRing.chunkSize)
    precondition(larger <= 1 << 32, "more sessions in flight than the model's limits allow")
    let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    unsafe moved.copyMemory(from: memory, byteCount: fresh)
    unsafe memory.deallocate()
    unsafe memory = moved
    capacity = larger
  }

  /// Takes a chunk for the second at `bucket` and links it after the last one; returns the offset
  /// of its first event.
  ///
  /// ``reserve(_:)`` must be called before.
  @inline(never)
  mutating func extend(_ bucket: Int) -> Int {
    var chunk = free
    if chunk != 0 {
      free = Int(unsafe memory.load(fromByteOffset: chunk, as: UInt32.self))
      freeCount -= 1
    } else {
      chunk = fresh
      fresh += SessionRing.chunkSize
    }
    if unsafe heads[bucket] == 0 {
      unsafe heads[bucket] = UInt32(chunk)
    } else {
      let last = Int(unsafe cursors[bucket]) - SessionRing.chunkSize
      unsafe memory.storeBytes(of: UInt32(chunk), toByteOffset: last, as: UInt32.self)
    }
    return chunk + SessionRing.headerSize
  }

  /// Frees the first chunk of a second and returns the offset of the next.
  mutating func release(_ chunk: Int) -> Int {
    let next = Int(unsafe memory.load(fromByteOffset: chunk, as: UInt32.self))
    unsafe memory.storeBytes(of: UInt32(free), toByteOffset: chunk, as: UInt32.self)
    free = chunk
    freeCount += 1
    return next
  }

  /// The number of sessions that have an event in the second at `bucket`.
  func count(_ bucket: Int) -> Int {
    var chunk = Int(unsafe heads[bucket])
    if chunk == 0 { return 0 }
    let end = Int(unsafe cursors[bucket])
    var count = 0
    while end - chunk > SessionRing.chunkSize || end <= chunk {
      count += SessionRing.perChunk
      chunk = Int(unsafe memory.load(fromByteOffset: chunk, as: UInt32.self))
    }
    return count + (end - chunk - SessionRing.headerSize) / SessionRing.stride
  }

  /// Clears a second whose events were all taken.
  func clear(_ bucket: Int) {
    unsafe heads[bucket] = 0
    unsafe cursors[bucket] = 0
  }
}
