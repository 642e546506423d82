/// A memory block of whole lines that is filled, written and filled again.
///
/// Unsafe inside: ``EventPrinter`` stores through ``memory``, and reserves space before each batch.
@safe
package struct LineBlock: ~Copyable {
  /// The number of bytes to pass to a writer at once.
  package static let size = 128 << 10
  /// The maximum line length, including what fixed-size copies store after a line's end.
  static let longestLine = 384
  private static let capacity = size + (EventBatch.capacity + 1) * longestLine

  let memory: UnsafeMutableRawPointer
  /// The number of bytes, which are whole lines.
  package internal(set) var count = 0

  package init() {
    unsafe memory = UnsafeMutableRawPointer.allocate(
      byteCount: LineBlock.capacity, alignment: 64)
  }

  deinit { unsafe memory.deallocate() }

  /// Whether the block must be written, because another batch may not fit.
  var isFull: Bool { count >= LineBlock.size }

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
