import Glibc

/// Bytes on their way out: grows as needed, keeps its storage when emptied, and copies the few bytes of a cell without
/// the calls that an array makes for each. (Unsafe inside: every copy stays below `capacity`, which ``reserve`` checks.)
@safe package struct ByteBlock: ~Copyable {
  private var storage: UnsafeMutableRawPointer
  private var capacity: Int
  package private(set) var count = 0
  /// Where ``relieve()`` sends what is there.
  var overflow: Overflow?

  package init(capacity: Int = 131_072) {
    self.capacity = max(64, capacity)
    unsafe storage = ByteBlock.resized(nil, to: self.capacity)
  }

  deinit { unsafe free(storage) }

  /// All that was appended since the last ``removeAll()``; the block must not change meanwhile.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(storage), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The byte at an offset below ``count``.
  package func byte(at offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < count)
    return unsafe storage.load(fromByteOffset: offset, as: UInt8.self)
  }

  /// A copy, for what is kept.
  package var array: [UInt8] {
    unsafe Array(UnsafeRawBufferPointer(start: storage, count: count))
  }

  /// Forgets the bytes. Storage that one enormous row needed is given back.
  package mutating func removeAll() {
    count = 0
    if capacity > 4 << 20 { resize(to: 131_072) }
  }

  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if count &+ more > capacity { resize(to: max(capacity * 2, count + more)) }
  }

  /// A large block moves by its page table, so growing costs no second copy.
  @inline(never)
  private mutating func resize(to size: Int) {
    unsafe storage = ByteBlock.resized(storage, to: size)
    capacity = size
  }

  private static func resized(
    _ storage: UnsafeMutableRawPointer?, to size: Int
  ) -> UnsafeMutableRawPointer {
    guard let new = unsafe realloc(storage, size) else {
      // What Swift's own allocations do when there is no memory.
      preconditionFailure("out of memory")
    }
    return unsafe new
  }

  /// Sends on what is there when it is much: amid a row that is too long to be held twice, where nobody holds an offset
  /// into the block.
  @inline(__always)
  mutating func relieve() {
    guard count >= Overflow.limit, let overflow else { return }
    overflow.take(bytes)
    removeAll()
  }

  @inline(__always)
  package mutating func append(_ byte: UInt8) {
    reserve(1)
    unsafe storage.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count &+= 1
  }

  package mutating func append(_ scalar: Unicode.Scalar) { append(UInt8(ascii: scalar)) }

  /// Copies a span; the usual handful of bytes goes in one or two moves.
  @inline(__always)
  package mutating func append(_ span: RawSpan) {
    append(span, from: 0, to: span.byteCount)
  }

  /// Copies a part of a span.
  @inline(__always)
  package mutating func append(_ span: RawSpan, from start: Int, to end: Int) {
    precondition(start >= 0 && start <= end && end <= span.byteCount)
    let length = end &- start
    reserve(length)
    let target = unsafe storage + count
    count &+= length
    // The bounds were checked above; two moves may overlap, and together cover `length` bytes exactly.
    if length >= 8, length <= 16 {
      let last = length &- 8
      unsafe target.storeBytes(
        of: span.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self),
        toByteOffset: 0, as: UInt64.self)
      unsafe target.storeBytes(
        of: span.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ last, as: UInt64.self),
        toByteOffset: last, as: UInt64.self)
    } else if length > 16, length <= 32 {
      let last = length &- 16
      unsafe target.storeBytes(
        of: span.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: SIMD16<UInt8>.self),
        toByteOffset: 0, as: SIMD16<UInt8>.self)
      unsafe target.storeBytes(
        of: span.unsafeLoadUnaligned(
          fromUncheckedByteOffset: start &+ last, as: SIMD16<UInt8>.self),
        toByteOffset: last, as: SIMD16<UInt8>.self)
    } else if length >= 4, length < 8 {
      let last = length &- 4
      unsafe target.storeBytes(
        of: span.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt32.self),
        toByteOffset: 0, as: UInt32.self)
      unsafe target.storeBytes(
        of: span.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ last, as: UInt32.self),
        toByteOffset: last, as: UInt32.self)
    } else if length < 8 {
      for place in 0..<length {
        unsafe target.storeBytes(
          of: span.unsafeLoad(fromUncheckedByteOffset: start &+ place, as: UInt8.self),
          toByteOffset: place, as: UInt8.self)
      }
    } else {
      unsafe span.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        unsafe memcpy(target, base + start, length)
      }
    }
  }

  package mutating func append(_ text: String) {
    for byte in text.utf8 { append(byte) }
  }

  package mutating func append(_ bytes: [UInt8]) {
    append(bytes.rawSpan)
  }

  package mutating func append(repeating byte: UInt8, count more: Int) {
    guard more > 0 else { return }
    reserve(more)
    unsafe memset(storage + count, Int32(byte), more)
    count &+= more
  }
}

extension RawSpan {
  /// Where the next newline stands, from an offset on.
  func offsetOfNewline(from start: Int) -> Int? { offset(of: 10, from: start, to: byteCount) }

  /// Where a byte stands next in a part of the span.
  func offset(of byte: UInt8, from start: Int, to end: Int) -> Int? {
    precondition(start >= 0 && start <= end && end <= byteCount)
    return unsafe withUnsafeBytes { bytes in
      // The bytes from `start` to `end` belong to the span.
      guard let base = bytes.baseAddress,
        let found = unsafe memchr(base + start, Int32(byte), end - start)
      else { return nil }
      return unsafe base.distance(to: UnsafeRawPointer(found))
    }
  }

  /// A part of the span as text; what is no UTF-8 becomes U+FFFD.
  func text(from start: Int, to end: Int) -> String {
    precondition(start >= 0 && start <= end && end <= byteCount)
    return unsafe withUnsafeBytes { bytes in
      // The pointer does not outlive the call.
      unsafe String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    }
  }

  /// The byte at an offset inside the span.
  func byte(at offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < byteCount)
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }
}

extension [UInt8] {
  /// The bytes, lent; sound because every bit pattern of a byte is one.
  var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get { unsafe span.bytes }
  }
}
