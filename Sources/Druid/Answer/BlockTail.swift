/// Writes bytes after those of a block, row by row. ``beginRow(upTo:)`` reserves the bytes of a
/// row, and 32 further bytes follow the reservation.
@unsafe struct BlockTail {
  private let start: UnsafeMutableRawPointer
  private let limit: UnsafeMutableRawPointer
  private var rowStart: UnsafeMutableRawPointer
  private var place: UnsafeMutableRawPointer

  init(_ start: UnsafeMutableRawPointer, room: Int) {
    unsafe self.start = start
    unsafe limit = start + room
    unsafe rowStart = start
    unsafe place = start
  }

  /// The number of bytes in whole rows.
  var filled: Int { unsafe rowStart - start }

  @inline(__always)
  mutating func beginRow(upTo room: Int) -> Bool {
    unsafe place = rowStart
    return unsafe limit - place >= room
  }

  @inline(__always)
  mutating func endRow() { unsafe rowStart = place }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    unsafe place.storeBytes(of: byte, as: UInt8.self)
    unsafe place += 1
  }

  @inline(__always)
  mutating func removeLast() { unsafe place -= 1 }

  /// Copies bytes.
  mutating func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
    unsafe place.copyMemory(from: bytes, byteCount: count)
    unsafe place += count
  }

  /// Copies up to 8 bytes.
  @inline(__always)
  mutating func append(_ bytes: UInt64, _ count: Int) {
    unsafe place.storeBytes(of: bytes.littleEndian, as: UInt64.self)
    unsafe place += count
  }

  /// Copies up to 32 bytes; 32 more bytes must be readable after them.
  @inline(__always)
  mutating func append(short bytes: UnsafePointer<UInt8>, _ count: Int) {
    unsafe store(BlockTail.load(bytes), BlockTail.load(bytes + 16))
    unsafe place += count
  }

  @inline(__always)
  private func store(_ first: SIMD16<UInt8>, _ second: SIMD16<UInt8>) {
    unsafe place.storeBytes(of: first, as: SIMD16<UInt8>.self)
    unsafe place.storeBytes(of: second, toByteOffset: 16, as: SIMD16<UInt8>.self)
  }

  @inline(__always)
  private static func load(_ bytes: UnsafePointer<UInt8>) -> SIMD16<UInt8> {
    unsafe UnsafeRawPointer(bytes).loadUnaligned(as: SIMD16<UInt8>.self)
  }

  /// 32 commas, and 32 bytes that no JSON string contains.
  private static let commas: StaticString =
    ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}"

  /// The same, but returns false when there is a comma among the bytes. A control character right
  /// after them may be taken for a comma.
  @inline(__always)
  mutating func append(freeOfCommas bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let first = unsafe BlockTail.load(bytes)
    let second = unsafe BlockTail.load(bytes + 16)
    let sought = unsafe BlockTail.commas.utf8Start + (32 &- count)
    let found =
      unsafe (first .== BlockTail.load(sought)) .| (second .== BlockTail.load(sought + 16))
    unsafe store(first, second)
    unsafe place += count
    // A mask has all bits of each matching lane set.
    let bits = unsafe unsafeBitCast(found, to: SIMD2<UInt64>.self)
    return bits.x | bits.y == 0
  }
}
