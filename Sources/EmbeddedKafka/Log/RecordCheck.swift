/// Checks the records of one batch, in pieces of any size, against its header and its topic's
/// settings.
///
/// Record format 2: a length, attributes, the differences of timestamp and offset to the batch's,
/// key, value and headers. Each number is a zigzag varint.
struct RecordCheck {
  /// A topic's requirements of its records.
  struct Rules {
    /// The valid timestamps, in milliseconds since 1970.
    var times: ClosedRange<Int64> = .min ... .max
    /// Whether records without a key are refused, as in a compacted topic.
    var needsKeys = false
  }

  private enum Field {
    case length, attributes, time, offset, keyLength, key, valueLength, value
    case headerCount, headerKeyLength, headerKey, headerValueLength, headerValue
  }

  private let rules: Rules
  private let baseTimestamp: Int64
  private let recordCount: Int32
  private var field = Field.length
  /// Remaining bytes of the record.
  private var left: Int64 = 0
  /// Remaining bytes of the key, value or header.
  private var skipped: Int64 = 0
  private var headers: Int64 = 0
  private var count: Int32 = 0
  private var number: UInt64 = 0
  private var shift: UInt64 = 0

  init(_ header: BatchHeader, _ rules: Rules) {
    self.rules = rules
    baseTimestamp = header.baseTimestamp
    recordCount = header.lastOffsetDelta + 1
  }

  /// Checks the next piece.
  ///
  /// - Throws: the error that a broker responds with for invalid records.
  mutating func take(_ bytes: RawSpan) throws(ErrorCode) {
    var index = 0
    let end = bytes.byteCount
    while index < end {
      if skipped > 0 {
        let step = min(skipped, Int64(end - index))
        index += Int(step)
        skipped -= step
        if skipped == 0 { try skippedAll() }
        continue
      }
      let byte = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
      index += 1
      if field != .length {
        left -= 1
        guard left >= 0 else { throw .invalidRecord }
      }
      if field == .attributes {
        field = .time
        continue
      }
      number |= UInt64(byte & 0x7F) << shift
      guard byte & 0x80 != 0 else {
        let value = Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
        number = 0
        shift = 0
        try read(value)
        continue
      }
      shift += 7
      guard shift < 64 else { throw .invalidRecord }
    }
  }

  /// Call it after the last piece.
  func finish() throws(ErrorCode) {
    guard field == .length, shift == 0, count == recordCount else { throw .invalidRecord }
  }

  private mutating func read(_ value: Int64) throws(ErrorCode) {
    switch field {
    case .length:
      guard value > 0, value <= Int64(Int32.max), count < recordCount else { throw .invalidRecord }
      left = value
      field = .attributes
    case .time:
      let (time, overflows) = baseTimestamp.addingReportingOverflow(value)
      guard !overflows else { throw .invalidTimestamp }
      // -1: the record has no time.
      guard time == -1 || rules.times.contains(time) else { throw .invalidTimestamp }
      field = .offset
    case .offset:
      guard value == Int64(count) else { throw .invalidRecord }
      field = .keyLength
    case .keyLength:
      if value < 0 && rules.needsKeys { throw .invalidRecord }
      try skip(value, .key, orNull: true)
    case .valueLength: try skip(value, .value, orNull: true)
    case .headerCount:
      // A header has at least two bytes.
      guard value >= 0, value <= left / 2 else { throw .invalidRecord }
      headers = value
      try endHeader()
    case .headerKeyLength: try skip(value, .headerKey, orNull: false)
    case .headerValueLength: try skip(value, .headerValue, orNull: true)
    case .attributes, .key, .value, .headerKey, .headerValue: break
    }
  }

  private mutating func skip(_ length: Int64, _ next: Field, orNull: Bool) throws(ErrorCode) {
    guard length >= (orNull ? -1 : 0), length <= left else { throw .invalidRecord }
    skipped = max(0, length)
    left -= skipped
    field = next
    if skipped == 0 { try skippedAll() }
  }

  private mutating func skippedAll() throws(ErrorCode) {
    switch field {
    case .key: field = .valueLength
    case .value: field = .headerCount
    case .headerKey: field = .headerValueLength
    case .headerValue:
      headers -= 1
      try endHeader()
    default: break
    }
  }

  private mutating func endHeader() throws(ErrorCode) {
    guard headers == 0 else {
      field = .headerKeyLength
      return
    }
    guard left == 0 else { throw .invalidRecord }
    count += 1
    field = .length
  }
}

extension BatchHeader {
  /// Maximum decompressed size of a batch's records. Producers stay far below it, and it limits the
  /// memory that a consumer needs.
  static let maximumDecompressedSize = 64 << 20

  /// Checks the records after this header, and decompresses them if necessary.
  ///
  /// - Parameter batch: the whole batch, header included.
  /// - Throws: the error that a broker responds with for such a batch.
  func check(recordsOf batch: RawSpan, _ rules: RecordCheck.Rules) throws(ErrorCode) {
    let records = batch.extracting(Self.size..<size)
    var check = RecordCheck(self, rules)
    guard codec != 0 else {
      try check.take(records)
      return try check.finish()
    }
    guard let codec = Codec(rawValue: codec) else { throw .unsupportedCompressionType }
    var refusal: ErrorCode?
    do throws(Codec.Failure) {
      try codec.decompress(records, limit: Self.maximumDecompressedSize) { piece in
        do throws(ErrorCode) {
          try check.take(piece)
          return true
        } catch {
          refusal = error
          return false
        }
      }
    } catch {
      throw refusal ?? .invalidRecord
    }
    try check.finish()
  }
}
