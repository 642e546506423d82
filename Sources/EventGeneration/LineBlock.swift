/// Whole lines on their way out: one piece of memory that is filled, written and filled again.
///
/// Unsafe inside: ``EventPrinter`` stores through ``memory`` and reserves before each batch.
@safe
package struct LineBlock: ~Copyable {
  /// What a writer should be given at once.
  package static let size = 128 << 10
  /// No line is longer; also covers what fixed-size copies store behind a line's end.
  static let longestLine = 384
  private static let capacity = size + (EventBatch.capacity + 1) * longestLine

  let memory: UnsafeMutableRawPointer
  /// Bytes that are whole lines.
  package internal(set) var count = 0

  package init() {
    unsafe memory = UnsafeMutableRawPointer.allocate(
      byteCount: LineBlock.capacity, alignment: 64)
  }

  deinit { unsafe memory.deallocate() }

  /// Whether it is time to write: another batch may not fit.
  package var isFull: Bool { count >= LineBlock.size }

  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // The memory lives as long as the block, and the first `count` bytes were stored.
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(memory), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  package mutating func removeAll() { count = 0 }
}
