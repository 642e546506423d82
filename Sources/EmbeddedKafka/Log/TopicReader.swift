import Glibc
import Plumbing

/// Reads a topic's records from inside this process, without a connection, a fetch session or a
/// queue. (Unsafe inside: positional reads and copies.)
package final class TopicReader: Sendable {
  /// Why records can't be read from an offset.
  package enum Failure: Error, Equatable {
    /// The topic or partition does not exist, or was deleted.
    case missing
    /// The offset is below the start offset or above the end offset.
    case outOfRange
    /// The temporary file can't be read, or its contents are damaged.
    case storage(String)
  }

  /// A record, as ranges of its parts in ``Records/bytes``.
  package struct Record {
    package let offset: Int64
    /// Milliseconds since 1970, set by the producer or the broker.
    package let timestamp: Int64
    package let key: Range<Int>?
    package let value: Range<Int>?
    /// The number of headers, then the name and value of each with their lengths, in Kafka's record
    /// format.
    package let headers: Range<Int>
  }

  /// The result of a read. It is reused for the next read, so that memory is allocated once.
  package struct Records {
    /// Readable bytes after the last record, for parsers that read whole words.
    static let padding = 64

    package var bytes: [UInt8] = []
    package var all: [Record] = []
    /// The offset of the next read.
    package var nextOffset: Int64 = 0
    /// The number of skipped records, whose batches could not be decompressed.
    package var unreadable: Int64 = 0

    package init() {}
  }

  /// Approximate size of one read. A single batch may be larger.
  private static let readSize = 1 << 20

  private let topics: Topics
  private let file: StorageFile
  private let name: String
  private let wakeup: Wakeup

  init(_ topics: Topics, _ file: StorageFile, topic: String) throws(SystemFailure) {
    self.topics = topics
    self.file = file
    name = topic
    wakeup = try Wakeup()
  }

  /// Reads records of a partition, from `offset` on; none at its end.
  ///
  /// - Complexity: O(bytes read and decompressed).
  package func read(
    partition: Int, from offset: Int64, into records: inout Records
  ) throws(Failure) {
    records.all.removeAll(keepingCapacity: true)
    records.nextOffset = offset
    records.unreadable = 0
    guard let log = topics[name, Int32(clamping: partition)] else { throw .missing }
    let pieces: [(position: Int64, size: Int)]
    do throws(ErrorCode) {
      pieces = try log.select(from: offset, limit: Self.readSize, atLeastOne: true)
    } catch { throw .outOfRange }
    let total = pieces.reduce(0) { $0 + $1.size }
    guard total > 0 else { return }
    records.grow(to: total + Records.padding)
    var start = 0
    do throws(Failure) {
      for piece in pieces {
        try records.fill(start..<start + piece.size, from: file, at: piece.position)
        start += piece.size
      }
      try records.decode(upTo: total, from: offset)
    } catch {
      // Deleting records during the read leaves zeros in the file.
      throw log.startOffset > offset ? .outOfRange : error
    }
  }

  /// Waits until a partition has records after the given position, or shrinks, or a partition is
  /// added, or ``interrupt()`` is called. While there is no topic, it waits for one.
  ///
  /// - Parameter positions: the reader's position in each partition.
  package func wait(behind positions: [Int64]) {
    topics.wake(wakeup, about: name)
    defer { topics.stopWaking(wakeup, about: name) }
    let logs = topics[name]?.partitions ?? []
    for log in logs { log.wake(wakeup) }
    defer { for log in logs { log.stopWaking(wakeup) } }
    // Re-check: an append may have raced the registration.
    guard logs.count <= positions.count, zip(logs, positions).allSatisfy({ $0.endOffset == $1 })
    else { return }
    wakeup.wait()
  }

  /// Ends the current wait, or the next one.
  package func interrupt() { wakeup.signal() }
}

extension Broker {
  /// A reader of a topic, which may not exist yet.
  package func reader(of topic: String) throws(TopicReader.Failure) -> TopicReader {
    do throws(SystemFailure) {
      return try TopicReader(node.topics, node.file, topic: topic)
    } catch { throw .storage(error.message) }
  }
}

extension TopicReader.Records {
  fileprivate mutating func grow(to size: Int) {
    guard bytes.count < size else { return }
    bytes = Array(repeating: 0, count: max(size, min(bytes.count * 2, 64 << 20)))
  }

