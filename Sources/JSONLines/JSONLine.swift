internal import CSimdjson

/// Finds fields of JSON lines, by simdjson: the fast way for lines of a stream. For small documents: Plumbing's JSONValue.
///
/// A module of its own, so that a command which reads no JSON lines does not load simdjson and the C++ runtime. The line
/// must be followed by 64 readable bytes (`CSIMDJSON_PADDING`), as the lines of Plumbing's readers are.
@safe package struct JSONLine: ~Copyable {
  /// The version of simdjson.
  package static var libraryVersion: String { unsafe String(cString: csj_version()) }

  /// What a field holds.
  package enum Kind: Int32, Sendable {
    case absent = 0
    case null, `false`, `true`, number, string, object, array
  }

  /// A line that is no JSON object.
  package struct Malformed: Error, Equatable, Sendable {
    /// The parser's words.
    package let reason: String
    /// Bytes from the start of the line to where the parser stood.
    package let offset: Int
  }

  private let parser: OpaquePointer
  /// The names of all paths, one after the other, their lengths, and how many of them each path has.
  private let names: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>
  private let lengths: UnsafeMutableBufferPointer<Int>
  private let parts: UnsafeMutableBufferPointer<Int>
  private let values: UnsafePointer<csj_value>

  /// - Parameter paths: what to look up, at most 64; a path of several parts walks nested objects.
  package init(fields paths: [[String]]) {
    let all = paths.flatMap { $0 }
    unsafe names = .allocate(capacity: all.count)
    unsafe lengths = .allocate(capacity: all.count)
    unsafe parts = .allocate(capacity: paths.count)
    for (index, name) in all.enumerated() {
      let bytes = Array(name.utf8)
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
      for (index, byte) in bytes.enumerated() { unsafe copy[index] = CChar(bitPattern: byte) }
      unsafe copy[bytes.count] = 0
      unsafe names.initializeElement(at: index, to: UnsafePointer(copy))
      unsafe lengths.initializeElement(at: index, to: bytes.count)
    }
    for (index, path) in paths.enumerated() {
      unsafe parts.initializeElement(at: index, to: path.count)
    }
    guard
      let parser = unsafe csj_new(
        names.baseAddress, lengths.baseAddress, parts.baseAddress, paths.count),
      let values = unsafe csj_values(parser)
    else { preconditionFailure("out of memory, or more than 64 fields") }
    unsafe self.parser = parser
    unsafe self.values = values
  }

  deinit {
    unsafe csj_free(parser)
    for index in unsafe names.indices { unsafe names[index]?.deallocate() }
    unsafe names.deallocate()
    unsafe lengths.deallocate()
    unsafe parts.deallocate()
  }

  /// Reads a line; then ``kind(_:)`` and ``bytes(_:)`` tell what its fields hold, until the next call.
  ///
  /// The last of several equal keys counts.
  ///
  /// - Throws: ``Malformed`` when the line is no JSON object, or something stands behind it.
  package mutating func read(_ line: RawSpan) throws(Malformed) {
    var offset = 0
    // simdjson reads `padding` bytes behind the line, which the caller promises to be readable.
    let error = unsafe line.withUnsafeBytes { line in
      unsafe csj_find(parser, line.baseAddress, line.count, &offset)
    }
    guard error == 0 else {
      let words = unsafe csj_error_message(error).map { unsafe String(cString: $0) } ?? ""
      throw Malformed(reason: words, offset: offset)
    }
  }

  /// Says that the lines of the next reads are those of this block, in their order, each ended by a newline: many are then
  /// looked at in one go. Lines from elsewhere can still be read.
  ///
  /// The block must stay as it is until ``leaveBlock()`` or the next one.
  @unsafe package func enterBlock(_ block: UnsafeRawBufferPointer) {
    unsafe csj_block(parser, block.baseAddress, block.count)
  }

  /// Forgets the block, which may then change.
  package func leaveBlock() { unsafe csj_block(parser, nil, 0) }

  /// How many fields the line has whose names were not asked for; always 0 when a single one was asked for.
  package var otherFields: Int { unsafe csj_others(parser) }

  /// What the field of this index holds.
  package func kind(_ index: Int) -> Kind { unsafe Kind(rawValue: values[index].kind) ?? .absent }

  /// A string's decoded text; a number's, a boolean's, an object's or an array's bytes as written.
  package func withBytes<Result, Failure: Error>(
    of index: Int, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // The bytes belong to the parser or the line until the next read.
    let value = unsafe values[index]
    let span = unsafe RawSpan(
      _unsafeStart: UnsafeRawPointer(value.bytes) ?? emptyBytes, byteCount: value.length)
    return try body(span)
  }

  /// The field's bytes as text, invalid UTF-8 repaired.
  package func text(of index: Int) -> String {
    withBytes(of: index) { bytes in
      unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
  }

  /// A field as it lies in memory: valid until the next read, and as long as the line.
  @unsafe package struct Place {
    package var start: UnsafeRawPointer?
    package var count = 0
    package var kind = Kind.absent

    package init() {}
  }

  /// Where the first fields lie, all at once: for a loop that asks for many fields of every line.
  @unsafe package func copyPlaces(into places: UnsafeMutableBufferPointer<Place>) {
    for index in places.indices {
      let value = unsafe values[index]
      unsafe places[index].start = UnsafeRawPointer(value.bytes)
      unsafe places[index].count = value.length
      unsafe places[index].kind = Kind(rawValue: value.kind) ?? .absent
    }
  }

  private var emptyBytes: UnsafeRawPointer { unsafe UnsafeRawPointer(parser) }
}
