import CBroker

/// The 61-byte header of a record batch (format 2), and a broker's checks of it.
struct BatchHeader {
  /// Bytes of a batch before its first record.
  static let size = 61
  /// A real broker's `message.max.bytes`, which limits the size of a whole batch.
  static let maximumBatchSize = 1_048_588
  /// Bytes at the start that a broker may rewrite: base offset, length and leader epoch. The
  /// checksum does not cover them.
  static let rewrittenSize = 16
  /// The offset of the checksum.
  static let checksumOffset = 17

  let size: Int
  let attributes: Int16
  let lastOffsetDelta: Int32
  let baseTimestamp: Int64
  let maxTimestamp: Int64
  let producerID: Int64
  let producerEpoch: Int16
  let baseSequence: Int32

  var codec: Int16 { attributes & 0x7 }

  /// Reads the header of `bytes`, which must be exactly one batch.
  ///
  /// - Throws: the error that a broker responds with for an unacceptable batch.
  /// - Complexity: O(length), because the checksum covers every byte.
  init(
    of bytes: RawSpan, limit: Int = maximumBatchSize, produceVersion: Int16
  ) throws(ErrorCode) {
    guard bytes.byteCount >= 17 else { throw .corruptMessage }
    // Formats 0 and 1 have their magic number at the same offset.
    guard bytes.bigEndian(16, as: UInt8.self) == 2 else { throw .invalidRecord }
    guard bytes.byteCount >= Self.size else { throw .corruptMessage }
    let length = bytes.bigEndian(8, as: Int32.self)
    guard length >= Self.size - 12, Int(length) + 12 <= bytes.byteCount else {
      throw .corruptMessage
    }
    size = Int(length) + 12
    guard size <= limit else { throw .messageTooLarge }
    // Since version 3, Produce carries one batch a partition.
    guard size == bytes.byteCount else { throw .invalidRecord }
    let checksum = unsafe bytes.extracting(21..<size).withUnsafeBytes {
      unsafe cbk_crc32c($0.baseAddress, $0.count)
    }
    guard checksum == bytes.bigEndian(17, as: UInt32.self) else { throw .corruptMessage }
    attributes = bytes.bigEndian(21, as: Int16.self)
    lastOffsetDelta = bytes.bigEndian(23, as: Int32.self)
    baseTimestamp = bytes.bigEndian(27, as: Int64.self)
    maxTimestamp = bytes.bigEndian(35, as: Int64.self)
    producerID = bytes.bigEndian(43, as: Int64.self)
    producerEpoch = bytes.bigEndian(51, as: Int16.self)
    baseSequence = bytes.bigEndian(53, as: Int32.self)
    try check(recordCount: bytes.bigEndian(57, as: Int32.self), produceVersion: produceVersion)
  }

  private func check(recordCount: Int32, produceVersion: Int16) throws(ErrorCode) {
    guard recordCount > 0, lastOffsetDelta == recordCount - 1 else { throw .invalidRecord }
    // An uncompressed record has at least seven bytes.
    guard codec != 0 || Int(recordCount) * 7 <= size - Self.size else { throw .invalidRecord }
    guard codec <= 4, codec != 4 || produceVersion >= 7 else { throw .unsupportedCompressionType }
    // Only brokers write control batches.
    guard attributes & 0x20 == 0 else { throw .invalidRecord }
    guard attributes & 0x10 == 0 else { throw .invalidTransactionState }
    guard producerID == -1 || (producerID >= 0 && producerEpoch >= 0 && baseSequence >= 0) else {
      throw .invalidRecord
    }
  }

  /// The first 16 bytes of the batch in the log: its base offset, its length, and leader epoch 0.
  func rewrittenStart(baseOffset: Int64) -> [UInt8] {
    var start = FieldWriter()
    start.int64(baseOffset)
    start.count(size - 12)
    start.int32(0)
    return start.bytes
  }
}

extension RawSpan {
  /// The big-endian integer at `offset`, which must be within bounds.
  func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, as type: Value.Type
  ) -> Value {
    unsafe Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
  }
}
