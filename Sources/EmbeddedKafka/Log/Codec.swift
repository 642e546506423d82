import CLZ4
import CSnappy
import CZlib
import CZstd

/// The compression of a batch's records. The raw value is that of the batch's attributes.
///
/// (Unsafe inside: the codecs' libraries take pointers.)
enum Codec: Int16 {
  case gzip = 1
  case snappy = 2
  case lz4 = 3
  case zstd = 4

  /// Why decompression stopped.
  enum Failure: Error, Equatable {
    /// The bytes are not valid for the codec, or other bytes follow them.
    case damaged
    /// The output exceeds the limit.
    case tooLarge
    /// The receiver stopped it.
    case stopped
  }

  /// Buffer size for a piece of decompressed records.
  private static let pieceSize = 64 << 10

  /// Decompresses records and passes them to `take`, piece by piece.
  ///
  /// - Parameters:
  ///   - limit: maximum size of the output, so that a small batch can't fill the memory.
  ///   - take: returns false to stop.
  func decompress(
    _ bytes: RawSpan, limit: Int, _ take: (RawSpan) -> Bool
  ) throws(Failure) {
    var total = 0
    func counted(_ piece: RawSpan) throws(Failure) {
      total += piece.byteCount
      guard total <= limit else { throw .tooLarge }
      guard take(piece) else { throw .stopped }
    }
    let outcome = unsafe bytes.withUnsafeBytes { packed -> Failure? in
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
      defer { unsafe room.deallocate() }
      do throws(Failure) {
        switch self {
        case .gzip: unsafe try Self.inflate(packed, room, counted)
        case .snappy: unsafe try Self.unsnap(packed, limit: limit, counted)
        case .lz4: unsafe try Self.decompressLZ4(packed, room, counted)
        case .zstd: unsafe try Self.decompressZstd(packed, room, counted)
        }
        return nil
      } catch {
        return error
      }
    }
    if let outcome { throw outcome }
  }

  private typealias Taking = (RawSpan) throws(Failure) -> Void

  private static func lend(
    _ room: UnsafeMutableRawBufferPointer, _ count: Int, _ take: Taking
  ) throws(Failure) {
    guard count > 0 else { return }
    try take(unsafe UnsafeRawBufferPointer(rebasing: room[..<count]).bytes)
  }

  /// Decompresses one or more consecutive gzip or zlib streams.
  private static func inflate(
    _ packed: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ take: Taking
  ) throws(Failure) {
    var stream = unsafe z_stream()
    // 32 and more: detects gzip or zlib by the first bytes.
    let started = unsafe inflateInit2_(
      &stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard started == Z_OK else { throw .damaged }
    defer { unsafe inflateEnd(&stream) }
    unsafe stream.next_in = UnsafeMutablePointer(
      mutating: packed.bindMemory(to: Bytef.self).baseAddress)
    unsafe stream.avail_in = UInt32(packed.count)
    var state = Z_OK
    while state == Z_OK {
      unsafe stream.next_out = room.bindMemory(to: Bytef.self).baseAddress
      unsafe stream.avail_out = UInt32(room.count)
      state = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
      try unsafe lend(room, room.count - Int(stream.avail_out), take)
      if unsafe state == Z_STREAM_END && stream.avail_in > 0 {
        state = unsafe inflateReset(&stream)
      }
    }
    guard state == Z_STREAM_END else { throw .damaged }
  }

  private static func decompressLZ4(
    _ packed: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ take: Taking
  ) throws(Failure) {
    var context: OpaquePointer?
    guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0
    else { throw .damaged }
    defer { unsafe LZ4F_freeDecompressionContext(context) }
    var position = 0
    var hint = 1
    while hint != 0 {
      var made = room.count
      var taken = packed.count - position
      hint = unsafe LZ4F_decompress(
        context, room.baseAddress, &made, packed.baseAddress?.advanced(by: position), &taken, nil)
      guard LZ4F_isError(hint) == 0, made > 0 || taken > 0 else { throw .damaged }
      position += taken
      try unsafe lend(room, made, take)
    }
    guard position == packed.count else { throw .damaged }
  }

  private static func decompressZstd(
    _ packed: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ take: Taking
  ) throws(Failure) {
    guard let stream = unsafe ZSTD_createDStream() else { throw .damaged }
    defer { unsafe ZSTD_freeDStream(stream) }
    var input = unsafe ZSTD_inBuffer(src: packed.baseAddress, size: packed.count, pos: 0)
    var hint = 1
    while unsafe hint != 0 || input.pos < input.size {
      var output = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
      let before = unsafe input.pos
      hint = unsafe ZSTD_decompressStream(stream, &output, &input)
      let hasMoved = unsafe output.pos > 0 || input.pos > before
      guard ZSTD_isError(hint) == 0, hasMoved else { throw .damaged }
      try unsafe lend(room, output.pos, take)
    }
  }

  /// Decompresses one Snappy block, or blocks in the Java client's framing: a magic word, two
  /// versions, then sizes and blocks.
  private static func unsnap(
    _ packed: UnsafeRawBufferPointer, limit: Int, _ take: Taking
  ) throws(Failure) {
    let magic: [UInt8] = [0x82, 0x53, 0x4E, 0x41, 0x50, 0x50, 0x59, 0]
    let isFramed = unsafe packed.count >= 16 && packed.starts(with: magic)
    guard isFramed else {
      return try unsafe unsnapBlock(packed, limit: limit, take)
    }
    var position = 16
    while packed.count - position >= 4 {
      let size = Int(
        unsafe UInt32(bigEndian: packed.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
      position += 4
      guard size <= packed.count - position else { throw .damaged }
      try unsafe unsnapBlock(
        UnsafeRawBufferPointer(rebasing: packed[position..<position + size]), limit: limit, take)
      position += size
    }
    guard position == packed.count else { throw .damaged }
  }

  private static func unsnapBlock(
    _ packed: UnsafeRawBufferPointer, limit: Int, _ take: Taking
  ) throws(Failure) {
    let bytes = unsafe packed.bindMemory(to: CChar.self)
    var size = 0
    guard unsafe snappy_uncompressed_length(bytes.baseAddress, bytes.count, &size) == SNAPPY_OK
    else { throw .damaged }
    guard size <= limit else { throw .tooLarge }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, size), alignment: 16)
    defer { unsafe room.deallocate() }
    let status = unsafe snappy_uncompress(
      bytes.baseAddress, bytes.count, room.bindMemory(to: CChar.self).baseAddress, &size)
    guard status == SNAPPY_OK else { throw .damaged }
    try unsafe lend(room, size, take)
  }
}
