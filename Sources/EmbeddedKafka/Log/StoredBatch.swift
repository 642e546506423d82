/// A batch read back from the log to find its first record at or after a time.
struct StoredBatch {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Timestamp and offset of the first record with a timestamp of `time` or later, among those at
  /// or after `start`; `nil` when there is none.
  ///
  /// If the records can't be decompressed, the result is the batch's first record. A consumer then
  /// gets a few earlier records, but misses none.
  func firstRecord(reaching time: Int64, from start: Int64) -> (time: Int64, offset: Int64)? {
    let span = unsafe bytes.span.bytes
    let baseOffset = span.bigEndian(0, as: Int64.self)
    let attributes = span.bigEndian(21, as: Int16.self)
    let search = Search(
      time: time, start: start, baseOffset: baseOffset,
      baseTimestamp: span.bigEndian(27, as: Int64.self))
    let records = span.extracting(BatchHeader.size..<bytes.count)
    guard attributes & 0x7 != 0 else { return search.first(in: records) }
    var decompressed: [UInt8] = []
    do throws(Codec.Failure) {
      guard let codec = Codec(rawValue: attributes & 0x7) else { throw .damaged }
      try codec.decompress(records, limit: BatchHeader.maximumDecompressedSize) { piece in
        unsafe piece.withUnsafeBytes { unsafe decompressed.append(contentsOf: $0) }
        return true
      }
    } catch {
      return (search.baseTimestamp, max(baseOffset, start))
    }
    return search.first(in: unsafe decompressed.span.bytes)
  }

  /// The state of a search among records.
  private struct Search {
    let time: Int64
    let start: Int64
    let baseOffset: Int64
    let baseTimestamp: Int64

    func first(in records: RawSpan) -> (time: Int64, offset: Int64)? {
      var offset = 0
      while let length = Self.varint(of: records, at: &offset),
        length > 0, length <= Int64(records.byteCount - offset)
      {
        let next = offset + Int(length)
        offset += 1  // attributes, unused
        guard let timeDelta = Self.varint(of: records, at: &offset),
          let offsetDelta = Self.varint(of: records, at: &offset)
        else { break }
        let found = (baseTimestamp &+ timeDelta, baseOffset &+ offsetDelta)
        if found.0 >= time && found.1 >= start { return found }
        offset = next
      }
      return nil
    }

    /// Reads a zigzag varint; `nil` when there is none.
    private static func varint(of bytes: RawSpan, at offset: inout Int) -> Int64? {
      var raw: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard offset < bytes.byteCount else { return nil }
        let byte = bytes.bigEndian(offset, as: UInt8.self)
        offset += 1
        raw |= UInt64(byte & 0x7F) << shift
        if byte & 0x80 == 0 { return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1) }
      }
      return nil
    }
  }
}
