package import Plumbing

/// A store of numbered blocks of bytes outside of memory, for late lines.
package protocol BlockStore: AnyObject {
  /// Stores a block; replaces an earlier block of that number.
  func write(_ bytes: RawSpan, at number: Int) throws(SystemFailure)
  /// Reads the block of that number into `bytes`.
  func read(into bytes: UnsafeMutableRawBufferPointer, at number: Int) throws(SystemFailure)
}

/// Lines that are printed in a later second, in the order in which they were added, in bounded
/// memory.
///
/// A calendar queue with two levels: the seconds of the nearest span, and whole spans after it.
/// When there are too many lines for memory, blocks of 16 KiB go to the store. (Unsafe inside: the
/// blocks are the lines' own memory.)
@safe
struct LateLines: ~Copyable {
  private static let linesInBlock = 256

  private struct Bucket {
    var lines: [Line] = []
    /// The blocks in the store, oldest first; their lines come before `lines`.
    var blocks: [UInt32] = []
  }

  private let store: (any BlockStore)?
  /// The number of lines in memory from which lines go to the store.
  private let patience: Int
  private var seconds: [Int64: Bucket] = [:]
  private var spans: [Int64: Bucket] = [:]
  /// The span whose lines are sorted by second.
  private var near = Int64.min
  private var inMemory = 0
  private var isSpilling = false
  private var blockCount: UInt32 = 0
  private var freeBlocks: [UInt32] = []

  /// - Parameters:
  ///   - store: `nil` keeps all lines in memory.
  ///   - patience: the number of lines in memory from which lines go to the store; the default is
  ///     10 MB of lines.
  init(_ store: (any BlockStore)?, patience: Int = 150_000) {
    self.store = store
    self.patience = patience
  }

  /// Adds a line for a second, which must not have been taken yet.
  mutating func add(_ line: Line, due second: Int64) throws(SystemFailure) {
    let span = Self.span(of: second)
    if span <= near {
      try sortIn(line, second)
    } else {
      var bucket = spans.removeValue(forKey: span) ?? Bucket()
      try append(line, to: &bucket)
      spans[span] = bucket
    }
    if !isSpilling, inMemory > patience, store != nil { try spill() }
  }

  /// Whether lines are due in a second; seconds must be passed in ascending order.
  mutating func hasLines(in second: Int64) throws(SystemFailure) -> Bool {
    try approach(Self.span(of: second))
    return seconds[second] != nil
  }

  /// Removes and returns the lines of a second.
  mutating func take(_ second: Int64) throws(SystemFailure) -> [Line] {
    try approach(Self.span(of: second))
    guard let bucket = seconds.removeValue(forKey: second) else { return [] }
    return try lines(of: bucket)
  }

  /// Removes and returns the lines of the earliest second that has any; `nil` when none are left.
  mutating func takeNext() throws(SystemFailure) -> [Line]? {
    if seconds.isEmpty {
      guard let next = spans.keys.min() else { return nil }
      try approach(next)
    }
    guard let second = seconds.keys.min() else { return nil }
    return try take(second)
  }

  private static func span(of second: Int64) -> Int64 { second >> 10 }

  /// Sorts the lines of the spans up to this one by second.
  private mutating func approach(_ span: Int64) throws(SystemFailure) {
    guard span > near else { return }
    near = span
    for reached in spans.keys.filter({ $0 <= span }).sorted() {
      guard let bucket = spans.removeValue(forKey: reached) else { continue }
      for block in bucket.blocks {
        for line in try read(block) { try sortIn(line, line.due) }
      }
      inMemory -= bucket.lines.count
      for line in bucket.lines { try sortIn(line, line.due) }
    }
  }

  private mutating func sortIn(_ line: Line, _ second: Int64) throws(SystemFailure) {
    var bucket = seconds.removeValue(forKey: second) ?? Bucket()
    try append(line, to: &bucket)
    seconds[second] = bucket
  }

  private mutating func append(_ line: Line, to bucket: inout Bucket) throws(SystemFailure) {
    bucket.lines.append(line)
    inMemory += 1
    if isSpilling, bucket.lines.count >= Self.linesInBlock { try empty(&bucket) }
  }

  /// Stores whole blocks from now on, so that no bucket keeps one in memory.
  private mutating func spill() throws(SystemFailure) {
    isSpilling = true
    for second in Array(seconds.keys) {
      guard var bucket = seconds.removeValue(forKey: second) else { continue }
      try empty(&bucket)
      seconds[second] = bucket
    }
    for span in Array(spans.keys) {
      guard var bucket = spans.removeValue(forKey: span) else { continue }
      try empty(&bucket)
      spans[span] = bucket
    }
  }

  /// Stores the whole blocks of a bucket.
  private mutating func empty(_ bucket: inout Bucket) throws(SystemFailure) {
    guard let store else { return }
    var start = 0
    while bucket.lines.count - start >= Self.linesInBlock {
      let number = freeBlocks.popLast() ?? blockCount
      if number == blockCount { blockCount += 1 }
      let failure = unsafe bucket.lines[start..<start + Self.linesInBlock].withUnsafeBytes {
        bytes -> SystemFailure? in
        do throws(SystemFailure) {
          try store.write(unsafe bytes.bytes, at: Int(number))
          return nil
        } catch {
          return error
        }
      }
      if let failure { throw failure }
      bucket.blocks.append(number)
      start += Self.linesInBlock
    }
    bucket.lines.removeFirst(start)
    inMemory -= start
  }

  private mutating func lines(of bucket: Bucket) throws(SystemFailure) -> [Line] {
    var lines: [Line] = []
    for block in bucket.blocks { lines += try read(block) }
    inMemory -= bucket.lines.count
    return lines + bucket.lines
  }

  /// Reads a block and frees its number.
  private mutating func read(_ number: UInt32) throws(SystemFailure) -> [Line] {
    guard let store else { return [] }
    var failure: SystemFailure?
    let lines = unsafe [Line](unsafeUninitializedCapacity: Self.linesInBlock) { room, count in
      do throws(SystemFailure) {
        try unsafe store.read(into: UnsafeMutableRawBufferPointer(room), at: Int(number))
        count = Self.linesInBlock
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    freeBlocks.append(number)
    return lines
  }
}
