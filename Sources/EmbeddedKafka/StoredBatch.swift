/// A batch read back from the log, for the one question that needs its records: which is the first
/// of a time.
///
/// The records of a compressed batch stay closed to this broker. There the answer is the batch's
/// first offset, so a consumer may get a few records from before the time, and misses none.
struct StoredBatch {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Time and offset of the first record at `time` or later. The batch is known to hold one, if its
  /// header is true; when it is not, its first record stands for it.
  func firstRecord(reaching time: Int64) -> (time: Int64, offset: Int64) {
    let span = unsafe bytes.span.bytes
    let baseOffset = span.bigEndian(0, as: Int64.self)
    let attributes = span.bigEndian(21, as: Int16.self)
    let baseTimestamp = span.bigEndian(27, as: Int64.self)
    if attributes & 0x8 != 0 { return (span.bigEndian(35, as: Int64.self), baseOffset) }
    guard attributes & 0x7 == 0 else { return (baseTimestamp, baseOffset) }
    var offset = BatchHeader.size
    while let length = varint(at: &offset), length > 0, length <= Int64(bytes.count - offset) {
      let next = offset + Int(length)
      offset += 1  // attributes, unused
      guard let timeDelta = varint(at: &offset), let offsetDelta = varint(at: &offset) else {
        break
      }
      let recordTime = baseTimestamp &+ timeDelta
      if recordTime >= time { return (recordTime, baseOffset &+ offsetDelta) }
      offset = next
    }
    return (baseTimestamp, baseOffset)
  }

  /// A number in zigzag form, seven bits a byte; `nil` where there is none.
  private func varint(at offset: inout Int) -> Int64? {
    var raw: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard offset < bytes.count else { return nil }
      let byte = bytes[offset]
      offset += 1
      raw |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1) }
    }
    return nil
  }
}
