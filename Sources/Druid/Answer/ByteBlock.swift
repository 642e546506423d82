import Glibc

/// An output buffer that grows as needed and keeps its storage when emptied. It copies the few
/// bytes of a cell without the calls that an array makes for each. (Unsafe inside: every copy stays
/// below `capacity`, which ``reserve`` checks.)
@safe package struct ByteBlock: ~Copyable {
  private var storage: UnsafeMutableRawPointer
  private var capacity: Int
  /// Spare bytes at the end, so that a few bytes can be copied as sixteen or thirty-two.
  package static var slack: Int { 32 }
  package private(set) var count = 0
  /// The destination for ``relieve()``.
  var overflow: Overflow?

  package init(capacity: Int = 131_072) {
    self.capacity = capacity + ByteBlock.slack
    unsafe storage = ByteBlock.resized(nil, to: self.capacity)
  }

  deinit { unsafe free(storage) }

  /// Everything appended since the last ``removeAll()``; the block must not change while it is in
  /// use.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(storage), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// A copy that may outlive the block.
  package var array: [UInt8] {
    unsafe Array(UnsafeRawBufferPointer(start: storage, count: count))
  }

  /// Removes all bytes, and frees storage that one enormous row needed.
  package mutating func removeAll() {
    count = 0
    if capacity > 4 << 20 { resize(to: 131_072) }
  }

  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if capacity &- count < more &+ ByteBlock.slack { grow(by: more) }
  }

  @inline(never)
  private mutating func grow(by more: Int) {
    resize(to: max(capacity * 2, count + more + ByteBlock.slack))
  }

  /// The kernel remaps a large block, so growing it copies nothing.
  private mutating func resize(to size: Int) {
    unsafe storage = ByteBlock.resized(storage, to: size)
    capacity = size
  }

  private static func resized(
    _ storage: UnsafeMutableRawPointer?, to size: Int
  ) -> UnsafeMutableRawPointer {
    guard let new = unsafe realloc(storage, size) else {
      // Swift's own allocations also trap when out of memory.
      preconditionFailure("out of memory")
    }
    return unsafe new
  }

  /// Writes the bytes to the overflow output if there are many. Only for rows that are too long to
  /// be held twice, where nobody holds an offset into the block.
  @inline(__always)
  package mutating func relieve() {
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

  mutating func append(_ scalar: Unicode.Scalar) { append(UInt8(ascii: scalar)) }

  /// Copies a span; a cell of usual length takes two moves.
  @inline(__always)
  package mutating func append(_ span: RawSpan) {
    append(span, from: 0, to: span.byteCount)
  }

  /// Copies a part of a span; fastest when ``slack`` more bytes of the span follow it.
  @inline(__always)
  package mutating func append(_ span: RawSpan, from start: Int, to end: Int) {
    precondition(start >= 0 && start <= end && end <= span.byteCount)
    let length = end &- start
    reserve(length)
    let target = unsafe storage + count
    count &+= length
    unsafe copy(span, from: start, length, to: target)
  }

  /// Copies a byte and a part of a span.
  @inline(__always)
  package mutating func append(_ byte: UInt8, then span: RawSpan, from start: Int, to end: Int) {
    precondition(start >= 0 && start <= end && end <= span.byteCount)
    let length = end &- start
    reserve(length &+ 1)
    let target = unsafe storage + count
    count &+= length &+ 1
    unsafe target.storeBytes(of: byte, as: UInt8.self)
    unsafe copy(span, from: start, length, to: target + 1)
  }

  /// The caller checked the bounds, and the target has room for the length and the slack.
  @inline(__always)
  private func copy(
    _ span: RawSpan, from start: Int, _ length: Int, to target: UnsafeMutableRawPointer
  ) {
    guard length <= 32, start &+ 32 <= span.byteCount else {
      return unsafe copyExactly(span, from: start, length, to: target)
    }
    // Both sides have 32 bytes. The bytes copied beyond the length are overwritten later.
    unsafe target.storeBytes(
      of: span.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: SIMD16<UInt8>.self),
      toByteOffset: 0, as: SIMD16<UInt8>.self)
    unsafe target.storeBytes(
      of: span.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ 16, as: SIMD16<UInt8>.self),
      toByteOffset: 16, as: SIMD16<UInt8>.self)
  }

  @inline(never)
  private func copyExactly(
    _ span: RawSpan, from start: Int, _ length: Int, to target: UnsafeMutableRawPointer
  ) {
    unsafe span.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      unsafe memcpy(target, base + start, length)
    }
  }

  /// Lends `room` bytes at the end, followed by the slack; the block must not change until
  /// ``take(_:)``.
  @unsafe mutating func tail(room: Int) -> BlockTail {
    reserve(room)
    return unsafe BlockTail(storage + count, room: room)
  }

  /// Adds what was written into the bytes that ``tail(room:)`` lent.
  @unsafe mutating func take(_ tail: BlockTail) {
    let filled = unsafe tail.filled
    precondition(filled >= 0 && filled <= capacity &- ByteBlock.slack &- count)
    count &+= filled
  }

  /// Appends a column of a table: a bar unless it is the first, a part of a span, and spaces before
  /// and after it. One call, because calls into another module are not inlined.
  package mutating func append(
    column span: RawSpan, from start: Int, to end: Int, before: Int, after: Int, isFirst: Bool
  ) {
    if !isFirst {
      reserve(4)
      // The fourth byte is overwritten by the next.
      unsafe (storage + count).storeBytes(of: UInt32(0x0020_7c20).littleEndian, as: UInt32.self)
      count &+= 3
    }
    append(repeating: 32, count: before)
    append(span, from: start, to: end)
    append(repeating: 32, count: after)
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
    if more <= ByteBlock.slack {
      // The bytes written beyond the count are overwritten later.
      let bytes = SIMD32<UInt8>(repeating: byte)
      unsafe (storage + count).storeBytes(of: bytes, as: SIMD32<UInt8>.self)
    } else {
      unsafe memset(storage + count, Int32(byte), more)
    }
    count &+= more
  }
}

