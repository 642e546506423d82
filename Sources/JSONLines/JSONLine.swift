internal import CSimdjson

/// Finds fields of JSON lines with simdjson, the fast way for the lines of a stream. Plumbing's
/// JSONValue reads small documents.
///
/// This is a separate module so that a command without JSON input does not load simdjson and the
/// C++ runtime. 64 readable bytes (`CSIMDJSON_PADDING`) must follow a line, as they follow the
/// lines of Plumbing's readers.
@safe package struct JSONLine: ~Copyable {
  /// The version of simdjson.
  package static var libraryVersion: String { unsafe String(cString: csj_version()) }

  /// The kind of a field's value.
  package enum Kind: Int32, Sendable {
    case absent = 0
    case null, `false`, `true`, number, string, object, array
  }

  /// A line that is not a JSON object, or has a wanted field that is not valid text.
  package struct Malformed: Error, Equatable, Sendable {
    /// Whether the line is a JSON object, but a field is a string with half a surrogate pair
    /// (`\ud800` to `\udfff`).
    package let holdsHalfSurrogate: Bool
    /// The parser's description of the error.
    let reason: String
    /// The offset of the error, in bytes from the start of the line.
    let offset: Int
  }

  private let parser: OpaquePointer
  /// The names of all paths in sequence, their lengths, and the number of names in each path.
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
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 8)
      unsafe copy.initialize(repeating: 0, count: bytes.count + 8)
      for (index, byte) in bytes.enumerated() { unsafe copy[index] = CChar(bitPattern: byte) }
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

  /// Reads a line; ``kind(_:)`` and ``bytes(_:)`` then describe its fields until the next call.
  ///
  /// The last of several equal keys counts.
  ///
  /// - Throws: ``Malformed`` when the line is not a JSON object, or text follows it, or one of the
  ///   fields has half a surrogate pair.
  package mutating func read(_ line: RawSpan) throws(Malformed) {
    var offset = 0
    // The caller promises that simdjson can read `padding` bytes after the line.
    let error = unsafe line.withUnsafeBytes { line in
      unsafe csj_find(parser, line.baseAddress, line.count, &offset)
    }
    guard error == 0 else {
      let words = unsafe csj_error_message(error).map { unsafe String(cString: $0) } ?? ""
      throw Malformed(
        holdsHalfSurrogate: error == CSJ_HALF_SURROGATE, reason: words, offset: offset)
    }
  }

  /// Reads a line and returns where its first field is; `nil` when the line is not a JSON object. For loops that read one
  /// field of every line: a line can be read again.
  @unsafe package mutating func readFirst(_ line: UnsafeRawBufferPointer) -> Place? {
    var offset = 0
    guard unsafe csj_find(parser, line.baseAddress, line.count, &offset) == 0 else { return nil }
    return unsafe place(0)
  }

  /// Announces that the next reads take the lines of this block in order, each ended by a newline,
  /// so that many lines can be marked at once. Lines from elsewhere are still accepted.
  ///
  /// The block must not change until ``leaveBlock()`` or the next block.
  @unsafe package func enterBlock(_ block: UnsafeRawBufferPointer) {
    unsafe csj_block(parser, block.baseAddress, block.count)
  }

  /// Ends the block, which may then change.
  package func leaveBlock() { unsafe csj_block(parser, nil, 0) }

  /// The number of fields whose names were not asked for; always 0 when only one field was.
  package var otherFields: Int { unsafe csj_others(parser) }

  /// The kind of the field at this index.
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

  /// The field's bytes as text; invalid UTF-8 is repaired.
  package func text(of index: Int) -> String {
    withBytes(of: index) { bytes in
      unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
  }

  /// A field's location in memory: valid until the next read, and no longer than the line.
  @unsafe package struct Place {
    package var start: UnsafeRawPointer?
    package var count: Int
    package var kind: Kind

    package init(start: UnsafeRawPointer? = nil, count: Int = 0, kind: Kind = .absent) {
      unsafe self.start = start
      unsafe self.count = count
      unsafe self.kind = kind
    }
  }

  /// Copies the locations of the first fields, for a loop that reads many fields of every line.
  @unsafe package func copyPlaces(into places: UnsafeMutableBufferPointer<Place>) {
    for index in places.indices { unsafe places[index] = unsafe place(index) }
  }

  private func place(_ index: Int) -> Place {
    let value = unsafe values[index]
    return unsafe Place(
      start: UnsafeRawPointer(value.bytes), count: value.length,
      kind: unsafe Kind(rawValue: value.kind) ?? .absent)
  }

  private var emptyBytes: UnsafeRawPointer { unsafe UnsafeRawPointer(parser) }
}
