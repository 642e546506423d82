import CBroker

/// The 61 bytes in front of a batch of records (format 2), and the checks a broker makes of them.
struct BatchHeader {
  /// Bytes of a batch before its first record.
  static let size = 61
  /// A real broker's `message.max.bytes`, the whole batch counted.
  static let maximumBatchSize = 1_048_588
  /// Bytes at the start that a broker may rewrite: base offset, length and leader epoch. The
  /// checksum does not cover them.
  static let rewrittenSize = 16
  /// Where the checksum stands.
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

  /// Reads the header of the one batch that `bytes` are.
  ///
  /// - Throws: the error a broker answers for a batch it can't take.
  /// - Complexity: O(length): every byte goes through the checksum.
  init(
    of bytes: RawSpan, limit: Int = maximumBatchSize, produceVersion: Int16
  ) throws(ErrorCode) {
    guard bytes.byteCount >= 17 else { throw .corruptMessage }
    // Formats 0 and 1 keep their magic number in the same place.
    guard bytes.bigEndian(16, as: UInt8.self) == 2 else { throw .invalidRecord }
    guard bytes.byteCount >= Self.size else { throw .corruptMessage }
    let length = bytes.bigEndian(8, as: Int32.self)
    guard length >= Self.size - 12, Int(length) + 12 <= bytes.byteCount else {
      throw .corruptMessage
    }
    size = Int(length) + 12
    guard size <= limit else { throw .messageTooLarge }
    // One batch a partition is all that Produce takes since its version 3.
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
    // An uncompressed record takes seven bytes or more.
    guard codec != 0 || Int(recordCount) * 7 <= size - Self.size else { throw .invalidRecord }
    guard codec <= 4, codec != 4 || produceVersion >= 7 else { throw .unsupportedCompressionType }
    // Only brokers write control batches.
    guard attributes & 0x20 == 0 else { throw .invalidRecord }
    guard attributes & 0x10 == 0 else { throw .invalidTransactionState }
    guard producerID == -1 || (producerID >= 0 && producerEpoch >= 0 && baseSequence >= 0) else {
      throw .invalidRecord
    }
  }

  /// What takes the place of a batch's first 16 bytes in the log: its offset there, leader epoch 0.
  func rewrittenStart(baseOffset: Int64) -> [UInt8] {
    var start = FieldWriter()
    start.int64(baseOffset)
    start.count(size - 12)
    start.int32(0)
    return start.bytes
  }
}

extension RawSpan {
  /// The big-endian integer at `offset`, which the caller knows to be inside.
  func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, as type: Value.Type
  ) -> Value {
    unsafe Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
  }
}