extension RawSpan {
  /// The offset of the next newline from `start` on.
  func offsetOfNewline(from start: Int) -> Int? { offset(of: 10, from: start, to: byteCount) }

  /// The offset of the last newline in a part of the span.
  func offsetOfLastNewline(from start: Int, to end: Int) -> Int? {
    var place = end
    while place > start {
      place -= 1
      if byte(at: place) == 10 { return place }
    }
    return nil
  }

  /// The offset of the next occurrence of a byte in a part of the span.
  package func offset(of byte: UInt8, from start: Int, to end: Int) -> Int? {
    precondition(start >= 0 && start <= end && end <= byteCount)
    return unsafe withUnsafeBytes { bytes in
      // The bytes from `start` to `end` are inside the span.
      guard let base = bytes.baseAddress,
        let found = unsafe memchr(base + start, Int32(byte), end - start)
      else { return nil }
      return unsafe base.distance(to: UnsafeRawPointer(found))
    }
  }

  /// A part of the span as text; invalid UTF-8 becomes U+FFFD.
  func text(from start: Int, to end: Int) -> String {
    precondition(start >= 0 && start <= end && end <= byteCount)
    return unsafe withUnsafeBytes { bytes in
      // The pointer does not outlive the call.
      unsafe String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    }
  }

  /// Whether a part of the span has no byte above 0x7e; control characters are not checked.
  @inline(__always)
  package func isPrintableASCII(from start: Int, to end: Int) -> Bool {
    precondition(start >= 0 && start <= end && end <= byteCount)
    let ones: UInt64 = 0x0101_0101_0101_0101
    var place = start
    var seen: UInt64 = 0
    while place &+ 8 <= byteCount, place < end {
      let word = UInt64(
        littleEndian: unsafe unsafeLoadUnaligned(
          fromUncheckedByteOffset: place, as: UInt64.self))
      // Ignore the bytes after the end.
      let beyond = UInt64(truncatingIfNeeded: 8 &* max(0, 8 &- (end &- place)))
      // 0x7f plus one sets the high bit too, and lower bytes carry nothing over.
      let kept = word &<< beyond
      seen |= kept | ((kept & (ones &* 0x7f)) &+ ones)
      place &+= 8
    }
    while place < end {
      seen |= byte(at: place) < 0x7f ? 0 : 0x80
      place &+= 1
    }
    return seen & (ones &* 0x80) == 0
  }

  /// Whether the whole span is valid UTF-8.
  var isUTF8: Bool {
    if isPrintableASCII(from: 0, to: byteCount) { return true }
    let bytes = Span<UInt8>(_bytes: self)
    return (try? UTF8Span(validating: bytes)) != nil
  }

  /// The byte at an offset inside the span.
  package func byte(at offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < byteCount)
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }
}

extension [UInt8] {
  /// The bytes as a raw span, which is sound because every bit pattern is a valid byte.
  package var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get { unsafe span.bytes }
  }
}

extension RawSpan {
  /// The first character boundary at or after `place`, at most `end`.
  package func letterStart(from place: Int, to end: Int) -> Int {
    var place = place
    while place < end, byte(at: place) & 0xc0 == 0x80 { place += 1 }
    return place
  }
}
