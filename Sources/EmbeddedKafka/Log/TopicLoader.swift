import CBroker
import Glibc
import Plumbing

/// Appends lines to a topic from inside this process, like a producer without keys. (Unsafe
/// inside.)
///
/// Each batch goes to the next partition in turn, so a small file stays in order in one partition.
package struct TopicLoader: ~Copyable {
  /// Why lines can't be appended.
  package enum Failure: Error, Equatable {
    case topic(String)
    case tooLong(line: Int, bytes: Int)
    case storage(String)
  }

  private static let batchSize = 512 << 10
  /// Maximum size of a record without its value, in bytes.
  private static let overhead = 32

  private let partitions: [PartitionLog]
  private let now: Int64
  private var records = RecordWriter()
  private var next = 0
  private var lines = 0

  fileprivate init(_ topics: Topics, topic: String) throws(Failure) {
    do throws(ErrorCode) {
      partitions = try topics.findOrCreate(topic).partitions
    } catch { throw .topic("\(error)") }
    now = TimePoint.now.milliseconds
  }

  /// Adds a line.
  package mutating func append(_ line: RawSpan) throws(Failure) {
    lines += 1
    let size = line.byteCount + Self.overhead
    guard size <= BatchHeader.maximumBatchSize - BatchHeader.size else {
      throw .tooLong(line: lines, bytes: line.byteCount)
    }
    if records.bytes.count + size > Self.batchSize { try flush() }
    records.add(line)
  }

  /// Appends the lines of the last, incomplete batch.
  package mutating func finish() throws(Failure) { try flush() }

  private mutating func flush() throws(Failure) {
    guard records.count > 0 else { return }
    let batch = records.batch(at: now)
    records = RecordWriter()
    do {
      let header = try unsafe BatchHeader(of: batch.span.bytes, produceVersion: 9)
      _ = try unsafe partitions[next % partitions.count].append(header, batch.span.bytes)
    } catch let error as PartitionLog.Refusal {
      if case .storage(let failure) = error { throw .storage(failure.message) }
      throw .storage("\(error)")
    } catch { throw .storage("\(error)") }
    next += 1
  }
}

extension Broker {
  /// A loader for a topic, which is created if necessary.
  package func loader(of topic: String) throws(TopicLoader.Failure) -> TopicLoader {
    try TopicLoader(node.topics, topic: topic)
  }
}

/// Writes records of format 2.
private struct RecordWriter {
  private(set) var bytes: [UInt8] = []
  private(set) var count = 0

  mutating func add(_ value: RawSpan) {
    var body: [UInt8] = [0, 0]
    Self.varint(Int64(count), to: &body)
    Self.varint(-1, to: &body)
    Self.varint(Int64(value.byteCount), to: &body)
    // The value is followed by the number of headers, which is 0.
    Self.varint(Int64(body.count + value.byteCount + 1), to: &bytes)
    bytes += body
    unsafe value.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    bytes.append(0)
    count += 1
  }

  /// The records as a batch with its header.
  func batch(at time: Int64) -> [UInt8] {
    var checked = FieldWriter()
    checked.int16(0)
    checked.count(count - 1)
    checked.int64(time)
    checked.int64(time)
    checked.int64(-1)
    checked.int16(-1)
    checked.int32(-1)
    checked.count(count)
    let body = checked.bytes + bytes
    let sum = unsafe body.span.bytes.withUnsafeBytes { unsafe cbk_crc32c($0.baseAddress, $0.count) }
    var batch = FieldWriter()
    batch.int64(0)
    batch.count(body.count + 9)
    batch.int32(0)
    batch.int8(2)
    batch.int32(Int32(bitPattern: sum))
    return batch.bytes + body
  }

  private static func varint(_ value: Int64, to bytes: inout [UInt8]) {
    var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