  /// Reads a part of the file.
  fileprivate mutating func fill(
    _ place: Range<Int>, from file: StorageFile, at position: Int64
  ) throws(TopicReader.Failure) {
    var filled = 0
    while filled < place.count {
      let count = unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe pread(
          file.descriptor, bytes.baseAddress?.advanced(by: place.lowerBound + filled),
          place.count - filled, off_t(position) + off_t(filled))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .storage(systemErrorText(count < 0 ? errno : EIO)) }
      filled += count
    }
  }

  /// Parses the records of the batches in the first `total` bytes.
  fileprivate mutating func decode(
    upTo total: Int, from first: Int64
  ) throws(TopicReader.Failure) {
    var start = 0
    // Decompressed records are stored after the batches.
    var unpackedEnd = total
    while start < total {
      guard total - start >= BatchHeader.size else { throw .storage("a batch is cut short") }
      let batch = header(at: start)
      let size = batch.size
      guard size >= BatchHeader.size, size <= total - start, batch.count >= 0 else {
        throw .storage("a batch is damaged")
      }
      let stored = start + BatchHeader.size..<start + size
      let known = all.count
      let records = batch.codec == 0 ? stored : unpack(stored, batch.codec, &unpackedEnd)
      let isWhole = records.map { add(batch, in: $0, from: first) } ?? false
      if !isWhole {
        all.removeSubrange(known...)
        unreadable += Int64(batch.count)
      }
      nextOffset = max(nextOffset, batch.baseOffset + Int64(batch.lastOffsetDelta) + 1)
      start += size
    }
  }

  /// Appends the decompressed records of a batch to the buffer; nil when they can't be
  /// decompressed.
  private mutating func unpack(
    _ stored: Range<Int>, _ codec: Int16, _ end: inout Int
  ) -> Range<Int>? {
    guard let codec = Codec(rawValue: codec) else { return nil }
    let packed = Array(bytes[stored])
    var filled = end
    do throws(Codec.Failure) {
      try codec.decompress(
        unsafe packed.span.bytes, limit: BatchHeader.maximumDecompressedSize
      ) { piece in
        let size = filled + piece.byteCount + Self.padding
        if bytes.count < size {
          bytes += Array(repeating: 0, count: max(size, bytes.count * 2) - bytes.count)
        }
        unsafe bytes.withUnsafeMutableBytes { bytes in
          unsafe piece.withUnsafeBytes { piece in
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).copyMemory(from: piece)
          }
        }
        filled += piece.byteCount
        return true
      }
    } catch {
      return nil
    }
    defer { end = filled }
    return end..<filled
  }

  /// Fields of a batch's header.
  fileprivate struct Batch {
    let size: Int
    let codec: Int16
    let count: Int
    let baseOffset: Int64
    let lastOffsetDelta: Int32
    let baseTimestamp: Int64
    /// The broker's append time, if it is the timestamp of all records of the batch.
    let appendTime: Int64?
  }

  private func header(at start: Int) -> Batch {
    let header = unsafe bytes.span.bytes.extracting(start..<start + BatchHeader.size)
    let attributes = header.bigEndian(21, as: Int16.self)
    return Batch(
      size: Int(header.bigEndian(8, as: Int32.self)) + 12, codec: attributes & 0x7,
      count: Int(header.bigEndian(57, as: Int32.self)),
      baseOffset: header.bigEndian(0, as: Int64.self),
      lastOffsetDelta: header.bigEndian(23, as: Int32.self),
      baseTimestamp: header.bigEndian(27, as: Int64.self),
      appendTime: attributes & 0x8 != 0 ? header.bigEndian(35, as: Int64.self) : nil)
  }

  /// Adds the records of a batch, except those before `first`.
  ///
  /// - Returns: false when the batch does not have as many valid records as its header says.
  private mutating func add(
    _ batch: Batch, in place: Range<Int>, from first: Int64
  ) -> Bool {
    var found: [TopicReader.Record] = []
    swap(&found, &all)
    defer { swap(&found, &all) }
    return unsafe bytes.withUnsafeBytes { bytes in
      var cursor = unsafe RecordCursor(bytes: bytes, place: place.lowerBound, end: place.upperBound)
      for _ in 0..<batch.count {
        guard let record = cursor.record(batch) else { return false }
        if record.offset >= first { found.append(record) }
      }
      return cursor.isAtEnd
    }
  }
}

/// Parses consecutive records of format 2.
@safe private struct RecordCursor {
  let bytes: UnsafeRawBufferPointer
  var place: Int
  let end: Int

  var isAtEnd: Bool { place == end }

  /// The next record; nil when there is no complete one.
  mutating func record(_ batch: TopicReader.Records.Batch) -> TopicReader.Record? {
    guard let length = varint(), length > 0, length <= Int64(end - place) else { return nil }
    let next = place + Int(length)
    place += 1  // attributes, unused
    guard let timeDelta = varint(), let offsetDelta = varint(), let key = bytesRange(upTo: next),
      let value = bytesRange(upTo: next), place <= next
    else { return nil }
    let headers = place..<next
    place = next
    return TopicReader.Record(
      offset: batch.baseOffset &+ offsetDelta,
      timestamp: batch.appendTime ?? (batch.baseTimestamp &+ timeDelta), key: key, value: value,
      headers: headers)
  }

  /// Reads a length and the range of that many bytes. The inner value is nil for a length of -1,
  /// the outer value for invalid bytes.
  private mutating func bytesRange(upTo limit: Int) -> Range<Int>?? {
    guard let length = varint() else { return nil }
    if length == -1 { return .some(nil) }
    guard length >= 0, place <= limit, length <= Int64(limit - place) else { return nil }
    let start = place
    place += Int(length)
    return start..<place
  }

  /// Reads a zigzag varint; nil when there is none.
  @inline(__always)
  private mutating func varint() -> Int64? {
    var raw: UInt64 = 0
    var shift: UInt64 = 0
    while place < end, shift < 64 {
      let byte = unsafe bytes[place]
      place += 1
      raw |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1) }
      shift += 7
    }
    return nil
  }
}
