import Glibc

/// A vector of values in memory: a column of a chunk, or computed values.
///
/// It does not check bounds: places come from ``ChunkRows``, and codes from ``CodeTable``. It does
/// not own its memory: see ``LaneRoom``.
@safe
struct Lane<Element: BitwiseCopyable> {
  let start: UnsafeMutablePointer<Element>

  init(start: UnsafeMutablePointer<Element>) { unsafe self.start = start }

  /// The values of a column in a chunk.
  init(_ chunk: UnsafeRawPointer, at offset: Int) {
    unsafe start = UnsafeMutableRawPointer(mutating: chunk + offset)
      .assumingMemoryBound(to: Element.self)
  }

  subscript(_ index: Int) -> Element {
    @inline(__always) get { unsafe start[index] }
    @inline(__always) nonmutating set { unsafe start[index] = newValue }
  }
}

/// Memory for a lane as long as a chunk, initially zeros.
@safe
final class LaneRoom<Element: BitwiseCopyable> {
  let lane: Lane<Element>

  init() {
    // New pages from the kernel are zeros, so a short table does not use the rest.
    guard let start = unsafe calloc(TableSchema.chunkRows, MemoryLayout<Element>.stride) else {
      preconditionFailure("out of memory")
    }
    lane = unsafe Lane(start: start.assumingMemoryBound(to: Element.self))
  }

  deinit { unsafe free(lane.start) }
}

/// A value for each group. Groups are added as rows are read.
@safe
final class GroupLane<Element: BitwiseCopyable> {
  private(set) var lane: Lane<Element>
  private(set) var count = 0
  private var room: Int
  private let initial: Element

  /// - Parameter initial: the value of a group without rows.
  init(_ initial: Element) {
    self.initial = initial
    room = 64
    lane = unsafe Lane(start: .allocate(capacity: room))
  }

  deinit { unsafe lane.start.deallocate() }

  /// Grows to this many groups.
  func grow(to count: Int) {
    guard count > self.count else { return }
    if count > room {
      room = max(count, room * 2)
      let fresh = UnsafeMutablePointer<Element>.allocate(capacity: room)
      unsafe fresh.update(from: lane.start, count: self.count)
      unsafe lane.start.deallocate()
      lane = unsafe Lane(start: fresh)
    }
    unsafe (lane.start + self.count).initialize(repeating: initial, count: count - self.count)
    self.count = count
  }

  /// The value of a group, which may have no rows.
  subscript(_ group: Int) -> Element { group < count ? lane[group] : initial }
}

/// The selected rows of one chunk.
@safe
struct SelectedRows {
  let base: UnsafeRawPointer
  let count: Int
  /// Their places in the chunk; nil for the first rows without gaps.
  let places: Lane<UInt16>?
  /// Unique for each set of rows.
  let stamp: Int

  /// A column of the chunk.
  func column<Element>(at offset: Int) -> Lane<Element> { unsafe Lane(base, at: offset) }

  /// Calls `body` with the number of each row, counted from 0, and its place in the chunk.
  @inline(__always)
  func forEach(_ body: (_ index: Int, _ place: Int) -> Void) {
    if let places {
      for index in 0..<count { body(index, Int(places[index])) }
    } else {
      for index in 0..<count { body(index, index) }
    }
  }
}

/// The column plan does not fit these rows, so SQLite must answer.
struct Unsuited: Error {
  /// The reason, for tests that check what is left to SQLite.
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// Assigns codes to 64-bit words, from 0 on in order of appearance.
@safe
final class CodeTable {
  private struct Slot: BitwiseCopyable {
    var word: UInt64
    /// The code plus one; 0 for a free slot.
    var next: UInt32
  }

  private var slots: UnsafeMutablePointer<Slot>
  private var mask: Int
  private(set) var words: [UInt64] = []

  init() {
    mask = 255
    unsafe slots = .allocate(capacity: 256)
    unsafe slots.initialize(repeating: Slot(word: 0, next: 0), count: 256)
  }

  deinit { unsafe slots.deallocate() }

  var count: Int { words.count }

  /// Computes the codes of many words.
  ///
  /// - Parameter shift: a number to add to each code.
  func encode(
    _ word: (Int) -> UInt64, count: Int, into codes: Lane<UInt32>, adding shift: UInt32 = 0
  ) {
    // Neighbouring rows are often equal.
    var last: (word: UInt64, code: UInt32)?
    for index in 0..<count {
      let word = word(index)
      if let last, last.word == word {
        codes[index] = last.code
        continue
      }
      let code = code(of: word) &+ shift
      codes[index] = code
      last = (word, code)
    }
  }

  @inline(__always)
  func code(of word: UInt64) -> UInt32 {
    var place = Int(truncatingIfNeeded: Self.mixed(word)) & mask
    while true {
      let slot = unsafe slots[place]
      if slot.next == 0 { return add(word, at: place) }
      if slot.word == word { return slot.next - 1 }
      place = (place + 1) & mask
    }
  }

  /// Whether the word is new.
  @inline(__always)
  func insert(_ word: UInt64) -> Bool {
    let before = words.count
    _ = code(of: word)
    return words.count > before
  }

  private func add(_ word: UInt64, at place: Int) -> UInt32 {
    unsafe slots[place] = Slot(word: word, next: UInt32(words.count) + 1)
    words.append(word)
    if words.count * 2 > mask { grow() }
    return UInt32(words.count) - 1
  }

  private func grow() {
    let size = (mask + 1) * 4
    let fresh = UnsafeMutablePointer<Slot>.allocate(capacity: size)
    unsafe fresh.initialize(repeating: Slot(word: 0, next: 0), count: size)
    for (code, word) in words.enumerated() {
      var place = Int(truncatingIfNeeded: Self.mixed(word)) & (size - 1)
      while unsafe fresh[place].next != 0 { place = (place + 1) & (size - 1) }
      unsafe fresh[place] = Slot(word: word, next: UInt32(code) + 1)
    }
    unsafe slots.deallocate()
    unsafe slots = fresh
    mask = size - 1
  }

  @inline(__always)
  private static func mixed(_ word: UInt64) -> UInt64 {
    let product = word &* 0x9e37_79b9_7f4a_7c15
    return product ^ (product >> 32)
  }
}
