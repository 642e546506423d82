import Kafka

/// Parses a line as `kcat -C -J` prints it: a flat object with topic, key, payload, headers,
/// partition and ts.
///
/// kcat copies bytes that are not UTF-8 into its strings unchanged, and a copy must not change
/// them, so a JSON parser can't be used. Strings are decoded into the caller's buffer.
@safe struct Envelope {
  typealias Bytes = UnsafeMutableRawBufferPointer

  private(set) var topic: Bytes?
  private(set) var key: Bytes?
  private(set) var payload: Bytes?
  private(set) var partition: Int32?
  private(set) var timestamp: Int64?
  private(set) var headers: [Header] = []

  init() {}

  /// Reads a line; the results are valid until the next call.
  ///
  /// - Parameter room: a buffer with at least as many bytes as the line.
  /// - Returns: how many of them were used.
  mutating func read(
    _ line: UnsafeRawBufferPointer, decodingInto room: UnsafeMutableRawBufferPointer
  ) throws(Unusable) -> Int {
    self = Envelope()
    var reader = unsafe EnvelopeReader(line: line, room: room)
    var hasPayload = false
    try reader.expect("{")
    if reader.skip("}") { throw Unusable(.notAnEnvelope) }
    repeat {
      let name = unsafe try reader.string()
      try reader.expect(":")
      switch unsafe String(decoding: name, as: UTF8.self) {
      case "topic": unsafe topic = try reader.stringOrNull()
      case "key": unsafe key = try reader.stringOrNull()
      case "payload":
        unsafe payload = try reader.stringOrNull()
        hasPayload = true
      case "partition": partition = Int32(exactly: try reader.integer())
      case "ts": timestamp = try reader.integer()
      case "headers": try readHeaders(&reader)
      default: try reader.skipValue()
      }
    } while reader.skip(",")
    try reader.expect("}")
    guard reader.isAtEnd, hasPayload else { throw Unusable(.notAnEnvelope) }
    return reader.used
  }

  private mutating func readHeaders(_ reader: inout EnvelopeReader) throws(Unusable) {
    headers = []
    if reader.skipNull() { return }
    try reader.expect("[")
    if reader.skip("]") { return }
    repeat {
      let name = unsafe try reader.string()
      try reader.expect(",")
      let value = try unsafe reader.stringOrNull()
      unsafe headers.append(
        Header(
          name: unsafe String(decoding: name, as: UTF8.self), value: value.map { unsafe Array($0) })
      )
    } while reader.skip(",")
    try reader.expect("]")
  }
}

/// Parses the JSON values that an envelope consists of.
@safe struct EnvelopeReader {
  private let line: UnsafeRawBufferPointer
  private let room: UnsafeMutableRawBufferPointer
  private var position = 0
  private(set) var used = 0

  init(line: UnsafeRawBufferPointer, room: UnsafeMutableRawBufferPointer) {
    precondition(room.count >= line.count)
    unsafe self.line = line
    unsafe self.room = room
  }

  private var next: UInt8? { unsafe position < line.count ? line[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a {
      position += 1
    }
  }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return next == nil
    }
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(Unusable) {
    guard skip(character) else { throw Unusable(.notAnEnvelope) }
  }

  mutating func skipNull() -> Bool {
    skipSpace()
    return skip(word: "null")
  }

  private mutating func skip(word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard unsafe position + length <= line.count else { return false }
    for index in 0..<length where unsafe line[position + index] != word.utf8Start[index] {
      return false
    }
    position += length
    return true
  }

  mutating func stringOrNull() throws(Unusable) -> Envelope.Bytes? {
    if skipNull() { return nil }
    return unsafe try string()
  }

  mutating func integer() throws(Unusable) -> Int64 {
    skipSpace()
    let start = position
    while let byte = next, byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) {
      position += 1
    }
    let text = unsafe String(decoding: line[start..<position], as: UTF8.self)
    guard let value = Int64(text) else { throw Unusable(.notAnEnvelope) }
    return value
  }

  /// Decodes a string into the buffer.
  mutating func string() throws(Unusable) -> Envelope.Bytes {
    try expect("\"")
    let start = used
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        return unsafe Envelope.Bytes(rebasing: room[start..<used])
      case UInt8(ascii: "\\"): try readEscape()
      default: append(byte)
      }
    }
    throw Unusable(.notAnEnvelope)
  }

  /// Decoded text is never longer than its JSON, so the buffer is large enough.
  private mutating func append(_ byte: UInt8) {
    unsafe room[used] = byte
    used += 1
  }

  private mutating func readEscape() throws(Unusable) {
    guard let letter = next else { throw Unusable(.notAnEnvelope) }
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): append(letter)
    case UInt8(ascii: "n"): append(0x0a)
    case UInt8(ascii: "t"): append(0x09)
    case UInt8(ascii: "r"): append(0x0d)
    case UInt8(ascii: "b"): append(0x08)
    case UInt8(ascii: "f"): append(0x0c)
    case UInt8(ascii: "u"):
      var code = try fourDigits()
      if (0xd800...0xdbff).contains(code), skip(word: "\\u") {
        let low = try fourDigits()
        guard (0xdc00...0xdfff).contains(low) else { throw Unusable(.notAnEnvelope) }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw Unusable(.notAnEnvelope) }
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte) }
    default: throw Unusable(.notAnEnvelope)
    }
  }

  private mutating func fourDigits() throws(Unusable) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw Unusable(.notAnEnvelope)
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  /// Skips a value of any kind and depth, without recursion.
  mutating func skipValue() throws(Unusable) {
    var depth = 0
    repeat {
      skipSpace()
      guard let byte = next else { throw Unusable(.notAnEnvelope) }
      switch byte {
      case UInt8(ascii: "\""): _ = unsafe try string()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        guard depth >= 0 else { throw Unusable(.notAnEnvelope) }
        position += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { throw Unusable(.notAnEnvelope) }
        position += 1
      default:
        let start = position
        while let byte = next, byte > 0x2c, byte != 0x3a, byte != 0x5b, byte != 0x5d, byte != 0x7b,
          byte != 0x7d
        {
          position += 1
        }
        guard position > start else { throw Unusable(.notAnEnvelope) }
      }
    } while depth > 0
  }
}
